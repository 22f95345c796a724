"""What an operator may try: each lie, and the words in which a client must refuse it.

A lie is told to one reader of State B, who has `seen` the correspondence before, or comes to it `fresh`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from time import time
from typing import Any, Literal

from messaging.sealed.checkpoint import make_checkpoint
from messaging.sealed.client import Mailbox, Person, make_device, make_keyring
from messaging.sealed.encoding import Encodable, decode, encode
from messaging.sealed.keys import SigningKey
from messaging.sealed.receipt import make_receipt
from messaging.sealed.statement import parse
from messaging.sealed.transparency import EMPTY_ROOT, Leaf
from tests.lying.server import Altered, Given, LogLie
from tests.lying.thread import Items, Lie, data, payload_of, text

FIRST, QUESTION, ANSWERED, LAST = 2, 4, 5, 6
"""Sequences of the honest thread: A's first message, A's second, B's answer, A's last."""


@dataclass(frozen=True)
class Facts:
    """What the liar knows of the honest world: ids, and the items of another thread of the same two."""

    net: str
    thread: str
    other_thread: Items
    principal_a: str
    principal_b: str
    principal_c: str
    authority_a: str
    authority_c: str
    conspiracy: "Conspiracy | None" = None

    @property
    def conspirators(self) -> "Conspiracy":
        """Who of State A lies with the operator, where somebody does."""
        assert self.conspiracy is not None
        return self.conspiracy


@dataclass(frozen=True)
class Files:
    """What the operator has of a file of `thread`: its sealed chunks, and those of others.

    `other`: of another file of the same message; `elsewhere`: of the same bytes, sealed for another thread.
    """

    thread: str
    file: str
    chunks: list[bytes]
    other: list[bytes]
    elsewhere: list[bytes]


@dataclass(frozen=True)
class Conspiracy:
    """Members who lie with the operator: State A's head, the steward it removed, one of the reader's house.

    `removed` was in `head`'s keyring under the entry before the newest; `house` is a device of a steward of
    State B. Their kits are known too.
    """

    head: Mailbox
    removed: Mailbox
    house: Mailbox
    kit: str
    house_kit: str
    files: Files


@dataclass(frozen=True)
class Attempt:
    """One lie: how threads, the log or other answers are altered, to whom, and what the client says.

    `given` alters bytes that are handed out (chunks of files); by `clock` seconds the log's own goes wrong.
    """

    name: str
    says: str
    items: Callable[[Facts], Lie] | None = None
    answers: Callable[[Facts], Altered] | None = None
    told_to: Literal["fresh", "seen"] = "fresh"
    comes_last: bool = False  # what stands before it is true, and may be shown
    written_to: Callable[[Facts], str] | None = None  # the reader opens a new thread to this authority
    does: Literal["writes", "saves the file", "tries the kit"] = "writes"
    log: Callable[[Facts], LogLie] | None = None
    clock: int = 0
    given: Callable[[Facts], Given] | None = None
    invents: Callable[[Facts], dict[str, Any]] | None = None  # answers of the API, by path

    @property
    def is_marked(self) -> bool:
        """Whether nothing is stopped: words stand beside the one message that does not hold."""
        return not self.says[0].isupper() or self.says.startswith("M8")


# --- threads


def at(items: Items, seq: int) -> dict[str, Any]:
    return items[seq - 1]


def flipped(raw: bytes, place: int = -1) -> bytes:
    """Return the bytes with one bit changed."""
    place %= len(raw)
    return raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]


def with_item(items: Items, seq: int, **changes: str) -> Items:
    items[seq - 1] = {**at(items, seq), **changes}
    return items


def rewritten(items: Items, seq: int, **fields: Encodable) -> Items:
    """Change fields of a signed header; the signature stays what it was."""
    parts = decode(data(at(items, seq)["item"]))
    assert isinstance(parts, list)
    assert isinstance(parts[2], bytes)
    payload = decode(parts[2])
    assert isinstance(payload, dict)
    raw = encode([parts[0], parts[1], encode({**payload, **fields}), parts[3]])
    return with_item(items, seq, item=text(raw))


def resigned(
    items: Items, seq: int, key: SigningKey, *, device: bytes | None = None, **fields: Encodable
) -> Items:
    """Change fields and sign with a key of the liar's, under the true device's id or another one."""
    parts = decode(data(at(rewritten(items, seq, **fields), seq)["item"]))
    assert isinstance(parts, list)
    protected = parts[0] if device is None else bytes.fromhex("a2013204") + encode(device)
    payload = payload_of(at(items, seq))
    context = encode(["S1", payload.text("t"), payload.text("net")])
    signed = encode(["Signature1", protected, context, parts[2]])
    raw = encode([protected, parts[1], parts[2], key.sign(signed)])
    return with_item(items, seq, item=text(raw))


def changed_ciphertext(_: Facts) -> Lie:
    def lie(items: Items) -> Items:
        return with_item(items, QUESTION, ciphertext=text(flipped(data(at(items, QUESTION)["ciphertext"]))))

    return lie


def raised_urgency(_: Facts) -> Lie:
    return lambda items: rewritten(items, QUESTION, urgency=2)


def header_signed_by_the_liar(_: Facts) -> Lie:
    key = SigningKey.generate()
    return lambda items: resigned(items, QUESTION, key, urgency=2)


def lower_suite(_: Facts) -> Lie:
    return lambda items: rewritten(items, QUESTION, suite=0)


def of_another_network(_: Facts) -> Lie:
    return lambda items: rewritten(items, QUESTION, net="another.example")


def another_encoding(_: Facts) -> Lie:
    """The same values, the outer array written with a longer head than needed (E1)."""

    def lie(items: Items) -> Items:
        raw = data(at(items, QUESTION)["item"])
        assert raw[0] == 0x84
        return with_item(items, QUESTION, item=text(b"\x98\x04" + raw[1:]))

    return lie


def left_out(_: Facts) -> Lie:
    return lambda items: [*items[: QUESTION - 1], *items[QUESTION:]]


def swapped(_: Facts) -> Lie:
    def lie(items: Items) -> Items:
        return [*items[: QUESTION - 1], at(items, LAST), at(items, ANSWERED), at(items, QUESTION)]

    return lie


def doubled(_: Facts) -> Lie:
    return lambda items: [*items, at(items, LAST)]


def of_another_thread(facts: Facts) -> Lie:
    return lambda items: [*items, facts.other_thread[FIRST - 1]]


def without_its_beginning(_: Facts) -> Lie:
    return lambda items: items[1:]


def garbage_envelopes(_: Facts) -> Lie:
    def lie(items: Items) -> Items:
        return with_item(items, 1, envelopes=text(flipped(data(at(items, 1)["envelopes"]))))

    return lie


def shorter(_: Facts) -> Lie:
    return lambda items: items[: LAST - 1]


# --- other answers


def for_path(path: str, change: Callable[[Any], Any]) -> Altered:
    return lambda asked, body: change(body) if asked == path else body


def receipt_for_another_place(facts: Facts) -> Altered:
    def change(body: Any) -> Any:
        rows = body["items"]
        if len(rows) > QUESTION:
            rows[QUESTION - 1]["receipt"] = rows[QUESTION - 2]["receipt"]
        return body

    return for_path(f"/api/threads/{facts.thread}/items", change)


def receipt_of_another_key(facts: Facts) -> Altered:
    key = SigningKey.generate()

    def change(body: Any) -> Any:
        for row in body["items"]:
            place = parse(facts.net, data(row["receipt"]), "receipt").fields
            row["receipt"] = text(
                make_receipt(
                    facts.net,
                    key,
                    thread=place.data("thread"),
                    seq=place.uint("seq"),
                    item=place.data("item"),
                    transcript=place.data("transcript"),
                    at=row["received_at"],
                )
            )
        return body

    return for_path(f"/api/threads/{facts.thread}/items", change)


def changed_entry(row: dict[str, Any], **fields: Encodable) -> dict[str, Any]:
    (changed,) = rewritten([{"item": row["entry"]}], 1, **fields)
    return {**row, "entry": changed["item"]}


def last_entry(body: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    if body["entries"]:
        body["entries"][-1] = change(body["entries"][-1])
    return body


def mailbox_of_the_liar(facts: Facts) -> Altered:
    """The counterpart's newest entry with a mailbox whose key the liar has."""
    ghost = make_keyring(facts.net, Person("0", "ghost", "none"), at=0)
    mailbox = payload_of({"item": text(ghost.entry)}).data("mailbox", 1216)
    path = f"/api/keyrings/{facts.principal_a}"
    return for_path(path, lambda body: last_entry(body, lambda row: changed_entry(row, mailbox=mailbox)))


def ghost_device(facts: Facts) -> Altered:
    """One more entry on the counterpart's keyring lists a device of the liar's, and is signed by it."""
    ghost = make_device(facts.net, bytes.fromhex(facts.principal_a), Person("0", "ghost", "none"), at=0)
    other = make_keyring(facts.net, Person("0", "ghost", "none"), at=0)
    mailbox = payload_of({"item": text(other.entry)}).data("mailbox", 1216)

    def change(body: Any) -> Any:
        if not body["entries"]:
            return body
        last = body["entries"][-1]
        before = payload_of({"item": last["entry"]})
        rows: list[Any] = [*before.items("devices"), [ghost.id, ["officer"]]]
        fields: dict[str, Encodable] = {
            "n": before.uint("n") + 1,
            "prev": sha256(data(last["entry"])).digest(),
            "devices": sorted(rows),
            "history": {"of": before.uint("n"), "wrap": bytes(48)},
            "reason": "add",
            "mailbox": mailbox,
            "commit": sha256(mailbox).digest(),
        }
        (grown,) = resigned([{"item": last["entry"]}], 1, ghost.signing_key, device=ghost.id, **fields)
        entries = [*body["entries"], {**last, "entry": grown["item"]}]
        return {**body, "entries": entries, "statements": [*body["statements"], text(ghost.statement)]}

    return for_path(f"/api/keyrings/{facts.principal_a}", change)


def hidden_entry(facts: Facts) -> Altered:
    def change(body: Any) -> Any:
        return {**body, "entries": body["entries"][:-1]}

    return for_path(f"/api/keyrings/{facts.principal_a}", change)


def another_authority(facts: Facts) -> Altered:
    """State C's genuine keyring, said to be that of State A."""

    def change(asked: str, body: Any) -> Any:
        if asked == "/api/authorities":
            for row in body["authorities"]:
                if row["principal"] == facts.principal_a:
                    row["principal"] = facts.principal_c
        if asked == f"/api/keyrings/{facts.principal_c}":
            return {**body, "authority": {**body["authority"], "id": facts.authority_a}}
        return body

    return change


def garbage_in_the_own_envelopes(facts: Facts) -> Altered:
    def change(row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "envelopes": text(flipped(data(row["envelopes"])))}

    return for_path(f"/api/keyrings/{facts.principal_b}", lambda body: last_entry(body, change))


def without_statements(facts: Facts) -> Altered:
    return for_path(f"/api/keyrings/{facts.principal_a}", lambda body: {**body, "statements": []})


def another_server_key(_: Facts) -> Altered:
    key = text(SigningKey.generate().public)
    return for_path("/api/session", lambda body: {**body, "server_key": key})


def another_name(_: Facts) -> Altered:
    return for_path("/api/session", lambda body: {**body, "net": "another.example"})


# --- the log of keys


def log_of_another_key(facts: Facts) -> Altered:
    """An empty log, signed by the liar."""
    note = make_checkpoint(facts.net, SigningKey.generate(), size=0, root=EMPTY_ROOT, at=int(time()))
    return for_path("/api/log", lambda body: {**body, "checkpoint": note, "leaves": []})


def ghost_line(_: Facts) -> Altered:
    """The last line of the log says another thing than what was signed."""

    def change(body: Any) -> Any:
        ghost = Leaf("confirm", bytes(32), 0, bytes(32)).encode()
        return {**body, "leaves": [*body["leaves"][:-1], text(ghost)] if body["leaves"] else []}

    return for_path("/api/log", change)


def shortened_lines(_: Facts) -> Altered:
    return for_path("/api/log", lambda body: {**body, "leaves": body["leaves"][:-1]})


def other_labels(_: Facts) -> Altered:
    """Under another label key no line is about anybody the reader knows."""
    return for_path("/api/log", lambda body: {**body, "label_key": text(bytes(32))})


ATTEMPTS = (
    Attempt("log of another key", "L5 bad-checkpoint", answers=log_of_another_key),
    Attempt("ghost line in the log", "L5 inconsistent-log", answers=ghost_line),
    Attempt("lines of the log left out", "L2 missing-leaves", answers=shortened_lines),
    Attempt("other labels", "L1 not-logged", answers=other_labels),
    Attempt("other labels than before", "L5 label-key-changed", answers=other_labels, told_to="seen"),
    Attempt("changed ciphertext", "M3 wrong-cipher", changed_ciphertext),
    Attempt("raised urgency", "E2 bad-signature", raised_urgency),
    Attempt("header signed by the liar", "E2 bad-signature", header_signed_by_the_liar),
    Attempt("lower suite", "E2 unknown-suite", lower_suite),
    Attempt("of another network", "E2 wrong-network", of_another_network),
    Attempt("another encoding", "E1 bad-encoding", another_encoding),
    Attempt("left out", "T8 forked-thread", left_out),
    Attempt("swapped", "T8 forked-thread", swapped),
    Attempt("doubled", "M2 repeated-id", doubled, comes_last=True),
    Attempt("of another thread", "M1 wrong-thread", of_another_thread, comes_last=True),
    Attempt("without its beginning", "T1 missing-", without_its_beginning),
    Attempt("garbage envelopes", "T1 wrong-sealed", garbage_envelopes),
    Attempt("shorter than was seen", "T8", shorter, told_to="seen"),
    Attempt("receipt for another place", "T8 forked-thread", answers=receipt_for_another_place),
    Attempt("receipt of another key", "E2 bad-signature", answers=receipt_of_another_key),
    Attempt("mailbox of the liar", "E2 bad-signature", answers=mailbox_of_the_liar),
    Attempt("ghost device", "K2 not-a-steward", answers=ghost_device),
    Attempt("hidden keyring entry", "K10 stale-keyring", answers=hidden_entry, told_to="seen"),
    Attempt(
        "another authority",
        "K8 changed-principal",
        answers=another_authority,
        told_to="seen",
        written_to=lambda facts: facts.authority_a,
    ),
    Attempt("garbage in the own envelopes", "K4", answers=garbage_in_the_own_envelopes),
    Attempt("without device statements", "K3 missing-statement", answers=without_statements),
    Attempt("another server key", "another name or key", answers=another_server_key, told_to="seen"),
    Attempt("another name", "another name or key", answers=another_name, told_to="seen"),
)
