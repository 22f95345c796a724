"""Which checks stand against which lie: without them it is believed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cbor2

from messaging.sdk import attachments as sdk_attachments
from messaging.sdk import log as sdk_log
from messaging.sdk.core import Core
from messaging.sdk.inbox import Inbox
from messaging.sealed import (
    client,
    correspondence,
    device,
    envelopes,
    follower,
    keyring_changes,
    keyring_rules,
    keys,
    message,
    recovery,
    ring,
    statement,
    thread,
    thread_changes,
)
from messaging.sealed.attachment import Whole
from messaging.sealed.correspondence import Correspondence
from messaging.sealed.encoding import decode
from messaging.sealed.errors import Refused
from messaging.sealed.follower import Follower
from messaging.sealed.keyring_acts import Agreed
from messaging.sealed.message import Note, Plaintext
from messaging.sealed.ring import Ring

Defence = tuple[object, str, Any]
"""(where a check stands, its name, what stands in its place)"""


class Agreeable:
    """Equal to everything: a comparison with it finds no difference."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True


def agree(*_: object, **__: object) -> Agreeable:
    return Agreeable()


def pass_by(*_: object, **__: object) -> None:
    """Check nothing."""


async def follow_nothing(*_: object, **__: object) -> None:
    """Ask nobody."""


SELF_DESCRIBED = b"\xd9\xd9\xf7"
"""A tag that may stand before any CBOR."""


def lenient(raw: bytes) -> Any:
    """Any CBOR is taken, and what comes behind it is left."""
    try:
        return decode(raw)
    except Refused:
        return cbor2.loads(raw.removeprefix(SELF_DESCRIBED))


def text_of_anything(*_: object, **__: object) -> Plaintext:
    return Plaintext(Note("Whatever was meant."), "en")


def wrapped(original: Callable[..., Any], **fixed: Any) -> Callable[..., Any]:
    """The function, always given these."""
    return lambda *args, **kwargs: original(*args, **{**kwargs, **fixed})


def any_secret(view: Correspondence, entry: Any, *_: object) -> None:
    """Take an epoch for open."""
    view.epochs[entry.n] = bytes(32)


def open_newest_only(view: Correspondence, entry: Any, found: Any, member: Any, key: Any) -> None:
    """Open an epoch and follow no history."""
    view.epochs[entry.n] = thread.open_epoch(view.net, entry, found, member, key)


def author_by_any_entry(*args: Any, **_: object) -> Any:
    """Whoever was ever listed."""
    _, _, by, kid, keyrings = args
    found = (keyrings.at(by.principal, n).device(kid) for n in range(by.n + 1))
    return next(one for one in found if one)


_next_state = message._next_state


def forget_by(net: str, state: Any, found: Any) -> Any:
    """Do not remember under which entry a principal wrote."""
    after, read = _next_state(net, state, found)
    return replace(after, by_n={}), read


def without_pin(net: str, thread_id: bytes, key: bytes, **_: object) -> Correspondence:
    return Correspondence(net, thread_id, key)


_apply_keyring = client.Mailbox.apply_keyring


def without_authority(box: Any, principal: bytes, entries: Any, statements: Any, *_: object) -> Any:
    return _apply_keyring(box, principal, entries, statements)


def any_follower(net: str, key: bytes, labels: bytes, *_: object, **__: object) -> Follower:
    return Follower(net, key, labels)


def part_of_nothing(*args: Any) -> bytes:
    """The bytes of a chunk, unopened."""
    return bytes(len(args[4]) - 16)


SIGNATURE: Defence = (statement, "verify_signature", lambda *_: True)
AFTER: Defence = (message, "_check_after", pass_by)
COUNTER: Defence = (message, "_check_counter", lambda *_, **__: ())
PAYLOAD: Defence = (statement, "_check_payload", lambda _, fields, __: fields["at"])
TEXT: Defence = (correspondence, "open_message", text_of_anything)
EPOCH: Defence = (message, "_check_epoch", pass_by)
ENVELOPES: Defence = (envelopes, "check", pass_by)
OPENING: Defence = (Correspondence, "_open_epochs", any_secret)
ANCHORS: Defence = (Correspondence, "unanchored", lambda *_: set())
NEWEST: Defence = (Follower, "check_newest", pass_by)
STATED: Defence = (Follower, "check_stated", pass_by)
FOLLOWED: Defence = (Follower, "follow", pass_by)
SEEN_BY_OTHERS: Defence = (Follower, "check_message", pass_by)
SEALING: Defence = (Follower, "check_sealing", pass_by)
AGREED: Defence = (keyring_rules, "check_acts", lambda *_: Agreed(only_recovery=False, unconfirmed=None))
PIN: Defence = (Ring, "check_pin", pass_by)
BROKEN: Defence = (Ring, "broken", None)
GENERATION: Defence = (ring, "open_generation", lambda *_: bytes(32))
PINS: Defence = (Core, "_check_pins", pass_by)
STORED: Defence = (client.Mailbox, "load_state", pass_by)
DECODING: Defence = (statement, "decode", lenient)
CHUNK: Defence = (sdk_attachments, "open_chunk", part_of_nothing)
ROOT: Defence = (sdk_attachments, "check_root", pass_by)
WHOLE: Defence = (Whole, "check", pass_by)
CARRIED: Defence = (correspondence, "check_sent", pass_by)
TRUSTED: Defence = (client, "check_trusted", pass_by)

REWRITTEN = (SIGNATURE, AFTER, COUNTER, TEXT)
UNFOLLOWED = (
    FOLLOWED,
    SEALING,
    NEWEST,
    STATED,
    (Follower, "is_behind", lambda *_: False),
    SEEN_BY_OTHERS,
)
OWN = (GENERATION, BROKEN, OPENING, TEXT)
RECEIPT = (
    (Correspondence, "_check_receipt", pass_by),
    (Correspondence, "_received_at", lambda *_: 1),
)
NEWEST_EPOCH: Defence = (Correspondence, "_open_epochs", open_newest_only)

DEFENCES: dict[str, tuple[Defence, ...]] = {
    # the log
    "log of another key": UNFOLLOWED,
    "ghost line in the log": UNFOLLOWED,
    "lines of the log left out": UNFOLLOWED,
    "other labels": (NEWEST, STATED),
    "other labels than before": ((sdk_log, "load_follower", any_follower), *UNFOLLOWED),
    "log that ends before what was seen": UNFOLLOWED,
    "shorter log than before": UNFOLLOWED,
    "another log of one size": UNFOLLOWED,
    "log of yesterday": ((follower, "FRESH_SECONDS", 10**6),),
    "log of the future": ((follower, "FUTURE_SECONDS", 10**6),),
    # messages
    "changed ciphertext": ((message, "sha256", agree), TEXT),
    "raised urgency": REWRITTEN,
    "header signed by the liar": REWRITTEN,
    "lower suite": (PAYLOAD, *REWRITTEN),
    "of another network": (PAYLOAD, *REWRITTEN),
    "another encoding": (DECODING, AFTER, COUNTER),
    "trailing byte": (DECODING,),
    "unsorted keys": (DECODING,),
    "number with a point": (DECODING, PAYLOAD),
    "negative number": (DECODING, PAYLOAD),
    "tagged value": (DECODING,),
    "left out": (AFTER, COUNTER),
    "swapped": (AFTER, COUNTER),
    "doubled": (
        (correspondence, "accept_message", wrapped(message.accept_message, is_known=lambda _: False)),
        AFTER,
        COUNTER,
    ),
    "of another thread": (EPOCH, AFTER, COUNTER, TEXT),
    "kind unlike body": (TEXT,),
    "text unlike its hash": (TEXT,),
    "under another key": (TEXT,),
    "swallowed message of a counter": (COUNTER,),
    "backdated by a removed device": (ANCHORS,),
    "by an old entry": ((message, "_next_state", forget_by), ANCHORS),
    "by a device that is not listed": ((message, "check_author", author_by_any_entry), ANCHORS),
    "in an old epoch": (EPOCH,),
    "two versions of one message": ((client, "Correspondence", without_pin),),
    "shorter than was seen": (
        (Inbox, "_check_end", pass_by),
        (Correspondence, "check_end", lambda view: view.state),
    ),
    "receipt for another place": ((Correspondence, "_check_receipt", pass_by),),
    "receipt of another key": RECEIPT,
    # entries of threads
    "garbage envelopes": (ENVELOPES, OPENING, TEXT),
    "garbage in a signed envelope": (OPENING, TEXT),
    "wrong history of an epoch": (NEWEST_EPOCH,),
    "another secret than the committed one": ((thread, "_check_secret", pass_by), NEWEST_EPOCH),
    "ghost member": ((thread_changes.Change, "check_consents", pass_by),),
    # keyrings
    "mailbox of the liar": (SIGNATURE, NEWEST),
    "ghost device": ((keyring_rules, "_check_author", pass_by), NEWEST),
    "hidden keyring entry": (PIN, NEWEST),
    "another authority": (
        (client.Mailbox, "apply_keyring", without_authority),
        (client.Mailbox, "check_authority", pass_by),
        TRUSTED,
    ),
    "garbage in the own envelopes": (ENVELOPES, *OWN),
    "another server key": (PINS, STORED, SIGNATURE, CARRIED, *RECEIPT, *UNFOLLOWED),
    "supervisor without approval": (AGREED, SEEN_BY_OTHERS),
    "forged approval": (AGREED, SEEN_BY_OTHERS),
    "expired approval": (AGREED, SEEN_BY_OTHERS),
    "approval of another change": (AGREED, SEEN_BY_OTHERS),
    "spent approval": (AGREED, SEEN_BY_OTHERS),
    "approval by the author": (AGREED, SEEN_BY_OTHERS),
    "floor not raised": ((keyring_changes, "_check_floor", pass_by),),
    "mailbox of no KEM key": (
        (keyring_rules, "check_kem_key", pass_by),
        (envelopes, "seal", lambda *_: bytes(1168)),
    ),
    "mailbox of before": ((keyring_rules, "_check_fresh", pass_by),),
    "device with a weak key": ((device, "check_signing_key", pass_by), (keys, "check_signing_key", pass_by)),
    "keyring taken by a stolen kit": (TRUSTED, ANCHORS),
    "fork of a removed steward": (NEWEST,),
    "fork of a removed steward, seen before": (PIN, NEWEST),
    "withheld removal": (PIN, NEWEST),
    "ghost authority": (TRUSTED,),
    "ghost authority with another's confirms": (TRUSTED,),
    "wrong history in the own keyring": (BROKEN,),
    "another mailbox than the secret's": OWN,
    "garbage in the own signed envelope": OWN,
    "garbage in the recovery envelope": ((recovery, "try_kit", lambda net, *_: Ring(net)),),
    # files
    "altered chunk": (CHUNK, WHOLE),
    "truncated chunk": (CHUNK, WHOLE),
    "reordered chunks": (CHUNK, WHOLE),
    "chunks of another file": (CHUNK, WHOLE),
    "altered chunk under its hash": (ROOT, CHUNK, WHOLE),
    "reordered chunks under their hashes": (ROOT, CHUNK, WHOLE),
    "file without its end": (ROOT, CHUNK, WHOLE),
    "another file": (ROOT, CHUNK, WHOLE),
    "file of another thread": (ROOT, CHUNK, WHOLE),
    "altered list of hashes": (ROOT, CHUNK, WHOLE),
}
UNBELIEVABLE: dict[str, tuple[Defence, ...]] = {
    "without its beginning": ((Inbox, "_apply", follow_nothing),),
    "without device statements": ((Core, "load_keyring", follow_nothing),),
    "another name": (PINS,),
    "of another type": ((Inbox, "_apply", follow_nothing),),
    "expelled party": ((thread_changes.Change, "check", pass_by),),
}
"""Lies of which nothing can be made: without the check that meets them first another one does."""
