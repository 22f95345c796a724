"""A mail address is one plain address, or it is refused: nothing may look like another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from network.addresses import parse_address
from network.errors import Invalid

pytestmark = pytest.mark.any_database
HOSTILE = [
    # Nothing, or less than one.
    "",
    "@",
    "officer",
    "officer@",
    "@gouv.fr",
    "officer.gouv.fr",
    # Quoted local parts: the mail goes to gouv.fr, or to evil.test, as each program likes.
    '"a@evil.test"@gouv.fr',
    '"officer"@gouv.fr',
    '" "@gouv.fr',
    'officer"@gouv.fr',
    "officer\\@evil.test@gouv.fr",
    # More than one address, lists and groups.
    "officer@gouv.fr,evil@evil.test",
    "officer@gouv.fr;evil@evil.test",
    "officer@gouv.fr evil@evil.test",
    "officer@evil.test@gouv.fr",
    "group: officer@gouv.fr;",
    # Names, brackets, comments, routes.
    "Officer <officer@gouv.fr>",
    "<officer@gouv.fr>",
    "officer(comment)@gouv.fr",
    "officer@gouv.fr(comment)",
    "officer@(evil.test)gouv.fr",
    "@evil.test:officer@gouv.fr",
    "officer%gouv.fr@evil.test",
    "evil.test!officer@gouv.fr",
    "mailto:officer@gouv.fr",
    # Characters that cannot be seen, or that end what a program reads.
    " officer@gouv.fr",
    "officer@gouv.fr ",
    "officer@gouv.fr\n",
    "officer@gouv.fr\r\nBcc: evil@evil.test",
    "officer\t@gouv.fr",
    "officer\x00@gouv.fr",
    "officer%00@gouv.fr",
    "officer@gouv.fr\x00.evil.test",
    "officer\x7f@gouv.fr",
    "\ufeffofficer@gouv.fr",
    "officer\u200b@gouv.fr",
    "officer@gouv\u200d.fr",
    "officer@\u202egouv.fr",
    "officer@gouv\u00ad.fr",
    "officer\u00a0@gouv.fr",
    # Letters that only look Latin.
    "\u043efficer@gouv.fr",
    "officer@g\u043euv.fr",
    "officer@gouv\uff0efr",
    "officer\uff20gouv.fr",
    "officer@gouv\u3002fr",
    "officer@\U0001d420ouv.fr",
    "officer@gouv.\u017fr",
    "officer@mini\u017ftry.example",
    "officier@ministère.example",
    "café@gouv.fr",
    # Dots.
    ".officer@gouv.fr",
    "officer.@gouv.fr",
    "off..icer@gouv.fr",
    "officer@gouv.fr.",
    "officer@.gouv.fr",
    "officer@gouv..fr",
    "officer@localhost",
    # Domains that are none.
    "officer@-gouv.fr",
    "officer@gouv-.fr",
    "officer@gouv_justice.fr",
    "officer@[192.0.2.1]",
    "officer@192.0.2.1",
    "officer@[IPv6:2001:db8::1]",
    "officer@gouv.fr:25",
    "officer@gouv.fr/path",
    "officer@ab--cd.fr",
    "officer@xn--gouv-.fr",
    "officer@xn--.fr",
    "officer@xn--99999999999.fr",
    # What an old mail program would run or take for an option.
    "|/bin/sh@gouv.fr",
    "/etc/passwd@gouv.fr",
    "`id`@gouv.fr",
    "-oQ/tmp@gouv.fr",
    "-officer@gouv.fr",
    # Too long.
    f"{'a' * 65}@gouv.fr",
    f"officer@{'a' * 64}.fr",
    f"officer@{'a' * 62}.{'b' * 62}.{'c' * 62}.{'d' * 62}.fr",
    "a@" * 200 + "gouv.fr",
]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_hostile_address_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_address(text)
    assert refusal.value.code == "invalid-address"
    assert "name@ministry.example" in str(refusal.value.sentence)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("officer@gouv.fr", "officer@gouv.fr"),
        ("Officer.Name@GOUV.fr", "Officer.Name@gouv.fr"),
        ("o'neill+cases@justice.gov.example", "o'neill+cases@justice.gov.example"),
        ("a_b-c=d@1und1.example", "a_b-c=d@1und1.example"),
        ("officer@xn--80aswg.XN--P1AI", "officer@xn--80aswg.xn--p1ai"),
        (f"{'a' * 64}@{'b' * 63}.example", f"{'a' * 64}@{'b' * 63}.example"),
    ],
)
def test_a_plain_address_is_kept_with_its_domain_in_lower_case(text: str, address: str) -> None:
    assert parse_address(text) == address


def test_addresses_that_differ_in_case_before_the_at_are_two() -> None:
    assert parse_address("Officer@gouv.fr") != parse_address("officer@gouv.fr")


@given(st.text())
def test_whatever_is_taken_is_ascii_without_spaces_and_stays_as_it_is(text: str) -> None:
    try:
        address = parse_address(text)
    except Invalid:
        return
    assert address.isascii()
    assert address.isprintable()
    assert not set(address) & set(' ,;:<>()[]"\\')
    assert address.count("@") == 1
    assert parse_address(address) == address
