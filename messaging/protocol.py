"""What crosses the wire for sealed correspondence: bodies of commands, results, events and the REST API.

Binary is standard base64, identifiers lowercase hexadecimal, times unix seconds.
"""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from network.frames import Body, HexId, Seq, ShortId, blob

ENTRY_MOST = 64 * 1024  # bytes of a keyring or thread entry
ENVELOPES_MOST = 192 * 1024  # about 1,207 bytes a recipient
STATEMENT_MOST = 4096
STATEMENTS_MOST = 20  # new devices in one entry
ITEM_MOST = 4096
CIPHERTEXT_MOST = 40_960  # the largest padded message; fits a socket frame in base64
MESSAGES_MOST = 16  # in one command
OPENED_MOST = 1024
APPROVAL_MOST = 1024
DRAFT_MOST = 64 * 1024
PAGE_MOST = 100

if TYPE_CHECKING:
    Entry = bytes
    Envelopes = bytes
    Statement = bytes
    Item = bytes
    Ciphertext = bytes
    Approval = bytes
    Opened = bytes
    Sealed = bytes
    Blind = bytes
    Bytes = bytes
else:
    Entry = blob(ENTRY_MOST)
    Envelopes = blob(ENVELOPES_MOST)
    Statement = blob(STATEMENT_MOST)
    Item = blob(ITEM_MOST)
    Ciphertext = blob(CIPHERTEXT_MOST)
    Approval = blob(APPROVAL_MOST)
    Opened = blob(OPENED_MOST)
    Sealed = blob(DRAFT_MOST)
    Blind = blob(32)
    Bytes = blob(ENVELOPES_MOST)  # what the server gives back

Status = Literal["requested", "enrolled", "declined", "removed"]
EscalationStage = Literal[1, 2]
KeyringStatus = Literal["waiting", "standing", "ended"]
ItemTypeName = Literal["entry", "message", "withdrawal"]
Role = Literal["officer", "supervisor", "steward"]
UnixSeconds = Annotated[int, Field(ge=0, lt=2**53)]


class SealedMessage(Body):
    """A message as signed and sealed by a device."""

    item: Item
    ciphertext: Ciphertext


class AppendMessages(Body):
    """Command `messaging.messages.append`."""

    messages: Annotated[list[SealedMessage], Field(min_length=1, max_length=MESSAGES_MOST)]

    @property
    def cost(self) -> int:
        """Return how much of its limit this takes: every message counts."""
        return len(self.messages)


class ErrorFacts(Body):
    """A stable code and a sentence for the human."""

    code: str
    message: str


class RefusedMessage(Body):
    """One message of several that was not taken."""

    error: ErrorFacts


class StoredMessage(Body):
    """Where a message stands, and the server's signature on it."""

    seq: Seq
    receipt: Bytes


class AppendedMessages(Body):
    """One answer for each message, in order."""

    results: list[StoredMessage | RefusedMessage]


class ConfirmDelivery(Body):
    """Command `messaging.delivery.confirm`: everything up to `seq` has reached a device of the actor."""

    thread: HexId
    seq: Seq


class RecordOpened(Body):
    """Command `messaging.opened.record`: a statement signed by the reading device."""

    opened: Opened


class ItemReference(Body):
    """What is stored of an event about an item."""

    thread: HexId
    seq: Seq


class ItemBody(Body):
    """Event `messaging.item.appended`, and one row of a thread's items."""

    thread: HexId
    seq: Seq
    type: ItemTypeName
    item: Bytes
    ciphertext: Bytes | None
    envelopes: Bytes | None
    receipt: Bytes
    received_at: UnixSeconds


class ProgressReference(Body):
    """What is stored of an event about progress."""

    thread: HexId
    principal: HexId


class ToldAgain(Body):
    """A member was told again of something urgent: 1 who is on duty; 2 supervisors and who asked, too."""

    seq: Seq
    stage: EscalationStage
    at: UnixSeconds


class MemberProgress(Body):
    """How far a member has come; `opened` is signed by its device. `told`: the newest 20, oldest first."""

    principal: HexId
    delivered_seq: Seq
    opened_seq: Seq
    opened: Bytes | None
    told: list[ToldAgain]


class ProgressMade(MemberProgress):
    """Event `messaging.progress.made`."""

    thread: HexId


class AssignmentReference(Body):
    """What is stored of an event about who handles a thread for a member."""

    thread: HexId
    principal: HexId


class Handler(Body):
    """Who handles a thread for an authority, in the server's words."""

    person: ShortId
    name: str
    office: str
    since: UnixSeconds


class ThreadAssigned(Body):
    """Event `messaging.thread.assigned`; no handler when the one before has left without a successor."""

    thread: HexId
    principal: HexId
    handler: Handler | None


class KeyringPlace(Body):
    """Event `messaging.keyring.grew`, and the answer to a keyring entry: the newest entry."""

    principal: HexId
    n: Seq
    head: HexId


class TriedKit(Body):
    """That the recovery kit opens the newest entry of the own keyring, as a drill in the client has found."""

    n: Seq


class ApprovalsChanged(Body):
    """Event `messaging.approval.changed`: what waits for a second person is to be loaded anew."""

    principal: HexId


class DevicePlace(Body):
    """Events `messaging.device.requested` and `messaging.device.declined`."""

    device: HexId


# Bodies of the REST API only


class KeyringEntryForm(Body):
    """A new entry of a keyring with what it needs to be checked."""

    entry: Entry
    envelopes: Envelopes
    statements: Annotated[list[Statement], Field(max_length=STATEMENTS_MOST)]


class ApprovalForm(Body):
    """A change of a keyring that needs a second person, and the approval of whoever sends it, if given."""

    change: Entry
    approval: Approval | None = None


class ApprovalPlace(Body):
    """A change that waits: the id is what approvals of it name."""

    principal: HexId
    change: HexId


class WaitingChange(Body):
    """A change of the own keyring that waits, with the approvals given; `change` is read by the client."""

    id: HexId
    change: Bytes
    approvals: list[Bytes]
    person: str
    name: str
    office: str
    proposed_at: UnixSeconds
    until: UnixSeconds


class ApprovalList(Body):
    """Changes of the own keyring that wait for a second person."""

    approvals: list[WaitingChange]


class DeviceForm(Body):
    """A device that asks to be listed; `roles` is a wish, the steward decides."""

    statement: Statement
    roles: Annotated[list[Role], Field(max_length=3)] = []


class ThreadForm(Body):
    """A new thread, with its first message if there is one."""

    entry: Entry
    envelopes: Envelopes
    messages: Annotated[list[SealedMessage], Field(max_length=1)]


class ThreadEntryForm(Body):
    """A new entry of a thread."""

    entry: Entry
    envelopes: Envelopes


class WithdrawalForm(Body):
    """The withdrawal of a mandate, signed by a supervisor of a party."""

    withdrawal: Opened


class AssignmentForm(Body):
    """Who is to handle a thread for the own authority; without a membership whoever asks."""

    membership: ShortId | None = None


class DeliveredForm(Body):
    """How far a thread has reached a device of the actor."""

    seq: Seq


class AttachmentForm(Body):
    """A file that is going to be sent in chunks; `size` is padded."""

    file: ShortId
    size: Annotated[int, Field(ge=1, lt=2**53)]


class AttachmentState(Body):
    """What is stored of a file. `hashes`: SHA-256 of every sealed chunk in order, once none is missing."""

    file: ShortId
    size: Annotated[int, Field(ge=1, lt=2**53)]
    chunks: Annotated[int, Field(ge=1)]
    missing: list[int]
    hashes: Bytes | None
    seq: Seq | None  # of the message it belongs to


class DraftBody(Body):
    """A draft as sealed by the client."""

    sealed: Sealed


class KeptDraft(Body):
    """The draft that is kept, or null where there is none."""

    sealed: Sealed | None


class OpenedThread(Body):
    """The answer to a new thread."""

    thread: HexId
    receipts: list[Bytes]
    seq: Seq


class AuthorityFacts(Body):
    """An authority as members see it."""

    id: str
    name: str
    state: str | None
    state_name: str | None


class ListedAuthority(AuthorityFacts):
    """An authority in the list of those that can be written to."""

    functions: list[str]
    principal: HexId | None
    keyring_n: Seq | None
    waiting: HexId | None  # keys that are to take the place of these when the secretariat has confirmed them
    names: list[str]  # of its State and its own, in every language, for searching
    languages: list[str]  # in which it accepts requests, as far as the directory says
    is_open: bool | None  # an office, now; null where the directory shows no hours
    time_zone: str | None  # of that office, as the IANA database names it; null likewise


class AuthorityList(Body):
    """Every authority of the network."""

    authorities: list[ListedAuthority]


class KeyringEntryBody(Body):
    """One stored entry of a keyring; envelopes only for the own authority."""

    n: Seq
    entry: Bytes
    envelopes: Bytes | None


class ConfirmedNote(Body):
    """The State's notification that the secretariat has confirmed keys by; a blind for each statement."""

    reference: str
    date: str  # YYYY-MM-DD
    blinds: list[Bytes]


class Keyring(Body):
    """At most 100 entries in order, and the statements of the devices that they list first.

    `confirms`: what two persons of the secretariat have signed last, or nothing; `note`: by what they did.
    `status`: keys that are to take the place of lost ones wait until they are confirmed; those whose place
    was taken have ended, and `successor` is whose it is now.
    """

    principal: HexId
    status: KeyringStatus
    successor: HexId | None
    authority: AuthorityFacts
    entries: list[KeyringEntryBody]
    statements: list[Bytes]
    confirms: list[Bytes]
    note: ConfirmedNote | None


class DeviceRequest(Body):
    """A device that asked to be listed."""

    device: HexId
    statement: Bytes
    person: str
    name: str
    office: str
    requested_at: UnixSeconds
    status: Status


class DeviceRequestList(Body):
    """Device requests, the newest first."""

    requests: list[DeviceRequest]


class Member(Body):
    """A principal in a thread."""

    principal: HexId
    role: str
    authority: AuthorityFacts
    handler: Handler | None


class KeptFacts(Body):
    """How the own authority keeps a thread. `is_over`: that day has passed, and nothing holds the thread."""

    closed_at: UnixSeconds | None
    until: str | None  # YYYY-MM-DD
    is_over: bool
    is_held: bool


class ThreadBody(Body):
    """A thread as its members see it."""

    thread: HexId
    kind: str
    link: HexId | None  # of notes, the thread they belong to; of others, one they have to do with
    has_left: bool  # the own authority is a member no more: this is how the thread was then
    n: Seq
    head: HexId
    seq: Seq
    transcript: HexId
    members: list[Member]
    opened_at: UnixSeconds
    changed_at: UnixSeconds
    progress: list[MemberProgress]
    card: Bytes | None = None  # the own principal's, sealed by its devices
    kept: KeptFacts | None = None  # by the own authority, where the case is closed or held


class LetterTexts(Body):
    """Model texts in one language, by what each is for."""

    letters: dict[str, str]


class ThreadPage(Body):
    """At most 100 threads, the newest change first."""

    threads: list[ThreadBody]
    next: str | None


class ItemPage(Body):
    """At most 100 items in order; `seq` is the end of the thread."""

    items: list[ItemBody]
    seq: Seq


class LogPage(Body):
    """The state of the log of keys, and its leaves from a number on: a thousand at most."""

    checkpoint: str
    witnessed: str | None
    leaves: list[Bytes]
    label_key: str
    witnesses: list[str]
    quorum: int
    urgent_hours: int
    restore: Bytes | None
