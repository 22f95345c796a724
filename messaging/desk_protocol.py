"""What is said of who is there at an authority, beside the catalogue of `protocol`."""

from messaging.protocol import UnixSeconds
from network.frames import Body


class AuthorityDesk(Body):
    """Who is there now at an authority, as far as the directory shows it to who asks.

    `is_open`: an office; null where no hours are shown. `changes_at`: it closes then, or opens.
    `has_duty`: there is a duty service; `telephones` are those for urgent matters.
    """

    is_open: bool | None
    changes_at: UnixSeconds | None
    time_zone: str  # of the IANA database; empty where no hours are shown
    has_duty: bool
    telephones: list[str]
