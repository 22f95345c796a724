"""Reads a log of keys over the network, as C2SP tlog-tiles lays it out; what it gives is not believed."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

from messaging.sealed.checkpoint import NOTE_LIMIT
from messaging.sealed.transparency import LEAF_LIMIT, TILE_WIDTH, TilePlace, bundles, read_bundle

TIMEOUT_SECONDS = 30.0
BUNDLE_MOST = TILE_WIDTH * (2 + LEAF_LIMIT)


class NoAnswer(Exception):
    """The server did not answer, or not with what was asked for."""


class LogSite:
    """A network's site; the log lies below ``/log/``."""

    def __init__(self, origin: str) -> None:
        found = urlsplit(origin)
        if found.scheme not in {"http", "https"} or not found.hostname:
            raise ValueError(f"{origin} is no address of a site: https://network.example")
        self.origin = origin.rstrip("/")

    def checkpoint(self) -> str:
        """The newest note. Raises `NoAnswer`."""
        try:
            return self._get("checkpoint", NOTE_LIMIT * 4).decode()
        except UnicodeDecodeError as error:
            raise NoAnswer("The checkpoint is no text.") from error

    def leaves(self, first: int, size: int) -> Iterator[bytes]:
        """The leaves from number ``first`` to ``size``. Raises `NoAnswer`; Refused L2 ``bad-leaf``."""
        for place in bundles(first, size):
            found = read_bundle(self._get(place.path, BUNDLE_MOST), place.width)
            yield from found[max(0, first - place.index * TILE_WIDTH) :]

    def tile(self, place: TilePlace) -> bytes:
        """The hashes of a tile. Raises `NoAnswer`."""
        return self._get(place.path, place.width * 32)

    def hand_in(self, note: str) -> None:
        """Give the log a cosigned checkpoint. Raises `NoAnswer` with the server's code."""
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        asked = urllib.request.Request(  # noqa: S310 - the scheme was checked at the start
            f"{self.origin}/log/cosignatures", note.encode(), headers, method="POST"
        )
        self._ask(asked, NOTE_LIMIT)

    def _get(self, path: str, most: int) -> bytes:
        return self._ask(urllib.request.Request(f"{self.origin}/log/{path}"), most)  # noqa: S310 - as above

    def _ask(self, asked: urllib.request.Request, most: int) -> bytes:
        try:
            with urllib.request.urlopen(asked, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - as above
                data: bytes = answer.read(most + 1)
        except urllib.error.HTTPError as error:
            said = error.read(60).decode("ascii", "replace") if error.status in {409, 422} else ""
            raise NoAnswer(f"{asked.full_url} answered {error.status} {said}".rstrip()) from error
        except OSError as error:
            raise NoAnswer(f"{asked.full_url} does not answer: {error}") from error
        if len(data) > most:
            raise NoAnswer(f"{asked.full_url} answered more than there can be.")
        return data
