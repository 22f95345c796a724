"""Lies about keyrings, told with the help of their own stewards, under a log that agrees with them."""

from collections.abc import Callable, Collection, Sequence
from time import time
from typing import Any

from messaging.sealed import envelopes as sealing
from messaging.sealed import keyring
from messaging.sealed.approval import make_approval
from messaging.sealed.client import Device, Mailbox, Person, make_device, make_keyring
from messaging.sealed.device import make_device_statement, read_device
from messaging.sealed.encoding import Encodable, context_hash, decode, encode, sha256
from messaging.sealed.keyring import Author, Change, Held, MadeEntry
from messaging.sealed.keys import RecoveryKit, SigningKey
from messaging.sealed.places import By
from messaging.sealed.transparency import Leaf, log_label, read_leaf
from tests.lying.lies import Attempt, Facts, flipped, for_path, resigned, rewritten
from tests.lying.server import Altered, LogLie
from tests.lying.thread import data, payload_of, text

DAY = 86_400
NOBODY = Person("0", "ghost", "none")
WEAK_KEY = bytes([1]) + bytes(31)
"""A public key of small order: this signature holds under it for every text (E7)."""
WEAK_SIGNATURE = WEAK_KEY + bytes(32)
BAD_MAILBOX = b"\xff" * 1216
"""A KEM key with coefficients beyond q (E7)."""

Made = Callable[[Facts], tuple[MadeEntry, Sequence[Device]]]


def now() -> int:
    return int(time())


def next_entry(
    box: Mailbox,
    n: int,
    change: Change,
    *,
    added: Sequence[Device] = (),
    acts: Collection[bytes] = (),
    held: Held | None = None,
    author: Device | RecoveryKit | None = None,
) -> MadeEntry:
    """The entry after n of a steward's own keyring, whatever others would say of it."""
    ring, signer = box.rings[box.principal], author or box.device
    return keyring.make_entry(
        box.net,
        ring.states[n],
        change,
        Author(signer.id, signer.signing_key, now()),
        held or Held(n, ring.secrets[n]),
        [read_device(box.net, device.statement) for device in added],
        acts,
    )


def signed_again(made: MadeEntry, box: Mailbox, blob: bytes | None = None, **fields: Encodable) -> MadeEntry:
    """The entry with other fields or envelopes, signed for them by the steward."""
    if blob is not None:
        rows: list[Encodable] = [[recipient, sealed] for recipient, sealed in sealing.read("K4", blob)]
        fields["sealed"] = context_hash(box.net, "envelopes", rows)
    device = box.device
    (row,) = resigned([{"item": text(made.entry)}], 1, device.signing_key, device=device.id, **fields)
    return MadeEntry(data(row["item"]), made.envelopes if blob is None else blob, made.secret)


# --- how an entry is told


def n_of(made: MadeEntry) -> int:
    return payload_of({"item": text(made.entry)}).uint("n")


def told(made: MadeEntry, statements: Sequence[bytes] = (), *, own: bool = False) -> Altered:
    """Give this entry as the newest of a keyring, in the place of what stands there."""
    n, principal = n_of(made), payload_of({"item": text(made.entry)}).data("principal")
    row = {"n": n, "entry": text(made.entry), "envelopes": text(made.envelopes) if own else None}

    def change(body: Any) -> Any:
        entries = [*(one for one in body["entries"] if one["n"] < n), row]
        return {**body, "entries": entries, "statements": [*body["statements"], *map(text, statements)]}

    return for_path(f"/api/keyrings/{principal.hex()}", change)


def logged(box: Mailbox, principal: bytes, made: MadeEntry) -> LogLie:
    """Tell a log in which this entry is the newest of the keyring, and was so all the time."""
    assert box.log is not None
    label = log_label(box.log.label_key, "keyring", principal)
    n, size = n_of(made), box.log.tree.size
    leaf = Leaf("keyring", label, n, sha256(made.entry)).encode()

    def lie(leaves: list[bytes]) -> list[bytes]:
        found = [place for place, raw in enumerate(leaves) if _is_at(raw, label, n)]
        told = list(leaves)
        for place in found:
            told[place] = leaf
        # At one place for good: the honest log may grow meanwhile.
        return told if found else [*told[:size], leaf, *told[size:]]

    return lie


def _is_at(raw: bytes, label: bytes, n: int) -> bool:
    leaf = read_leaf(raw)
    return (leaf.type, leaf.label, leaf.n) == ("keyring", label, n)


def of_state_a(name: str, says: str, make: Made) -> Attempt:
    """State A's keyring ends with what its head has made with the operator, and so it stands in the log."""
    cache: dict[int, tuple[MadeEntry, Sequence[Device]]] = {}

    def made(facts: Facts) -> tuple[MadeEntry, Sequence[Device]]:
        return cache.setdefault(id(facts), make(facts))

    def answers(facts: Facts) -> Altered:
        entry, added = made(facts)
        statements = [device.statement for device in added]
        return told(entry, statements)

    def log(facts: Facts) -> LogLie:
        head = facts.conspirators.head
        return logged(head, head.principal, made(facts)[0])

    return Attempt(name, says, answers=answers, log=log)


# --- approvals (K6): the head lists a supervisor who does not exist; the second steward approves something


def raised(approve: Callable[[Facts, Change], Sequence[bytes]]) -> Made:
    def make(facts: Facts) -> tuple[MadeEntry, list[Device]]:
        head = facts.conspirators.head
        ghost = make_device(head.net, head.principal, NOBODY, at=now())
        roles = ["officer", "steward", "supervisor"]
        change = keyring.addition(head.rings[head.principal].states[1], [(ghost.id, roles)])
        return next_entry(head, 1, change, added=[ghost], acts=approve(facts, change)), [ghost]

    return make


def approval(
    facts: Facts,
    change: Change,
    *,
    of: Mailbox | None = None,
    key: SigningKey | None = None,
    n: int = 1,
    at: int | None = None,
) -> list[bytes]:
    """An approval by the steward who was removed since, when he still was one."""
    head, signer = facts.conspirators.head, of or facts.conspirators.removed
    state = head.rings[head.principal].states[n]
    return [
        make_approval(
            head.net,
            by=By(state.principal, state.n, state.head),
            author=signer.device.id,
            key=key or signer.device.signing_key,
            on=state.head,
            change=change.hash(head.net, state.principal, state.head),
            at=at or now(),
        )
    ]


def no_approval(_: Facts, __: Change) -> list[bytes]:
    return []


def forged_approval(facts: Facts, change: Change) -> list[bytes]:
    return approval(facts, change, key=SigningKey.generate())


def expired_approval(facts: Facts, change: Change) -> list[bytes]:
    return approval(facts, change, at=now() - 3 * DAY)


def approval_of_another_change(facts: Facts, _: Change) -> list[bytes]:
    head = facts.conspirators.head
    return approval(facts, keyring.rotation(head.rings[head.principal].states[1]))


def spent_approval(facts: Facts, change: Change) -> list[bytes]:
    """Given for the entry before, as it stood there."""
    return approval(facts, change, n=0)


def own_approval(facts: Facts, change: Change) -> list[bytes]:
    return approval(facts, change, of=facts.conspirators.head)


# --- other entries of State A


def of_the_head(make: Callable[[Mailbox], MadeEntry]) -> Made:
    return lambda facts: (make(facts.conspirators.head), [])


def rotated(box: Mailbox, n: int = 2) -> MadeEntry:
    return next_entry(box, n, keyring.rotation(box.rings[box.principal].states[n]))


def floor_not_raised(box: Mailbox) -> MadeEntry:
    return signed_again(rotated(box), box, floor=0)


def bad_mailbox(box: Mailbox) -> MadeEntry:
    return signed_again(rotated(box), box, mailbox=BAD_MAILBOX)


def old_mailbox(box: Mailbox) -> MadeEntry:
    """The mailbox of the entry before, whose secret the removed steward has."""
    return signed_again(rotated(box), box, mailbox=box.rings[box.principal].states[1].mailbox)


def weak_device(facts: Facts) -> tuple[MadeEntry, list[Device]]:
    """A device whose key of small order lets anybody sign for it."""
    head = facts.conspirators.head
    other = make_device(head.net, head.principal, NOBODY, at=now())
    statement = make_device_statement(
        head.net,
        principal=head.principal,
        salt=None,
        person=NOBODY.person,
        name=NOBODY.name,
        office=NOBODY.office,
        signing_key=other.signing_key,
        kem_public=other.kem_key.public,
        at=now(),
    )
    (row,) = rewritten([{"item": text(statement)}], 1, sig=WEAK_KEY)
    parts = decode(data(row["item"]))
    assert isinstance(parts, list)
    raw = encode([*parts[:3], WEAK_SIGNATURE])
    weak = Device(head.principal, raw, other.signing_key, other.kem_key)
    state = head.rings[head.principal].states[2]
    made = next_entry(head, 2, keyring.addition(state, [(other.id, ["officer"])]), added=[other])
    rows = sorted((weak.id if device == other.id else device, list(roles)) for device, roles in _listed(made))
    boxes = [(weak.id if one == other.id else one, box) for one, box in sealing.read("K4", made.envelopes)]
    blob = encode([[one, box] for one, box in sorted(boxes)])
    return signed_again(made, head, blob, devices=[[device, roles] for device, roles in rows]), [weak]


def _listed(made: MadeEntry) -> list[tuple[bytes, list[str]]]:
    rows: Any = payload_of({"item": text(made.entry)}).items("devices")
    return [(device, roles) for device, roles in rows]


def fork_of_the_removed(facts: Facts) -> tuple[MadeEntry, list[Device]]:
    """In the place of its removal, the removed steward rotates the keys."""
    removed = facts.conspirators.removed
    return rotated(removed, 1), []


def by_a_stolen_kit(facts: Facts) -> tuple[MadeEntry, list[Device]]:
    """Whoever found State A's kit takes the keyring over, and no steward approves."""
    head = facts.conspirators.head
    thief = make_device(head.net, head.principal, NOBODY, at=now())
    kit, other = RecoveryKit.parse(head.net, facts.conspirators.kit), RecoveryKit.generate(head.net)
    roles = ["officer", "steward", "supervisor"]
    change = keyring.recovery_by_kit(head.rings[head.principal].states[2], [(thief.id, roles)], other.public)
    return next_entry(head, 2, change, added=[thief], author=kit), [thief]


def withheld_removal(facts: Facts) -> Altered:
    """The keyring as it was before the steward was removed."""

    def change(body: Any) -> Any:
        return {**body, "entries": [row for row in body["entries"] if row["n"] < 2]}

    return for_path(f"/api/keyrings/{facts.principal_a}", change)


# --- an authority that is the operator's own (K8)


class Ghost:
    """A keyring without fault, made by the operator for State C's name, and in the log."""

    def __init__(self, facts: Facts) -> None:
        self.new = make_keyring(facts.net, NOBODY, at=now())
        self.principal = self.new.device.principal

    def keyring(self, facts: Facts, confirms: Sequence[bytes] = ()) -> dict[str, Any]:
        row = {"n": 0, "entry": text(self.new.entry), "envelopes": None}
        return {
            "principal": self.principal.hex(),
            "authority": {
                "id": facts.authority_c,
                "name": "Authority",
                "state": "XCC",
                "state_name": "State C",
            },
            "entries": [row],
            "statements": list(map(text, self.new.statements)),
            "confirms": list(map(text, confirms)),
            "note": None,
        }


def ghost_authority(name: str, *, confirmed: bool) -> Attempt:
    """State C's name stands for the operator's keys; at most with the confirms of State A's."""
    cache: dict[int, Ghost] = {}

    def ghost(facts: Facts) -> Ghost:
        return cache.setdefault(id(facts), Ghost(facts))

    def invents(facts: Facts) -> dict[str, Any]:
        head = facts.conspirators.head
        trust = facts.conspirators.house.trust
        confirms = trust.confirms.get(head.principal, ()) if trust and confirmed else ()
        found = ghost(facts)
        return {f"/api/keyrings/{found.principal.hex()}": found.keyring(facts, confirms)}

    def answers(facts: Facts) -> Altered:
        def change(body: Any) -> Any:
            for row in body["authorities"]:
                if row["id"] == facts.authority_c:
                    row["principal"] = ghost(facts).principal.hex()
            return body

        return for_path("/api/authorities", change)

    def log(facts: Facts) -> LogLie:
        found = ghost(facts)
        made = MadeEntry(found.new.entry, found.new.envelopes, b"")
        return logged(facts.conspirators.head, found.principal, made)

    return Attempt(
        name, "K8", answers=answers, log=log, invents=invents, written_to=lambda facts: facts.authority_c
    )


# --- the reader's own keyring, one of whose stewards lies


def own(name: str, says: str, make: Callable[[Mailbox], MadeEntry], **more: Any) -> Attempt:
    cache: dict[int, MadeEntry] = {}

    def made(facts: Facts) -> MadeEntry:
        return cache.setdefault(id(facts), make(facts.conspirators.house))

    def answers(facts: Facts) -> Altered:
        return told(made(facts), own=True)

    def log(facts: Facts) -> LogLie:
        house = facts.conspirators.house
        return logged(house, house.principal, made(facts))

    return Attempt(name, says, answers=answers, log=log, **more)


def last_of(box: Mailbox) -> int:
    return box.rings[box.principal].states[-1].n


def wrong_history(box: Mailbox) -> MadeEntry:
    n = last_of(box)
    return next_entry(box, n, keyring.rotation(box.rings[box.principal].states[n]), held=Held(n, bytes(32)))


def other_mailbox(box: Mailbox) -> MadeEntry:
    """The mailbox is not the one of the secret that the devices are given."""
    ghost = make_keyring(box.net, NOBODY, at=now())
    mailbox = payload_of({"item": text(ghost.entry)}).data("mailbox", 1216)
    return signed_again(rotated(box, last_of(box)), box, mailbox=mailbox)


def garbage_for(recovery: bool) -> Callable[[Mailbox], MadeEntry]:
    """The envelopes of the devices, or of the recovery key, are signed for and open to nothing."""

    def make(box: Mailbox) -> MadeEntry:
        made, kept = rotated(box, last_of(box)), box.rings[box.principal].states[-1].recovery
        assert kept is not None
        rows = [
            [recipient, flipped(sealed) if (recipient == kept.id(box.net)) == recovery else sealed]
            for recipient, sealed in sealing.read("K4", made.envelopes)
        ]
        return signed_again(made, box, encode(rows))

    return make


ATTEMPTS = (
    of_state_a("supervisor without approval", "K6 approval-needed", raised(no_approval)),
    of_state_a("forged approval", "E2 bad-signature", raised(forged_approval)),
    of_state_a("expired approval", "K6 expired-approval", raised(expired_approval)),
    of_state_a("approval of another change", "K6 wrong-approval", raised(approval_of_another_change)),
    of_state_a("spent approval", "K6 wrong-approval", raised(spent_approval)),
    of_state_a("approval by the author", "K6 wrong-approval", raised(own_approval)),
    of_state_a("floor not raised", "K4 wrong-floor", of_the_head(floor_not_raised)),
    of_state_a("mailbox of no KEM key", "E7 bad-kem-key", of_the_head(bad_mailbox)),
    of_state_a("mailbox of before", "K5 reused-key", of_the_head(old_mailbox)),
    of_state_a("device with a weak key", "E7 weak-signing-key", weak_device),
    of_state_a("keyring taken by a stolen kit", "K11 unconfirmed-recovery", by_a_stolen_kit),
    Attempt(
        "fork of a removed steward",
        "L3 contradicting-leaves",
        answers=lambda facts: told(fork_of_the_removed(facts)[0]),
    ),
    Attempt(
        "fork of a removed steward, seen before",
        "K10 forked-keyring",
        answers=lambda facts: told(fork_of_the_removed(facts)[0]),
        told_to="seen",
    ),
    # A colleague's pins in the ledger know of it; without them the log does (L2).
    Attempt("withheld removal", "K10 stale-keyring", answers=withheld_removal),
    ghost_authority("ghost authority", confirmed=False),
    ghost_authority("ghost authority with another's confirms", confirmed=True),
    own("wrong history in the own keyring", "K7 not-verified", wrong_history),
    own("another mailbox than the secret's", "K7 not-verified", other_mailbox),
    own("garbage in the own signed envelope", "K7 not-verified", garbage_for(recovery=False)),
    own("garbage in the recovery envelope", "not open", garbage_for(recovery=True), does="tries the kit"),
)
