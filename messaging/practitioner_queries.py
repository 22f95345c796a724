"""Practitioners, as the authorities that could answer for them and they themselves see them."""

import uuid
from typing import cast

from django.conf import settings

from messaging import access
from messaging.models import Device, DeviceStatus, Principal, Sponsoring
from messaging.permissions import Permission
from messaging.practitioner_protocol import PractitionerBody, PractitionerList
from messaging.protocol import PAGE_MOST, Status
from messaging.queries import seconds
from messaging.sealed.device import read_device
from network.models import Authority, AuthorityKind
from network.policy import Actor


def list_practitioners(actor: Actor) -> PractitionerList:
    """Return practitioners of the own State by the device they began with, the newest first.

    Whoever is a practitioner sees nobody else; an authority that answers for nobody sees nobody.
    """
    access.require(actor, Permission.PRACTITIONER_LIST)
    rows = Device.objects.filter(access.practitioners_of(actor), is_practitioners=True)
    first = rows.filter(principal__isnull=True, status=DeviceStatus.REQUESTED) | rows.filter(enrolled_n=0)
    joined = first.select_related("sponsoring", "person").order_by("-requested_at", "id")
    return PractitionerList(practitioners=[_body(row) for row in joined[:PAGE_MOST]])


def _body(row: Device) -> PractitionerBody:
    given: Sponsoring | None = getattr(row, "sponsoring", None)
    statement = read_device(settings.ORIGIN_NAME, bytes(row.statement))
    return PractitionerBody(
        device=row.id,
        statement=statement.raw,
        person=row.person_id.hex,
        name=statement.name,
        office=statement.office,
        authority=row.authority_id.hex,
        status=cast(Status, row.status),
        principal=row.principal_id,
        sponsor=given.sponsor_id if given else None,
        sponsoring=bytes(given.statement) if given else None,
        requested_at=seconds(row.requested_at),
    )


def sponsors_of(principal: Principal) -> set[uuid.UUID]:
    """Return the authority that answers for a practitioner from the start; nobody for other principals."""
    rows = Sponsoring.objects.filter(device__principal=principal)
    return set(rows.values_list("sponsor__authority_id", flat=True))


def possible_sponsors(actor: Actor) -> set[uuid.UUID]:
    """Return the authorities that can answer for this practitioner: the central ones of the State."""
    rows = Authority.objects.filter(kind=AuthorityKind.CENTRAL, state_id=actor.state_code)
    return set(rows.values_list("id", flat=True)) if actor.state_code else set()
