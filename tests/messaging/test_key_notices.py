"""Who is told what happens to the keys of an authority: what an attacker would do first is seen at once."""

import base64
from typing import Any

import pytest
from django.conf import settings

from messaging.sealed.keyring import Change
from messaging.sealed.keys import RecoveryKit
from messaging.sealed.recovery import Recovery
from network.models import Membership, Notification
from tests.factories import (
    Offices,
    Workplace,
    addition_form,
    change_keyring,
    create_keyring,
    entry_form,
    now,
    person_of,
    request_device,
    to_text,
)
from tests.messaging.test_keyring_changes import everything, founded
from tests.network.test_people import row_of
from tests.personas import Cast, Persona

pytestmark = pytest.mark.django_db


def told(persona: Persona) -> list[tuple[str, int]]:
    """Return what waits for somebody: kind and urgency."""
    rows = Notification.objects.filter(membership=row_of(persona), read_at__isnull=True)
    return list(rows.order_by("made_at").values_list("kind", "urgency"))


def test_a_removed_device_is_told_to_who_keeps_the_keys_and_to_its_person(
    cast: Cast, offices: Offices
) -> None:
    steward = offices.supervisor_a
    steward.learn(steward.mailbox.principal)
    Notification.objects.all().delete()
    change_keyring(steward, steward.mailbox.stewardship.removal([offices.officer_a.mailbox.device.id]))
    assert told(cast.administrator_a) == told(cast.officer_a) == [("keys-changed", 0)]
    assert told(cast.supervisor_a) == told(cast.supervisor_b) == []


def test_whoever_is_to_approve_is_told_until_it_is_decided(cast: Cast) -> None:
    first = create_keyring(cast.supervisor_a)
    Membership.objects.filter(id=cast.officer_a.actor.membership_id).update(roles=["officer", "supervisor"])
    second = request_device(cast.officer_a, first.mailbox.principal)
    first.post(f"/keyrings/{first.principal}/entries", addition_form(first, second, roles=("steward",)))
    for each in (first, second):
        each.learn(each.mailbox.principal)
    Notification.objects.all().delete()
    where = f"/keyrings/{first.principal}/approvals"
    kit = RecoveryKit.generate(settings.ORIGIN_NAME)
    change = first.mailbox.stewardship.new_recovery_key(kit.public)
    place = ask(first, change)
    assert told(cast.officer_a) == told(cast.administrator_a) == [("approval-waits", 0)]
    assert told(cast.supervisor_a) == []
    first.post(f"{where}/{place['change']}/withdraw", {})
    assert told(cast.officer_a) == told(cast.administrator_a) == []

    ask(first, change)
    (waiting,) = second.get(where)["approvals"]
    change_keyring(second, change, [base64.b64decode(text) for text in waiting["approvals"]])
    assert told(cast.officer_a) == []
    assert told(cast.supervisor_a) == told(cast.administrator_a) == [("keys-changed", 0)]


def ask(steward: Workplace, change: Change) -> dict[str, Any]:
    """Put a change forward with the own approval, as the Devices page does."""
    approval = steward.mailbox.stewardship.approve(change, at=now())
    body = {"change": to_text(change.encode()), "approval": to_text(approval)}
    place: dict[str, Any] = steward.post(f"/keyrings/{steward.principal}/approvals", body)
    return place


def test_everybody_is_told_as_urgent_when_the_kit_was_used(cast: Cast) -> None:
    lost, kit = founded(cast)
    Notification.objects.all().delete()
    taken = Recovery.begin(
        settings.ORIGIN_NAME,
        kit,
        *everything(lost),
        person=person_of(cast.supervisor_a),
        roles=["officer", "steward", "supervisor"],
        at=now(),
    )
    lost.post(f"/keyrings/{lost.principal}/entries", entry_form(taken.make(at=now())))
    assert told(cast.officer_a) == told(cast.administrator_a) == [("keys-recovered", 1)]
    assert told(cast.supervisor_b) == []
