"""What all parts of a client share: the session, the device file, the mailbox, keyrings kept up to date."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from messaging.sdk.device_file import DeviceFile, from_base64, to_base64
from messaging.sdk.errors import Distrusted, NotReady, protocol_rules
from messaging.sdk.facts import Authority, Session
from messaging.sdk.http import Http
from messaging.sdk.log import Log
from messaging.sealed.client import Device, Mailbox
from messaging.sealed.counterparts import Trust
from messaging.sealed.practice import sponsor_of

PAGE = 100


class Core:
    """One device of one membership: what it holds and how it asks the server."""

    def __init__(self, http: Http, file: DeviceFile, session: Session) -> None:
        self.http = http
        self.file = file
        self.session = session
        self.mailbox_or_none: Mailbox | None = None
        self.authorities: dict[str, Authority] = {}
        self.status = "standing"  # of the own keyring, by the server's word (K12)
        self.trust = Trust()
        self._check_pins()
        self.log = Log(self)
        if file.contents.device is not None:
            stored = {name: from_base64(value) for name, value in file.contents.device.items()}
            self.mailbox_or_none = self._open_mailbox(Device.load(stored))

    @property
    def mailbox(self) -> Mailbox:
        """Return the mailbox of this device; raises `NotReady` while there is none."""
        if self.mailbox_or_none is None:
            raise NotReady("This file holds no device yet: create a keyring or request a device.")
        return self.mailbox_or_none

    @property
    def is_ready(self) -> bool:
        """Return whether this device is listed, in keys in force, and its authority's secrets are open."""
        found = self.mailbox_or_none
        if found is None or not found.is_listed() or self.status != "standing":
            return False
        own = found.newest(found.principal)
        return own is not None and own.n in found.rings[found.principal].secrets

    def require_ready(self) -> None:
        """Raise `NotReady`, or `Distrusted` where the own keys do not open, unless this device can write."""
        if self.is_ready:
            return
        found = self.mailbox_or_none
        if self.status == "waiting":
            raise NotReady("The secretariat has not confirmed the new keys of this authority yet.")
        if self.status == "ended":
            raise NotReady("Other keys of this authority have taken the place of these: request a device.")
        if found is not None and found.is_listed():
            raise Distrusted(
                "K7 not-verified: the newest own keys do not open; a steward has to repair them."
            )
        raise NotReady("No steward has approved this device yet.")

    def take_device(self, device: Device) -> None:
        """Keep a new device in the file."""
        self.file.contents.device = {name: to_base64(value) for name, value in device.export().items()}
        self.mailbox_or_none = self._open_mailbox(device)
        self.save()

    def drop_device(self) -> None:
        """Forget a device that the server never listed."""
        self.file.contents.device = None
        self.file.contents.public_state = None
        self.file.contents.founding = None
        self.mailbox_or_none = None
        self.save()

    def save(self) -> None:
        """Store what must outlive the process."""
        if self.mailbox_or_none is not None:
            self.file.contents.public_state = to_base64(self.mailbox_or_none.export_state())
        self.file.save()

    def _open_mailbox(self, device: Device) -> Mailbox:
        mailbox = Mailbox(
            self.session.net,
            from_base64(self.session.server_key),
            device,
            log=self.log.follower,
            trust=self.trust,
        )
        if self.file.contents.public_state is not None:
            with protocol_rules():
                mailbox.load_state(from_base64(self.file.contents.public_state))
        self.meet_secretariat(self.session.secretariat)
        return mailbox

    def _check_pins(self) -> None:
        met = {"net": self.session.net, "server_key": self.session.server_key}
        pinned = self.file.contents.pinned
        if pinned is None:
            self.file.contents.pinned = met
            self.file.save()
        elif pinned != met:
            raise Distrusted("The server has another name or key than when this device first met it.")

    def meet_secretariat(self, principal: str | None) -> None:
        """Keep the secretariat's principal from first sight on. Raises `Distrusted` for another one (K8)."""
        with protocol_rules():
            self.trust.meet(bytes.fromhex(principal) if principal else None)

    # keyrings

    async def fetch_keyring(self, principal: bytes | str, first: int = 0) -> dict[str, Any]:
        """Return what the server gives of a keyring from this entry to its end, not yet verified."""
        name = principal if isinstance(principal, str) else principal.hex()
        entries: list[dict[str, Any]] = []
        statements: list[str] = []
        while True:
            place = first + len(entries)
            found: dict[str, Any] = await self.http.get(f"/api/keyrings/{name}", **{"from": place})
            entries += found["entries"]
            statements += found["statements"]
            if len(found["entries"]) < PAGE:
                return {**found, "entries": entries, "statements": statements}

    async def load_keyring(self, principal: bytes) -> None:
        """Fetch and verify what is new in a keyring. Raises `Distrusted`."""
        # To its end: a part of it is less than what this device may have seen before (K10).
        found = await self.fetch_keyring(principal, self.mailbox.keyring_from(principal))
        await self._load_sponsor(principal, found["entries"])
        await self._load_bound(principal, found["authority"]["id"])
        self._apply_keyring(principal, found)
        await self._load_successor(found.get("successor"))

    async def _load_bound(self, principal: bytes, authority: str) -> None:
        """Have the keyring at hand that was this authority's at first sight: one may follow it (K12)."""
        bound = self.mailbox.authorities.get(authority, principal)
        if bound != principal and bound not in self.mailbox.rings:
            await self.load_keyring(bound)

    async def _load_successor(self, successor: str | None) -> None:
        """Learn of keys that the server says to have taken a place; whether they have is verified (K12)."""
        if successor is not None and bytes.fromhex(successor) not in self.mailbox.rings:
            await self.load_keyring(bytes.fromhex(successor))

    async def _load_sponsor(self, principal: bytes, entries: list[dict[str, Any]]) -> None:
        """Bring the keyring of who answers for a practitioner up to date: its entries rest on it (K9)."""
        known = self.mailbox.newest(principal)
        if known is not None:
            sponsor = known.sponsor.by.principal if known.sponsor else None
        else:
            with protocol_rules():
                first = from_base64(entries[0]["entry"]) if entries else None
                sponsor = sponsor_of(self.session.net, first) if first else None
        if sponsor is not None and sponsor != principal:
            await self.load_keyring(sponsor)

    def _apply_keyring(self, principal: bytes, found: dict[str, Any]) -> None:
        entries = [
            (from_base64(row["entry"]), from_base64(row["envelopes"]) if row["envelopes"] else None)
            for row in found["entries"]
        ]
        statements = [from_base64(raw) for raw in found["statements"]]
        with protocol_rules():  # K8: an authority and its principal keep each other from first sight on
            self.mailbox.apply_keyring(principal, entries, statements, found["authority"]["id"])
        if principal == self.mailbox.principal:
            self.status = found.get("status", "standing")
        if found.get("confirms"):
            self.trust.confirms[principal] = tuple(from_base64(raw) for raw in found["confirms"])
        row = Authority.from_json(found["authority"])
        self.authorities[principal.hex()] = replace(row, principal=principal.hex())

    async def load_keyrings(self, principals: Iterable[bytes]) -> None:
        """Bring several keyrings up to date, the own one first."""
        own = self.mailbox.principal
        for principal in sorted(set(principals), key=lambda found: (found != own, found)):
            await self.load_keyring(principal)
