"""What each reason of an entry may change, and what it must rest on (rules T2, T3, T5, T6, T9, T10)."""

from collections.abc import Sequence

from messaging.sealed.consent import Admission, Consent, check_consent
from messaging.sealed.encoding import sha256
from messaging.sealed.errors import Refused
from messaging.sealed.keyring_entry import Keyrings
from messaging.sealed.mandate import Mandate, check_mandate
from messaging.sealed.statement import type_of
from messaging.sealed.thread_entry import OWN_KINDS, Member, ThreadEntry, ThreadState
from messaging.sealed.trust import check_accept, check_confirms


class Change:
    """One entry that follows ``state``, with the statements it carries, judged at ``now``.

    Each act that a rule asked for is used up; what is left over is refused.
    """

    def __init__(
        self, net: str, state: ThreadState, entry: ThreadEntry, keyrings: Keyrings, now: int, *, reading: bool
    ) -> None:
        self.net = net
        self.state = state
        self.entry = entry
        self.keyrings = keyrings
        self.now = now
        self.reading = reading
        self.mandates: dict[bytes, Mandate] = {}
        self.consents: list[Consent] = []
        self._unused = set(entry.acts)
        before = {member.principal: member for member in state.members}
        after = {member.principal: member for member in entry.members}
        self.gone = [member for member in state.members if member.principal not in after]
        self.came = [member for member in entry.members if member.principal not in before]
        kept = [(before[member.principal], member) for member in entry.members if member.principal in before]
        self.changed = [(old, new) for old, new in kept if old.terms != new.terms]
        if any(new.keyring_n < old.keyring_n for old, new in kept):  # T2
            raise Refused("T2", "unexpected-change", "a member's keyring entry fell")

    def check(self) -> None:
        """That the reason allows the change and the change has what it needs. Raises Refused."""
        if self.entry.reason == "genesis" or self.entry.salt is not None or self.entry.kind is not None:  # T2
            raise Refused("T2", "unexpected-change", "salt and kind belong to the genesis")
        if self.entry.link is not None:  # T2
            raise Refused("T2", "unexpected-change", "the link belongs to the genesis")
        match self.entry.reason:
            case "join":
                self._check_join()
            case "leave":
                self._check_leave()
            case "drop":
                self._check_drop()
            case "succeed":
                self._check_succession()
            case _:
                self._check_nobody_changes("a refresh changes no member and no role")
        self._check_history()
        if self._unused:  # T3
            raise Refused("T3", "unknown-act", "a statement that this entry does not need")

    def _check_nobody_changes(self, detail: str) -> None:
        if self.gone or self.came or self.changed:  # T2
            raise Refused("T2", "unexpected-change", detail)

    # join

    def _check_join(self) -> None:
        if self.state.kind in OWN_KINDS:  # T3
            raise Refused("T3", "wrong-members", "what an authority writes for itself nobody joins")
        raised = [new for old, new in self.changed if (old.role, new.role) == ("observer", "party")]
        if self.gone or len(raised) != len(self.changed) or not (self.came or raised):  # T2
            raise Refused(
                "T2", "unexpected-change", "by a join somebody comes, or an observer becomes a party"
            )
        for member in (*self.came, *raised):
            self._check_admission(member)

    def _check_admission(self, member: Member) -> None:
        if member.role != "practitioner":
            self.check_consents(Admission(member.principal, member.role), self.state.parties)
            return
        if self.state.kind != "direct":  # T3
            raise Refused("T3", "wrong-members", "practitioners join direct contact only")
        if member.mandate not in self.mandates:
            self._take_mandate(member.mandate)
        sponsors = {row.principal: row.sponsor for row in self.mandates[member.mandate or b""].admitted}
        practitioner = self.keyrings.newest(member.principal)
        sponsor = practitioner.sponsor if practitioner else None
        if sponsor is None or sponsors.get(member.principal) != sponsor.by.principal:  # T3
            raise Refused("T3", "wrong-mandate", "the mandate does not admit this person of this sponsor")

    def _take_mandate(self, wanted: bytes | None) -> None:
        raw = next((act for act in self.entry.acts if sha256(act) == wanted), None)
        if raw is None or type_of(raw) != "mandate" or wanted is None:  # T3
            raise Refused(
                "T3", "wrong-mandate", "a practitioner joins under a mandate that the entry carries"
            )
        if wanted in self.state.spent:  # T3
            raise Refused("T3", "consent-spent", "this mandate was used here before")
        parties = self.state.parties
        self.mandates[wanted] = check_mandate(
            self.net,
            raw,
            self.keyrings,
            thread=self.state.thread,
            parties=parties,
            now=self.now,
            reading=self.reading,
        )
        self._unused.discard(raw)
        self.check_consents(wanted, parties)

    def check_consents(self, subject: Admission | bytes, parties: Sequence[bytes]) -> None:
        """T3: a consent of a supervisor of each of these parties, for this subject, never used before."""
        carried = [raw for raw in sorted(self._unused) if type_of(raw) == "consent"]
        found = [(raw, self._check_consent(raw)) for raw in carried]
        wanted = {
            consent.by.principal: (raw, consent) for raw, consent in found if consent.subject == subject
        }
        for party in parties:
            if party not in wanted:  # T3
                raise Refused("T3", "consent-missing", "a party has not consented to this")
            raw, consent = wanted[party]
            if consent.statement.hash in self.state.spent:  # T3
                raise Refused("T3", "consent-spent", "this consent was used here before")
            self.consents.append(consent)
            self._unused.discard(raw)

    def _check_consent(self, raw: bytes) -> Consent:
        place, now, reading = self.state.thread, self.now, self.reading
        return check_consent(self.net, raw, self.keyrings, thread=place, now=now, reading=reading)

    # leave, drop, succeed

    def _check_leave(self) -> None:
        author = self.state.member(self.entry.by.principal)
        if author is None or author.role != "party" or self.came or self.changed:  # T9
            raise Refused("T9", "wrong-leave", "only a party leaves, and nothing else changes")
        if self.gone != [author]:  # T9
            raise Refused("T9", "wrong-leave", "a party leaves only by itself")

    def _check_drop(self) -> None:
        if any(member.role == "party" for member in self.gone):  # T9
            raise Refused("T9", "expelled-party", "parties cannot expel each other")
        if not self.gone or self.came or self.changed:  # T2
            raise Refused("T2", "unexpected-change", "a drop takes out observers and practitioners, no more")

    def _check_succession(self) -> None:
        is_exchange = len(self.gone) == len(self.came) == 1 and not self.changed
        if not is_exchange or self.gone[0].terms[1:] != self.came[0].terms[1:]:  # T10
            raise Refused("T10", "wrong-successor", "one principal takes the place of another, as it is")
        before, after = self.gone[0].principal, self.came[0].principal
        successor = self.keyrings.newest(after)
        if successor is None or successor.succeeds != before:  # T10
            raise Refused("T10", "wrong-successor", "the new keyring does not name the one it follows")
        self._check_trust(after)
        if self.entry.history is not None:
            rest = [party for party in self.state.parties if party != before]
            self.check_consents(Admission(after, self.came[0].role), rest)

    def _check_trust(self, successor: bytes) -> None:
        """T10: two persons of the secretariat confirm it, and the author's authority has accepted it."""
        confirms = [raw for raw in self.entry.acts if type_of(raw) == "confirm"]
        accepts = [raw for raw in self.entry.acts if type_of(raw) == "accept"]
        if len(confirms) != 2 or len(accepts) != 1:  # T10
            raise Refused("T10", "not-confirmed", "a succession carries two confirms and an accept")
        own, reading = self.entry.by.principal, self.reading
        try:
            checked = check_confirms(self.net, confirms, self.keyrings, principal=successor, reading=reading)
            accept = check_accept(self.net, accepts[0], self.keyrings, principal=own, reading=reading)
        except Refused as refused:  # T10
            raise Refused("T10", "not-confirmed", refused.detail) from None
        if (accept.principal, accept.authority) != (successor, checked[0].authority):  # T10
            raise Refused("T10", "not-confirmed", "confirmed and accepted are two different principals")
        self._unused -= {*confirms, *accepts}

    # history

    def _check_history(self) -> None:
        history, reason = self.entry.history, self.entry.reason
        if history is None:
            if reason not in {"join", "succeed"}:  # T6
                raise Refused("T6", "bad-history", "the history must lead to the entry before")
            return
        if reason in {"join", "succeed"} and not all(consent.history for consent in self.consents):  # T6
            raise Refused(
                "T6", "history-not-shared", "not every consent lets the newcomer read what was before"
            )
        if history.of >= self.entry.n or (reason != "repair" and history.of != self.entry.n - 1):  # T6
            raise Refused("T6", "bad-history", "the history must lead to the entry before")
