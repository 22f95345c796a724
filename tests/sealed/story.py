"""A keyring that lived through everything: every reason of an entry, with the approvals it needs.

Lena (all roles) begins alone and lists Mats (steward), then Nora (officer). Nora becomes a supervisor, which
Mats approves. Everything is rotated; Nora is removed; the recovery key is replaced, which Mats approves. Lena
removes Mats alone, so that only the recovery key approves Olga as steward. The kit takes over for Rosa, which
Olga approves; Rosa repairs. In ``TAKEN`` the kit takes over and nobody approves.
"""

from collections.abc import Collection, Mapping, Sequence

from messaging.sealed import keyring
from messaging.sealed.approval import make_approval
from messaging.sealed.client import Device
from messaging.sealed.encoding import sha256
from messaging.sealed.keyring import Author, Change, Held, KeyringState
from messaging.sealed.keys import RecoveryKit
from messaging.sealed.places import By
from messaging.sealed.sponsor import make_sponsor, make_sponsor_end
from tests.sealed.world import NET, START, Link, Party, found, make_device, newest_keyrings, seed


def kit_of(label: str) -> RecoveryKit:
    """The recovery kit that this label names."""
    return RecoveryKit(NET, seed(f"{label} kit"))


def by_of(state: KeyringState) -> By:
    return By(state.principal, state.n, state.head)


def approve(
    state: KeyringState, change: Change, signer: Device | RecoveryKit, *, by: By | None = None, at: int = 0
) -> bytes:
    """An approval of a device of this keyring, or of its kit."""
    is_kit = isinstance(signer, RecoveryKit)
    return make_approval(
        NET,
        by=None if is_kit else by or by_of(state),
        author=signer.id,
        key=signer.signing_key,
        on=state.head,
        change=change.hash(NET, state.principal, state.head),
        at=at or START + 200,
    )


def make(
    party: Party,
    change: Change,
    author: Device | RecoveryKit,
    *,
    added: Mapping[str, Device] | None = None,
    acts: Collection[bytes] = (),
    state: KeyringState | None = None,
    held: Held | None = None,
    at: int = START + 300,
) -> keyring.MadeEntry:
    """The next entry of a keyring, not yet accepted; by any author, with any acts."""
    before = party.newest if state is None else state
    secret = party.links[before.n].secret
    return keyring.make_entry(
        NET,
        before,
        change,
        Author(author.id, author.signing_key, at),
        held or Held(before.n, secret),
        [keyring.read_device(NET, device.statement) for device in (added or {}).values()],
        acts,
        randomness=seed(f"{party.label} {before.n + 1} {change.reason}"),
    )


def grow(
    party: Party,
    change: Change,
    author: Device | RecoveryKit,
    *,
    added: Mapping[str, Device] | None = None,
    acts: Collection[bytes] = (),
    kit: RecoveryKit | None = None,
    keyrings: Sequence[KeyringState] = (),
) -> None:
    """Make the next entry and accept it; ``kit`` is the new one where the recovery key changes."""
    made = make(party, change, author, added=added, acts=acts)
    statements = tuple(device.statement for device in (added or {}).values())
    state = keyring.accept_entry(
        NET, party.newest, made.entry, statements, made.envelopes, keyrings=newest_keyrings(*keyrings)
    )
    party.devices |= added or {}
    party.links.append(Link(made.entry, made.envelopes, statements, made.secret, state, kit))


def tell() -> Party:
    """The whole story."""
    party = found("story", "lena")
    lena = party.devices["lena"]
    mats, nora, olga, rosa = (
        make_device(name, principal=party.principal) for name in ("mats", "nora", "olga", "rosa")
    )
    grow(party, keyring.addition(party.newest, [(mats.id, ["steward"])]), lena, added={"mats": mats})
    grow(party, keyring.addition(party.newest, [(nora.id, ["officer"])]), lena, added={"nora": nora})
    change = keyring.role_change(party.newest, {nora.id: ["officer", "supervisor"]})
    grow(party, change, lena, acts=[approve(party.newest, change, mats)])
    grow(party, keyring.rotation(party.newest), mats)
    grow(party, keyring.removal(party.newest, [nora.id]), lena)
    kit = kit_of("story second")
    change = keyring.recovery_change(party.newest, kit.public)
    grow(party, change, lena, acts=[approve(party.newest, change, mats)], kit=kit)
    grow(party, keyring.removal(party.newest, [mats.id]), lena)
    change = keyring.addition(party.newest, [(olga.id, ["officer", "steward"])])
    grow(party, change, lena, added={"olga": olga}, acts=[approve(party.newest, change, kit)])
    last = kit_of("story third")
    roles = ["officer", "steward", "supervisor"]
    change = keyring.recovery_by_kit(party.newest, [(rosa.id, roles)], last.public)
    approval = approve(party.newest, change, olga)
    grow(party, change, kit, added={"rosa": rosa}, acts=[approval], kit=last)
    grow(party, keyring.rotation(party.newest, "repair"), rosa)
    return party


def take_over() -> Party:
    """A keyring that its kit took over without anybody's approval."""
    party = found("taken", "tove")
    uma, kit = make_device("uma", principal=party.principal), kit_of("taken second")
    change = keyring.recovery_by_kit(party.newest, [(uma.id, ["officer", "steward"])], kit.public)
    grow(party, change, party.kit, added={"uma": uma}, kit=kit)
    return party


def sponsor(answering: Party) -> tuple[Party, bytes]:
    """A practitioner for whom an authority answers, and the statement; the authority does not list it yet."""
    label, person = "practitioner", "vera"
    party = Party(label, "practitioner")
    device = make_device(person, salt=party.salt)
    signer = next(iter(answering.devices.values()))
    statement = make_sponsor(
        NET,
        by=answering.by(),
        person=f"person-{person}",
        office="Prosecution Service",
        device=device.id,
        begins=START,
        until=START + 300 * 86_400,
        author=signer.id,
        key=signer.signing_key,
        at=START,
    )
    made = keyring.make_genesis(
        NET,
        kind="practitioner",
        salt=party.salt,
        devices=[(keyring.read_device(NET, device.statement), ["officer", "steward"])],
        recovery=None,
        author=device.id,
        key=device.signing_key,
        at=START + 1,
        randomness=seed(f"{label} genesis"),
        sponsor=statement,
    )
    state = keyring.accept_entry(
        NET, None, made.entry, [device.statement], made.envelopes, keyrings=newest_keyrings(answering.newest)
    )
    party.devices[person] = device
    party.links.append(Link(made.entry, made.envelopes, (device.statement,), made.secret, state))
    return party, statement


def end_of(answering: Party, practitioner: bytes, statement: bytes) -> bytes:
    """The authority's supervisor answers for the practitioner no more."""
    signer = next(iter(answering.devices.values()))
    return make_sponsor_end(
        NET,
        by=answering.by(),
        practitioner=practitioner,
        of=sha256(statement),
        author=signer.id,
        key=signer.signing_key,
        at=START + 400,
    )


def succeed(before: Party) -> Party:
    """An authority that begins anew in the place of another principal."""
    party = Party("successor")
    device = make_device("wim", salt=party.salt)
    made = keyring.make_genesis(
        NET,
        kind="authority",
        salt=party.salt,
        devices=[(keyring.read_device(NET, device.statement), ["officer", "steward", "supervisor"])],
        recovery=party.kit.public,
        author=device.id,
        key=device.signing_key,
        at=START + 500,
        randomness=seed("successor genesis"),
        succeeds=before.principal,
    )
    state = keyring.accept_entry(NET, None, made.entry, [device.statement], made.envelopes)
    party.devices["wim"] = device
    party.links.append(Link(made.entry, made.envelopes, (device.statement,), made.secret, state))
    return party


STORY = tell()
TAKEN = take_over()
ANSWERING = found("answering", "xena")
PRACTITIONER, SPONSORING = sponsor(ANSWERING)
grow(
    ANSWERING,
    keyring.sponsoring(ANSWERING.newest, {PRACTITIONER.principal: SPONSORING}),
    ANSWERING.devices["xena"],
)
SUCCESSOR = succeed(TAKEN)
STORIES = [STORY, TAKEN, ANSWERING, PRACTITIONER, SUCCESSOR]
