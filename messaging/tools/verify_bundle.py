"""Checks from outside whether a server gives browsers the scripts it lists, and its log has that list.

    python -m messaging.tools.verify_bundle https://network.example --log NAME+ID+KEY [--release FOLDER]

It asks as anybody could, without an account: pages and their scripts, the list of scripts, the public log.
With --release the scripts are compared with the published ones in a folder of the software. Run it from
outside and without telling: a server that knows who asks could show the auditor something else.
Ends with 0 when everything holds, 1 when something does not, 2 when it could not be asked.
"""

import argparse
import base64
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from messaging.sealed.encoding import sha256
from messaging.sealed.errors import Refused
from messaging.tools.following import read_log_key, read_public_log, words_of
from messaging.tools.log_site import TIMEOUT_SECONDS, LogSite, NoAnswer

PAGES = ("/", "/sign-in/", "/directory/", "/help/", "/help/scripts/")
STATIC = "/static/"
APPS = ("forum", "messaging", "network")
ANSWER_MOST = 16 * 1024 * 1024
# The part of a name that collecting adds before the ending.
COLLECTED = re.compile(r"\.[0-9a-f]{12}(?=\.[a-z]+$)")
LINE = re.compile(r"([0-9a-f]{64})  (\S+)")


class Scripts(HTMLParser):
    """Collects the scripts of a page and those it fetches beforehand, with the hash named for each.

    Counts what stands in the page itself, handlers too.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[tuple[str, str | None]] = []
        self.inline = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what runs by this tag."""
        found = dict(attrs)
        is_preload = tag == "link" and found.get("rel") == "modulepreload"
        source = found.get("href" if is_preload else "src")
        if (is_preload or tag == "script") and source is not None:
            self.sources.append((source, found.get("integrity")))
        elif tag == "script":
            self.inline += 1
        self.inline += sum(name.startswith("on") for name, _ in attrs)


class Server:
    """What anybody gets from the server."""

    def __init__(self, origin: str) -> None:
        self.origin = LogSite(origin).origin

    def get(self, path: str) -> bytes:
        """The answer to a request. Raises `NoAnswer`."""
        asked = urllib.request.Request(self.origin + path)  # noqa: S310 - LogSite has checked the scheme
        try:
            with urllib.request.urlopen(asked, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - as above
                data: bytes = answer.read(ANSWER_MOST + 1)
        except OSError as error:
            raise NoAnswer(f"{asked.full_url}: {error}") from error
        if len(data) > ANSWER_MOST:
            raise NoAnswer(f"{asked.full_url} answered more than there can be.")
        return data


def read_list(text: str) -> dict[str, str]:
    """The hash of each script by its name. Raises ValueError for a line of another form."""
    found = [LINE.fullmatch(line) for line in text.splitlines()]
    if not found or not all(found):
        raise ValueError("what the server gives as its list of scripts has another form")
    return {match[2]: match[1] for match in found if match}


def integrity_of(digest: str) -> str:
    """How a page names a hash from the list, so that a browser checks it."""
    return f"sha256-{base64.b64encode(bytes.fromhex(digest)).decode()}"


def wrong_files(server: Server, listed: dict[str, str]) -> Iterator[str]:
    """Which listed scripts are given out as something else."""
    for name, expected in listed.items():
        if sha256(server.get(STATIC + name)).hex() != expected:
            yield f"{name} is not the script on the list."


def wrong_pages(server: Server, listed: dict[str, str]) -> Iterator[str]:
    """What the pages that anybody sees run beside the listed scripts."""
    for page in PAGES:
        scripts = Scripts()
        scripts.feed(server.get(page).decode())
        if scripts.inline:
            yield f"{page} runs a script that stands in the page itself."
        for source, integrity in scripts.sources:
            address = urlsplit(urljoin(server.origin + page, source))
            name = COLLECTED.sub("", address.path.removeprefix(STATIC))
            is_own = f"{address.scheme}://{address.netloc}" == server.origin
            if not is_own or name not in listed:
                yield f"{page} runs {source}, which is not on the list."
            elif sha256(server.get(address.path)).hex() != listed[name]:
                yield f"{page} runs {source}, which is not the script on the list."
            elif integrity != integrity_of(listed[name]):
                yield f"{page} runs {source} without its hash, or with another."


def wrong_log(server: Server, key: str, text: bytes) -> Iterator[str]:
    """Whether the newest list in the log is another one. Raises Refused, `NoAnswer`."""
    leaves = read_public_log(server.origin, read_log_key(key))
    lists = [leaf for leaf in leaves if leaf.type == "bundle"]
    newest = max(lists, key=lambda leaf: leaf.n, default=None)
    if newest is None or newest.value != sha256(text):
        yield "The list of scripts is not the one that stands in the log."


def wrong_release(listed: dict[str, str], release: Path) -> Iterator[str]:
    """How the list differs from the scripts of a release."""
    folders = [release / app / "static" for app in APPS]
    published = {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hex()
        for folder in folders
        for path in folder.rglob("*.js")
    }
    for name in sorted(published.keys() | listed.keys()):
        if listed.get(name) != published.get(name):
            yield f"{name} is not the published script."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m messaging.tools.verify_bundle", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("site", help="https://network.example")
    parser.add_argument("--log", required=True, help="the key of the log, as its operator publishes it")
    parser.add_argument("--release", type=Path, help="a folder of the published software")
    asked = parser.parse_args(arguments)
    listed: dict[str, str] = {}
    try:
        server = Server(asked.site)
        text = server.get("/log/bundle")
        listed = read_list(text.decode())
        wrong = [*wrong_files(server, listed), *wrong_pages(server, listed)]
        wrong += wrong_log(server, asked.log, text)
        wrong += wrong_release(listed, asked.release) if asked.release else []
    except Refused as refused:
        wrong = [words_of(refused)]
    except (NoAnswer, OSError, ValueError) as error:
        sys.stdout.write(f"This could not be asked: {error}\n")
        return 2
    for fault in wrong:
        sys.stdout.write(f"WRONG: {fault}\n")
    if not wrong:
        sys.stdout.write(f"{len(listed)} scripts are those on the list, and the list stands in the log.\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
