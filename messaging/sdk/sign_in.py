"""How the client proves who it is. A national system's own way is another class with the same method."""

from typing import Protocol

import httpx

from messaging.sdk.errors import SignInFailed, Unreachable

SESSION_COOKIES = ("session", "__Host-session")


class SignIn(Protocol):
    """Leaves a session cookie in the HTTP client or raises `SignInFailed`; called again when it ends."""

    async def sign_in(self, http: httpx.AsyncClient) -> None: ...


class DevelopmentSignIn:
    """Signs in as a membership without any proof. Only a server of the development profile has this door."""

    def __init__(self, membership: str) -> None:
        self.membership = membership

    async def sign_in(self, http: httpx.AsyncClient) -> None:
        """Take a CSRF token from the sign-in page and post the membership."""
        http.cookies.clear()
        page = await http.get("/sign-in/")
        check_available(page)
        token = http.cookies.get("csrftoken")
        if page.status_code != httpx.codes.OK or not token:
            raise SignInFailed(f"The sign-in page answered {page.status_code}.")
        form = {"membership": self.membership, "csrfmiddlewaretoken": token}
        answer = await http.post("/sign-in/as/", data=form)
        check_available(answer)
        if answer.status_code != httpx.codes.FOUND or not any(http.cookies.get(n) for n in SESSION_COOKIES):
            raise SignInFailed(f"The server did not let this membership in (status {answer.status_code}).")


def check_available(answer: httpx.Response) -> None:
    """Raise `Unreachable` for an answer that only says "later": too many attempts, or a server in trouble."""
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
        raise Unreachable(f"The server answered {answer.status_code}.")
