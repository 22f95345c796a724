"""A database is put back to an earlier day: nothing acknowledged stays lost (L8)."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Model

from messaging.actions.log import append_leaf
from messaging.log_key import label_key
from messaging.log_lines import lines_file, read_lines
from messaging.models import LogState, Restore, Thread, ThreadItem
from messaging.sealed.client import make_keyring
from messaging.sealed.errors import Refused
from messaging.sealed.follower import Follower
from messaging.sealed.message import LogPlace
from messaging.sealed.restore import check_announced, check_restore, make_restore
from messaging.server_key import server_key
from network.models import AuditEntry
from network.project.start import tasks_of
from tests.factories import (
    Offices,
    Workplace,
    addition_form,
    answer,
    call,
    change_form,
    code_of,
    enrol,
    now,
    person_of,
    request_device,
    to_text,
)
from tests.personas import Cast, Persona

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]
NET = settings.ORIGIN_NAME


class Backup:
    """All rows of correspondence as they are, to be put back later."""

    def __init__(self) -> None:
        self.models: list[type[Model]] = [*apps.get_app_config("messaging").get_models()]
        self.rows = {model: list(model._base_manager.all()) for model in self.models}

    def put_back(self) -> None:
        """Forget everything since."""
        with transaction.atomic():
            for model in reversed(self.models):
                model._base_manager.all()._raw_delete("default")
            for model in self.models:
                model._base_manager.bulk_create(self.rows[model])


@pytest.fixture(autouse=True)
def mark(tmp_path: Path) -> Iterator[None]:
    """Keep a mark and the lines of the log, as a real server does."""
    before, settings.LOG_MARK_FILE = settings.LOG_MARK_FILE, tmp_path / "log.mark"
    yield
    settings.LOG_MARK_FILE = before


def secretariat_of(cast: Cast) -> tuple[Workplace, Workplace]:
    """Two officers of the secretariat with devices that keep its keys."""
    persona = cast.directory_officer
    made = make_keyring(NET, person_of(persona), at=now(), roles=("steward",), kind="secretariat")
    first = Workplace.of(persona, made.device)
    first.post(
        "/keyrings",
        {
            "entry": to_text(made.entry),
            "envelopes": to_text(made.envelopes),
            "statements": [to_text(statement) for statement in made.statements],
        },
    )
    first.learn(first.mailbox.principal)
    second = enrol_steward(first, cast.second_directory_officer)
    first.learn(first.mailbox.principal)
    return first, second


def enrol_steward(steward: Workplace, persona: Persona) -> Workplace:
    workplace = request_device(persona, steward.mailbox.principal)
    form = addition_form(steward, workplace, roles=("steward",))
    steward.post(f"/keyrings/{steward.principal}/entries", form)
    workplace.learn(workplace.mailbox.principal)
    return workplace


def page(persona: Persona, first: int = 0) -> Any:
    return answer(call(persona.client(), "GET", f"/log?from={first}"))


def signature(officer: Workplace, **lies: Any) -> dict[str, str]:
    """What an officer signs of the restore that has begun, but for the lies."""
    (facts,) = officer.get("/restores")["restores"]
    said = {"serial": facts["serial"], "size": facts["log_size"], "cause": facts["cause"], **lies}
    raw = make_restore(
        NET,
        by=officer.mailbox.by(),
        kid=officer.mailbox.device.id,
        key=officer.mailbox.device.signing_key,
        serial=said["serial"],
        log=LogPlace(said["size"], bytes.fromhex(facts["log_root"])),
        cause=said["cause"],
        at=said.get("at", now()),
    )
    return {"statement": to_text(raw)}


def sign(officer: Workplace, **lies: Any) -> Any:
    return call(officer.http, "POST", "/restores/0/signatures", signature(officer, **lies))


def rows_of(workplace: Workplace, thread: str, first: int = 1) -> list[dict[str, Any]]:
    """What a device kept of a thread, from a place on, as it hands it back."""
    kept = workplace.mailbox.threads[bytes.fromhex(thread)].raw[first - 1 :]
    return [
        {
            "seq": item.seq,
            "type": item.type,
            "item": to_text(item.item),
            "ciphertext": None if item.ciphertext is None else to_text(item.ciphertext),
            "envelopes": None if item.envelopes is None else to_text(item.envelopes),
            "receipt": to_text(item.receipt),
        }
        for item in kept
    ]


def hand_back(workplace: Workplace, thread: str, rows: list[dict[str, Any]]) -> Any:
    return call(workplace.http, "POST", f"/threads/{thread}/returned", {"items": rows})


class Loss:
    """A correspondence of which the server has lost the end, a thread it has lost whole, and log lines."""

    def __init__(self, cast: Cast, offices: Offices) -> None:
        self.cast, self.offices = cast, offices
        self.first, self.second = secretariat_of(cast)
        self.a, self.b = offices.officer_a, offices.officer_b
        self.thread = self.a.open_thread(self.b)
        self.b.read(self.thread)
        page(cast.officer_a)  # the log is signed as far as it goes
        self.backup = Backup()
        self.b.send(self.thread, "lost answer")
        self.a.send(self.thread, "lost question")
        self.other = self.a.open_thread(self.b, "a whole thread that is lost")
        self.items = list(ThreadItem.objects.order_by("thread_id", "seq").values_list("item_hash", "receipt"))
        self.lengthen_log()

    def lengthen_log(self) -> None:
        """A line of the log that is lost with the rest."""
        with transaction.atomic():
            append_leaf("anchor", b"anchor", 1, bytes(32))
        page(self.cast.officer_a)

    def announce(self) -> None:
        """The whole procedure up to where devices hand back."""
        self.backup.put_back()
        call_command("restore", "--begin", "a broken disk")
        assert sign(self.first).status_code == 200
        assert answer(sign(self.second))["is_announced"]


@pytest.fixture
def loss(cast: Cast, offices: Offices) -> Loss:
    return Loss(cast, offices)


def test_without_a_restore_nothing_is_read_written_or_signed(loss: Loss) -> None:
    loss.backup.put_back()
    for method, path, body in (
        ("GET", f"/threads/{loss.thread}/items", None),
        ("GET", f"/threads/{loss.thread}", None),
        ("GET", "/threads", None),
        ("GET", "/log", None),
        ("POST", "/threads", loss.a.thread_form([loss.b.mailbox.principal], "x")[1]),
    ):
        assert code_of(call(loss.a.http, method, path, body)) == (503, "log-rolled-back"), path
    sealed = loss.a.seal(loss.thread, "x")
    assert code_of(call(loss.a.http, "POST", "/messages", {"messages": [sealed]})) == (503, "log-rolled-back")


def test_the_lost_lines_come_back_from_beside_the_mark_or_not_at_all(loss: Loss) -> None:
    size = LogState.objects.get().size
    path = lines_file()
    assert path is not None
    assert len(read_lines()) == size
    loss.backup.put_back()
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for wrong in (b"".join(lines[:-1]), b"".join([*lines[:-1], lines[0]]), b"".join(lines[::-1]), b""):
        path.write_bytes(wrong)
        with pytest.raises(CommandError, match="lines-differ"):
            call_command("restore", "--begin", "a broken disk")
        assert LogState.objects.get().size < size
        assert not Restore.objects.exists()
    path.write_bytes(whole + b"6162")  # what a power cut leaves
    call_command("restore", "--begin", "a broken disk")
    assert LogState.objects.get().size == size


def test_two_officers_stand_for_it_then_it_is_in_the_log(loss: Loss) -> None:
    loss.backup.put_back()
    call_command("restore", "--begin", "a broken disk")
    assert code_of(call(loss.a.http, "GET", f"/threads/{loss.thread}/items")) == (503, "being-restored")
    with pytest.raises(CommandError, match="restore-open"):
        call_command("restore", "--begin", "again")
    with pytest.raises(CommandError, match="not-announced"):
        call_command("restore", "--finish")
    for lie in ({"serial": 1}, {"size": 1}, {"cause": "nothing"}):
        assert code_of(sign(loss.first, **lie)) == (422, "restore-differs"), lie
    assert code_of(sign(loss.first, at=now() - 1_000)) == (422, "clock-ahead")
    for _ in range(2):
        assert answer(sign(loss.first))["signatures"] == 1
    assert page(loss.cast.officer_a)["restore"] is None
    assert answer(sign(loss.second))["is_announced"]
    body = page(loss.cast.officer_a)
    log = Follower(NET, server_key().key.public, label_key())
    log.follow(body["checkpoint"], [base64.b64decode(leaf) for leaf in body["leaves"]], now=now())
    mailbox = loss.first.mailbox
    raw = base64.b64decode(body["restore"])
    found = check_restore(NET, server_key().key.public, raw, mailbox, mailbox.principal)
    check_announced(log, found)
    assert (found.serial, found.cause) == (0, "a broken disk")
    with pytest.raises(Refused):
        check_restore(NET, server_key().key.public, raw, mailbox, loss.a.mailbox.principal)
    acts = AuditEntry.objects.filter(act__startswith="restore:").order_by("n").values_list("act", flat=True)
    assert list(acts) == ["restore:begin", "restore:sign", "restore:sign"]


def test_items_come_back_to_their_old_places_byte_for_byte(loss: Loss) -> None:
    loss.announce()
    assert Thread.objects.get().id == loss.thread
    end = Thread.objects.get().seq
    stored = answer(hand_back(loss.a, loss.thread, rows_of(loss.a, loss.thread, end + 1)))
    assert stored["returned"] == 2
    assert answer(hand_back(loss.a, loss.thread, rows_of(loss.a, loss.thread)))["returned"] == 0
    assert answer(hand_back(loss.a, loss.other, rows_of(loss.a, loss.other)))["returned"] == 2
    now_there = ThreadItem.objects.order_by("thread_id", "seq").values_list("item_hash", "receipt")
    assert [(item, bytes(receipt)) for item, receipt in now_there] == [
        (item, bytes(receipt)) for item, receipt in loss.items
    ]
    texts = [applied.plaintext.body.text for applied in loss.b.read(loss.other) if applied.plaintext]  # type: ignore[union-attr]
    assert texts == ["a whole thread that is lost"]
    sealed = loss.a.seal(loss.thread, "too early")
    assert code_of(call(loss.a.http, "POST", "/messages", {"messages": [sealed]})) == (503, "being-restored")
    call_command("restore", "--finish")
    assert "receipt" in loss.a.append(sealed)[0]
    loss.b.send(loss.thread, "it goes on")
    assert AuditEntry.objects.filter(act="thread:return").count() == 2


def test_nothing_but_what_the_server_signed_comes_back(loss: Loss) -> None:
    lost = rows_of(loss.a, loss.thread)
    loss.backup.put_back()
    assert code_of(hand_back(loss.a, loss.thread, lost)) == (409, "no-restore")
    call_command("restore", "--begin", "a broken disk")
    assert code_of(hand_back(loss.a, loss.thread, lost)) == (409, "no-restore")
    sign(loss.first)
    sign(loss.second)
    end = Thread.objects.get().seq
    first, second = lost[end], lost[end + 1]
    assert code_of(hand_back(loss.a, loss.thread, [second])) == (422, "items-missing")
    for wrong in (
        {**first, "receipt": second["receipt"]},
        {**first, "item": second["item"], "ciphertext": second["ciphertext"]},
        {**first, "ciphertext": second["ciphertext"]},
        {**second, "seq": first["seq"]},
        {**first, "receipt": lost[0]["receipt"]},
        {**first, "type": "entry"},
    ):
        refused = hand_back(loss.a, loss.thread, [wrong])
        assert refused.status_code == 422, json.loads(refused.content)
    assert code_of(hand_back(loss.a, loss.thread, [{**first, "seq": 1}])) == (409, "place-taken")
    assert Thread.objects.get().seq == end


def test_a_stranger_cannot_hand_back_and_learns_nothing(loss: Loss) -> None:
    rows, whole = rows_of(loss.a, loss.thread), rows_of(loss.a, loss.other)
    loss.announce()
    stranger = loss.offices.supervisor_c
    for thread, given in ((loss.thread, rows), (loss.other, whole), ("0" * 64, rows), ("0" * 64, whole)):
        assert hand_back(stranger, thread, given).status_code == 404
    assert Thread.objects.count() == 1
    for persona in (loss.cast.administrator_a, loss.cast.moderator, loss.cast.directory_officer):
        body = {"items": rows}
        assert call(persona.client(), "POST", f"/threads/{loss.thread}/returned", body).status_code == 403
    for persona in (loss.cast.supervisor_a, loss.cast.moderator):
        assert call(persona.client(), "GET", "/restores").status_code == 403
        signed = {"statement": signature(loss.first)["statement"]}
        assert call(persona.client(), "POST", "/restores/0/signatures", signed).status_code == 403


def test_nobody_signs_with_the_device_of_a_colleague_and_nothing_after_the_end(loss: Loss) -> None:
    loss.backup.put_back()
    call_command("restore", "--begin", "a broken disk")
    given = signature(loss.first)
    assert code_of(call(loss.second.http, "POST", "/restores/0/signatures", given)) == (403, "foreign-device")
    assert call(loss.first.http, "POST", "/restores/1/signatures", given).status_code == 404
    sign(loss.first)
    sign(loss.second)
    call_command("restore", "--finish")
    assert call(loss.first.http, "POST", "/restores/0/signatures", given).status_code == 404
    with pytest.raises(CommandError, match="no-restore"):
        call_command("restore", "--finish")


def test_what_comes_back_late_takes_only_a_place_that_is_free(loss: Loss) -> None:
    lost = rows_of(loss.b, loss.thread)
    loss.announce()
    end = Thread.objects.get().seq
    call_command("restore", "--finish")
    answer(hand_back(loss.b, loss.thread, lost[end : end + 1]))
    assert Thread.objects.get().seq == end + 1


def test_the_second_restore_has_the_next_number_even_when_the_first_is_lost(loss: Loss) -> None:
    loss.announce()
    call_command("restore", "--finish")
    page(loss.cast.officer_a)
    loss.backup.put_back()
    call_command("restore", "--begin", "the same disk")
    assert Restore.objects.get().serial == 1


class LostKeys(Loss):
    """Of A's keys the newest entry is lost, which let a colleague's device in; it has written since."""

    def lengthen_log(self) -> None:
        """Let another device in, which the backup does not have, and write with it."""
        self.late = enrol(self.offices.supervisor_a, self.cast.officer_a)
        self.late.read(self.other)
        self.late.send(self.other, "by a device that was lost")
        self.a.read(self.other)
        page(self.cast.officer_a)


@pytest.fixture
def lost_keys(cast: Cast, offices: Offices) -> LostKeys:
    return LostKeys(cast, offices)


def returned_keyring(workplace: Workplace) -> dict[str, Any]:
    ring = workplace.mailbox.rings[workplace.mailbox.principal]
    return {
        "entries": [
            {"entry": to_text(entry.statement.raw), "envelopes": to_text(ring.envelopes[entry.n])}
            for entry in ring.entries
        ],
        "statements": [to_text(device.raw) for device in ring.devices.values()],
    }


def test_keys_that_the_log_names_come_back_and_are_not_written_over(lost_keys: LostKeys) -> None:
    steward, late = lost_keys.offices.supervisor_a, lost_keys.late
    lost_keys.announce()
    path = f"/keyrings/{steward.principal}/returned"
    rows = rows_of(lost_keys.a, lost_keys.other)
    refused = hand_back(lost_keys.a, lost_keys.other, rows)
    assert code_of(refused) == (409, "stale-author-keyring")  # who wrote is not known yet
    form = returned_keyring(late)
    wrong = {**form, "entries": [*form["entries"][:-1], form["entries"][-1] | {"envelopes": to_text(b"x")}]}
    assert call(late.http, "POST", path, wrong).status_code == 422
    assert call(lost_keys.b.http, "POST", path, form).status_code == 403
    for _ in range(2):
        place = answer(call(steward.http, "POST", path, form))
        assert place["n"] == len(form["entries"]) - 1
    assert answer(hand_back(lost_keys.a, lost_keys.other, rows))["returned"] == 3
    call_command("restore", "--finish")
    late.send(lost_keys.other, "and it goes on writing")


def test_another_entry_at_a_place_that_the_log_names_is_refused(lost_keys: LostKeys) -> None:
    steward = lost_keys.offices.supervisor_a
    # This steward has not seen the entry that was lost.
    form = change_form(steward, steward.mailbox.stewardship.rotation())
    lost_keys.announce()
    path = f"/keyrings/{steward.principal}"
    entry = {"entries": [{"entry": form["entry"], "envelopes": form["envelopes"]}], "statements": []}
    assert code_of(call(steward.http, "POST", f"{path}/returned", entry)) == (422, "not-logged")
    assert code_of(call(steward.http, "POST", f"{path}/entries", form)) == (503, "being-restored")
    call_command("restore", "--finish")
    assert code_of(call(steward.http, "POST", f"{path}/entries", form)) == (409, "entry-lost")


def test_directory_officers_and_nobody_else_find_the_page_of_a_restore(cast: Cast) -> None:
    page = "/restores/"
    for officer in (cast.directory_officer, cast.second_directory_officer):
        assert officer.client().get(page).status_code == 200
    for stranger in (cast.supervisor_a, cast.administrator_a, cast.moderator):
        assert stranger.client().get(page).status_code == 403
    assert cast.signed_out.client().get(page).status_code in {302, 401}


def test_the_start_page_leads_to_a_restore_that_waits_for_signatures(loss: Loss, cast: Cast) -> None:
    def is_told(persona: Persona) -> bool:
        return "/restores/" in {task.path for task in tasks_of(persona.actor) if task.count}

    assert not is_told(cast.directory_officer)
    loss.backup.put_back()
    call_command("restore", "--begin", "a broken disk")
    assert is_told(cast.directory_officer)
    assert not is_told(cast.supervisor_a)
