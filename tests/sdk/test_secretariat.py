"""The secretariat confirms keys: two devices of two officers, each from the State's note (K8, K11, L1)."""

from dataclasses import replace
from datetime import date

import pytest

from messaging.demo.secretariat import NOTIFIED_ON, officers
from messaging.sdk.client import Client
from messaging.sdk.device_file import from_base64
from messaging.sdk.errors import Distrusted, ServerRefused
from messaging.sdk.facts import Authority
from messaging.sealed.confirmation import confirm_leaf, document_of
from messaging.sealed.keys import fingerprint_digits
from messaging.sealed.transparency import log_label, read_leaf
from messaging.sealed.trust import check_confirms, read_confirm
from network.demo import SECRETARIAT
from tests.sdk.conftest import HEAD_A, HEAD_B, Desks
from tests.secretariat import folder_of

THIRD = SECRETARIAT.persons[2]


def of(client: Client) -> Authority:
    """Return the client's own authority, as the directory has it."""
    return replace(client.session.authority, principal=client.principal)


def digits_of(client: Client) -> str:
    """Return the digits as they stand in the note of the client's State."""
    return fingerprint_digits(bytes.fromhex(client.principal or ""))


async def confirm(officer: Client, of_whom: Client, *, reference: str = "Note 7/2026") -> bool:
    """Let an officer confirm the keys of an authority by a note; returns whether they are confirmed now."""
    return await officer.secretariat.confirm(
        of(of_whom), digits_of(of_whom), reference=reference, notified_on=date(2026, 3, 1)
    )


async def confirms_of(client: Client, principal: str | None) -> dict[str, object]:
    """Return what the server gives with a keyring."""
    found = await client.http.get(f"/api/keyrings/{principal}", **{"from": 2**52})
    return {"confirms": [from_base64(raw) for raw in found["confirms"]], "note": found["note"]}


async def test_two_officers_confirm_and_every_member_reads_it(desks: Desks) -> None:
    a, b = [await desks.with_keyring(head, confirmed=False) for head in (HEAD_A, HEAD_B)]
    assert (await confirms_of(b, a.principal)) == {"confirms": [], "note": None}
    async with officers(desks.server.origin, folder_of(desks.server)) as pair:
        assert not await confirm(pair.first, a)
        assert not await confirm(pair.first, a)  # asked again
        assert not await pair.first.secretariat.is_confirmed(of(a))
        assert (await confirms_of(b, a.principal))["confirms"] == []
        assert await confirm(pair.second, a)
        assert await pair.second.secretariat.is_confirmed(of(a))
        secretariat = pair.first.principal or ""
        person = {pair.first.session.person, pair.second.session.person}
    session = await b.http.get("/api/session")
    assert session["secretariat"] == secretariat
    found = await confirms_of(b, a.principal)
    await b._core.load_keyrings([bytes.fromhex(secretariat), bytes.fromhex(a.principal or "")])
    box, raws, note = b.mailbox, found["confirms"], found["note"]
    assert isinstance(raws, list)
    assert isinstance(note, dict)
    said = check_confirms(box.net, raws, box, principal=bytes.fromhex(a.principal or ""), reading=True)
    assert {each.authority for each in said} == {a.session.authority.id}
    assert [each.head for each in said] == [None, None]
    for each, blind in zip(said, note["blinds"], strict=True):
        opened = document_of(box.net, from_base64(blind), note["reference"], note["date"])
        assert each.document == opened
    assert len(person) == 2


async def test_each_statement_stands_in_the_log(desks: Desks) -> None:
    a = await desks.with_keyring(HEAD_A)
    async with officers(desks.server.origin, folder_of(desks.server)) as pair:
        await pair.confirm_all()
    found = await confirms_of(a, a.principal)
    page = await a.http.get("/api/log", **{"from": 0})
    leaves = [read_leaf(from_base64(raw)) for raw in page["leaves"]]
    label = log_label(from_base64(page["label_key"]), "confirm", a.session.authority.id.encode())
    values = [leaf.value for leaf in leaves if leaf.type == "confirm" and leaf.label == label]
    raws = found["confirms"]
    assert isinstance(raws, list)
    assert values == [confirm_leaf(a.session.net, raw) for raw in raws]
    await a._core.log.follow()  # several leaves under one label are no contradiction (L3)
    assert a._core.log.evidence == ()


async def test_digits_of_a_note_that_are_not_those_of_the_keyring_are_not_signed(desks: Desks) -> None:
    a, b = await desks.with_keyring(HEAD_A), await desks.with_keyring(HEAD_B)
    async with officers(desks.server.origin, folder_of(desks.server)) as pair:
        with pytest.raises(Distrusted):
            await pair.first.secretariat.confirm(
                of(a), digits_of(b), reference="Note 7/2026", notified_on=NOTIFIED_ON
            )


async def test_an_officer_who_read_another_note_confirms_nothing(desks: Desks) -> None:
    a = await desks.with_keyring(HEAD_A, confirmed=False)
    async with officers(desks.server.origin, folder_of(desks.server)) as pair:
        await confirm(pair.first, a, reference="One")
        with pytest.raises(ServerRefused) as refused:
            await confirm(pair.second, a, reference="Other")
        assert refused.value.code == "other-notification"
        assert not await pair.second.secretariat.is_confirmed(of(a))


async def test_after_a_recovery_by_the_kit_alone_it_is_confirmed_anew_by_its_entry(desks: Desks) -> None:
    """K11: what was confirmed before does not count for keys that somebody took over."""
    a = await desks.open(HEAD_A)
    kit = await a.create_keyring()
    a.kit_is_safe()
    async with officers(desks.server.origin, folder_of(desks.server)) as pair:
        await pair.confirm_all()
        assert await pair.first.secretariat.is_confirmed(of(a))
        again = await Desks(desks.server, desks.folder / "again", desks.stack).open(HEAD_A)
        await again.keys.recover(kit)
        again.kit_is_safe()
        assert not await pair.first.secretariat.is_confirmed(of(again))
        await pair.confirm_all()
        assert await pair.first.secretariat.is_confirmed(of(again))
    found = await confirms_of(again, again.principal)
    raws, entry = found["confirms"], again.mailbox.rings[bytes.fromhex(again.principal or "")].states[1]
    assert isinstance(raws, list)
    assert {read_confirm(a.session.net, raw).head for raw in raws} == {entry.head}
