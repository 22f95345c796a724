"""Who is in a thread, and notes for the own authority."""

from collections.abc import Callable, Collection

from messaging.sdk.core import Core
from messaging.sdk.counterparts import Counterparts
from messaging.sdk.device_file import to_base64
from messaging.sdk.errors import NotSent, ServerRefused, protocol_rules
from messaging.sdk.facts import Sent
from messaging.sdk.inbox import Inbox
from messaging.sdk.outbox import ROUNDS, STALE, Outbox, now
from messaging.sdk.own_threads import OwnThreads
from messaging.sdk.texts import checked
from messaging.sealed.consent import Admission, Consent, read_consent
from messaging.sealed.counterparts import successor_of
from messaging.sealed.encoding import sha256
from messaging.sealed.keyring import NewEntry
from messaging.sealed.mandate import Admitted, read_mandate
from messaging.sealed.membership import mandate_hash
from messaging.sealed.plaintext import Enclosure, Note, Plaintext
from messaging.sealed.ring import successors_of
from messaging.sealed.statement import type_of


class Memberships:
    """What a client does about who is in its threads. Consents take a supervisor's device."""

    def __init__(
        self, core: Core, inbox: Inbox, outbox: Outbox, own: OwnThreads, others: Counterparts
    ) -> None:
        self._core = core
        self._inbox = inbox
        self._outbox = outbox
        self._own = own
        self._others = others

    async def consent(
        self,
        thread: str,
        principal: str,
        role: str = "observer",
        *,
        history: bool = False,
        reason: str | None = None,
    ) -> Sent:
        """Consent, for thirty days, that a principal joins as `observer` or `party`; all members see it.

        `history`: it may read what was before, if every party says so. Whoever consents first proposes;
        `reason` says why, sealed. Raises `Distrusted`, `NotSent`, `InvalidMessage`.
        """
        await self._inbox.pull(thread)
        subject = Admission(bytes.fromhex(principal), role)
        with protocol_rules():
            raw = self._core.mailbox.membership.consent(
                bytes.fromhex(thread), subject, at=now() - 1, history=history
            )
        return await self._outbox.send(thread, checked(Plaintext(Enclosure(raw, text=reason), "en")))

    async def let_in(
        self, thread: str, principal: str, role: str = "observer", *, history: bool = False
    ) -> None:
        """Add a principal once a supervisor of every party has consented in the thread.

        Raises `NotSent` with `consent-missing` while one has not, `ServerRefused`, `Distrusted`.
        """
        key, newcomer = bytes.fromhex(thread), bytes.fromhex(principal)
        await self._core.load_keyring(newcomer)

        def make() -> NewEntry:
            membership = self._core.mailbox.membership
            consents = self._consents(key, Admission(newcomer, role))
            member = membership.newcomer(newcomer, role)
            return membership.join(key, [member], consents, at=now(), shares=history)

        await self._extend(thread, make, [newcomer])

    def _consents(self, key: bytes, subject: Admission | bytes) -> list[bytes]:
        """The newest consent of each party to this, as it was sent in the thread."""
        net = self._core.mailbox.net
        found: dict[bytes, Consent] = {}
        for applied in self._core.mailbox.threads[key].applied:
            body = applied.plaintext.body if applied.plaintext else None
            if isinstance(body, Enclosure) and type_of(body.statement) == "consent":
                consent = read_consent(net, body.statement)
                if consent.subject == subject:
                    found[consent.by.principal] = consent
        return [consent.statement.raw for consent in found.values()]

    async def leave(self, thread: str) -> None:
        """Leave a thread for good. What was written until then can still be read."""
        await self._extend(
            thread, lambda: self._core.mailbox.membership.leave(bytes.fromhex(thread), at=now())
        )

    async def drop(self, thread: str, principal: str) -> None:
        """Take out who reads along, or writes under a mandate. A party leaves only by itself."""
        gone = {bytes.fromhex(principal)}
        await self._extend(
            thread, lambda: self._core.mailbox.membership.drop(bytes.fromhex(thread), gone, at=now())
        )

    async def repair(self, thread: str) -> None:
        """Begin a new epoch where the newest one cannot be opened, so that writing goes on."""
        await self._extend(
            thread, lambda: self._core.mailbox.membership.repair(bytes.fromhex(thread), at=now())
        )

    async def succeed(self, thread: str, before: str) -> str:
        """Put an authority's new keys in the place of its lost ones (T10); returns the new principal.

        Two persons of the secretariat must have confirmed them, and a supervisor's program of the own
        authority called `ledger.accept`. The new keys read what is written from then on. Raises `NotSent`
        with `not-confirmed` while one of these is missing, `ServerRefused`, `Distrusted`.
        """
        key, old = bytes.fromhex(thread), bytes.fromhex(before)
        await self._core.load_keyring(old)
        named = successors_of(self._core.mailbox.rings, old)
        await self._others.make_ready(named)
        await self._others.read_ledger()
        new = successor_of(self._core.mailbox, old)
        acts = self._trust_in(new) if new is not None else None
        if new is None or acts is None:
            raise NotSent("not-confirmed", "The new keys must be confirmed, and accepted by a supervisor.")
        await self._extend(
            thread, lambda: self._core.mailbox.membership.succeed(key, old, new, acts, at=now()), [new]
        )
        return new.hex()

    def _trust_in(self, principal: bytes) -> list[bytes] | None:
        """The two confirms of a principal and the newest own accept, as an entry carries them; or None."""
        confirms = self._core.trust.confirms.get(principal, ())
        accepts = [row for row in self._core.mailbox.membership.accepted() if row.principal == principal]
        return [*confirms, accepts[-1].statement.raw] if confirms and accepts else None

    # direct contact of practitioners

    async def propose_mandate(
        self,
        thread: str,
        practitioners: Collection[str],
        text: str,
        *,
        until: int | None = None,
        inform: str = "copy",
    ) -> str:
        """Propose that practitioners write directly in a `direct` thread; returns the mandate's hash.

        `text`: for what, what is excluded; sealed. For ninety days where no end is given. `inform`: how the
        authorities are kept informed, by `copy`, as `observer` or by `summary`. It binds nobody before
        every party has consented. Takes a supervisor's device. Raises `Distrusted`, `NotSent`.
        """
        await self._inbox.pull(thread)
        admitted = [await self._admitted(bytes.fromhex(one)) for one in practitioners]
        with protocol_rules():
            made = self._core.mailbox.membership.mandate(
                bytes.fromhex(thread), admitted, text, at=now() - 1, until=until, inform=inform
            )
        await self._outbox.send(thread, made)
        return mandate_hash(made).hex()

    async def _admitted(self, practitioner: bytes) -> Admitted:
        await self._core.load_keyring(practitioner)
        state = self._core.mailbox.newest(practitioner)
        if state is None or state.sponsor is None:
            raise NotSent("wrong-mandate", "Only a practitioner, for whom an authority answers, is admitted.")
        return Admitted(practitioner, state.sponsor.by.principal)

    async def consent_to_mandate(self, thread: str, mandate: str, *, history: bool = False) -> Sent:
        """Consent, for thirty days, to a mandate by its hash; takes a supervisor's device.

        Read its text first: it came as a message of kind `statement`. Raises `Distrusted`, `NotSent`.
        """
        await self._inbox.pull(thread)
        key, of = bytes.fromhex(thread), bytes.fromhex(mandate)
        self._mandate(key, of)
        with protocol_rules():
            raw = self._core.mailbox.membership.consent(key, of, at=now() - 1, history=history)
        return await self._outbox.send(thread, Plaintext(Enclosure(raw), "en"))

    async def admit(self, thread: str, mandate: str, *, history: bool = False) -> None:
        """Let in everybody whom a mandate admits, once a supervisor of every party has consented to it.

        `history`: they may read what was before, if every party says so. Raises `Distrusted` with
        `consent-missing` while one has not, and with `sponsor-ended` when nobody answers for one.
        """
        await self._inbox.pull(thread)
        key, of = bytes.fromhex(thread), bytes.fromhex(mandate)
        raw = self._mandate(key, of)
        admitted = [row.principal for row in read_mandate(self._core.mailbox.net, raw).admitted]
        for practitioner in admitted:
            await self._core.load_keyring(practitioner)

        def make() -> NewEntry:
            membership = self._core.mailbox.membership
            members = [membership.newcomer(one, "practitioner", of) for one in admitted]
            acts = [raw, *self._consents(key, of)]
            return membership.join(key, members, acts, at=now(), shares=history)

        await self._extend(thread, make, admitted)

    def _mandate(self, key: bytes, of: bytes) -> bytes:
        """The mandate of this hash, as it was proposed in the thread; raises `NotSent`."""
        for applied in self._core.mailbox.threads[key].applied:
            body = applied.plaintext.body if applied.plaintext else None
            if isinstance(body, Enclosure) and sha256(body.statement) == of:
                return body.statement
        raise NotSent("unknown-mandate", "There is no such mandate in this correspondence.")

    async def withdraw_mandate(self, thread: str, mandate: str) -> None:
        """Withdraw a mandate, by its hash, for ever; who was admitted by it writes no more, at once."""
        await self._inbox.pull(thread)
        with protocol_rules():
            raw = self._core.mailbox.membership.withdrawal(
                bytes.fromhex(thread), bytes.fromhex(mandate), at=now()
            )
        await self._core.http.post(f"/api/threads/{thread}/withdrawals", {"withdrawal": to_base64(raw)})
        await self._inbox.pull(thread)

    async def _extend(
        self, thread: str, make: Callable[[], NewEntry], further: list[bytes] | None = None
    ) -> None:
        """Add an entry at the end of a thread, anew while others are first."""
        for attempt in range(ROUNDS):
            await self._inbox.pull(thread)
            state = self._core.mailbox.threads[bytes.fromhex(thread)].state
            members = [member.principal for member in state.members] if state else []
            everybody = [self._core.mailbox.principal, *members, *(further or [])]
            await self._core.load_keyrings(everybody)
            await self._others.make_ready(everybody)
            with protocol_rules():
                made = make()
            body = {"entry": to_base64(made.entry), "envelopes": to_base64(made.envelopes)}
            try:
                await self._core.http.post(f"/api/threads/{thread}/entries", body)
            except ServerRefused as refused:
                if refused.code not in STALE or attempt == ROUNDS - 1:
                    raise
                continue
            await self._inbox.pull(thread)
            self._core.save()
            return

    def unanchored(self, thread: str) -> set[int]:
        """Return the places of items that a removed device may have written later than they say (M8)."""
        mailbox = self._core.mailbox
        return mailbox.threads[bytes.fromhex(thread)].unanchored(mailbox)

    def evidence(self, thread: str) -> bytes | None:
        """Return what shows that the server has contradicted itself in a thread (T8), to hand on; or None.

        It survives a restart. `messaging.sealed.evidence.read_evidence` takes it apart; it holds no text.
        """
        return self._core.mailbox.stopped.get(bytes.fromhex(thread))

    # what an authority writes for itself

    async def note(self, thread: str, text: str, *, language: str = "en") -> Sent:
        """Write a note on a thread for colleagues of the own authority. The other side cannot tell."""
        notes = await self._own.ready("notes", thread)
        return await self._outbox.send(notes, Plaintext(Note(text), language))

    async def notes(self, thread: str) -> list[str]:
        """Return the notes of the own authority on a thread, oldest first."""
        notes = await self._own.find("notes", thread)
        if notes is None:
            return []
        await self._inbox.pull(notes)
        applied = self._core.mailbox.threads[bytes.fromhex(notes)].applied
        bodies = [row.plaintext.body for row in applied if row.plaintext]
        return [body.text for body in bodies if isinstance(body, Note)]
