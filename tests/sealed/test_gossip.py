"""What messages carry of the log, and for how long urgent ones may do without a fresh one (L4, L5, L6)."""

from copy import copy
from dataclasses import replace

import pytest

from messaging.sealed.checkpoint import make_checkpoint
from messaging.sealed.client import Mailbox
from messaging.sealed.correspondence import Applied
from messaging.sealed.encoding import encode
from messaging.sealed.errors import Refused
from messaging.sealed.follower import FRESH_SECONDS
from messaging.sealed.marks import OLD_CHECKPOINT, in_order
from messaging.sealed.message import Note, Plaintext, SealedMessage, read_message
from messaging.sealed.plaintext import check_plaintext
from tests.sealed.log_world import WITNESSES, LogServer, keyring_leaf
from tests.sealed.test_client import NOTE, mailbox_of, read
from tests.sealed.test_log import code, log_of
from tests.sealed.world import NET, START, ThreadServer, World, seed, world

URGENT = Plaintext(Note("Freeze it.", urgency=2, reason="It leaves today."), "en")


class Exchange:
    """A writes from its log, B reads by its own; both began with the same thread."""

    def __init__(self) -> None:
        self.made = world()
        self.log = log_of(self.made)
        self.thread = self.made.server.state.thread
        self.sender = mailbox_of(self.made, self.made.a, self.made.elin)
        self.reader = mailbox_of(self.made, self.made.b, self.made.femi)
        for client in (self.sender, self.reader):
            read(client, self.made)
            client.log = self.log.followed()
        self.server = _copy(self.made)

    def write(self, plaintext: Plaintext = NOTE, *, at: int = START) -> SealedMessage:
        """Let A seal it, and the server take it."""
        sealed = self.sender.seal(self.thread, plaintext, at=at)
        self.server.receive_message(sealed, self.made.keyrings())
        return sealed

    def arrive(self, client: Mailbox | None = None) -> Applied:
        """Let somebody, B unless said, read the last item."""
        return (client or self.reader).apply_item(self.server.items[-1])

    def grow(self, log: LogServer, name: str = "later") -> None:
        """Another line in a log."""
        log.append(keyring_leaf(self.made.secretariat, log.tree.size, seed(name)))


def _copy(made: World) -> ThreadServer:
    server = copy(made.server)
    server.items, server.states, server.ids = [*server.items], [*server.states], {*server.ids}
    return server


def follow(client: Mailbox, log: LogServer, *, at: int = START) -> None:
    assert client.log is not None
    client.log.follow(log.note(at=at), log.leaves[client.log.tree.size :], now=at)


def sent_checkpoint(applied: Applied) -> str | None:
    assert applied.plaintext is not None
    return applied.plaintext.checkpoint


def test_l6_the_signed_checkpoint_goes_along_and_again_only_when_the_log_has_grown() -> None:
    here = Exchange()
    here.write()
    assert sent_checkpoint(here.arrive()) == here.log.note()
    here.arrive(here.sender)
    here.write()
    assert sent_checkpoint(here.arrive()) is None
    here.arrive(here.sender)
    here.grow(here.log)
    follow(here.sender, here.log)
    here.write()
    follow(here.reader, here.log)
    assert sent_checkpoint(here.arrive()) == here.log.note()
    assert here.reader.log is not None
    assert here.reader.log.evidence == []


def test_l6_a_text_that_the_checkpoint_would_make_too_long_goes_without() -> None:
    here = Exchange()
    longest = 40_960
    while True:
        plaintext = Plaintext(Note("x" * longest), "en")
        try:
            check_plaintext(plaintext)
        except Refused:
            longest -= 8
        else:
            break
    here.write(plaintext)
    applied = here.arrive()
    assert applied.failed is None
    assert sent_checkpoint(applied) is None


def altered(here: Exchange, note: str | None) -> SealedMessage:
    """What a member with a program of its own would seal: another note than it verified."""
    assert here.sender.log is not None
    here.sender.log.note = note or ""
    sealed = here.sender.seal(here.thread, NOTE, at=START)
    here.server.receive_message(sealed, here.made.keyrings())
    return sealed


@pytest.mark.parametrize("lie", ["another key", "another place", "another network", "no note"])
def test_l6_a_checkpoint_that_the_log_did_not_sign_for_this_place_spoils_its_message(lie: str) -> None:
    here = Exchange()
    size, root = here.log.tree.size, here.log.tree.at(here.log.tree.size).root
    stranger = WITNESSES["north.example"][1]
    notes = {
        "another key": make_checkpoint(NET, stranger, size=size, root=root, at=START),
        "another place": here.log.note(1),
        "another network": make_checkpoint("other.example", here.log.key, size=size, root=root, at=START),
        "no note": "x",
    }
    altered(here, notes[lie])
    applied = here.arrive()
    assert (applied.plaintext, applied.failed) == (None, "wrong-checkpoint")
    here.sender.log = here.log.followed()


def test_l5_l6_t8_two_logs_that_the_server_signed_stop_everything_and_are_kept() -> None:
    here = Exchange()
    ghost = log_of(here.made)
    here.grow(ghost, "ghost")
    here.grow(here.log, "true")
    follow(here.sender, ghost)
    follow(here.reader, here.log)
    here.write()
    with pytest.raises(Refused) as refused:
        here.arrive()
    assert code(refused) == "T8 forked-thread"
    log = here.reader.log
    assert log is not None
    assert [(each.code, each.given) for each in log.evidence] == [("forked-log", ghost.note())]
    with pytest.raises(Refused) as refused:
        log.check_fresh(START)
    assert code(refused) == "L5 forked-log"


def test_l4_an_urgent_message_may_use_an_older_checkpoint_where_that_is_set_and_is_marked() -> None:
    here = Exchange()
    log, late = here.sender.log, START + FRESH_SECONDS + 1
    assert log is not None
    for plaintext in (NOTE, URGENT):
        with pytest.raises(Refused) as refused:
            here.sender.seal(here.thread, plaintext, at=late)
        assert code(refused) == "L4 stale-checkpoint"
    log.allow_urgent(72)
    with pytest.raises(Refused):
        here.sender.seal(here.thread, NOTE, at=late)
    with pytest.raises(Refused):
        here.sender.seal(here.thread, URGENT, at=START + 72 * 3600 + 1)
    with pytest.raises(Refused):
        here.sender.refresh(here.thread, at=late)
    here.write(URGENT, at=late)
    arrived = here.arrive().plaintext
    assert arrived is not None
    assert arrived.marks == (OLD_CHECKPOINT,)


def test_l4_a_fresh_urgent_message_has_no_mark_and_the_setting_has_bounds() -> None:
    here = Exchange()
    log = here.sender.log
    assert log is not None
    log.allow_urgent(1_000_000)
    assert log.urgent_seconds == 72 * 3600
    log.allow_urgent(0)
    assert log.urgent_seconds == FRESH_SECONDS
    here.write(URGENT)
    plaintext = here.arrive().plaintext
    assert plaintext is not None
    assert plaintext.marks == ()


def test_m5_the_mark_of_an_old_checkpoint_stands_only_with_an_urgency() -> None:
    for wrong in (
        replace(NOTE, marks=(OLD_CHECKPOINT,)),
        replace(URGENT, marks=(OLD_CHECKPOINT, OLD_CHECKPOINT)),
        replace(URGENT, marks=("secret",)),
    ):
        with pytest.raises(Refused) as refused:
            check_plaintext(wrong)
        assert code(refused) == "M5 wrong-body"
    check_plaintext(replace(URGENT, marks=(OLD_CHECKPOINT,)))


def test_m5_how_a_message_is_to_be_handled_is_said_in_one_order_and_once_a_group() -> None:
    here = Exchange()
    here.write(replace(NOTE, marks=("formal", "confidential", "with-consent")))
    plaintext = here.arrive().plaintext
    assert plaintext is not None
    assert plaintext.marks == ("formal", "confidential", "with-consent")
    for wrong in (("confidential", "formal"), ("formal", "formal"), ("informal", "formal")):
        with pytest.raises(Refused, match="M5 wrong-body"):
            check_plaintext(replace(NOTE, marks=wrong))
    assert in_order(("with-consent", "secret", "formal")) == ("formal", "with-consent", "secret")


def test_l6_a_message_sealed_anew_says_what_the_log_is_now() -> None:
    here = Exchange()
    stale = replace(NOTE, checkpoint="x", marks=(OLD_CHECKPOINT,))
    sealed = here.write(stale)
    assert read_message(NET, sealed.item).log is not None
    plaintext = here.arrive().plaintext
    assert plaintext is not None
    assert (plaintext.checkpoint, plaintext.marks) == (here.log.note(), ())
    assert encode(plaintext.checkpoint)
