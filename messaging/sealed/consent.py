"""A supervisor's consent that somebody joins a thread, or that a mandate is in force there (rule T3)."""

from dataclasses import dataclass

from messaging.sealed.encoding import Encodable
from messaging.sealed.errors import Refused
from messaging.sealed.keyring_entry import Keyrings
from messaging.sealed.keys import SigningKey
from messaging.sealed.places import By, read_by
from messaging.sealed.signers import check_signer
from messaging.sealed.statement import Fields, Statement, bad, parse, sign, verify

LONGEST = 30 * 86_400
"""Seconds for which a consent can be used at most."""


@dataclass(frozen=True)
class Admission:
    """The subject of a consent to ``join``: a principal, and what it becomes."""

    principal: bytes
    role: str


@dataclass(frozen=True)
class Consent:
    """``subject`` is an admission, or the hash of a mandate. ``history``: earlier items may be shared."""

    statement: Statement
    by: By
    thread: bytes
    subject: Admission | bytes
    history: bool
    until: int

    @property
    def at(self) -> int:
        """When it was signed, as the signer says."""
        return self.statement.at


def make_consent(
    net: str,
    *,
    by: By,
    device: bytes,
    key: SigningKey,
    thread: bytes,
    subject: Admission | bytes,
    history: bool,
    until: int,
    at: int,
) -> bytes:
    """Consent, for a thread, to an admission or to the mandate of this hash."""
    is_join = isinstance(subject, Admission)
    fields: dict[str, Encodable] = {
        "by": by.as_map(),
        "thread": thread,
        "action": "join" if is_join else "mandate",
        "subject": {"principal": subject.principal, "role": subject.role}
        if isinstance(subject, Admission)
        else subject,
        "history": history,
        "until": until,
    }
    return sign(net, "consent", fields, at=at, kid=device, key=key)


def read_consent(net: str, raw: bytes) -> Consent:
    """Take a consent apart; its signature is not verified. Raises Refused E1, E2."""
    statement = parse(net, raw, "consent")
    fields = statement.fields
    history = fields.any("history")
    if not isinstance(history, bool):  # E2
        raise bad("history is true or false")
    return Consent(
        statement=statement,
        by=read_by(fields),
        thread=fields.data("thread"),
        subject=_read_subject(fields),
        history=history,
        until=fields.uint("until"),
    )


def _read_subject(fields: Fields) -> Admission | bytes:
    match fields.text("action"):
        case "join":
            pair = fields.map("subject", "principal", "role")
            return Admission(pair.data("principal"), pair.text("role"))
        case "mandate":
            return fields.data("subject")
    raise bad("a consent to something unknown")  # E2


def check_consent(
    net: str, raw: bytes, keyrings: Keyrings, *, thread: bytes, now: int, reading: bool
) -> Consent:
    """That it holds for this thread at ``now``: signed by a listed supervisor, neither early nor expired.

    Raises Refused E1, E2; T3 ``wrong-consent``, ``consent-expired``, ``unlisted-device``,
    ``not-a-supervisor``.
    """
    consent = read_consent(net, raw)
    signer = check_signer("T3", consent.by, consent.statement.kid, keyrings, ["supervisor"], reading=reading)
    verify(consent.statement, signer.sig, net)
    if consent.thread != thread:  # T3
        raise Refused("T3", "wrong-consent", "a consent for another thread")
    if not consent.at <= now < consent.until or consent.until - consent.at > LONGEST:  # T3
        raise Refused("T3", "consent-expired", "a consent not yet or no longer in force, or for too long")
    return consent
