"""What may stand in an entry of the directory, and how what an editor typed becomes it."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext_lazy as _

from network.directory.channels import CHANNELS
from network.directory.hours import DAY, Hours, WeeklyHours, time_zones
from network.directory.names import LANGUAGES, language_codes
from network.errors import Invalid, Sentence
from network.models import FormalRequests, OfficeKind, OralRequests, Visibility
from network.models.directory import TOLD_AGAIN_AFTER, TOLD_FURTHER_AFTER

GROUPS = ("visibility", "address", "telephone", "mail", "hours", "duty", "languages", "channels")
INTERVALS_MOST = 6  # of one day
OFFICES_MOST = 12
SPECIAL_MOST = 30
TELEPHONES_MOST = 6
LANGUAGES_MOST = 40
TEXT_MOST = 1000
MINUTES = range(
    5, 241
)  # until what is urgent is told again: sooner disturbs who is reading, later is no night duty
ADDRESS_MOST = 600

# Signs that are not seen and turn the direction of what follows; line ends are allowed in texts.
_TURNING = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_TELEPHONE = re.compile(r"\+?[0-9][0-9 ()./-]{3,38}(?: ?(?:ext\.?|x) ?[0-9]{1,6})?")
_MAIL = re.compile(r"[^@\s<>,;:\"]{1,64}@[^@\s<>,;:\"]{1,180}\.[^@\s<>,;:\".]{2,63}")
_INTERVAL = re.compile(r"(\d{1,2})(?:[:.hч](\d{2}))?\s*[-–—~至]\s*(\d{1,2})(?:[:.hч](\d{2}))?")


class BadEntry(Invalid):
    """What was filled in cannot be so; `fields` has a sentence for each."""

    default_code = "bad-entry"
    default_sentence = _("Some fields need another look; nothing was changed yet.")

    def __init__(self, fields: Mapping[str, Sentence]) -> None:
        super().__init__()
        self.fields = dict(fields)


@dataclass(frozen=True)
class LanguageFacts:
    """Languages accepted in general (key ""), and by function where that has its own."""

    by_function: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class ChannelFacts:
    """How requests are to be sent."""

    channels: tuple[str, ...]
    channel_note: str
    formal_requests: str
    oral_requests: str
    urgent_procedure: str
    told_again_after: int = TOLD_AGAIN_AFTER
    told_further_after: int = TOLD_FURTHER_AFTER


@dataclass(frozen=True)
class VisibilityFacts:
    """Who sees the entry and each group of it, by group; and the authority's names by language."""

    by_group: Mapping[str, str]
    names: Mapping[str, str]


@dataclass(frozen=True)
class SpecialFacts:
    """Days with other hours, or none."""

    first_on: date
    last_on: date
    reason: str
    hours: tuple[Hours, ...]


@dataclass(frozen=True)
class OfficeFacts:
    """One office."""

    kind: str
    name: str
    address: str
    telephones: tuple[str, ...]
    mail: str
    duty_telephone: str
    time_zone: str
    is_always_open: bool
    hours: tuple[WeeklyHours, ...]
    special: tuple[SpecialFacts, ...] = field(default=())


Posted = Mapping[str, Any]  # name to text, or to a list of texts where several may be chosen


def plain(text: str, *, most: int, is_line: bool = True) -> str:
    """Return a text as it is kept; raises ValueError where it is too long or has signs that are not seen."""
    kept = text.replace("\r\n", "\n").strip()
    allowed = "" if is_line else "\n"
    for sign in kept:
        if sign in _TURNING or (
            unicodedata.category(sign) in {"Cc", "Co", "Cs", "Zl", "Zp"} and sign not in allowed
        ):
            raise ValueError("a sign that is not seen")
    if len(kept) > most:
        raise ValueError("too long")
    return kept


def western(text: str) -> str:
    """Return a text with digits of every script as 0 to 9."""
    return "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text)


def parse_hours(text: str) -> tuple[Hours, ...]:
    """Return the hours of a day from text like "09:00-12:30, 13:30-17:00"; empty: closed.

    A closing before the opening is on the next day. Raises ValueError for what is no hours, or overlaps.
    """
    found: list[Hours] = []
    for part in filter(None, (piece.strip() for piece in re.split(r"[,;،、]", western(text)))):
        match = _INTERVAL.fullmatch(part)
        if match is None:
            raise ValueError("not hours")
        opens, closes = _minutes(match[1], match[2]), _minutes(match[3], match[4])
        if opens == DAY:
            raise ValueError("opens at the end of the day")
        found.append((opens, closes if closes > opens else closes + DAY))
    found.sort()
    overlaps = any(before[1] > after[0] for before, after in pairwise(found))
    if overlaps or len(found) > INTERVALS_MOST or any(closes - opens > DAY for opens, closes in found):
        raise ValueError("overlapping or too many")
    return tuple(found)


def _minutes(hour: str, minute: str | None) -> int:
    minutes = int(hour) * 60 + int(minute or 0)
    if minutes > DAY or int(minute or 0) > 59:
        raise ValueError("not a time")
    return minutes


class Reading:
    """Reads typed fields one by one and keeps a sentence for each that does not fit."""

    def __init__(self, posted: Posted) -> None:
        self._posted = posted
        self.errors: dict[str, Sentence] = {}

    def raw(self, name: str) -> str:
        """Return what was typed; of several the last."""
        value = self._posted.get(name, "")
        return str(["", *value][-1] if isinstance(value, list) else value).strip()

    def ticked(self, name: str) -> list[str]:
        """Return what was ticked."""
        value = self._posted.get(name, [])
        return [str(each) for each in value] if isinstance(value, list) else [str(value)]

    def wrong(self, name: str, sentence: Sentence) -> None:
        """Keep what is wrong with a field; the first sentence stays."""
        self.errors.setdefault(name, sentence)

    def line(self, name: str, *, most: int, sentence: Sentence, is_needed: bool = False) -> str:
        """Return a line of text."""
        try:
            found = plain(self.raw(name), most=most)
        except ValueError:
            found = ""
            self.wrong(name, sentence)
        if is_needed and not found:
            self.wrong(name, sentence)
        return found

    def text(self, name: str, *, most: int) -> str:
        """Return a text of several lines."""
        try:
            return plain(self.raw(name), most=most, is_line=False)
        except ValueError:
            self.wrong(name, _("Write at most %(most)s characters, without hidden signs.") % {"most": most})
            return ""

    def choice(self, name: str, choices: Iterable[str], sentence: Sentence) -> str:
        """Return one of several values."""
        found = self.raw(name)
        if found not in set(choices):
            self.wrong(name, sentence)
        return found

    def minutes(self, name: str, usual: int) -> int:
        """Return a number of minutes; the usual one where nothing was typed."""
        typed = western(self.raw(name)) or str(usual)
        found = int(typed) if typed.isdecimal() and len(typed) < 6 else 0
        if found not in MINUTES:
            self.wrong(name, _("Write a number of minutes from 5 to 240."))
        return found

    def day(self, name: str) -> date | None:
        """Return a day, or None where nothing or no day was typed."""
        try:
            return date.fromisoformat(western(self.raw(name)))
        except ValueError:
            return None

    def close(self) -> None:
        """Raise `BadEntry` where anything was wrong."""
        if self.errors:
            raise BadEntry(self.errors)


def read_languages(posted: Posted, functions: Iterable[str]) -> LanguageFacts:
    """Return the languages that were ticked: in general, and for each function; raises `BadEntry`."""
    reading = Reading(posted)
    found: dict[str, tuple[str, ...]] = {}
    for function in ("", *functions):
        name = f"languages-{function}" if function else "languages"
        codes = tuple(dict.fromkeys(filter(None, reading.ticked(name))))
        if not set(codes) <= language_codes() or len(codes) > LANGUAGES_MOST:
            reading.wrong(name, _("Choose languages of the list, at most 40."))
        if codes:
            found[function] = codes
    reading.close()
    return LanguageFacts(found)


def read_channels(posted: Posted) -> ChannelFacts:
    """Return how requests are to be sent as it was filled in; raises `BadEntry`."""
    reading = Reading(posted)
    ticked = set(reading.ticked("channels"))
    if not ticked <= set(CHANNELS):
        reading.wrong("channels", _("Choose channels of the list."))
    facts = ChannelFacts(
        channels=tuple(code for code in CHANNELS if code in ticked),
        channel_note=reading.text("channel_note", most=TEXT_MOST),
        formal_requests=reading.choice(
            "formal_requests", FormalRequests.values, _("Choose one of the list.")
        ),
        oral_requests=reading.choice("oral_requests", OralRequests.values, _("Choose one of the list.")),
        urgent_procedure=reading.text("urgent_procedure", most=TEXT_MOST),
        told_again_after=reading.minutes("told_again_after", TOLD_AGAIN_AFTER),
        told_further_after=reading.minutes("told_further_after", TOLD_FURTHER_AFTER),
    )
    if facts.told_further_after <= facts.told_again_after:
        reading.wrong("told_further_after", _("The second time comes after the first one."))
    reading.close()
    return facts


def read_visibility(posted: Posted) -> VisibilityFacts:
    """Return who sees what, and the authority's names, as it was filled in; raises `BadEntry`."""
    reading = Reading(posted)
    sentence = _("Choose who sees this.")
    by_group = {group: reading.choice(group, Visibility.values, sentence) for group in GROUPS}
    names = {
        language: reading.line(
            f"name-{language}", most=200, sentence=_("Write at most 200 characters, without hidden signs.")
        )
        for language in LANGUAGES
    }
    reading.close()
    return VisibilityFacts(by_group, {language: name for language, name in names.items() if name})


def read_office(posted: Posted) -> OfficeFacts:
    """Return an office as it was filled in; raises `BadEntry`."""
    reading = Reading(posted)
    facts = OfficeFacts(
        kind=reading.choice("kind", OfficeKind.values, _("Choose what the office is for.")),
        name=reading.line(
            "name",
            most=200,
            sentence=_("Write what the office is called, at most 200 characters."),
            is_needed=True,
        ),
        address=reading.text("address", most=ADDRESS_MOST),
        telephones=_telephones(reading),
        mail=_mail(reading),
        duty_telephone=_telephone(reading, "duty_telephone"),
        time_zone=reading.choice(
            "time_zone", time_zones(), _("Choose a time zone of the list, like Africa/Nairobi.")
        ),
        is_always_open=reading.raw("is_always_open") == "yes",
        hours=_weekly(reading),
        special=_special(reading),
    )
    reading.close()
    return facts


def _telephone(reading: Reading, name: str, text: str | None = None) -> str:
    number = " ".join(western(reading.raw(name) if text is None else text).split())
    if number and not _TELEPHONE.fullmatch(number):
        reading.wrong(name, _("Write telephone numbers with digits, like +1 202 555 0100, one in each line."))
    return number


def _telephones(reading: Reading) -> tuple[str, ...]:
    lines = [line for line in reading.raw("telephones").splitlines() if line.strip()]
    if len(lines) > TELEPHONES_MOST:
        reading.wrong("telephones", _("Write at most 6 telephone numbers."))
    return tuple(_telephone(reading, "telephones", line) for line in lines)


def _mail(reading: Reading) -> str:
    mail = reading.raw("mail")
    if mail and not _MAIL.fullmatch(mail):
        reading.wrong(
            "mail", _("Write one complete mail address of the office, like requests@ministry.example.")
        )
    return mail


def _weekly(reading: Reading) -> tuple[WeeklyHours, ...]:
    found: list[WeeklyHours] = []
    for weekday in range(7):
        found += [(weekday, *hours) for hours in _hours(reading, f"hours-{weekday}")]
    return tuple(found)


def _hours(reading: Reading, name: str) -> tuple[Hours, ...]:
    try:
        return parse_hours(reading.raw(name))
    except ValueError:
        reading.wrong(
            name,
            _("Write hours like 09:00-12:30, 13:30-17:00, which do not overlap; nothing where it is closed."),
        )
        return ()


def _special(reading: Reading) -> tuple[SpecialFacts, ...]:
    """Return the days with other hours; a row without anything in it, or that is ticked away, is none."""
    found = []
    for row in range(SPECIAL_MOST + 3):
        names = [f"special-{part}-{row}" for part in ("first", "last", "reason", "hours")]
        if reading.raw(f"special-remove-{row}") or not any(map(reading.raw, names)):
            continue
        first_on = reading.day(names[0])
        last_on = reading.day(names[1]) if reading.raw(names[1]) else first_on
        if first_on is None or last_on is None or last_on < first_on or (last_on - first_on).days > 370:
            reading.wrong(names[0], _("Write the first day, and the last one where it is another."))
            continue
        reason = reading.line(
            names[2], most=100, sentence=_("Write why, in a few words: a holiday, say."), is_needed=True
        )
        found.append(SpecialFacts(first_on, last_on, reason, _hours(reading, names[3])))
    if len(found) > SPECIAL_MOST:
        reading.wrong("special-first-0", _("At most 30 such days or times. Take away those that are past."))
    return tuple(found)
