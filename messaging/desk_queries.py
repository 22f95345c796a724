"""Who is there at another authority, for who writes to it: read when needed, as it changes by the minute."""

import uuid

from messaging import access
from messaging.desk_protocol import AuthorityDesk
from messaging.permissions import Permission
from messaging.queries import seconds
from network.policy import Actor, reader_of
from network.queries.directory import find_authority
from network.queries.entries import shown_entry


def read_desk(actor: Actor, authority_id: uuid.UUID) -> AuthorityDesk:
    """Return what the directory shows the actor of an authority's hours and duty; raises `NotFound`."""
    access.require(actor, Permission.AUTHORITY_LIST)
    reader = reader_of(actor)
    entry = shown_entry(reader, find_authority(reader, authority_id))
    opening = entry.listed.opening
    numbers = [shown.duty_telephone for shown in entry.offices if shown.duty_telephone]
    return AuthorityDesk(
        is_open=opening.is_open if opening else None,
        changes_at=seconds(opening.changes_at) if opening and opening.changes_at else None,
        time_zone=entry.listed.time_zone,
        has_duty=entry.listed.has_duty,
        telephones=list(dict.fromkeys(numbers)),
    )
