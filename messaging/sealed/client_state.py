"""What of a mailbox outlives the process: pins and counters. Nothing in them is secret."""

from typing import TYPE_CHECKING

from messaging.sealed.correspondence import Signed
from messaging.sealed.encoding import Value, decode, encode
from messaging.sealed.errors import Refused
from messaging.sealed.evidence import take_evidence
from messaging.sealed.ring import Pin
from messaging.sealed.statement import take_bytes, take_list, take_map, take_text, take_uint
from messaging.sealed.thread import After

if TYPE_CHECKING:
    from messaging.sealed.client import Mailbox


NAMES = ("authorities", "pins", "places", "secretariat", "server", "signed", "stopped")


def export_state(mailbox: "Mailbox") -> bytes:
    """Pins and counters as E1 bytes. Nothing in them is secret."""
    return encode(
        {
            "server": [mailbox.net, mailbox.server_key],
            "authorities": [[name, principal] for name, principal in mailbox.authorities.items()],
            "places": [[key, place.seq, place.hash] for key, place in mailbox.places.items()],
            "pins": [[principal, pin.n, pin.head] for principal, pin in mailbox.pins.items()],
            "stopped": sorted([key, raw] for key, raw in mailbox.stopped.items()),
            "secretariat": mailbox.trust.secretariat if mailbox.trust else None,
            "signed": [
                [key, signed.counter + 1, signed.prev, signed.void, signed.pending]
                for key, signed in mailbox.signed.items()
            ],
        }
    )


def load_state(mailbox: "Mailbox", exported: bytes) -> None:
    """What ``export_state`` gave. Raises Refused E1, E2; T8 ``server-key-changed``."""
    found = decode(exported)
    stored = take_map(_brought_up(found), *NAMES)
    if stored.items("server") != [mailbox.net, mailbox.server_key]:  # T8
        raise Refused("T8", "server-key-changed", "another network or server key than at first use")
    for row in stored.items("authorities"):
        name, principal = take_list(row)
        mailbox.authorities[take_text(name, 100)] = take_bytes(principal, 32)
    for row in stored.items("places"):
        key, seq, found = take_list(row)
        mailbox.places[take_bytes(key, 32)] = After(take_uint(seq), take_bytes(found, 32))
    for row in stored.items("stopped"):  # T8
        key, raw = take_list(row)
        mailbox.stopped[take_bytes(key, 32)] = take_evidence(raw)
    for row in stored.items("pins"):
        principal, n, head = take_list(row)
        mailbox.pins[take_bytes(principal, 32)] = Pin(take_uint(n), take_bytes(head, 32))
    if mailbox.trust is not None:
        mailbox.trust.meet(stored.optional("secretariat", stored.data))
        mailbox.trust.earlier |= mailbox.pins.keys()
    for row in stored.items("signed"):
        key, count, prev, void, pending = take_list(row)
        mailbox.signed[take_bytes(key, 32)] = Signed(
            take_uint(count) - 1,
            take_bytes(prev, 32),
            [take_bytes(value, 16) for value in take_list(void)],
            None if pending is None else take_bytes(pending, 16),
        )


def _brought_up(found: Value) -> Value:
    """What older files lack, and without what they noted of recoveries: the ledger has that now (K11)."""
    if not isinstance(found, dict):
        return found
    whole = {"stopped": [], "secretariat": None, **found}
    whole.pop("recoveries", None)
    return whole
