"""The REST face of the server: JSON in and out, the session kept alive, refusals as exceptions."""

import asyncio
import ssl
from functools import cache
from typing import Any

import httpx

from messaging.sdk.errors import ServerRefused, SignInFailed, Unreachable
from messaging.sdk.sign_in import SignIn, forgery_token

TIMEOUT_SECONDS = 30.0
BYTES_SECONDS = 300.0  # a chunk of a file, over a weak line
PATIENCE_SECONDS = 60.0  # how long a "wait a moment" (429) is waited for


@cache
def known_certificates() -> ssl.SSLContext:
    """Return what servers are known by; read once, which for many clients in one program counts."""
    return httpx.create_ssl_context(trust_env=False)


class Http:
    """One signed-in HTTP client. `request` signs in again when the session has ended."""

    def __init__(self, origin: str, sign_in: SignIn) -> None:
        self.origin = origin.rstrip("/")
        self._sign_in = sign_in
        self._signing_in = asyncio.Lock()
        self._generation = 0
        self._http = httpx.AsyncClient(
            base_url=self.origin,
            timeout=TIMEOUT_SECONDS,
            headers={"Origin": self.origin},
            trust_env=False,
            verify=known_certificates(),
        )

    async def sign_in(self, *, after: int | None = None) -> None:
        """Sign in, unless somebody else has done so since generation `after`.

        Raises `SignInFailed`, `Unreachable`.
        """
        async with self._signing_in:
            if after is not None and after != self._generation:
                return
            try:
                await self._sign_in.sign_in(self._http)
            except httpx.TransportError as error:
                raise Unreachable(f"{self.origin} does not answer.") from error
            self._generation += 1

    @property
    def generation(self) -> int:
        """Return how often this client has signed in."""
        return self._generation

    @property
    def cookie(self) -> str:
        """Return the Cookie header for the socket."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._http.cookies.jar)

    async def get(self, path: str, **query: str | int) -> Any:
        """Return the JSON of a GET."""
        return await self.request("GET", path, query=query)

    async def post(self, path: str, body: Any) -> Any:
        """Return the JSON of a POST."""
        return await self.request("POST", path, body=body)

    async def request(
        self, method: str, path: str, *, body: Any = None, query: dict[str, str | int] | None = None
    ) -> Any:
        """Return the JSON of an answer. Raises `ServerRefused`, `Unreachable`, `SignInFailed`."""
        return (await self._answer(method, path, {"json": body, "params": query})).json()

    async def put_bytes(self, path: str, data: bytes) -> None:
        """Send bytes as they are."""
        await self._answer("PUT", path, {"content": data, "timeout": BYTES_SECONDS})

    async def get_bytes(self, path: str) -> bytes:
        """Return the bytes of an answer."""
        return (await self._answer("GET", path, {"timeout": BYTES_SECONDS})).content

    async def _answer(self, method: str, path: str, more: dict[str, Any]) -> httpx.Response:
        """Return a good answer, signed in again, proven again or waited for where need be."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        has_signed_in = has_proven = False
        while True:
            generation = self._generation
            answer = await self._once(method, path, more)
            refusal = refusal_of(answer)
            if refusal is None:
                return answer
            if _lacks_sign_in(refusal) and not has_signed_in:
                await self.sign_in(after=generation)
                has_signed_in = True
                continue
            if refusal.code == "proof-needed" and not has_proven:
                await self.sign_in(after=generation)  # a new sign-in is the fresh proof that is asked for
                has_proven = True
                continue
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                raise SignInFailed(refusal.sentence)
            is_patient = asyncio.get_running_loop().time() < deadline
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS or not is_patient:
                raise refusal
            await asyncio.sleep(0.5)

    async def _once(self, method: str, path: str, more: dict[str, Any]) -> httpx.Response:
        token = forgery_token(self._http)
        headers = {"X-CSRFToken": token} if token else {}
        try:
            answer = await self._http.request(method, path, headers=headers, **more)
        except httpx.TransportError as error:
            raise Unreachable(f"{self.origin} does not answer.") from error
        if answer.status_code in {502, 503, 504}:
            raise Unreachable(f"{self.origin} answered {answer.status_code}.")
        return answer

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _lacks_sign_in(refusal: ServerRefused) -> bool:
    """Return whether the session has ended, or another request is just signing in again."""
    return refusal.status == httpx.codes.UNAUTHORIZED or refusal.code == "csrf"


def refusal_of(answer: httpx.Response) -> ServerRefused | None:
    """Return the refusal in an answer, or None when it succeeded."""
    if answer.is_success:
        return None
    try:
        error = answer.json()["error"]
        return ServerRefused(answer.status_code, str(error["code"]), str(error["message"]))
    except (ValueError, KeyError, TypeError):
        return ServerRefused(answer.status_code, f"status-{answer.status_code}", "The server refused.")
