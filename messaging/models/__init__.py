"""Rows of sealed correspondence: who can be written to, and what was stored for them. Never content."""

from messaging.models.attachment import Attachment, AttachmentChunk
from messaging.models.card import Card
from messaging.models.confirmation import Confirmation
from messaging.models.draft import Draft
from messaging.models.keyring import (
    EVER_LISTED,
    Device,
    DeviceStatus,
    Holder,
    KeyringApproval,
    KeyringEntry,
    KeyringProposal,
    KeyringValue,
    Principal,
    PrincipalKind,
    PrincipalStatus,
    Sponsoring,
)
from messaging.models.log import LogCosignature, LogLeaf, LogState, LogTile, ThreadAnchor
from messaging.models.report import Report, ReportedMessage, ReportOutcome
from messaging.models.restore import Restore, RestoreSignature
from messaging.models.thread import (
    SHARED_KINDS,
    Assignment,
    Escalation,
    ItemType,
    Progress,
    Thread,
    ThreadAct,
    ThreadDevice,
    ThreadItem,
    ThreadKind,
    ThreadMember,
    ThreadRole,
)

__all__ = [
    "EVER_LISTED",
    "SHARED_KINDS",
    "Assignment",
    "Attachment",
    "AttachmentChunk",
    "Card",
    "Confirmation",
    "Device",
    "DeviceStatus",
    "Draft",
    "Escalation",
    "Holder",
    "ItemType",
    "KeyringApproval",
    "KeyringEntry",
    "KeyringProposal",
    "KeyringValue",
    "LogCosignature",
    "LogLeaf",
    "LogState",
    "LogTile",
    "Principal",
    "PrincipalKind",
    "PrincipalStatus",
    "Progress",
    "Report",
    "ReportOutcome",
    "ReportedMessage",
    "Restore",
    "RestoreSignature",
    "Sponsoring",
    "Thread",
    "ThreadAct",
    "ThreadAnchor",
    "ThreadDevice",
    "ThreadItem",
    "ThreadKind",
    "ThreadMember",
    "ThreadRole",
]
