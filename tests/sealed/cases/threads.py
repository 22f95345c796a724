"""Rules T1 to T3, T6, T7: thread entries."""

from typing import Any

from messaging.sealed import envelopes as sealing
from messaging.sealed import keyring
from messaging.sealed.encoding import ZERO, context, context_hash, encode
from messaging.sealed.thread import By
from tests.sealed.cases.base import NEWEST, OLD, T, W, broken_envelopes, refuse, rows_of
from tests.sealed.world import NET, forge, payload_of, seed, sign_payload, signed_by, tampered, with_envelopes

# --- threads


def _thread(
    rule: str, code: str, why: str, entry: bytes, *, before: int = 3, keyrings: dict[str, int] = NEWEST,
    envelopes: bytes | None = None,
) -> None:  # fmt: skip
    blob = T.items[3 if before else 0].envelopes if envelopes is None else envelopes
    refuse("thread", rule, code, why, before=before, keyrings=keyrings, entry=entry, envelopes=blob)


def _members(*changes: dict[str, Any]) -> list[dict[str, Any]]:
    rows = payload_of(T.items[0].item)["members"]
    assert isinstance(rows, list)
    return [dict(row) | change for row, change in zip(rows, changes, strict=False) if isinstance(row, dict)]


def thread_genesis(
    members: Any = None, *, kind: str = "case", link: bytes | None = None, **changes: Any
) -> bytes:
    """The genesis with changes; the thread id follows from them."""
    payload = payload_of(T.items[0].item)
    rows = payload["members"] if members is None else members
    thread = context_hash(NET, "thread", payload["salt"], kind, link, rows, W.dara.id)
    given = {"members": rows, "kind": kind, "thread": thread, "link": link} | changes
    return forge(T.items[0].item, W.dara, **given)


def _row(state: keyring.KeyringState, **changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "principal": state.principal, "keyring_n": state.n, "keyring_head": state.head, "role": "party",
        "mandate": None,
    }  # fmt: skip
    return row | changes


def _sorted(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: bytes(row["principal"]))


def refuse_genesis(rule: str, code: str, why: str, entry: bytes) -> None:
    _thread(rule, code, why, entry, before=0, keyrings=OLD)


def _thread_genesis() -> None:
    raw = T.items[0].item
    a, b = W.a.links[0].state, W.b.newest

    refuse_genesis("T1", "missing-entry", "a thread starting at n = 1", forge(raw, W.dara, n=1))
    refuse_genesis(
        "T1", "wrong-predecessor", "a genesis with a predecessor", forge(raw, W.dara, prev=seed("x"))
    )
    refuse_genesis(
        "T1",
        "stale-transcript",
        "a genesis after something",
        forge(raw, W.dara, after={"seq": 1, "hash": ZERO}),
    )
    refuse_genesis(
        "T1",
        "unknown-member-keyring",
        "a head that is not on the keyring",
        thread_genesis(_sorted(_row(a), _row(b, keyring_head=seed("x")))),
    )
    refuse_genesis(
        "T1",
        "unknown-member-keyring",
        "a principal nobody knows",
        thread_genesis(_sorted(_row(a), _row(b, principal=seed("ghost")))),
    )
    _thread(
        "T1",
        "stale-member-keyring",
        "a member's entry that is not the newest",
        raw,
        before=0,
        keyrings=NEWEST,
    )
    refuse_genesis("T2", "not-a-member", "an author who is no member", thread_genesis(_sorted(_row(b))))
    refuse_genesis(
        "T2",
        "unlisted-device",
        "a device not listed",
        signed_by(W.femi, thread_genesis()),
    )
    refuse_genesis(
        "T2",
        "stale-author-keyring",
        "a head not on the author's keyring",
        forge(raw, W.dara, by=By(a.principal, 0, seed("x")).as_map()),
    )
    refuse_genesis("T2", "unexpected-change", "no salt", forge(raw, W.dara, salt=None))
    refuse_genesis("T2", "unexpected-change", "no kind", forge(raw, W.dara, kind=None))
    refuse_genesis("T2", "unexpected-change", "a refresh at the start", forge(raw, W.dara, reason="refresh"))
    refuse_genesis(
        "E2",
        "bad-signature",
        "signed by another key",
        sign_payload(payload_of(raw), W.femi.signing_key, W.dara.id),
    )


def _thread_terms() -> None:
    raw = T.items[0].item
    a, b, c = W.a.links[0].state, W.b.newest, W.c.newest
    refuse_genesis("T3", "wrong-thread", "another id", forge(raw, W.dara, thread=seed("x")))
    for why, code, entry in (
        ("a kind that nobody knows", "unknown-kind", thread_genesis(kind="chat")),
        ("a reason that nobody knows", "unknown-reason", forge(raw, W.dara, reason="merge")),
        ("an act", "unknown-act", forge(raw, W.dara, acts=[bytes(32)])),
        ("a role that nobody knows", "unknown-role", thread_genesis(_sorted(_row(a), _row(b, role="guest")))),
        ("a mandate", "unknown-field-value", thread_genesis(_sorted(_row(a), _row(b, mandate=bytes(32))))),
        ("three parties", "wrong-members", thread_genesis(_sorted(_row(a), _row(b), _row(c)))),
        ("no party", "wrong-members", thread_genesis([])),
        ("unsorted members", "wrong-members", thread_genesis(_sorted(_row(a), _row(b))[::-1])),
        ("a member twice", "wrong-members", thread_genesis([_row(a), _row(a)])),
        ("the secretariat", "not-an-authority", thread_genesis(_sorted(_row(a), _row(W.secretariat.newest)))),
    ):
        refuse_genesis("T3", code, why, entry)
    history = {"of": 0, "wrap": bytes(48)}
    refuse_genesis("T6", "bad-history", "a history at the start", forge(raw, W.dara, history=history))
    assert T.items[0].envelopes is not None
    for why, code, blob in broken_envelopes(T.items[0].envelopes, seed("x")):
        _thread(
            "T1",
            code,
            f"envelopes: {why}",
            with_envelopes(raw, W.dara, blob),
            envelopes=blob,
            before=0,
            keyrings=OLD,
        )
    rows = rows_of(T.items[0].envelopes)
    rows[0][1] = tampered(bytes(rows[0][1]))
    _thread(
        "T1",
        "wrong-sealed",
        "envelopes exchanged after signing",
        raw,
        envelopes=encode(rows),
        before=0,
        keyrings=OLD,
    )


def _thread_refresh() -> None:
    raw, elin = T.items[3].item, W.elin
    after = payload_of(raw)["after"]
    a, b = W.a.newest, W.b.newest
    for why, code, entry in (
        ("an entry known already", "stale-epoch", T.items[0].item),
        ("a skipped entry", "missing-entry", forge(raw, elin, n=2)),
        ("another predecessor", "wrong-predecessor", forge(raw, elin, prev=seed("x"))),
        ("another thread", "wrong-predecessor", forge(raw, elin, thread=seed("x"))),
        ("another transcript", "stale-transcript", forge(raw, elin, after={"seq": 3, "hash": seed("x")})),
        (
            "an older end",
            "stale-transcript",
            forge(raw, elin, after={"seq": 2, "hash": T.states[1].transcript}),
        ),
    ):
        _thread("T1", code, why, entry)
    _thread("T1", "stale-epoch", "a second entry for the same place", raw, before=4)
    _thread("T1", "stale-transcript", "an item came between", raw, before=2)
    assert after is not None
    older = _sorted(_row(W.a.links[0].state), _row(b))
    _thread("T1", "stale-member-keyring", "sealed to an older mailbox", forge(raw, elin, members=older))
    _thread(
        "T2",
        "stale-author-keyring",
        "an author's entry that is not the newest",
        signed_by(W.dara, raw, by=W.a.by(0).as_map()),
    )
    gita = signed_by(W.gita, raw, by=W.c.by().as_map())
    _thread("T2", "not-a-member", "an author of another principal", gita)
    _thread(
        "T2",
        "unlisted-device",
        "a device of the other party under this one's name",
        signed_by(W.femi, raw),
    )
    for why, change in (
        ("a member dropped", {"members": [_row(a)]}),
        ("a member exchanged", {"members": _sorted(_row(a), _row(W.c.newest))}),
        ("a salt", {"salt": bytes(16)}),
        ("a kind", {"kind": "case"}),
        ("a second genesis", {"reason": "genesis"}),
    ):
        _thread("T2", "unexpected-change", why, forge(raw, elin, **change))
    _thread("T3", "unknown-reason", "a reason that nobody knows", forge(raw, elin, reason="merge"))
    _thread("T6", "bad-history", "no history", forge(raw, elin, history=None))
    _thread(
        "T6", "bad-history", "a history to itself", forge(raw, elin, history={"of": 1, "wrap": bytes(48)})
    )
    _thread("E2", "bad-signature", "a turned bit in the signature", tampered(raw))
    _thread(
        "E2", "bad-statement", "a history of 47 bytes", forge(raw, elin, history={"of": 0, "wrap": bytes(47)})
    )


def _epochs() -> None:
    raw, other = T.items[3].item, seed("other epoch")
    payload = payload_of(raw)
    boxes = {W.a.principal: W.a.newest.mailbox, W.b.principal: W.b.newest.mailbox}
    heads = {W.a.principal: W.a.newest.head, W.b.principal: W.b.newest.head}
    place = (payload["thread"], 1, payload["prev"], payload["commit"])
    blob, _ = sealing.make(
        NET, other, boxes, lambda to: context(NET, "thread envelope", *place, to, heads[to], W.elin.id)
    )
    entry = with_envelopes(raw, W.elin, blob)
    refuse(
        "epoch",
        "T7",
        "wrong-commit",
        "another secret in the envelope",
        entry=entry,
        envelopes=blob,
        member="B",
    )
    refuse("epoch", "E5", "cannot-open", "sealed in another context",
           entry=forge(raw, W.elin, prev=seed("x")), envelopes=T.items[3].envelopes, member="B")  # fmt: skip
    thread = bytes(payload["thread"])
    wrong = sealing.wrap(NET, "thread history", thread, 1, T.secrets[1], 0, other)
    for why, wrap in (("not a wrap of this secret", bytes(48)), ("another secret in it", wrong.wrap)):
        entry = forge(raw, W.elin, history={"of": 0, "wrap": wrap})
        refuse("thread-history", "T7", "wrong-history", why, entry=entry, secret=T.secrets[1])


_thread_genesis()
_thread_terms()
_thread_refresh()
_epochs()
