"""The ledger of an authority: whose fingerprints its supervisors accept, what its devices have seen."""

import logging

from messaging.sdk.core import Core
from messaging.sdk.counterparts import Counterparts
from messaging.sdk.errors import ClientError, NotSent, protocol_rules
from messaging.sdk.facts import Authority, Sent
from messaging.sdk.outbox import Outbox, now
from messaging.sdk.own_threads import OwnThreads
from messaging.sealed import counterparts
from messaging.sealed.counterparts import Level

logger = logging.getLogger(__name__)

WEEK_SECONDS = 7 * 86_400
CONFIRMATION_SECONDS = 60.0


class Ledger:
    """What a client reads of its authority's ledger and writes into it. Accepts take a supervisor."""

    def __init__(self, core: Core, own: OwnThreads, others: Counterparts, outbox: Outbox) -> None:
        self._core = core
        self._own = own
        self._others = others
        self._outbox = outbox

    # how others stand

    def level(self, principal: str) -> Level:
        """Return how far a principal is known: `own`, `confirmed`, `accepted`, `seen` or `new`.

        Nothing is sealed to the last two.
        """
        return self._others.level(bytes.fromhex(principal))

    async def wait_until_compared(self, principal: str, *, seconds: float = CONFIRMATION_SECONDS) -> None:
        """Wait until something can be sealed to a principal; raises `NotCompared` when nobody compares it."""
        await self._others.wait(bytes.fromhex(principal), seconds=seconds)

    async def accepted(self) -> dict[str, str]:
        """Return what the ledger holds as accepted: principal by the directory's id of its authority."""
        await self._others.read_ledger()
        return {row.authority: row.principal.hex() for row in self._core.mailbox.membership.accepted()}

    async def accept(self, authority: Authority, *, how: str) -> Sent:
        """Record that a supervisor has compared the fingerprint: by `voice`, in `person`, on `paper`.

        From then on all devices of the own authority write to it; also after its keys were taken over by
        their kit (K11), when this is called anew. Raises `NotSent`, `Distrusted`, `ServerRefused`.
        """
        if authority.principal is None:
            raise NotSent("no-keyring", "This authority has no keyring yet.")
        principal, mailbox = bytes.fromhex(authority.principal), self._core.mailbox
        await self._core.load_keyring(principal)
        await self._core.log.make_ready([principal])
        ledger = await self._own.ready("ledger")
        with protocol_rules():
            mailbox.check_authority(authority.id, principal)
            made = mailbox.membership.accept(
                authority.id, principal, how=how, at=now(), head=mailbox.membership.head_to_name(principal)
            )
        await self._core.http.post(f"/api/keyrings/{mailbox.principal.hex()}/accepts", {})
        return await self._outbox.send(ledger, made)

    async def pin(self) -> Sent:
        """Record which keyrings this device has verified, and the log, for devices that come later."""
        ledger = await self._own.ready("ledger")
        with protocol_rules():
            made = self._core.mailbox.membership.pins(at=now())
        return await self._outbox.send(ledger, made)

    # kept by itself

    async def keep(self) -> None:
        """Start from what colleagues have seen; open the ledger where a supervisor's device finds none; pin.

        Pins are written when they are a week old, or when this device has seen more than they say (L7).
        """
        try:
            if await self._others.read_ledger() is None:
                if not self._is_supervisor():
                    return
                await self._own.ready("ledger")
            if self._must_pin():
                await self.pin()
        except ClientError as error:
            logger.warning("the ledger could not be kept: %s", error)

    def _is_supervisor(self) -> bool:
        mailbox = self._core.mailbox
        own = mailbox.newest(mailbox.principal)
        device = own.device(mailbox.device.id) if own else None
        return device is not None and "supervisor" in device.roles

    def _must_pin(self) -> bool:
        mailbox = self._core.mailbox
        newest = counterparts.newest_pins(mailbox)
        if not counterparts.is_pinned(mailbox, newest):
            return True
        return newest is not None and newest.statement.at < now() - WEEK_SECONDS
