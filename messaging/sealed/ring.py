"""A client's view of one keyring: every entry it verified, and the secrets it could open (K7, K10)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from messaging.sealed import envelopes as sealing
from messaging.sealed.device import DeviceStatement, read_device
from messaging.sealed.encoding import sha256
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import (
    Held,
    KeyringEntry,
    Keyrings,
    KeyringState,
    accept_entry,
    check_envelopes,
    open_generation,
    open_history,
    read_entry,
)
from messaging.sealed.keys import KemKey


@dataclass(frozen=True)
class Pin:
    """The newest entry a device has ever seen of a principal."""

    n: int
    head: bytes


@dataclass
class Ring:
    """Grows by verified entries only. ``alarms`` are the codes of what did not hold, by generation (K7)."""

    net: str
    states: list[KeyringState] = field(default_factory=list)
    entries: list[KeyringEntry] = field(default_factory=list)
    devices: dict[bytes, DeviceStatement] = field(default_factory=dict)
    secrets: dict[int, bytes] = field(default_factory=dict)
    envelopes: dict[int, bytes] = field(default_factory=dict)
    alarms: dict[int, str] = field(default_factory=dict)
    _followed: set[int] = field(default_factory=set)

    @property
    def newest(self) -> KeyringState | None:
        """The state after the newest entry."""
        return self.states[-1] if self.states else None

    def at(self, n: int) -> KeyringState | None:
        """The state after entry n."""
        return self.states[n] if n < len(self.states) else None

    def accept(
        self,
        raw: bytes,
        statements: Sequence[bytes],
        envelopes: bytes | None,
        keyrings: Keyrings | None = None,
    ) -> KeyringState:
        """Verify the next entry; one already known is compared. Raises Refused.

        ``keyrings`` are those of sponsors, which a practitioner's entries need (K9).
        """
        entry = read_entry(self.net, raw)
        known = self.at(entry.n)
        if known is not None:
            if known.head != sha256(raw):  # K10
                raise Refused("K10", "forked-keyring", "another entry stands at a known place")
            self.keep_envelopes(entry.n, envelopes)
            return known
        state = accept_entry(self.net, self.newest, raw, statements, envelopes, keyrings=keyrings)
        listed = {device.id for device in state.devices} - self.devices.keys()
        hashes = {sha256(text): text for text in statements}
        self.devices |= {device: read_device(self.net, hashes[device]) for device in listed}
        self.states.append(state)
        self.entries.append(entry)
        self.keep_envelopes(entry.n, envelopes)
        return state

    def keep_envelopes(self, n: int, envelopes: bytes | None) -> None:
        """Keep the envelopes of a known entry, to be opened. Raises Refused K4 for others than its own."""
        if envelopes is not None and self.envelopes.get(n) != envelopes:
            check_envelopes(self.net, self.entries[n], envelopes)
            self.envelopes[n] = envelopes

    def check_pin(self, pin: Pin | None) -> None:
        """That the keyring reaches what was seen before. Raises Refused K10."""
        if pin is None:
            return
        if self.newest is None or self.newest.n < pin.n:  # K10
            raise Refused("K10", "stale-keyring", "the keyring is older than what was seen before")
        if self.states[pin.n].head != pin.head:  # K10
            raise Refused("K10", "forked-keyring", "another entry stands at a place seen before")

    def open(self, recipient: bytes, key: KemKey) -> None:
        """Open every generation that this recipient can, and note what does not hold (K7).

        The newest by its own envelope, each earlier one by the history of a newer one; where that fails,
        by the own envelope of that generation. A failure is no refusal of the entry, which is signed and
        in force: it is an alarm, until a later entry begins anew (``repair``, ``recover``).
        """
        for n in range(len(self.entries) - 1, -1, -1):
            if n not in self.secrets:
                self._open_generation(n, recipient, key)
            if n in self.secrets and n not in self._followed:
                self._follow_history(n)

    @property
    def broken(self) -> str | None:
        """The code of a K7 alarm that no later entry has mended: do not seal to this keyring."""
        mended = [entry.n for entry in self.entries if entry.reason in {"repair", "recover"}]
        since = mended[-1] if mended else 0
        return next((code for n, code in self.alarms.items() if n >= since), None)

    def held(self) -> Held | None:
        """The newest generation whose secret is open and whose history holds; None when there is none."""
        sound = [n for n in self.secrets if n not in self.alarms]
        return Held(max(sound), self.secrets[max(sound)]) if sound else None

    def _open_generation(self, n: int, recipient: bytes, key: KemKey) -> None:
        blob = self.envelopes.get(n)
        if blob is None or not self._is_recipient(n, recipient):
            return
        try:
            envelopes = sealing.read("K4", blob)
            self.secrets[n] = open_generation(self.net, self.entries[n], envelopes, recipient, key)
        except Refused as refused:  # K7
            self.alarms[n] = refused.code

    def _is_recipient(self, n: int, recipient: bytes) -> bool:
        recovery = self.entries[n].recovery
        is_kit = recovery is not None and recovery.id(self.net) == recipient
        return is_kit or self.states[n].device(recipient) is not None

    def _follow_history(self, n: int) -> None:
        self._followed.add(n)
        history = self.entries[n].history
        if history is None:
            return
        try:
            secret = open_history(self.net, self.entries[n], self.secrets[n], self.entries[history.of])
        except Refused as refused:  # K7
            self.alarms[n] = refused.code
            return
        if self.secrets.setdefault(history.of, secret) != secret:  # K7
            self.alarms[n] = "wrong-history"


# --- keyrings that follow others (K12)


def line_of(rings: Mapping[bytes, Ring], principal: bytes) -> list[bytes]:
    """A principal, the one that its keyring follows, and so on, as far as known here; newest first."""
    found = [principal]
    while (ring := rings.get(found[-1])) and ring.newest and (before := ring.newest.succeeds):
        if before in found:
            break
        found.append(before)
    return found


def is_of_one_line(rings: Mapping[bytes, Ring], one: bytes, other: bytes) -> bool:
    """Whether one of two keyrings follows the other, by what their first entries say (K12)."""
    return other in line_of(rings, one) or one in line_of(rings, other)


def successors_of(rings: Mapping[bytes, Ring], principal: bytes) -> list[bytes]:
    """Whose keyrings name this one as the one they follow."""
    return [found for found, ring in rings.items() if ring.newest and ring.newest.succeeds == principal]
