"""Rows of the base app: who is who, what happened, who may hear of it."""

from network.models.audit import AuditEntry, AuditHead
from network.models.authority import Authority, AuthorityKind, Function, State
from network.models.event import AudienceCounter, EventRecord
from network.models.person import Membership, Person, Role
from network.models.sign_in import SignIn

__all__ = [
    "AudienceCounter",
    "AuditEntry",
    "AuditHead",
    "Authority",
    "AuthorityKind",
    "EventRecord",
    "Function",
    "Membership",
    "Person",
    "Role",
    "SignIn",
    "State",
]
