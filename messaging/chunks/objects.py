"""Chunks in an S3-compatible store: three requests, each signed (AWS Signature Version 4), path-style.

Source: the reference of the S3 API, "Authenticating Requests (AWS Signature Version 4)", header form.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import quote, urlsplit

import httpx

from messaging.chunks.errors import ChunkMissing, StoreFailed

TIMEOUT = httpx.Timeout(30.0, connect=5.0)
TRIES = 3  # what failed by the line or the store is tried again at once; each request may be repeated
_AGAIN = frozenset({500, 502, 503, 504})


class Bucket(Protocol):
    """Where the store is and who asks: `https://host[:port]`, bucket, region, a key and its secret."""

    @property
    def origin(self) -> str: ...
    @property
    def bucket(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def secret(self) -> str: ...


class ObjectChunks:
    """One object for each chunk."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._http = httpx.Client(timeout=TIMEOUT, trust_env=False, follow_redirects=False)

    def close(self) -> None:
        """Close the connections to the store."""
        self._http.close()

    def put(self, name: str, data: bytes) -> None:
        """Store bytes; the store has confirmed them when this returns."""
        self._ask("PUT", name, data)

    def get(self, name: str) -> bytes:
        """Return the bytes of a name."""
        return self._ask("GET", name).content

    def remove(self, name: str) -> None:
        """Forget the bytes of a name."""
        self._ask("DELETE", name)

    def _ask(self, method: str, name: str, data: bytes = b"") -> httpx.Response:
        failure = "no answer"
        for _ in range(TRIES):
            url = f"{self._bucket.origin}/{self._bucket.bucket}/{name}"
            headers = sign_request(self._bucket, method, url, data, datetime.now(UTC))
            try:
                answer = self._http.request(method, url, content=data, headers=headers)
            except httpx.TransportError as error:
                failure = type(error).__name__
                continue
            if answer.is_success:
                return answer
            if answer.status_code == httpx.codes.NOT_FOUND and method == "GET":
                raise ChunkMissing
            if answer.status_code == httpx.codes.NOT_FOUND and method == "DELETE":
                return answer
            failure = f"status {answer.status_code}"
            if answer.status_code not in _AGAIN:
                break
        raise StoreFailed(failure)


def sign_request(bucket: Bucket, method: str, url: str, data: bytes, at: datetime) -> Mapping[str, str]:
    """Return the headers that sign a request without a query."""
    parts = urlsplit(url)
    body = hashlib.sha256(data).hexdigest()
    moment = at.strftime("%Y%m%dT%H%M%SZ")
    signed = {"host": parts.netloc, "x-amz-content-sha256": body, "x-amz-date": moment}
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    asked = "\n".join([method, quote(parts.path), "", lines, names, body])
    scope = f"{moment[:8]}/{bucket.region}/s3/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(asked.encode()).hexdigest()}"
    key = f"AWS4{bucket.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    credential = f"AWS4-HMAC-SHA256 Credential={bucket.key}/{scope}"
    return {
        "x-amz-content-sha256": body,
        "x-amz-date": moment,
        "authorization": f"{credential}, SignedHeaders={names}, Signature={signature}",
    }
