"""Keys: Ed25519, the hybrid KEM 0x647a (ML-KEM-768 with X25519), AES-256-GCM, the recovery kit.

Rules E5 to E8.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from messaging.sealed.encoding import context_hash, derive_key
from messaging.sealed.errors import Refused

KEM_PUBLIC_SIZE = 1216
SEALED_SECRET_SIZE = 1168
WRAP_SIZE = 48

_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_MLKEM_PUBLIC_SIZE = 1184
_MLKEM_COEFFICIENTS_SIZE = 1152
_MLKEM_Q = 3329
_NONCE = bytes(12)

_P = 2**255 - 19
_ED25519_SMALL_ORDER = frozenset(
    {
        0,
        1,
        _P - 1,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
    }
)
_X25519_LOW_ORDER = frozenset(
    {
        0,
        1,
        _P - 1,
        0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0,
        0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F,
    }
)

# 12-bit coefficients, two in every 24 bits: added to each lane of 24, 4096 - q carries into bit 12 from q on.
_LANES = sum(1 << 24 * lane for lane in range(_MLKEM_COEFFICIENTS_SIZE // 3))
_LOW_COEFFICIENTS = _LANES * 0xFFF
_TO_CARRY = _LANES * (4096 - _MLKEM_Q)
_CARRIES = _LANES << 12


class SigningKey:
    """An Ed25519 key pair made from a 32-byte seed (E6)."""

    def __init__(self, seed: bytes) -> None:
        self.seed = seed
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()

    @classmethod
    def from_seed(cls, seed: bytes) -> "SigningKey":
        """The key of this 32-byte seed."""
        return cls(seed)

    @classmethod
    def generate(cls) -> "SigningKey":
        """A new key from the system's randomness."""
        return cls(secrets.token_bytes(32))

    def sign(self, data: bytes) -> bytes:
        """The 64-byte signature (RFC 8032)."""
        return self._key.sign(data)


class KemKey:
    """A KEM 0x647a key pair made from a 32-byte raw seed (E6), never by HPKE's DeriveKeyPair."""

    def __init__(self, seed: bytes) -> None:
        expanded = hashlib.shake_256(seed).digest(96)  # E6: d ‖ z ‖ X25519
        mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        x25519 = X25519PrivateKey.from_private_bytes(expanded[64:])
        self.seed = seed
        self._key = hpke.MLKEM768X25519PrivateKey(mlkem, x25519)
        self.public = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()

    @classmethod
    def from_seed(cls, seed: bytes) -> "KemKey":
        """The key of this 32-byte seed."""
        return cls(seed)

    @classmethod
    def generate(cls) -> "KemKey":
        """A new key from the system's randomness."""
        return cls(secrets.token_bytes(32))

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """Open what ``seal`` made for this key. Raises Refused E5 ``cannot-open``."""
        try:
            return _SUITE.decrypt(sealed, self._key, info=info)
        except (InvalidTag, ValueError):  # E5
            raise Refused("E5", "cannot-open", "not sealed to this key in this context") from None


def seal(public: bytes, secret: bytes, info: bytes) -> bytes:
    """HPKE base mode (E5): enc (1,120 bytes) ‖ ciphertext. The key is checked first (E7)."""
    check_kem_key(public)
    mlkem = MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC_SIZE])
    x25519 = X25519PublicKey.from_public_bytes(public[_MLKEM_PUBLIC_SIZE:])
    return _SUITE.encrypt(secret, hpke.MLKEM768X25519PublicKey(mlkem, x25519), info=info)


def verify_signature(public: bytes, signature: bytes, data: bytes) -> bool:
    """Whether the Ed25519 signature holds; never for a key that E7 refuses."""
    check_signing_key(public)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except InvalidSignature:
        return False
    return True


def check_signing_key(public: bytes) -> None:
    """Raises Refused E7 ``weak-signing-key`` for non-canonical and small-order Ed25519 keys.

    Libraries accept a signature that fits every text for the latter.
    """
    y = int.from_bytes(public, "little") & (1 << 255) - 1
    if len(public) != 32 or y >= _P or y in _ED25519_SMALL_ORDER:  # E7
        raise Refused("E7", "weak-signing-key", "Ed25519 key of small order or not canonical")


def check_kem_key(public: bytes) -> None:
    """Raises Refused E7 ``bad-kem-key`` for a wrong size, a coefficient ≥ q or a low-order X25519 half.

    Source: FIPS 203, 7.2 (modulus check); RFC 7748, 6.1.
    """
    if len(public) != KEM_PUBLIC_SIZE:  # E7
        raise Refused("E7", "bad-kem-key", "wrong size")
    packed = int.from_bytes(public[:_MLKEM_COEFFICIENTS_SIZE], "little")
    for coefficients in (packed & _LOW_COEFFICIENTS, packed >> 12 & _LOW_COEFFICIENTS):
        if (coefficients + _TO_CARRY) & _CARRIES:  # E7
            raise Refused("E7", "bad-kem-key", "an ML-KEM coefficient is not below q")
    u = (int.from_bytes(public[_MLKEM_PUBLIC_SIZE:], "little") & (1 << 255) - 1) % _P
    if u in _X25519_LOW_ORDER:  # E7
        raise Refused("E7", "bad-kem-key", "the X25519 half is of low order")


def aead_seal(key: bytes, text: bytes, aad: bytes) -> bytes:
    """AES-256-GCM with the zero nonce (E8): a key seals one object only. 16 bytes longer than the text."""
    return AESGCM(key).encrypt(_NONCE, text, aad)


def aead_open(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """Raises Refused E8 ``cannot-open``."""
    try:
        return AESGCM(key).decrypt(_NONCE, sealed, aad)
    except (InvalidTag, ValueError):  # E8
        raise Refused("E8", "cannot-open", "altered, or sealed under another key or context") from None


@dataclass(frozen=True)
class Recovery:
    """The public half of a recovery kit."""

    sig: bytes
    kem: bytes

    def id(self, net: str) -> bytes:
        """The recovery id: its kid and its recipient id in envelopes."""
        return context_hash(net, "recovery", self.sig, self.kem)


_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans("ILO", "110", " -\n\r\t")


@dataclass(frozen=True)
class RecoveryKit:
    """The authority's printed key of last resort: 32 random bytes and what follows from them."""

    net: str
    secret: bytes = field(repr=False)

    @classmethod
    def generate(cls, net: str) -> "RecoveryKit":
        """A new kit from the system's randomness."""
        return cls(net, secrets.token_bytes(32))

    @cached_property
    def signing_key(self) -> SigningKey:
        """Its Ed25519 key."""
        return SigningKey(derive_key(self.net, self.secret, "recovery sig"))

    @cached_property
    def kem_key(self) -> KemKey:
        """Its KEM key."""
        return KemKey(derive_key(self.net, self.secret, "recovery kem"))

    @cached_property
    def public(self) -> Recovery:
        """What the keyring names."""
        return Recovery(self.signing_key.public, self.kem_key.public)

    @property
    def id(self) -> bytes:
        """The recovery id."""
        return self.public.id(self.net)

    def print(self) -> str:
        """12 groups of 5 Crockford characters: 32 bytes, 5 bytes of check, 4 zero bits."""
        return print_groups(self.secret + context_hash(self.net, "kit check", self.secret)[:5])

    @classmethod
    def parse(cls, net: str, printed: str) -> "RecoveryKit":
        """Read a typed kit; blanks, hyphens and case do not matter, I and L are 1, O is 0.

        Raises Refused E6 ``recovery-kit-mistyped``.
        """
        mistyped = Refused("E6", "recovery-kit-mistyped", "this is not a printed recovery kit")
        data = read_groups(printed, mistyped)
        if data[32:] != context_hash(net, "kit check", data[:32])[:5]:
            raise mistyped
        return cls(net, data[:32])


def print_groups(data: bytes) -> str:
    """37 bytes and 4 zero bits as 12 groups of 5 Crockford characters."""
    number = int.from_bytes(data, "big") << 4
    characters = "".join(_ALPHABET[number >> shift & 31] for shift in range(295, -1, -5))
    return " ".join(characters[start : start + 5] for start in range(0, 60, 5))


def read_groups(printed: str, mistyped: Refused) -> bytes:
    """Read `print_groups` back, however sloppily typed; raises `mistyped`."""
    number = 0
    characters = printed.upper().translate(_READ_AS)
    for character in characters:
        value = _ALPHABET.find(character)
        if value < 0:
            raise mistyped
        number = number << 5 | value
    if len(characters) != 60 or not printed.isascii() or number & 15:
        raise mistyped
    return (number >> 4).to_bytes(37, "big")


def device_words(net: str, device: bytes) -> str:
    """What a steward compares by voice before adding a device: 6 groups of 5 digits."""
    return _digits(context_hash(net, "device words", device), 6)


def fingerprint_digits(principal: bytes) -> str:
    """A principal's fingerprint as 12 groups of 5 digits."""
    return _digits(principal, 12)


def _digits(value: bytes, groups: int) -> str:
    digits = str(int.from_bytes(value, "big") % 10 ** (5 * groups)).zfill(5 * groups)
    return " ".join(digits[start : start + 5] for start in range(0, 5 * groups, 5))
