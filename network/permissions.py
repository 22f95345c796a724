"""The rights of the base app, as `noun:verb`. Keep the list alphabetical."""

from enum import StrEnum


class Permission(StrEnum):
    """What an actor may be allowed to do here; who is allowed is said in `policy`."""

    PUBLIC_READ = "public:read"
    SESSION_OPEN = "session:open"
    SESSION_READ = "session:read"
    SIGN_IN_BEGIN = "sign-in:begin"
    SIGN_IN_END = "sign-in:end"
