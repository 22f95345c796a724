"""Rules K1 to K7: keyring entries."""

from dataclasses import replace
from typing import Any

from messaging.sealed import envelopes as sealing
from messaging.sealed import keyring
from messaging.sealed.client import Device
from messaging.sealed.encoding import context, context_hash, encode, sha256
from messaging.sealed.keys import KemKey
from tests.sealed import world as w
from tests.sealed.cases.base import W, broken_envelopes, refuse, rows_of
from tests.sealed.world import NET, forge, payload_of, seed, sign_payload, signed_by, tampered, with_envelopes

# --- keyrings


def _keyring(
    rule: str,
    code: str,
    why: str,
    entry: bytes,
    *,
    label: str | None = "A",
    before: int = 1,
    statements: list[bytes] | None = None,
    envelopes: bytes | None = None,
) -> None:
    link = W.a.links[before] if before < len(W.a.links) else W.a.links[0]
    refuse(
        "keyring",
        rule,
        code,
        why,
        label=label if before else None,
        before=before,
        entry=entry,
        statements=list(link.statements) if statements is None else statements,
        envelopes=link.envelopes if envelopes is None else envelopes,
    )


def genesis(
    *,
    salt: bytes = W.a.salt,
    kind: str = "authority",
    devices: list[Any] | None = None,
    recovery: dict[str, Any] | None = None,
    **changes: Any,
) -> bytes:
    """A's genesis with changes; the principal id follows from them."""
    payload = payload_of(W.a.links[0].entry)
    rows = payload["devices"] if devices is None else devices
    key = payload["recovery"] if recovery is None else recovery
    principal = context_hash(NET, "principal", kind, salt, rows, key, None, None)
    given: dict[str, Any] = {
        "principal": principal, "kind": kind, "salt": salt, "devices": rows, "recovery": key, **changes,
    }  # fmt: skip
    return sign_payload(payload | given, W.dara.signing_key, W.dara.id)


def _genesis_author() -> None:
    dara = W.dara.id
    raw = W.a.links[0].entry
    _keyring("K1", "missing-entry", "a keyring starting at n = 1", forge(raw, W.dara, n=1), before=0)
    _keyring(
        "K1",
        "wrong-predecessor",
        "a genesis with a predecessor",
        forge(raw, W.dara, prev=seed("x")),
        before=0,
    )
    _keyring("K2", "not-a-steward", "signed by a device it does not list", signed_by(W.femi, raw), before=0)
    _keyring(
        "E2",
        "bad-signature",
        "signed by another key under the steward's id",
        sign_payload(payload_of(raw), W.femi.signing_key, dara),
        before=0,
    )
    _keyring(
        "K3",
        "wrong-principal",
        "the id of another principal",
        forge(raw, W.dara, principal=W.b.principal),
        before=0,
    )
    _keyring("K3", "wrong-principal", "the salt exchanged", forge(raw, W.dara, salt=bytes(16)), before=0)


def _genesis_lists() -> None:
    dara = W.dara.id
    raw = W.a.links[0].entry
    for why, code, entry in (
        ("an unknown kind", "unknown-kind", genesis(kind="person")),
        ("an unknown reason", "unknown-reason", forge(raw, W.dara, reason="restart")),
        ("no genesis at the start", "unexpected-change", forge(raw, W.dara, reason="add")),
        ("no salt", "unexpected-change", forge(raw, W.dara, salt=None)),
        ("no recovery key", "unexpected-change", forge(raw, W.dara, recovery=None)),
        ("a history", "bad-history", forge(raw, W.dara, history={"of": 0, "wrap": bytes(48)})),
        ("an act", "unknown-act", forge(raw, W.dara, acts=[bytes(32)])),
        ("an unknown role", "unknown-role", genesis(devices=[[dara, ["admin", "steward"]]])),
        ("no role", "unknown-role", genesis(devices=[[dara, []]])),
        ("unsorted roles", "not-sorted", genesis(devices=[[dara, ["steward", "officer"]]])),
        ("a role twice", "not-sorted", genesis(devices=[[dara, ["steward", "steward"]]])),
        ("a device twice", "not-sorted", genesis(devices=[[dara, ["steward"]], [dara, ["steward"]]])),
        (
            "unsorted devices",
            "not-sorted",
            genesis(devices=sorted([[dara, ["steward"]], [W.femi.id, ["officer"]]], reverse=True)),
        ),
        ("no steward", "no-steward", genesis(devices=[[dara, ["officer", "supervisor"]]])),
        ("no devices", "no-steward", genesis(devices=[])),
    ):
        _keyring("K3", code, why, entry, before=0)


def _genesis_keys() -> None:
    raw = W.a.links[0].entry
    elin = forge(W.elin.statement, W.elin, principal=None, salt=seed("other salt")[:16])
    stranger = w.make_device("stranger", salt=W.a.salt)
    _keyring("K3", "missing-statement", "a device without a statement", raw, statements=[], before=0)
    _keyring(
        "K3",
        "wrong-statement",
        "a statement for another genesis",
        _two(sha256(elin)),
        statements=[W.dara.statement, elin],
        before=0,
    )
    _keyring(
        "K5",
        "reused-key",
        "two devices with one key",
        _two(_twin().id),
        statements=[W.dara.statement, _twin().statement],
        before=0,
    )
    _keyring(
        "K5",
        "reused-key",
        "a device key as recovery key",
        genesis(recovery={"sig": W.dara.signing_key.public, "kem": W.a.kit.public.kem}),
        before=0,
    )
    _keyring("K4", "wrong-floor", "a floor", forge(raw, W.dara, floor=1), before=0)
    _keyring(
        "E7",
        "weak-signing-key",
        "a recovery key of small order",
        genesis(recovery={"sig": bytes(32), "kem": W.a.kit.public.kem}),
        before=0,
    )
    _keyring(
        "E7",
        "bad-kem-key",
        "a mailbox key with coefficients not below q",
        forge(raw, W.dara, mailbox=b"\xff" * 1216),
        before=0,
    )
    _keyring(
        "K4",
        "wrong-recipients",
        "a listed device without envelope",
        _two(stranger.id),
        statements=[W.dara.statement, stranger.statement],
        before=0,
    )


def _two(other: bytes) -> bytes:
    rows: list[Any] = [*sorted([[W.dara.id, ["officer", "steward", "supervisor"]], [other, ["officer"]]])]
    return genesis(devices=rows)


def _twin() -> Device:
    return replace(W.dara, statement=forge(W.dara.statement, W.dara, name="Twin"))


def _keyring_addition() -> None:
    raw, dara = W.a.links[1].entry, W.dara
    rows = payload_of(raw)["devices"]
    for why, code, entry in (
        ("an entry known already", "stale-epoch", W.a.links[0].entry),
        ("a skipped entry", "missing-entry", forge(raw, dara, n=2)),
        ("another predecessor", "wrong-predecessor", forge(raw, dara, prev=seed("x"))),
        ("another principal", "wrong-predecessor", forge(raw, dara, principal=W.b.principal)),
    ):
        _keyring("K1", code, why, entry)
    _keyring("K1", "stale-epoch", "a second entry for the same place", raw, before=2)
    by_elin = signed_by(W.elin, raw)
    _keyring("K2", "not-a-steward", "an added device adding itself", by_elin)
    by_kit = signed_by(W.a.kit, raw)
    _keyring("K2", "not-a-steward", "the recovery key", by_kit)
    _keyring("E2", "bad-signature", "a turned bit in the signature", tampered(raw))
    dara_only = [row for row in rows if row[0] == dara.id]
    elin_only = [row for row in rows if row[0] != dara.id]
    lowered = sorted([[dara.id, ["steward"]], *elin_only])
    for why, code, entry in (
        ("a device removed", "no-steward", forge(raw, dara, devices=elin_only)),
        ("a role lowered", "unexpected-change", forge(raw, dara, devices=lowered)),
        ("nothing added", "unexpected-change", forge(raw, dara, devices=dara_only)),
        ("a kind changed", "unexpected-change", forge(raw, dara, kind="secretariat")),
        (
            "a recovery key changed",
            "unexpected-change",
            forge(raw, dara, recovery=payload_of(W.b.links[0].entry)["recovery"]),
        ),
        ("a recovery key dropped", "unexpected-change", forge(raw, dara, recovery=None)),
        ("a salt", "unexpected-change", forge(raw, dara, salt=W.a.salt)),
        ("a second genesis", "unexpected-change", forge(raw, dara, reason="genesis")),
        ("a reason of nobody", "unknown-reason", forge(raw, dara, reason="restart")),
        ("no history", "bad-history", forge(raw, dara, history=None)),
        ("a history to itself", "bad-history", forge(raw, dara, history={"of": 1, "wrap": bytes(48)})),
    ):
        _keyring("K3", code, why, entry)


def _addition_keys() -> None:
    raw, dara = W.a.links[1].entry, W.dara
    dara_only = [row for row in payload_of(raw)["devices"] if row[0] == dara.id]
    stranger = w.make_device("stranger", principal=W.b.principal)
    listed: Any = sorted([*dara_only, [stranger.id, ["officer"]]])
    _keyring(
        "K3",
        "wrong-statement",
        "a device of another principal",
        forge(raw, dara, devices=listed),
        statements=[stranger.statement],
    )
    _keyring("K3", "missing-statement", "an added device without a statement", raw, statements=[])
    for why, change in (
        ("the mailbox of the entry before", {"mailbox": W.a.links[0].state.mailbox}),
        ("the commit of the entry before", {"commit": W.a.links[0].state.commit}),
        ("a device key as mailbox", {"mailbox": dara.kem_key.public}),
    ):
        _keyring("K5", "reused-key", why, forge(raw, dara, **change))
    twin = replace(dara, statement=forge(dara.statement, dara, principal=W.a.principal, salt=None))
    doubled: Any = sorted([*dara_only, [twin.id, ["officer"]]])
    _keyring(
        "K5",
        "reused-key",
        "a listed device's keys again",
        forge(raw, dara, devices=doubled),
        statements=[twin.statement],
    )
    _keyring(
        "E7",
        "bad-kem-key",
        "a mailbox of low order",
        forge(raw, dara, mailbox=W.a.newest.mailbox[:1184] + bytes(32)),
    )
    _keyring("K4", "wrong-floor", "a raised floor", forge(raw, dara, floor=1))


def _keyring_envelopes() -> None:
    link = W.a.links[1]
    for why, code, blob in broken_envelopes(link.envelopes, seed("x")):
        entry = with_envelopes(link.entry, W.dara, blob)
        _keyring("K4", code, f"envelopes: {why}", entry, envelopes=blob)
    rows = rows_of(link.envelopes)
    rows[0][1] = tampered(bytes(rows[0][1]))
    _keyring("K4", "wrong-sealed", "envelopes exchanged after signing", link.entry, envelopes=encode(rows))
    _keyring(
        "E1", "bad-encoding", "envelopes with trailing bytes", link.entry, envelopes=link.envelopes + b"\0"
    )


PAIR = w.found("pair", "ines", "juri")


def _approvals() -> None:
    for role in ("steward", "supervisor"):
        device, made = w.make_addition(PAIR, f"kim-{role}", role)
        refuse(
            "keyring", "K6", "approval-needed", f"a {role} added by one of two stewards",
            label="pair", before=1, entry=made.entry, statements=[device.statement], envelopes=made.envelopes,
        )  # fmt: skip


def remade(
    link: w.Link, device: Device, secret: bytes, blob_secret: bytes, **changes: Any
) -> tuple[bytes, bytes]:
    """A's entry 1 sealing ``blob_secret``, with the commit and mailbox of ``secret``."""
    read = keyring.read_entry(NET, link.entry)
    commit = changes.get("commit", context_hash(NET, "mailbox commit", read.principal, read.n, secret))
    recipients = {row.id: row.kem for row in link.state.devices} | {W.a.kit.id: W.a.kit.public.kem}
    blob, sealed = sealing.make(
        NET, blob_secret, recipients,
        lambda to: context(NET, "keyring envelope", read.principal, read.n, read.prev, commit, to, device.id),
    )  # fmt: skip
    mailbox = keyring.mailbox_key(NET, read.principal, read.n, secret).public
    return forge(
        link.entry, device, **({"commit": commit, "sealed": sealed, "mailbox": mailbox} | changes)
    ), blob


def _generations() -> None:
    link, other = W.a.links[1], seed("other secret")
    cases = {
        "wrong-commit": remade(link, W.dara, other, link.secret),
        "wrong-mailbox": remade(link, W.dara, other, other, mailbox=KemKey(seed("x")).public),
    }
    for code, (entry, blob) in cases.items():
        refuse("generation", "K7", code, code, label="A", n=1, entry=entry, envelopes=blob, device="elin")
    refuse("generation", "E5", "cannot-open", "the envelope of another device", label="A", n=1,
           entry=link.entry, envelopes=link.envelopes, device="femi", recipient=W.elin.id)  # fmt: skip
    for why, wrap, of in (
        ("not a wrap of this secret", bytes(48), 0),
        (
            "another secret in it",
            sealing.wrap(NET, "keyring history", W.a.principal, 1, link.secret, 0, other).wrap,
            0,
        ),
    ):
        entry = forge(link.entry, W.dara, history={"of": of, "wrap": wrap})
        refuse("keyring-history", "K7", "wrong-history", why, label="A", entry=entry, secret=link.secret)


_genesis_author()
_genesis_lists()
_genesis_keys()
_keyring_addition()
_addition_keys()
_keyring_envelopes()
_approvals()
_generations()
