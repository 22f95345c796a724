"""What a device does about who is in a thread: consents, joins, ends, repairs, notes, ledger (T3 to T10)."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from messaging.sealed import thread
from messaging.sealed.consent import LONGEST, Admission, make_consent
from messaging.sealed.counterparts import accepts
from messaging.sealed.encoding import sha256
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import NewEntry
from messaging.sealed.mandate import Admitted, make_mandate, make_withdrawal, terms_hash
from messaging.sealed.message import read_message
from messaging.sealed.places import After, read_by
from messaging.sealed.plaintext import Enclosure, Plaintext
from messaging.sealed.statement import parse, type_of
from messaging.sealed.thread import Member, Rekey, ThreadState
from messaging.sealed.thread_entry import WRITING_ROLES
from messaging.sealed.trust import (
    PINS_LIMIT,
    Accept,
    LogPlace,
    PinnedHead,
    check_accept,
    make_accept,
    make_pins,
)

if TYPE_CHECKING:
    from messaging.sealed.client import Mailbox
    from messaging.sealed.correspondence import Item

MANDATE_SECONDS = 90 * 86_400


def keyrings_of(net: str, item: "Item") -> list[tuple[bytes, int]]:
    """The keyring entries that an item names: of its author, its members, and who signed its acts."""
    if item.type == "message":
        by = read_message(net, item.item).by
        return [(by.principal, by.n)]
    if item.type == "withdrawal":
        by = read_by(parse(net, item.item, "mandate-withdrawal").fields)
        return [(by.principal, by.n)]
    entry = thread.read_entry(net, item.item)
    signers = [read_by(parse(net, act, type_of(act)).fields) for act in entry.acts]
    members = [(member.principal, member.keyring_n) for member in entry.members]
    return [*members, *((by.principal, by.n) for by in (entry.by, *signers))]


def check_may_write(state: ThreadState, principal: bytes) -> None:
    """M1: this principal is in the thread, and not only to read along. Raises Refused."""
    member = state.member(principal)
    if member is None or member.role not in WRITING_ROLES:  # M1
        raise Refused("M1", "may-not-write", "this authority is not in the thread, or only reads along")


@dataclass(frozen=True)
class OwnThread:
    """Notes or a ledger that has been made and not yet sent."""

    thread: bytes
    entry: bytes
    envelopes: bytes


@dataclass(frozen=True)
class Membership:
    """One device and the threads it has verified. Nothing is sent; what others would refuse is not made."""

    mailbox: "Mailbox"

    # statements

    def consent(
        self,
        thread_id: bytes,
        subject: Admission | bytes,
        *,
        at: int,
        history: bool = False,
        until: int | None = None,
    ) -> bytes:
        """The own authority's consent, by a supervisor's device. ``history``: to share what was."""
        box = self.mailbox
        box.verified(thread_id)
        end = at + LONGEST if until is None else until
        return make_consent(
            box.net,
            by=box.by(),
            device=box.device.id,
            key=box.device.signing_key,
            thread=thread_id,
            subject=subject,
            history=history,
            until=end,
            at=at,
        )

    def mandate(
        self,
        thread_id: bytes,
        admitted: Sequence[Admitted],
        text: str,
        *,
        at: int,
        until: int | None = None,
        inform: str = "copy",
    ) -> Plaintext:
        """A proposal of direct contact, with its sealed text, to be sent in the thread."""
        box = self.mailbox
        _, state = box.verified(thread_id)
        blind = secrets.token_bytes(32)
        raw = make_mandate(
            box.net,
            by=box.by(),
            device=box.device.id,
            key=box.device.signing_key,
            thread=thread_id,
            parties=state.parties,
            admitted=admitted,
            start=at,
            until=at + MANDATE_SECONDS if until is None else until,
            inform=inform,
            terms=terms_hash(box.net, blind, text),
            salt=secrets.token_bytes(16),
            at=at,
        )
        return Plaintext(Enclosure(raw, blind, text), "en")

    def withdrawal(self, thread_id: bytes, of: bytes, *, at: int) -> bytes:
        """The end of a mandate; this device must be a supervisor's of a party. Raises Refused T5."""
        box = self.mailbox
        found, state = box.verified(thread_id)
        raw = make_withdrawal(
            box.net,
            by=box.by(),
            device=box.device.id,
            key=box.device.signing_key,
            thread=thread_id,
            of=of,
            after=After(state.seq, state.transcript),
            at=at,
        )
        thread.accept_withdrawal(box.net, state, raw, box, transcript_at=found.transcript_at)
        return raw

    def accept(
        self, authority: str, principal: bytes, *, how: str, at: int, head: bytes | None = None
    ) -> Plaintext:
        """That a supervisor has compared a fingerprint: a message for the ledger. Raises Refused K8."""
        box = self.mailbox
        raw = make_accept(
            box.net,
            by=box.by(),
            device=box.device.id,
            key=box.device.signing_key,
            authority=authority,
            principal=principal,
            head=head,
            how=how,
            at=at,
        )
        check_accept(box.net, raw, box, principal=box.principal, reading=False)
        return Plaintext(Enclosure(raw), "en")

    def head_to_name(self, principal: bytes) -> bytes | None:
        """The entry an accept names: after a recovery nobody approved the newest one, else none (K11)."""
        state = self.mailbox.newest(principal)
        return state.head if state is not None and state.unconfirmed is not None else None

    def pins(self, *, at: int) -> Plaintext:
        """What this device has verified of others' keyrings: a message for the ledger."""
        box = self.mailbox
        heads = [PinnedHead(principal, pin.n, pin.head) for principal, pin in box.pins.items()]
        tree = box.log.tree if box.log is not None else None
        log = LogPlace(tree.size, tree.root, tree.frontier) if tree is not None and tree.size else None
        raw = make_pins(
            box.net,
            by=box.by(),
            device=box.device.id,
            key=box.device.signing_key,
            log=log,
            heads=heads[:PINS_LIMIT],
            at=at,
        )
        return Plaintext(Enclosure(raw), "en")

    def accepted(self) -> list[Accept]:
        """What the own ledger, as far as it is verified here, holds as accepted, oldest first (K8)."""
        return accepts(self.mailbox)

    # entries

    def open_own(self, kind: str, *, at: int, link: bytes | None = None) -> OwnThread:
        """A thread of the own authority alone: ``notes`` on the thread ``link``, or its ``ledger``."""
        box = self.mailbox
        own = box.check_members([box.principal], at)
        made = thread.make_genesis(
            box.net,
            kind=kind,
            salt=secrets.token_bytes(16),
            parties=[own[box.principal]],
            by=box.by(),
            author=box.device.id,
            key=box.device.signing_key,
            at=at,
            link=link,
        )
        state = thread.accept_entry(box.net, None, made.entry, made.envelopes, box, now=at)
        return OwnThread(state.thread, made.entry, made.envelopes)

    def is_out(self, thread_id: bytes, *, at: int) -> bool:
        """Whether this practitioner's mandate or sponsor has ended: it writes here no more (T5, K9)."""
        box = self.mailbox
        _, state = box.verified(thread_id)
        return box.principal in {member.principal for member in thread.must_go(box.net, state, box, at)}

    def refresh(self, thread_id: bytes, *, at: int) -> NewEntry:
        """Renew the keys; whose mandate or sponsor has ended is dropped (T4, T5)."""
        box = self.mailbox
        _, state = box.verified(thread_id)
        ended = {member.principal for member in thread.must_go(box.net, state, box, at)}
        if box.principal in ended:  # T5
            raise Refused("T5", "mandate-ended", "the own mandate or sponsor has ended: others go on without")
        return (
            self.drop(thread_id, ended, at=at)
            if ended
            else self._change(thread_id, "refresh", state.members, at)
        )

    def join(
        self,
        thread_id: bytes,
        newcomers: Sequence[Member],
        acts: Collection[bytes],
        *,
        at: int,
        shares: bool = False,
    ) -> NewEntry:
        """Let somebody in, or make an observer a party, on the consents of every party (T3, T6)."""
        _, state = self.mailbox.verified(thread_id)
        new = {member.principal for member in newcomers}
        members = [*(member for member in state.members if member.principal not in new), *newcomers]
        return self._change(thread_id, "join", members, at, acts=acts, shares=shares)

    def newcomer(self, principal: bytes, role: str, mandate: bytes | None = None) -> Member:
        """A principal as it would stand in the thread."""
        state = self.mailbox.newest(principal)
        if state is None:  # K8
            raise Refused("K8", "keyring-unknown", "the keyring of a member has not been verified")
        return thread.member_of(state, role, mandate)

    def leave(self, thread_id: bytes, *, at: int) -> NewEntry:
        """Leave for good: this authority reads nothing that comes after (T9)."""
        return self._without(thread_id, "leave", {self.mailbox.principal}, at)

    def drop(self, thread_id: bytes, principals: Collection[bytes], *, at: int) -> NewEntry:
        """Take out observers or practitioners (T5, T9)."""
        return self._without(thread_id, "drop", principals, at)

    def repair(self, thread_id: bytes, *, at: int) -> NewEntry:
        """Begin a new epoch where the newest one cannot be opened, leading to the newest one held (T7)."""
        found, state = self.mailbox.verified(thread_id)
        if not found.epochs:  # T7
            raise Refused("T7", "cannot-open", "no epoch of this thread was ever open here")
        return self._change(thread_id, "repair", state.members, at, of=max(found.epochs))

    def succeed(
        self, thread_id: bytes, before: bytes, after: bytes, acts: Collection[bytes], *, at: int
    ) -> NewEntry:
        """Put a successor in the place of a principal, on two confirms and an accept (T10)."""
        _, state = self.mailbox.verified(thread_id)
        gone = state.member(before)
        if gone is None:  # T10
            raise Refused("T10", "wrong-successor", "nobody of this keyring is in the thread")
        members = [member for member in state.members if member is not gone]
        members.append(self.newcomer(after, gone.role))
        return self._change(thread_id, "succeed", members, at, acts=acts, shares=False)

    def _without(self, thread_id: bytes, reason: str, gone: Collection[bytes], at: int) -> NewEntry:
        _, state = self.mailbox.verified(thread_id)
        members = [member for member in state.members if member.principal not in gone]
        return self._change(thread_id, reason, members, at)

    def _change(
        self,
        thread_id: bytes,
        reason: str,
        members: Sequence[Member],
        at: int,
        *,
        acts: Collection[bytes] = (),
        shares: bool = True,
        of: int | None = None,
    ) -> NewEntry:
        """An entry at the verified end; what this device would refuse is not made. Raises Refused."""
        box = self.mailbox
        found, state = box.verified(thread_id)
        shared = state.n if of is None else of
        if shared not in found.epochs or (of is None and found.broken is not None):  # M9 T7
            raise Refused("M9", "not-verified", "the newest epoch cannot be opened or does not hold")
        made = thread.make_change(
            box.net,
            state,
            Rekey(reason, members, shared, found.epochs[shared] if shares else None, tuple(acts)),
            keyrings=box.check_members([member.principal for member in members], at),
            by=box.by(),
            author=box.device.id,
            key=box.device.signing_key,
            at=at,
            previous=found.epochs[shared],
        )
        thread.accept_entry(box.net, state, made.entry, made.envelopes, box, now=at)
        return NewEntry(made.entry, made.envelopes)


def mandate_hash(plaintext: Plaintext) -> bytes:
    """The hash by which consents and members name a mandate that ``mandate`` made."""
    body = plaintext.body
    return sha256(body.statement) if isinstance(body, Enclosure) else b""
