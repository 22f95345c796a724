"""In which language somebody reads: what the person chose, else what the browser says.

A choice is kept with the person and, for the pages before a sign-in, in a cookie of the browser. Whoever
writes to somebody who is not asking at this moment (mail, a notification) says so with `spoken_to`.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import reduce

from django.conf import settings
from django.http import HttpResponse
from django.utils import translation
from django.utils.translation import pgettext, trans_real

ACCEPT_MOST = 500  # characters of Accept-Language that are looked at


def is_known(code: str) -> bool:
    """Answer whether this is one of the six languages, as the product spells it."""
    return code in dict(settings.LANGUAGES)


def of_browser(accept: str, cookies: Mapping[str, str]) -> str:
    """Return what a browser asks for while nobody is known: its cookie, Accept-Language, else English."""
    kept = cookies.get(settings.LANGUAGE_COOKIE_NAME, "")
    if is_known(kept):
        return kept
    for wanted, _weight in trans_real.parse_accept_lang_header(accept[:ACCEPT_MOST]):
        try:
            return translation.get_supported_language_variant(wanted)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE


@contextmanager
def spoken_to(language: str) -> Iterator[None]:
    """Word what is said inside in this language; in English where nothing was chosen."""
    with translation.override(language if is_known(language) else settings.LANGUAGE_CODE):
        yield


def joined(words: Iterable[str]) -> str:
    """Return words as a list of the language: "A, B and C"."""
    found = list(words)
    if len(found) < 2:
        return "".join(found)
    *some, last = found
    # Translators: between the members of a list of three or more; the comma of the language.
    pair = pgettext("members of a list", "%(some)s, %(next)s")
    begun = reduce(lambda before, word: pair % {"some": before, "next": word}, some)
    # Translators: before the last member of a list.
    return pgettext("end of a list", "%(some)s and %(last)s") % {"some": begun, "last": last}


def keep_in_browser(response: HttpResponse, language: str) -> None:
    """Let the browser remember a language for the pages before a sign-in."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Strict",
    )
