"""Rows of the base app: who is who, what happened, who may hear of it."""

from network.models.audit import AuditConcern, AuditEntry, AuditHead
from network.models.authority import Authority, AuthorityKind, Function, State
from network.models.directory import (
    AcceptedLanguage,
    DirectoryEntry,
    FormalRequests,
    Office,
    OfficeKind,
    OralRequests,
    SpecialDays,
    Visibility,
)
from network.models.event import AudienceCounter, EventRecord
from network.models.invitation import Invitation
from network.models.mail import OutgoingMail
from network.models.notification import (
    Digest,
    Level,
    Notification,
    NotificationChoices,
    NotificationLevel,
    PushSubscription,
)
from network.models.person import (
    PRIVILEGED_ROLES,
    SECRETARIAT_ROLES,
    Delegation,
    Membership,
    Person,
    Role,
    SuspensionReason,
)
from network.models.proposal import Proposal, ProposalStatus
from network.models.sign_in import Factor, SignIn

__all__ = [
    "PRIVILEGED_ROLES",
    "SECRETARIAT_ROLES",
    "AcceptedLanguage",
    "AudienceCounter",
    "AuditConcern",
    "AuditEntry",
    "AuditHead",
    "Authority",
    "AuthorityKind",
    "Delegation",
    "Digest",
    "DirectoryEntry",
    "EventRecord",
    "Factor",
    "FormalRequests",
    "Function",
    "Invitation",
    "Level",
    "Membership",
    "Notification",
    "NotificationChoices",
    "NotificationLevel",
    "Office",
    "OfficeKind",
    "OralRequests",
    "OutgoingMail",
    "Person",
    "Proposal",
    "ProposalStatus",
    "PushSubscription",
    "Role",
    "SignIn",
    "SpecialDays",
    "State",
    "SuspensionReason",
    "Visibility",
]
