"""T1 to T4, T6 and T7: the chain of who is in a correspondence."""

from dataclasses import replace

import pytest

from messaging.sealed import envelopes as sealing
from messaging.sealed import thread
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import NewestKeyrings, mailbox_key
from tests.sealed.breaking import assert_refused, breaks
from tests.sealed.cases.base import Case
from tests.sealed.world import NET, world


@breaks("T1")
def test_t1_an_entry_out_of_order_or_with_wrong_envelopes_is_refused(case: Case) -> None:
    assert_refused(case)


@breaks("T2")
def test_t2_only_members_write_entries_and_a_refresh_changes_nobody(case: Case) -> None:
    assert_refused(case)


def test_t2_an_author_does_not_go_back_to_an_older_entry() -> None:
    made = world()
    state = replace(made.server.states[2], by_n={made.a.principal: 2})
    item = made.server.items[3]
    with pytest.raises(Refused, match="T2 author-keyring-fell"):
        thread.accept_entry(NET, state, item.item, item.envelopes or b"", made.keyrings())


@breaks("T3")
def test_t3_other_members_and_terms_are_refused(case: Case) -> None:
    assert_refused(case)


@breaks("T4")
def test_t4_a_message_of_an_older_epoch_is_refused(case: Case) -> None:
    assert_refused(case)


def test_t4_a_member_below_its_floor_needs_a_refresh() -> None:
    made = world()
    state = made.server.states[2]
    keyrings = made.keyrings()
    assert not thread.needs_refresh(NET, state, keyrings)
    raised = replace(made.a.newest, floor=1)
    raised_keyrings = NewestKeyrings({**keyrings.states, raised.principal: raised})
    assert thread.needs_refresh(NET, state, raised_keyrings)
    assert not thread.needs_refresh(NET, made.server.state, raised_keyrings)


@breaks("T6")
def test_t6_the_history_leads_to_the_entry_before(case: Case) -> None:
    assert_refused(case)


@breaks("T7")
def test_t7_a_secret_that_is_not_the_committed_one_is_refused(case: Case) -> None:
    assert_refused(case)


def test_t7_every_member_opens_the_epoch_and_the_one_before() -> None:
    made = world()
    genesis, refresh = (thread.read_entry(NET, made.server.items[place].item) for place in (0, 3))
    envelopes = sealing.read("T1", made.server.items[3].envelopes or b"")
    for party in (made.a, made.b):
        link = party.links[-1]
        key = mailbox_key(NET, party.principal, link.state.n, link.secret)
        member = next(member for member in refresh.members if member.principal == party.principal)
        secret = thread.open_epoch(NET, refresh, envelopes, member, key)
        assert secret == made.server.secrets[1]
        assert thread.open_history(NET, refresh, secret, genesis) == made.server.secrets[0]


@breaks("T8")
def test_t8_a_receipt_for_something_else_is_refused(case: Case) -> None:
    assert_refused(case)


@breaks("T5")
def test_t5_a_mandate_ends_by_time_or_by_a_withdrawal(case: Case) -> None:
    assert_refused(case)


@breaks("T9")
def test_t9_a_party_leaves_only_by_itself(case: Case) -> None:
    assert_refused(case)


@breaks("T10")
def test_t10_a_successor_is_confirmed_and_accepted(case: Case) -> None:
    assert_refused(case)
