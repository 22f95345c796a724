"""Making records from what a client, or a checked record, has verified (R1, R2)."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from messaging.sealed.client import Mailbox
from messaging.sealed.correspondence import Correspondence
from messaging.sealed.encoding import sha256
from messaging.sealed.errors import Refused
from messaging.sealed.evidence import make_evidence
from messaging.sealed.keyring_entry import Keyrings
from messaging.sealed.message import Message, message_key, open_padded
from messaging.sealed.places import By
from messaging.sealed.record import (
    FACTS,
    KEYS,
    ONE,
    READABLE,
    WHOLE,
    Disclosed,
    ExportedKeyring,
    Facts,
    NamedAuthority,
    OpeningCode,
    encode_item,
    item_path,
    keyring_parts,
    make_message_record,
    make_thread_record,
    sign_manifest,
    text_path,
)
from messaging.sealed.record_anchors import LINK, AnchorLine, anchor_path, first_after, make_link
from messaging.sealed.record_beside import EVIDENCE, Reader, opened_parts
from messaging.sealed.record_check import Rings
from messaging.sealed.record_confirms import (
    Confirmed,
    ExportedConfirms,
    confirm_parts,
    principals_in,
    read_confirmed,
)
from messaging.sealed.record_log import heads_of, log_parts
from messaging.sealed.report import make_report
from messaging.sealed.ring import Ring
from messaging.sealed.transparency import anchor_entry


def principals_of(thread: Correspondence) -> list[bytes]:
    """Everybody who ever was a member of the thread or signed in it, sorted."""
    members = {member.principal for entry in thread.entries for member in entry.members}
    return sorted(members | {each.message.by.principal for each in thread.applied if each.message})


def disclose(thread: Correspondence, message: Message) -> Disclosed | None:
    """The opening of a message's commitment; None when this device cannot open it. Raises Refused E8."""
    secret = thread.epochs.get(message.n)
    if secret is None:
        return None
    ciphertext = thread.raw[message.seq - 1].ciphertext or b""
    return Disclosed(*open_padded(thread.net, message, ciphertext, message_key(thread.net, message, secret)))


def export_thread(
    mailbox: Mailbox,
    thread_id: bytes,
    *,
    envelopes: Mapping[int, bytes],
    authorities: Iterable[NamedAuthority],
    readable: Callable[[], bytes] | None = None,
    code: OpeningCode | None = None,
    log: tuple[str, Sequence[bytes]] | None = None,
    opened: Sequence[bytes] = (),
    confirms: Sequence[ExportedConfirms] = (),
    anchors: Sequence[AnchorLine] = (),
    at: int,
) -> bytes:
    """The record of a thread, as far as it is verified; of a stopped one with the evidence (T8).

    ``envelopes`` of the own keyring by n; ``readable`` makes the page for reading, which goes in with all
    texts: whoever has the file can read it. Without it, a device or the kit of the own authority opens the
    record, and ``code``. ``log``: the newest checkpoint and all leaves, which prove the keyrings. ``opened``:
    the members' statements of having opened, ``confirms`` the secretariat's about their keys, ``anchors``
    where the log held it; only those that hold go in. Raises Refused M9, R1; L2 ``not-in-the-log``.
    """
    thread = _verified(mailbox, thread_id, stopped=True)
    own = mailbox.newest(mailbox.principal)
    end = thread.state
    if own is None or end is None:  # M9
        raise Refused("M9", "not-verified", "the own keyring is not verified")
    facts = Facts(WHOLE, mailbox.net, mailbox.server_key, thread_id, mailbox.principal, tuple(authorities))
    parts = {FACTS: facts.encode()}
    heads: dict[tuple[bytes, int], bytes] = {}
    confirmed: dict[str, bytes] = {}
    for one in confirms:
        confirmed |= confirm_parts(mailbox.net, one, mailbox)
    parts |= confirmed
    for principal in sorted({*principals_of(thread), *_secretariats(mailbox.net, confirmed, mailbox)}):
        sealed = envelopes if principal == mailbox.principal else {}
        parts |= keyring_parts(_exported(mailbox.rings[principal], principal, sealed))
        heads |= heads_of(principal, [entry.statement.hash for entry in mailbox.rings[principal].entries])
    if log is not None:
        stated = _confirm_hashes(mailbox.net, confirmed, mailbox)
        held = _ends(thread, anchors)
        parts |= log_parts(mailbox.net, mailbox.server_key, *log, heads, stated, held)
    parts |= {item_path(item.seq): encode_item(item) for item in thread.raw}
    parts |= opened_parts(Reader(thread.net, thread.server_key, end, mailbox, thread.transcript_at), opened)
    if (evidence := make_evidence(thread)) is not None:
        parts[EVIDENCE] = evidence
    if readable is not None:
        for message in _messages(thread):
            disclosed = disclose(thread, message)
            if disclosed is not None:
                parts[text_path(message.seq)] = disclosed.encode()
        parts[READABLE] = readable()
    if code is not None:
        keys = {
            message.seq: message_key(thread.net, message, thread.epochs[message.n])
            for message in _messages(thread)
            if message.n in thread.epochs
        }
        parts[KEYS] = code.seal_keys(thread_id, keys)
    manifest = sign_manifest(
        facts,
        parts,
        by=By(own.principal, own.n, own.head),
        device=mailbox.device.id,
        key=mailbox.device.signing_key,
        seq=end.seq,
        transcript=end.transcript,
        at=at,
    )
    return make_thread_record(parts, manifest)


def export_message(
    thread: Correspondence,
    rings: Mapping[bytes, Ring],
    seq: int,
    disclosed: Disclosed | None,
    log: tuple[str, Sequence[bytes]] | None = None,
    confirms: ExportedConfirms | None = None,
    anchors: Sequence[AnchorLine] = (),
) -> bytes:
    """The record of one message; ``log``, ``confirms`` and ``anchors`` as for a whole thread.

    Raises Refused R2 ``cannot-open`` without its text, ``wrong-place``.
    """
    message = next((each for each in _messages(thread) if each.seq == seq), None)
    if message is None:  # R2
        raise Refused("R2", "wrong-place", "there is no message at this place")
    if disclosed is None:  # R2
        raise Refused("R2", "cannot-open", "this message cannot be opened here")
    ring = rings[message.by.principal]
    sender = ring.devices[message.device]
    keyring = ExportedKeyring(
        message.by.principal,
        [entry.statement.raw for entry in ring.entries[: message.by.n + 1]],
        [sender.raw],
    )
    facts = Facts(ONE, thread.net, thread.server_key, thread.thread)
    heads = heads_of(message.by.principal, [sha256(raw) for raw in keyring.entries])
    known = Rings(dict(rings))
    more = confirm_parts(thread.net, confirms, known) if confirms else {}
    stated = _confirm_hashes(thread.net, more, known)
    for principal in _secretariats(thread.net, more, known):
        more |= keyring_parts(_exported(rings[principal], principal, {}))
        heads |= heads_of(principal, [entry.statement.hash for entry in rings[principal].entries])
    if log:
        first = first_after(anchors, seq)
        ends = _ends(thread, [first] if first else [])
        more |= log_parts(thread.net, thread.server_key, *log, heads, stated, ends)
        if first and anchor_path(first.day) in more:
            later = [sha256(item.item) for item in thread.raw[seq : first.seq]]
            more[LINK] = make_link(thread.transcript_at(seq - 1), later)
    return make_message_record(facts, keyring, thread.raw[seq - 1], disclosed, more)


def report_messages(
    mailbox: Mailbox, thread_id: bytes, places: Sequence[int], *, cause: str, words: str, at: int
) -> tuple[bytes, list[Disclosed]]:
    """A signed report of these messages, and what it discloses, in their order. Raises Refused M9, R2, R4."""
    thread = _verified(mailbox, thread_id)
    own = mailbox.newest(mailbox.principal)
    wanted = [message for message in _messages(thread) if message.seq in set(places)]
    opened = [found for message in wanted if (found := disclose(thread, message))]
    if own is None or len(opened) != len(set(places)):  # R2
        raise Refused("R2", "cannot-open", "a message to be reported is not there, or cannot be opened")
    statement = make_report(
        mailbox.net,
        by=By(own.principal, own.n, own.head),
        device=mailbox.device.id,
        key=mailbox.device.signing_key,
        thread=thread_id,
        cause=cause,
        words=words,
        messages=[(message.seq, message.statement.hash) for message in wanted],
        at=at,
    )
    return statement, opened


def _verified(mailbox: Mailbox, thread_id: bytes, *, stopped: bool = False) -> Correspondence:
    thread = mailbox.threads.get(thread_id)
    if thread is None:  # M9
        raise Refused("M9", "not-verified", "the thread has not been verified")
    if not (stopped and thread.fork is not None and thread.state is not None):
        thread.check_end()
    return thread


def _confirmed(net: str, parts: Mapping[str, bytes], keyrings: Keyrings) -> list[Confirmed]:
    return [read_confirmed(net, principal, parts, keyrings) for principal in principals_in(parts)]


def _secretariats(net: str, parts: Mapping[str, bytes], keyrings: Keyrings) -> set[bytes]:
    return {found.secretariat for found in _confirmed(net, parts, keyrings)}


def _confirm_hashes(net: str, parts: Mapping[str, bytes], keyrings: Keyrings) -> list[bytes]:
    return [one for found in _confirmed(net, parts, keyrings) for one in found.hashes]


def _ends(thread: Correspondence, anchors: Sequence[AnchorLine]) -> list[tuple[AnchorLine, bytes]]:
    """Each anchor with the thread's entry in it, as far as the thread is verified."""
    ends = [(line, thread.transcript_at(line.seq)) for line in anchors]
    return [
        (line, anchor_entry(thread.net, thread.thread, line.seq, end))
        for line, end in ends
        if end is not None
    ]


def _messages(thread: Correspondence) -> list[Message]:
    return [each.message for each in thread.applied if each.message is not None]


def _exported(ring: Ring, principal: bytes, envelopes: Mapping[int, bytes]) -> ExportedKeyring:
    entries = [entry.statement.raw for entry in ring.entries]
    return ExportedKeyring(principal, entries, [device.raw for device in ring.devices.values()], envelopes)
