"""A client's view of one keyring: every entry it verified, and the secrets it could open (K7, K10)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from messaging.sealed import envelopes as sealing
from messaging.sealed.device import DeviceStatement, read_device
from messaging.sealed.encoding import sha256
from messaging.sealed.envelopes import Envelope
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import (
    KeyringEntry,
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
    """Grows by verified entries only. ``broken`` is the code of a K7 alarm: do not seal to it."""

    net: str
    states: list[KeyringState] = field(default_factory=list)
    entries: list[KeyringEntry] = field(default_factory=list)
    devices: dict[bytes, DeviceStatement] = field(default_factory=dict)
    secrets: dict[int, bytes] = field(default_factory=dict)
    broken: str | None = None

    @property
    def newest(self) -> KeyringState | None:
        """The state after the newest entry."""
        return self.states[-1] if self.states else None

    def at(self, n: int) -> KeyringState | None:
        """The state after entry n."""
        return self.states[n] if n < len(self.states) else None

    def accept(self, raw: bytes, statements: Sequence[bytes], envelopes: bytes | None) -> KeyringState:
        """Verify the next entry; one already known is compared. Raises Refused."""
        entry = read_entry(self.net, raw)
        known = self.at(entry.n)
        if known is not None:
            if known.head != sha256(raw):  # K10
                raise Refused("K10", "forked-keyring", "another entry stands at a known place")
            return known
        state = accept_entry(self.net, self.newest, raw, statements, envelopes)
        listed = {device.id for device in state.devices} - self.devices.keys()
        hashes = {sha256(text): text for text in statements}
        self.devices |= {device: read_device(self.net, hashes[device]) for device in listed}
        self.states.append(state)
        self.entries.append(entry)
        return state

    def check_pin(self, pin: Pin | None) -> None:
        """That the keyring reaches what was seen before. Raises Refused K10."""
        if pin is None:
            return
        if self.newest is None or self.newest.n < pin.n:  # K10
            raise Refused("K10", "stale-keyring", "the keyring is older than what was seen before")
        if self.states[pin.n].head != pin.head:  # K10
            raise Refused("K10", "forked-keyring", "another entry stands at a place seen before")

    def open(self, n: int, envelopes: Sequence[Envelope], recipient: bytes, key: KemKey) -> None:
        """Open generation n from the own envelope and go back along the histories (K7).

        A failure is no refusal of the entry, which is signed and in force: it sets ``broken``.
        """
        try:
            self._open(n, envelopes, recipient, key)
            self.broken = None
        except Refused as refused:  # K7
            self.broken = refused.code

    def _open(self, n: int, envelopes: Sequence[Envelope], recipient: bytes, key: KemKey) -> None:
        secret = self.secrets[n] = open_generation(self.net, self.entries[n], envelopes, recipient, key)
        was_open = False
        while n > 0 and not was_open:
            was_open = n - 1 in self.secrets
            secret = open_history(self.net, self.entries[n], secret, self.entries[n - 1])
            n -= 1
            if self.secrets.setdefault(n, secret) != secret:  # K7
                raise Refused("K7", "wrong-history", "the history leads to another secret")

    def open_blob(self, n: int, blob: bytes, recipient: bytes, key: KemKey) -> None:
        """As ``open``, from the blob on the wire. Raises Refused K4 for other envelopes than the entry's."""
        check_envelopes(self.net, self.entries[n], blob)
        self.open(n, sealing.read("K4", blob), recipient, key)
