"""Rules M1 to M7 and T4: messages, receipts, opened."""

from collections.abc import Callable
from typing import Any

from messaging.sealed.client import Device
from messaging.sealed.encoding import ZERO, context, context_hash, derive_key, encode, sha256
from messaging.sealed.keys import SigningKey, aead_seal
from messaging.sealed.message import LAST_DUE, Note, Plaintext, SealedMessage
from messaging.sealed.plaintext import CIPHERTEXT_SIZES, OVERHEAD
from messaging.sealed.thread import By, ThreadState
from tests.sealed import world as w
from tests.sealed.cases.base import NEWEST, OLD, T, W, refuse
from tests.sealed.world import NET, START, forge, payload_of, seed, sign_payload, signed_by, tampered

# --- messages


def _message(
    rule: str, code: str, why: str, item: bytes, *, before: int = 4, keyrings: dict[str, int] = NEWEST,
    ciphertext: bytes | None = None,
) -> None:  # fmt: skip
    text = T.items[before].ciphertext if ciphertext is None else ciphertext
    refuse("message", rule, code, why, before=before, keyrings=keyrings, item=item, ciphertext=text)


NOTE = Plaintext(Note("another"), "en")


def _sealed(state: ThreadState, device: Device, by: By, **facts: Any) -> SealedMessage:
    return w.seal(state, T.secrets[state.n], by, device, NOTE, label="new", **facts)


def _messages() -> None:
    raw, elin, dara = T.items[4].item, W.elin, W.dara
    a = W.a.newest
    thread = {"thread": seed("x")}
    _message("M1", "wrong-thread", "replayed into another thread", forge(raw, elin, **thread))
    _message("M1", "wrong-epoch", "an epoch to come", forge(raw, elin, n=2))
    _message("M1", "wrong-epoch", "another head", forge(raw, elin, head=seed("x")))
    _message("T4", "stale-epoch", "an epoch gone by", forge(raw, elin, n=0, head=T.states[0].head))
    _message(
        "M1",
        "not-a-member",
        "an author of another principal",
        signed_by(W.gita, raw, by=W.c.by().as_map()),
    )
    _message(
        "M1",
        "unlisted-device",
        "a device not listed",
        signed_by(W.femi, raw),
    )
    _message(
        "M1",
        "stale-author-keyring",
        "a head not on the keyring",
        forge(raw, elin, by=By(a.principal, 1, seed("x")).as_map()),
    )
    _message(
        "M1",
        "stale-author-keyring",
        "an entry that is not the newest",
        signed_by(dara, raw, by=W.a.by(0).as_map()),
    )
    _message(
        "M1",
        "author-keyring-fell",
        "an entry older than the thread's",
        signed_by(dara, raw, by=W.a.by(0).as_map()),
        keyrings=OLD,
    )
    repeated = forge(raw, elin, id=seed("first id")[:16])
    _message("M2", "repeated-id", "the id of an earlier message", repeated)
    _message("E2", "bad-signature", "a turned bit in the signature", tampered(raw))
    text = T.items[4].ciphertext
    assert text is not None
    _message("M3", "wrong-cipher", "a turned bit in the ciphertext", raw, ciphertext=tampered(text))
    for size in (0, 511, 513, 1023, 49152):
        data = bytes(size)
        _message(
            "M3",
            "bad-size",
            f"a ciphertext of {size} bytes",
            forge(raw, elin, cipher=sha256(data)),
            ciphertext=data,
        )
    terms: list[tuple[str, str, dict[str, Any]]] = [
        ("a kind of later parts", "unknown-kind", {"kind": "request"}),
        ("an urgency above the highest", "unknown-field-value", {"urgency": 3}),
        ("a date wanted at zero", "unknown-field-value", {"due": 0}),
        ("a date wanted after the year 9999", "unknown-field-value", {"due": LAST_DUE + 1}),
        ("an urgent acknowledgement", "unknown-field-value", {"kind": "acknowledgement", "urgency": 1}),
        ("an acknowledgement with a date", "unknown-field-value", {"kind": "acknowledgement", "due": START}),
        ("an empty log", "unknown-field-value", {"log": {"size": 0, "root": ZERO}}),
        ("an act", "unknown-act", {"acts": [ZERO]}),
    ]
    for why, code, change in terms:
        _message("M3", code, why, forge(raw, elin, **change))


def _files() -> None:
    raw, elin = T.items[4].item, W.elin
    one: dict[str, Any] = {"id": bytes(16), "chunks": 1, "size": 1024, "root": ZERO}
    files: list[tuple[str, list[dict[str, Any]]]] = [
        ("a file twice", [one, one]),
        ("eleven files", [one | {"id": seed(f"file {number}")[:16]} for number in range(11)]),
        ("a file without a byte", [one | {"size": 0, "chunks": 0}]),
        ("a size that is not padded", [one | {"size": 1025}]),
        ("a file above 1 GiB", [one | {"size": 2**30 + 2**25, "chunks": 1056}]),
        ("a chunk too many", [one | {"chunks": 2}]),
    ]
    for why, found in files:
        _message("M3", "wrong-files", why, forge(raw, elin, files=found))
    _message(
        "M3",
        "wrong-files",
        "an acknowledgement with a file",
        forge(raw, elin, files=[one], kind="acknowledgement"),
    )
    _message("E2", "bad-statement", "a file without its root", forge(raw, elin, files=[{"id": bytes(16)}]))


def _counters() -> None:
    raw, elin, dara = T.items[4].item, W.elin, W.dara
    state = T.states[3]
    _message("E2", "bad-statement", "an urgency that is true", forge(raw, elin, urgency=True))
    _message("E2", "bad-statement", "a date wanted that is text", forge(raw, elin, due="tomorrow"))
    _message("E2", "bad-statement", "an id of 15 bytes", forge(raw, elin, id=bytes(15)))
    many = [seed(f"void {number}")[:16] for number in range(17)]
    _message("E2", "bad-statement", "a void of 17 ids", forge(raw, elin, void=many, counter=17))
    one = seed("void")[:16]
    changes: list[tuple[str, str, dict[str, Any]]] = [
        ("a counter that skips", "counter-gap", {"counter": 1}),
        ("a void without its count", "counter-gap", {"void": [one]}),
        ("a void named twice", "counter-gap", {"void": [one, one], "counter": 2}),
        ("a first message after something", "wrong-previous", {"prev": seed("x")}),
    ]
    for why, code, change in changes:
        _message("M4", code, why, forge(raw, elin, **change))
    itself: dict[str, Any] = {"void": [payload_of(raw)["id"]], "counter": 1}
    _message("M4", "never-delivered", "names itself as refused", forge(raw, elin, **itself))
    again = _sealed(T.states[2], dara, W.a.by(0), counter=0)
    _message(
        "M4",
        "counter-gap",
        "a second first message",
        again.item,
        before=3,
        keyrings=OLD,
        ciphertext=again.ciphertext,
    )
    other = _sealed(T.states[2], dara, W.a.by(0), counter=1, prev=seed("x"))
    _message(
        "M4",
        "wrong-previous",
        "another message before",
        other.item,
        before=3,
        keyrings=OLD,
        ciphertext=other.ciphertext,
    )
    for why, seq, found in (
        ("another transcript", state.seq, seed("x")),
        ("a place to come", state.seq + 1, state.transcript),
        ("no place", 0, ZERO),
        ("another place's transcript", 2, T.states[2].transcript),
    ):
        _message("M7", "wrong-transcript", why, forge(raw, elin, after={"seq": seq, "hash": found}))
    early = _sealed(T.states[0], dara, W.a.by(0), counter=1, prev=sha256(T.items[1].item))
    _message(
        "M7",
        "wrong-transcript",
        "before the device's own message",
        early.item,
        before=3,
        keyrings=OLD,
        ciphertext=early.ciphertext,
    )


def seal_padded(
    padded: bytes, blind: bytes = seed("b"), plain: bytes | None = None, **changes: Any
) -> SealedMessage:
    """Elin's note with any padded text, whatever it says."""
    payload = payload_of(T.items[4].item)
    given = context_hash(NET, "plain", blind, padded) if plain is None else plain
    place = (payload["thread"], payload["n"], payload["id"], W.elin.id)
    key = derive_key(NET, T.secrets[1], "message key", *place, given)
    text = aead_seal(key, blind + padded, context(NET, "message", *place))
    return SealedMessage(forge(T.items[4].item, W.elin, plain=given, cipher=sha256(text), **changes), text)


def _pad(text: bytes, size: int = 512 - 48) -> bytes:
    return (text + b"\x80").ljust(size, b"\0")


def _body_files(plain: dict[str, Any], note: dict[str, Any]) -> None:
    header: dict[str, Any] = {"id": bytes(16), "chunks": 1, "size": 1024, "root": ZERO}
    file: dict[str, Any] = {
        "id": bytes(16), "key": ZERO, "prefix": bytes(7), "digest": ZERO,
        "name": "request.pdf", "type": "application/pdf", "size": 1000,
    }  # fmt: skip
    bodies: list[tuple[str, str, list[Any] | None, list[Any]]] = [
        ("wrong-files", "a file that the text does not name", None, [header]),
        ("wrong-files", "a file that the header does not name", [file], []),
        ("wrong-files", "an empty list of files", [], []),
        ("wrong-files", "another file", [file | {"id": seed("x")[:16]}], [header]),
        ("wrong-files", "a size of another padding", [file | {"size": 1025}], [header]),
        ("wrong-files", "a path for a name", [file | {"name": "../request.pdf"}], [header]),
        ("wrong-files", "a name turned round", [file | {"name": "fdp\u202eexe"}], [header]),
        ("wrong-files", "no name", [file | {"name": " "}], [header]),
        ("wrong-files", "a type that is none", [file | {"type": "Application"}], [header]),
        ("wrong-body", "a name of 201 characters", [file | {"name": "n" * 201}], [header]),
        ("wrong-body", "a file without a key", [{"id": bytes(16)}], [header]),
    ]
    for code, why, files, headers in bodies:
        body = note if files is None else note | {"files": files}
        text = encode(plain | {"body": body})
        size = next(size for size in CIPHERTEXT_SIZES if size - OVERHEAD > len(text)) - OVERHEAD
        sealed = seal_padded(_pad(text, size), files=headers)
        refuse("open-message", "M5", code, f"files: {why}", item=sealed.item,
               ciphertext=sealed.ciphertext, secret=T.secrets[1])  # fmt: skip


def _bodies() -> None:
    note: dict[str, Any] = {"type": "note", "text": "x"}
    plain: dict[str, Any] = {
        "body": note, "checkpoint": None, "foreign_reference": None,
        "language": "en", "marks": [], "own_reference": None, "subject": None,
    }  # fmt: skip

    def refuse_open(code: str, why: str, sealed: SealedMessage) -> None:
        refuse(
            "open-message",
            "M5",
            code,
            why,
            item=sealed.item,
            ciphertext=sealed.ciphertext,
            secret=T.secrets[1],
        )

    refuse_open("wrong-plain", "another text than signed", seal_padded(_pad(encode(plain)), plain=seed("x")))
    acknowledgement: Any = {"type": "acknowledgement", "of": bytes(16), "seq": 2}
    about: dict[str, Any] = {"of": bytes(16), "part": "summary", "seq": 2}
    bodies: list[tuple[str, Any]] = [
        ("a body of another kind than the header", plain | {"body": acknowledgement}),
        ("an unknown body", plain | {"body": {"type": "request", "text": "x"}}),
        ("a body with a further field", plain | {"body": {"type": "note", "text": "x", "y": 1}}),
        ("a reason without urgency", plain | {"body": note | {"reason": "custody ends"}}),
        ("a reason without words", plain | {"body": note | {"reason": ""}}),
        ("a reason of 201 characters", plain | {"body": note | {"reason": "s" * 201}}),
        ("about a part that no message has", plain | {"body": note | {"about": about | {"part": "title"}}}),
        ("about a message without its place", plain | {"body": note | {"about": {"of": bytes(16)}}}),
        ("about nothing", plain | {"body": note | {"about": None}}),
        ("a text that is bytes", plain | {"body": {"type": "note", "text": b"x"}}),
        ("a further field", plain | {"x": 1}),
        ("a missing field", {name: value for name, value in plain.items() if name != "subject"}),
        ("a subject of 201 characters", plain | {"subject": "s" * 201}),
        ("a reference of 101 characters", plain | {"own_reference": "s" * 101}),
        ("a mark", plain | {"marks": ["x"]}),
        ("a mark twice", plain | {"marks": ["formal", "formal"]}),
        ("marks in another order", plain | {"marks": ["confidential", "formal"]}),
        ("two marks of one group", plain | {"marks": ["informal", "formal"]}),
        ("the mark of an old checkpoint without urgency", plain | {"marks": ["old-checkpoint"]}),
        ("a checkpoint that is bytes", plain | {"checkpoint": b"x"}),
        ("a checkpoint of 8,193 characters", plain | {"checkpoint": "x" * 8193}),
        ("no language", plain | {"language": None}),
    ]
    for why, body in bodies:
        text = encode(body)
        size = next(size for size in CIPHERTEXT_SIZES if size - OVERHEAD > len(text)) - OVERHEAD
        refuse_open("wrong-body", why, seal_padded(_pad(text, size)))
    good = encode(plain)
    refuse_open("wrong-body", "an urgency without a reason", seal_padded(_pad(good), urgency=1))
    refuse_open("wrong-body", "a date wanted without a reason", seal_padded(_pad(good), due=START))
    _body_files(plain, note)
    for why, padded in (
        ("no padding", good.ljust(464, b"\0")),
        ("wrong padding", (good + b"\x80").ljust(463, b"\0") + b"\1"),
        ("more padding than needed", _pad(good, 1024 - 48)),
        ("not E1", _pad(b"\xff")),
    ):
        refuse_open("wrong-body", why, seal_padded(padded))
    other = forge(T.items[4].item, W.elin, id=seed("x")[:16])
    refuse("open-message", "E8", "cannot-open", "the ciphertext of another id", item=other,
           ciphertext=T.items[4].ciphertext, secret=T.secrets[1])  # fmt: skip


_messages()
_files()
_counters()
_bodies()


# --- receipts and opened


def _receipts() -> None:
    item, state = T.items[1], T.states[1]
    right = {"seq": 2, "item": item.item, "transcript": state.transcript}
    made: list[tuple[str, Callable[[], bytes]]] = [
        ("another place", lambda: T.receipt(3, item.item, state.transcript)),
        ("another item", lambda: T.receipt(2, T.items[2].item, state.transcript)),
        ("another transcript", lambda: T.receipt(2, item.item, seed("x"))),
        ("another thread", lambda: T.receipt(2, item.item, state.transcript, thread=seed("x"))),
    ]
    assert right["seq"] == 2
    for why, make in made:
        refuse("receipt", "T8", "wrong-receipt", why, receipt=make(), seq=2)
    refuse("receipt", "E2", "bad-signature", "a turned bit", receipt=tampered(item.receipt), seq=2)
    other = sign_payload(
        payload_of(item.receipt),
        SigningKey(seed("x")),
        context_hash(NET, "server key", SigningKey(seed("x")).public),
    )
    refuse("receipt", "E2", "bad-signature", "another server", receipt=other, seq=2)


def _openeds() -> None:
    state = T.states[4]
    payload: dict[str, Any] = {
        "t": "opened", "v": 1, "suite": 1, "net": NET, "at": w.START, "by": W.a.by().as_map(),
        "thread": state.thread, "seq": 5, "transcript": state.transcript,
    }  # fmt: skip
    changes: list[tuple[str, str, str, dict[str, Any], Device]] = [
        ("M7", "wrong-transcript", "another transcript", {"transcript": seed("x")}, W.elin),
        ("M7", "wrong-transcript", "a place to come", {"seq": 6}, W.elin),
        ("M7", "wrong-transcript", "no place", {"seq": 0}, W.elin),
        ("M1", "wrong-thread", "another thread", {"thread": seed("x")}, W.elin),
        ("M1", "not-a-member", "another principal", {"by": W.c.by().as_map()}, W.gita),
        ("M1", "unlisted-device", "a device of the other party", {}, W.femi),
    ]
    for rule, code, why, change, device in changes:
        signed = sign_payload(payload | change, device.signing_key, device.id)
        refuse("opened", rule, code, f"opened: {why}", opened=signed, before=5, keyrings=NEWEST)
    signed = sign_payload(payload, W.dara.signing_key, W.elin.id)
    refuse(
        "opened",
        "E2",
        "bad-signature",
        "opened: signed by another device",
        opened=signed,
        before=5,
        keyrings=NEWEST,
    )


_receipts()
_openeds()
