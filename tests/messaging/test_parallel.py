"""Several people at the same moment: exactly one wins, nobody's acknowledged message is lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from messaging.models import KeyringEntry, Principal, Thread, ThreadItem
from tests.factories import (
    Offices,
    Workplace,
    addition_form,
    answer,
    call,
    code_of,
    keyring_form,
    open_offices,
    request_device,
)
from tests.personas import make_cast

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 6


@pytest.fixture
def open_for_all(transactional_db: None) -> Offices:
    """Give authorities at work in a database whose commits are real."""
    return open_offices(make_cast())


def together(*calls: Callable[[], Any]) -> list[Any]:
    """Begin all calls at the same moment, each with a connection of its own; returns their results."""
    barrier = Barrier(len(calls))

    def run(one: Callable[[], Any]) -> Any:
        barrier.wait(timeout=10)
        try:
            return one()
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=len(calls)) as threads:
        return list(threads.map(run, calls))


def begin(offices: Offices) -> str:
    thread = offices.officer_a.open_thread(offices.officer_b)
    for workplace in (offices.supervisor_a, offices.officer_b, offices.supervisor_b):
        workplace.learn(workplace.mailbox.principal)
        workplace.read(thread)
    return thread


def test_messages_sent_at_the_same_moment_all_arrive_in_one_order(open_for_all: Offices) -> None:
    offices, thread = open_for_all, begin(open_for_all)
    senders = [offices.officer_a, offices.supervisor_a, offices.officer_b, offices.supervisor_b]
    sealed = [(sender, sender.seal(thread, f"From {sender.persona.name}.")) for sender in senders]
    results = together(*[lambda one=one: one[0].append(one[1])[0]["seq"] for one in sealed])
    assert sorted(results) == [3, 4, 5, 6]
    for workplace in senders:
        workplace.read(thread)
    assert (
        len({workplace.mailbox.threads[bytes.fromhex(thread)].transcripts[-1] for workplace in senders}) == 1
    )


def test_the_same_message_sent_many_times_at_once_is_stored_once(open_for_all: Offices) -> None:
    thread = begin(open_for_all)
    sealed = open_for_all.officer_a.seal(thread, "Once.")
    results = together(*[lambda: open_for_all.officer_a.append(sealed)] * MANY)
    assert all(result == results[0] for result in results)
    assert results[0][0]["seq"] == 3
    assert ThreadItem.objects.filter(thread_id=thread).count() == 3


def test_of_two_entries_for_the_same_place_exactly_one_wins(open_for_all: Offices) -> None:
    thread = begin(open_for_all)
    workplaces = (open_for_all.officer_a, open_for_all.officer_b, open_for_all.supervisor_a)
    forms = [(workplace, workplace.refresh_form(thread)) for workplace in workplaces]

    def extend(workplace: Workplace, form: dict[str, str]) -> object:
        response = call(workplace.http, "POST", f"/threads/{thread}/entries", form)
        return response.status_code if response.status_code == 200 else code_of(response)

    results = together(*[lambda one=one: extend(*one) for one in forms])
    assert sorted(map(str, results)) == ["(409, 'stale-epoch')", "(409, 'stale-epoch')", "200"]
    assert Thread.objects.get().n == 1
    assert ThreadItem.objects.filter(type="entry").count() == 2


def test_a_message_and_an_entry_at_once_leave_a_chain_that_holds(open_for_all: Offices) -> None:
    thread = begin(open_for_all)
    a, b = open_for_all.officer_a, open_for_all.officer_b
    sealed, form = a.seal(thread, "Before or after?"), b.refresh_form(thread)
    path = f"/threads/{thread}/entries"
    (result,), response = together(lambda: a.append(sealed), lambda: call(b.http, "POST", path, form))
    if "error" in result:
        assert result["error"]["code"] == "stale-epoch"
        assert response.status_code == 200
    else:
        assert result["seq"] == 3
        assert code_of(response) == (409, "stale-transcript")
    b.read(thread)


def test_of_two_additions_to_a_keyring_exactly_one_wins(open_for_all: Offices) -> None:
    steward = open_for_all.supervisor_a
    asking = request_device(open_for_all.officer_a.persona, steward.mailbox.principal)
    forms = [addition_form(steward, asking) for _ in range(2)]
    path = f"/keyrings/{steward.principal}/entries"
    responses = together(*[lambda form=form: call(steward.http, "POST", path, form) for form in forms])
    assert sorted(response.status_code for response in responses) == [200, 409]
    assert Principal.objects.get(id=steward.principal).n == 2
    assert KeyringEntry.objects.filter(principal_id=steward.principal).count() == 3


def test_of_two_keyrings_of_one_authority_exactly_one_wins(transactional_db: None) -> None:
    supervisor = make_cast().supervisor_a
    bodies = [keyring_form(supervisor)[1] for _ in range(2)]
    clients = [supervisor.client() for _ in bodies]
    pairs = list(zip(clients, bodies, strict=True))
    responses = together(*[lambda pair=pair: call(pair[0], "POST", "/keyrings", pair[1]) for pair in pairs])
    assert sorted(response.status_code for response in responses) == [200, 409]
    assert Principal.objects.count() == 1


def test_the_same_thread_opened_many_times_at_once_is_opened_once(open_for_all: Offices) -> None:
    a = open_for_all.officer_a
    _, body = a.thread_form([open_for_all.officer_b.mailbox.principal], "Once.")
    responses = together(*[lambda: call(a.http, "POST", "/threads", body)] * MANY)
    assert len({str(answer(response)) for response in responses}) == 1
    assert Thread.objects.count() == 1
    assert ThreadItem.objects.count() == 2
