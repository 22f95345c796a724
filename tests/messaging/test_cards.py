"""Cards: what a list shows of a thread, kept for one authority's devices, replaced by who knows them."""

from dataclasses import replace
from typing import Any

import pytest

from messaging.models import Card
from messaging.sealed.keyring import KeyringState
from messaging.sealed.own_cards import OwnCards, SeenCard
from tests.factories import Offices, Workplace, call, change_keyring, code_of, now, to_bytes, to_text
from tests.messaging.test_membership import admit, learn_everybody
from tests.personas import Cast

pytestmark = pytest.mark.django_db


def make(desk: Workplace, thread: str) -> tuple[str, str]:
    """Return the id of a new card at the end of a thread, and the card."""
    desk.read(thread)
    card = OwnCards(desk.mailbox).seal(bytes.fromhex(thread))
    return card.id.hex(), to_text(card.encode())


def keep(desk: Workplace, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    """Hand cards in; returns the answers."""
    places: list[dict[str, Any]] = desk.post("/cards", {"cards": list(rows)})["cards"]
    return places


def look(desk: Workplace, thread: str) -> SeenCard:
    """Return the card as a desk takes it."""
    row = desk.get(f"/threads/{thread}")
    return OwnCards(desk.mailbox).read(bytes.fromhex(thread), to_bytes(row["card"]), row["seq"])


def own(desk: Workplace) -> KeyringState:
    """Return the newest state of the own keyring."""
    state = desk.mailbox.newest(desk.mailbox.principal)
    assert state
    return state


def test_officer_a_s_card_names_the_thread_to_her_colleagues_and_to_nobody_else(offices: Offices) -> None:
    a, b = offices.officer_a, offices.officer_b
    thread = a.open_thread(b, "Good morning.")
    assert look(a, thread).standing == "missing"
    _, card = make(a, thread)
    assert keep(a, {"thread": thread, "card": card}) == [{"thread": thread, "is_kept": True, "card": None}]
    offices.supervisor_a.learn(a.mailbox.principal)
    seen = look(offices.supervisor_a, thread)
    assert (seen.standing, seen.text and seen.text.turn) == ("current", "them")
    assert b.get(f"/threads/{thread}")["card"] is None
    assert b.get("/threads")["threads"][0]["card"] is None
    assert [row["card"] for row in b.get("/cards")["cards"]] == [None]
    assert a.get("/threads")["threads"][0]["card"] == card
    assert a.get("/cards") == {"cards": [{"thread": thread, "seq": 2, "card": card}], "next": None}


def test_a_card_older_than_its_thread_says_so_and_is_made_anew(offices: Offices) -> None:
    a, b = offices.officer_a, offices.officer_b
    thread = a.open_thread(b)
    first, card = make(a, thread)
    keep(a, {"thread": thread, "card": card})
    b.send(thread, "An answer.")
    assert look(a, thread).standing == "older"
    second, newer = make(a, thread)
    assert keep(a, {"thread": thread, "card": newer, "instead": first})[0]["is_kept"]
    seen = look(a, thread)
    assert seen.text
    assert (seen.standing, seen.text.turn, seen.text.came) == ("current", "us", (3,))
    assert seen.id
    assert seen.id.hex() == second


def test_only_who_knows_the_card_replaces_it(offices: Offices) -> None:
    a, colleague = offices.officer_a, offices.supervisor_a
    thread = a.open_thread(offices.officer_b)
    first, one = make(a, thread)
    keep(a, {"thread": thread, "card": one})
    second, other = make(colleague, thread)
    for instead in (None, second, "00" * 16):
        answer = keep(colleague, {"thread": thread, "card": other, "instead": instead})
        assert answer == [{"thread": thread, "is_kept": False, "card": one}]
    assert keep(a, {"thread": thread, "card": one, "instead": "11" * 16})[0][
        "is_kept"
    ]  # the same bytes again
    assert keep(colleague, {"thread": thread, "card": other, "instead": first})[0]["is_kept"]
    assert Card.objects.get().card == second


def test_one_card_that_was_replaced_meanwhile_keeps_the_others_from_nothing(offices: Offices) -> None:
    a = offices.officer_a
    threads = sorted(a.open_thread(offices.officer_b) for _ in range(3))
    made = {thread: make(a, thread)[1] for thread in threads}
    keep(a, {"thread": threads[1], "card": made[threads[1]]})
    again = {thread: make(a, thread)[1] for thread in threads}
    answers = keep(a, *({"thread": thread, "card": again[thread]} for thread in threads))
    assert [row["is_kept"] for row in answers] == [True, False, True]
    assert answers[1]["card"] == made[threads[1]]


def test_a_removed_device_s_generation_is_below_the_floor_and_its_card_not_taken(
    offices: Offices, cast: Cast
) -> None:
    a, steward = offices.officer_a, offices.supervisor_a
    thread = a.open_thread(offices.officer_b)
    first, card = make(steward, thread)
    keep(steward, {"thread": thread, "card": card})
    change_keyring(steward, steward.mailbox.stewardship.removal([a.mailbox.device.id]))
    assert look(steward, thread).standing == "unverified"
    old = replace(OwnCards(a.mailbox).seal(bytes.fromhex(thread)))
    row = {"thread": thread, "card": to_text(old.encode()), "instead": first}
    steward.learn(steward.mailbox.principal)
    assert code_of(call(steward.http, "POST", "/cards", {"cards": [row]})) == (409, "stale-keyring")
    beyond = replace(old, m=own(steward).n + 1)
    row["card"] = to_text(beyond.encode())
    assert code_of(call(steward.http, "POST", "/cards", {"cards": [row]})) == (409, "stale-keyring")
    _, fresh = make(steward, thread)
    assert keep(steward, {"thread": thread, "card": fresh, "instead": first})[0]["is_kept"]
    assert look(steward, thread).standing == "current"


@pytest.mark.parametrize("seq", [0, 3])
def test_a_card_of_a_place_that_the_thread_does_not_have_is_refused(offices: Offices, seq: int) -> None:
    a = offices.officer_a
    thread = a.open_thread(offices.officer_b)
    card = replace(OwnCards(a.mailbox).seal(bytes.fromhex(thread)), seq=seq)
    body = {"cards": [{"thread": thread, "card": to_text(card.encode())}]}
    assert code_of(call(a.http, "POST", "/cards", body)) == (422, "wrong-card")
    assert not Card.objects.exists()


@pytest.mark.parametrize("raw", [b"", b"\x85", b"\0" * 640])
def test_what_is_no_card_is_refused(offices: Offices, raw: bytes) -> None:
    a = offices.officer_a
    thread = a.open_thread(offices.officer_b)
    response = call(a.http, "POST", "/cards", {"cards": [{"thread": thread, "card": to_text(raw)}]})
    assert response.status_code == 422
    assert not Card.objects.exists()


def test_supervisor_c_cannot_tell_a_foreign_thread_from_none_by_its_card(offices: Offices) -> None:
    a, c = offices.officer_a, offices.supervisor_c
    thread = a.open_thread(offices.officer_b)
    _, card = make(a, thread)
    answers = [
        call(c.http, "POST", "/cards", {"cards": [{"thread": wanted, "card": card}]})
        for wanted in (thread, "ab" * 32)
    ]
    assert {response.status_code for response in answers} == {404}
    assert answers[0].content == answers[1].content
    assert c.get("/cards")["cards"] == []
    assert not Card.objects.exists()


def test_who_has_left_keeps_the_card_of_the_thread_as_it_was_then(offices: Offices) -> None:
    a, c = offices.supervisor_a, offices.supervisor_c
    thread = offices.officer_a.open_thread(offices.officer_b, "Before.")
    a.post(f"/threads/{thread}/entries", admit(offices, thread))
    offices.officer_b.send(thread, "With C.")
    learn_everybody(a, c)
    c.read(thread)
    _, card = make(c, thread)
    keep(c, {"thread": thread, "card": card})
    a.read(thread)
    made = a.mailbox.membership.drop(bytes.fromhex(thread), [c.mailbox.principal], at=now())
    a.post(f"/threads/{thread}/entries", {"entry": to_text(made.entry), "envelopes": to_text(made.envelopes)})
    offices.officer_a.send(thread, "Without C.")
    row = c.get("/cards")["cards"][0]
    assert (row["seq"], row["card"]) == (c.get(f"/threads/{thread}")["seq"], card)


def test_all_cards_come_a_page_at_a_time_the_newest_change_first(offices: Offices) -> None:
    a = offices.officer_a
    threads = [a.open_thread(offices.officer_b) for _ in range(5)]
    found: list[str] = []
    before = ""
    for _ in range(3):
        page = a.get(f"/cards?limit=2&before={before}")
        found += [row["thread"] for row in page["cards"]]
        before = page["next"] or ""
    assert (found, before) == (threads[::-1], "")
    assert code_of(call(a.http, "GET", "/cards?before=x")) == (422, "invalid-cursor")
