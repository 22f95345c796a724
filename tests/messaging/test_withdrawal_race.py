"""Twenty people write at the moment when a mandate is withdrawn: its end is one moment for all of them."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from messaging.models import ThreadItem
from messaging.sealed.errors import Refused
from network.models import Authority, Role
from tests.factories import (
    Offices,
    Workplace,
    admit,
    begin_practice,
    enrol,
    now,
    open_direct,
    open_offices,
    to_text,
)
from tests.personas import make_cast, make_persona

pytestmark = pytest.mark.django_db(transaction=True)

# With the two authorities as many as a correspondence has room for; the other writers are officers.
PRACTITIONERS = 14
WRITERS = 20
PATIENCE = 60.0


@pytest.fixture
def open_for_all(transactional_db: None) -> Offices:
    """Give authorities at work in a database whose commits are real."""
    return open_offices(make_cast())


def authority_of(workplace: Workplace) -> Authority:
    """Return the authority for which this person acts."""
    membership = workplace.persona.membership
    assert membership
    return membership.authority


def practitioners_of(offices: Offices) -> list[Workplace]:
    """Return prosecutors of State A, for each of whom it answers."""
    supervisor = offices.supervisor_a
    authority = authority_of(supervisor)
    return [
        begin_practice(supervisor, make_persona(f"prosecutor_{number}", authority, Role.PRACTITIONER))
        for number in range(PRACTITIONERS)
    ]


def officers_of(offices: Offices) -> list[Workplace]:
    """Return officers of both authorities, so many that twenty people write."""
    found = [offices.officer_a, offices.officer_b]
    while len(found) + PRACTITIONERS < WRITERS:
        persona = make_persona(f"officer_{len(found)}", authority_of(offices.officer_a), Role.OFFICER)
        found.append(enrol(offices.supervisor_a, persona))
    return found


def write_until_refused(writer: Workplace, thread: str, begin: Barrier) -> tuple[int, str]:
    """Send one message after the other; returns how many were stored, and why there is none more."""
    stored = 0
    try:
        begin.wait(timeout=PATIENCE)
        while True:
            (result,) = writer.append(writer.seal(thread, f"{stored} of {writer.persona.name}."))
            if "error" in result:
                return stored, result["error"]["code"]
            stored += 1
            writer.read(thread)
    except Refused as refused:  # by the own client, which has read of the withdrawal
        return stored, refused.code
    finally:
        connection.close()


def test_nobody_is_heard_after_a_withdrawal_and_who_was_dropped_reads_nothing_of_later(
    open_for_all: Offices,
) -> None:
    offices = open_for_all
    a, b = offices.supervisor_a, offices.supervisor_b
    practitioners, officers = practitioners_of(offices), officers_of(offices)
    thread = open_direct(a, b)
    of = admit(a, b, thread, *practitioners)
    for officer in officers:
        officer.read(thread)
    before = ThreadItem.objects.filter(thread_id=thread).count()
    withdrawal = {"withdrawal": to_text(b.mailbox.membership.withdrawal(bytes.fromhex(thread), of, at=now()))}
    begin = Barrier(WRITERS + 1)
    with ThreadPoolExecutor(max_workers=WRITERS) as threads:
        writing = [
            threads.submit(write_until_refused, one, thread, begin) for one in practitioners + officers
        ]
        begin.wait(timeout=PATIENCE)
        ends = time.monotonic() + PATIENCE
        while ThreadItem.objects.filter(thread_id=thread).count() < before + WRITERS:
            assert time.monotonic() < ends, "nobody writes"
        b.post(f"/threads/{thread}/withdrawals", withdrawal)
        results = [one.result(timeout=PATIENCE) for one in writing]
    assert {code for _, code in results} == {"stale-epoch"}
    items = list(ThreadItem.objects.filter(thread_id=thread).order_by("seq").values_list("type", flat=True))
    # Not five seconds later and not one: the withdrawal has its place, and no message stands after it.
    assert items[-1] == "withdrawal"
    assert items[before:-1] == ["message"] * sum(stored for stored, _ in results)

    a.read(thread)
    last = a.post(f"/threads/{thread}/entries", a.refresh_form(thread))["seq"]
    a.send(thread, "Without the practitioners.")
    for one in practitioners:
        seen = one.get(f"/threads/{thread}/items?after={len(items)}")
        assert [row["seq"] for row in seen["items"]] == [seen["seq"]] == [last]
        one.read(thread)
        with pytest.raises(Refused, match="not-verified"):
            one.seal(thread, "Too late.")
