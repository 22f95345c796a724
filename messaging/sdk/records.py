"""Records and reports: what a program takes away of a thread, and what it shows to the secretariat."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from messaging.sdk.core import Core
from messaging.sdk.device_file import from_base64, to_base64
from messaging.sdk.errors import NotReady, protocol_rules
from messaging.sdk.inbox import Inbox
from messaging.sdk.outbox import now
from messaging.sealed.record import WHOLE, Disclosed, Facts, NamedAuthority, OpeningCode
from messaging.sealed.record_anchors import AnchorLine
from messaging.sealed.record_confirms import ExportedConfirms, Note
from messaging.sealed.record_source import (
    disclose,
    export_message,
    export_thread,
    principals_of,
    report_messages,
)
from messaging.tools.readable import ReadMessage, make_page

LEAVES = 1_000  # in one page of the log


@dataclass(frozen=True)
class Exported:
    """A record that was written; ``code``, where there is one, opens it: keep it apart from the file."""

    path: Path
    size: int
    code: str | None


class Records:
    """Exports threads and messages of one device, and reports messages."""

    def __init__(self, core: Core, inbox: Inbox) -> None:
        self._core = core
        self._inbox = inbox

    async def export_thread(self, thread: str, path: Path, *, language: str | None) -> Exported:
        """Write the record of a thread; the server notes that it was made.

        With a `language` it holds all texts and a page for reading. Without, the own devices and kit open
        it, and the opening code that is returned. Raises `ServerRefused`, `Distrusted`, `NotReady`.
        """
        mailbox = self._core.mailbox
        known = mailbox.threads.get(bytes.fromhex(thread))
        if (
            known is None or known.fork is None
        ):  # of a stopped thread goes what was verified, with the evidence
            await self._inbox.pull(thread)
        noted = await self._core.http.post(f"/api/threads/{thread}/record", {})
        found = mailbox.threads.get(bytes.fromhex(thread))
        if found is None or found.state is None:
            raise NotReady("This thread has not been verified on this device.")
        for principal in principals_of(found):
            await self._core.load_keyring(principal)
        code = None if language else OpeningCode.generate(mailbox.net)
        facts = self._named(principals_of(found))
        envelopes = await self._own_envelopes()
        log = await self._log()
        opened = await self._opened(thread)
        confirms = [one for principal in principals_of(found) if (one := await self._confirms(principal))]
        readable = None if language is None else lambda: self._page(thread, facts, language)
        with protocol_rules():
            data = await asyncio.to_thread(
                export_thread,
                mailbox,
                bytes.fromhex(thread),
                envelopes=envelopes,
                authorities=facts,
                readable=readable,
                code=code,
                log=log,
                opened=opened,
                confirms=confirms,
                anchors=_anchors(noted),
                at=now(),
            )
        await asyncio.to_thread(path.write_bytes, data)
        return Exported(path, len(data), code.print() if code else None)

    async def export_message(self, thread: str, seq: int, path: Path) -> Exported:
        """Write the record that proves one message: no key, no other message, no colleague's name is in it.

        The server notes that it was made. Raises `ServerRefused`, `Distrusted`, `NotReady`.
        """
        await self._inbox.pull(thread)
        noted = await self._core.http.post(f"/api/threads/{thread}/record", {"seq": seq})
        mailbox = self._core.mailbox
        found = mailbox.threads.get(bytes.fromhex(thread))
        log = await self._log()
        if found is None:
            raise NotReady("This thread has not been verified on this device.")
        message = next((each.message for each in found.applied if each.seq == seq), None)
        confirms = await self._confirms(message.by.principal) if message else None
        with protocol_rules():
            disclosed = disclose(found, message) if message else None
            data = export_message(found, mailbox.rings, seq, disclosed, log, confirms, _anchors(noted))
        await asyncio.to_thread(path.write_bytes, data)
        return Exported(path, len(data), None)

    async def report(self, thread: str, places: list[int], *, cause: str, words: str) -> str:
        """Disclose these messages to the moderators of the secretariat; return the number of the report.

        Raises `ServerRefused`, `Distrusted`.
        """
        await self._inbox.pull(thread)
        with protocol_rules():
            statement, opened = report_messages(
                self._core.mailbox, bytes.fromhex(thread), places, cause=cause, words=words, at=now()
            )
        body = {"report": to_base64(statement), "messages": [_shown(each) for each in opened]}
        found = await self._core.http.post(f"/api/threads/{thread}/reports", body)
        return str(found["report"])

    async def _own_envelopes(self) -> dict[int, bytes]:
        """Return the envelopes of the own keyring; of a generation whose entry differs, none is used."""
        found = await self._core.fetch_keyring(self._core.mailbox.principal)
        return {row["n"]: from_base64(row["envelopes"]) for row in found["entries"] if row["envelopes"]}

    async def _confirms(self, principal: bytes) -> ExportedConfirms | None:
        """Return what the secretariat has confirmed of these keys, as the server hands it out; or None."""
        if self._core.trust.secretariat is None:  # it may have got its keys since this client has connected
            session = await self._core.http.get("/api/session")
            self._core.meet_secretariat(session["secretariat"])
        secretariat = self._core.trust.secretariat
        if secretariat is None:
            return None
        await self._core.load_keyring(secretariat)
        first = self._core.mailbox.keyring_from(principal)
        found = await self._core.http.get(f"/api/keyrings/{principal.hex()}", **{"from": first})
        if not found["confirms"] or not found["note"]:
            return None
        note = found["note"]
        blinds = tuple(from_base64(blind) for blind in note["blinds"])
        statements = [from_base64(raw) for raw in found["confirms"]]
        return ExportedConfirms(principal, statements, Note(note["reference"], note["date"], blinds))

    async def _opened(self, thread: str) -> list[bytes]:
        """Return how far each member has opened the thread, as signed by its device."""
        found = await self._core.http.get(f"/api/threads/{thread}")
        return [from_base64(row["opened"]) for row in found["progress"] if row["opened"]]

    async def _log(self) -> tuple[str, list[bytes]]:
        """Return the newest checkpoint of the log of keys and all its leaves."""
        leaves: list[bytes] = []
        while True:
            page = await self._core.http.get("/api/log", **{"from": len(leaves)})
            leaves += [from_base64(leaf) for leaf in page["leaves"]]
            if len(page["leaves"]) < LEAVES:
                return page["checkpoint"], leaves

    def _named(self, principals: list[bytes]) -> tuple[NamedAuthority, ...]:
        known = self._core.authorities
        rows = [(principal, known.get(principal.hex())) for principal in principals]
        return tuple(
            NamedAuthority(principal, row.id, row.name, row.state_name) for principal, row in rows if row
        )

    def _page(self, thread: str, authorities: tuple[NamedAuthority, ...], language: str) -> bytes:
        mailbox = self._core.mailbox
        found = mailbox.threads[bytes.fromhex(thread)]
        facts = Facts(WHOLE, mailbox.net, mailbox.server_key, found.thread, mailbox.principal, authorities)
        rows = []
        for each in found.applied:
            if each.message is not None:
                device = mailbox.rings[each.message.by.principal].devices[each.message.device]
                rows.append(
                    ReadMessage(each.message, each.plaintext, device.name, device.office, each.received_at)
                )
        return make_page(facts, rows, language)


def _anchors(noted: dict[str, Any]) -> list[AnchorLine]:
    """Return the thread's places in the log's daily anchors, as the server hands them out."""
    return [
        AnchorLine(
            row["day"], row["seq"], row["line"], row["lines"], [from_base64(one) for one in row["path"]]
        )
        for row in noted["anchors"]
    ]


def _shown(disclosed: Disclosed) -> dict[str, str]:
    return {"blind": to_base64(disclosed.blind), "padded": to_base64(disclosed.padded)}
