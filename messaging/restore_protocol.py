"""What crosses the wire of a restore: who signs for it, and the items that devices hand back (L8)."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from messaging.protocol import (
    CIPHERTEXT_MOST,
    ENTRY_MOST,
    ENVELOPES_MOST,
    PAGE_MOST,
    STATEMENT_MOST,
    STATEMENTS_MOST,
    ItemTypeName,
    UnixSeconds,
)
from network.frames import Body, HexId, Seq, blob

if TYPE_CHECKING:
    Entry = bytes
    Envelopes = bytes
    Statement = bytes
    Ciphertext = bytes
else:
    Entry = blob(ENTRY_MOST)
    Envelopes = blob(ENVELOPES_MOST)
    Statement = blob(STATEMENT_MOST)
    Ciphertext = blob(CIPHERTEXT_MOST)


class ReturnedItem(Body):
    """An item as it was once given out, handed back after a restore."""

    seq: Annotated[int, Field(ge=1, lt=2**53)]
    type: ItemTypeName
    item: Entry
    ciphertext: Ciphertext | None = None
    envelopes: Envelopes | None = None
    receipt: Statement


class ReturnForm(Body):
    """Items of one thread that the server has lost, in order."""

    items: Annotated[list[ReturnedItem], Field(min_length=1, max_length=PAGE_MOST)]


class ReturnedPlace(Body):
    """Where the thread ends now, and how many items were put back."""

    thread: HexId
    seq: Seq
    returned: int


class ReturnedEntry(Body):
    """An entry of the own keyring as it was once stored."""

    entry: Entry
    envelopes: Envelopes


class ReturnedKeyring(Body):
    """Entries of the own keyring that the server has lost, in order, with the statements of new devices."""

    entries: Annotated[list[ReturnedEntry], Field(min_length=1, max_length=STATEMENTS_MOST)]
    statements: Annotated[list[Statement], Field(max_length=PAGE_MOST)]


class RestoreForm(Body):
    """A restore, signed by a device of the secretariat."""

    statement: Statement


class RestoreFacts(Body):
    """A restore that two officers are to sign; `log_size` and `log_root` are what they sign for."""

    serial: int
    log_size: int
    log_root: HexId
    cause: str
    begun_at: UnixSeconds
    signatures: int
    is_announced: bool


class RestoreList(Body):
    """The restore that has begun and is not over, if there is one."""

    restores: list[RestoreFacts]
