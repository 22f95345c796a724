"""The audit record as people read and export it: their own authority's, in words, checkable elsewhere."""

import ast
import csv
import io
import json
import re
import subprocess
import sys
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone

from network import access, audit
from network.actions.sign_ins import end_sign_in
from network.acts import ACTS
from network.audit_export import safe_cell
from network.audit_words import NAMES
from network.languages import joined, spoken_to
from network.models import AuditEntry, SignIn
from network.permissions import Permission
from tests.architecture.sources import product_modules, tree
from tests.personas import Cast, Persona

ROOT = Path(__file__).resolve().parent.parent.parent
ACT = re.compile(r"[a-z]+(-[a-z]+)*:[a-z]+(-[a-z]+)*")
READERS = ["supervisor_a", "administrator_a", "auditor_a", "delegate_a"]


@pytest.fixture(autouse=True)
def sign_ins_on_record(cast: Cast) -> None:
    """Let the record begin with everybody's sign-in, as it does in earnest."""
    for persona in cast.everybody().values():
        if persona.sign_in_id and access.sign_ins_in_force([persona.sign_in_id]):
            with transaction.atomic():
                audit.record(persona.actor, "sign-in:begin", persona.sign_in_id.hex, factor="passkey")


def page(persona: Persona, query: str = "") -> str:
    response = persona.client().get(f"/audit/{query}")
    assert response.status_code == 200
    return response.content.decode()


def export(persona: Persona, **asked: str) -> bytes:
    response = persona.client().post("/audit/export/", asked)
    assert response.status_code == 200
    assert response.headers["content-disposition"].startswith("attachment;")
    return response.content


def note(act: str, persona: Persona | None, subject: str, *concerns: Persona) -> None:
    authorities = [one.actor.authority_id for one in concerns]
    with transaction.atomic():
        audit.record(persona.actor if persona else None, act, subject, concerns=authorities)


def checked(file: Path) -> subprocess.CompletedProcess[str]:
    """Check an export as an authority would: without the server, its settings or its database."""
    command = [sys.executable, "-m", "network.audit_check", str(file)]
    return subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=False)


# --- What is seen -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", READERS)
def test_a_reader_of_state_a_sees_its_own_entries_in_words_with_names_and_utc(cast: Cast, name: str) -> None:
    seen = page(cast.everybody()[name])
    assert str(ACTS["sign-in:begin"]) in seen
    assert "Officer A" in seen
    assert 'translate="no">UTC</span></bdi>' in seen
    assert "Officer B" not in seen


def test_a_reader_sees_what_another_authority_did_that_concerns_it_without_the_persons_name(
    cast: Cast,
) -> None:
    note("authority:open", cast.directory_officer, "of-a", cast.officer_a)
    note("authority:open", cast.directory_officer, "of-b", cast.officer_b)
    end_sign_in(cast.officer_c.actor)
    seen = page(cast.auditor_a, "?act=authority:open")
    assert seen.count(str(ACTS["authority:open"])) == 2  # the entry, and the choice
    assert "Secretariat of the Convention" in seen
    assert "Directory Officer" not in seen
    assert str(ACTS["sign-in:end"]) not in page(cast.auditor_a, "?act=sign-in:end").partition("<tbody")[2]


def test_the_secretariat_sees_its_own_entries_and_the_servers(cast: Cast) -> None:
    note("demo:load", None, "demo")
    note("attestation:remind", None, "of-a", cast.officer_a)
    seen = page(cast.security_officer).partition("<tbody")[2]
    assert str(ACTS["demo:load"]) in seen
    assert "Directory Officer" in seen
    assert "Officer A" not in seen
    assert str(ACTS["attestation:remind"]) not in seen


def test_an_act_done_for_somebody_else_says_for_whom(cast: Cast) -> None:
    note("authority:set", cast.delegate_a, "x")
    assert "acting for <bdi>Supervisor A</bdi>" in page(cast.supervisor_a)


def test_a_reader_goes_from_page_to_page_without_missing_or_repeating_one(cast: Cast) -> None:
    for number in range(120):
        note("authority:set", cast.officer_a, f"subject-{number}")
    query, seen = "?act=authority:set", list[str]()
    while query:
        found = page(cast.auditor_a, query)
        seen += re.findall(r"entry (\d+)<", found)
        older = re.search(r'href="/audit/(\?[^"]*before=[^"]*)"', found)
        query = older[1].replace("&amp;", "&") if older else ""
    assert seen == sorted(set(seen), key=int, reverse=True)
    assert len(seen) == 120


def test_a_reader_chooses_by_person_and_by_day(cast: Cast) -> None:
    assert cast.officer_a.membership
    assert cast.officer_b.membership
    mine = page(cast.auditor_a, f"?member={cast.officer_a.membership.id}").partition("<tbody")[2]
    assert "<bdi>Officer A</bdi>" in mine
    assert "Supervisor A" not in mine.partition("</tbody>")[0]
    assert "No entries" in page(cast.auditor_a, f"?member={cast.officer_b.membership.id}")
    assert "No entries" in page(cast.auditor_a, "?until=2020-01-01")
    assert "No entries" not in page(cast.auditor_a, f"?since={timezone.now():%Y-%m-%d}")


@pytest.mark.parametrize(
    "query", ["since=yesterday", "until=9999-12-31", "member=x", "before=-1", "before=" + "9" * 40]
)
def test_an_odd_choice_is_refused_with_a_sentence(cast: Cast, query: str) -> None:
    response = cast.auditor_a.client().get(f"/audit/?{query}")
    assert response.status_code == 422
    assert b"2026-01-31" in response.content


# --- What is taken out --------------------------------------------------------------------------------------


def test_an_export_holds_what_the_page_shows_and_is_recorded(cast: Cast, tmp_path: Path) -> None:
    note("authority:open", cast.directory_officer, "of-a", cast.officer_a)
    manifest, *lines = map(json.loads, export(cast.auditor_a).splitlines())
    assert manifest["count"] == len(lines)
    own = cast.auditor_a.actor.authority_id.hex
    assert {line["authority"] == own or own in line["concerns"] for line in lines} == {True}
    newest = AuditEntry.objects.order_by("-n")[0]
    assert newest.act == "audit:export"
    assert manifest["head"] == {"n": newest.n, "hash": newest.hash}
    assert lines[0]["n"] == newest.n


def test_an_export_is_checked_without_the_server(cast: Cast, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    file.write_bytes(export(cast.auditor_a))
    assert (result := checked(file)).returncode == 0, result.stdout + result.stderr
    lines = file.read_text().splitlines()
    for column, value in (("at", "2020-01-01T00:00:00+00:00"), ("act", "x:y"), ("n", 999), ("previous", "0")):
        changed = [lines[0], json.dumps(json.loads(lines[1]) | {column: value}), *lines[2:]]
        file.write_text("\n".join(changed))
        assert (result := checked(file)).returncode == 1, column
        assert "is not what its hash was made of" in result.stdout
    file.write_text("\n".join(lines[:-1]))
    assert "the file holds" in checked(file).stdout
    file.write_text("something else")
    assert checked(file).returncode == 2


def test_an_export_as_a_table_carries_out_nothing_in_a_spreadsheet(cast: Cast) -> None:
    note("authority:set", cast.officer_a, "=cmd|' /C calc'!A0")
    rows = list(csv.reader(io.StringIO(export(cast.supervisor_a, form="csv").decode())))
    assert "'=cmd|' /C calc'!A0" in {row[6] for row in rows}
    assert [safe_cell(value) for value in ("=1", "+1", "-1", "@a", "\ta", "a=1", 1, None)] == [
        *("'=1", "'+1", "'-1", "'@a", "'\ta", "a=1", "1", "")
    ]


def test_an_export_with_an_old_proof_gives_nothing_out(cast: Cast) -> None:
    SignIn.objects.update(proved_at=timezone.now() - timedelta(minutes=6))
    before = AuditEntry.objects.count()
    response = cast.auditor_a.client().post("/audit/export/", {"form": "json"})
    assert "content-disposition" not in response.headers
    assert AuditEntry.objects.count() == before


def test_a_sixth_export_in_a_row_has_to_wait(cast: Cast) -> None:
    client = cast.supervisor_b.client()
    assert [client.post("/audit/export/", {"form": "csv"}).status_code for _ in range(6)] == [200] * 5 + [429]


# --- Every act has words ------------------------------------------------------------------------------------


def recorded_acts() -> set[str]:
    """Return every act that the actions can record: literals like noun:verb, and rights used as acts."""
    found = set[str]()
    for path in product_modules():
        if "/actions/" not in path:
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and ACT.fullmatch(node.value):
                found.add(node.value)
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"audit.record", "record"}:
                act = ast.unparse(node.args[1])
                if act.startswith("Permission."):
                    found.add(str(Permission[act.removeprefix("Permission.")]))
    return found


def test_every_act_that_is_recorded_has_words() -> None:
    assert len(recorded_acts()) > 10
    assert recorded_acts() - set(ACTS) == set()


def test_an_act_of_another_release_is_shown_as_it_is(cast: Cast) -> None:
    note("thing:do", cast.officer_a, uuid.uuid4().hex)
    assert "thing:do" in page(cast.auditor_a)


def test_facts_are_words_and_names_of_ones_own_people(cast: Cast) -> None:
    member, stranger = cast.officer_a.membership, cast.officer_b.membership
    assert member
    assert stranger
    with transaction.atomic():
        audit.record(
            cast.administrator_a.actor,
            "membership:change",
            member.id.hex,
            roles="officer supervisor",
            before="",
            bound=True,
            delegate=member.id.hex,
            predecessor=stranger.id.hex,
            reason="device-lost",
            something_new="as it is",
        )
    page = cast.administrator_a.client().get("/audit/").content.decode()
    for words in (
        "Roles: <bdi>Officer and Supervisor</bdi>",
        "Stays in one device: <bdi>yes</bdi>",
        "Who acts: <bdi>Officer A</bdi>",
        f"Taken over from: <bdi>{stranger.id.hex[:8]}…</bdi>",
        "Reason: <bdi>A device or passkey was lost or stolen</bdi>",
        "something_new: <bdi>as it is</bdi>",
    ):
        assert words in page
    assert "Roles before" not in page
    assert "Officer B" not in page


def test_every_fact_that_is_recorded_has_a_name() -> None:
    calls = [
        node
        for path in product_modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.record"
    ]
    recorded = {keyword.arg for call in calls for keyword in call.keywords} - {None, "concerns"}
    assert len(recorded) > 10
    assert recorded <= set(NAMES)


@pytest.mark.parametrize(
    ("words", "joined_words"),
    [([], ""), (["A"], "A"), (["A", "B"], "A and B"), (["A", "B", "C", "D"], "A, B, C and D")],
)
def test_lists_are_joined(words: list[str], joined_words: str) -> None:
    with spoken_to("en"):
        assert joined(words) == joined_words
