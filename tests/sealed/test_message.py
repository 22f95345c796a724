"""M1 to M5 and M7: messages, and what a reader does with them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from messaging.sealed import message
from messaging.sealed.consent import Admission
from messaging.sealed.errors import Refused
from messaging.sealed.keyring import NewestKeyrings
from messaging.sealed.keys import SigningKey
from messaging.sealed.message import (
    CIPHERTEXT_SIZES,
    LAST_DUE,
    About,
    Acknowledgement,
    Message,
    Note,
    Plaintext,
)
from messaging.sealed.plaintext import Enclosure
from messaging.sealed.stages import ABOUT
from messaging.sealed.thread import ThreadState
from tests.sealed.breaking import assert_refused, breaks
from tests.sealed.cases.base import Case
from tests.sealed.changes import joined, succeeded
from tests.sealed.world import NET, START, forge, payload_of, seal, seed, tampered, world


@breaks("M1")
def test_m1_only_a_listed_device_of_a_member_writes(case: Case) -> None:
    assert_refused(case)


def test_m1_a_principal_does_not_go_back_to_an_older_entry() -> None:
    state = replace(world().server.states[3], by_n={world().a.principal: 2})
    with pytest.raises(Refused, match="M1 author-keyring-fell"):
        take(state, world().server.items[4].item)


@breaks("M2")
def test_m2_an_id_is_new_for_ever(case: Case) -> None:
    assert_refused(case)


@breaks("M3")
def test_m3_the_ciphertext_is_the_signed_one(case: Case) -> None:
    assert_refused(case)


@breaks("M4")
def test_m4_a_device_counts_its_messages(case: Case) -> None:
    assert_refused(case)


def take(
    state: ThreadState, item: bytes, *, reading: bool = False, signed_by: bytes | None = None
) -> tuple[ThreadState, Message]:
    """Elin's note, forged or not, after the refresh."""
    server = world().server
    return message.accept_message(
        NET,
        state,
        world().keyrings(),
        item,
        server.items[4].ciphertext or b"",
        is_known=lambda _: False,
        transcript_at=server.transcript_at,
        reading=reading,
        signed_by=signed_by,
    )


def test_m4_a_reader_is_shown_a_gap() -> None:
    made = world()
    state = made.server.states[3]
    raw = made.server.items[4].item
    _, gap = take(state, forge(raw, made.elin, counter=3), reading=True)
    assert gap.marks == ("counter-gap",)
    _, odd = take(state, forge(raw, made.elin, prev=seed("x")), reading=True)
    assert odd.marks == ("wrong-previous",)
    message_id = payload_of(raw)["id"]
    _, late = take(replace(state, voided=frozenset({message_id})), raw, reading=True)
    assert late.marks == ("never-delivered",)


def test_m4_a_refused_message_is_named_in_the_next() -> None:
    made = world()
    state = made.server.states[3]
    void = [seed("refused")[:16]]
    after, accepted = take(
        state, forge(made.server.items[4].item, made.elin, counter=1, void=void, prev=seed("x"))
    )
    assert accepted.marks == ()
    assert after.voided == set(void)


def test_t4_nothing_is_accepted_while_a_member_is_below_its_floor() -> None:
    made = world()
    keyrings = made.keyrings()
    raised = replace(made.b.newest, floor=1)
    item = made.server.items[4]
    with pytest.raises(Refused, match="T4 stale-epoch"):
        message.accept_message(
            NET,
            made.server.states[3],
            NewestKeyrings({**keyrings.states, raised.principal: raised}),
            item.item,
            item.ciphertext or b"",
            is_known=lambda _: False,
            transcript_at=made.server.transcript_at,
        )


@breaks("M5")
def test_m5_the_body_is_what_the_header_says(case: Case) -> None:
    assert_refused(case)


UNREADABLE = [
    Plaintext(Note("x"), "en", subject="s" * 201),
    Plaintext(Note("x"), "en", own_reference="s" * 101),
    Plaintext(Note("x"), "en", foreign_reference="s" * 101),
    Plaintext(Note("x"), "x" * 36),
    Plaintext(Acknowledgement(bytes(15), 2), "en"),
    Plaintext(Note("x", urgency=1), "en"),
    Plaintext(Note("x", due=START), "en"),
    Plaintext(Note("x", reason="custody ends"), "en"),
    Plaintext(Note("x", urgency=2, reason=""), "en"),
    Plaintext(Note("x", urgency=2, reason="s" * 201), "en"),
    Plaintext(Note("x", about=About(bytes(16), 2, "title")), "en"),
    Plaintext(Note("x", about=About(bytes(15), 2, "summary")), "en"),
    Plaintext(Note("x", moment=0), "en"),
    Plaintext(Note("x", moment=LAST_DUE + 1), "en"),
]


@pytest.mark.parametrize("plaintext", UNREADABLE)
def test_m5_nothing_is_sealed_that_a_reader_would_refuse(plaintext: Plaintext) -> None:
    made = world()
    with pytest.raises(Refused, match="M5 wrong-body"):
        message.check_plaintext(plaintext)
    with pytest.raises(Refused, match="M5 wrong-body"):
        seal(made.server.states[3], made.server.secrets[1], made.a.by(), made.elin, plaintext)


@pytest.mark.parametrize("part", ABOUT)
def test_m5_a_note_comes_back_with_what_it_is_about(part: str) -> None:
    made = world()
    plaintext = Plaintext(Note("Which day?", about=About(bytes(range(16)), 2, part)), "en")
    secret = made.server.secrets[1]
    sealed = seal(made.server.states[3], secret, made.a.by(), made.elin, plaintext)
    header = message.read_message(NET, sealed.item)
    assert message.open_message(NET, header, sealed.ciphertext, secret) == plaintext


@pytest.mark.parametrize("handling", [(3, None), (1, 0), (1, LAST_DUE + 1)])
def test_m3_nothing_is_sealed_with_an_unknown_urgency_or_date(handling: tuple[int, int | None]) -> None:
    made = world()
    plaintext = Plaintext(Note("x", *handling, "custody ends"), "en")
    with pytest.raises(Refused, match="M3 unknown-field-value"):
        seal(made.server.states[3], made.server.secrets[1], made.a.by(), made.elin, plaintext)


@pytest.mark.parametrize("handling", [(1, None), (2, START), (0, LAST_DUE)])
def test_m5_urgency_and_date_come_back_with_their_reason(handling: tuple[int, int | None]) -> None:
    made = world()
    plaintext = Plaintext(Note("x", *handling, "custody ends"), "en")
    secret = made.server.secrets[1]
    sealed = seal(made.server.states[3], secret, made.a.by(), made.elin, plaintext)
    header = message.read_message(NET, sealed.item)
    assert (header.urgency, header.due) == handling
    assert message.open_message(NET, header, sealed.ciphertext, secret) == plaintext


@pytest.mark.parametrize("moment", [1, LAST_DUE])
def test_m5_a_moment_to_act_together_comes_back_and_no_header_tells_it(moment: int) -> None:
    made = world()
    plaintext = Plaintext(Note("x", moment=moment), "en")
    secret = made.server.secrets[1]
    sealed = seal(made.server.states[3], secret, made.a.by(), made.elin, plaintext)
    header = message.read_message(NET, sealed.item)
    assert header.due is None
    assert message.open_message(NET, header, sealed.ciphertext, secret) == plaintext


def test_m5_a_consent_says_why_in_words_and_no_other_statement_does() -> None:
    made, here = world(), joined()
    consent = here.consent(made.b, made.femi, Admission(made.c.principal, "party"))
    for fitting in (Enclosure(consent), Enclosure(consent, text="C knows the case.")):
        assert message.check_plaintext(Plaintext(fitting, "en"))
    accept = succeeded().accept()
    wrong = [
        Enclosure(consent, text=""),
        Enclosure(consent, bytes(32), "Why."),
        Enclosure(accept, text="Why."),
    ]
    for body in wrong:
        with pytest.raises(Refused, match="M5 wrong-body"):
            message.check_plaintext(Plaintext(body, "en"))


def test_m3_a_signature_verified_before_is_believed_for_the_author_s_key_only() -> None:
    made = world()
    state, item = made.server.states[3], tampered(made.server.items[4].item)
    _, accepted = take(state, item, signed_by=made.elin.signing_key.public)
    assert accepted.device == made.elin.id
    for other in (None, made.dara.signing_key.public, SigningKey(seed("x")).public):
        with pytest.raises(Refused, match="E2 bad-signature"):
            take(state, item, signed_by=other)


@breaks("M7")
def test_m7_the_author_saw_this_transcript(case: Case) -> None:
    assert_refused(case)


@given(some.text(max_size=9000), some.none() | some.text(max_size=200))
def test_m3_every_text_is_padded_to_one_of_the_sizes_and_comes_back(text: str, subject: str | None) -> None:
    made = world()
    plaintext = Plaintext(Note(text), "en", subject=subject)
    state, secret = made.server.states[3], made.server.secrets[1]
    sealed = seal(state, secret, made.a.by(), made.elin, plaintext)
    assert len(sealed.ciphertext) in CIPHERTEXT_SIZES
    header = message.read_message(NET, sealed.item)
    assert message.open_message(NET, header, sealed.ciphertext, secret) == plaintext


@pytest.mark.parametrize("size", [0, 1, 463, 464, 40911])
def test_m3_padding_is_the_smallest_that_fits(size: int) -> None:
    padded = message.pad(b"x" * size)
    assert len(padded) + 48 == next(given for given in CIPHERTEXT_SIZES if given - 48 > size)


def test_m3_a_longer_text_is_refused() -> None:
    with pytest.raises(Refused, match="M3 bad-size"):
        message.pad(b"x" * 40912)
