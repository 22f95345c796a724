"""Browsers are woken by an empty message of ours, at known services only, until somebody signs out."""

import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import transaction
from django.utils import timezone

from network import access
from network.actions import push
from network.actions.notifications import Told, mark_all_read, notify
from network.actions.sign_ins import act_for, begin_sign_in, end_sign_in
from network.errors import Invalid
from network.field_encryption import open_field
from network.limits import LIMITS
from network.models import AuditEntry, Delegation, Notification, PushSubscription
from network.push import Outcome, check_endpoint, public_key, wake
from network.push_services import Service
from tests.messaging.test_parallel import together
from tests.network.push_service import PushService, push_service, read_authorization
from tests.network.test_people import person, row_of
from tests.network.test_people import post as post_form
from tests.personas import Cast, Persona

pytestmark = pytest.mark.django_db
KNOWN = ("fcm.googleapis.com", "*.notify.windows.com")


@pytest.fixture
def service(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PushService]:
    """Give a push service that the operator has named."""
    with push_service(tmp_path) as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.certificate))
        settings.PUSH_SERVICES = (Service.read(running.host),)
        yield running


def ask(persona: Persona, path: str, endpoint: object) -> Any:
    return persona.client().post(
        f"/notifications/push/{path}",
        {"endpoint": endpoint},
        content_type="application/json",
        headers={"accept": "application/json"},
    )


def tell(persona: Persona, *, urgency: int = 0, thread: str = "ab" * 32) -> None:
    (member,) = access.members_in_force_by_id([row_of(persona).id])
    with transaction.atomic():
        notify([Told("urgent-message" if urgency else "message", thread, member, urgency)])
    Notification.objects.filter(push_at__isnull=False).update(push_at=timezone.now())


def make_due() -> None:
    PushSubscription.objects.filter(due_at__isnull=False).update(due_at=timezone.now())


# What is sent


def test_a_browser_is_woken_by_an_empty_message_signed_as_ours(cast: Cast, service: PushService) -> None:
    assert ask(cast.officer_a, "", service.endpoint()).json() == {"is_woken": True}
    tell(cast.officer_a)
    assert push.wake_browsers() == 1
    (woken,) = service.came
    assert (woken.path, woken.body) == ("/push/a-browser", b"")
    assert woken.headers["host"] == service.host
    claims, key = read_authorization(woken.headers["authorization"])
    assert key == public_key()
    assert claims["aud"] == f"https://{service.host}"
    assert str(claims["sub"]).startswith("mailto:")
    assert 0 < int(str(claims["exp"])) - time.time() <= 24 * 3600
    assert woken.headers["urgency"] == "normal"
    assert 0 < int(woken.headers["ttl"]) <= 24 * 3600
    assert not {"cookie", "referer", "content-encoding"} & woken.headers.keys()
    assert "thread" not in str(woken)
    assert push.wake_browsers() == 0


def test_what_is_urgent_says_so_and_several_things_wake_once(cast: Cast, service: PushService) -> None:
    ask(cast.officer_a, "", service.endpoint())
    for number in range(3):
        tell(cast.officer_a, thread=f"{number:02x}" * 32)
    tell(cast.officer_a, thread="ff" * 32, urgency=1)
    assert push.wake_browsers() == 1
    assert [woken.headers["urgency"] for woken in service.came] == ["high"]


def test_nobody_is_woken_for_what_was_read_or_does_not_count(cast: Cast, service: PushService) -> None:
    ask(cast.officer_a, "", service.endpoint())
    tell(cast.officer_a)
    mark_all_read(cast.officer_a.actor)
    assert push.wake_browsers() == 0
    tell(cast.officer_b)
    assert push.wake_browsers() == 0
    assert service.came == []


def test_a_service_that_does_not_answer_is_asked_again_later_and_not_for_ever(
    cast: Cast, service: PushService
) -> None:
    ask(cast.officer_a, "", service.endpoint())
    tell(cast.officer_a)
    service.statuses = [503, 429] + [500] * 10
    waits = []
    for _ in range(push.TRIES_MOST):
        assert push.wake_browsers() == 0
        due_at = PushSubscription.objects.get().due_at
        waits.append(round((due_at - timezone.now()) / timedelta(minutes=1)) if due_at else None)
        make_due()
    assert waits == [1, 2, 4, 8, 16, None]
    assert push.wake_browsers() == 0
    assert len(service.came) == push.TRIES_MOST


def test_whatever_goes_wrong_with_one_browser_the_next_is_woken(
    cast: Cast, service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    for persona, name in ((cast.officer_a, "strange"), (cast.officer_b, "usual")):
        ask(persona, "", service.endpoint(name))
        tell(persona)
    strange = PushSubscription.objects.order_by("renewed_at")[0]
    PushSubscription.objects.filter(id=strange.id).update(due_at=timezone.now(), tries=60)
    real = socket.getaddrinfo
    waiting = iter([UnicodeError("a name that is none")])

    def find(*asked: Any, **how: Any) -> Any:
        for error in waiting:
            raise error
        return real(*asked, **how)

    monkeypatch.setattr("network.push.socket.getaddrinfo", find)
    assert push.wake_browsers() == 1
    assert [woken.path for woken in service.came] == ["/push/usual"]


def test_whatever_others_send_a_browser_is_not_woken_without_end(cast: Cast, service: PushService) -> None:
    ask(cast.officer_a, "", service.endpoint())
    few = int(LIMITS["news-wake"].burst)
    for number in range(few + 5):
        tell(cast.officer_a, thread=f"{number:064x}", urgency=2)
        push.wake_browsers()
    assert len(service.came) == few
    row = PushSubscription.objects.get()
    assert row.due_at  # it is woken a little later
    assert row.tries == 0


def test_a_slow_service_does_not_hold_up_mail(
    cast: Cast, service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    for persona in (cast.officer_a, cast.officer_b):
        ask(persona, "", service.endpoint(persona.name))
        tell(persona)
    monkeypatch.setattr(push, "ROUND_SECONDS", 0.0)
    assert push.wake_browsers() == 0
    monkeypatch.setattr(push, "ROUND_SECONDS", 15.0)
    assert push.wake_browsers() == 2


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(cast: Cast, service: PushService, status: int) -> None:
    ask(cast.officer_a, "", service.endpoint())
    tell(cast.officer_a)
    service.statuses = [status]
    assert push.wake_browsers() == 0
    assert not PushSubscription.objects.exists()
    assert AuditEntry.objects.filter(act="push:remove", membership_id=None).count() == 1


def test_no_answer_leads_anywhere_else(cast: Cast, service: PushService) -> None:
    service.location = f"https://{service.host}/elsewhere"
    for status in (301, 302, 307, 308):
        service.statuses = [status]
        assert wake(service.endpoint(), is_urgent=False) is Outcome.LATER
    assert {woken.path for woken in service.came} == {"/push/a-browser"}


def test_a_service_with_a_wrong_certificate_or_too_slow_is_not_trusted(
    service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("network.push.ANSWER_SECONDS", 0.5)
    monkeypatch.delenv("SSL_CERT_FILE")
    assert wake(service.endpoint(), is_urgent=False) is Outcome.LATER
    assert service.came == []


def test_a_service_that_says_nothing_is_left_after_seconds(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("network.push.ANSWER_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        settings.PUSH_SERVICES = (Service.read(f"localhost:{port}"),)
        taken: list[socket.socket] = []
        listening = threading.Thread(target=lambda: taken.append(silent.accept()[0]))
        listening.start()
        began = time.monotonic()
        assert wake(f"https://localhost:{port}/push/x", is_urgent=False) is Outcome.LATER
        assert time.monotonic() - began < 10
        listening.join()
        taken[0].close()


@pytest.mark.django_db(transaction=True)
def test_a_browser_is_woken_once_however_many_processes_wake(cast: Cast, service: PushService) -> None:
    for number, persona in enumerate((cast.officer_a, cast.officer_b, cast.supervisor_a)):
        ask(persona, "", service.endpoint(f"browser-{number}"))
        tell(persona)
    assert sum(together(*[push.wake_browsers] * 3)) == 3
    assert sorted(woken.path for woken in service.came) == [f"/push/browser-{n}" for n in range(3)]


# Whom is asked


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x",
        "https://evil.example/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evilnotify.windows.com/x",
        "https://notify.windows.com/x",
        "https://fcm.googleapis.com@evil.example/x",
        "https://user:word@fcm.googleapis.com/x",
        "https://@fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com:99999/x",
        "https://fcm.googleapis.com\\@evil.example/x",
        "https://fcm.googleapis.com/x#y",
        "https://fcm.googleapis.com/x\r\nHost: evil.example",
        "https://127.0.0.1/x",
        "https://2130706433/x",
        "https://[::1]/x",
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost/x",
        "https:///x",
        "file:///etc/passwd",
        "",
        "x" * 2000,
        "https://fcm.googleapis.com/" + "x" * 1024,
        "https://fcm.googleapis.com/ü",
        "https://[fcm.googleapis.com/x",
        "https://" + "a" * 64 + ".notify.windows.com/x",
        "https://a..notify.windows.com/x",
        "https://a%00.notify.windows.com/x",
        "https://*.notify.windows.com/x",
    ],
)
def test_no_other_address_is_taken_or_asked(cast: Cast, settings: LazySettings, endpoint: str) -> None:
    settings.PUSH_SERVICES = tuple(Service.read(name) for name in KNOWN)
    with pytest.raises(Invalid):
        check_endpoint(endpoint)
    assert ask(cast.officer_a, "", endpoint).status_code == 422
    assert wake(endpoint, is_urgent=False) is Outcome.GONE
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize(
    "endpoint",
    ["https://fcm.googleapis.com/fcm/send/a:b-c_d", "https://am3p.notify.windows.com/w/?token=a%3d"],
)
def test_addresses_of_known_services_are_taken(cast: Cast, settings: LazySettings, endpoint: str) -> None:
    settings.PUSH_SERVICES = tuple(Service.read(name) for name in KNOWN)
    assert ask(cast.officer_a, "", endpoint).status_code == 200


def test_a_known_name_that_leads_into_the_own_network_is_not_asked(
    settings: LazySettings, service: PushService
) -> None:
    settings.PROFILE = "production"
    assert wake(service.endpoint(), is_urgent=False) is Outcome.LATER
    assert service.came == []


@pytest.mark.parametrize("body", [None, 5, "", ["https://fcm.googleapis.com/x"], {"a": 1}])
def test_what_is_no_address_is_refused_with_a_sentence(cast: Cast, body: object) -> None:
    answer = ask(cast.officer_a, "", body)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"]


def test_a_service_taken_from_the_list_is_not_asked_any_more(
    cast: Cast, service: PushService, settings: LazySettings
) -> None:
    ask(cast.officer_a, "", service.endpoint())
    settings.PUSH_SERVICES = ()
    tell(cast.officer_a)
    assert push.wake_browsers() == 0
    assert not PushSubscription.objects.exists()
    assert service.came == []


# As long as somebody is signed in there


def test_the_address_is_sealed_and_stands_nowhere_else(cast: Cast, service: PushService) -> None:
    ask(cast.officer_a, "", service.endpoint("a-secret-place"))
    row = PushSubscription.objects.get()
    assert b"a-secret-place" not in bytes(row.endpoint_sealed)
    assert open_field(push.FIELD, bytes(row.endpoint_sealed)) == service.endpoint("a-secret-place")
    (entry,) = AuditEntry.objects.filter(act="push:add")
    assert "secret" not in f"{entry.subject} {entry.facts}"
    assert "a-secret-place" not in cast.officer_a.client().get("/notifications/settings/").content.decode()


@pytest.mark.parametrize("end", ["sign out", "suspend", "end", "hand over", "turn off", "remove all"])
def test_whoever_signs_out_or_is_put_out_is_not_woken(cast: Cast, service: PushService, end: str) -> None:
    ask(cast.officer_a, "", service.endpoint())
    tell(cast.officer_a)
    match end:
        case "sign out":
            end_sign_in(cast.officer_a.actor)
        case "suspend":
            post_form(cast.administrator_a, person(cast.officer_a, "suspend/"), reason="device-lost")
        case "end":
            post_form(cast.administrator_a, person(cast.officer_a, "end/"))
        case "hand over":
            successor = str(row_of(cast.supervisor_a).id)
            post_form(cast.administrator_a, person(cast.officer_a, "hand-over/confirm/"), successor=successor)
            assert not PushSubscription.objects.exists()
        case "turn off":
            ask(cast.officer_a, "remove/", service.endpoint())
            assert AuditEntry.objects.filter(act="push:remove").count() == 1
        case _:
            cast.officer_a.client().post("/notifications/push/remove-all/")
    assert push.wake_browsers() == 0
    assert service.came == []
    push.forget_ended_subscriptions()
    assert not PushSubscription.objects.exists()


def test_a_sign_in_that_ran_out_by_itself_still_calls_for_a_month(cast: Cast, service: PushService) -> None:
    ask(cast.officer_a, "", service.endpoint())
    row = PushSubscription.objects.select_related("sign_in").get()
    row.sign_in.quiet_until_at = row.sign_in.until_at = timezone.now() - timedelta(hours=1)
    row.sign_in.save(update_fields=["quiet_until_at", "until_at"])
    tell(cast.officer_a)
    assert push.wake_browsers() == 1
    PushSubscription.objects.update(renewed_at=timezone.now() - push.LASTS - timedelta(days=1))
    tell(cast.officer_a, thread="cd" * 32)
    assert push.wake_browsers() == 0
    assert push.forget_ended_subscriptions() == 1


def test_the_same_person_goes_on_and_another_in_the_same_browser_ends_it(
    cast: Cast, service: PushService
) -> None:
    endpoint = service.endpoint()
    assert ask(cast.officer_a, "renew/", endpoint).json() == {"is_woken": False}
    ask(cast.officer_a, "", endpoint)
    again = begin_sign_in(membership_id=row_of(cast.officer_a).id)
    assert ask(Persona("again", cast.officer_a.membership, again.id), "renew/", endpoint).json()["is_woken"]
    assert PushSubscription.objects.get().sign_in_id == again.id
    assert ask(cast.officer_b, "renew/", endpoint).json() == {"is_woken": False}
    assert not PushSubscription.objects.exists()


def test_a_browser_in_which_somebody_signed_out_is_not_woken_by_the_next_sign_in(
    cast: Cast, service: PushService
) -> None:
    ask(cast.officer_a, "", service.endpoint())
    end_sign_in(cast.officer_a.actor)
    again = begin_sign_in(membership_id=row_of(cast.officer_a).id)
    persona = Persona("again", cast.officer_a.membership, again.id)
    assert ask(persona, "renew/", service.endpoint()).json() == {"is_woken": False}


def test_whoever_begins_to_act_for_a_colleague_goes_on_being_woken(cast: Cast, service: PushService) -> None:
    lent = Delegation.objects.create(
        grantor=row_of(cast.supervisor_a),
        delegate=row_of(cast.officer_a),
        roles=["supervisor"],
        from_at=timezone.now() - timedelta(hours=1),
        until_at=timezone.now() + timedelta(hours=1),
    )
    own = row_of(cast.officer_a).sign_ins.get()
    type(own).objects.filter(id=own.id).update(factor="development")
    ask(cast.officer_a, "", service.endpoint())
    new = act_for(cast.officer_a.actor, delegation_id=lent.id)
    assert PushSubscription.objects.get().sign_in_id == new.id


def test_a_stranger_cannot_stop_what_wakes_another(cast: Cast, service: PushService) -> None:
    ask(cast.officer_a, "", service.endpoint())
    for stranger in (cast.officer_b, cast.administrator_a, cast.signed_out):
        ask(stranger, "remove/", service.endpoint())
        stranger.client().post("/notifications/push/remove-all/")
    assert PushSubscription.objects.get().sign_in.membership_id == row_of(cast.officer_a).id


def test_browsers_of_one_person_are_ten_at_most(cast: Cast, service: PushService) -> None:
    for number in range(push.BROWSERS_MOST):
        push.add_subscription(cast.officer_a.actor, endpoint=service.endpoint(f"b{number}"))
    assert ask(cast.officer_a, "", service.endpoint("one-more")).status_code == 409
    assert ask(cast.officer_a, "", service.endpoint("b1")).status_code == 200
    assert PushSubscription.objects.count() == push.BROWSERS_MOST


def test_asking_is_limited(cast: Cast, service: PushService) -> None:
    statuses = {ask(cast.officer_a, "renew/", service.endpoint()).status_code for _ in range(12)}
    assert statuses == {200, 429}
