"""May this actor do this? Pure functions over values already loaded; the default is no."""

import uuid
from dataclasses import dataclass

from network.models import AuthorityKind, Role
from network.permissions import Permission


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever asks: a person acting for one authority through one membership and one sign-in."""

    sign_in_id: uuid.UUID
    person_id: uuid.UUID
    person_name: str
    membership_id: uuid.UUID
    office: str
    role: Role
    authority_id: uuid.UUID
    authority_name: str
    authority_kind: AuthorityKind
    state_code: str | None
    state_name: str | None


# Anybody at all, signed in or not.
OPEN_TO_ALL = frozenset({Permission.PUBLIC_READ, Permission.SIGN_IN_BEGIN})

# Every person with a standing in force.
OPEN_TO_MEMBERS = frozenset(
    {
        Permission.SESSION_OPEN,
        Permission.SESSION_READ,
        Permission.SIGN_IN_END,
    }
)


def can(actor: Actor | None, permission: Permission) -> bool:
    """Answer whether the actor has the right at all; rights on an object are asked in `access`."""
    if permission in OPEN_TO_ALL:
        return True
    if actor is None:
        return False
    return permission in OPEN_TO_MEMBERS


def can_hear(actor: Actor, audience: str) -> bool:
    """Answer whether events for this audience may be sent to the actor."""
    if audience == f"authority:{actor.authority_id.hex}":
        return True
    return audience == f"person:{actor.person_id.hex}"
