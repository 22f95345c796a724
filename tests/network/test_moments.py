"""Dates and times on pages: the reader's language, digits everybody reads alike, the zone named."""

import re
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from django.conf import settings
from django.template import Context, Template

from network.languages import spoken_to
from network.templatetags.agents import agent_in_words
from network.templatetags.moments import day, moment
from tests.architecture.sources import matching, text

pytestmark = pytest.mark.any_database
AT = datetime(2026, 3, 9, 21, 5, 7, tzinfo=UTC)
WORDS = {
    "ar": ("9 مارس 2026", "9 مارس 2026، 21:05"),
    "zh-hans": ("2026年3月9日", "2026年3月9日 21:05"),
    "en": ("9 March 2026", "9 March 2026, 21:05"),
    "fr": ("9 mars 2026", "9 mars 2026 21:05"),
    "ru": ("9 марта 2026 г.", "9 марта 2026 г. 21:05"),
    "es": ("9 de marzo de 2026", "9 de marzo de 2026 a las 21:05"),
}


def test_every_language_is_here() -> None:
    assert set(WORDS) == {code for code, _name in settings.LANGUAGES}


@pytest.mark.parametrize("language", WORDS)
def test_a_time_is_in_the_language_with_its_zone_and_for_programs(language: str) -> None:
    on, at = WORDS[language]
    with spoken_to(language):
        shown = f'<bdi>{at} <span translate="no">UTC</span></bdi>'
        assert moment(AT) == f'<time datetime="2026-03-09T21:05:07+00:00">{shown}</time>'
        assert day(AT) == day(date(2026, 3, 9)) == f'<time datetime="2026-03-09"><bdi>{on}</bdi></time>'


def test_a_time_of_another_zone_is_shown_in_utc() -> None:
    there = AT.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert moment(there) == moment(AT)
    assert day(there) == day(AT)


def test_what_never_was_is_not_shown_and_sentences_take_the_element_whole() -> None:
    assert moment(None) == day(None) == ""
    source = (
        "{% load i18n moments %}{% blocktranslate with at=x|moment %}until {{ at }}{% endblocktranslate %}"
    )
    with spoken_to("en"):
        page = Template(source).render(Context({"x": AT}))
    assert page.startswith('until <time datetime="2026-03-09T21:05:07+00:00">')


def test_templates_show_times_by_these_filters_alone() -> None:
    """The audit record's times and dates of machines (`|date:"c"`) are not for people's customs."""
    pattern = re.compile(r"""\|(?:date|time):["'](?![cUY]["'])(?!Y-m-d H:i:s["'])|\|timesince|\|natural""")
    found = [
        f"{path}: {hit[0]}" for path in matching(".html", ".txt") for hit in pattern.finditer(text(path))
    ]
    assert found == []


def test_what_a_browser_calls_itself_has_the_words_of_the_language() -> None:
    with spoken_to("en"):
        assert agent_in_words("Firefox on Windows") == "Firefox on Windows"
        assert agent_in_words("curl") == "curl"
