"""One sentence after an act: said once on the page that comes next."""

from collections.abc import Callable

from django.http import HttpRequest

from network.errors import Sentence

NOTICES_KEY = "notices"
NOTICES_MOST = 5


def say(http_request: HttpRequest, sentence: Sentence) -> None:
    """Keep a sentence, in the language of this request, for the next page of this browser."""
    waiting = http_request.session.get(NOTICES_KEY, [])
    http_request.session[NOTICES_KEY] = [*waiting, str(sentence)][-NOTICES_MOST:]


def notices_of(http_request: HttpRequest) -> Callable[[], list[str]]:
    """Return what a page calls when it shows them: they are forgotten then, and not before."""

    def take() -> list[str]:
        session = getattr(http_request, "session", None)
        if session is None or NOTICES_KEY not in session:
            return []
        found: list[str] = session.pop(NOTICES_KEY)
        return found

    return take
