"""After a restore of the network: handing back what this program has seen and the server has lost (L8)."""

import logging
from collections.abc import Iterator
from typing import Any

from messaging.sdk.core import Core
from messaging.sdk.device_file import from_base64, to_base64
from messaging.sdk.errors import Distrusted, ServerRefused, protocol_rules
from messaging.sealed.correspondence import Item
from messaging.sealed.restore import check_announced, check_restore

logger = logging.getLogger(__name__)

LAST = 2**53 - 1  # beyond every place: only the end is asked for
AT_ONCE = 20
BYTES_AT_ONCE = 256 * 1024


class Restoring:
    """Answers the newest restore once: with the entries of the own keyring, then with items of threads.

    A program has what it has loaded since it was started; a browser keeps the items of threads it opened.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    async def look(self) -> None:
        """Follow the log, and hand back what is missing if it names a restore not answered yet.

        A log that is not trusted is left to whoever seals next. Raises `Distrusted` for a restore that does
        not hold; `ServerRefused`, `Unreachable`.
        """
        try:
            await self._core.log.follow()
        except Distrusted:
            return
        raw, answered = self._core.log.restore, self._core.file.contents.restored
        if raw is None or raw == answered:
            return
        await self._check(from_base64(raw))
        await self._return_keyring()
        for thread, known in list(self._core.mailbox.threads.items()):
            await self._return_items(thread.hex(), known.raw)
        self._core.file.contents.restored = raw
        self._core.save()

    async def _check(self, raw: bytes) -> None:
        secretariat = self._core.trust.secretariat
        if secretariat is None:
            raise Distrusted("L8 wrong-restore: nobody of a secretariat is known who could stand for it.")
        await self._core.load_keyring(secretariat)
        box, log = self._core.mailbox, self._core.log.follower
        with protocol_rules():
            found = check_restore(box.net, box.server_key, raw, box, secretariat)
            check_announced(log, found)
        logger.warning("the network was put back (%s): handing back what it lost", found.cause)

    async def _return_keyring(self) -> None:
        box = self._core.mailbox
        ring = box.rings.get(box.principal)
        if ring is None or ring.newest is None:
            return
        own = box.principal.hex()
        found = await self._core.http.get(f"/api/keyrings/{own}", **{"from": ring.newest.n})
        # What is there already is passed over.
        lost = [] if found["entries"] else [entry for entry in ring.entries if entry.n in ring.envelopes]
        for first in range(0, len(lost), AT_ONCE):
            body = {
                "entries": [
                    {
                        "entry": to_base64(entry.statement.raw),
                        "envelopes": to_base64(ring.envelopes[entry.n]),
                    }
                    for entry in lost[first : first + AT_ONCE]
                ],
                "statements": [to_base64(device.raw) for device in ring.devices.values()],
            }
            await self._core.http.post(f"/api/keyrings/{own}/returned", body)

    async def _return_items(self, thread: str, kept: list[Item]) -> None:
        """Hand back from the server's end on. What cannot go back is left for the next reading to judge."""
        try:
            there = await self._end_of(thread)
            for rows in _in_parts([item for item in kept if item.seq > there]):
                await self._core.http.post(f"/api/threads/{thread}/returned", {"items": rows})
        except ServerRefused as refused:
            if refused.is_temporary:
                raise
            logger.warning("thread %s could not be handed back: %s", thread[:16], refused.code)

    async def _end_of(self, thread: str) -> int:
        try:
            found = await self._core.http.get(f"/api/threads/{thread}/items", after=LAST, limit=1)
        except ServerRefused as refused:
            if refused.status != 404:
                raise
            return 0
        return int(found["seq"])


def _in_parts(items: list[Item]) -> Iterator[list[dict[str, Any]]]:
    """Items as they are sent, in parts that a request holds."""
    part: list[dict[str, Any]] = []
    size = 0
    for item in items:
        row = _row(item)
        weight = sum(len(value) for value in row.values() if isinstance(value, str))
        if part and (len(part) == AT_ONCE or size + weight > BYTES_AT_ONCE):
            yield part
            part, size = [], 0
        part.append(row)
        size += weight
    if part:
        yield part


def _row(item: Item) -> dict[str, Any]:
    return {
        "seq": item.seq,
        "type": item.type,
        "item": to_base64(item.item),
        "ciphertext": None if item.ciphertext is None else to_base64(item.ciphertext),
        "envelopes": None if item.envelopes is None else to_base64(item.envelopes),
        "receipt": to_base64(item.receipt),
    }
