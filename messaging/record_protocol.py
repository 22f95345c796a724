"""What crosses the wire for records: that one is made, and what dates it. Binary is standard base64."""

from typing import TYPE_CHECKING

from network.frames import Body, Seq, blob

if TYPE_CHECKING:
    Hash = bytes
else:
    Hash = blob(32)


class RecordForm(Body):
    """That a record is made: of the whole thread, or of the message at `seq`."""

    seq: Seq | None = None


class AnchorPlace(Body):
    """A thread at `seq` was `line` of `lines` in the log's anchor of a day; `path`: the hashes up to it."""

    day: Seq
    seq: Seq
    line: Seq
    lines: Seq
    path: list[Hash]


class RecordPlace(Body):
    """Where the thread stands in the log's daily anchors; for one message, in the first that has it."""

    anchors: list[AnchorPlace]
