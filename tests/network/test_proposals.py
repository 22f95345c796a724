"""Acts of two persons: another person, another passkey, within 24 hours, once, and as it was proposed."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging.sealed.keys import fingerprint_digits
from network.actions import proposals
from network.actions.fingerprints import fingerprint_held
from network.actions.two_person_act import BadFacts
from network.errors import Conflict, Forbidden, Refusal
from network.models import (
    AuditConcern,
    AuditEntry,
    Authority,
    Function,
    Invitation,
    Membership,
    Proposal,
    Role,
    SignIn,
    State,
)
from network.permissions import Permission
from network.proposal_facts import digits_of, in_groups
from tests.factories import create_keyring, create_secretariat, signed_note
from tests.personas import Cast, Persona, make_persona

OPENING: dict[str, Any] = {
    "state_code": "XDD",
    "state_name": "State D",
    "kind": "central",
    "name": "Ministry of Justice of State D",
    "functions": [
        {"code": "MLA", "instrument": "UNTOC", "article": "18(13)"},
        {"code": "MLA", "instrument": "UNCAC", "article": "46(13)"},
    ],
    "notification": "C.N.1.2026.TREATIES-XVIII.12",
    "notified_on": "2026-03-01",
    "address": "first.administrator@justice-d.example",
    "person": "First Administrator",
    "office": "International Cooperation Division",
    "language": "fr",
}
NOTE = ("Note 17/2026", "2026-04-01")
FORM = {name: value for name, value in OPENING.items() if name != "functions"} | {"designation": ["0", "9"]}


def propose_opening(by: Persona, **changes: Any) -> Proposal:
    return proposals.propose(by.actor, act=Permission.AUTHORITY_OPEN, facts={**OPENING, **changes})


def carry_out(by: Persona, proposal: Proposal, answer: Mapping[str, str] | None = None) -> Proposal:
    return proposals.carry_out(by.actor, proposal_id=proposal.id, answer=answer)


def rows() -> list[int]:
    """Return how much there is of everything that opening an authority makes."""
    return [model.objects.count() for model in (State, Authority, Function, Invitation, Membership)]


def code_of_refusal(call: Any) -> str:
    with pytest.raises(Refusal) as refused:
        call()
    return refused.value.code


def proposed(cast: Cast) -> Proposal:
    return propose_opening(cast.directory_officer)


@pytest.mark.django_db(transaction=True)
class TestOpeningAnAuthority:
    def test_two_directory_officers_can_open_a_state_with_its_authority(self, cast: Cast) -> None:
        before = rows()
        proposal = proposed(cast)
        assert rows() == before
        carry_out(cast.second_directory_officer, proposal)
        assert [after - was for after, was in zip(rows(), before, strict=True)] == [1, 1, 2, 1, 0]
        authority = Authority.objects.get(state_id="XDD")
        assert (authority.notification, str(authority.notified_on)) == (
            OPENING["notification"],
            OPENING["notified_on"],
        )
        assert {(row.instrument, row.article) for row in authority.functions.all()} == {
            ("UNTOC", "18(13)"),
            ("UNCAC", "46(13)"),
        }
        invitation = Invitation.objects.get(authority=authority)
        assert (invitation.roles, invitation.language) == (["administrator"], "fr")

    def test_every_step_is_in_the_audit_record_of_both(self, cast: Cast) -> None:
        proposal = proposed(cast)
        carry_out(cast.second_directory_officer, proposal)
        authority = Authority.objects.get(state_id="XDD")
        acts = [entry.act for entry in AuditEntry.objects.order_by("n") if entry.act != "sign-in:begin"]
        assert acts[-4:] == ["proposal:open", "proposal:carry-out", "authority:open", "invitation:send"]
        opened = AuditEntry.objects.get(act="authority:open")
        assert opened.subject == authority.id.hex
        assert AuditConcern.objects.filter(entry=opened, authority_id=authority.id).exists()
        assert OPENING["address"] not in str(list(AuditEntry.objects.values()))

    def test_a_second_notification_of_a_state_adds_the_authority_only(self, cast: Cast) -> None:
        facts = {"state_code": "XAA", "state_name": "State A", "name": "Second authority of State A"}
        carry_out(cast.second_directory_officer, propose_opening(cast.directory_officer, **facts))
        assert State.objects.get(code="XAA").authorities.filter(name=facts["name"]).count() == 1
        assert State.objects.count() == 3

    def test_a_mission_gets_a_focal_point_and_no_function(self, cast: Cast) -> None:
        facts = {"kind": "mission", "functions": [], "name": "Permanent Mission of State D"}
        carry_out(cast.second_directory_officer, propose_opening(cast.directory_officer, **facts))
        assert Invitation.objects.get(authority__name=facts["name"]).roles == ["focal-point"]

    def test_the_address_is_kept_encrypted(self, cast: Cast) -> None:
        proposal = proposed(cast)
        assert OPENING["address"] not in str(Proposal.objects.values().get(id=proposal.id))
        assert proposals.facts_of(proposal).address == OPENING["address"]

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"state_code": "XD"}, "state_code"),
            ({"state_code": "xdd"}, "state_code"),
            ({"state_code": "XAA", "state_name": "Another name"}, "state_name"),
            ({"state_name": ""}, "state_name"),
            ({"name": "Ministry\u202eecitsuJ"}, "name"),
            ({"name": "x" * 201}, "name"),
            (
                {
                    "state_code": "XAA",
                    "state_name": "State A",
                    "name": "Ministry of Justice of State A",
                },
                "name",
            ),
            ({"kind": "secretariat"}, "kind"),
            ({"kind": "organization"}, "kind"),
            ({"functions": []}, "functions"),
            ({"functions": [{"code": "MLA", "instrument": "UNTOC", "article": ""}]}, "functions"),
            ({"functions": [{"code": "MLA", "instrument": "", "article": "18(13)"}]}, "functions"),
            ({"functions": [{"code": "WAR", "instrument": "UNTOC", "article": "1"}]}, "functions"),
            ({"functions": OPENING["functions"][:1] * 2}, "functions"),
            ({"kind": "mission"}, "functions"),
            ({"notification": "x" * 101}, "notification"),
            ({"notified_on": "2026-13-01"}, "notified_on"),
            ({"notified_on": "2999-01-01"}, "notified_on"),
            ({"notified_on": "0001-01-01"}, "notified_on"),
            ({"address": "two@a.example, three@b.example"}, "address"),
            ({"address": '"a@evil.example"@justice-d.example'}, "address"),
            ({"language": "xx"}, "language"),
            ({"administrator": "me"}, "administrator"),
            ({"person": "\x00"}, "person"),
        ],
    )
    def test_what_cannot_be_so_is_not_proposed(self, cast: Cast, changes: Any, field: str) -> None:
        with pytest.raises(BadFacts) as refused:
            propose_opening(cast.directory_officer, **changes)
        assert list(refused.value.fields) == [field]
        assert not Proposal.objects.exists()

    def test_an_invitation_that_cannot_be_written_leaves_nothing_half_done(self, cast: Cast) -> None:
        proposal = proposed(cast)
        Proposal.objects.filter(id=proposal.id).update(facts={**proposal.facts, "person": "x" * 201})
        before = rows()
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it is, nothing is left of the act
            carry_out(cast.second_directory_officer, proposal)
        assert rows() == before
        assert Proposal.objects.get().status == "open"


@pytest.mark.django_db(transaction=True)
class TestWhoDecidesWhatWhen:
    def test_whoever_proposed_cannot_carry_it_out_or_decline_it(self, cast: Cast) -> None:
        proposal = proposed(cast)
        for decide in (proposals.carry_out, proposals.decline):
            refusal = code_of_refusal(
                lambda decide=decide: decide(cast.directory_officer.actor, proposal_id=proposal.id)
            )
            assert refusal == "same-person"
        assert not State.objects.filter(code="XDD").exists()

    def test_another_account_with_the_same_passkey_cannot(self, cast: Cast) -> None:
        proposal = proposed(cast)
        actor = replace(cast.second_directory_officer.actor, credential="key of directory_officer")
        assert (
            code_of_refusal(lambda: proposals.carry_out(actor, proposal_id=proposal.id)) == "same-credential"
        )

    def test_the_same_person_with_a_second_passkey_cannot(self, cast: Cast) -> None:
        proposal = proposed(cast)
        actor = replace(cast.directory_officer.actor, credential="another key")
        assert code_of_refusal(lambda: proposals.carry_out(actor, proposal_id=proposal.id)) == "same-person"

    def test_whoever_acts_for_the_proposer_cannot(self, cast: Cast) -> None:
        proposal = proposed(cast)
        actor = replace(cast.second_directory_officer.actor, acting_for=proposal.proposed_by_id)
        assert code_of_refusal(lambda: proposals.carry_out(actor, proposal_id=proposal.id)) == "same-person"

    def test_development_sign_ins_differ_by_the_person_alone(self, cast: Cast) -> None:
        SignIn.objects.update(credential="")
        carry_out(cast.second_directory_officer, proposed(cast))
        assert State.objects.filter(code="XDD").exists()

    def test_after_24_hours_nobody_can(self, cast: Cast) -> None:
        proposal = proposed(cast)
        Proposal.objects.update(until_at=timezone.now() - timedelta(seconds=1))
        for decide in (proposals.carry_out, proposals.decline):
            refusal = code_of_refusal(
                lambda decide=decide: decide(cast.second_directory_officer.actor, proposal_id=proposal.id)
            )
            assert refusal == "proposal-expired"
        assert b"expired" in cast.directory_officer.client().get("/proposals/").content
        assert not State.objects.filter(code="XDD").exists()

    def test_a_proposal_lasts_24_hours(self, cast: Cast) -> None:
        proposal = proposed(cast)
        assert proposal.until_at - proposal.proposed_at == timedelta(hours=24)

    def test_what_has_changed_meanwhile_is_not_carried_out(self, cast: Cast) -> None:
        first, second = proposed(cast), propose_opening(cast.directory_officer, name="Another authority")
        carry_out(cast.second_directory_officer, first)
        before = rows()
        with pytest.raises(Conflict) as refused:
            carry_out(cast.second_directory_officer, second)
        assert refused.value.code == "proposal-stale"
        assert rows() == before
        proposals.decline(cast.second_directory_officer.actor, proposal_id=second.id)

    def test_the_second_decider_is_told_who_decided_and_when(self, cast: Cast) -> None:
        secretariat = Authority.objects.get(kind="secretariat")
        third = make_persona("third_directory_officer", secretariat, Role.DIRECTORY_OFFICER)
        proposal = proposed(cast)
        proposals.decline(cast.second_directory_officer.actor, proposal_id=proposal.id)
        for decide in (proposals.carry_out, proposals.decline):
            with pytest.raises(Conflict) as refused:
                decide(third.actor, proposal_id=proposal.id)
            assert refused.value.code == "already-decided"
            assert "Second Directory Officer" in str(refused.value.sentence)
            assert "UTC" in str(refused.value.sentence)
        assert not State.objects.filter(code="XDD").exists()

    def test_only_who_proposed_can_withdraw_and_then_nobody_can_carry_it_out(self, cast: Cast) -> None:
        proposal = proposed(cast)
        with pytest.raises(Forbidden) as refused:
            proposals.withdraw(cast.second_directory_officer.actor, proposal_id=proposal.id)
        assert refused.value.code == "not-proposer"
        proposals.withdraw(cast.directory_officer.actor, proposal_id=proposal.id)
        refusal = code_of_refusal(lambda: carry_out(cast.second_directory_officer, proposal))
        assert refusal == "already-decided"

    def test_an_old_proof_is_led_to_a_new_one(self, cast: Cast) -> None:
        proposal = proposed(cast)
        SignIn.objects.update(proved_at=timezone.now() - timedelta(minutes=6))
        client = cast.second_directory_officer.client()
        client.post(f"/proposals/{proposal.id}/", {"decision": "carry-out"})
        client.post("/states/open/", FORM | {"state_code": "XEE"})
        assert Proposal.objects.get().status == "open"
        assert client.get(f"/proposals/{proposal.id}/").status_code == 200

    @pytest.mark.parametrize("change", ["suspended_at", "until_at"])
    def test_what_was_proposed_by_somebody_who_was_stopped_is_not_carried_out(
        self, cast: Cast, change: str
    ) -> None:
        proposal = proposed(cast)
        Membership.objects.filter(id=proposal.proposed_by_id).update(**{change: timezone.now()})
        refusal = code_of_refusal(lambda: carry_out(cast.second_directory_officer, proposal))
        assert refusal == "proposal-stale"
        assert not State.objects.filter(code="XDD").exists()
        declined = proposals.decline(cast.second_directory_officer.actor, proposal_id=proposal.id)
        assert declined.status == "declined"

    def test_whoever_lost_the_role_meanwhile_cannot(self, cast: Cast) -> None:
        proposal, actor = proposed(cast), cast.second_directory_officer.actor
        SignIn.objects.filter(id=actor.sign_in_id).update(ended_at=timezone.now())
        refusal = code_of_refusal(lambda: proposals.carry_out(actor, proposal_id=proposal.id))
        assert refusal == "signed-out"


@pytest.mark.django_db(transaction=True)
def test_an_odd_choice_of_functions_is_no_error_of_the_server(cast: Cast) -> None:
    odd = FORM | {"designation": ["9" * 5000, "-1", "x"]}
    assert cast.directory_officer.client().post("/states/open/", odd).status_code == 422


def page(cast: Cast, name: str, path: str) -> tuple[int, bytes]:
    response = cast.everybody()[name].client().get(path)
    return response.status_code, response.content


@pytest.mark.django_db(transaction=True)
class TestFingerprints:
    def propose(self, cast: Cast, digits: str, signed: Mapping[str, str] | None = None) -> Proposal:
        assert cast.supervisor_a.membership
        facts = {
            "authority": str(cast.supervisor_a.membership.authority_id),
            "fingerprint": digits,
            "notification": NOTE[0],
            "notified_on": NOTE[1],
            **(signed or {}),
        }
        return proposals.propose(
            cast.directory_officer.actor, act=Permission.FINGERPRINT_CONFIRM, facts=facts
        )

    def test_two_officers_who_both_type_and_sign_it_can_confirm_it(self, cast: Cast) -> None:
        workplace = create_keyring(cast.supervisor_a)
        first, second = create_secretariat(cast.directory_officer, cast.second_directory_officer)
        digits = fingerprint_digits(workplace.mailbox.principal)
        proposal = self.propose(cast, digits.replace(" ", "\n"), signed_note(first, workplace, *NOTE))
        status, shown = page(cast, "second_directory_officer", f"/proposals/{proposal.id}/")
        assert status == 200
        assert digits[:11].encode() not in shown
        carry_out(
            cast.second_directory_officer,
            proposal,
            answer={"digits": digits, **signed_note(second, workplace, *NOTE)},
        )
        authority = Authority.objects.get(id=workplace.persona.actor.authority_id)
        assert in_groups(authority.root_fingerprint) == digits
        assert authority.root_confirmed_at
        entry = AuditEntry.objects.get(act="fingerprint:confirm")
        assert AuditConcern.objects.filter(entry=entry, authority_id=authority.id).exists()

    @pytest.mark.parametrize("answer", ["", "12345", "0" * 60, "x" * 60])
    def test_who_does_not_type_the_same_digits_confirms_nothing(self, cast: Cast, answer: str) -> None:
        workplace = create_keyring(cast.supervisor_a)
        first, _second = create_secretariat(cast.directory_officer, cast.second_directory_officer)
        digits = fingerprint_digits(workplace.mailbox.principal)
        proposal = self.propose(cast, digits, signed_note(first, workplace, *NOTE))
        client = cast.second_directory_officer.client()
        form = {"decision": "carry-out", "answer": answer}
        response = client.post(f"/proposals/{proposal.id}/", form)
        assert response.status_code == 422
        assert b'aria-invalid="true"' in response.content
        assert Authority.objects.filter(root_confirmed_at__isnull=False).count() == 0
        assert Proposal.objects.get().status == "open"

    def test_digits_that_are_not_those_of_the_keys_here_are_refused(self, cast: Cast) -> None:
        create_keyring(cast.supervisor_a)
        with pytest.raises(BadFacts) as refused:
            self.propose(cast, "1" * 60)
        assert "security officer" in str(refused.value.fields["fingerprint"])

    def test_an_authority_without_keys_has_nothing_to_confirm(self, cast: Cast) -> None:
        with pytest.raises(BadFacts):
            self.propose(cast, "1" * 60)

    def test_digits_are_the_same_as_in_sealed_correspondence(self, cast: Cast) -> None:
        workplace = create_keyring(cast.supervisor_a)
        held = fingerprint_held(workplace.persona.actor.authority_id)
        assert held == digits_of(fingerprint_digits(workplace.mailbox.principal))
        assert fingerprint_held(uuid.uuid4()) is None

    def test_digits_of_other_scripts_and_odd_blanks_are_read(self) -> None:
        arabic = "".join(chr(0x0660 + int(digit)) for digit in "1234567890" * 6)
        assert digits_of(in_groups(arabic).replace(" ", "\u00a0")) == "1234567890" * 6
        for wrong in ("1" * 59, "1" * 61, "1" * 59 + "²", "1" * 59 + "x", ""):
            with pytest.raises(ValueError, match="digits"):
                digits_of(wrong)


@pytest.mark.django_db(transaction=True)
class TestRolesOfTheSecretariat:
    def propose(self, by: Persona, **facts: Any) -> Proposal:
        return proposals.propose(by.actor, act=Permission.SECRETARIAT_ROLE_GRANT, facts=facts)

    def test_a_security_officer_and_a_directory_officer_can_change_a_colleagues_roles(
        self, cast: Cast
    ) -> None:
        assert cast.moderator.membership
        wanted = ["directory-officer", "moderator"]
        proposal = self.propose(
            cast.security_officer, membership=str(cast.moderator.membership.id), roles=wanted
        )
        carry_out(cast.directory_officer, proposal)
        assert Membership.objects.get(id=cast.moderator.membership.id).roles == wanted
        assert cast.moderator.sign_in_id
        assert SignIn.objects.get(id=cast.moderator.sign_in_id).ended_at is not None

    def test_nobody_can_decide_the_own_roles(self, cast: Cast) -> None:
        assert cast.directory_officer.membership
        proposal = self.propose(
            cast.security_officer,
            membership=str(cast.directory_officer.membership.id),
            roles=["security-officer"],
        )
        assert code_of_refusal(lambda: carry_out(cast.directory_officer, proposal)) == "own-role"
        carry_out(cast.second_directory_officer, proposal)

    def test_a_new_colleague_is_invited_to_the_secretariat(self, cast: Cast) -> None:
        new = {
            "address": "new@secretariat.example",
            "person": "New Colleague",
            "office": "Directory",
            "language": "en",
        }
        carry_out(
            cast.directory_officer, self.propose(cast.security_officer, roles=["directory-officer"], **new)
        )
        invitation = Invitation.objects.get()
        assert invitation.authority.kind == "secretariat"
        assert invitation.roles == ["directory-officer"]

    def test_what_is_no_role_or_no_member_of_the_secretariat_is_refused(self, cast: Cast) -> None:
        assert cast.moderator.membership
        assert cast.officer_a.membership
        moderator, stranger = str(cast.moderator.membership.id), str(cast.officer_a.membership.id)
        for facts in (
            {"membership": moderator, "roles": []},
            {"membership": moderator, "roles": ["administrator"]},
            {"membership": moderator, "roles": ["moderator"]},
            {"membership": moderator, "roles": ["security-officer"], "person": "Also new"},
            {"membership": stranger, "roles": ["moderator"]},
            {"membership": str(uuid.uuid4()), "roles": ["moderator"]},
            {"roles": ["moderator"]},
        ):
            with pytest.raises(BadFacts):
                self.propose(cast.security_officer, **facts)

    def test_roles_that_were_changed_meanwhile_are_not_changed_again(self, cast: Cast) -> None:
        assert cast.moderator.membership
        proposal = self.propose(
            cast.security_officer, membership=str(cast.moderator.membership.id), roles=["directory-officer"]
        )
        Membership.objects.filter(id=cast.moderator.membership.id).update(roles=["security-officer"])
        assert code_of_refusal(lambda: carry_out(cast.directory_officer, proposal)) == "proposal-stale"
