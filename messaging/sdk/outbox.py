"""Sending: sealed bytes are stored before they leave, repeated until answered, sealed anew when stale."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Any

from messaging.sdk.core import Core
from messaging.sdk.counterparts import Counterparts
from messaging.sdk.device_file import Outgoing, from_base64, to_base64
from messaging.sdk.errors import (
    ClientError,
    Distrusted,
    NotSent,
    ServerRefused,
    SignInFailed,
    Unreachable,
    protocol_rules,
    step_rules,
)
from messaging.sdk.facts import Sent
from messaging.sdk.inbox import Inbox
from messaging.sdk.socket import Socket
from messaging.sealed import envelopes as sealing
from messaging.sealed.client import NewThread
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import mailbox_key
from messaging.sealed.message import Plaintext, SealedMessage, open_message, read_message
from messaging.sealed.thread import Member, open_epoch, read_entry

logger = logging.getLogger(__name__)

# Somebody's keyring or the thread moved on since the message was sealed: look again and seal anew.
STALE = frozenset(
    {
        "author-keyring-fell",
        "stale-author-keyring",
        "stale-epoch",
        "stale-keyring",
        "stale-member-keyring",
        "stale-transcript",
        "wrong-epoch",
    }
)
ROUNDS = 8
ECHO_SECONDS = 1.0


def now() -> int:
    """Return unix seconds."""
    return int(time.time())


class Outbox:
    """At most one message of a thread is on its way; threads do not wait for each other."""

    def __init__(self, core: Core, inbox: Inbox, socket: Socket, others: Counterparts) -> None:
        self._core = core
        self._inbox = inbox
        self._socket = socket
        self._others = others
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.not_sent: list[tuple[str, NotSent]] = []

    async def send(self, thread: str, plaintext: Plaintext, *, step: str | None = None) -> Sent:
        """Seal, store, send; returns when the message stands verified in its place. Raises `NotSent`.

        A `step` that was taken before, by this process or the one that died, is not taken again.
        """
        async with self._locks[thread]:
            await self._settle(thread)
            taken = self._core.file.contents.steps.get(step) if step else None
            if taken:
                return Sent(thread, *taken)
            outgoing = await self._seal(thread, plaintext, step=step)
            return await self._transmit(outgoing)

    async def taken(self, thread: str, step: str | None) -> Sent | None:
        """Return what a step sent when it was taken before, by this process or the one that died."""
        async with self._locks[thread]:
            await self._settle(thread)
            found = self._core.file.contents.steps.get(step) if step else None
            return Sent(thread, *found) if found else None

    async def open_thread(
        self, to: bytes, plaintext: Plaintext, *, authority: str | None, kind: str = "case"
    ) -> Sent:
        """Open a thread with its first message; K8: the keyring is that of the chosen authority, if one was.

        Raises `NotSent`, `Distrusted`.
        """
        outgoing = await self._make_thread([to], plaintext, authority=authority, kind=kind)
        async with self._locks[outgoing.thread]:
            return await self._transmit(outgoing)

    async def open_empty(self, to: bytes, *, authority: str | None, kind: str = "case") -> str:
        """Open a thread in which nothing is written yet, for files that go with its first message.

        Returns its id. Raises `NotSent`, `Distrusted`.
        """
        for _ in range(ROUNDS):
            made = await self._genesis([to], None, authority=authority, kind=kind)
            body = {
                "entry": to_base64(made.entry),
                "envelopes": to_base64(made.envelopes),
                "messages": [],
            }
            try:
                await self._socket.patiently(partial(self._core.http.post, "/api/threads", body))
            except ServerRefused as refused:
                if refused.code not in STALE:
                    raise NotSent(refused.code, refused.sentence) from refused
                continue
            thread = made.thread.hex()
            await self._socket.patiently(partial(self._inbox.pull, thread))
            return thread
        raise NotSent("stale-epoch", "the keys of a party moved on again and again")

    async def send_leftovers(self) -> None:
        """Send what an earlier connection, or an earlier process, left unanswered."""
        for thread in {outgoing.thread for outgoing in self._core.file.contents.outbox}:
            async with self._locks[thread]:
                try:
                    await self._settle(thread)
                except Distrusted as error:  # the other threads go on
                    self._inbox.distrust(thread, error)
                except (SignInFailed, Unreachable):
                    raise
                except ClientError as error:
                    logger.warning("a message of thread %s stays here: %s", thread[:16], error)

    async def _settle(self, thread: str) -> None:
        """Bring what is left of a thread to an end. Its refusal is noted: it is not that of a new message."""
        for outgoing in list(self._core.file.contents.outbox):
            if outgoing.thread == thread:
                try:
                    await self._transmit(outgoing)
                except NotSent as error:
                    self.not_sent.append((thread, error))
                    logger.warning("a message of thread %s was refused: %s", thread[:16], error)

    async def mark_opened(self, thread: str) -> None:
        """Sign for having opened a thread up to its verified end, anew while the own keyring moves on."""
        for attempt in range(ROUNDS):
            with protocol_rules():
                opened = self._core.mailbox.make_opened(bytes.fromhex(thread), at=now())
            command = {"opened": to_base64(opened)}
            try:
                await self._socket.patiently(
                    partial(self._socket.command, "messaging.opened.record", command)
                )
            except ServerRefused as refused:
                if refused.code not in STALE or attempt == ROUNDS - 1:
                    raise
                await self._look_again(thread)
            else:
                return

    # sealing

    async def _seal(
        self, thread: str, plaintext: Plaintext, *, instead: Outgoing | None = None, step: str | None = None
    ) -> Outgoing:
        """Seal at the end of the thread, re-keyed first where T4 asks for it, and store the result."""
        key, mailbox = bytes.fromhex(thread), self._core.mailbox
        if not self._inbox.known_seq(thread):
            await self._socket.patiently(lambda: self._inbox.pull(thread))
        for _ in range(ROUNDS):
            await self._socket.patiently(lambda: self._others.make_ready(self._members(thread)))
            with protocol_rules(), step_rules():
                must_renew = mailbox.needs_refresh(key, at=now())
                sealed = None if must_renew else mailbox.seal(key, plaintext, at=now())
            if sealed is None:
                await self._refresh(thread)
                continue
            return self._store(_outgoing(self._core.mailbox.net, thread, sealed, step), instead)
        raise NotSent("stale-epoch", "the thread was re-keyed by others again and again")

    async def _make_thread(
        self,
        to: Sequence[bytes],
        plaintext: Plaintext,
        *,
        authority: str | None = None,
        instead: Outgoing | None = None,
        kind: str = "case",
    ) -> Outgoing:
        made = await self._genesis(to, plaintext, authority=authority, kind=kind)
        outgoing = _outgoing(self._core.mailbox.net, made.thread.hex(), made.messages[0])
        outgoing.entry, outgoing.envelopes = to_base64(made.entry), to_base64(made.envelopes)
        return self._store(outgoing, instead)

    async def _genesis(
        self, to: Sequence[bytes], plaintext: Plaintext | None, *, authority: str | None, kind: str
    ) -> NewThread:
        principals = [self._core.mailbox.principal, *to]
        await self._socket.patiently(lambda: self._core.load_keyrings(principals))
        await self._socket.patiently(lambda: self._others.make_ready(principals))
        with protocol_rules(), step_rules():
            if authority is not None:
                self._core.mailbox.check_authority(authority, *to)
            return self._core.mailbox.open_thread(to, plaintext, at=now(), kind=kind)

    def _store(self, outgoing: Outgoing, instead: Outgoing | None) -> Outgoing:
        """M4: counter and bytes are on the disk before anything leaves."""
        outbox = self._core.file.contents.outbox
        if instead is not None:
            outbox.remove(instead)
        outbox.append(outgoing)
        self._core.save()
        return outgoing

    async def _refresh(self, thread: str) -> None:
        with protocol_rules():
            is_out = self._core.mailbox.membership.is_out(bytes.fromhex(thread), at=now())
        if is_out:
            raise NotSent("mandate-ended", "Your mandate has ended, or nobody answers for you any more.")
        with protocol_rules():
            made = self._core.mailbox.refresh(bytes.fromhex(thread), at=now())
        body = {"entry": to_base64(made.entry), "envelopes": to_base64(made.envelopes)}
        try:
            await self._socket.patiently(lambda: self._core.http.post(f"/api/threads/{thread}/entries", body))
        except ServerRefused as refused:
            if refused.code not in STALE:
                raise NotSent(refused.code, refused.sentence) from refused
            await self._look_again(thread)
        await self._socket.patiently(lambda: self._inbox.pull(thread))

    async def _look_again(self, thread: str) -> None:
        await self._socket.patiently(lambda: self._core.load_keyrings(self._members(thread)))

    def _members(self, thread: str) -> set[bytes]:
        found = self._core.mailbox.threads.get(bytes.fromhex(thread))
        members = found.state.members if found and found.state else ()
        return {self._core.mailbox.principal, *(member.principal for member in members)}

    # sending

    async def _transmit(self, outgoing: Outgoing) -> Sent:
        """Send until there is a definite answer, and act on it."""
        for _ in range(ROUNDS):
            try:
                seq = await self._answer(outgoing)
            except ServerRefused as refused:
                if refused.code not in STALE:
                    self._drop(outgoing)
                    raise NotSent(refused.code, refused.sentence) from refused
                outgoing = await self._seal_anew(outgoing)
                continue
            return await self._finish(outgoing, seq)
        self._drop(outgoing)
        raise NotSent("stale-epoch", "sealed anew again and again, and always too late")

    async def _finish(self, outgoing: Outgoing, seq: int) -> Sent:
        """See the message in its place, then forget its bytes."""
        # The socket usually brings it within milliseconds.
        if not await self._inbox.wait_for(outgoing.thread, seq, seconds=ECHO_SECONDS):
            await self._socket.patiently(lambda: self._inbox.pull(outgoing.thread))
        if self._inbox.known_seq(outgoing.thread) < seq:
            raise Distrusted("The server signed for a message and does not show it in its place.")
        self._core.file.contents.outbox.remove(outgoing)
        if outgoing.step:
            self._core.file.contents.steps[outgoing.step] = (seq, outgoing.id)
        self._core.save()
        return Sent(outgoing.thread, seq, outgoing.id)

    async def _answer(self, outgoing: Outgoing) -> int:
        """Return the sequence of the message; raises `ServerRefused` for a definite no."""
        if outgoing.entry is not None:
            body = {
                "entry": outgoing.entry,
                "envelopes": outgoing.envelopes,
                "messages": [outgoing.as_body()],
            }
            found = await self._socket.patiently(lambda: self._core.http.post("/api/threads", body))
            return int(found["seq"])
        command = {"messages": [outgoing.as_body()]}
        answer = await self._socket.patiently(lambda: self._append(command))
        return int(answer["seq"])

    async def _append(self, command: dict[str, Any]) -> dict[str, Any]:
        results = (await self._socket.command("messaging.messages.append", command))["results"]
        result: dict[str, Any] = results[0]
        if "error" in result:
            raise ServerRefused(409, result["error"]["code"], result["error"]["message"])
        return result

    async def _seal_anew(self, outgoing: Outgoing) -> Outgoing:
        """M4: a new id and counter; the refused id is named in the next `void`."""
        if outgoing.entry is not None:
            plaintext = self._open_own(outgoing)
            self._core.mailbox.signed.pop(bytes.fromhex(outgoing.thread), None)
            first = read_entry(self._core.mailbox.net, from_base64(outgoing.entry))
            parties = [row.principal for row in first.members]
            others = [one for one in parties if one != self._core.mailbox.principal]
            kind = first.kind or "case"
            return await self._make_thread(others, plaintext, instead=outgoing, kind=kind)
        # In a process that has just started the thread may not have been loaded yet.
        await self._socket.patiently(lambda: self._inbox.pull(outgoing.thread))
        await self._look_again(outgoing.thread)
        plaintext = self._open_own(outgoing)
        self._core.mailbox.mark_refused(bytes.fromhex(outgoing.thread))
        try:
            return await self._seal(outgoing.thread, plaintext, instead=outgoing, step=outgoing.step)
        except NotSent:
            self._drop(outgoing)
            raise

    def _drop(self, outgoing: Outgoing) -> None:
        key = bytes.fromhex(outgoing.thread)
        if outgoing.entry is not None:
            self._core.mailbox.signed.pop(key, None)
        else:
            self._core.mailbox.mark_refused(key)
        self._core.file.contents.outbox.remove(outgoing)
        self._core.save()

    def _open_own(self, outgoing: Outgoing) -> Plaintext:
        """Open what this device has sealed itself: the text is kept nowhere else."""
        net = self._core.mailbox.net
        message = read_message(net, from_base64(outgoing.item))
        secret = self._epoch_secret(outgoing, message.n)
        try:
            return open_message(net, message, from_base64(outgoing.ciphertext), secret)
        except Refused as refused:
            raise ClientError("a message in the outbox cannot be opened again") from refused

    def _epoch_secret(self, outgoing: Outgoing, n: int) -> bytes:
        mailbox = self._core.mailbox
        if outgoing.entry is None:
            return mailbox.threads[bytes.fromhex(outgoing.thread)].epochs[n]
        entry = read_entry(mailbox.net, from_base64(outgoing.entry))
        own: Member = next(row for row in entry.members if row.principal == mailbox.principal)
        generation = mailbox.rings[mailbox.principal].secrets[own.keyring_n]
        key = mailbox_key(mailbox.net, mailbox.principal, own.keyring_n, generation)
        envelopes = sealing.read("T1", from_base64(outgoing.envelopes or ""))
        return open_epoch(mailbox.net, entry, envelopes, own, key)


def _outgoing(net: str, thread: str, sealed: SealedMessage, step: str | None = None) -> Outgoing:
    message = read_message(net, sealed.item)
    item, ciphertext = to_base64(sealed.item), to_base64(sealed.ciphertext)
    return Outgoing(thread, message.id.hex(), item, ciphertext, step=step)
