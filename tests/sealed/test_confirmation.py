"""K8, K11: what a person of the secretariat signs of an authority's keys, and whose device counts."""

import pytest

from messaging.sealed.client import Mailbox, Person, make_device, make_keyring
from messaging.sealed.confirmation import confirm_leaf, document_of, note_digest, sign_confirm
from messaging.sealed.encoding import encode, sha256
from messaging.sealed.errors import Refused
from messaging.sealed.transparency import statement_value
from messaging.sealed.trust import check_confirm, check_confirms, read_confirm

NET, AT = "network.test/s1", 1_800_000_000
NOTE = {"reference": "Note verbale 7/2026", "date": "2026-03-01"}
AUTHORITY = "ab" * 16


class Desks:
    """The secretariat's keyring with devices of several persons, who all know one authority."""

    def __init__(self, *roles: tuple[str, ...]) -> None:
        first = make_keyring(NET, Person("p-0", "P 0", "S"), at=AT, roles=roles[0], kind="secretariat")
        self.principal = first.device.principal
        self.boxes = [Mailbox(NET, bytes(32), first.device)]
        self.entries: list[tuple[bytes, bytes | None]] = [(first.entry, first.envelopes)]
        self.statements = list(first.statements)
        self._learn()
        for number, given in enumerate(roles[1:], 1):
            person = Person(f"p-{number}", f"P {number}", "S")
            device = make_device(NET, self.principal, person, at=AT)
            made = self.boxes[0].make_addition([(device.statement, given)], at=AT)
            self.entries.append((made.entry, made.envelopes))
            self.statements.append(device.statement)
            self.boxes.append(Mailbox(NET, bytes(32), device))
            self._learn()
        made_authority = make_keyring(NET, Person("a", "A", "O"), at=AT)
        self.authority = made_authority.device.principal
        for box in self.boxes:
            entries = [(made_authority.entry, None)]
            box.apply_keyring(self.authority, entries, made_authority.statements, AUTHORITY)

    def _learn(self) -> None:
        for box in self.boxes:
            box.apply_keyring(
                self.principal, self.entries[box.keyring_from(self.principal) :], self.statements
            )

    def sign(self, place: int, authority: str = AUTHORITY) -> bytes:
        """Return the statement of one of them."""
        box = self.boxes[place]
        return sign_confirm(box, authority=authority, principal=self.authority, at=AT, **NOTE).statement


def code_of(work: object) -> tuple[str, str]:
    with pytest.raises(Refused) as refused:
        work()  # type: ignore[operator]
    return refused.value.rule, refused.value.code


def test_two_who_keep_the_keys_confirm_and_each_names_the_note() -> None:
    desks = Desks(("steward",), ("steward",))
    box = desks.boxes[0]
    signed = [sign_confirm(each, authority=AUTHORITY, principal=desks.authority, at=AT, **NOTE)
              for each in desks.boxes]  # fmt: skip
    raws = [each.statement for each in signed]
    found = check_confirms(NET, raws, box, principal=desks.authority, reading=False)
    assert [each.document for each in found] == [document_of(NET, each.blind, **NOTE) for each in signed]
    assert note_digest(**NOTE) == sha256(encode([NOTE["reference"], NOTE["date"]]))
    assert signed[0].blind != signed[1].blind
    assert confirm_leaf(NET, raws[0]) == statement_value(NET, sha256(raws[0]))


def test_k8_a_device_that_one_person_alone_can_let_in_confirms_nothing() -> None:
    """K6 guards who becomes a steward, not who becomes an officer."""
    desks = Desks(("steward",), ("officer",))
    assert code_of(lambda: desks.sign(1)) == ("K8", "not-confirmed")
    desks = Desks(("steward",), ("officer", "steward"))
    check_confirm(NET, desks.sign(1), desks.boxes[0], reading=False)


def test_k8_an_authority_of_another_keyring_is_not_confirmed() -> None:
    desks = Desks(("steward",), ("steward",))
    assert code_of(lambda: desks.sign(0, authority="cd" * 16)) == ("K8", "changed-principal")


def test_a_keyring_that_was_not_taken_over_is_confirmed_without_an_entry() -> None:
    desks = Desks(("steward",), ("steward",))
    assert read_confirm(NET, desks.sign(0)).head is None
