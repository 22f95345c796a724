"""A device follows the log, against logs that lie (L1 to L8, M9)."""

from copy import copy
from typing import Any

import pytest

from messaging.sealed.encoding import decode, encode
from messaging.sealed.errors import Refused
from messaging.sealed.follower import FRESH_SECONDS, FUTURE_SECONDS, ROOTS_KEPT, Follower, load_follower
from messaging.sealed.keyring import NewestKeyrings
from messaging.sealed.message import LogPlace, read_message
from messaging.sealed.receipt import server_key_id
from messaging.sealed.restore import SUBJECT, Restore, check_announced, check_restore, make_restore
from messaging.sealed.transparency import (
    FullTree,
    Leaf,
    log_label,
)
from tests.sealed.log_world import LABELS, LogServer, keyring_leaf
from tests.sealed.test_client import NOTE, mailbox_of, read
from tests.sealed.world import NET, START, ThreadServer, World, seed, world

DAY = 24 * 3600


def code(refused: pytest.ExceptionInfo[Refused]) -> str:
    return f"{refused.value.rule} {refused.value.code}"


def log_of(made: World, *, a: int = 1) -> LogServer:
    """A log with the keyrings of A (to entry ``a``), B and C."""
    log = LogServer(made.server_key)
    for party, last in ((made.a, a), (made.b, None), (made.c, None)):
        log.log_party(party, last=last)
    return log


# --- following


def test_l2_a_device_follows_in_steps_and_knows_the_newest_of_all() -> None:
    made = world()
    log = log_of(made, a=0)
    client = log.followed(at=START)
    assert client.newest(made.a.principal) == (client.newest(made.a.principal))
    log.log_party(made.a, first=1)
    client.follow(log.note(at=START + 60), log.leaves[client.tree.size :], now=START + 60)
    for party in (made.a, made.b, made.c):
        pin = client.newest(party.principal)
        assert pin is not None
        assert (pin.n, pin.head) == (party.newest.n, party.newest.head)
    assert client.newest(seed("nobody")) is None
    assert client.fresh_at == START + 60
    assert client.evidence == []


def test_l5_a_long_way_followed_at_once_is_remembered_as_if_followed_in_steps() -> None:
    log = log_of(world())
    for number in range(ROOTS_KEPT + 40):
        log.append(Leaf("bundle", seed("bundle label"), number, seed(f"bundle {number}")))
    whole, stepwise = log.followed(), log.follower()
    for size in range(1, log.tree.size + 1, 7):
        stepwise.follow(log.note(size), log.leaves[stepwise.tree.size : size], now=START)
    stepwise.follow(log.note(), log.leaves[stepwise.tree.size :], now=START)
    assert whole.roots == stepwise.roots
    sizes = range(log.tree.size - ROOTS_KEPT + 1, log.tree.size + 1)
    assert whole.roots == {size: log.tree.at(size).root for size in sizes}


def test_l2_missing_altered_and_exchanged_leaves_are_refused() -> None:
    made = world()
    log = log_of(made)
    altered = [*log.leaves[:1], keyring_leaf(made.b, 9, seed("x")).encode(), *log.leaves[2:]]
    for leaves, said in (
        (log.leaves[:-1], "L2 missing-leaves"),
        ([*log.leaves[:-1], b"no leaf"], "L2 bad-leaf"),
        (altered, "L5 inconsistent-log"),
        (log.leaves[::-1], "L5 inconsistent-log"),
    ):
        client = log.follower()
        with pytest.raises(Refused) as refused:
            client.follow(log.note(), leaves, now=START)
        assert code(refused) == said
        assert (client.tree.size, client.chained, client.fresh_at) == (0, {}, 0)


def test_l2_an_entry_the_log_has_and_the_server_withholds_is_noticed() -> None:
    made = world()
    client = log_of(made).followed()
    with pytest.raises(Refused) as refused:
        client.check_newest(made.a.links[0].state)
    assert code(refused) == "L2 withheld-entry"
    client.check_newest(made.a.newest)


def test_l1_an_entry_that_is_not_logged_is_not_sealed_to() -> None:
    made = world()
    client = log_of(made, a=0).followed()
    for state in (made.a.newest, made.secretariat.newest):
        with pytest.raises(Refused) as refused:
            client.check_newest(state)
        assert code(refused) == "L1 not-logged"
    client.check_newest(made.b.newest)


def test_l3_two_leaves_for_one_place_freeze_that_principal_only() -> None:
    made = world()
    log = log_of(made)
    log.append(keyring_leaf(made.a, 1, seed("ghost")))
    client = log.followed()
    assert [each.code for each in client.evidence] == ["contradicting-leaves"]
    with pytest.raises(Refused) as refused:
        client.check_newest(made.a.newest)
    assert code(refused) == "L3 contradicting-leaves"
    client.check_newest(made.b.newest)
    again = load_follower(NET, log.key.public, LABELS, client.export_state())
    with pytest.raises(Refused):
        again.check_newest(made.a.newest)


def test_l3_a_lower_number_and_a_repeated_leaf_freeze() -> None:
    made = world()
    for n, head in ((0, made.a.links[0].state.head), (1, made.a.newest.head)):
        log = log_of(made)
        log.append(keyring_leaf(made.a, n, head))
        with pytest.raises(Refused) as refused:
            log.followed().check_newest(made.a.newest)
        assert code(refused) == "L3 contradicting-leaves"


def test_l3_a_logged_entry_that_the_own_devices_did_not_sign_is_an_alarm() -> None:
    made = world()
    log = LogServer(made.server_key)
    log.append(keyring_leaf(made.a, 1, seed("ghost device")))
    client = log.followed()
    with pytest.raises(Refused) as refused:
        client.check_newest(made.a.newest)
    assert code(refused) == "L3 contradicting-leaves"
    assert client.evidence


def test_l3_statements_may_share_a_label() -> None:
    made = world()
    log = log_of(made)
    for value in ("one", "two", "one"):
        log.append(Leaf("confirm", seed("label"), 0, seed(value)))
    assert log.followed().evidence == []


def test_l4_nothing_is_fresh_after_a_day_or_before_the_first_checkpoint() -> None:
    made = world()
    log = log_of(made)
    client = log.followed(at=START)
    client.check_fresh(START + FRESH_SECONDS)
    with pytest.raises(Refused) as refused:
        client.check_fresh(START + FRESH_SECONDS + 1)
    assert code(refused) == "L4 stale-checkpoint"
    client.follow(log.note(at=START + 2 * DAY), [], now=START + 2 * DAY)
    client.check_fresh(START + 2 * DAY)
    with pytest.raises(Refused) as refused:
        log.follower().check_fresh(START)
    assert code(refused) == "L4 stale-checkpoint"


def test_l4_the_log_s_own_word_is_not_a_witness_s() -> None:
    made = world()
    log = log_of(made)
    client = log.follower(witnesses=("north.example", "south.example"), quorum=2)
    client.follow(log.note(witnesses=("north.example",)), log.leaves, now=START)
    with pytest.raises(Refused) as refused:
        client.check_fresh(START)
    assert code(refused) == "L4 stale-checkpoint"
    client.refresh(log.note(at=START + 5, witnesses=("north.example", "south.example")), now=START + 5)
    client.check_fresh(START + 5)


def test_l4_an_older_state_that_witnesses_signed_counts_if_it_was_passed() -> None:
    made = world()
    log = log_of(made)
    client = log.follower(witnesses=("north.example",), quorum=1)
    client.follow(log.note(), log.leaves, now=START)
    client.refresh(log.note(2, at=START + 5, witnesses=("north.example",)), now=START + 5)
    client.check_fresh(START + 5)
    other = LogServer(log.key)
    for number in range(2):
        other.append(keyring_leaf(made.c, number, seed("other")))
    with pytest.raises(Refused) as refused:
        client.refresh(other.note(at=START + 6, witnesses=("north.example",)), now=START + 6)
    assert code(refused) == "L5 forked-log"


def test_l4_witnesses_once_known_stay() -> None:
    made = world()
    log = log_of(made)
    client = log.follower(witnesses=("north.example",), quorum=1)
    client.follow(log.note(witnesses=("north.example",)), log.leaves, now=START)
    again = load_follower(NET, log.key.public, LABELS, client.export_state())
    assert (again.quorum, again.witnesses) == (1, client.witnesses)
    alone = Follower(NET, log.key.public, LABELS, (), 1)
    with pytest.raises(Refused) as refused:
        alone.check_fresh(START)
    assert code(refused) == "L4 too-few-witnesses"


def test_l5_smaller_and_future_checkpoints_are_refused_and_kept() -> None:
    made = world()
    log = log_of(made)
    client = log.followed()
    with pytest.raises(Refused) as refused:
        client.follow(log.note(2), [], now=START)
    assert code(refused) == "L5 smaller-checkpoint"
    assert [each.code for each in client.evidence] == ["smaller-checkpoint"]
    with pytest.raises(Refused) as refused:
        client.follow(log.note(at=START + FUTURE_SECONDS + 1), [], now=START)
    assert code(refused) == "L5 future-checkpoint"
    client.follow(log.note(at=START + FUTURE_SECONDS), [], now=START)


def test_l5_two_states_of_one_size_stop_everything_for_good() -> None:
    made = world()
    log, other = log_of(made), log_of(made)
    client = log.followed()
    other.leaves.clear()
    other.tree = FullTree()
    for party in (made.c, made.b, made.a):
        other.log_party(party)
    with pytest.raises(Refused) as refused:
        client.follow(other.note(), [], now=START)
    assert code(refused) == "L5 forked-log"
    assert client.evidence[0].kept == log.note()
    assert client.evidence[0].given == other.note()
    again = load_follower(NET, log.key.public, LABELS, client.export_state())
    for one in (client, again):
        with pytest.raises(Refused) as refused:
            one.check_fresh(START)
        assert code(refused) == "L5 forked-log"


def test_l5_another_label_key_is_refused() -> None:
    client = log_of(world()).followed()
    with pytest.raises(Refused) as refused:
        load_follower(NET, client.server_key, seed("another"), client.export_state())
    assert code(refused) == "L5 label-key-changed"


def test_l5_much_evidence_is_not_kept_for_ever() -> None:
    log = log_of(world())
    client = log.followed()
    for at in range(40):
        with pytest.raises(Refused):
            client.follow(log.note(1, at=START - at), [], now=START)
    assert len(client.evidence) == 16


# --- what messages say of the log


def test_l6_a_sender_who_saw_more_is_followed_first() -> None:
    made = world()
    log = log_of(made)
    client = log.followed(2)
    place = LogPlace(log.tree.size, log.tree.at(log.tree.size).root)
    assert client.is_behind(place)
    with pytest.raises(Refused) as refused:
        client.check_message(place)
    assert code(refused) == "L6 log-withheld"
    client.follow(log.note(), log.leaves[2:], now=START)
    client.check_message(place)
    client.check_message(None)


def test_l6_a_sender_who_was_shown_another_log_is_noticed() -> None:
    log = log_of(world())
    client = log.followed()
    for size in (1, 3, log.tree.size):
        client.check_message(LogPlace(size, log.tree.at(size).root))
        with pytest.raises(Refused) as refused:
            client.check_message(LogPlace(size, seed("other root")))
        assert code(refused) == "L6 other-log"


def test_l6_t8_the_thread_stops_when_its_members_were_shown_two_logs() -> None:
    made = world()
    log, ghost = log_of(made), log_of(made)
    ghost.append(keyring_leaf(made.c, 1, seed("ghost")))
    sender = mailbox_of(made, made.a, made.elin)
    read(sender, made)
    sender.log = ghost.followed()
    sealed = sender.seal(made.server.state.thread, NOTE, at=START)
    reader = mailbox_of(made, made.b, made.femi)
    read(reader, made)
    reader.log = log.followed()
    server = _serve(made)
    server.receive_message(sealed, made.keyrings())
    with pytest.raises(Refused) as refused:
        reader.apply_item(server.items[-1])
    assert code(refused) == "L6 log-withheld"
    log.append(keyring_leaf(made.c, 1, seed("another")))
    reader.log.follow(log.note(), log.leaves[reader.log.tree.size :], now=START)
    with pytest.raises(Refused) as refused:
        reader.apply_item(server.items[-1])
    assert code(refused) == "T8 forked-thread"
    with pytest.raises(Refused):
        reader.seal(server.state.thread, NOTE, at=START)


def _serve(made: World) -> ThreadServer:
    """A copy of the world's server, to send to."""
    server = copy(made.server)
    server.items, server.states, server.ids = [*server.items], [*server.states], {*server.ids}
    return server


# --- what outlives the process


def test_l7_a_device_goes_on_where_it_stood() -> None:
    made = world()
    log = log_of(made)
    client = log.followed(3)
    again = load_follower(NET, log.key.public, LABELS, client.export_state())
    assert again == client
    again.follow(log.note(), log.leaves[3:], now=START)
    again.check_newest(made.b.newest)
    with pytest.raises(Refused):
        load_follower(NET, log.key.public, LABELS, again.export_state()).follow(log.note(3), [], now=START)


def test_l7_what_is_stored_of_the_log_must_hold_together() -> None:
    client = log_of(world()).followed(3)
    stored = decode(client.export_state())
    assert isinstance(stored, dict)
    for name, value in (
        ("tree", [4, []]),
        ("tree", [3, [bytes(32)]]),
        ("labels", b""),
        ("witnesses", [1, ["x"]]),
        ("chained", [[]]),
    ):
        with pytest.raises(Refused) as refused:
            load_follower(NET, client.server_key, LABELS, encode({**stored, name: value}))  # type: ignore[dict-item]
        assert code(refused) == "L7 bad-log-state"


def test_l8_a_log_put_back_to_an_earlier_day_is_refused_even_when_it_grows_again() -> None:
    made = world()
    log = log_of(made)
    client = log.followed()
    back = LogServer(log.key)
    back.log_party(made.a)
    for number in range(20):
        back.append(keyring_leaf(made.secretariat, number, seed(f"later {number}")))
    with pytest.raises(Refused) as refused:
        client.follow(back.note(), back.leaves[client.tree.size :], now=START)
    assert code(refused) == "L5 inconsistent-log"
    with pytest.raises(Refused) as refused:
        client.follow(back.note(1), [], now=START)
    assert code(refused) == "L5 smaller-checkpoint"


def test_l8_a_restore_counts_while_it_is_the_newest_in_the_log() -> None:
    made = world()
    log = log_of(made)
    place = LogPlace(log.tree.size, log.tree.at(log.tree.size).root)
    by, secretariat = made.secretariat.by(), made.secretariat

    def restored(serial: int, place: LogPlace = place) -> Restore:
        said: dict[str, Any] = {"serial": serial, "log": place, "cause": "a broken disk", "at": START}
        acts = [
            make_restore(NET, by=by, kid=device.id, key=device.signing_key, **said)
            for device in secretariat.devices.values()
        ]
        kid = server_key_id(NET, made.server_key.public)
        raw = make_restore(NET, by=None, kid=kid, key=made.server_key, acts=acts, **said)
        keyrings = NewestKeyrings({secretariat.principal: secretariat.newest})
        return check_restore(NET, made.server_key.public, raw, keyrings, secretariat.principal)

    first, second = restored(0), restored(1)
    label = log_label(LABELS, "restore", SUBJECT)
    for found, announced in ((first, second), (second, first)):
        with pytest.raises(Refused) as refused:
            check_announced(log.followed(), found)
        assert code(refused) == "L8 not-announced"
        log.append(Leaf("restore", label, found.serial, found.statement.hash))
        check_announced(log.followed(), found)
        with pytest.raises(Refused) as refused:
            check_announced(log.followed(), announced)
        assert code(refused) == "L8 not-announced"
    other = restored(2, LogPlace(place.size, seed("another log")))
    log.append(Leaf("restore", label, 2, other.statement.hash))
    with pytest.raises(Refused) as refused:
        check_announced(log.followed(), other)
    assert code(refused) == "L6 other-log"


# --- M9 by the log


def test_m9_nothing_is_sealed_before_the_log_is_fresh_and_has_every_member() -> None:
    made = world()
    sender = mailbox_of(made, made.a, made.elin)
    read(sender, made)
    thread = made.server.state.thread
    log = log_of(made, a=0)
    sender.log = log.follower()
    for now, said in (
        (START, "L4 stale-checkpoint"),
        (START + DAY + 1, "L4 stale-checkpoint"),
        (START, "L1 not-logged"),
    ):
        if said == "L1 not-logged":
            sender.log = log.followed()
        with pytest.raises(Refused) as refused:
            sender.seal(thread, NOTE, at=now)
        assert code(refused) == said
    assert thread not in sender.signed or sender.signed[thread].pending is None
    log.log_party(made.a, first=1)
    sender.log.follow(log.note(), log.leaves[sender.log.tree.size :], now=START)
    sealed = sender.seal(thread, NOTE, at=START)
    assert read_message(NET, sealed.item).log == LogPlace(log.tree.size, log.tree.at(log.tree.size).root)


def test_m9_a_new_thread_and_a_refresh_ask_the_log_too() -> None:
    made = world()
    sender = mailbox_of(made, made.a, made.elin)
    read(sender, made)
    sender.log = log_of(made, a=0).followed()
    with pytest.raises(Refused) as refused:
        sender.open_thread([made.b.principal], NOTE, at=START)
    assert code(refused) == "L1 not-logged"
    with pytest.raises(Refused) as refused:
        sender.refresh(made.server.state.thread, at=START)
    assert code(refused) == "L1 not-logged"
    sender.log = log_of(made).followed()
    assert sender.open_thread([made.b.principal], NOTE, at=START).messages
