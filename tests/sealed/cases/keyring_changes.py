"""Rules K2 to K6, K9, K11, K12: what each reason of a keyring entry may change, and who has to agree."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from messaging.sealed import keyring
from messaging.sealed.approval import make_approval
from messaging.sealed.client import Device
from messaging.sealed.keyring import Change, KeyringState
from messaging.sealed.sponsor import make_sponsor
from tests.sealed.cases.base import W, refuse
from tests.sealed.story import (
    ANSWERING,
    PRACTITIONER,
    SPONSORING,
    STORY,
    SUCCESSOR,
    TAKEN,
    approve,
    end_of,
    kit_of,
    make,
)
from tests.sealed.world import (
    NET,
    START,
    Party,
    forge,
    make_device,
    payload_of,
    seed,
    sign_payload,
    signed_by,
)

LENA, MATS, NORA = (STORY.devices[name] for name in ("lena", "mats", "nora"))
ALL = ["officer", "steward", "supervisor"]


def _refuse(
    rule: str,
    code: str,
    why: str,
    entry: bytes,
    *,
    party: Party = STORY,
    before: int,
    added: Collection[Device] = (),
    envelopes: bytes | None = None,
) -> None:
    blob = party.links[min(before, len(party.links) - 1)].envelopes if envelopes is None else envelopes
    refuse(
        "keyring",
        rule,
        code,
        why,
        label=party.label if before else None,
        before=before,
        entry=entry,
        statements=[device.statement for device in added],
        envelopes=blob,
    )


def _changed(before: int) -> KeyringState:
    return STORY.links[before - 1].state


def _forged(n: int, author: Device = LENA, **changes: Any) -> bytes:
    return forge(STORY.links[n].entry, author, **changes)


def _devices(n: int) -> list[Any]:
    rows: list[Any] = payload_of(STORY.links[n].entry)["devices"]
    return rows


def _reasons() -> None:
    """K3: each entry of the story with one thing more than its reason names."""
    other = payload_of(W.b.links[0].entry)["recovery"]
    stranger = make_device("stranger", principal=STORY.principal)
    nora_gone = _devices(5)
    raised: Any = [[device, ["officer", "steward"]] for device, _ in _devices(4)]
    more: Any = sorted([*_devices(4), [stranger.id, ["officer"]]])
    for n, why, changes in (
        (3, "a role changes and a device goes", {"devices": nora_gone}),
        (3, "no role changes", {"devices": _devices(2)}),
        (3, "a role changes and the recovery key", {"recovery": other}),
        (4, "a rotation removes a device", {"devices": nora_gone}),
        (4, "a rotation changes roles", {"devices": raised}),
        (4, "a rotation changes the recovery key", {"recovery": other}),
        (5, "nothing is removed", {"devices": _devices(4)}),
        (5, "a removal changes roles", {"devices": [[device, ALL] for device, _ in nora_gone]}),
        (5, "a removal changes the recovery key", {"recovery": other}),
        (6, "a new recovery key, and a device goes", {"devices": nora_gone[:1]}),
    ):
        author = MATS if n == 4 else LENA
        code = "unexpected-change" if _has_steward(changes) else "no-steward"
        _refuse("K3", code, why, _forged(n, author, **changes), before=n)
    _refuse(
        "K3", "unexpected-change", "a rotation adds a device", _forged(4, MATS, devices=more), before=4,
        added=[stranger],
    )  # fmt: skip
    _refuse("K3", "bad-history", "a removal without history", _forged(5, history=None), before=5)
    early = {"of": 3, "wrap": bytes(48)}
    _refuse("K3", "bad-history", "a removal with a history that skips", _forged(5, history=early), before=5)
    rosa = STORY.devices["rosa"]
    ahead = {"of": 10, "wrap": bytes(48)}
    _refuse("K3", "bad-history", "a repair that leads to itself", _forged(10, rosa, history=ahead), before=10)
    _refuse("K3", "unknown-reason", "an unknown reason", _forged(4, MATS, reason="restart"), before=4)


def _has_steward(changes: Mapping[str, Any]) -> bool:
    rows = changes.get("devices", _devices(4))
    return any("steward" in roles for _, roles in rows)


def _floors() -> None:
    for n, author in ((4, MATS), (5, LENA), (6, LENA), (7, LENA), (10, STORY.devices["rosa"])):
        reason = payload_of(STORY.links[n].entry)["reason"]
        before = _changed(n).floor
        _refuse("K4", "wrong-floor", f"{reason} leaves the floor", _forged(n, author, floor=before), before=n)
    _refuse("K4", "wrong-floor", "a role raises the floor", _forged(3, floor=3), before=3)
    kit = kit_of("story second")
    low = signed_by(kit, STORY.links[9].entry, floor=7)
    _refuse("K4", "wrong-floor", "recover leaves the floor", low, before=9, added=[STORY.devices["rosa"]])


def _authors() -> None:
    by_nora = signed_by(NORA, STORY.links[4].entry)
    _refuse("K2", "not-a-steward", "an officer rotates", by_nora, before=4)
    kit = kit_of("story second")
    _refuse("K2", "not-a-steward", "the kit removes", signed_by(kit, STORY.links[7].entry), before=7)
    rosa = [STORY.devices["rosa"]]
    for why, author in (
        ("a steward recovers", LENA),
        ("the first kit recovers", STORY.kit),
        ("the new kit recovers", kit_of("story third")),
    ):
        entry = signed_by(author, STORY.links[9].entry)
        _refuse("K2", "not-the-recovery-key", why, entry, before=9, added=rosa)
    forged = sign_payload(payload_of(STORY.links[9].entry), LENA.signing_key, kit.id)
    _refuse("E2", "bad-signature", "a steward under the kit's name", forged, before=9, added=rosa)


def _freshness() -> None:
    state = _changed(6)
    assert state.recovery is not None
    first = payload_of(STORY.links[0].entry)["recovery"]
    for why, recovery in (
        ("the recovery key stays", first),
        ("half of the recovery key stays", first | {"sig": seed("x")}),
    ):
        _refuse("K11", "unexpected-change", why, _forged(6, recovery=recovery), before=6)
    used = {"sig": MATS.signing_key.public, "kem": kit_of("x").public.kem}
    _refuse(
        "K5", "reused-key", "a device's key as recovery key", _forged(6, acts=[], recovery=used), before=6
    )
    weak = {"sig": bytes(32), "kem": kit_of("x").public.kem}
    _refuse("E7", "weak-signing-key", "a weak new recovery key", _forged(6, recovery=weak), before=6)
    kept = keyring.recovery_by_kit(_changed(9), [(LENA.id, ALL)], kit_of("story third").public)
    made = make(STORY, kept, kit_of("story second"), state=_changed(9), added={"lena": LENA})
    _refuse("K11", "unexpected-change", "a recovery keeps a device", made.entry, before=9, added=[LENA])
    again = keyring.addition(_changed(6), [(NORA.id, ["officer"])])
    made = make(STORY, again, LENA, state=_changed(6), added={"nora": NORA})
    _refuse("K5", "reused-key", "a removed device comes back", made.entry, before=6, added=[NORA])


def _with(
    before: int, change: Change, why: str, code: str, acts: Collection[bytes], author: Device = LENA
) -> None:
    state = _changed(before)
    made = make(STORY, change, author, state=state, acts=acts)
    _refuse("K6", code, why, made.entry, before=before, envelopes=made.envelopes)


def _approvals() -> None:
    """K6 at place 3 and 6, where Lena and Mats are stewards."""
    state = _changed(6)
    lowered = keyring.role_change(state, {MATS.id: ["officer"]})
    raised = keyring.role_change(state, {MATS.id: ["steward", "supervisor"]})
    new_kit = keyring.recovery_change(state, kit_of("another").public)
    for why, change in (
        ("a steward is lowered by the other alone", lowered),
        ("a role is raised alone", raised),
        ("the recovery key is replaced alone", new_kit),
    ):
        _with(6, change, why, "approval-needed", [])
    _with(6, lowered, "who is lowered approves it", "approval-needed", [approve(state, lowered, MATS)])
    own = approve(state, new_kit, LENA)
    _with(6, new_kit, "the author approves", "wrong-approval", [own])
    _with(6, new_kit, "an approval of another change", "wrong-approval", [approve(state, raised, MATS)])
    old = _changed(5)
    stale = keyring.recovery_change(old, kit_of("another").public)
    _with(6, new_kit, "an approval on an older entry", "wrong-approval", [approve(old, stale, MATS)])
    by_nora = approve(_changed(5), keyring.rotation(_changed(5)), NORA)
    _with(5, keyring.rotation(_changed(5)), "an officer approves", "wrong-approval", [by_nora])
    stranger = approve(state, new_kit, W.femi, by=W.b.by())
    _with(6, new_kit, "another authority approves", "wrong-approval", [stranger])
    old_by = approve(state, new_kit, MATS, by=STORY.by(3))
    _with(6, new_kit, "an approval under an older entry", "wrong-approval", [old_by])
    other_kit = approve(state, new_kit, kit_of("another"))
    _with(6, new_kit, "the new kit approves itself", "wrong-approval", [other_kit])
    forged = sign_payload(payload_of(approve(state, new_kit, MATS)), LENA.signing_key, MATS.id)
    made = make(STORY, new_kit, LENA, state=state, acts=[forged])
    _refuse("E2", "bad-signature", "a forged approval", made.entry, before=6, envelopes=made.envelopes)
    _approval_times(state, new_kit)
    _approval_kinds(state, new_kit)


def _approval_times(state: KeyringState, change: Change) -> None:
    late = approve(state, change, MATS, at=START + 300 - 86_401)
    _with(6, change, "an approval a day old", "expired-approval", [late])
    early = approve(state, change, MATS, at=START + 601)
    _with(6, change, "an approval of the future", "expired-approval", [early])
    named = change.hash(NET, state.principal, state.head)
    signer: Any = {"author": MATS.id, "key": MATS.signing_key, "by": STORY.by(5)}
    long = make_approval(NET, on=state.head, change=named, at=START, until=START + 86_401, **signer)
    _with(6, change, "an approval for more than a day", "expired-approval", [long])
    other = make_approval(NET, on=state.head, change=named, at=START, about="message", **signer)
    _with(6, change, "an approval of a message", "wrong-approval", [other])


def _approval_kinds(state: KeyringState, change: Change) -> None:
    good = approve(state, change, MATS)
    made = make(STORY, change, LENA, state=state, acts=[good])
    for why, acts in (
        ("an approval twice", [good, good]),
        ("a device statement among the acts", [MATS.statement]),
        ("an act that is no statement", [b"\x00"]),
        ("an act that is a hash", ["x"]),
    ):
        _refuse("K3", "unknown-act", why, forge(made.entry, LENA, acts=acts), before=6)


def _after_removal() -> None:
    """K6 a: at place 8 Lena has removed Mats alone, so only the recovery key approves."""
    change = keyring.addition(_changed(8), [(STORY.devices["olga"].id, ["officer", "steward"])])
    olga = STORY.devices["olga"]
    state = _changed(8)
    why = "a steward alone, who removed the other"
    made = make(STORY, change, LENA, state=state, added={"olga": olga})
    _refuse("K6", "approval-needed", why, made.entry, before=8, added=[olga], envelopes=made.envelopes)
    first = approve(state, change, STORY.kit)
    made = make(STORY, change, LENA, state=state, added={"olga": olga}, acts=[first])
    _refuse("K6", "wrong-approval", "a replaced kit approves", made.entry, before=8, added=[olga],
            envelopes=made.envelopes)  # fmt: skip


def _practitioners() -> None:
    link, vera = PRACTITIONER.links[0], PRACTITIONER.devices["vera"]
    xena = ANSWERING.devices["xena"]

    def begun(why: str, code: str, statement: bytes | None, rule: str = "K9", **changes: Any) -> None:
        payload = payload_of(link.entry) | {"sponsor": statement} | changes
        named = keyring.principal_id(
            NET,
            payload["kind"],
            payload["salt"],
            payload["devices"],
            None,
            payload["sponsor"],
            payload["succeeds"],
        )
        entry = sign_payload(payload | {"principal": named}, vera.signing_key, vera.id)
        _refuse(rule, code, why, entry, before=0, added=[vera], envelopes=link.envelopes)

    def stated(signer: Device = xena, **changes: Any) -> bytes:
        return sign_payload(payload_of(SPONSORING) | changes, signer.signing_key, signer.id)

    begun("a practitioner without a sponsor", "wrong-sponsor", None)
    begun("an authority with a sponsor", "unexpected-change", SPONSORING, "K3", kind="authority")
    begun("a sponsor for another device", "wrong-sponsor", stated(device=seed("x")))
    begun("a sponsor for more than a year", "wrong-sponsor", stated(until=START + 367 * 86_400))
    begun("a sponsor that ends before it begins", "wrong-sponsor", stated(until=START))
    past: dict[str, Any] = {"from": START - 9 * 86_400, "until": START - 1}
    begun("a sponsor of last year", "sponsor-ended", stated(**past))
    later: dict[str, Any] = {"from": START + 86_400}
    begun("a sponsor of next year", "sponsor-ended", stated(**later))
    begun("signed by somebody else", "wrong-sponsor", stated(W.femi))
    begun(
        "by nobody's authority",
        "keyring-unknown",
        stated(by=payload_of(SPONSORING)["by"] | {"principal": seed("x")}),
    )
    begun("one who succeeds", "wrong-succession", SPONSORING, "K12", succeeds=TAKEN.principal)
    listed = [[seed("x"), SPONSORING]]
    begun("one who answers for others", "wrong-sponsor", SPONSORING, sponsored=listed)
    tail = make_device("tail", principal=PRACTITIONER.principal)
    change = keyring.addition(PRACTITIONER.newest, [(tail.id, ["officer"])])
    for why, code, rule, acts in (
        ("a practitioner's further device, unapproved", "approval-needed", "K9", []),
        (
            "approved by an authority without a part in it",
            "wrong-approval",
            "K6",
            [approve(PRACTITIONER.newest, change, W.femi, by=W.b.by())],
        ),
        (
            "approved by somebody who is no supervisor",
            "wrong-sponsor",
            "K9",
            [approve(PRACTITIONER.newest, change, W.femi, by=ANSWERING.by())],
        ),
    ):
        made = make(PRACTITIONER, change, vera, added={"tail": tail}, acts=acts)
        _refuse(
            rule, code, why, made.entry, party=PRACTITIONER, before=1, added=[tail], envelopes=made.envelopes
        )


def _sponsoring() -> None:
    xena, practitioner = ANSWERING.devices["xena"], PRACTITIONER.principal
    state = ANSWERING.newest

    def changed(
        why: str, code: str, sponsored: Mapping[bytes, bytes], *acts: bytes, rule: str = "K9"
    ) -> None:
        made = make(ANSWERING, keyring.sponsoring(state, sponsored), xena, acts=acts)
        _refuse(rule, code, why, made.entry, party=ANSWERING, before=2, envelopes=made.envelopes)

    end = end_of(ANSWERING, practitioner, SPONSORING)
    changed("nothing changes", "unexpected-change", dict(state.sponsored), rule="K3")
    changed("dropped without an end", "wrong-sponsor", {})
    other = end_of(ANSWERING, practitioner, W.dara.statement)
    changed("dropped with the end of another statement", "wrong-sponsor", {}, other)
    forged = sign_payload(payload_of(end), W.femi.signing_key, W.femi.id)
    changed("dropped by another authority's supervisor", "wrong-sponsor", {}, forged)
    foreign = make_sponsor(
        NET, by=W.b.by(), person="p", office="o", device=seed("x"), begins=START, until=START + 9,
        author=W.femi.id, key=W.femi.signing_key, at=START,
    )  # fmt: skip
    changed("another authority's statement", "wrong-sponsor", {practitioner: foreign})
    by_femi = sign_payload(payload_of(SPONSORING), W.femi.signing_key, W.femi.id)
    changed("a statement signed by somebody else", "wrong-sponsor", {practitioner: by_femi})
    changed("an end, and nobody is dropped", "wrong-sponsor", {practitioner: _renewed()}, end)
    rows = sorted([[practitioner, SPONSORING], [seed("x"), SPONSORING]], reverse=True)
    link = ANSWERING.links[1]
    unsorted = forge(link.entry, xena, sponsored=rows)
    _refuse("K3", "not-sorted", "practitioners out of order", unsorted, party=ANSWERING, before=1)
    rotated = forge(link.entry, xena, reason="rotate", floor=1)
    _refuse("K3", "unexpected-change", "a rotation that sponsors", rotated, party=ANSWERING, before=1)


def _renewed() -> bytes:
    xena = ANSWERING.devices["xena"]
    payload = payload_of(SPONSORING) | {"at": START + 5}
    return sign_payload(payload, xena.signing_key, xena.id)


def _succession() -> None:
    wim, link = SUCCESSOR.devices["wim"], SUCCESSOR.links[0]
    _refuse("K3", "wrong-principal", "another is succeeded than the id says",
            forge(link.entry, wim, succeeds=seed("x")), before=0, added=[wim],
            envelopes=link.envelopes)  # fmt: skip
    hugo = W.secretariat.devices["hugo"]
    payload = payload_of(W.secretariat.links[0].entry) | {"succeeds": TAKEN.principal}
    named = keyring.principal_id(
        NET,
        "secretariat",
        payload["salt"],
        payload["devices"],
        W.secretariat.kit.public,
        None,
        TAKEN.principal,
    )
    entry = sign_payload(payload | {"principal": named}, hugo.signing_key, hugo.id)
    _refuse("K12", "wrong-succession", "the secretariat succeeds", entry, before=0, added=[hugo],
            envelopes=W.secretariat.links[0].envelopes)  # fmt: skip
    later = forge(STORY.links[4].entry, MATS, succeeds=TAKEN.principal)
    _refuse("K3", "unexpected-change", "a succession after the genesis", later, before=4)


_ALL: list[Callable[[], None]] = [
    _reasons,
    _floors,
    _authors,
    _freshness,
    _approvals,
    _after_removal,
    _practitioners,
    _sponsoring,
    _succession,
]
for gather in _ALL:
    gather()
