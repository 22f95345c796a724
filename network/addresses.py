"""Mail addresses, parsed strictly: what looks like an address of somebody else must not pass for one.

Only an `addr-spec` (RFC 5321, section 4.1.2) of ASCII characters is one: a dot-atom, `@`, and a domain name
of at least two labels. RFC 5322 allows more (quoted local parts, comments, groups, folding); two programs
that read the same such text often disagree about where the mail goes, so all of it is refused.
"""

import re

from django.utils.translation import gettext_lazy as _

from network.errors import Invalid

# RFC 5321, section 4.5.3.1; a path of 256 octets leaves 254 for the address.
ADDRESS_MOST, LOCAL_MOST, DOMAIN_MOST = 254, 64, 253

# An atom of RFC 5322 without `!`, `%`, `/`, `|` and the backtick, by which old mail servers were told to pass
# mail on or to run a program; and no hyphen at the very beginning, which programs take for an option.
_ATOM = r"[A-Za-z0-9#$&'*+=?^_{}~-]+"
_LOCAL = re.compile(rf"(?!-){_ATOM}(?:\.{_ATOM})*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}")


def parse_address(text: str) -> str:
    """Return the address with its domain in lower case; raises `Invalid("invalid-address")`.

    The local part is kept byte for byte: what differs there is another address.
    """
    local, at, domain = text.rpartition("@")
    if not at or len(text) > ADDRESS_MOST:
        raise _refused()
    if len(local) > LOCAL_MOST or not _LOCAL.fullmatch(local):
        raise _refused()
    if len(domain) > DOMAIN_MOST or not _DOMAIN.fullmatch(domain):
        raise _refused()
    domain = domain.lower()
    labels = domain.split(".")
    if not all(map(_is_plain_or_encoded, labels)) or labels[-1].isdigit():
        raise _refused()
    return f"{local}@{domain}"


def _is_plain_or_encoded(label: str) -> bool:
    """Tell whether a label is plain, or a name of another script in its encoded form (RFC 5890: `xn--…`)."""
    if label[2:4] != "--":
        return True
    if not label.startswith("xn--"):
        return False
    try:
        decoded = label[4:].encode("ascii").decode("punycode")
        return not decoded.isascii() and decoded.isprintable()
    except (UnicodeError, OverflowError):
        return False


def _refused() -> Invalid:
    return Invalid(
        "invalid-address",
        _(
            "This is not one complete mail address like name@ministry.example. Type it without a name, "
            "spaces or brackets, in Latin letters and digits, as the authority’s mail service spells it."
        ),
    )
