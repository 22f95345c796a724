"""May this actor do this with sealed correspondence? Pure functions; the default is no."""

import uuid
from collections.abc import Collection

from messaging.permissions import Permission
from network.models import AuthorityKind, Role
from network.policy import Actor

_READING = frozenset({Role.OFFICER, Role.SUPERVISOR})
_ENROLLING = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR})
_ALL = frozenset({Role.OFFICER, Role.SUPERVISOR, Role.ADMINISTRATOR})

# Which roles of a central or competent authority have which right. An administrator reads no correspondence.
ROLES: dict[Permission, frozenset[Role]] = {
    Permission.DEVICE_DECLINE: _ENROLLING,
    Permission.DEVICE_LIST: _ALL,
    Permission.DEVICE_REQUEST: _READING,
    Permission.DRAFT_READ: _READING,
    Permission.DRAFT_WRITE: _READING,
    Permission.KEYRING_READ: _ALL,
    Permission.KEYRING_WRITE: _ENROLLING,
    Permission.MESSAGE_APPEND: _READING,
    Permission.PROGRESS_WRITE: _READING,
    Permission.THREAD_EXTEND: _READING,
    Permission.THREAD_LIST: _READING,
    Permission.THREAD_OPEN: _READING,
    Permission.THREAD_READ: _READING,
}

# What a person's role lets his or her device be in the keyring.
DEVICE_ROLES: dict[Role, frozenset[str]] = {
    Role.OFFICER: frozenset({"officer"}),
    Role.SUPERVISOR: frozenset({"officer", "supervisor", "steward"}),
    Role.ADMINISTRATOR: frozenset({"steward"}),
}


def can(actor: Actor | None, permission: Permission) -> bool:
    """Answer whether the actor has the right at all; rights on a thread are asked in `access`."""
    if actor is None:
        return False
    if permission == Permission.AUTHORITY_LIST:
        return True
    if actor.authority_kind == AuthorityKind.SECRETARIAT:
        return False
    return actor.role in ROLES.get(permission, frozenset())


def can_see_thread(actor: Actor, member_authority_ids: Collection[uuid.UUID]) -> bool:
    """Answer whether the actor may know that a thread with these members exists."""
    if actor.authority_kind == AuthorityKind.SECRETARIAT:
        return False
    return actor.authority_id in member_authority_ids


def can_see_every_request(actor: Actor) -> bool:
    """Answer whether the actor sees all device requests of the own authority, or only his or her own."""
    return can(actor, Permission.DEVICE_DECLINE)


def can_device_hold(role: Role, device_roles: Collection[str]) -> bool:
    """Answer whether a device of a person in this role may have these roles in the keyring."""
    return frozenset(device_roles) <= DEVICE_ROLES.get(role, frozenset())


def can_sign_with(actor: Actor, person_id: uuid.UUID, authority_id: uuid.UUID) -> bool:
    """Answer whether the actor may hand in what a device of this person for this authority has signed."""
    if authority_id != actor.authority_id:
        return False
    return person_id == actor.person_id
