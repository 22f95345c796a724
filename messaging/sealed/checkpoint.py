"""Signed checkpoints of the log: C2SP tlog-checkpoint, signed-note and tlog-cosignature (rules L4, L5).

The log's key is the server's: a note is text and a statement CBOR, so neither can be taken for the other.
Beside its signature the log puts a cosignature of its own, which has the time.
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from messaging.sealed.encoding import sha256
from messaging.sealed.errors import Refused
from messaging.sealed.keys import SigningKey, check_signing_key, verify_signature

NOTE_LIMIT = 8_192
LOG, COSIGNATURE = 1, 4
_SIGNATURE = "\u2014 "


@dataclass(frozen=True)
class Signer:
    """Who signs notes: a name and an Ed25519 public key. ``kind``: LOG, or COSIGNATURE for a witness."""

    name: str
    public: bytes
    kind: int = COSIGNATURE

    @property
    def id(self) -> bytes:
        """The first four bytes of the hash of name, kind and key."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public)[:4]

    @property
    def line(self) -> str:
        """As it is handed out: name+id+key."""
        key = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{key}"


def read_signer(line: str) -> Signer:
    """What ``Signer.line`` wrote. Raises Refused L4 ``bad-verifier``; E7 for a weak key."""
    refused = Refused("L4", "bad-verifier", "not the key of a log or witness: name+id+key")
    parts = line.strip().split("+", 2)
    if len(parts) != 3 or not is_name(parts[0]):  # L4
        raise refused
    key = _from_base64(parts[2])
    if key is None or len(key) != 33 or key[0] not in {LOG, COSIGNATURE}:  # L4
        raise refused
    check_signing_key(key[1:])  # E7
    signer = Signer(parts[0], key[1:], key[0])
    if signer.id.hex() != parts[1]:  # L4
        raise refused
    return signer


def is_name(name: str) -> bool:
    """Whether a note can be signed under this name."""
    return bool(name) and "+" not in name and not any(character.isspace() for character in name)


@dataclass(frozen=True)
class Cosignature:
    """One signer's word, at a time, that the tree is consistent with all it has signed before."""

    name: str
    at: int


@dataclass(frozen=True)
class Checkpoint:
    """The state of the log as it signed it. ``at``: unix seconds of its own cosignature."""

    origin: str
    size: int
    root: bytes
    note: str
    at: int
    witnesses: tuple[Cosignature, ...] = ()


def make_body(origin: str, size: int, root: bytes) -> str:
    """The text that is signed: origin, size and root, a line each."""
    return f"{origin}\n{size}\n{_to_base64(root)}\n"


def sign_note(body: str, signer: Signer, key: SigningKey) -> str:
    """The log's signature line."""
    return write_line(signer.name, signer.id + key.sign(body.encode()))


def cosign(body: str, signer: Signer, key: SigningKey, *, at: int) -> str:
    """A cosignature line (cosignature/v1). ``at`` is in unix seconds."""
    return write_line(signer.name, signer.id + at.to_bytes(8, "big") + key.sign(_cosigned(body, at)))


def _cosigned(body: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{body}".encode()


def write_line(name: str, signature: bytes) -> str:
    """A signature line; ``signature`` begins with the signer's id."""
    return f"{_SIGNATURE}{name} {_to_base64(signature)}\n"


def make_note(body: str, lines: Iterable[str]) -> str:
    """The whole note."""
    return f"{body}\n{''.join(lines)}"


def log_signers(origin: str, public: bytes) -> tuple[Signer, Signer]:
    """The log as the signer of its notes, and as the first who cosigns them."""
    return Signer(origin, public, LOG), Signer(origin, public, COSIGNATURE)


def make_checkpoint(
    origin: str, key: SigningKey, *, size: int, root: bytes, at: int, cosignatures: Sequence[str] = ()
) -> str:
    """The note of this state, signed and cosigned by the log; ``cosignatures`` are witnesses' lines."""
    body = make_body(origin, size, root)
    log, self_witness = log_signers(origin, key.public)
    return make_note(body, [sign_note(body, log, key), cosign(body, self_witness, key, at=at), *cosignatures])


def split_note(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text of a note and its signatures: (name, id and signature). Raises Refused L5."""
    body, mark, rest = note.rpartition("\n\n")
    if not mark or len(note) > NOTE_LIMIT or not rest.endswith("\n"):  # L5
        raise _bad("not a signed note")
    return body + "\n", [_read_line(line) for line in rest[:-1].split("\n")]


def _read_line(line: str) -> tuple[str, bytes]:
    name, _, text = line.removeprefix(_SIGNATURE).partition(" ")
    signature = _from_base64(text)
    if not line.startswith(_SIGNATURE) or not is_name(name) or signature is None or len(signature) < 5:  # L5
        raise _bad("a signature line of wrong form")
    return name, signature


def read_checkpoint(origin: str, public: bytes, note: str, witnesses: Sequence[Signer] = ()) -> Checkpoint:
    """Read and verify a checkpoint with the log's key; of the witnesses only those given count.

    Raises Refused L5 ``bad-checkpoint``: another form, another log, no signature and time of the log's key,
    or a signature under a known name that does not hold.
    """
    body, signatures = split_note(note)
    size, root = _read_body(origin, body)
    log, self_witness = log_signers(origin, public)
    if not any(_is_signed(body, log, name, signature) for name, signature in signatures):  # L5
        raise _bad("the log has not signed this")
    times = [at for name, signature in signatures if (at := cosigned_at(body, self_witness, name, signature))]
    if not times:  # L5
        raise _bad("the log has not said when")
    found: dict[str, int] = {}
    for name, signature in signatures:
        for witness in witnesses:
            at = cosigned_at(body, witness, name, signature)
            if at is not None:
                found[witness.line] = max(at, found.get(witness.line, 0))
    return Checkpoint(
        origin,
        size,
        root,
        note,
        max(times),
        tuple(Cosignature(name, at) for name, at in sorted(found.items())),
    )


def _read_body(origin: str, body: str) -> tuple[int, bytes]:
    lines = body.split("\n")
    if len(lines) < 4 or lines[0] != origin:  # L5
        raise _bad("the checkpoint of another log")
    size, root = lines[1], _from_base64(lines[2])
    is_number = size.isascii() and size.isdigit() and len(size) <= 15 and str(int(size)) == size
    if not is_number or root is None or len(root) != 32 or lines[3:] != [""]:  # L5
        raise _bad("a checkpoint of wrong form")
    return int(size), root


def _is_signed(body: str, log: Signer, name: str, signature: bytes) -> bool:
    if name != log.name or signature[:4] != log.id:
        return False
    if not verify_signature(log.public, signature[4:], body.encode()):  # L5
        raise _bad("the log's signature does not hold")
    return True


def cosigned_at(body: str, signer: Signer, name: str, signature: bytes) -> int | None:
    """When this signer cosigned; None where the line is another's. Raises Refused L5 ``bad-checkpoint``."""
    if name != signer.name or signature[:4] != signer.id:
        return None
    at = int.from_bytes(signature[4:12], "big")
    if len(signature) != 76 or not verify_signature(signer.public, signature[12:], _cosigned(body, at)):  # L5
        raise _bad("a cosignature does not hold")
    return at


def _bad(detail: str) -> Refused:
    return Refused("L5", "bad-checkpoint", detail)


def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _from_base64(text: str) -> bytes | None:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if _to_base64(data) == text else None
