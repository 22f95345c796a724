"""Who may open a socket: the exact origin, the one path, a sign-in in force; all else is refused at once."""

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings

from network.project.hub import hub_of_process
from tests.personas import Cast
from tests.realtime.conftest import Opener, Socket

GOOD = settings.SITE_ORIGIN
FOREIGN = [
    None,
    "null",
    "",
    GOOD + ".evil.test",
    GOOD + "/",
    GOOD + ":80",
    GOOD.upper(),
    GOOD.replace("http://", "https://"),
    GOOD.replace("localhost", "127.0.0.1"),
    "http://evil.test",
    f"{GOOD}, http://evil.test",
    "http://xn--lcalhost-e5a:8000",
    GOOD.replace("localhost", "localhost."),
]


async def test_an_officer_from_the_exact_origin_is_let_in(live_cast: Cast, open_socket: Opener) -> None:
    await open_socket(live_cast.officer_a)


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_foreign_origin_is_refused_before_accept(live_cast: Cast, origin: str | None) -> None:
    cookie = await sync_to_async(live_cast.officer_a.session_cookie)()
    socket = Socket(cookie, origin=None if origin is None else origin.encode())
    assert (await socket.connect(timeout=5))[0] is False


@pytest.mark.parametrize("name", ["former_officer_a", "signed_out"])
async def test_whoever_has_no_standing_is_refused(live_cast: Cast, name: str) -> None:
    socket = Socket(await sync_to_async(live_cast.everybody()[name].session_cookie)())
    assert (await socket.connect(timeout=5))[0] is False


@pytest.mark.parametrize("cookie", [None, "", "x" * 5000, "é", "a; session=b"])
async def test_a_made_up_cookie_is_refused(live_cast: Cast, cookie: str | None) -> None:
    socket = Socket(cookie)
    assert (await socket.connect(timeout=5))[0] is False


async def test_another_path_is_refused(live_cast: Cast) -> None:
    socket = Socket(await sync_to_async(live_cast.officer_a.session_cookie)(), path="/elsewhere/")
    assert (await socket.connect(timeout=5))[0] is False


async def test_other_cookies_of_the_site_do_not_keep_an_officer_out(live_cast: Cast) -> None:
    cookie = await sync_to_async(live_cast.officer_a.session_cookie)()
    socket = Socket(None)
    name = settings.SESSION_COOKIE_NAME
    headers = f'a/b=1; prefs={{"a":1}}; word; {name}={cookie}'.encode()
    socket.scope["headers"].append((b"cookie", headers))
    assert (await socket.connect(timeout=5))[0] is True
    await socket.disconnect()
    await (await hub_of_process()).stop()
