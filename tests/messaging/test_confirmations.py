"""The secretariat keeps keys of its own and signs with them whose keys are whose (K8, K11, L1)."""

from typing import Any

import pytest

from messaging.models import Confirmation, Device, LogLeaf, Principal
from messaging.sealed.confirmation import confirm_leaf, document_of, sign_confirm
from messaging.sealed.keys import fingerprint_digits
from messaging.sealed.transparency import read_leaf
from messaging.sealed.trust import make_confirm
from network.models import AuditEntry, Authority, Proposal
from tests.factories import (
    Workplace,
    addition_form,
    call,
    change_form,
    code_of,
    create_keyring,
    create_secretariat,
    keyring_form,
    now,
    request_device,
    signed_note,
    to_bytes,
    to_text,
)
from tests.personas import Cast, Persona

pytestmark = pytest.mark.django_db(transaction=True)
NOTE = ("Note verbale 17/2026", "2026-04-01")


def form(of: Workplace, signed: dict[str, str], note: tuple[str, str] = NOTE) -> dict[str, Any]:
    """Return what a program of the secretariat hands in."""
    return {
        "authority": of.persona.actor.authority_id.hex,
        "fingerprint": fingerprint_digits(of.mailbox.principal),
        "notification": note[0],
        "notified_on": note[1],
        **signed,
    }


def confirm(officer: Workplace, of: Workplace) -> bool:
    """Let an officer confirm an authority's keys."""
    body = form(of, signed_note(officer, of, *NOTE))
    return bool(officer.post("/confirmations", body)["is_confirmed"])


def refused(persona: Persona, body: dict[str, Any]) -> tuple[int, str]:
    """Return how a confirmation is refused; nothing of it stays."""
    found = code_of(call(persona.client(), "POST", "/confirmations", body))
    assert (Confirmation.objects.count(), LogLeaf.objects.filter(type="confirm").count()) == (0, 0)
    return found


@pytest.fixture
def officers(cast: Cast) -> tuple[Workplace, Workplace]:
    """Give two directory officers with devices."""
    return create_secretariat(cast.directory_officer, cast.second_directory_officer)


@pytest.fixture
def authority(cast: Cast) -> Workplace:
    """Give State A with a keyring."""
    return create_keyring(cast.supervisor_a)


class TestTwoOfficers:
    def test_what_both_have_signed_is_kept_logged_and_given_to_every_member(
        self, cast: Cast, officers: tuple[Workplace, Workplace], authority: Workplace
    ) -> None:
        assert [confirm(officer, authority) for officer in officers] == [False, True]
        reader = create_keyring(cast.supervisor_b)
        found = reader.get(f"/keyrings/{authority.principal}")
        raws = [to_bytes(raw) or b"" for raw in found["confirms"]]
        net = authority.mailbox.net
        blinds = [to_bytes(blind) or b"" for blind in found["note"]["blinds"]]
        documents = [document_of(net, blind, *NOTE) for blind in blinds]
        assert (found["note"]["reference"], found["note"]["date"]) == NOTE
        assert all(document in raw for document, raw in zip(documents, raws, strict=True))
        rows = LogLeaf.objects.filter(type="confirm").order_by("position")
        assert [read_leaf(bytes(row.leaf)).value for row in rows] == [confirm_leaf(net, raw) for raw in raws]
        assert reader.get("/session")["secretariat"] == officers[0].principal
        assert AuditEntry.objects.filter(act="fingerprint:confirm").count() == 1
        assert Authority.objects.get(id=authority.persona.actor.authority_id).root_confirmed_at

    def test_one_officer_alone_confirms_nothing_and_may_ask_again(
        self, officers: tuple[Workplace, Workplace], authority: Workplace
    ) -> None:
        assert [confirm(officers[0], authority), confirm(officers[0], authority)] == [False, False]
        assert Proposal.objects.count() == 1
        assert authority.get(f"/keyrings/{authority.principal}")["confirms"] == []

    def test_confirmed_again_the_newest_two_count(
        self, officers: tuple[Workplace, Workplace], authority: Workplace
    ) -> None:
        for officer in (*officers, *officers):
            confirm(officer, authority)
        newest = Confirmation.objects.order_by("-id")[0]
        found = authority.get(f"/keyrings/{authority.principal}")["confirms"]
        assert found == [to_text(bytes(newest.first)), to_text(bytes(newest.second))]
        assert Confirmation.objects.count() == 2


class TestWhatIsNotTaken:
    @pytest.mark.parametrize(
        "name",
        ["moderator", "security_officer", "supervisor_a", "administrator_a", "officer_b", "signed_out"],
    )
    def test_only_directory_officers_hand_it_in(
        self, cast: Cast, officers: tuple[Workplace, Workplace], authority: Workplace, name: str
    ) -> None:
        body = form(authority, signed_note(officers[0], authority, *NOTE))
        assert refused(cast.everybody()[name], body)[0] in {401, 403}

    def test_the_device_is_the_officers_own(
        self, cast: Cast, officers: tuple[Workplace, Workplace], authority: Workplace
    ) -> None:
        body = form(authority, signed_note(officers[1], authority, *NOTE))
        assert refused(cast.directory_officer, body) == (403, "foreign-device")

    def test_no_device_of_an_authority_confirms(
        self, cast: Cast, officers: tuple[Workplace, Workplace], authority: Workplace
    ) -> None:
        other = create_keyring(cast.supervisor_b)
        other.learn(authority.mailbox.principal)
        raw = sign_as_authority(other, authority)
        assert refused(cast.directory_officer, form(authority, raw)) == (422, "not-confirmed")

    def test_a_statement_about_other_keys_or_another_note_is_refused(
        self, cast: Cast, officers: tuple[Workplace, Workplace], authority: Workplace
    ) -> None:
        other = create_keyring(cast.supervisor_b)
        about_other = form(authority, signed_note(officers[0], other, *NOTE))
        assert refused(cast.directory_officer, about_other) == (422, "confirm-differs")
        other_note = form(authority, signed_note(officers[0], authority, "Note 18/2026", NOTE[1]))
        assert refused(cast.directory_officer, other_note) == (422, "confirm-differs")
        signed = signed_note(officers[0], authority, *NOTE)
        other_blind = form(authority, {**signed, "blind": to_text(bytes(32))})
        assert refused(cast.directory_officer, other_blind) == (422, "confirm-differs")

    def test_nothing_signed_is_nothing_confirmed(
        self, cast: Cast, officers: tuple[Workplace, Workplace], authority: Workplace
    ) -> None:
        assert refused(cast.directory_officer, form(authority, {"statement": "", "blind": ""}))[0] == 422
        damaged = {"statement": to_text(b"x" * 90), "blind": to_text(bytes(32))}
        assert refused(cast.directory_officer, form(authority, damaged)) == (422, "bad-encoding")

    def test_a_clock_that_is_wrong_is_said(
        self, cast: Cast, officers: tuple[Workplace, Workplace], authority: Workplace
    ) -> None:
        signed = sign_at(officers[0], authority, now() - 900)
        assert refused(cast.directory_officer, form(authority, signed)) == (422, "clock-ahead")

    def test_who_lost_the_device_in_between_has_not_confirmed(
        self, cast: Cast, officers: tuple[Workplace, Workplace], authority: Workplace
    ) -> None:
        first, second = officers
        confirm(first, authority)
        change = second.mailbox.stewardship.removal([first.mailbox.device.id])
        second.post(f"/keyrings/{second.principal}/entries", change_form(second, change))
        second.learn(second.mailbox.principal)
        body = form(authority, signed_note(second, authority, *NOTE))
        assert refused(cast.second_directory_officer, body) == (422, "unlisted-device")


def sign_at(officer: Workplace, of: Workplace, at: int) -> dict[str, str]:
    """Return a signature of another time."""
    authority, principal = of.persona.actor.authority_id.hex, of.mailbox.principal
    officer.learn(principal)
    officer.mailbox.authorities[authority] = principal
    signed = sign_confirm(
        officer.mailbox, authority=authority, principal=principal, reference=NOTE[0], date=NOTE[1], at=at
    )
    return {"statement": to_text(signed.statement), "blind": to_text(signed.blind)}


def sign_as_authority(other: Workplace, of: Workplace) -> dict[str, str]:
    """Return what a device of an authority signs as if it were the secretariat's."""
    box, blind = other.mailbox, bytes(32)
    raw = make_confirm(
        box.net,
        by=box.by(),
        device=box.device.id,
        key=box.device.signing_key,
        authority=of.persona.actor.authority_id.hex,
        principal=of.mailbox.principal,
        head=None,
        document=document_of(box.net, blind, *NOTE),
        at=now(),
    )
    return {"statement": to_text(raw), "blind": to_text(blind)}


class TestTheKeysOfTheSecretariat:
    def test_its_kind_is_its_own_and_nobody_elses(self, cast: Cast) -> None:
        for persona, kind in ((cast.directory_officer, "authority"), (cast.supervisor_a, "secretariat")):
            _device, body = keyring_form(persona, ("steward",), kind=kind)
            assert code_of(call(persona.client(), "POST", "/keyrings", body)) == (422, "wrong-kind")
        assert Principal.objects.count() == 0

    @pytest.mark.parametrize("name", ["moderator", "security_officer"])
    def test_others_of_the_secretariat_keep_no_keys(self, cast: Cast, name: str) -> None:
        persona = cast.everybody()[name]
        _device, body = keyring_form(persona, ("steward",), kind="secretariat")
        assert code_of(call(persona.client(), "POST", "/keyrings", body)) == (403, "forbidden")

    def test_its_devices_keep_keys_and_read_nothing(
        self, cast: Cast, officers: tuple[Workplace, Workplace]
    ) -> None:
        assert officers[0].get("/session")["device_roles"] == ["steward"]
        for path in ("/threads", "/drafts/new", "/cards"):
            response = call(officers[0].http, "GET", path)
            assert response.status_code == 403, path
        asking = request_device(cast.directory_officer, officers[0].mailbox.principal)
        body = addition_form(officers[0], asking, roles=("officer",))
        path = f"/keyrings/{officers[0].principal}/entries"
        assert code_of(call(officers[0].http, "POST", path, body)) == (403, "role-not-held")

    def test_a_third_device_takes_two_officers(
        self, cast: Cast, officers: tuple[Workplace, Workplace]
    ) -> None:
        """K6 protects who confirms: nobody lets in a device alone and signs for two."""
        first, second = officers
        asking = request_device(cast.directory_officer, first.mailbox.principal)
        statement = asking.mailbox.device.statement
        change = first.mailbox.stewardship.addition([(asking.mailbox.device.id, ("steward",))])
        approval = second.mailbox.stewardship.approve(change, at=now())
        path = f"/keyrings/{first.principal}/entries"
        body = change_form(first, change, [approval], [statement])
        first.post(path, body)
        assert Device.objects.filter(status="enrolled").count() == 3
