"""The recovery kit is tried once a year: that it was is noted, and who keeps the keys is reminded."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from messaging.actions.kits import remind_of_kits
from messaging.models import Principal
from messaging.sealed.keyring import recovery_change
from messaging.sealed.keys import RecoveryKit
from network.models import AuditEntry, Notification
from tests.factories import Offices, Workplace, call, change_keyring, code_of
from tests.network.test_people import row_of
from tests.personas import Cast, Persona

pytestmark = pytest.mark.django_db


def told(persona: Persona, kind: str = "kit-due") -> int:
    """Return how many unread notices of a kind somebody has."""
    return Notification.objects.filter(membership=row_of(persona), kind=kind, read_at__isnull=True).count()


def a_year_passes() -> None:
    Principal.objects.update(kit_checked_at=F("kit_checked_at") - timedelta(days=366))


def try_kit(desk: Workplace, principal: bytes | None = None, n: int = 0) -> Any:
    """Say that the kit opens an entry of a keyring."""
    wanted = (principal or desk.mailbox.principal).hex()
    return call(desk.http, "POST", f"/keyrings/{wanted}/drill", {"n": n})


def newest(desk: Workplace) -> int:
    return Principal.objects.get(id=desk.mailbox.principal.hex()).n


def test_who_keeps_the_keys_is_reminded_after_a_year_until_somebody_tries_the_kit(
    cast: Cast, offices: Offices
) -> None:
    remind_of_kits()
    assert told(cast.supervisor_a) == 0
    a_year_passes()
    for _ in range(2):
        remind_of_kits()
        assert told(cast.supervisor_a) == told(cast.administrator_a) == 1
    assert told(cast.officer_a) == 0
    assert try_kit(offices.supervisor_a, n=newest(offices.supervisor_a)).status_code == 200
    assert told(cast.supervisor_a) == told(cast.administrator_a) == 0
    remind_of_kits()
    assert told(cast.supervisor_a) == 0
    assert told(cast.supervisor_b) == 1


def test_a_tried_kit_is_noted_and_told_to_the_others_who_keep_the_keys(cast: Cast, offices: Offices) -> None:
    n = newest(offices.officer_a)
    assert try_kit(offices.officer_a, n=n).status_code == 200
    (entry,) = AuditEntry.objects.filter(act="keyring:try")
    assert (entry.subject, entry.facts) == (offices.officer_a.mailbox.principal.hex(), {"n": n})
    assert entry.membership_id == cast.officer_a.actor.membership_id
    assert told(cast.supervisor_a, "kit-tried") == told(cast.administrator_a, "kit-tried") == 1
    assert told(cast.officer_a, "kit-tried") == told(cast.supervisor_b, "kit-tried") == 0


def test_a_kit_that_opens_an_older_entry_counts_for_nothing(offices: Offices) -> None:
    a_year_passes()
    before = Principal.objects.get(id=offices.supervisor_a.mailbox.principal.hex())
    for wrong in (before.n + 1, before.n + 7):
        assert code_of(try_kit(offices.supervisor_a, n=wrong)) == (409, "stale-epoch")
    after = Principal.objects.get(id=before.id)
    assert after.kit_checked_at == before.kit_checked_at
    assert not AuditEntry.objects.filter(act="keyring:try").exists()


def test_nobody_says_it_of_a_foreign_keyring(offices: Offices, cast: Cast) -> None:
    for desk in (offices.officer_b, offices.supervisor_b, offices.supervisor_c):
        assert try_kit(desk, offices.officer_a.mailbox.principal).status_code == 403
    assert code_of(try_kit(offices.officer_a, bytes(32)))[0] == 404
    for name in ("moderator", "directory_officer", "signed_out"):
        path = f"/keyrings/{offices.officer_a.mailbox.principal.hex()}/drill"
        assert call(cast.everybody()[name].client(), "POST", path, {"n": 0}).status_code in {401, 403}
    assert not AuditEntry.objects.filter(act="keyring:try").exists()


def test_a_new_kit_needs_no_trying_for_a_year(cast: Cast, offices: Offices) -> None:
    a_year_passes()
    remind_of_kits()
    steward = offices.supervisor_a
    steward.learn(steward.mailbox.principal)
    own = steward.mailbox.newest(steward.mailbox.principal)
    assert own is not None
    kit = RecoveryKit.generate(steward.mailbox.net)
    change_keyring(steward, recovery_change(own, kit.public))
    assert told(cast.supervisor_a) == 0
    remind_of_kits()
    assert told(cast.supervisor_a) == 0


def test_the_page_of_devices_says_when_it_was(offices: Offices) -> None:
    assert "Made or tried last" in offices.supervisor_a.http.get("/devices/").content.decode()
