"""The rights of sealed correspondence, as `noun:verb`. Keep the list alphabetical."""

from enum import StrEnum


class Permission(StrEnum):
    """What an actor may be allowed to do here; who is allowed is said in `policy`."""

    AUTHORITY_LIST = "authority:list"
    DEVICE_DECLINE = "device:decline"
    DEVICE_LIST = "device:list"
    DEVICE_REQUEST = "device:request"
    DRAFT_READ = "draft:read"
    DRAFT_WRITE = "draft:write"
    KEYRING_READ = "keyring:read"
    KEYRING_WRITE = "keyring:write"
    MESSAGE_APPEND = "message:append"
    PROGRESS_WRITE = "progress:write"
    THREAD_EXTEND = "thread:extend"
    THREAD_LIST = "thread:list"
    THREAD_OPEN = "thread:open"
    THREAD_READ = "thread:read"
