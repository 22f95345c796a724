"""May this actor do this with sealed correspondence? Pure functions; the default is no."""

import uuid
from collections.abc import Collection

from messaging.models import Holder
from messaging.permissions import Permission
from network.models import AuthorityKind, Role
from network.policy import Actor, is_practising

_READING = frozenset({Role.OFFICER, Role.SUPERVISOR})
_ENROLLING = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR})
_MODERATING = frozenset({Role.MODERATOR})
_ALL = frozenset({Role.OFFICER, Role.SUPERVISOR, Role.ADMINISTRATOR})
# They keep the secretariat's own keys, with which they confirm those of others; they read no correspondence.
_CONFIRMING = frozenset({Role.DIRECTORY_OFFICER})

# Which roles of a central or competent authority have which right. An administrator reads no correspondence.
ROLES: dict[Permission, frozenset[Role]] = {
    Permission.ATTACHMENT_READ: _READING,
    Permission.ATTACHMENT_WRITE: _READING,
    Permission.CARD_READ: _READING,
    Permission.CARD_WRITE: _READING,
    Permission.DEVICE_DECLINE: _ENROLLING | _CONFIRMING,
    Permission.DEVICE_LIST: _ALL | _CONFIRMING,
    Permission.DEVICE_REQUEST: _READING | _CONFIRMING,
    Permission.DRAFT_READ: _READING,
    Permission.DRAFT_WRITE: _READING,
    Permission.HOLD_WRITE: frozenset({Role.SUPERVISOR}),
    Permission.KEYRING_ACCEPT: frozenset({Role.SUPERVISOR}),
    Permission.KEYRING_READ: _ALL | _CONFIRMING,
    Permission.KEYRING_RETURN: _ALL | _CONFIRMING,
    Permission.KEYRING_TRY: _ALL | _CONFIRMING,
    Permission.KEYRING_WRITE: _ENROLLING | _CONFIRMING,
    Permission.LOG_FOLLOW: _ALL | _CONFIRMING,
    Permission.MANDATE_WITHDRAW: frozenset({Role.SUPERVISOR}),
    Permission.MESSAGE_APPEND: _READING,
    Permission.PRACTITIONER_LIST: _READING,
    Permission.PRACTITIONER_SPONSOR: frozenset({Role.SUPERVISOR}),
    Permission.PROGRESS_WRITE: _READING,
    Permission.RECORD_EXPORT: _READING,
    Permission.REPORT_CLOSE: _MODERATING,
    Permission.REPORT_LIST: _MODERATING,
    Permission.REPORT_READ: _MODERATING,
    Permission.REPORT_SEND: _READING,
    Permission.RESTORE_LIST: _CONFIRMING,
    Permission.RESTORE_SIGN: _CONFIRMING,
    Permission.RETENTION_READ: _READING,
    Permission.RETENTION_SET: frozenset({Role.SUPERVISOR}),
    Permission.THREAD_ASSIGN: _READING,
    Permission.THREAD_EXTEND: _READING,
    Permission.THREAD_LIST: _READING,
    Permission.THREAD_OPEN: _READING,
    Permission.THREAD_READ: _READING,
    Permission.THREAD_RETURN: _READING,
}

# Whoever watches the log needs no account: its tiles hide who they are about, and a witness proves itself by
# its signature.
OPEN_TO_ALL = frozenset({Permission.LOG_COSIGN, Permission.LOG_READ})

# What a practitioner may do, for a keyring and correspondence of his or her own and in no other name.
OF_PRACTITIONER = frozenset(
    {
        Permission.ATTACHMENT_READ,
        Permission.ATTACHMENT_WRITE,
        Permission.AUTHORITY_LIST,
        Permission.CARD_READ,
        Permission.CARD_WRITE,
        Permission.DEVICE_LIST,
        Permission.DEVICE_REQUEST,
        Permission.DRAFT_READ,
        Permission.DRAFT_WRITE,
        Permission.KEYRING_READ,
        Permission.KEYRING_RETURN,
        Permission.KEYRING_WRITE,
        Permission.LOG_FOLLOW,
        Permission.MESSAGE_APPEND,
        Permission.PRACTITIONER_LIST,
        Permission.PROGRESS_WRITE,
        Permission.RECORD_EXPORT,
        Permission.REPORT_SEND,
        Permission.THREAD_EXTEND,
        Permission.THREAD_LIST,
        Permission.THREAD_READ,
        Permission.THREAD_RETURN,
    }
)

# What the secretariat may do here: directory officers keep its keys and read those of others, to confirm
# them; moderators see what members have disclosed to them.
OF_SECRETARIAT = frozenset(
    {
        Permission.DEVICE_DECLINE,
        Permission.DEVICE_LIST,
        Permission.DEVICE_REQUEST,
        Permission.KEYRING_READ,
        Permission.KEYRING_RETURN,
        Permission.KEYRING_TRY,
        Permission.KEYRING_WRITE,
        Permission.LOG_FOLLOW,
        Permission.REPORT_CLOSE,
        Permission.REPORT_LIST,
        Permission.REPORT_READ,
        Permission.RESTORE_LIST,
        Permission.RESTORE_SIGN,
    }
)

REPORT_OUTCOMES = frozenset({"founded", "unfounded"})

# What a person's role lets his or her device be in the keyring.
DEVICE_ROLES: dict[Role, frozenset[str]] = {
    Role.OFFICER: frozenset({"officer"}),
    Role.SUPERVISOR: frozenset({"officer", "supervisor", "steward"}),
    Role.ADMINISTRATOR: frozenset({"steward"}),
    Role.DIRECTORY_OFFICER: frozenset({"steward"}),
}
OF_OWN_DEVICE = frozenset({"officer", "steward"})


def can(actor: Actor | None, permission: Permission) -> bool:
    """Answer whether the actor has the right at all; rights on a thread are asked in `access`."""
    if permission in OPEN_TO_ALL:
        return True
    if actor is None:
        return False
    if permission == Permission.AUTHORITY_LIST:
        return True
    if actor.authority_kind == AuthorityKind.SECRETARIAT and permission not in OF_SECRETARIAT:
        return False
    if is_practising(actor.roles):
        return permission in OF_PRACTITIONER
    return bool(actor.roles & ROLES.get(permission, frozenset()))


def holder(actor: Actor) -> Holder:
    """Return whose keyring and correspondence the actor's are: the authority's, or a practitioner's own."""
    return (actor.authority_id, actor.person_id if is_practising(actor.roles) else None)


def can_see_thread(actor: Actor, members: Collection[Holder]) -> bool:
    """Answer whether the actor may know that a thread with these members exists."""
    if actor.authority_kind == AuthorityKind.SECRETARIAT:
        return False
    return holder(actor) in members


def can_sponsor(actor: Actor, state_code: str | None) -> bool:
    """Answer whether the actor's authority can answer for practitioners of this State: its central one."""
    return actor.authority_kind == AuthorityKind.CENTRAL and state_code == actor.state_code is not None


def keyring_kind(actor: Actor) -> str:
    """Return of which kind the keyring is that the actor may make."""
    if actor.authority_kind == AuthorityKind.SECRETARIAT:
        return "secretariat"
    return "practitioner" if is_practising(actor.roles) else "authority"


def can_handle(roles: Collection[Role]) -> bool:
    """Answer whether a member with these roles may handle threads: whoever may not read them may not."""
    return not _READING.isdisjoint(roles)


def can_assign_to(actor: Actor, membership_id: uuid.UUID) -> bool:
    """Answer whether the actor may give a thread to this member: oneself, or anybody as a supervisor."""
    return membership_id == actor.membership_id or Role.SUPERVISOR in actor.roles


def can_see_every_request(actor: Actor) -> bool:
    """Answer whether the actor sees all device requests of the own authority, or only his or her own."""
    return can(actor, Permission.DEVICE_DECLINE)


def device_roles(roles: Collection[Role], *, practising: bool = False) -> frozenset[str]:
    """Return what a device of a person with these roles may be in the authority's keyring.

    `practising`: in the own keyring of a practitioner.
    """
    if practising:
        return OF_OWN_DEVICE if is_practising(roles) else frozenset()
    return frozenset[str]().union(*(DEVICE_ROLES.get(role, frozenset()) for role in roles))


def can_sign_with(actor: Actor, person_id: uuid.UUID, device_holder: Holder) -> bool:
    """Answer whether the actor may hand in what a device of this person, in such a keyring, has signed."""
    return person_id == actor.person_id and device_holder == holder(actor)
