"""Writes python.json: objects made by messaging/sealed for the other implementation to check and open.

Run: .venv/bin/python tests/vectors/make_python.py. Envelopes are sealed with fresh randomness, so each run
gives other bytes; what was committed is checked, not compared. typescript.json has the same shape.

Every byte string is lowercase hex. A *tagged* value is E1 in JSON: null, true, false, numbers and texts as
they are, arrays as arrays, {"bytes": hex} for a byte string, {"map": {name: value}} for a map.

    net                 the network's name
    encodings           [{value: tagged, bytes}]
    contexts            [{purpose, parts: [tagged], context, hash, secret, key}]   E4: H and K(secret, …)
    seeds               [{seed, ed25519, kem}]                        E6: public keys
    sealed              [{seed, info, sealed, secret}]                E5
    aead                [{key, text, aad, sealed}]                    E8
    devices             [{label, statement, id, sig_seed, kem_seed, principal|null, salt|null, person, name,
                          office, words}]
    recovery            [{secret, printed, id, sig, kem}]
    keyrings            [{label, principal, kind, fingerprint, recovery: secret of the kit,
                          entries: [{n, entry, envelopes, statements, head, secret, mailbox, commit,
                                     devices: [{id, roles}],
                                     recovery: secret of another kit from here on (absent: the same)}]}]
                        statements: of the devices it adds; recovery is null for a practitioner; those whose
                        keyring comes before may be its sponsor
    server              {seed, public, id}
    threads             [{thread, kind, members: [label of keyring] that are in it at some time,
                          pretend: {label: {kind?, succeeds?, sponsor?: statement, sponsored?:
                          [[practitioner, statement]]}}: what keyrings are taken to be,
                          items: [{seq, type, item, ciphertext|null, envelopes|null, receipt, hash,
                                   transcript, keyrings: {label: n}, secret: of the epoch,
                                   plaintext: tagged|null, urgency, due|null}]}]
                                                                      keyrings: the newest when it came
    opened              [{opened, thread, seq, device: label, keyrings: {label: n}}]
    refused             [{kind, rule, code, why, …}]; by kind:
        encoding        bytes: decoding fails
        statement       bytes, expect: parsing fails
        signing-key, kem-key   bytes: the check of E7 fails
        recovery-kit    printed
        sealed          seed, info, sealed: opening fails
        aead            key, aad, sealed: opening fails
        device          statement: reading fails
        keyring         label|null, before: number of entries accepted first (0: a genesis), entry,
                        statements, envelopes; all keyrings of the file are known to it
        generation      label, n, entry, envelopes, device: label, recipient (id; absent: that device's):
                        opening the recipient's envelope with that device's key fails
        keyring-history label, entry (n), secret: of n; opening the history to entry n-1 of label fails
        thread          thread: index, absent: 0; before: number of its items accepted first (0: a genesis),
                        now: when received, absent: 0; keyrings: {label: n} newest; entry, envelopes
        withdrawal      thread, before, keyrings, withdrawal
        trust           check: confirms, accept, pins or restore; keyrings, statements, principal: who is
                        confirmed, or whose accept, pins or restore they should be
        epoch           entry, envelopes, member: label; opening with that mailbox key fails
        thread-history  entry, secret: of its epoch; opening the history to the genesis fails
        message         thread, before, now, keyrings, item, ciphertext
        open-message    item, ciphertext, secret: of the epoch
        receipt         receipt, seq: the item of threads[0] it is handed out with
        opened          opened, before, keyrings
    For keyring, thread and message the strict validator of a server is meant.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from messaging.sealed import receipt
from messaging.sealed.encoding import Encodable, context, context_hash, decode, derive_key, encode, sha256
from messaging.sealed.keyring import read_device
from messaging.sealed.keys import (
    KemKey,
    RecoveryKit,
    SigningKey,
    aead_seal,
    device_words,
    fingerprint_digits,
    seal,
)
from tests.sealed.cases.gathered import CASES
from tests.sealed.cases.keyrings import PAIR
from tests.sealed.changes import joined, mandated, succeeded
from tests.sealed.steps import whole_case
from tests.sealed.story import STORIES
from tests.sealed.world import NET, START, Party, ThreadServer, World, seed, world

FILE = Path(__file__).with_name("python.json")

ENCODINGS: list[Encodable] = [
    0, 1, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**53 - 1,
    True, False, None, b"", bytes(23), bytes(24), bytes(256), "", "a" * 23, "a" * 24, "ÿ日本語🙂", "\ufeffx",
    [], [0] * 24, [[[[[[[]]]]]]], {}, {"b": 1, "aa": 2, "a": 3, "": 4},
    {"é": 1, "z": 2, "zz": 3, "k" * 23: 4}, [1, "1", b"1", True, None, {"x": [{}]}],
]  # fmt: skip


def tagged(value: Encodable) -> object:
    """E1 in JSON."""
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, Mapping):
        return {"map": {name: tagged(part) for name, part in value.items()}}
    if isinstance(value, list | tuple):
        return [tagged(part) for part in value]
    return value


def make_contexts() -> list[object]:
    """H and K for texts, numbers, bytes and maps."""
    found: list[object] = []
    parts: list[list[Encodable]] = [[], [bytes(32), 7], ["x", None, [True, {"of": 1}]]]
    for number, some in enumerate(parts):
        purpose, secret = f"purpose {number}", seed(f"secret {number}")
        found.append(
            {
                "purpose": purpose,
                "parts": tagged(some),
                "context": context(NET, purpose, *some).hex(),
                "hash": context_hash(NET, purpose, *some).hex(),
                "secret": secret.hex(),
                "key": derive_key(NET, secret, purpose, *some).hex(),
            }
        )
    return found


def make_seeds() -> list[object]:
    """Raw seeds and the public keys they give."""
    seeds = [bytes(32), bytes(range(32)), seed("one"), seed("two")]
    return [
        {"seed": one.hex(), "ed25519": SigningKey(one).public.hex(), "kem": KemKey(one).public.hex()}
        for one in seeds
    ]


def make_sealed() -> list[object]:
    """HPKE to a raw-seed key."""
    one, info, secret = seed("sealed"), context(NET, "some info", 1), seed("the secret")
    box = seal(KemKey(one).public, secret, info)
    return [{"seed": one.hex(), "info": info.hex(), "sealed": box.hex(), "secret": secret.hex()}]


def make_aead() -> list[object]:
    """AES-256-GCM with the zero nonce."""
    key, text, aad = seed("aead"), b"some text", context(NET, "some aad")
    return [
        {"key": key.hex(), "text": text.hex(), "aad": aad.hex(), "sealed": aead_seal(key, text, aad).hex()}
    ]


def make_devices(parties: list[Party]) -> list[object]:
    """Every device with its seeds."""
    found: list[object] = []
    for party in parties:
        for label, device in party.devices.items():
            read = read_device(NET, device.statement)
            found.append(
                {
                    "label": label,
                    "statement": device.statement.hex(),
                    "id": device.id.hex(),
                    "sig_seed": device.signing_key.seed.hex(),
                    "kem_seed": device.kem_key.seed.hex(),
                    "principal": read.principal.hex() if read.principal else None,
                    "salt": read.salt.hex() if read.salt else None,
                    "person": read.person,
                    "name": read.name,
                    "office": read.office,
                    "words": device_words(NET, device.id),
                }
            )
    return found


def make_recovery() -> list[object]:
    """Recovery kits as printed."""
    kits = [RecoveryKit(NET, secret) for secret in (bytes(32), b"\xff" * 32, seed("A kit"))]
    return [
        {
            "secret": kit.secret.hex(),
            "printed": kit.print(),
            "id": kit.id.hex(),
            "sig": kit.public.sig.hex(),
            "kem": kit.public.kem.hex(),
        }
        for kit in kits
    ]


def make_keyring(party: Party) -> object:
    """A whole keyring with the secrets of its generations."""
    return {
        "label": party.label,
        "principal": party.principal.hex(),
        "kind": party.kind,
        "fingerprint": fingerprint_digits(party.principal),
        "recovery": None if party.kind == "practitioner" else party.kit.secret.hex(),
        "entries": [
            {
                "n": link.state.n,
                "entry": link.entry.hex(),
                "envelopes": link.envelopes.hex(),
                "statements": [statement.hex() for statement in link.statements],
                "head": link.state.head.hex(),
                "secret": link.secret.hex(),
                "mailbox": link.state.mailbox.hex(),
                "commit": link.state.commit.hex(),
                "devices": [{"id": row.id.hex(), "roles": list(row.roles)} for row in link.state.devices],
                **({"recovery": link.kit.secret.hex()} if link.kit else {}),
            }
            for link in party.links
        ],
    }


def make_thread(
    server: ThreadServer, labels: list[str], newest: Callable[[int], dict[str, int]], **further: object
) -> object:
    """A thread with the secrets of its epochs and the texts of its messages."""
    return {
        "thread": server.state.thread.hex(),
        "kind": server.state.kind,
        "members": labels,
        **further,
        "items": [
            {
                "seq": item.seq,
                "type": item.type,
                "item": item.item.hex(),
                "ciphertext": item.ciphertext.hex() if item.ciphertext else None,
                "envelopes": item.envelopes.hex() if item.envelopes else None,
                "receipt": item.receipt.hex(),
                "hash": _hash(item.item),
                "transcript": state.transcript.hex(),
                "keyrings": newest(item.seq),
                "secret": server.secrets[state.n].hex(),
                "plaintext": _plaintext(server, item.seq),
                **_handling(server, item.seq),
            }
            for item, state in zip(server.items, server.states, strict=True)
        ],
    }


def make_threads(made: World) -> list[object]:
    """The first thread, then those whose members change."""
    found = [make_thread(made.server, ["A", "B"], _newest)]
    for changing in (joined(), mandated(), succeeded()):
        labels = ["A", "B", "C"]
        found.append(make_thread(changing.server, labels, lambda _: _newest(4), pretend=changing.pretend))
    found.append(make_thread(whole_case().server, ["A", "B"], lambda _: _newest(4)))
    return found


def _hash(raw: bytes) -> str:
    return sha256(raw).hex()


def _newest(seq: int) -> dict[str, int]:
    return {"A": 0 if seq < 4 else 1, "B": 0, "C": 0, "secretariat": 0}


def _handling(server: ThreadServer, seq: int) -> dict[str, object]:
    text = server.plaintexts.get(seq)
    return {"urgency": text.body.urgency if text else 0, "due": text.body.due if text else None}


def _plaintext(server: ThreadServer, seq: int) -> object:
    text = server.plaintexts.get(seq)
    return None if text is None else tagged(decode(text.encode()))


def make_opened(made: World) -> list[object]:
    """Elin has opened the thread to its end."""
    state = made.server.state
    signed = receipt.make_opened(
        NET,
        by=made.a.by(),
        device=made.elin.id,
        key=made.elin.signing_key,
        thread=state.thread,
        seq=state.seq,
        transcript=state.transcript,
        at=START + 2000,
    )
    place = {"thread": state.thread.hex(), "seq": state.seq, "device": "elin", "keyrings": _newest(state.seq)}
    return [{"opened": signed.hex(), **place}]


def make_base() -> dict[str, object]:
    """The file without what is to be refused."""
    made = world()
    parties = [made.a, made.b, made.c, made.secretariat, PAIR, *STORIES]
    key = made.server_key
    return {
        "net": NET,
        "encodings": [{"value": tagged(value), "bytes": encode(value).hex()} for value in ENCODINGS],
        "contexts": make_contexts(),
        "seeds": make_seeds(),
        "sealed": make_sealed(),
        "aead": make_aead(),
        "devices": make_devices(parties),
        "recovery": make_recovery(),
        "keyrings": [make_keyring(party) for party in parties],
        "server": {
            "seed": key.seed.hex(),
            "public": key.public.hex(),
            "id": receipt.server_key_id(NET, key.public).hex(),
        },
        "threads": make_threads(made),
        "opened": make_opened(made),
    }


def make() -> dict[str, object]:
    """The whole file."""
    return {**make_base(), "refused": [case.as_json() for case in CASES]}


if __name__ == "__main__":
    FILE.write_text(json.dumps(make(), ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
