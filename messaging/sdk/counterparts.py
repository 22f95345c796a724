"""Who can be written to: what the secretariat confirmed and the own ledger accepts, kept up to date (K8)."""

import asyncio
from collections.abc import Iterable

from messaging.sdk.core import Core
from messaging.sdk.errors import NotCompared, protocol_rules
from messaging.sdk.inbox import Inbox
from messaging.sdk.own_threads import OwnThreads
from messaging.sealed import counterparts
from messaging.sealed.counterparts import TRUSTED, Level

LOOK_SECONDS = 0.5


class Counterparts:
    """What this device knows of those it writes to, and where it asks when that is not enough."""

    def __init__(self, core: Core, inbox: Inbox, own: OwnThreads) -> None:
        self._core = core
        self._inbox = inbox
        self._own = own

    def level(self, principal: bytes) -> Level:
        """Return how far a principal is known here; only the first three of `Level` are sealed to."""
        return counterparts.level_of(self._core.mailbox, principal)

    async def make_ready(self, principals: Iterable[bytes]) -> None:
        """Bring log, keyrings, confirms and ledger up to date, as far as sealing to these needs it (K8, M9).

        Raises `Distrusted`.
        """
        wanted, mailbox = list(principals), self._core.mailbox
        await self._core.log.make_ready([*wanted, *self._secretariat()])
        if missing := self._missing(wanted):
            await self._ask_secretariat(missing)
        if self._missing(wanted) and self._core.session.may_read:
            await self.read_ledger()
        for principal in wanted:
            state = mailbox.newest(principal)
            if state is not None and counterparts.is_unconfirmed(mailbox, principal, state.n):  # K11
                await self._ask_secretariat([principal])
                await self.read_ledger()

    def _secretariat(self) -> list[bytes]:
        """The secretariat, once its keyring is known here: by it confirms are verified."""
        trust = self._core.trust
        found = trust.secretariat
        return [found] if found is not None and found in self._core.mailbox.rings else []

    def _missing(self, principals: list[bytes]) -> list[bytes]:
        return [principal for principal in principals if self.level(principal) not in TRUSTED]

    async def _ask_secretariat(self, principals: list[bytes]) -> None:
        """Fetch what it has confirmed meanwhile."""
        if self._core.trust.secretariat is None:
            self._core.meet_secretariat((await self._core.http.get("/api/session")).get("secretariat"))
        for principal in principals:
            await self._core.load_keyring(principal)
            state = self._core.mailbox.newest(principal)
            if state is not None and state.sponsor is not None:
                await self._core.load_keyring(state.sponsor.by.principal)
        secretariat = self._core.trust.secretariat
        if secretariat is not None and self._core.trust.confirms:
            await self._core.load_keyring(secretariat)
            await self._core.log.follow()

    async def read_ledger(self) -> str | None:
        """Read what the own authority accepts and has seen, if there is a ledger. Raises `Distrusted`."""
        ledger = await self._own.find("ledger")
        if ledger is None:
            return None
        await self._inbox.pull(ledger)
        await self._core.log.follow()
        with protocol_rules():
            counterparts.start_from_pins(self._core.mailbox)  # L7
        return ledger

    async def wait(self, principal: bytes, *, seconds: float) -> None:
        """Wait until something can be sealed to a principal; raises `NotCompared` when nobody compares it."""
        try:
            async with asyncio.timeout(seconds):
                await self._core.load_keyring(principal)
                await self.make_ready([principal])
                while self.level(principal) not in TRUSTED:
                    await asyncio.sleep(LOOK_SECONDS)
                    await self.make_ready([principal])
        except TimeoutError as error:
            raise NotCompared("Nobody has compared the fingerprint of this authority yet.") from error
