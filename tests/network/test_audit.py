"""The audit chain shows every change, removal, insertion, exchange and cut, and names where."""

import random
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from network import audit
from network.audit_check import Fault, Reason
from network.models import AuditConcern, AuditEntry, AuditHead

pytestmark = pytest.mark.django_db

ENTRIES = 40
EDITS = 200
OTHERS = [uuid.UUID(int=n) for n in range(1, 4)]


@pytest.fixture
def chain() -> None:
    """A chain in which every third entry concerns others, and every second was made by a member."""
    for n in range(1, ENTRIES + 1):
        with transaction.atomic():
            audit.record(None, "thing:do", f"{n:032x}", concerns=OTHERS if n % 3 == 0 else (), count=n)


def faults() -> list[Fault]:
    return audit.verify_chain().faults


def named() -> set[tuple[int, Reason]]:
    """Return every number that is named, with why."""
    return {(n, fault.reason) for fault in faults() for n in range(fault.n, max(fault.last, fault.n) + 1)}


@contextmanager
def undone() -> Iterator[None]:
    """Take back whatever is done to the database inside."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def sql(statement: str, *values: str | int) -> None:
    """Change rows past the product, as whoever holds the database could."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


# --- What a hand can do; each edit returns what must be named ---------------------------------------------

Edit = Callable[[random.Random, int], set[tuple[int, Reason]]]


def _uuid(chance: random.Random) -> str:
    made = uuid.UUID(int=chance.getrandbits(128))
    return str(made) if connection.vendor == "postgresql" else made.hex


VALUES: dict[str, Callable[[random.Random], Any]] = {
    "at": lambda chance: f"2020-01-01 00:00:00.{chance.randrange(10**6):06d}+00:00",
    "membership_id": _uuid,
    "authority_id": _uuid,
    "act": lambda chance: f"thing:undo-{chance.randrange(100)}",
    "subject": lambda chance: f"{chance.randrange(1000):x}",
    "facts": lambda chance: f'{{"count": {chance.randrange(1000, 2000)}}}',
    "concerns": lambda chance: f'["{uuid.UUID(int=chance.getrandbits(128)).hex}"]',
    "hash": lambda chance: f"{chance.getrandbits(256):064x}",
}


def change(column: str) -> Edit:
    def edit(chance: random.Random, n: int) -> set[tuple[int, Reason]]:
        sql(f"UPDATE network_auditentry SET {column} = %s WHERE n = %s", VALUES[column](chance), n)
        return {(n, Reason.CHANGED)}

    edit.__name__ = f"change_{column}"
    return edit


def delete(chance: random.Random, n: int) -> set[tuple[int, Reason]]:
    sql("DELETE FROM network_auditconcern WHERE entry_id = %s", n)
    sql("DELETE FROM network_auditentry WHERE n = %s", n)
    return {(n, Reason.CUT_OFF if n == ENTRIES else Reason.MISSING)}


def move(after: int, by: int) -> None:
    """Give the rows after a number other numbers, their index rows too."""
    far = 10**6
    for step in (far, by - far):
        sql("UPDATE network_auditconcern SET entry_id = entry_id + %s WHERE entry_id > %s", step, after)
        sql("UPDATE network_auditentry SET n = n + %s WHERE n > %s", step, after)


def delete_and_close_the_gap(chance: random.Random, n: int) -> set[tuple[int, Reason]]:
    expected = delete(chance, n)
    move(n, -1)
    # Only the rows after it say that it is not a change: of the last but one there is no second witness.
    return expected if n < ENTRIES - 1 else set()


def insert(chance: random.Random, n: int) -> set[tuple[int, Reason]]:
    """Put in a copy of another entry, with a hash that fits it or not."""
    move(n - 1, 1)
    forged = AuditEntry.objects.exclude(n__gte=n).order_by("n").last() or AuditEntry.objects.get(n=n + 1)
    before = AuditEntry.objects.filter(n=n - 1).values_list("hash", flat=True).first() or ""
    forged.n, forged.subject, forged.concerns = n, "f" * 32, []
    if chance.random() < 0.5:
        forged.hash = audit.as_hashed(forged).hash_after(before)
    forged.save(force_insert=True)
    return {(n, Reason.INSERTED)}


def append(chance: random.Random, n: int) -> set[tuple[int, Reason]]:
    forged = AuditEntry.objects.get(n=ENTRIES)
    before, forged.n, forged.concerns = forged.hash, ENTRIES + 1, []
    forged.hash = audit.as_hashed(forged).hash_after(before)
    forged.save(force_insert=True)
    return {(ENTRIES + 1, Reason.INSERTED)}


def swap(chance: random.Random, n: int) -> set[tuple[int, Reason]]:
    other = chance.choice([m for m in range(1, ENTRIES + 1) if m != n and (m % 3 == 0) == (n % 3 == 0)])
    return exchange(n, other)


def swap_neighbours(chance: random.Random, n: int) -> set[tuple[int, Reason]]:
    return exchange(*((n, n + 1) if n < ENTRIES else (n - 1, n)))


def exchange(one: int, other: int) -> set[tuple[int, Reason]]:
    for old, new in ((one, 10**6), (other, one), (10**6, other)):
        sql("UPDATE network_auditconcern SET entry_id = %s WHERE entry_id = %s", new, old)
        sql("UPDATE network_auditentry SET n = %s WHERE n = %s", new, old)
    return {(one, Reason.REORDERED), (other, Reason.REORDERED)}


def set_head_back(chance: random.Random, n: int) -> set[tuple[int, Reason]]:
    sql("UPDATE network_audithead SET n = %s", n - 1)
    return {(n, Reason.INSERTED)}


def set_head_on(chance: random.Random, n: int) -> set[tuple[int, Reason]]:
    sql("UPDATE network_audithead SET n = n + %s", n)
    return {(ENTRIES + n, Reason.CUT_OFF)}


def change_head(chance: random.Random, n: int) -> set[tuple[int, Reason]]:
    sql("UPDATE network_audithead SET hash = %s", VALUES["hash"](chance))
    return {(ENTRIES, Reason.HEAD)}


def delete_head(chance: random.Random, n: int) -> set[tuple[int, Reason]]:
    sql("DELETE FROM network_audithead")
    return {(1, Reason.INSERTED)}


def unindex(chance: random.Random, n: int) -> set[tuple[int, Reason]]:
    n = 3 * chance.randrange(1, ENTRIES // 3)
    sql("DELETE FROM network_auditconcern WHERE entry_id = %s", n)
    return {(n, Reason.CONCERNS)}


def index(chance: random.Random, n: int) -> set[tuple[int, Reason]]:
    sql("INSERT INTO network_auditconcern (entry_id, authority_id) VALUES (%s, %s)", n, _uuid(chance))
    return {(n, Reason.CONCERNS)}


KINDS: list[Edit] = [
    *(change(column) for column in VALUES),
    *(delete, delete_and_close_the_gap, insert, append, swap, swap_neighbours),
    *(set_head_back, set_head_on, change_head, delete_head, unindex, index),
]


def test_an_untouched_chain_holds(chain: None) -> None:
    report = audit.verify_chain()
    assert report.faults == []
    assert (report.entries, report.head) == (ENTRIES, AuditHead.objects.get().hash)


def test_two_hundred_hand_made_edits_are_all_found_and_named(chain: None) -> None:
    chance = random.Random(20261122)
    for number in range(EDITS):
        edit = KINDS[number % len(KINDS)]
        n = chance.randrange(1, ENTRIES + 1)
        with undone():
            expected = edit(chance, n)
            found = named()
            assert found, (edit.__name__, n)
            assert expected <= found, (edit.__name__, n, found)
    assert faults() == []


@pytest.mark.parametrize("edit", KINDS, ids=lambda edit: edit.__name__)
def test_one_edit_in_the_middle_names_little_else(chain: None, edit: Edit) -> None:
    with undone():
        expected = edit(random.Random(1), 20)
        others = {n for n, _ in named()} - {n for n, _ in expected}
    # The rest of a chain without its head, or behind a head set back, is named with it.
    assert edit in {delete_head, set_head_back, set_head_on} or len(others) <= 1, others


def test_several_edits_are_all_named(chain: None) -> None:
    sql("UPDATE network_auditentry SET act = 'thing:undo' WHERE n IN (5, 6, 20)")
    delete(random.Random(), 11)
    assert {(5, Reason.CHANGED), (6, Reason.CHANGED), (20, Reason.CHANGED), (11, Reason.MISSING)} == named()


@pytest.mark.parametrize(
    ("column", "value"),
    [("at", "yesterday"), ("facts", "{"), ("concerns", "{"), ("authority_id", "nobody")],
)
def test_a_row_that_cannot_be_read_is_named(chain: None, column: str, value: str) -> None:
    if connection.vendor == "postgresql":
        return  # it takes no such value
    sql("PRAGMA ignore_check_constraints = ON")
    sql(f"UPDATE network_auditentry SET {column} = %s WHERE n = 20", value)
    assert (20, Reason.CHANGED) in named()


def test_a_chain_rewritten_with_its_head_is_found_by_a_noted_hash(chain: None) -> None:
    noted = {ENTRIES: AuditHead.objects.get().hash}
    AuditConcern.objects.filter(entry_id=ENTRIES).delete()
    AuditEntry.objects.filter(n=ENTRIES).delete()
    last = AuditEntry.objects.get(n=ENTRIES - 1)
    AuditHead.objects.update(n=last.n, hash=last.hash)
    assert faults() == []
    assert audit.verify_chain(noted).faults == [Fault(ENTRIES, Reason.CHANGED)]


def test_the_command_prints_count_and_head_or_every_fault(
    chain: None, capsys: pytest.CaptureFixture[str]
) -> None:
    head = AuditHead.objects.get().hash
    call_command("audit_verify", noted=[f"{ENTRIES}:{head}"])
    assert f"{ENTRIES} entries" in (said := capsys.readouterr().out)
    assert head in said
    sql("UPDATE network_auditentry SET act = 'thing:undo' WHERE n IN (5, 20)")
    with pytest.raises(CommandError) as refusal:
        call_command("audit_verify")
    assert "5: changed" in str(refusal.value)
    assert "20: changed" in str(refusal.value)
    with pytest.raises(CommandError, match="NUMBER:HASH"):
        call_command("audit_verify", noted=["x"])
