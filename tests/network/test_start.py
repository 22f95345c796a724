"""The start page: what waits for whom, and where it leads."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from network.audit import record
from network.models import Factor, Membership, Role, SignIn
from network.project.serve import refuse_demonstration
from network.project.start import tasks_of
from tests.factories import open_offices, request_device
from tests.personas import Cast, make_persona

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("officer_a", "/welcome/"),
        ("supervisor_a", "/welcome/"),
        ("administrator_a", "/welcome/"),
        ("directory_officer", "/welcome/"),
        ("prosecutor_a", "/welcome/"),
        ("limited_officer_a", "/account/"),
    ],
)
def test_everybody_is_led_along_the_guided_path_first(cast: Cast, name: str, place: str) -> None:
    client = cast.everybody()[name].client()
    response = client.get("/")
    assert response.headers["location"] == place
    assert client.get(place).status_code == 200


@pytest.mark.parametrize("name", ["signed_out", "former_officer_a", "suspended_officer_a"])
def test_whoever_is_signed_out_sees_what_this_is(cast: Cast, name: str) -> None:
    shown = page_of(cast, name)
    assert links_in(shown) >= {"/sign-in/", "/directory/", "/help/", "/what-the-server-sees/"}
    assert "/threads/" not in links_in(shown)


def page_of(cast: Cast, name: str, path: str = "/") -> str:
    """Return a page as somebody sees it for whom no step of the guided path is left."""
    SignIn.objects.update(factor=Factor.DEVELOPMENT)
    response = cast.everybody()[name].client().get(path)
    assert response.status_code == 200, (name, response.status_code, response.headers.get("location"))
    return str(response.content.decode())


def links_in(shown: str) -> set[str]:
    return {link for link in re.findall(r'href="(/[^"#?]*)"', shown) if not link.startswith("/static/")}


def count_in(shown: str, which: str) -> int:
    found = re.search(rf'id="tile-{which}".*?tile-count">(\d+)<', shown, re.DOTALL)
    assert found, which
    return int(found[1])


# Pages of other parts, asked for by their own tests; here it matters that no link leads to a refusal.
@pytest.mark.parametrize(
    "name",
    [
        "administrator_a",
        "auditor_a",
        "editor_a",
        "duty_officer_a",
        "liaison_a",
        "focal_point_a",
        "coordinator",
        "observer",
        "directory_officer",
        "moderator",
        "security_officer",
    ],
)
def test_roles_without_correspondence_get_a_page_whose_links_they_may_follow(cast: Cast, name: str) -> None:
    open_offices(cast)
    shown = page_of(cast, name)
    assert "What you can do here" in shown
    assert "/threads/" not in shown
    refused = {}
    for link in links_in(shown) - {"/"}:
        status = cast.everybody()[name].client().get(link).status_code
        if status >= 400:
            refused[link] = status
    assert refused == {}


def test_an_officer_sees_what_waits_and_nothing_that_is_sealed(cast: Cast) -> None:
    offices = open_offices(cast)
    thread = offices.officer_a.open_thread(offices.officer_b, "The account is 1234567890.")
    theirs = page_of(cast, "officer_b")
    assert [count_in(theirs, which) for which in ("answer", "urgent", "others", "overdue", "new")] == [
        1,
        0,
        0,
        0,
        1,
    ]
    assert f"/threads/{thread}/" in links_in(theirs)
    assert "Ministry of Justice of State A" in theirs
    assert "not acknowledged" in theirs
    ours = page_of(cast, "officer_a")
    assert [count_in(ours, which) for which in ("answer", "others")] == [0, 1]
    assert "Nothing waits for your authority’s answer." in ours
    assert "not delivered yet" in ours
    assert "1234567890" not in ours + theirs


def test_an_authority_without_a_thread_is_told_what_comes(cast: Cast) -> None:
    open_offices(cast)
    shown = page_of(cast, "officer_a")
    assert "No correspondence yet" in shown
    assert links_in(shown) >= {"/threads/new/", "/directory/"}


@pytest.mark.parametrize(
    ("query", "lists"),
    [
        ("", ["answer", "others"]),
        ("?show=urgent", ["urgent"]),
        ("?show=new&handled=me", ["new"]),
        ("?show=overdue&from=50", ["overdue"]),
        ("?show=%00&handled=%ff&from=-1", ["answer", "others"]),
        ("?from=99999999999999999999999999", ["answer", "others"]),
        (f"?from={'9' * 5000}", ["answer", "others"]),
        ("?show=answer&from=\u0665", ["answer"]),
    ],
)
def test_the_lists_follow_the_address_and_nothing_in_it_breaks_them(
    cast: Cast, query: str, lists: list[str]
) -> None:
    offices = open_offices(cast)
    offices.officer_a.open_thread(offices.officer_b)
    shown = page_of(cast, "officer_b", f"/{query}")
    assert re.findall(r'id="title-(\w+)"', shown) == lists
    again = cast.officer_b.client().get(f"/start/now/{query}").content.decode()
    assert re.findall(r'id="title-(\w+)"', again) == lists


def test_the_living_part_is_for_members_and_no_sign_that_somebody_is_there(cast: Cast) -> None:
    assert cast.signed_out.client().get("/start/now/").headers["location"].startswith("/sign-in/")
    assert cast.limited_officer_a.client().get("/start/now/").status_code == 403
    row = SignIn.objects.filter(membership=cast.auditor_a.membership)
    row.update(quiet_until_at=timezone.now() + timedelta(minutes=5))
    before = row.get().quiet_until_at
    for path in ("/start/now/", "/sw.js"):  # a browser looks for a newer worker by itself
        assert cast.auditor_a.client().get(path).status_code == 200
        assert row.get().quiet_until_at == before
    cast.auditor_a.client().get("/welcome/")
    assert row.get().quiet_until_at != before


def test_what_else_waits_is_counted_for_whom_it_waits(cast: Cast) -> None:
    offices = open_offices(cast)
    request_device(cast.delegate_a, offices.officer_a.mailbox.principal)
    now = timezone.now()
    Membership.objects.filter(id__in=[each.id for each in members_of(cast, "auditor_a", "editor_a")]).update(
        attested_until_at=now + timedelta(days=10)
    )
    expected = {
        "administrator_a": {"/devices/": 1, "/people/attest/": 3, "/directory/own/": 1},
        "supervisor_a": {"/devices/": 1},
        "officer_a": {},
        "administrator_b": {"/directory/own/": 1},
        "directory_officer": {"/states/": 3},
    }
    SignIn.objects.update(factor=Factor.DEVELOPMENT)
    for name, tasks in expected.items():
        found: dict[str, int] = {}
        for task in tasks_of(cast.everybody()[name].actor):
            found[task.path] = max(task.count, found.get(task.path, 0))
            assert str(task.count) in task.sentence or task.path == "/directory/own/"
        assert found == tasks, name


def members_of(cast: Cast, *names: str) -> list[Membership]:
    found = [cast.everybody()[name].membership for name in names]
    return [member for member in found if member]


@pytest.mark.django_db
def test_the_demonstration_is_not_served_for_real_use(settings: Settings) -> None:
    refuse_demonstration()
    record(None, "demo:load", "demo")
    refuse_demonstration()
    settings.PROFILE = "production"
    with pytest.raises(ImproperlyConfigured, match="demonstration"):
        refuse_demonstration()


def test_a_sign_in_without_a_proof_counts_for_nothing_in_real_use(cast: Cast, settings: Settings) -> None:
    assert cast.officer_b.membership
    theirs = cast.officer_b.membership.authority
    unproven = make_persona("unproven", theirs, Role.OFFICER, factor=Factor.DEVELOPMENT)
    assert unproven.client().get("/api/session").status_code == 200
    settings.PROFILE = "production"
    assert unproven.client().get("/api/session").status_code == 401
    assert cast.officer_b.client().get("/api/session").status_code == 200
    assert cast.delegate_a.client().get("/api/session").status_code == 200


@pytest.mark.django_db
def test_who_typed_the_number_is_led_to_the_one_address(client: Client) -> None:
    response = client.get("/threads/?x=1", headers={"host": "127.0.0.1:8000"})
    assert response.status_code == 302
    assert response.headers["location"] == f"{settings.SITE_ORIGIN}/threads/?x=1"
    assert client.get("/healthz", headers={"host": "127.0.0.1:8000"}).status_code == 200
    assert client.get("/sign-in/", headers={"host": "evil.test"}).status_code == 400
