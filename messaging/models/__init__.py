"""Rows of sealed correspondence: who can be written to, and what was stored for them. Never content."""

from messaging.models.draft import Draft
from messaging.models.keyring import (
    Device,
    DeviceStatus,
    KeyringEntry,
    KeyringValue,
    Principal,
    PrincipalKind,
)
from messaging.models.thread import (
    ItemType,
    Progress,
    Thread,
    ThreadDevice,
    ThreadItem,
    ThreadKind,
    ThreadMember,
    ThreadRole,
)

__all__ = [
    "Device",
    "DeviceStatus",
    "Draft",
    "ItemType",
    "KeyringEntry",
    "KeyringValue",
    "Principal",
    "PrincipalKind",
    "Progress",
    "Thread",
    "ThreadDevice",
    "ThreadItem",
    "ThreadKind",
    "ThreadMember",
    "ThreadRole",
]
