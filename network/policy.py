"""May this actor do this? Pure functions over values already loaded; the default is no."""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from network.directory.names import StateNames
from network.models import PRIVILEGED_ROLES, SECRETARIAT_ROLES, AuthorityKind, Factor, Role, Visibility
from network.permissions import Permission

# A dangerous act asks for a proof (passkey or code) not older than this.
PROOF_LASTS = timedelta(minutes=5)
# Without anything done a sign-in ends by itself: sooner for whoever can do more.
QUIET_PRIVILEGED = timedelta(minutes=15)
QUIET_OTHERS = timedelta(minutes=30)
# Whatever is done, a sign-in ends after this.
SIGN_IN_LASTS = timedelta(hours=12)
# An authority says every six months that a person still works for it. A month later who was not attested
# does not count any more; the reminders come a month before and when it is due.
ATTESTATION_EVERY = timedelta(days=183)
ATTESTATION_LASTS = ATTESTATION_EVERY + timedelta(days=30)
ATTESTATION_REMINDERS = (ATTESTATION_EVERY - timedelta(days=30), ATTESTATION_EVERY)
# How long somebody may let a colleague act for him or her.
DELEGATION_LASTS = timedelta(days=90)


# Nobody in these may be an administrator.
WITHOUT_ADMINISTRATOR = frozenset({AuthorityKind.MISSION, AuthorityKind.SECRETARIAT})


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever asks: a person acting for one authority through one membership and one sign-in.

    `roles` are those in force at this moment: the membership's own and, where `acting_for` names the member
    who lends them, the delegated ones.
    """

    sign_in_id: uuid.UUID
    person_id: uuid.UUID
    person_name: str
    membership_id: uuid.UUID
    office: str
    roles: frozenset[Role]
    authority_id: uuid.UUID
    authority_name: str
    authority_kind: AuthorityKind
    state_code: str | None
    state_name: str | None
    factor: Factor
    credential: str
    proved_at: datetime | None
    quiet_until_at: datetime | None
    until_at: datetime
    acting_for: uuid.UUID | None = None
    acting_for_name: str = ""
    acting_until_at: datetime | None = None
    state_names: tuple[tuple[str, str], ...] = ()  # by language, where the State is in no list of names
    language: str = ""  # what the person chose; empty before a door has put the browser's wish there
    appearance: str = ""  # as `network.appearance` writes it; empty where the person chose nothing

    @property
    def state_in_words(self) -> str | None:
        """Return the State's name in the reader's language."""
        if self.state_code is None:
            return None
        return StateNames(self.state_code, self.state_name or "", dict(self.state_names)).name()

    @property
    def is_limited(self) -> bool:
        """Tell whether this sign-in only lets the person add a new factor."""
        return self.factor == Factor.RECOVERY_CODE


# Anybody at all, signed in or not.
OPEN_TO_ALL = frozenset(
    {
        Permission.APPEARANCE_SET,
        Permission.DIRECTORY_READ,
        Permission.INVITATION_ACCEPT,
        Permission.PUBLIC_READ,
        Permission.SIGN_IN_BEGIN,
    }
)

# Development profile only: the routes do not exist elsewhere.
OPEN_IN_DEVELOPMENT = frozenset({Permission.COMPONENT_READ, Permission.OUTBOX_READ})

# Whoever came in with a recovery code may do this and nothing else.
OPEN_TO_LIMITED = frozenset(
    {Permission.FACTOR_ADD, Permission.FACTOR_READ, Permission.SESSION_STAY, Permission.SIGN_IN_END}
)

# Every person with a standing in force.
OPEN_TO_MEMBERS = OPEN_TO_LIMITED | {
    Permission.DELEGATION_USE,
    Permission.FACTOR_CHANGE,
    Permission.FACTOR_REMOVE,
    Permission.NOTIFICATION_CHOOSE,
    Permission.NOTIFICATION_READ,
    Permission.SESSION_OPEN,
    Permission.SESSION_READ,
    Permission.SIGN_IN_LIST,
    Permission.SIGN_IN_PROVE,
    Permission.WELCOME_READ,
}

# What two persons do together: the name of the act is the right that both need.
TWO_PERSON_ACTS = (
    Permission.AUTHORITY_OPEN,
    Permission.FINGERPRINT_CONFIRM,
    Permission.SECRETARIAT_ROLE_GRANT,
)

_ACCOUNTS = frozenset({Role.ADMINISTRATOR})
_DIRECTORY = frozenset({Role.DIRECTORY_OFFICER})
_ENTRY = frozenset({Role.ADMINISTRATOR, Role.DIRECTORY_EDITOR})
_SECURITY = frozenset({Role.SECURITY_OFFICER})
_LEADING = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR})
_SECRETARIAT = SECRETARIAT_ROLES
# Who has one of these works on what the authority sends and receives in its own name.
_OF_AUTHORITY = frozenset({Role.OFFICER, Role.DUTY_OFFICER, Role.SUPERVISOR, Role.ADMINISTRATOR})

# Which roles have which right at all; on which objects is asked in `access`.
ROLES: dict[Permission, frozenset[Role]] = {
    Permission.AUDIT_EXPORT: _LEADING | _SECRETARIAT | {Role.AUDITOR},
    Permission.AUDIT_READ: _LEADING | _SECRETARIAT | {Role.AUDITOR},
    Permission.AUTHORITY_OPEN: _DIRECTORY,
    Permission.AUTHORITY_SET: _ACCOUNTS,
    Permission.DELEGATION_END: _LEADING,
    Permission.DELEGATION_GRANT: _LEADING,
    Permission.DIRECTORY_CONFIRM: _ENTRY,
    Permission.DIRECTORY_EDIT: _ENTRY,
    Permission.FINGERPRINT_CONFIRM: _DIRECTORY,
    Permission.INVITATION_SEND: _ACCOUNTS | _DIRECTORY,
    Permission.INVITATION_WITHDRAW: _ACCOUNTS | _DIRECTORY,
    Permission.MEMBERSHIP_ATTEST: _ACCOUNTS | _DIRECTORY,
    Permission.MEMBERSHIP_CHANGE: _ACCOUNTS,
    Permission.MEMBERSHIP_END: _ACCOUNTS | _SECURITY,
    Permission.MEMBERSHIP_HAND_OVER: _LEADING,
    Permission.MEMBERSHIP_SUSPEND: _ACCOUNTS | _SECURITY,
    Permission.PERSON_LIST: _LEADING | _SECRETARIAT | {Role.AUDITOR},
    Permission.PROPOSAL_DECIDE: _DIRECTORY | _SECURITY,
    Permission.PROPOSAL_LIST: _DIRECTORY | _SECURITY,
    Permission.SECRETARIAT_ROLE_GRANT: _SECURITY | _DIRECTORY,
    Permission.STATE_LIST: _SECRETARIAT,
}


def can(actor: Actor | None, permission: Permission) -> bool:
    """Answer whether the actor has the right at all; rights on an object are asked in `access`."""
    if permission in OPEN_TO_ALL or permission in OPEN_IN_DEVELOPMENT:
        return True
    if actor is None:
        return False
    if permission in OPEN_TO_MEMBERS:
        return True
    return bool(actor.roles & ROLES.get(permission, frozenset()))


def is_practising(roles: Collection[Role]) -> bool:
    """Answer whether somebody with these roles acts in his or her own name, as a prosecutor or judge does.

    Whoever also has a part in the authority's own work acts for the authority.
    """
    return Role.PRACTITIONER in roles and _OF_AUTHORITY.isdisjoint(roles)


def can_hear(actor: Actor, audience: str) -> bool:
    """Answer whether events for this audience may be sent to the actor."""
    if audience == f"person:{actor.person_id.hex}":
        return True
    if is_practising(actor.roles):
        return audience == f"member:{actor.authority_id.hex}.{actor.person_id.hex}"
    return audience == f"authority:{actor.authority_id.hex}"


def can_know_membership(
    actor: Actor,
    permission: Permission,
    authority_id: uuid.UUID,
    kind: AuthorityKind,
    roles: frozenset[Role],
) -> bool:
    """Answer whether the actor, who has this right at all, has it on a member of this authority.

    Everybody has it on colleagues. The secretariat's security officer may stop anybody; its directory
    officers answer for administrators, and for those whose authority has no administrator.
    """
    if authority_id == actor.authority_id:
        return True
    if actor.authority_kind != AuthorityKind.SECRETARIAT:
        return False
    if permission in {Permission.MEMBERSHIP_SUSPEND, Permission.MEMBERSHIP_END}:
        return Role.SECURITY_OFFICER in actor.roles
    if permission == Permission.PERSON_LIST and Role.SECURITY_OFFICER in actor.roles:
        return True
    if permission in {Permission.INVITATION_SEND, Permission.MEMBERSHIP_ATTEST, Permission.PERSON_LIST}:
        return Role.ADMINISTRATOR in roles or kind in WITHOUT_ADMINISTRATOR
    return False


def can_hand_over(actor: Actor, roles: Iterable[Role]) -> bool:
    """Answer whether the actor may hand over the work of a colleague with these roles."""
    if Role.ADMINISTRATOR in actor.roles:
        return True
    return Role.SUPERVISOR in actor.roles and not is_privileged(roles)


def is_privileged(roles: Iterable[Role]) -> bool:
    """Answer whether one of these roles asks for a passkey bound to one device and a shorter session."""
    return not PRIVILEGED_ROLES.isdisjoint(roles)


def can_use_codes(standings: Iterable[tuple[frozenset[Role], bool]]) -> bool:
    """Answer whether somebody with these standings (roles, does the authority allow it) may use codes."""
    found = list(standings)
    return bool(found) and all(allows and not is_privileged(roles) for roles, allows in found)


def quiet_time(roles: Iterable[Role]) -> timedelta:
    """Return after how long without anything done a sign-in with these roles ends."""
    return QUIET_PRIVILEGED if is_privileged(roles) else QUIET_OTHERS


def is_fresh(actor: Actor, now: datetime) -> bool:
    """Answer whether the actor has proven who it is recently enough for a dangerous act."""
    if actor.factor == Factor.RECOVERY_CODE:
        return False
    return actor.proved_at is not None and now - actor.proved_at <= PROOF_LASTS


def can_hold(roles: Iterable[Role], kind: AuthorityKind) -> bool:
    """Answer whether a member of an authority of this kind may have these roles, and has at least one."""
    wanted = frozenset(roles)
    if not wanted:
        return False
    if kind == AuthorityKind.SECRETARIAT:
        return wanted <= SECRETARIAT_ROLES
    if kind == AuthorityKind.MISSION:
        return wanted <= {Role.FOCAL_POINT}
    if kind == AuthorityKind.ORGANIZATION:
        return wanted <= {Role.COORDINATOR, Role.OBSERVER, Role.ADMINISTRATOR}
    return wanted.isdisjoint(SECRETARIAT_ROLES | {Role.COORDINATOR, Role.OBSERVER, Role.FOCAL_POINT})


def two_person_acts(actor: Actor) -> list[str]:
    """Return the names of the acts that the actor may propose and decide with another person."""
    return [str(act) for act in TWO_PERSON_ACTS if can(actor, act)]


def may_decide(actor: Actor, *, proposer: uuid.UUID, membership: uuid.UUID, credential: str) -> bool:
    """Answer whether the actor is another person, with another passkey, than the one who proposed.

    Development sign-ins have no passkey; they differ by the person alone.
    """
    if proposer == actor.person_id or membership == actor.acting_for:
        return False
    return not credential or credential != actor.credential


def can_invite_into_another(roles: Iterable[Role], kind: AuthorityKind, *, has_administrator: bool) -> bool:
    """Answer whether the secretariat may invite somebody with these roles into an authority of this kind.

    It invites the first administrator; from then on an authority invites its own people. A mission, where
    nobody can be administrator, has its focal points from the secretariat.
    """
    if kind in WITHOUT_ADMINISTRATOR:
        return can_hold(roles, kind)
    return not has_administrator and frozenset(roles) == {Role.ADMINISTRATOR}


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody before the directory: which parts of an entry are shown, and whose entry is shown whole."""

    sees: frozenset[Visibility]
    own: uuid.UUID | None = None


PUBLIC = Reader(frozenset({Visibility.PUBLIC}))
NETWORK = Reader(frozenset({Visibility.PUBLIC, Visibility.NETWORK}))


def reader_of(actor: Actor | None) -> Reader:
    """Return what the actor sees of the directory. Whoever came with a recovery code is no member yet."""
    if actor is None or actor.is_limited:
        return PUBLIC
    return Reader(NETWORK.sees, actor.authority_id)


def can_see(reader: Reader, authority_id: uuid.UUID, visibility: str) -> bool:
    """Answer whether a part of this authority's entry is shown to the reader."""
    return authority_id == reader.own or visibility in reader.sees
