"""An authority answers for a practitioner: its supervisor's statement for the device that asked (rule K9)."""

from datetime import UTC, datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from messaging import access
from messaging.actions.notices import resolve_devices
from messaging.models import Device, Sponsoring
from messaging.permissions import Permission
from messaging.protocol import DevicePlace
from messaging.refusals import protocol_rules, refusal
from messaging.sealed.keyring import KeyringState
from messaging.sealed.keyring_acts import check_supervisor
from messaging.sealed.sponsor import Sponsor, read_sponsor
from messaging.sealed_states import StoredKeyrings
from network import audit
from network.frames import Notice
from network.policy import Actor
from network.realtime import member_audience, publish_on_commit

SPONSORED = "messaging.practitioner.sponsored"


@transaction.atomic(durable=True)
def sponsor_practitioner(actor: Actor, *, device_id: str, statement: bytes) -> DevicePlace:
    """Keep a supervisor's statement for the waiting first device of a practitioner; a newer one replaces it.

    It takes effect when the practitioner has made a keyring with it and the authority's own lists it.
    Raises `NotFound`, `Forbidden`, and whatever rule of the protocol is broken.
    """
    access.stand(actor, Permission.PRACTITIONER_SPONSOR)
    device = access.get_practitioner(actor, device_id)
    own = access.get_own_principal(actor, to=Permission.PRACTITIONER_SPONSOR)
    now = timezone.now()
    with protocol_rules():
        read = read_sponsor(settings.ORIGIN_NAME, statement)
        if read.by.principal.hex() != own.id:
            raise refusal("wrong-sponsor")
        check_supervisor(settings.ORIGIN_NAME, read.statement, read.by, StoredKeyrings({}), is_new=True)
    access.get_signing_device(actor, read.statement.kid.hex())
    _check_terms(read, device, now)
    Sponsoring.objects.update_or_create(
        device=device,
        defaults={
            "sponsor": own,
            "statement": statement,
            "given_by_id": actor.membership_id,
            "given_at": now,
            "until_at": datetime.fromtimestamp(read.until, UTC),
        },
    )
    audit.record(actor, "practitioner:sponsor", device.id, concerns=[device.authority_id])
    place = DevicePlace(device=device.id)
    audience = member_audience(device.authority_id, device.person_id)
    publish_on_commit(Notice(SPONSORED, audience, place), *resolve_devices([device.id]))
    return place


def _check_terms(read: Sponsor, device: Device, now: datetime) -> None:
    said = (read.device.hex(), read.person)
    if said != (device.id, device.person_id.hex):
        raise refusal("wrong-sponsor")
    if read.until <= now.timestamp():
        raise refusal("sponsor-ended")


def check_sponsor(actor: Actor, state: KeyringState) -> None:
    """Check that a practitioner begins with the statement that was given here; raises `wrong-sponsor`."""
    if state.sponsor is None:
        return
    rows = Sponsoring.objects.filter(device_id=state.sponsor.device.hex(), device__person_id=actor.person_id)
    given = rows.values_list("statement", flat=True).first()
    if given is None or bytes(given) != state.sponsor.statement.raw:
        raise refusal("wrong-sponsor")
