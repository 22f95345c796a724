"""How the client proves who it is. A national system's own way is another class with the same method."""

import asyncio
from typing import Any, Protocol

import httpx

from messaging.sdk.errors import SignInFailed, Unreachable
from messaging.sdk.passkey import SoftwarePasskey

SESSION_COOKIES = ("session", "__Host-session")
FORGERY_COOKIES = ("csrftoken", "__Host-csrftoken")


class SignIn(Protocol):
    """Leaves a session cookie in the HTTP client or raises `SignInFailed`.

    Called again when the session ends, and when a dangerous act asks for a fresh proof: a new sign-in is one.
    """

    async def sign_in(self, http: httpx.AsyncClient) -> None: ...


class PasskeySignIn:
    """Signs in with a passkey in software, for one membership where the person has several.

    Nothing of it is secret but the passkey itself, which lies in a file of its own.
    """

    def __init__(self, passkey: SoftwarePasskey, *, membership: str | None = None) -> None:
        self.passkey = passkey
        self.membership = membership

    async def sign_in(self, http: httpx.AsyncClient) -> None:
        """Let the passkey answer a challenge of the sign-in page."""
        http.cookies.clear()
        page = await http.get("/sign-in/")
        check_available(page)
        options = await self._post(http, "/sign-in/passkey/options/", {})
        fields = {"membership": self.membership} if self.membership else {}
        credential = await asyncio.to_thread(self.passkey.assertion, options)
        await self._post(http, "/sign-in/passkey/", {"credential": credential, "fields": fields})
        if (await http.get("/api/session")).status_code != httpx.codes.OK:
            raise SignInFailed("This person has several memberships: name the one to act for.")

    async def _post(self, http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Accept": "application/json", "X-CSRFToken": forgery_token(http) or ""}
        answer = await http.post(path, json=body, headers=headers)
        check_available(answer)
        if answer.status_code != httpx.codes.OK:
            raise SignInFailed(f"The server did not let this passkey in (status {answer.status_code}).")
        found: dict[str, Any] = answer.json()
        return found


class DevelopmentSignIn:
    """Signs in as a membership without any proof. Only a server of the development profile has this door."""

    def __init__(self, membership: str) -> None:
        self.membership = membership

    async def sign_in(self, http: httpx.AsyncClient) -> None:
        """Take a CSRF token from the sign-in page and post the membership."""
        http.cookies.clear()
        page = await http.get("/sign-in/")
        check_available(page)
        token = forgery_token(http)
        if page.status_code != httpx.codes.OK or not token:
            raise SignInFailed(f"The sign-in page answered {page.status_code}.")
        form = {"membership": self.membership, "csrfmiddlewaretoken": token}
        answer = await http.post("/sign-in/as/", data=form)
        check_available(answer)
        if answer.status_code != httpx.codes.FOUND or not any(http.cookies.get(n) for n in SESSION_COOKIES):
            raise SignInFailed(f"The server did not let this membership in (status {answer.status_code}).")


def forgery_token(http: httpx.AsyncClient) -> str | None:
    """Return the token that shows that a request does not come from a page of somebody else's."""
    return next((token for name in FORGERY_COOKIES if (token := http.cookies.get(name))), None)


def check_available(answer: httpx.Response) -> None:
    """Raise `Unreachable` for an answer that only says "later": too many attempts, or a server in trouble."""
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
        raise Unreachable(f"The server answered {answer.status_code}.")
