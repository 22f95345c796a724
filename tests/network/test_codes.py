"""Password and one-time code, recovery codes: what they open, for whom, and that a failure tells nothing."""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings
from django.test import Client
from django.utils import timezone

from network import failed_sign_ins
from network.actions.failed_sign_ins import record_failed_sign_ins
from network.failed_sign_ins import take_failures
from network.models import AuditEntry, Authority, Factor, Membership, OutgoingMail, Person, SignIn
from tests.passkeys import browser, enrol, own_address, post, sign_in
from tests.permissions.doors import all_routes
from tests.personas import Cast, Persona

PASSWORD = "drawer lantern seventeen"
TOKEN = re.compile(rb'(name="csrfmiddlewaretoken" value|name="csrf-token" content)="[^"]*"')


STEP = 30.0  # seconds a code counts
NEAR_THE_END = 4.0


def code_of(secret: str, *, step: int = 0, since: float | None = None) -> str:
    """Return the code of a step of 30 seconds, counted from now or from `since`."""
    now = time.time() if since is None else since
    return str(format_hotp_value(hotp_value(secret, int(now) // 30 + step)))


def allow_codes(persona: Persona) -> None:
    assert persona.membership
    Authority.objects.filter(id=persona.membership.authority_id).update(allows_codes=True)


def set_up(persona: Persona) -> str:
    """Set password and app up as the officer does; returns the secret, whose code of one step ago is used."""
    allow_codes(persona)
    client = persona.client()
    assert client.post("/account/codes/begin/").status_code == 302
    secret = waiting_secret(client)
    if (left := STEP - time.time() % STEP) < NEAR_THE_END:
        time.sleep(left)  # or the code of one step ago is one of two before the server has it
    body = {"password": PASSWORD, "password-again": PASSWORD, "code": code_of(secret, step=-1)}
    assert client.post("/account/codes/on/", body).status_code == 302
    return secret


def waiting_secret(client: Client) -> str:
    """Read the secret from the page on which it is shown once."""
    found = re.search(r"<code[^>]*>(\w+)</code>", client.get("/account/codes/").content.decode())
    assert found
    return found[1]


def by_code(address: str, password: str, code: str, client: Client | None = None) -> Any:
    body = {"address": address, "password": password, "code": code}
    return (client or browser()).post("/sign-in/code/", body)


def by_recovery(address: str, code: str, client: Client | None = None) -> Any:
    return (client or browser()).post("/sign-in/recovery/", {"address": address, "code": code})


def recovery_codes(persona: Persona) -> list[str]:
    page = persona.client().post("/account/recovery-codes/").content.decode()
    return re.findall(r'<li class="code">([\d ]+)</li>', page)


def shown(response: Any, address: str) -> bytes:
    """Return a page without what differs at each request: forgery tokens, and the address typed."""
    return TOKEN.sub(b"", response.content).replace(address.encode(), b"")


def test_an_officer_whose_authority_allows_it_can_sign_in_by_code(cast: Cast) -> None:
    secret, address = set_up(cast.officer_a), own_address(cast.officer_a)
    client = browser()
    assert by_code(address, PASSWORD, code_of(secret), client).status_code == 302
    assert SignIn.objects.latest("started_at").factor == Factor.CODE
    assert client.get("/api/session").status_code == 200


def test_a_one_time_code_counts_once(cast: Cast) -> None:
    secret, address = set_up(cast.officer_a), own_address(cast.officer_a)
    now = time.time()  # the next step may begin while this runs
    assert by_code(address, PASSWORD, code_of(secret, step=-1, since=now)).status_code == 403  # of the set-up
    code = code_of(secret, since=now)
    assert by_code(address, PASSWORD, code).status_code == 302
    assert by_code(address, PASSWORD, code).status_code == 403
    assert by_code(address, PASSWORD, code_of(secret, step=1, since=now)).status_code == 302
    assert by_code(address, PASSWORD, code).status_code == 403  # older than the newest used


def test_codes_far_from_now_are_refused(cast: Cast) -> None:
    secret, address = set_up(cast.officer_a), own_address(cast.officer_a)
    for step in (-20, 3, 20):
        assert by_code(address, PASSWORD, code_of(secret, step=step)).status_code == 403


@pytest.mark.parametrize("change", ["not-allowed", "supervisor", "suspended", "ended", "inactive"])
def test_what_no_longer_allows_codes_ends_them_at_once(cast: Cast, change: str) -> None:
    secret, address = set_up(cast.officer_a), own_address(cast.officer_a)
    assert cast.officer_a.membership
    rows = Membership.objects.filter(id=cast.officer_a.membership.id)
    match change:
        case "not-allowed":
            Authority.objects.update(allows_codes=False)
        case "supervisor":
            rows.update(roles=["officer", "supervisor"])
        case "suspended":
            rows.update(suspended_at=timezone.now())
        case "ended":
            rows.update(until_at=timezone.now())
        case _:
            Person.objects.filter(memberships__in=rows).update(is_active=False)
    refused = by_code(address, PASSWORD, code_of(secret))
    unknown = by_code("nobody@authority.example", PASSWORD, code_of(secret))
    assert refused.status_code == unknown.status_code == 403
    assert shown(refused, address) == shown(unknown, "nobody@authority.example")


@pytest.mark.parametrize("name", ["supervisor_a", "administrator_a", "directory_officer", "security_officer"])
def test_whoever_is_privileged_cannot_set_codes_up(cast: Cast, name: str) -> None:
    persona = cast.everybody()[name]
    allow_codes(persona)
    assert b"Set up password" not in persona.client().get("/account/").content
    assert persona.client().post("/account/codes/begin/").status_code == 404


def test_where_the_authority_does_not_allow_codes_nobody_can_set_them_up(cast: Cast) -> None:
    assert cast.officer_b.client().post("/account/codes/begin/").status_code == 404


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "elevenchars",
        "passwordpassword",
        "qwerty123456",
        "Officer Officer A",
        "x" * 129,
        "a" * 20,
    ],
)
def test_weak_passwords_are_refused_with_a_sentence(cast: Cast, password: str) -> None:
    allow_codes(cast.officer_a)
    client = cast.officer_a.client()
    client.post("/account/codes/begin/")
    body = {"password": password, "password-again": password, "code": code_of(waiting_secret(client))}
    answer = client.post("/account/codes/on/", body)
    assert answer.status_code == 422
    assert b'role="alert"' in answer.content
    assert not Person.objects.exclude(password="").exists()


def test_any_password_of_enough_characters_is_kept_whole(cast: Cast) -> None:
    allow_codes(cast.officer_a)
    address = own_address(cast.officer_a)
    password = "ключ 钥匙 مفتاح 🗝 " + "ab1!" * 27
    assert len(password) > 120
    client = cast.officer_a.client()
    client.post("/account/codes/begin/")
    secret = waiting_secret(client)
    body = {"password": password, "password-again": password, "code": code_of(secret, step=-1)}
    assert client.post("/account/codes/on/", body).status_code == 302
    assert by_code(address, password[:-1], code_of(secret)).status_code == 403
    assert by_code(address, password, code_of(secret)).status_code == 302
    stored = Person.objects.exclude(password="").get().password
    cost = re.match(r"argon2\$argon2id\$v=19\$m=(\d+),", stored)
    assert cost
    assert int(cost[1]) >= 64 * 1024


def test_secrets_are_encrypted_at_rest(cast: Cast) -> None:
    from django.db import connection

    secret, codes = set_up(cast.officer_a), recovery_codes(cast.officer_a)
    tables = ("mfa_authenticator", "django_session", "network_person", "network_auditentry", "network_signin")
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT * FROM {table}")
            rows = repr(cursor.fetchall())
            assert not any(hidden in rows for hidden in (secret, *codes, codes[0].replace(" ", "")))


# A failure is on record for those whom it concerns


def test_a_failed_attempt_is_one_entry_an_hour_for_known_persons_alone(cast: Cast) -> None:
    address = own_address(cast.officer_a)
    take_failures()
    for typed in (address, address.upper(), "nobody@authority.example", "no address", ""):
        assert by_code(typed, PASSWORD, "000000").status_code == 403
        assert by_recovery(typed, "0000 0000 0000 0000").status_code == 403
    assert not AuditEntry.objects.filter(
        act="sign-in:fail"
    ).exists()  # nothing is written while a stranger waits
    assert record_failed_sign_ins() == 1
    entry = AuditEntry.objects.get(act="sign-in:fail")
    assert cast.officer_a.membership
    assert entry.subject == cast.officer_a.membership.id.hex
    assert set(entry.facts) == {"tries"}
    assert entry.membership_id is entry.authority_id is None
    by_code(address, PASSWORD, "000000")
    assert record_failed_sign_ins() == 0  # within the hour
    page = cast.administrator_a.client().get("/audit/").content.decode()
    assert "Somebody tried to sign in with a wrong password or code</" in page
    assert "No entries" in cast.administrator_b.client().get("/audit/").content.decode()


def test_an_authority_does_not_learn_from_its_record_for_whom_else_somebody_works(cast: Cast) -> None:
    assert cast.officer_a.membership
    assert cast.officer_b.membership
    other = cast.officer_b.membership.authority
    Membership.objects.create(
        person=cast.officer_a.membership.person,
        authority=other,
        roles=["officer"],
        office="Desk",
        from_at=timezone.now(),
    )
    take_failures()
    by_code(own_address(cast.officer_a), PASSWORD, "000000")
    assert record_failed_sign_ins() == 1
    concerned = sorted(AuditEntry.objects.filter(act="sign-in:fail").values_list("concerns", flat=True))
    assert concerned == sorted([[cast.officer_a.membership.authority_id.hex], [other.id.hex]])
    by_code(own_address(cast.officer_a), PASSWORD, "000000")
    assert record_failed_sign_ins() == 0


def test_nothing_is_recorded_of_whoever_has_no_standing_and_memory_is_bounded(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_failures()
    by_code(own_address(cast.former_officer_a), PASSWORD, "000000")
    assert record_failed_sign_ins() == 0
    monkeypatch.setattr(failed_sign_ins, "ADDRESSES_MOST", 3)
    for number in range(5):
        failed_sign_ins.note_failure(f"person{number}@authority.example")
    failed_sign_ins.note_failure("person0@authority.example")
    assert sorted(take_failures().values()) == [1, 1, 2]


# A failure tells nothing


def kinds_of_failure(cast: Cast) -> dict[str, tuple[str, str, str]]:
    secret, address = set_up(cast.officer_a), own_address(cast.officer_a)
    suspended = own_address(cast.officer_b)
    assert cast.officer_b.membership
    Membership.objects.filter(id=cast.officer_b.membership.id).update(suspended_at=timezone.now())
    return {
        "wrong password": (address, "wrong", code_of(secret)),
        "wrong code": (address, PASSWORD, "000000"),
        "suspended": (suspended, PASSWORD, "000000"),
        "without codes": (own_address(cast.officer_c), PASSWORD, "000000"),
        "unknown": ("nobody@authority.example", PASSWORD, "000000"),
        "no address": ("not an address", PASSWORD, "000000"),
        "empty": ("", "", ""),
    }


def test_every_failure_looks_the_same(cast: Cast) -> None:
    seen = {}
    for name, (address, password, code) in kinds_of_failure(cast).items():
        answer = by_code(address, password, code)
        headers = {key: value for key, value in answer.headers.items() if key != "Content-Length"}
        seen[name] = (answer.status_code, str(headers), shown(answer, address) if address else b"")
    pages = {page for _, _, page in seen.values() if page}
    assert len(pages) == 1
    assert {status for status, _, _ in seen.values()} == {403}
    for name, (address, _, code) in kinds_of_failure(cast).items():
        answer = by_recovery(address, code)
        assert answer.status_code == 403, name


@pytest.mark.parametrize("way", [by_code, by_recovery])
def test_every_failure_takes_the_same_time(cast: Cast, way: Callable[..., Any]) -> None:
    """Medians of interleaved tries: unknown, and known with a wrong answer."""
    set_up(cast.officer_a)
    recovery_codes(cast.officer_a)
    taken: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(60):
        is_known = turn % 2 == 0
        address = own_address(cast.officer_a) if is_known else f"{turn}.{time.time()}@authority.example"
        begun = time.perf_counter()
        answer = way(address, *([PASSWORD + "!"] if way is by_code else []), "0000 0000 0000 0000")
        taken[is_known].append(time.perf_counter() - begun)
        assert answer.status_code == 403
    known, unknown = median(taken[True]), median(taken[False])
    assert 0.6 < known / unknown < 1.6, (known, unknown)


# Recovery codes


def test_a_recovery_code_opens_once_and_lets_a_person_add_a_passkey_only(cast: Cast) -> None:
    codes, address = recovery_codes(cast.officer_a), own_address(cast.officer_a)
    assert (len(codes), len(set(codes))) == (10, 10)
    mails = OutgoingMail.objects.filter(kind="recovery-used").count()
    client = browser()
    answer = by_recovery(address, codes[0], client)
    assert (answer.status_code, answer.headers["location"]) == (302, "/account/")
    assert by_recovery(address, codes[0]).status_code == 403
    assert OutgoingMail.objects.filter(kind="recovery-used").count() == mails + 1
    assert b"came in with a recovery code" in client.get("/account/").content
    assert client.get("/api/session").status_code == 403
    assert cast.officer_a.client().get("/api/session").status_code == 200
    passkey = enrol(cast.officer_a, client=client)
    # Everything else of the person has ended, this sign-in too; the new passkey is the way in.
    assert cast.officer_a.client().get("/api/session").status_code == 401
    assert client.get("/account/").headers["location"].startswith("/sign-in/")
    entered, answer = sign_in(passkey)
    assert answer.status_code == 200
    assert entered.get("/api/session").status_code == 200


def test_a_limited_sign_in_can_do_nothing_else_on_any_route(cast: Cast) -> None:
    allowed = {
        "/account/",
        "/account/passkeys/",
        "/account/passkeys/options/",
        "/invitation/codes/",  # shows codes of this browser's own invitation, and leads away without any
        "/session/ends/",
        "/session/stay/",
        "/sign-out/",
    }
    codes, address = recovery_codes(cast.officer_a), own_address(cast.officer_a)
    open_to_all = {"appearance:set", "directory:read", "invitation:accept", "public:read", "sign-in:begin"}
    limited = browser()
    by_recovery(address, codes.pop(), limited)
    for door in all_routes():
        if str(door.permission) in open_to_all or door.path in allowed:
            continue
        answer = limited.generic(door.method, door.path, b"{}", "application/json")
        assert answer.status_code in {403, 405}, str(door)
    assert limited.get("/account/").status_code == 200  # still signed in: the refusals were not of a stranger


def test_a_new_password_ends_what_is_signed_in_with_the_old_one(cast: Cast) -> None:
    address, secret = own_address(cast.officer_a), set_up(cast.officer_a)
    client = browser()
    assert by_code(address, PASSWORD, code_of(secret), client).status_code == 302
    assert client.get("/api/session").status_code == 200
    set_up(cast.officer_a)
    assert client.get("/api/session").status_code == 401


def test_new_recovery_codes_end_the_old_ones(cast: Cast) -> None:
    old, address = recovery_codes(cast.officer_a), own_address(cast.officer_a)
    new = recovery_codes(cast.officer_a)
    assert set(old).isdisjoint(new)
    assert by_recovery(address, old[0]).status_code == 403
    assert by_recovery(address, new[0].replace(" ", "")).status_code == 302


def test_a_suspended_person_does_not_use_a_code_up(cast: Cast) -> None:
    codes, address = recovery_codes(cast.officer_a), own_address(cast.officer_a)
    assert cast.officer_a.membership
    rows = Membership.objects.filter(id=cast.officer_a.membership.id)
    rows.update(suspended_at=timezone.now())
    assert by_recovery(address, codes[0]).status_code == 403
    rows.update(suspended_at=None)
    assert by_recovery(address, codes[0]).status_code == 302


def test_a_new_factor_is_recorded_without_its_secret(cast: Cast) -> None:
    set_up(cast.officer_a)
    entry = AuditEntry.objects.filter(act="factor:add").latest("n")
    assert entry.facts == {"kind": "codes"}
    assert settings.MFA_ADAPTER == "network.factors.FactorAdapter"


def test_proving_again_by_code_is_for_who_signed_in_by_code(cast: Cast) -> None:
    secret, address = set_up(cast.officer_a), own_address(cast.officer_a)
    by_passkey = cast.officer_a.client()
    refused = post(by_passkey, "/sign-in/again/code/", {"fields": {"code": code_of(secret)}})
    assert refused.status_code == 403
    client = browser()
    by_code(address, PASSWORD, code_of(secret), client)
    SignIn.objects.filter(factor=Factor.CODE).update(proved_at=timezone.now() - timedelta(hours=1))
    assert post(client, "/account/passkeys/options/", {}).json()["error"]["code"] == "proof-needed"
    proven = post(client, "/sign-in/again/code/", {"fields": {"code": code_of(secret, step=1)}})
    assert proven.status_code == 200
    assert post(client, "/account/passkeys/options/", {}).status_code == 200
