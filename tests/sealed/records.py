"""Records of the world's thread, as authority A exports it."""

from dataclasses import replace
from functools import cache

from messaging.sealed.encoding import sha256
from messaging.sealed.message import message_key, open_padded, read_message
from messaging.sealed.record import (
    FACTS,
    KEYS,
    ONE,
    READABLE,
    WHOLE,
    Disclosed,
    ExportedKeyring,
    Facts,
    NamedAuthority,
    OpeningCode,
    encode_item,
    item_path,
    keyring_parts,
    make_message_record,
    make_thread_record,
    sign_manifest,
    text_path,
)
from messaging.sealed.report import make_report
from tests.sealed.world import NET, START, Party, forge, seed, world

CODE = OpeningCode(NET, seed("opening code"))


def exported(party: Party, *, sealed: bool, n: int | None = None) -> ExportedKeyring:
    links = party.links if n is None else party.links[: n + 1]
    return ExportedKeyring(
        party.principal,
        [link.entry for link in links],
        [statement for link in links for statement in link.statements],
        {at: link.envelopes for at, link in enumerate(links)} if sealed else {},
    )


def facts_of(kind: str) -> Facts:
    made = world()
    named = [
        NamedAuthority(party.principal, party.label, f"Authority {party.label}", "State")
        for party in (made.a, made.b)
    ]
    facts = Facts(kind, NET, made.server_key.public, made.server.state.thread)
    return facts if kind == ONE else replace(facts, own=made.a.principal, authorities=tuple(named))


def disclosed_of(seq: int) -> tuple[Disclosed, bytes]:
    server = world().server
    message = read_message(NET, server.items[seq - 1].item)
    key = message_key(NET, message, server.secrets[message.n])
    return Disclosed(*open_padded(NET, message, server.items[seq - 1].ciphertext or b"", key)), key


@cache
def parts_of(*, readable: bool = True) -> dict[str, bytes]:
    """The parts of the world's thread as authority A exports them, without the manifest."""
    made = world()
    parts = keyring_parts(exported(made.a, sealed=True)) | keyring_parts(exported(made.b, sealed=False))
    parts |= {item_path(item.seq): encode_item(item) for item in made.server.items}
    parts[FACTS] = facts_of(WHOLE).encode()
    texts = {seq: disclosed_of(seq) for seq in made.server.plaintexts}
    assert texts
    parts[KEYS] = CODE.seal_keys(made.server.state.thread, {seq: key for seq, (_, key) in texts.items()})
    if readable:
        parts |= {text_path(seq): found.encode() for seq, (found, _) in texts.items()}
        parts[READABLE] = b"<!doctype html><title>Record</title>"
    return parts


def manifest_of(parts: dict[str, bytes], **changes: object) -> bytes:
    made = world()
    state = made.server.state
    manifest = sign_manifest(
        facts_of(WHOLE),
        parts,
        by=made.a.by(),
        device=made.elin.id,
        key=made.elin.signing_key,
        seq=state.seq,
        transcript=state.transcript,
        at=START + 5000,
    )
    return forge(manifest, made.elin, **changes) if changes else manifest


@cache
def record(*, readable: bool = True) -> bytes:
    parts = parts_of(readable=readable)
    return make_thread_record(parts, manifest_of(parts))


def one(seq: int = 2, n: int = 0) -> bytes:
    made = world()
    device = {2: made.dara, 5: made.elin}[seq]
    links = exported(made.a, sealed=False, n=n)
    keyring = replace(links, statements=[device.statement])
    return make_message_record(facts_of(ONE), keyring, made.server.items[seq - 1], disclosed_of(seq)[0])


def report(**changes: object) -> bytes:
    made = world()
    items = made.server.items
    raw = make_report(
        NET,
        by=made.b.by(),
        device=made.femi.id,
        key=made.femi.signing_key,
        thread=made.server.state.thread,
        cause="pressure",
        words="They threaten us.",
        messages=[(5, sha256(items[4].item)), (2, sha256(items[1].item))],
        at=START + 6000,
    )
    return forge(raw, made.femi, **changes) if changes else raw
