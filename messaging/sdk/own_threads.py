"""What an authority writes for itself: notes on its threads, and its ledger."""

import time
from typing import Any

from messaging.sdk.core import PAGE, Core
from messaging.sdk.device_file import to_base64
from messaging.sdk.errors import Distrusted, ServerRefused, protocol_rules
from messaging.sdk.inbox import Inbox


class OwnThreads:
    """Finds the own threads of an authority, and opens those that are not there yet."""

    def __init__(self, core: Core, inbox: Inbox) -> None:
        self._core = core
        self._inbox = inbox
        self._known: dict[tuple[str, str | None], str] = {}

    async def find(self, kind: str, link: str | None = None) -> str | None:
        """Return the `notes` on a thread, or the `ledger`; None where there is none yet."""
        before = ""
        while (kind, link) not in self._known:
            query: dict[str, str] = {"before": before} if before else {}
            page = await self._core.http.get("/api/threads", limit=PAGE, own="true", **query)
            for row in page["threads"]:
                self._known[row["kind"], row["link"]] = str(row["thread"])
            before = page["next"]
            if not before:
                break
        return self._known.get((kind, link))

    async def ready(self, kind: str, link: str | None = None) -> str:
        """Return it verified to its end, opened where there is none yet. Raises `Distrusted`."""
        found = await self.find(kind, link)
        if found is None:
            await self._open(kind, link)
            found = await self.find(kind, link)
        if found is None:
            raise Distrusted("The server has taken a thread and does not list it.")
        await self._inbox.pull(found)
        return found

    async def _open(self, kind: str, link: str | None) -> None:
        own = self._core.mailbox.principal
        await self._core.load_keyring(own)
        await self._core.log.make_ready([own])
        with protocol_rules():
            made = self._core.mailbox.membership.open_own(
                kind, at=int(time.time()), link=bytes.fromhex(link) if link else None
            )
        body: dict[str, Any] = {
            "entry": to_base64(made.entry),
            "envelopes": to_base64(made.envelopes),
            "messages": [],
        }
        try:
            await self._core.http.post("/api/threads", body)
        except ServerRefused as refused:
            if refused.code != "thread-exists":  # a colleague was first
                raise
