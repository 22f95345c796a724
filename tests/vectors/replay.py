"""Takes a vectors file as it is described in make_python.py and tries what it says on messaging/sealed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from messaging.sealed import envelopes as sealing
from messaging.sealed import keyring, keys, message, receipt, restore, statement, thread, trust
from messaging.sealed.encoding import decode
from messaging.sealed.keyring import KeyringState, NewestKeyrings
from messaging.sealed.sponsor import read_sponsor
from messaging.sealed.thread import ThreadState

Json = Mapping[str, Any]


@dataclass(frozen=True)
class WholeKeyrings:
    """Keyrings with every entry, as a client holds them."""

    states: Mapping[bytes, list[KeyringState]]

    def newest(self, principal: bytes) -> KeyringState | None:
        """The newest state."""
        found = self.states.get(principal)
        return found[-1] if found else None

    def at(self, principal: bytes, n: int) -> KeyringState | None:
        """The state after entry n."""
        found = self.states.get(principal, [])
        return found[n] if n < len(found) else None


def pretended(net: str, state: KeyringState, row: Mapping[str, Any]) -> KeyringState:
    """A keyring as if of another kind, succeeding another, sponsored (statement), or answering for others."""
    changes: dict[str, Any] = {name: row[name] for name in ("kind",) if name in row}
    if "succeeds" in row:
        changes["succeeds"] = bytes.fromhex(row["succeeds"])
    if "sponsor" in row:
        changes["sponsor"] = read_sponsor(net, bytes.fromhex(row["sponsor"]))
    if "sponsored" in row:
        rows = ((bytes.fromhex(one), bytes.fromhex(raw)) for one, raw in row["sponsored"])
        changes["sponsored"] = tuple(rows)
    return replace(state, **changes)


class Replay:
    """The keyrings and the first thread of a file, accepted step by step."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self.net: str = document["net"]
        self.devices: dict[str, Json] = {device["label"]: device for device in document["devices"]}
        self._threads: dict[int, list[ThreadState]] = {}
        self.keyring: dict[str, Json] = {ring["label"]: ring for ring in document["keyrings"]}

    @cached_property
    def states(self) -> dict[str, list[KeyringState]]:
        """The states of every keyring after each entry."""
        found: dict[str, list[KeyringState]] = {}
        for label, ring in self.keyring.items():
            found[label] = self._grow(ring, WholeKeyrings({row[0].principal: row for row in found.values()}))
        return found

    def _grow(self, ring: Json, known: "WholeKeyrings") -> list[KeyringState]:
        states: list[KeyringState] = []
        for entry in ring["entries"]:
            before = states[-1] if states else None
            texts = [bytes.fromhex(text) for text in entry["statements"]]
            raw, blob = bytes.fromhex(entry["entry"]), bytes.fromhex(entry["envelopes"])
            states.append(keyring.accept_entry(self.net, before, raw, texts, blob, keyrings=known))
        return states

    def newest(self, numbers: Mapping[str, int], place: int = 0) -> NewestKeyrings:
        """The keyrings when their newest entries were these, as the thread at this place takes them."""
        pretend = self.pretending(place)
        found = [
            pretended(self.net, self.states[label][n], pretend.get(label, {})) for label, n in numbers.items()
        ]
        return NewestKeyrings({state.principal: state for state in found})

    @cached_property
    def items(self) -> list[Json]:
        """The items of the first thread."""
        return self.items_of(0)

    def items_of(self, place: int) -> list[Json]:
        """The items of a thread."""
        found: list[Json] = self.document["threads"][place]["items"]
        return found

    @cached_property
    def thread_states(self) -> list[ThreadState]:
        """The states of the first thread after each item."""
        return self.states_of(0)

    def states_of(self, place: int) -> list[ThreadState]:
        """The states of a thread after each item."""
        if place not in self._threads:
            self._threads[place] = self._replay_thread(place)
        return self._threads[place]

    def pretending(self, place: int) -> dict[str, dict[str, Any]]:
        """What keyrings are taken to be in a thread, by label."""
        found: dict[str, dict[str, Any]] = self.document["threads"][place].get("pretend", {})
        return found

    def _replay_thread(self, place: int) -> list[ThreadState]:
        states: list[ThreadState] = []
        for item in self.items_of(place):
            before = len(states)
            raw, known = bytes.fromhex(item["item"]), self.newest(item["keyrings"], place)
            now = statement.parse(self.net, bytes.fromhex(item["receipt"]), "receipt").at
            if item["type"] == "entry":
                last = states[-1] if states else None
                blob = bytes.fromhex(item["envelopes"])
                states.append(thread.accept_entry(self.net, last, raw, blob, known, now=now))
            elif item["type"] == "withdrawal":
                states.append(self.take_withdrawal(states, known, raw))
            else:
                text = bytes.fromhex(item["ciphertext"])
                states.append(self.take_message(states, before, known, raw, text, now=now, place=place))
        return states

    def take_withdrawal(self, states: list[ThreadState], known: NewestKeyrings, raw: bytes) -> ThreadState:
        """The validator of the withdrawal of a mandate."""
        state, _ = thread.accept_withdrawal(
            self.net, states[-1], raw, known, transcript_at=lambda seq: states[seq - 1].transcript
        )
        return state

    def take_message(
        self,
        states: list[ThreadState],
        before: int,
        known: NewestKeyrings,
        raw: bytes,
        text: bytes,
        *,
        now: int | None = None,
        place: int = 0,
    ) -> ThreadState:
        """The strict validator of a server, after so many items."""
        ids = {
            message.read_message(self.net, bytes.fromhex(item["item"])).id
            for item in self.items_of(place)[:before]
            if item["type"] == "message"
        }

        def transcript_at(seq: int) -> bytes | None:
            return states[seq - 1].transcript if 1 <= seq <= before else None

        state, _ = message.accept_message(
            self.net,
            states[before - 1],
            known,
            raw,
            text,
            is_known=ids.__contains__,
            transcript_at=transcript_at,
            now=now,
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
        known = WholeKeyrings({row[0].principal: row for row in self.states.values()})
        keyring.accept_entry(
            self.net,
            before,
            data["entry"],
            data["statements"],
            data["envelopes"],
            keyrings=known,
        )

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
        place, now = data.get("thread", 0), data.get("now", 0)
        before = self.states_of(place)[data["before"] - 1] if data["before"] else None
        known = self.newest(data["keyrings"], place)
        thread.accept_entry(self.net, before, data["entry"], data["envelopes"], known, now=now)

    def try_withdrawal(self, data: dict[str, Any]) -> None:
        place = data["thread"]
        states = self.states_of(place)[: data["before"]]
        self.take_withdrawal(states, self.newest(data["keyrings"], place), data["withdrawal"])

    def try_trust(self, data: dict[str, Any]) -> None:
        known, principal = self.newest(data["keyrings"]), data["principal"]
        if data["check"] == "confirms":
            trust.check_confirms(self.net, data["statements"], known, principal=principal, reading=True)
            return
        if data["check"] == "restore":
            server = bytes.fromhex(self.document["server"]["public"])
            restore.check_restore(self.net, server, data["statements"][0], known, principal)
            return
        check = trust.check_accept if data["check"] == "accept" else trust.check_pins
        check(self.net, data["statements"][0], known, principal=principal, reading=True)

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
        place = data.get("thread", 0)
        known, states = self.newest(data["keyrings"], place), self.states_of(place)
        now = data.get("now", 0)
        self.take_message(
            states, data["before"], known, data["item"], data["ciphertext"], now=now, place=place
        )

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


_TEXTS = {"kind", "rule", "code", "why", "expect", "printed", "label", "device", "member", "check"}


def _bytes(name: str, value: Any) -> Any:
    if isinstance(value, str) and name not in _TEXTS:
        return bytes.fromhex(value)
    return [bytes.fromhex(part) for part in value] if isinstance(value, list) else value
