"""Takes a vectors file as it is described in make_python.py and tries what it says on messaging/sealed."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from messaging.sealed import envelopes as sealing
from messaging.sealed import keyring, keys, message, receipt, statement, thread
from messaging.sealed.encoding import decode
from messaging.sealed.keyring import KeyringState, NewestKeyrings
from messaging.sealed.thread import ThreadState

Json = Mapping[str, Any]


class Replay:
    """The keyrings and the first thread of a file, accepted step by step."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self.net: str = document["net"]
        self.devices: dict[str, Json] = {device["label"]: device for device in document["devices"]}
        self.keyring: dict[str, Json] = {ring["label"]: ring for ring in document["keyrings"]}

    @cached_property
    def states(self) -> dict[str, list[KeyringState]]:
        """The states of every keyring after each entry."""
        return {label: self._grow(ring) for label, ring in self.keyring.items()}

    def _grow(self, ring: Json) -> list[KeyringState]:
        states: list[KeyringState] = []
        for entry in ring["entries"]:
            before = states[-1] if states else None
            texts = [bytes.fromhex(text) for text in entry["statements"]]
            raw, blob = bytes.fromhex(entry["entry"]), bytes.fromhex(entry["envelopes"])
            states.append(keyring.accept_entry(self.net, before, raw, texts, blob))
        return states

    def newest(self, numbers: Mapping[str, int]) -> NewestKeyrings:
        """The keyrings when their newest entries were these."""
        found = [self.states[label][n] for label, n in numbers.items()]
        return NewestKeyrings({state.principal: state for state in found})

    @cached_property
    def items(self) -> list[Json]:
        """The items of the first thread."""
        found: list[Json] = self.document["threads"][0]["items"]
        return found

    @cached_property
    def thread_states(self) -> list[ThreadState]:
        """The states of the first thread after each item."""
        states: list[ThreadState] = []
        for item in self.items:
            before = len(states)
            raw, known = bytes.fromhex(item["item"]), self.newest(item["keyrings"])
            if item["type"] == "entry":
                last = states[-1] if states else None
                blob = bytes.fromhex(item["envelopes"])
                states.append(thread.accept_entry(self.net, last, raw, blob, known))
            else:
                text = bytes.fromhex(item["ciphertext"])
                states.append(self.take_message(states, before, known, raw, text))
        return states

    def take_message(
        self, states: list[ThreadState], before: int, known: NewestKeyrings, raw: bytes, text: bytes
    ) -> ThreadState:
        """The strict validator of a server, after so many items."""
        ids = {
            message.read_message(self.net, bytes.fromhex(item["item"])).id
            for item in self.items[:before]
            if item["type"] == "message"
        }

        def transcript_at(seq: int) -> bytes | None:
            return states[seq - 1].transcript if 1 <= seq <= before else None

        last = states[before - 1]
        state, _ = message.accept_message(
            self.net, last, known, raw, text, is_known=ids.__contains__, transcript_at=transcript_at
        )
        return state

    def mailbox(self, label: str, n: int) -> keys.KemKey:
        """The mailbox key pair of a generation."""
        ring = self.keyring[label]
        secret = bytes.fromhex(ring["entries"][n]["secret"])
        return keyring.mailbox_key(self.net, bytes.fromhex(ring["principal"]), n, secret)

    # what must be refused

    def attempt(self, case: Json) -> None:
        """Do what a refused case describes; it should raise Refused."""
        data = {name: _bytes(name, value) for name, value in case.items()}
        name = "try_" + case["kind"].replace("-", "_")
        method: Callable[[dict[str, Any]], None] = getattr(self, name)
        method(data)

    def try_encoding(self, data: dict[str, Any]) -> None:
        decode(data["bytes"])

    def try_statement(self, data: dict[str, Any]) -> None:
        statement.parse(self.net, data["bytes"], data["expect"])

    def try_signing_key(self, data: dict[str, Any]) -> None:
        keys.check_signing_key(data["bytes"])

    def try_kem_key(self, data: dict[str, Any]) -> None:
        keys.check_kem_key(data["bytes"])

    def try_recovery_kit(self, data: dict[str, Any]) -> None:
        keys.RecoveryKit.parse(self.net, data["printed"])

    def try_sealed(self, data: dict[str, Any]) -> None:
        keys.KemKey(data["seed"]).open(data["sealed"], data["info"])

    def try_aead(self, data: dict[str, Any]) -> None:
        keys.aead_open(data["key"], data["sealed"], data["aad"])

    def try_device(self, data: dict[str, Any]) -> None:
        keyring.read_device(self.net, data["statement"])

    def try_keyring(self, data: dict[str, Any]) -> None:
        before = self.states[data["label"]][data["before"] - 1] if data["before"] else None
        keyring.accept_entry(self.net, before, data["entry"], data["statements"], data["envelopes"])

    def try_generation(self, data: dict[str, Any]) -> None:
        device = self.devices[data["device"]]
        entry = keyring.read_entry(self.net, data["entry"])
        recipient = data.get("recipient", bytes.fromhex(device["id"]))
        key = keys.KemKey(bytes.fromhex(device["kem_seed"]))
        keyring.open_generation(self.net, entry, sealing.read("K4", data["envelopes"]), recipient, key)

    def try_keyring_history(self, data: dict[str, Any]) -> None:
        entry = keyring.read_entry(self.net, data["entry"])
        raw = self.keyring[data["label"]]["entries"][entry.n - 1]["entry"]
        earlier = keyring.read_entry(self.net, bytes.fromhex(raw))
        keyring.open_history(self.net, entry, data["secret"], earlier)

    def try_thread(self, data: dict[str, Any]) -> None:
        before = self.thread_states[data["before"] - 1] if data["before"] else None
        known = self.newest(data["keyrings"])
        thread.accept_entry(self.net, before, data["entry"], data["envelopes"], known)

    def try_epoch(self, data: dict[str, Any]) -> None:
        entry = thread.read_entry(self.net, data["entry"])
        principal = bytes.fromhex(self.keyring[data["member"]]["principal"])
        member = next(member for member in entry.members if member.principal == principal)
        key = self.mailbox(data["member"], member.keyring_n)
        thread.open_epoch(self.net, entry, sealing.read("T1", data["envelopes"]), member, key)

    def try_thread_history(self, data: dict[str, Any]) -> None:
        entry = thread.read_entry(self.net, data["entry"])
        earlier = thread.read_entry(self.net, bytes.fromhex(self.items[0]["item"]))
        thread.open_history(self.net, entry, data["secret"], earlier)

    def try_message(self, data: dict[str, Any]) -> None:
        known = self.newest(data["keyrings"])
        self.take_message(self.thread_states, data["before"], known, data["item"], data["ciphertext"])

    def try_open_message(self, data: dict[str, Any]) -> None:
        header = message.read_message(self.net, data["item"])
        message.open_message(self.net, header, data["ciphertext"], data["secret"])

    def try_receipt(self, data: dict[str, Any]) -> None:
        item, state = self.items[data["seq"] - 1], self.thread_states[data["seq"] - 1]
        receipt.check_receipt(
            self.net,
            bytes.fromhex(self.document["server"]["public"]),
            data["receipt"],
            thread=state.thread,
            seq=state.seq,
            item=bytes.fromhex(item["hash"]),
            transcript=state.transcript,
        )

    def try_opened(self, data: dict[str, Any]) -> None:
        states = self.thread_states[: data["before"]]

        def transcript_at(seq: int) -> bytes | None:
            return states[seq - 1].transcript if 1 <= seq <= len(states) else None

        known = self.newest(data["keyrings"])
        receipt.check_opened(self.net, data["opened"], states[-1], known, transcript_at=transcript_at)


_TEXTS = {"kind", "rule", "code", "why", "expect", "printed", "label", "device", "member"}


def _bytes(name: str, value: Any) -> Any:
    if isinstance(value, str) and name not in _TEXTS:
        return bytes.fromhex(value)
    return [bytes.fromhex(part) for part in value] if isinstance(value, list) else value
