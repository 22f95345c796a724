"""Following the log of keys (L1 to L8): before anything is sealed, and when a sender has seen more of it."""

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from messaging.sdk.device_file import from_base64, to_base64
from messaging.sdk.errors import Distrusted, protocol_rules
from messaging.sealed.checkpoint import read_signer
from messaging.sealed.errors import Refused
from messaging.sealed.follower import Evidence, Follower, load_follower
from messaging.sealed.practice import answering

if TYPE_CHECKING:
    from messaging.sdk.core import Core

logger = logging.getLogger(__name__)

PAGE = 1_000
OLD_SECONDS = 30.0


class Log:
    """This device's view of the log. ``follower`` is what is verified of it, kept in the device file."""

    def __init__(self, core: "Core") -> None:
        self._core = core
        self._lock = asyncio.Lock()
        self._followed_at = float("-inf")
        # Before the first answer nothing is fresh, so nothing is sealed.
        self.follower = Follower(core.session.net, from_base64(core.session.server_key), b"")
        self._is_loaded = False
        self._said: list[object] = []
        self.restore: str | None = None  # the server's statement of the newest restore, not verified yet

    @property
    def is_watched(self) -> bool:
        """Return whether anybody outside watches the log."""
        return self.follower.quorum > 0

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Return what the log was refused for, with what it had signed before: proof that it lied."""
        return tuple(self.follower.evidence)

    async def follow(self) -> None:
        """Take everything new of the log, verified. Raises `Distrusted`; the evidence is in the file then."""
        async with self._lock:
            page, leaves = await self._fetch()
            try:
                with protocol_rules():
                    self._load(page)
                    self.follower.allow_urgent(page["urgent_hours"])
                    self.follower.follow(page["checkpoint"], leaves, now=int(time.time()))
                    if page["witnessed"]:
                        self.follower.refresh(page["witnessed"], now=int(time.time()))
            except Distrusted as error:
                self._followed_at = float("-inf")  # it is asked again before anything is sealed
                logger.warning("the log of keys is not trusted: %s", error)
                raise
            finally:
                self._keep()
            self._followed_at = time.monotonic()
            self.restore = page["restore"]

    async def _fetch(self) -> tuple[dict[str, Any], list[bytes]]:
        """Return the newest page, and all leaves from the own size on."""
        leaves: list[bytes] = []
        first = self._stored_size()
        while True:
            page: dict[str, Any] = await self._core.http.get("/api/log", **{"from": first + len(leaves)})
            leaves += [from_base64(leaf) for leaf in page["leaves"]]
            if len(page["leaves"]) < PAGE:
                return page, leaves

    def _stored_size(self) -> int:
        if self._is_loaded or self._core.file.contents.log is None:
            return self.follower.tree.size
        return int(self._core.file.contents.log["size"])

    def _load(self, page: dict[str, Any]) -> None:
        """Begin with what is stored; witnesses that are named now join those known before (L4)."""
        said = [page["label_key"], page["witnesses"], page["quorum"]]
        if said == self._said:
            return
        stored = self._core.file.contents.log
        state = self.follower.export_state() if self._is_loaded else stored and from_base64(stored["state"])
        self.follower = load_follower(
            self.follower.net,
            self.follower.server_key,
            from_base64(page["label_key"]),
            state or None,
            witnesses=[read_signer(line) for line in page["witnesses"]],
            quorum=page["quorum"],
        )
        self._is_loaded, self._said = True, said
        if self._core.mailbox_or_none is not None:
            self._core.mailbox_or_none.log = self.follower

    def _keep(self) -> None:
        if self._is_loaded:
            state = to_base64(self.follower.export_state())
            self._core.file.contents.log = {"size": str(self.follower.tree.size), "state": state}
            self._core.save()

    async def make_ready(self, principals: Iterable[bytes]) -> None:
        """Bring the log, and these keyrings by it, up to date, so that sealing to them can be asked (M9).

        Raises `Distrusted`.
        """
        if time.monotonic() - self._followed_at > OLD_SECONDS:
            await self.follow()
        for principal in self._with_sponsors(principals):
            if self._is_logged(principal):
                continue
            await self.follow()
            newest, logged = self._core.mailbox.newest(principal), self.follower.newest(principal)
            if logged is not None and (newest is None or newest.n < logged.n):
                await self._core.load_keyring(principal)

    def _with_sponsors(self, principals: Iterable[bytes]) -> list[bytes]:
        """Those, and who answers for the practitioners among them: they are sealed to by its newest entry."""
        mailbox, named = self._core.mailbox, list(principals)
        states = [state for one in named if (state := mailbox.newest(one)) is not None]
        return list(dict.fromkeys([*named, *(state.principal for state in answering(mailbox, states))]))

    def _is_logged(self, principal: bytes) -> bool:
        newest = self._core.mailbox.newest(principal)
        try:
            if newest is not None:
                self.follower.check_newest(newest)
        except Refused:
            return False
        return newest is not None
