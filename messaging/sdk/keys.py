"""The keys of the authority: devices, roles and the recovery kit, and who agrees to a change of them."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from messaging.sdk.core import Core
from messaging.sdk.device_file import Founding, from_base64, to_base64
from messaging.sdk.errors import ApprovalNeeded, DeviceExists, NotReady, ServerRefused, protocol_rules
from messaging.sdk.outbox import now
from messaging.sdk.socket import Socket
from messaging.sealed import counterparts, recovery
from messaging.sealed.client import NewEntry, Person
from messaging.sealed.encoding import sha256
from messaging.sealed.keyring import Change
from messaging.sealed.keys import RecoveryKit
from messaging.sealed.stewardship import Differences, Stewardship, differences

ROUNDS = 5


@dataclass(frozen=True)
class WaitingChange:
    """A change of the own keys that waits for a second person; `does` says what it would do."""

    id: str
    reason: str
    does: Differences
    person: str
    name: str
    office: str
    proposed_at: int
    until: int
    change: Change = field(repr=False)
    approvals: tuple[bytes, ...] = field(repr=False)


class Keys:
    """What a steward's device does with its authority's keyring."""

    def __init__(self, core: Core, socket: Socket, become_ready: Callable[[], Awaitable[None]]) -> None:
        self._core = core
        self._socket = socket
        self._become_ready = become_ready

    # changes

    async def remove_devices(self, devices: Sequence[str]) -> None:
        """Take devices out: they open nothing that is sealed afterwards, and their persons are signed out.

        Alone it is always possible; but whoever removes another person's steward alone needs the recovery
        kit for the next change that gives power over the keys.
        """
        await self.change(lambda own: own.removal([bytes.fromhex(device) for device in devices]))

    async def change_roles(self, roles: Mapping[str, Sequence[str]]) -> None:
        """Give devices other roles, by device. Raises `ApprovalNeeded`, `ServerRefused`."""
        await self.change(lambda own: own.roles({bytes.fromhex(one): given for one, given in roles.items()}))

    async def rotate(self) -> None:
        """Make everything anew; to be done at least every 90 days."""
        await self.change(Stewardship.rotation)

    async def repair(self) -> None:
        """Make everything anew after an alarm: somebody wrote an entry that does not hold."""
        await self.change(Stewardship.repair)

    async def add_devices(self, requests: Sequence[tuple[bytes, Sequence[str]]]) -> None:
        """List devices by their statements and roles. Raises `ApprovalNeeded`, `ServerRefused`."""
        rows = [(sha256(statement), roles) for statement, roles in requests]
        await self.change(
            lambda own: own.addition(rows),
            statements=[statement for statement, _ in requests],
            is_done=lambda: all(self._is_listed(device) for device, _ in rows),
        )

    async def replace_kit(self, *, old: str | None = None) -> str:
        """Make another recovery kit and return it printed; `old`, typed, approves where that is needed.

        The file holds it until `Client.kit_is_safe`. Raises `ApprovalNeeded`, `ServerRefused`.
        """
        await self._load()
        net = self._core.session.net
        kit = RecoveryKit.generate(net)
        with protocol_rules():
            change = self._own.new_recovery_key(kit.public)
            given = RecoveryKit.parse(net, old) if old else None
            acts = [self._own.approve_with_kit(change, given, at=now())] if given else []
            self._check_alone(change, acts)
            made = self._own.make(change, at=now(), approvals=acts)
        await self._found(made, kit)
        await self._load()
        return kit.print()

    # approvals

    async def list_waiting(self) -> list[WaitingChange]:
        """Return the changes of the own keys that wait for a second person."""
        await self._load()
        found = await self._core.http.get(f"{self._path}/approvals")
        with protocol_rules():
            return [self._read_waiting(row) for row in found["approvals"]]

    def _read_waiting(self, row: dict[str, Any]) -> WaitingChange:
        change = Change.decode(from_base64(row["change"]))
        return WaitingChange(
            id=row["id"],
            reason=change.reason,
            does=differences(self._own.state, change),
            person=row["person"],
            name=row["name"],
            office=row["office"],
            proposed_at=row["proposed_at"],
            until=row["until"],
            change=change,
            approvals=tuple(from_base64(text) for text in row["approvals"]),
        )

    async def propose(self, change: Change) -> str:
        """Put a change before a second person, approved by this device; returns its id."""
        with protocol_rules():
            approval = self._own.approve(change, at=now())
        return await self._post_approval(change, approval)

    async def agree(self, waiting: WaitingChange) -> None:
        """Agree to a waiting change: with the approval it has it is carried out at once, else it gets one.

        Read `does` first, and ask the person: whoever is listed reads everything.
        """
        if waiting.approvals:
            await self.carry_out(waiting)
            return
        with protocol_rules():
            approval = self._own.approve(waiting.change, at=now())
        await self._post_approval(waiting.change, approval)

    async def carry_out(self, waiting: WaitingChange) -> None:
        """Carry out an own change that has been approved."""
        statements = await self._statements_of(waiting.does.added)
        with protocol_rules():
            made = self._own.make(
                waiting.change, at=now(), approvals=waiting.approvals, statements=statements
            )
        await self._post(made)
        await self._load()

    async def _statements_of(self, devices: Collection[bytes]) -> list[bytes]:
        """The statements of devices that have asked to be listed; a change names them by their ids."""
        if not devices:
            return []
        found = await self._core.http.get("/api/devices/requests")
        asked = [from_base64(row["statement"]) for row in found["requests"]]
        return [raw for raw in asked if sha256(raw) in devices]

    async def _post_approval(self, change: Change, approval: bytes | None) -> str:
        body = {"change": to_base64(change.encode()), "approval": approval and to_base64(approval)}
        found = await self._core.http.post(f"{self._path}/approvals", body)
        return str(found["change"])

    async def withdraw(self, waiting: WaitingChange) -> None:
        """Take a waiting change back."""
        await self._core.http.post(f"{self._path}/approvals/{waiting.id}/withdraw", {})

    # the recovery kit

    async def try_kit(self, printed: str) -> bool:
        """Return whether a printed kit would open everything today; changes nothing.

        Raises `Distrusted` for a kit that is mistyped, another authority's, or replaced.
        """
        entries, statements = await self._whole()
        with protocol_rules():
            kit = RecoveryKit.parse(self._core.session.net, printed)
            return recovery.try_kit(self._core.session.net, kit, entries, statements).broken is None

    async def recover(self, printed: str) -> str:
        """Take the keyring over with its kit when every device is lost; return the new kit, printed.

        This device becomes the only one. Counterparts see it and write again when they have compared. The
        file holds the new kit until `Client.kit_is_safe`; the old one is worth nothing.
        Raises `DeviceExists`, `Distrusted`, `ServerRefused`.
        """
        if self._core.file.contents.founding is not None and self._core.file.contents.founding.path:
            return await self._go_on(self._core.file.contents.founding)
        found = self._core.mailbox_or_none
        if found is not None and found.is_listed():
            raise DeviceExists("This device is listed: it needs no recovery.")
        entries, statements = await self._whole()
        session = self._core.session
        with protocol_rules():
            taken = recovery.Recovery.begin(
                session.net,
                RecoveryKit.parse(session.net, printed),
                entries,
                statements,
                person=Person(session.person, session.name, session.office),
                roles=session.device_roles,
                at=now(),
            )
            made = taken.make(at=now())
        self._core.drop_device()
        self._core.take_device(taken.device)
        await self._found(made, taken.new_kit)
        await self._become_ready()
        return taken.new_kit.print()

    async def _go_on(self, founding: Founding) -> str:
        """An earlier process was cut off: the same bytes again."""
        await self._send(founding)
        await self._become_ready()
        return founding.kit

    def is_unconfirmed(self, principal: str) -> bool:
        """Return whether a counterpart's keys were taken over by its kit alone, and nobody has compared."""
        key = bytes.fromhex(principal)
        newest = self._core.mailbox.newest(key)
        return newest is not None and counterparts.is_unconfirmed(self._core.mailbox, key, newest.n)

    # what all have in common

    @property
    def _own(self) -> Stewardship:
        return self._core.mailbox.stewardship

    @property
    def _path(self) -> str:
        return f"/api/keyrings/{self._core.mailbox.principal.hex()}"

    async def _load(self) -> None:
        await self._core.load_keyring(self._core.mailbox.principal)
        self._core.save()

    def _is_listed(self, device: bytes) -> bool:
        return self._own.state.device(device) is not None

    def _check_alone(self, change: Change, approvals: Sequence[bytes]) -> None:
        need = self._own.need(change)
        if need in {"steward", "recovery-key"} and not approvals:
            raise ApprovalNeeded(change, by_kit=need == "recovery-key")

    async def change(
        self,
        plan: Callable[[Stewardship], Change],
        *,
        acts: Sequence[bytes] = (),
        statements: Sequence[bytes] = (),
        is_done: Callable[[], bool] = lambda: False,
    ) -> None:
        """Write an entry at the end of the own keyring, again where somebody else was first.

        `plan` says what is to change; `acts` are ends of sponsoring that go with it. Raises
        `ApprovalNeeded`, `ServerRefused`.
        """
        for attempt in range(ROUNDS):
            await self._load()
            if is_done():
                return
            with protocol_rules():
                change = plan(self._own)
                self._check_alone(change, ())
                made = self._own.make(change, at=now(), approvals=acts, statements=statements)
            try:
                await self._post(made)
            except ServerRefused as refused:
                if refused.code != "stale-epoch" or attempt == ROUNDS - 1:
                    raise
                await asyncio.sleep(0)
                continue
            await self._load()
            return

    async def _post(self, made: NewEntry) -> None:
        await self._core.http.post(f"{self._path}/entries", _body(made))

    async def _found(self, made: NewEntry, kit: RecoveryKit) -> None:
        """Store an entry with the kit it brings, then send it: a kit is never lost on the way."""
        body = _body(made)
        founding = Founding(body["entry"], body["envelopes"], body["statements"], kit.print(), self._path)
        self._core.file.contents.founding = founding
        self._core.save()
        await self._send(founding)

    async def _send(self, founding: Founding) -> None:
        path = f"{founding.path}/entries"
        try:
            await self._socket.patiently(lambda: self._core.http.post(path, founding.as_body()))
        except ServerRefused:
            if self._core.mailbox.is_listed():
                self._core.file.contents.founding = None
                self._core.save()
            else:
                self._core.drop_device()
            raise

    async def _whole(self) -> tuple[list[tuple[bytes, bytes | None]], list[bytes]]:
        """The own keyring from its genesis on, as the server gives it, not yet verified."""
        own = (await self._core.http.get("/api/session"))["principal"]
        if own is None:
            raise NotReady("The authority has no keyring yet.")
        found = await self._core.fetch_keyring(own)
        entries: list[tuple[bytes, bytes | None]] = [
            (from_base64(row["entry"]), from_base64(row["envelopes"])) for row in found["entries"]
        ]
        return entries, [from_base64(raw) for raw in found["statements"]]


def _body(made: NewEntry) -> dict[str, Any]:
    return {
        "entry": to_base64(made.entry),
        "envelopes": to_base64(made.envelopes),
        "statements": [to_base64(raw) for raw in made.statements],
    }
