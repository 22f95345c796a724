"""Lies of a member who writes with the operator's help: signed as they should be, and not what they say."""

import secrets
from collections.abc import Callable
from time import time
from typing import Any

from messaging.sealed import envelopes as sealing
from messaging.sealed import message, thread
from messaging.sealed.client import Mailbox
from messaging.sealed.encoding import Encodable, context, context_hash, decode, encode, sha256
from messaging.sealed.keyring import MadeEntry
from messaging.sealed.keys import aead_seal
from messaging.sealed.message import Note, Plaintext, SealedMessage, seal_message
from messaging.sealed.places import By
from messaging.sealed.thread import Rekey, ThreadState
from messaging.sealed.thread_entry import Member
from tests.lying.lies import LAST, Attempt, Facts, flipped
from tests.lying.lies import resigned as signed_by
from tests.lying.server import LogLie
from tests.lying.thread import Items, Lie, data, text

Row = dict[str, Any]

NOTE = Plaintext(Note("This was never meant so."), "en")


def now() -> int:
    return int(time())


def place(facts: Facts) -> tuple[Mailbox, ThreadState, bytes]:
    """The head's view of the thread as it ends, and the secret of its epoch."""
    head = facts.conspirators.head
    found = head.threads[bytes.fromhex(facts.thread)]
    assert found.state is not None
    return head, found.state, found.epochs[found.state.n]


def written(facts: Facts) -> SealedMessage:
    """The head's next message in the thread."""
    head, state, secret = place(facts)
    last = state.devices[head.device.id]
    return seal_message(
        head.net,
        state,
        NOTE,
        secret=secret,
        by=head.by(),
        device=head.device.id,
        key=head.device.signing_key,
        counter=last.counter + 1,
        prev=last.item,
        void=(),
        at=now(),
    )


def row(kind: str, item: bytes, *, ciphertext: bytes | None = None, envelopes: bytes | None = None) -> Row:
    """An item as it is handed out; its place and receipt are the lying server's."""
    return {
        "type": kind,
        "item": text(item),
        "ciphertext": ciphertext and text(ciphertext),
        "envelopes": envelopes and text(envelopes),
        "received_at": now(),
    }


def ended_by(facts: Facts, *rows: Row) -> Lie:
    """The thread as it was when the head last wrote, and these."""
    return lambda items: [*items[:LAST], *rows]


def as_row(sealed: SealedMessage) -> Row:
    return row("message", sealed.item, ciphertext=sealed.ciphertext)


def signed(facts: Facts, given: Row, *, signer: Mailbox | None = None, **fields: Any) -> Row:
    """The item with other fields, signed for them by the head, or by another."""
    device = (signer or facts.conspirators.head).device
    return signed_by([given], 1, device.signing_key, device=device.id, **fields)[0]


# --- messages


def kind_unlike_body(facts: Facts) -> Lie:
    return ended_by(facts, signed(facts, as_row(written(facts)), kind="acknowledgement"))


def text_unlike_its_hash(facts: Facts) -> Lie:
    """`plain` is that of another text: the writer could show one text here and prove another there."""
    head, state, secret = place(facts)
    sealed = written(facts)
    header = message.read_message(head.net, sealed.item)
    plain, blind = secrets.token_bytes(32), secrets.token_bytes(32)
    where = (state.thread, state.n, header.id, head.device.id)
    key = message._text_key(head.net, secret, where, plain)
    padded = message.pad(message.check_plaintext(NOTE))
    ciphertext = aead_seal(key, blind + padded, context(head.net, "message", *where))
    given = row("message", sealed.item, ciphertext=ciphertext)
    return ended_by(facts, signed(facts, given, plain=plain, cipher=sha256(ciphertext)))


def under_another_key(facts: Facts) -> Lie:
    """Sealed so that nobody can open it, and nobody can say what it was."""
    head, state, _ = place(facts)
    last = state.devices[head.device.id]
    sealed = seal_message(
        head.net,
        state,
        NOTE,
        secret=bytes(32),
        by=head.by(),
        device=head.device.id,
        key=head.device.signing_key,
        counter=last.counter + 1,
        prev=last.item,
        void=(),
        at=now(),
    )
    return ended_by(facts, as_row(sealed))


def counter_leaps(facts: Facts) -> Lie:
    """A message of the head's before this one was swallowed."""
    _, state, _ = place(facts)
    counter = state.devices[facts.conspirators.head.device.id].counter + 2
    return ended_by(facts, signed(facts, as_row(written(facts)), counter=counter))


def backdated(facts: Facts) -> Lie:
    """The removed steward's device writes today as if it were before its removal."""
    head, state, secret = place(facts)
    removed = facts.conspirators.removed
    before = head.rings[head.principal].states[1]
    sealed = seal_message(
        head.net,
        state,
        NOTE,
        secret=secret,
        by=By(before.principal, before.n, before.head),
        device=removed.device.id,
        key=removed.device.signing_key,
        counter=0,
        prev=bytes(32),
        void=(),
        at=now(),
    )
    return ended_by(facts, as_row(sealed))


def by_an_old_entry(facts: Facts) -> Lie:
    """After the head wrote under its newest entry, the removed device writes under an older one."""
    first = as_row(written(facts))
    later = backdated(facts)([])[0]
    _, state, _ = place(facts)
    raw = data(first["item"])
    end = thread.next_transcript(facts.net, state.thread, state.seq + 1, state.transcript, sha256(raw))
    after: Encodable = {"seq": state.seq + 1, "hash": end}
    return ended_by(facts, first, signed(facts, later, signer=facts.conspirators.removed, after=after))


def by_nobody(facts: Facts) -> Lie:
    """The removed device writes under the entry that does not list it."""
    later = backdated(facts)([])[0]
    by = facts.conspirators.head.by().as_map()
    return ended_by(facts, signed(facts, later, signer=facts.conspirators.removed, by=by))


def in_an_old_epoch(facts: Facts) -> Lie:
    """After the thread was re-keyed because of the removal, somebody writes under the key of before."""
    _, state, _ = place(facts)
    made = rekeyed(facts)
    seq = state.seq + 1
    end = thread.next_transcript(facts.net, state.thread, seq, state.transcript, sha256(made.entry))
    late = signed(facts, as_row(written(facts)), after={"seq": seq, "hash": end})
    return ended_by(facts, row("entry", made.entry, envelopes=made.envelopes), late)


def two_versions(facts: Facts) -> Lie:
    """Where the reader has seen the head's last message, there stands another one of the head's."""

    def lie(items: Items) -> Items:
        old = message.read_message(facts.net, data(items[LAST - 1]["item"]))
        given = signed(
            facts,
            as_row(written(facts)),
            counter=old.counter,
            prev=old.prev,
            after=old.after.as_map(),
            by=old.by.as_map(),
        )
        return [*items[: LAST - 1], given]

    return lie


def of_another_type(_: Facts) -> Lie:
    """An entry of the thread is given as a message of it."""
    return lambda items: [*items[:LAST], {**items[LAST - 1], "item": items[0]["item"]}]


# --- encodings that the head has signed for (E1)


def payload_in(change: Callable[[bytes], bytes]) -> Callable[[Facts], Lie]:
    """The head signs a header in another encoding of the same values, or of more."""

    def make(facts: Facts) -> Lie:
        head, given = facts.conspirators.head, as_row(written(facts))
        parts = decode(data(given["item"]))
        assert isinstance(parts, list)
        payload = parts[2]
        assert isinstance(payload, bytes)
        body = change(payload)
        aad = encode(["S1", "message", facts.net])
        signature = head.device.signing_key.sign(encode(["Signature1", parts[0], aad, body]))
        return ended_by(facts, {**given, "item": text(encode([parts[0], parts[1], body, signature]))})

    return make


def trailing_byte(payload: bytes) -> bytes:
    return payload + b"\x00"


def unsorted_keys(payload: bytes) -> bytes:
    """The pair of `t` is moved behind the one that follows it."""
    first, second = encode("t") + encode("message"), encode("v") + encode(1)
    assert first in payload
    found = payload.replace(first, b"")
    place = found.index(second) + len(second)
    return found[:place] + first + found[place:]


def number_with_a_point(payload: bytes) -> bytes:
    """`v` is 1.0."""
    return payload.replace(encode("v") + encode(1), encode("v") + bytes.fromhex("f93c00"))


def negative_number(payload: bytes) -> bytes:
    return payload.replace(encode("v") + encode(1), encode("v") + b"\x20")


def tagged(payload: bytes) -> bytes:
    return b"\xd9\xd9\xf7" + payload


# --- entries of the thread (T7)


def rekeyed(facts: Facts) -> MadeEntry:
    """The head's next entry, which renews the keys."""
    head, state, secret = place(facts)
    states = {principal: head.rings[principal].states[-1] for principal in head.rings}
    return thread.make_change(
        head.net,
        state,
        Rekey("refresh", state.members, state.n, secret),
        keyrings=states,
        by=head.by(),
        author=head.device.id,
        key=head.device.signing_key,
        at=now(),
    )


def entry(facts: Facts, made: MadeEntry, envelopes: bytes | None = None, **more: Any) -> Lie:
    """The thread ends with this entry, signed for other fields or envelopes."""
    blob = made.envelopes if envelopes is None else envelopes
    rows: list[Encodable] = [[recipient, box] for recipient, box in sealing.read("T1", blob)]
    sealed = context_hash(facts.net, "envelopes", rows)
    return ended_by(facts, signed(facts, row("entry", made.entry, envelopes=blob), sealed=sealed, **more))


def wrong_history(facts: Facts) -> Lie:
    """The new epoch leads back to another secret than that of the one before."""
    made, (_, state, _) = rekeyed(facts), place(facts)
    wrap = sealing.wrap(
        facts.net, "thread history", state.thread, state.n + 1, made.secret, state.n, bytes(32)
    )
    return entry(facts, made, history=wrap.as_map())


def garbage_envelope(facts: Facts) -> Lie:
    """The envelope of State B is signed for and opens to nothing."""
    made = rekeyed(facts)
    rows: list[Encodable] = [
        [recipient, flipped(box) if recipient.hex() == facts.principal_b else box]
        for recipient, box in sealing.read("T1", made.envelopes)
    ]
    return entry(facts, made, encode(rows))


def wrong_commit(facts: Facts) -> Lie:
    """State B is given another secret than the one the entry names."""
    head, state, _ = place(facts)
    made, other = rekeyed(facts), secrets.token_bytes(32)
    read = thread.read_entry(head.net, made.entry)
    commit, heads = read.commit, {one.principal: one.keyring_head for one in read.members}
    blob, _ = sealing.make(
        head.net,
        other,
        {one: head.rings[one].states[-1].mailbox for one in heads},
        lambda one: thread._info(
            head.net, state.thread, read.n, read.prev, commit, one, heads[one], head.device.id
        ),
    )
    return entry(facts, made, blob)


def ghost_member(facts: Facts) -> Lie:
    """State A's head lets State C in, and nobody has consented."""
    head, state, secret = place(facts)
    ghost = head.rings[bytes.fromhex(facts.principal_c)].states[-1]
    newcomer = Member(ghost.principal, ghost.n, ghost.head, "observer", None)
    made = thread.make_change(
        head.net,
        state,
        Rekey("join", [*state.members, newcomer], state.n, secret),
        keyrings={principal: head.rings[principal].states[-1] for principal in head.rings},
        by=head.by(),
        author=head.device.id,
        key=head.device.signing_key,
        at=now(),
    )
    return ended_by(facts, row("entry", made.entry, envelopes=made.envelopes))


def expelled(facts: Facts) -> Lie:
    """State A's head takes State B out."""
    head, state, secret = place(facts)
    members = [one for one in state.members if one.principal == head.principal]
    made = thread.make_change(
        head.net,
        state,
        Rekey("drop", members, state.n, secret),
        keyrings={head.principal: head.rings[head.principal].states[-1]},
        by=head.by(),
        author=head.device.id,
        key=head.device.signing_key,
        at=now(),
    )
    return ended_by(facts, row("entry", made.entry, envelopes=made.envelopes))


# --- the log


def shorter_log(_: Facts) -> LogLie:
    """A log that ends before what the head had seen when it wrote."""
    return lambda leaves: leaves[:1]


def other_beginning(facts: Facts) -> LogLie:
    """Another log, as long as the one that State B has seen."""
    seen = facts.conspirators.house.log
    assert seen is not None
    size = seen.tree.size
    return lambda leaves: [leaves[-1], *leaves[1:size]]


ATTEMPTS = (
    Attempt("kind unlike body", "wrong-body", kind_unlike_body, comes_last=True),
    Attempt("text unlike its hash", "wrong-plain", text_unlike_its_hash, comes_last=True),
    Attempt("under another key", "cannot-open", under_another_key, comes_last=True),
    Attempt("swallowed message of a counter", "counter-gap", counter_leaps, comes_last=True),
    Attempt("backdated by a removed device", "M8 unanchored", backdated, comes_last=True),
    Attempt("by an old entry", "M1 author-keyring-fell", by_an_old_entry, comes_last=True),
    Attempt("by a device that is not listed", "M1 unlisted-device", by_nobody, comes_last=True),
    Attempt("in an old epoch", "T4 stale-epoch", in_an_old_epoch, comes_last=True),
    Attempt("two versions of one message", "T8 forked-thread", two_versions, told_to="seen"),
    Attempt("of another type", "E2 wrong-type", of_another_type, comes_last=True),
    Attempt("trailing byte", "E1 bad-encoding", payload_in(trailing_byte), comes_last=True),
    Attempt("unsorted keys", "E1 bad-encoding", payload_in(unsorted_keys), comes_last=True),
    Attempt("number with a point", "E1 bad-encoding", payload_in(number_with_a_point), comes_last=True),
    Attempt("negative number", "E1 bad-encoding", payload_in(negative_number), comes_last=True),
    Attempt("tagged value", "E1 bad-encoding", payload_in(tagged), comes_last=True),
    Attempt("wrong history of an epoch", "M9 not-verified", wrong_history, comes_last=True),
    Attempt("garbage in a signed envelope", "M9 not-verified", garbage_envelope, comes_last=True),
    Attempt("another secret than the committed one", "M9 not-verified", wrong_commit, comes_last=True),
    Attempt("ghost member", "T3 consent-missing", ghost_member, comes_last=True),
    Attempt("expelled party", "T9 expelled-party", expelled, comes_last=True),
    Attempt("log that ends before what was seen", "L6 log-withheld", log=shorter_log),
    Attempt("shorter log than before", "L5 smaller-checkpoint", log=shorter_log, told_to="seen"),
    Attempt("another log of one size", "L5 forked-log", log=other_beginning, told_to="seen"),
    Attempt("log of yesterday", "L4 stale-checkpoint", clock=-25 * 3600),
    Attempt("log of the future", "L5 future-checkpoint", clock=900),
)
