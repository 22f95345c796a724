"""K1 to K7: the chain of a principal's devices."""

import pytest

from messaging.sealed import envelopes as sealing
from messaging.sealed import keyring
from messaging.sealed.errors import Refused
from tests.sealed.breaking import assert_refused, breaks
from tests.sealed.cases.base import Case
from tests.sealed.world import NET, Party, World, add, found, make_addition, world


@breaks("K1")
def test_k1_an_entry_out_of_order_is_refused(case: Case) -> None:
    assert_refused(case)


@breaks("K2")
def test_k2_only_a_steward_writes_an_entry(case: Case) -> None:
    assert_refused(case)


@breaks("K3")
def test_k3_only_what_the_reason_names_changes(case: Case) -> None:
    assert_refused(case)


@breaks("K4")
def test_k4_envelopes_are_exactly_those_of_the_listed(case: Case) -> None:
    assert_refused(case)


@breaks("K5")
def test_k5_no_key_stands_twice(case: Case) -> None:
    assert_refused(case)


def test_k5_no_key_of_another_keyring() -> None:
    a = world().a
    link = a.links[1]
    others = {a.devices["elin"].kem_key.public}
    with pytest.raises(Refused, match="K5 reused-key"):
        keyring.accept_entry(
            NET, a.links[0].state, link.entry, link.statements, link.envelopes, is_used=others.__contains__
        )


@breaks("K6")
def test_k6_two_stewards_need_each_other(case: Case) -> None:
    assert_refused(case)


def test_k6_one_steward_acts_alone() -> None:
    party = found("alone", "lena")
    add(party, "mats", "steward")
    assert party.newest.had_two_stewards


def test_k6_an_officer_needs_no_approval() -> None:
    party = found("couple", "lena", "mats")
    add(party, "nora", "officer")
    assert party.newest.n == 1


@breaks("K9")
def test_k9_a_practitioner_has_a_sponsor(case: Case) -> None:
    assert_refused(case)


@breaks("K11")
def test_k11_a_recovery_begins_anew(case: Case) -> None:
    assert_refused(case)


@breaks("K12")
def test_k12_an_authority_succeeds_an_authority(case: Case) -> None:
    assert_refused(case)


@breaks("K7")
def test_k7_a_secret_that_is_not_the_committed_one_is_refused(case: Case) -> None:
    assert_refused(case)


def opened(party: Party, n: int, person: str) -> bytes:
    device, link = party.devices[person], party.links[n]
    envelopes = sealing.read("K4", link.envelopes)
    entry = keyring.read_entry(NET, link.entry)
    return keyring.open_generation(NET, entry, envelopes, device.id, device.kem_key)


def test_k7_every_device_opens_its_generation_and_those_before() -> None:
    party = World().a
    for person in ("nora", "olga"):
        add(party, person, "officer")
    entries = [keyring.read_entry(NET, link.entry) for link in party.links]
    for person in party.devices:
        secret = opened(party, 3, person)
        for n in (3, 2, 1):
            assert secret == party.links[n].secret
            secret = keyring.open_history(NET, entries[n], secret, entries[n - 1])
        assert secret == party.links[0].secret


def test_k7_the_recovery_kit_opens_the_newest_generation() -> None:
    party = world().a
    envelopes = sealing.read("K4", party.links[1].envelopes)
    entry = keyring.read_entry(NET, party.links[1].entry)
    kit = party.kit
    assert keyring.open_generation(NET, entry, envelopes, kit.id, kit.kem_key) == party.links[1].secret


def test_a_server_needs_no_memory_of_used_keys() -> None:
    party = found("columns", "lena")
    state = party.newest
    device, made = make_addition(party, "mats", "officer")
    rebuilt = keyring.KeyringState(
        state.principal, state.kind, state.n, state.head, state.devices, state.recovery, state.mailbox,
        state.commit, state.floor, had_two_stewards=state.had_two_stewards,
    )  # fmt: skip
    after = keyring.accept_entry(NET, rebuilt, made.entry, [device.statement], made.envelopes)
    assert after.n == 1
    assert [row.person for row in after.devices if row.id == device.id] == ["person-mats"]
