"""What a person of the secretariat signs about an authority's keys, after reading its State's note (K8)."""

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from messaging.sealed.encoding import context_hash, encode, sha256
from messaging.sealed.trust import check_confirm, make_confirm, note_hash

if TYPE_CHECKING:
    from messaging.sealed.client import Mailbox
    from messaging.sealed.ring import Ring


@dataclass(frozen=True)
class SignedConfirm:
    """The statement, and the blind that opens its ``document``: kept together, for whoever reads the note."""

    statement: bytes
    blind: bytes


def note_digest(reference: str, date: str) -> bytes:
    """The SHA-256 of a State's note as it is cited: its reference, and its date as YYYY-MM-DD."""
    return sha256(encode([reference, date]))


def document_of(net: str, blind: bytes, reference: str, date: str) -> bytes:
    """What ``document`` of a confirm is, of a note cited so."""
    return note_hash(net, blind, note_digest(reference, date))


def confirm_leaf(net: str, statement: bytes) -> bytes:
    """The value of the leaf that a confirm has in the log; its subject is the authority, its n is 0."""
    return context_hash(net, "leaf", sha256(statement))


def named_head(ring: "Ring") -> bytes | None:
    """The entry that a confirm names: of a recovery that nobody confirmed yet, else none (K11)."""
    newest = ring.newest
    since = newest.unconfirmed if newest else None
    return None if since is None else ring.states[since].head


def sign_confirm(
    mailbox: "Mailbox", *, authority: str, principal: bytes, reference: str, date: str, at: int
) -> SignedConfirm:
    """This device's confirm that a verified keyring is the authority's, by the note cited.

    ``mailbox`` is of the secretariat. Whether the fingerprint is that of the note is asked before, of a
    person. Raises Refused K7, K8.
    """
    mailbox.check_authority(authority, principal)  # K8
    blind = secrets.token_bytes(32)
    raw = make_confirm(
        mailbox.net,
        by=mailbox.by(),
        device=mailbox.device.id,
        key=mailbox.device.signing_key,
        authority=authority,
        principal=principal,
        head=named_head(mailbox.rings[principal]),
        document=document_of(mailbox.net, blind, reference, date),
        at=at,
    )
    check_confirm(mailbox.net, raw, mailbox, reading=False)
    return SignedConfirm(raw, blind)
