"""The directory as strangers and members read it: what is found, shown, and as if not there."""

import re
import uuid
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from network import limits
from network.directory.facts import parse_hours
from network.directory.folding import fold_all
from network.models import (
    AcceptedLanguage,
    Authority,
    DirectoryEntry,
    Function,
    Office,
    SpecialDays,
    Visibility,
)
from network.queries.directory import count_due, desks_of
from tests.personas import Cast, make_authority

VARYING = re.compile(
    r'(?<=csrf-token" content=")\w+|(?<=csrfmiddlewaretoken" value=")\w+|[0-9a-f]{8}-[0-9a-f-]{27}'
)
GROUPS = ("address", "telephone", "mail", "hours", "duty", "languages", "channels")
NUMBER, DUTY, MAIL = "+44 20 7946 0123", "+44 20 7946 0999", "requests@authority-b.example"
STREET, NOTE = "7 Canary Wharf of State B", "A canary sings in the channel note"


def make_entry(authority: Authority, visibility: str = Visibility.PUBLIC, **groups: str) -> DirectoryEntry:
    """Make an entry with something in each group; groups are shown to the network unless said otherwise."""
    entry = DirectoryEntry.objects.create(
        authority=authority,
        visibility=visibility,
        channels=["courier"],
        channel_note=NOTE,
        urgent_procedure="Telephone first.",
        folded_names=fold_all(authority.name),
        confirmed_at=timezone.now(),
        **{f"{group}_visibility": value for group, value in groups.items()},
    )
    AcceptedLanguage.objects.create(entry=entry, language="sw")
    office = Office.objects.create(
        entry=entry,
        name="Registry of the canary",
        address=STREET,
        telephones=[NUMBER],
        mail=MAIL,
        duty_telephone=DUTY,
        time_zone="Asia/Kathmandu",
        hours=[[day, opens, closes] for day in range(5) for opens, closes in parse_hours("10:00-17:00")],
    )
    today = timezone.now().date()
    SpecialDays.objects.create(
        office=office, first_on=today, last_on=today + timedelta(days=1), reason="Feast of the canary"
    )
    return entry


def body(client: Client, path: str, status: int = 200) -> str:
    response: Any = client.get(path)
    assert response.status_code == status, (path, response.status_code)
    return str(response.content.decode())


def page_of(authority: Authority) -> str:
    return f"/directory/authorities/{authority.id}/"


@pytest.fixture
def authority_b(cast: Cast) -> Authority:
    """Give the authority of State B."""
    return Authority.objects.get(id=cast.officer_b.actor.authority_id)


SHOWN = {
    "address": STREET,
    "telephone": NUMBER,
    "mail": MAIL,
    "hours": "Feast of the canary",
    "duty": DUTY,
    "languages": "Swahili",
    "channels": NOTE,
}


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_is_shown_to_whom_the_state_chose(cast: Cast, authority_b: Authority, group: str) -> None:
    entry = make_entry(authority_b)
    column = f"{group}_visibility"
    readers = {"stranger": cast.signed_out, "member": cast.officer_a, "own": cast.officer_b}
    expected = {
        Visibility.PUBLIC: {"stranger", "member", "own"},
        Visibility.NETWORK: {"member", "own"},
        Visibility.NOBODY: {"own"},
    }
    for visibility, who in expected.items():
        DirectoryEntry.objects.filter(pk=entry.pk).update(**{column: visibility})
        seen = {
            name
            for name, persona in readers.items()
            if SHOWN[group] in body(persona.client(), page_of(authority_b))
        }
        assert seen == who, visibility


def test_a_stranger_receives_no_byte_of_what_is_for_the_network(cast: Cast, authority_b: Authority) -> None:
    make_entry(authority_b)
    stranger = cast.signed_out.client()
    paths = [page_of(authority_b), "/directory/", "/directory/XBB/", "/directory/?search=swahili"]
    paths += ["/directory/?language=sw", "/directory/?search=canary", f"/directory/?search={NUMBER[1:3]}"]
    for path in paths:
        found = body(stranger, path)
        assert not [text for text in (*SHOWN.values(), "Kathmandu", "Registry of") if text in found], path
    assert "Registry of the canary" in body(cast.officer_a.client(), page_of(authority_b))


@pytest.mark.parametrize("visibility", [Visibility.NETWORK, Visibility.NOBODY])
def test_a_hidden_entry_looks_like_none(cast: Cast, authority_b: Authority, visibility: str) -> None:
    make_entry(authority_b, visibility, languages=Visibility.PUBLIC)
    stranger, other = cast.signed_out.client(), cast.officer_a.client()
    hidden, nothing = (
        VARYING.sub("", body(stranger, f"/directory/authorities/{each}/", 404))
        for each in (authority_b.id, uuid.uuid4())
    )
    assert hidden == nothing
    assert authority_b.name not in body(stranger, "/directory/?search=prosecutor")
    assert "XBB" not in body(stranger, "/directory/")
    body(stranger, "/directory/XBB/", 404)
    is_for_members = visibility == Visibility.NETWORK
    body(other, page_of(authority_b), 200 if is_for_members else 404)
    body(cast.officer_b.client(), page_of(authority_b))


def test_an_entry_nobody_has_touched_is_for_the_network(cast: Cast, authority_b: Authority) -> None:
    body(cast.signed_out.client(), page_of(authority_b), 404)
    body(cast.limited_officer_a.client(), page_of(authority_b), 404)
    assert authority_b.name in body(cast.officer_a.client(), "/directory/?search=prosecutor+general")


def test_what_has_no_function_in_force_is_not_in_the_directory(cast: Cast, authority_b: Authority) -> None:
    Function.objects.filter(authority=authority_b).update(
        valid_until=timezone.now().date() - timedelta(days=1)
    )
    body(cast.officer_a.client(), page_of(authority_b), 404)
    mission = cast.focal_point_a.actor.authority_id
    body(cast.officer_a.client(), f"/directory/authorities/{mission}/", 404)


FRANCE = "Ministère de la Justice, Bureau de l’entraide pénale"


@pytest.mark.parametrize(
    "words",
    [
        "france", "FRA", "فرنسا", "法国", "Франция", "Francia", "ministere", "ENTRAIDE PENALE",
        "justice france", "relevés bancaires", "bank records", "الأدلة", "司法协助",
        "взаимной правовой помощи", "untoc", "Palermo", "swahili", "суахили",
    ],
)  # fmt: skip
def test_a_search_finds_in_six_languages(cast: Cast, words: str) -> None:
    authority = make_authority("FRA", FRANCE)
    make_entry(authority)
    found = body(cast.officer_a.client(), f"/directory/?search={words}")
    assert FRANCE in found
    assert "No State or authority" not in found


@pytest.mark.parametrize("words", ["extradition", "germany", "%", "_", "france firearms"])
def test_a_search_does_not_find_what_is_not_there(cast: Cast, words: str) -> None:
    make_entry(make_authority("FRA", FRANCE))
    assert FRANCE not in body(cast.officer_a.client(), f"/directory/?search={words}")


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("function=MLA", True),
        ("function=EXT", False),
        ("instrument=UNTOC", True),
        ("instrument=UNCAC", False),
        ("language=sw", True),
        ("language=fr", False),
        ("function=MLA&language=sw&instrument=UNTOC", True),
        ("function=nothing", False),
        ("language=%00", False),
        ("search=%00", False),
        ("function=%00&instrument=%00", False),
    ],
)
def test_filters_narrow_the_list(cast: Cast, authority_b: Authority, query: str, is_found: bool) -> None:
    make_entry(authority_b)
    found = body(cast.officer_a.client(), f"/directory/?{query}")
    assert (authority_b.name in found) is is_found


def test_names_of_states_are_those_of_the_reader(cast: Cast) -> None:
    make_entry(make_authority("GBR", "Home Office"))
    make_entry(make_authority("AFG", "Ministry"))
    make_entry(make_authority("CHN", "Ministry"))
    stranger = cast.signed_out.client()
    for language, names in {
        "en": ["Afghanistan", "China", "United Kingdom of Great Britain and Northern Ireland"],
        "fr": ["Afghanistan", "Chine", "Royaume-Uni de Grande-Bretagne"],
        "zh-hans": ["阿富汗", "大不列颠及北爱尔兰联合王国", "中国"],
        "ru": ["Афганистан", "Китай", "Соединенное Королевство"],
    }.items():
        found = str(stranger.get("/directory/", headers={"accept-language": language}).content.decode())
        places = [found.index(name) for name in names]
        assert places == sorted(places), language


def test_the_list_is_paged_by_state_without_gap_or_repetition(cast: Cast) -> None:
    letters = "DEFGHIJKLMNOPQRSTUVWXYZ"
    for first, second in pairwise(letters):
        make_entry(make_authority(f"X{first}{second}", f"Authority {first}{second}"))
        make_entry(make_authority(f"Q{first}{second}", f"Authority Q{first}{second}"))
    client, seen, path, states = cast.signed_out.client(), list[str](), "/directory/", 0
    while path:
        response: Any = client.get(path)
        page = response.context["page"]
        states = page.states
        seen += [group.state.code for group in page.groups]
        path = f"/directory/?after={page.after}" if page.after else ""
    assert len(seen) == len(set(seen)) == states


@pytest.mark.parametrize(
    "path", ["/directory/?after=ZZZ", "/directory/XBB/?after=x", "/directory/nowhere/", "/directory/%00/"]
)
def test_a_place_that_is_none_is_not_found(cast: Cast, path: str) -> None:
    body(cast.officer_a.client(), path, 404)


def test_a_list_costs_the_same_whatever_it_holds(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = cast.signed_out.client()

    def queries() -> int:
        with django_assert_max_num_queries(14) as captured:
            body(client, "/directory/")
        return len(captured)

    make_entry(make_authority("XDD", "One"))
    few = queries()
    for n in range(8):
        make_entry(make_authority(f"XE{'ABCDEFGH'[n]}", f"Another {n}"))
    assert queries() == few


def test_strangers_search_within_a_limit(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    line = limits.LIMITS["directory-search"]
    for _ in range(int(line.burst)):
        limits.spend("directory-search", "127.0.0.1")
    body(cast.signed_out.client(), "/directory/?search=x", 429)
    body(cast.signed_out.client(), "/directory/")
    body(cast.officer_a.client(), "/directory/?search=x")


def test_who_may_write_is_led_to_a_new_thread(cast: Cast, authority_b: Authority) -> None:
    make_entry(authority_b)
    link = f"/threads/new/?authority={authority_b.id}"
    assert link not in body(cast.officer_a.client(), page_of(authority_b))
    page = body(cast.officer_a.client(), page_of(authority_b))
    assert "no keys yet" in page
    # Why nothing leads on stands where the button would be, once.
    why = "Nobody can write to this authority here until it has made its keys."
    assert page.count(why) == 1
    assert page.index(why) < page.index("Before you write")


def test_only_the_secretariat_lists_what_is_stale(cast: Cast, authority_b: Authority) -> None:
    entry = make_entry(authority_b)
    for name in ("directory_officer", "moderator"):
        client = cast.everybody()[name].client()
        assert authority_b.name not in body(client, "/directory/?stale=yes")
    DirectoryEntry.objects.filter(pk=entry.pk).update(confirmed_at=timezone.now() - timedelta(days=200))
    assert authority_b.name in body(cast.directory_officer.client(), "/directory/?stale=yes")
    assert "Not confirmed for six months" not in body(cast.officer_a.client(), "/directory/")


def test_the_instruments_both_share_are_named(cast: Cast, authority_b: Authority) -> None:
    make_entry(authority_b)
    assert "Legal basis you share" in body(cast.officer_a.client(), page_of(authority_b))
    assert "Legal basis you share" not in body(cast.signed_out.client(), page_of(authority_b))


def test_desks_say_languages_and_hours_as_far_as_they_are_shown(cast: Cast, authority_b: Authority) -> None:
    entry = make_entry(authority_b)
    desk = desks_of(cast.officer_a.actor, [authority_b.id])[authority_b.id]
    assert (desk.languages, desk.is_open, desk.time_zone) == (("sw",), False, "Asia/Kathmandu")
    assert desk.changes_at
    DirectoryEntry.objects.filter(pk=entry.pk).update(
        hours_visibility="nobody", languages_visibility="nobody"
    )
    desk = desks_of(cast.officer_a.actor, [authority_b.id])[authority_b.id]
    assert (desk.languages, desk.is_open, desk.changes_at) == ((), None, None)


def test_who_keeps_an_entry_is_told_when_it_is_due(cast: Cast) -> None:
    assert count_due(cast.editor_a.actor) == 1
    assert count_due(cast.officer_a.actor) == 0
    assert count_due(cast.directory_officer.actor) == 0
    make_entry(Authority.objects.get(id=cast.editor_a.actor.authority_id))
    assert count_due(cast.editor_a.actor) == 0
