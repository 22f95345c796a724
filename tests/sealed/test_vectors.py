"""What each implementation made opens in this one, and what breaks a rule is refused by it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from messaging.sealed import envelopes as sealing
from messaging.sealed import keyring, keys, message, receipt, thread
from messaging.sealed.encoding import context, context_hash, decode, derive_key, encode, sha256
from messaging.sealed.errors import Refused
from tests.sealed.cases.gathered import CASES
from tests.vectors.make_python import tagged
from tests.vectors.replay import Replay

FOLDER = Path(__file__).resolve().parents[1] / "vectors"
FILES = ("python", "typescript")


@pytest.fixture(params=FILES, scope="module")
def replay(request: pytest.FixtureRequest) -> Replay:
    """Each file; both are there, always."""
    return Replay(json.loads((FOLDER / f"{request.param}.json").read_text(encoding="utf-8")))


def untagged(value: Any) -> Any:
    """E1 from JSON."""
    if isinstance(value, Mapping):
        if "bytes" in value:
            return bytes.fromhex(value["bytes"])
        return {name: untagged(part) for name, part in value["map"].items()}
    return [untagged(part) for part in value] if isinstance(value, list) else value


def test_e1_encodings(replay: Replay) -> None:
    assert replay.document["encodings"]
    for row in replay.document["encodings"]:
        assert encode(untagged(row["value"])).hex() == row["bytes"]
        assert tagged(decode(bytes.fromhex(row["bytes"]))) == row["value"]


def test_e4_contexts(replay: Replay) -> None:
    assert replay.document["contexts"]
    for row in replay.document["contexts"]:
        parts = untagged(row["parts"])
        assert context(replay.net, row["purpose"], *parts).hex() == row["context"]
        assert context_hash(replay.net, row["purpose"], *parts).hex() == row["hash"]
        assert (
            derive_key(replay.net, bytes.fromhex(row["secret"]), row["purpose"], *parts).hex() == row["key"]
        )


def test_e5_sealed(replay: Replay) -> None:
    assert replay.document["sealed"]
    for row in replay.document["sealed"]:
        key = keys.KemKey(bytes.fromhex(row["seed"]))
        opened = key.open(bytes.fromhex(row["sealed"]), bytes.fromhex(row["info"]))
        assert opened.hex() == row["secret"]


def test_e6_seeds(replay: Replay) -> None:
    assert replay.document["seeds"]
    for row in replay.document["seeds"]:
        assert keys.SigningKey(bytes.fromhex(row["seed"])).public.hex() == row["ed25519"]
        assert keys.KemKey(bytes.fromhex(row["seed"])).public.hex() == row["kem"]


def test_e6_recovery_kits(replay: Replay) -> None:
    assert replay.document["recovery"]
    for row in replay.document["recovery"]:
        kit = keys.RecoveryKit(replay.net, bytes.fromhex(row["secret"]))
        assert kit.print() == row["printed"]
        assert keys.RecoveryKit.parse(replay.net, row["printed"]) == kit
        assert (kit.id.hex(), kit.public.sig.hex(), kit.public.kem.hex()) == (
            row["id"],
            row["sig"],
            row["kem"],
        )


def test_e8_aead(replay: Replay) -> None:
    assert replay.document["aead"]
    for row in replay.document["aead"]:
        key, aad = bytes.fromhex(row["key"]), bytes.fromhex(row["aad"])
        assert keys.aead_seal(key, bytes.fromhex(row["text"]), aad).hex() == row["sealed"]


def test_e2_devices(replay: Replay) -> None:
    for row in replay.devices.values():
        device = keyring.read_device(replay.net, bytes.fromhex(row["statement"]))
        assert device.id.hex() == row["id"]
        assert (device.principal or b"").hex() == (row["principal"] or "")
        assert (device.salt or b"").hex() == (row["salt"] or "")
        assert (device.person, device.name, device.office) == (row["person"], row["name"], row["office"])
        assert device.sig == keys.SigningKey(bytes.fromhex(row["sig_seed"])).public
        assert device.kem == keys.KemKey(bytes.fromhex(row["kem_seed"])).public
        assert keys.device_words(replay.net, device.id) == row["words"]


def test_k1_to_k7_keyrings(replay: Replay) -> None:
    for label, states in replay.states.items():
        ring = replay.keyring[label]
        assert states[0].principal.hex() == ring["principal"]
        assert keys.fingerprint_digits(states[0].principal) == ring["fingerprint"]
        for state, row in zip(states, ring["entries"], strict=True):
            assert (state.head.hex(), state.mailbox.hex(), state.commit.hex()) == (
                row["head"],
                row["mailbox"],
                row["commit"],
            )
            assert [{"id": one.id.hex(), "roles": list(one.roles)} for one in state.devices] == row["devices"]
            open_keyring(replay, ring, row)


def open_keyring(replay: Replay, ring: Mapping[str, Any], row: Mapping[str, Any]) -> None:
    """Every listed device and the kit open the generation and the one before."""
    entry = keyring.read_entry(replay.net, bytes.fromhex(row["entry"]))
    envelopes = sealing.read("K4", bytes.fromhex(row["envelopes"]))
    known = {device["id"]: device for device in replay.devices.values()}
    openers = kit_at(replay, ring, entry.n) | {
        bytes.fromhex(one["id"]): keys.KemKey(bytes.fromhex(known[one["id"]]["kem_seed"]))
        for one in row["devices"]
    }
    for recipient, key in openers.items():
        secret = keyring.open_generation(replay.net, entry, envelopes, recipient, key)
        assert secret.hex() == row["secret"]
        if entry.history:
            before = ring["entries"][entry.history.of]
            earlier = keyring.read_entry(replay.net, bytes.fromhex(before["entry"]))
            assert keyring.open_history(replay.net, entry, secret, earlier).hex() == before["secret"]


def kit_at(replay: Replay, ring: Mapping[str, Any], n: int) -> dict[bytes, keys.KemKey]:
    """The recovery kit that an entry is sealed to, by its id."""
    kits = [ring["recovery"], *(row.get("recovery") for row in ring["entries"][: n + 1])]
    newest = next((secret for secret in reversed(kits) if secret), None)
    if newest is None:
        return {}
    kit = keys.RecoveryKit(replay.net, bytes.fromhex(newest))
    return {kit.id: kit.kem_key}


def test_t1_to_m7_threads(replay: Replay) -> None:
    server = replay.document["server"]
    public = bytes.fromhex(server["public"])
    assert keys.SigningKey(bytes.fromhex(server["seed"])).public == public
    assert receipt.server_key_id(replay.net, public).hex() == server["id"]
    for place, found in enumerate(replay.document["threads"]):
        for state, row in zip(replay.states_of(place), found["items"], strict=True):
            item = bytes.fromhex(row["item"])
            assert (sha256(item).hex(), state.transcript.hex(), state.seq) == (
                row["hash"],
                row["transcript"],
                row["seq"],
            )
            receipt.check_receipt(
                replay.net,
                public,
                bytes.fromhex(row["receipt"]),
                thread=state.thread,
                seq=state.seq,
                item=sha256(item),
                transcript=state.transcript,
            )


def test_t6_t7_m5_threads_are_opened(replay: Replay) -> None:
    for found in replay.document["threads"]:
        open_thread(replay, found["items"])


def open_thread(replay: Replay, rows: Sequence[Mapping[str, Any]]) -> None:
    """Every member opens each epoch, what it leads back to, and the messages in it."""
    entries: list[thread.ThreadEntry] = []
    secrets: list[bytes] = []
    labels = {ring["principal"]: label for label, ring in replay.keyring.items()}
    for row in rows:
        item, secret = bytes.fromhex(row["item"]), bytes.fromhex(row["secret"])
        if row["type"] == "message":
            header = message.read_message(replay.net, item)
            plaintext = message.open_message(replay.net, header, bytes.fromhex(row["ciphertext"]), secret)
            assert tagged(decode(plaintext.encode())) == row["plaintext"]
            assert (plaintext.body.urgency, plaintext.body.due) == (row["urgency"], row["due"])
        if row["type"] != "entry":
            continue
        entry = thread.read_entry(replay.net, item)
        envelopes = sealing.read("T1", bytes.fromhex(row["envelopes"]))
        for member in entry.members:
            key = replay.mailbox(labels[member.principal.hex()], member.keyring_n)
            assert thread.open_epoch(replay.net, entry, envelopes, member, key) == secret
        if entry.history is not None:
            earlier = thread.open_history(replay.net, entry, secret, entries[entry.history.of])
            assert earlier == secrets[entry.history.of]
        entries.append(entry)
        secrets.append(secret)
    assert entries


def test_m1_opened(replay: Replay) -> None:
    assert replay.document["opened"]
    for row in replay.document["opened"]:
        opened = receipt.check_opened(
            replay.net,
            bytes.fromhex(row["opened"]),
            replay.thread_states[-1],
            replay.newest(row["keyrings"]),
            transcript_at=lambda seq: replay.thread_states[seq - 1].transcript,
        )
        assert opened.seq == row["seq"]
        assert opened.device.hex() == replay.devices[row["device"]]["id"]


def test_what_is_to_be_refused_is_refused(replay: Replay) -> None:
    for case in replay.document["refused"]:
        with pytest.raises(Refused) as caught:
            replay.attempt(case)
        assert (caught.value.rule, caught.value.code) == (case["rule"], case["code"]), case["why"]


def test_the_file_of_python_holds_every_case() -> None:
    document = json.loads((FOLDER / "python.json").read_text(encoding="utf-8"))
    written = [(case["kind"], case["rule"], case["code"], case["why"]) for case in document["refused"]]
    assert written == [(case.kind, case.rule, case.code, case.why) for case in CASES]
