"""The secretariat's pages and the guided path, as those see them who may, and nobody else."""

import re
import uuid
from typing import Any

import pytest
from django.utils import timezone

from messaging.sealed.keys import fingerprint_digits
from network.actions import proposals
from network.models import Authority, Factor, Invitation, Proposal, SignIn
from network.permissions import Permission
from tests.factories import create_keyring, enrol, open_offices, request_device
from tests.network.test_proposals import FORM, OPENING, page
from tests.personas import Cast

pytestmark = pytest.mark.django_db(transaction=True)

OUTSIDE = ("moderator", "administrator_a", "supervisor_a", "officer_a", "auditor_a", "focal_point_a")


def open_proposal(cast: Cast) -> Proposal:
    return proposals.propose(cast.directory_officer.actor, act=Permission.AUTHORITY_OPEN, facts=OPENING)


class TestStrangers:
    def test_nobody_outside_gets_anything_of_proposals(self, cast: Cast) -> None:
        proposal = open_proposal(cast)
        for name in OUTSIDE:
            client = cast.everybody()[name].client()
            for path in ("/proposals/", f"/proposals/{proposal.id}/", "/states/open/", "/secretariat/roles/"):
                for response in (client.get(path), client.post(path, FORM | {"decision": "carry-out"})):
                    assert response.status_code in {403, 405}, (name, path)
                    assert b"State D" not in response.content
        assert Proposal.objects.get().status == "open"

    def test_a_security_officer_does_not_know_of_proposals_to_open_an_authority(self, cast: Cast) -> None:
        proposal = open_proposal(cast)
        client = cast.security_officer.client()
        missing = client.get(f"/proposals/{uuid.uuid4()}/")
        there = client.get(f"/proposals/{proposal.id}/")
        assert (there.status_code, len(there.content)) == (404, len(missing.content))
        assert client.post(f"/proposals/{proposal.id}/", {"decision": "decline"}).status_code == 404
        assert b"State D" not in client.get("/proposals/").content
        assert b"waiting:" not in client.get("/proposals/").content

    def test_authorities_of_no_state_have_no_fingerprint_page(self, cast: Cast) -> None:
        client = cast.directory_officer.client()
        secretariat = Authority.objects.get(kind="secretariat")
        for authority in (secretariat.id, uuid.uuid4()):
            assert client.get(f"/authorities/{authority}/fingerprint/").status_code == 404
            assert client.post(f"/authorities/{authority}/fingerprint/", {}).status_code == 404

    def test_the_console_shows_no_person_but_administrators(self, cast: Cast) -> None:
        for name in ("directory_officer", "moderator", "security_officer"):
            status, shown = page(cast, name, "/states/")
            assert status == 200
            assert b"Administrator A" in shown
            assert b"Focal Point A" in shown
            for hidden in (b"Officer A<", b"Supervisor A", b"Auditor A", b"Prosecutor A", b"Officer B<"):
                assert hidden not in shown
            assert (b"/states/open/" in shown) == (name == "directory_officer")
        for name in ("officer_a", "administrator_a", "supervisor_b", "signed_out"):
            assert page(cast, name, "/states/")[0] in {302, 403}


class TestForms:
    def test_a_directory_officer_can_propose_with_the_form_and_another_carries_it_out(
        self, cast: Cast
    ) -> None:
        response = cast.directory_officer.client().post("/states/open/", FORM)
        assert response.status_code == 302
        place = response.headers["location"]
        second = cast.second_directory_officer.client()
        assert b'<span class="count">' in second.get("/states/").content
        shown = second.get(place).content
        for text in ("State D", "Ministry of Justice of State D", OPENING["address"], "18(13)", "C.N.1.2026"):
            assert text.encode() in shown
        assert second.post(place, {"decision": "carry-out"}).headers["location"] == "/proposals/"
        assert Authority.objects.get(state_id="XDD").functions.count() == 2
        assert b"carried out" in second.get("/proposals/").content
        assert b"invited, not here yet" in second.get("/states/").content
        Invitation.objects.update(until_at=timezone.now())
        assert b"invitation expired" in second.get("/states/").content

    def test_what_was_typed_is_kept_and_each_wrong_field_says_why(self, cast: Cast) -> None:
        form = FORM | {
            "state_code": "D",
            "address": "not an address",
            "notified_on": "",
            "other_code_1": "TER",
            "other_instrument_1": "Regional treaty",
        }
        response = cast.directory_officer.client().post("/states/open/", form)
        shown = response.content.decode()
        assert response.status_code == 422
        assert not Proposal.objects.exists()
        for field in ("state_code", "notified_on"):
            assert f'aria-describedby="{field}-wrong"' in shown
            assert f'href="#{field}"' in shown
        for kept in ("not an address", "Ministry of Justice of State D", "Regional treaty"):
            assert kept in shown
        assert len(re.findall(r'name="designation"[^>]*checked', shown)) == 2

    def test_a_hostile_form_gets_a_page_and_no_change(self, cast: Cast) -> None:
        client = cast.directory_officer.client()
        authority = cast.supervisor_a.actor.authority_id
        for path in ("/states/open/", "/secretariat/roles/", f"/authorities/{authority}/fingerprint/"):
            for form in (
                {},
                {"designation": ["x", "-1", "99999999999999999999", "²"]},
                dict.fromkeys((*FORM, "membership", "roles", "fingerprint"), "\x00<script>" * 99),
                {"membership": "' OR 1=1", "roles": ["officer", "security-officer"]},
            ):
                assert client.post(path, form).status_code == 422, path
        assert client.get("/states/?after=x").status_code == 404
        assert client.get("/proposals/?before=x").status_code == 404
        assert client.get(f"/proposals/?before={uuid.uuid4()}").status_code == 404
        assert not Proposal.objects.exists()

    def test_a_security_officer_can_propose_a_new_colleague_with_the_form(self, cast: Cast) -> None:
        form = {
            "membership": "",
            "roles": ["moderator"],
            "person": "New Colleague",
            "office": "Forum",
            "address": "new@secretariat.example",
            "language": "ar",
        }
        response = cast.security_officer.client().post("/secretariat/roles/", form)
        place = response.headers["location"]
        second = cast.directory_officer.client()
        assert b"new@secretariat.example" in second.get(place).content
        assert second.post(place, {"decision": "carry-out"}).status_code == 302
        assert Invitation.objects.get().roles == ["moderator"]

    def test_a_second_decision_is_shown_on_the_page_of_the_proposal(self, cast: Cast) -> None:
        proposal = open_proposal(cast)
        client = cast.second_directory_officer.client()
        client.post(f"/proposals/{proposal.id}/", {"decision": "decline"})
        again = client.post(f"/proposals/{proposal.id}/", {"decision": "carry-out"})
        assert again.status_code == 409
        assert b"already decided by Second Directory Officer" in again.content
        own = open_proposal(cast)
        mine = cast.directory_officer.client().post(f"/proposals/{own.id}/", {"decision": "carry-out"})
        assert (mine.status_code, b"You proposed this" in mine.content) == (403, True)

    def test_lists_are_read_page_by_page(self, cast: Cast) -> None:
        state = Authority.objects.filter(state_id="XAA").values_list("state", flat=True)[0]
        Authority.objects.bulk_create(
            Authority(state_id=state, kind="competent", name=f"Court {n % 7}") for n in range(120)
        )
        client, path, seen = cast.directory_officer.client(), "/states/", list[str]()
        while path:
            shown = client.get(path).content.decode()
            seen += re.findall(r"<h2><bdi>(.*?)</bdi></h2>", shown)
            more = re.search(r'href="(\?after=[^"]*)"', shown)
            path = "/states/" + more[1].replace("&amp;", "&") if more else ""
        assert len(seen) == Authority.objects.filter(state__isnull=False).count()
        assert seen.count("Court 1") == Authority.objects.filter(name="Court 1").count()
        assert "Court 1" in client.get("/states/?search=court+1").content.decode()
        for _ in range(60):
            proposals.withdraw(cast.directory_officer.actor, proposal_id=open_proposal(cast).id)
        first = client.get("/proposals/").content.decode()
        assert first.count("withdrawn") == 50
        older = re.search(r'href="(\?before=[^"]*)"', first)
        assert older
        assert client.get("/proposals/" + older[1]).content.decode().count("withdrawn") == 10


def ticked(cast: Cast, name: str) -> list[bool]:
    """Return for each step of the guided path whether it is done."""
    shown = cast.everybody()[name].client().get("/welcome/").content.decode()
    return ["step-done" in found for found in re.findall(r'<li class="(step[^"]*)"', shown)]


class TestTheGuidedPath:
    def test_a_first_administrator_is_led_from_step_to_step(self, cast: Cast) -> None:
        client = cast.administrator_b.client()
        assert client.get("/").headers["location"] == "/welcome/"
        assert ticked(cast, "administrator_b")[3:5] == [False, False]
        workplace = create_keyring(cast.supervisor_b)
        assert ticked(cast, "administrator_b")[3:5] == [True, True]
        note = client.get("/welcome/note/").content.decode()
        assert fingerprint_digits(workplace.mailbox.principal) in note
        assert "Ministry" not in note

    def test_an_officers_device_is_asked_for_and_approved(self, cast: Cast) -> None:
        SignIn.objects.update(factor=Factor.DEVELOPMENT)
        assert ticked(cast, "officer_a") == [False, False, False]
        steward = create_keyring(cast.supervisor_a)
        request_device(cast.officer_a, steward.mailbox.principal)
        assert ticked(cast, "officer_a") == [True, False, False]
        assert cast.officer_a.client().get("/").headers["location"] == "/welcome/"
        enrol(create_keyring(cast.supervisor_b), cast.officer_b)
        assert ticked(cast, "officer_b") == [True, True, False]
        assert b"No correspondence yet" in cast.officer_b.client().get("/").content

    def test_the_path_ends_with_the_first_message(self, cast: Cast) -> None:
        SignIn.objects.update(factor=Factor.DEVELOPMENT)
        offices = open_offices(cast)
        offices.officer_a.open_thread(offices.officer_b)
        assert ticked(cast, "officer_a") == [True, True, True]
        assert b"Everything is set up" in cast.officer_a.client().get("/welcome/").content

    def test_an_authority_without_keys_has_nothing_to_print(self, cast: Cast) -> None:
        status, shown = page(cast, "administrator_a", "/welcome/note/")
        assert (status, b"has no fingerprint" in shown) == (200, True)
        assert page(cast, "moderator", "/welcome/note/")[0] == 403
        assert page(cast, "directory_officer", "/welcome/note/")[0] == 404

    @pytest.mark.parametrize(
        ("name", "seen"),
        [
            ("officer_a", ["/threads/", "/directory/"]),
            ("supervisor_a", ["/threads/", "/directory/", "/people/", "/practitioners/", "/audit/"]),
            ("administrator_a", ["/directory/", "/people/", "/audit/"]),
            ("auditor_a", ["/directory/", "/people/", "/audit/"]),
            ("directory_officer", ["/directory/", "/people/", "/states/", "/proposals/", "/audit/"]),
            ("moderator", ["/directory/", "/people/", "/states/", "/reports/", "/audit/"]),
            ("security_officer", ["/directory/", "/people/", "/states/", "/proposals/", "/audit/"]),
            ("prosecutor_a", ["/threads/", "/directory/"]),
        ],
    )
    def test_everybody_sees_the_entries_they_may_use(self, cast: Cast, name: str, seen: Any) -> None:
        shown = cast.everybody()[name].client().get("/welcome/").content.decode()
        tabs = re.findall(r'<nav class="tabs".*?</nav>', shown, re.DOTALL)[0]
        assert re.findall(r'href="([^"]+)"', tabs) == ["/", *seen]
        assert re.findall(r'href="([^"]+)" [^>]*aria-current="true"', tabs) == ["/"]
        account = re.findall(r'<nav aria-label="Your account">.*?</nav>', shown, re.DOTALL)[0]
        with_devices = {"officer_a", "supervisor_a", "administrator_a", "directory_officer", "prosecutor_a"}
        devices = ["/devices/"] if name in with_devices else []
        own = ["/account/", *devices, "/notifications/settings/", "/account/appearance/"]
        assert re.findall(r'href="([^"]+)"', account) == own
        for path in seen:
            assert cast.everybody()[name].client().get(path).status_code == 200, path


def test_whoever_signs_in_with_codes_is_not_told_to_have_a_passkey(cast: Cast) -> None:
    assert cast.officer_a.sign_in_id
    SignIn.objects.filter(id=cast.officer_a.sign_in_id).update(factor=Factor.CODE)
    shown = cast.officer_a.client().get("/welcome/").content.decode()
    assert "Your password and one-time codes" in shown
    assert "Your passkey" not in shown
