"""Witnesses a network's log of keys: follows it from outside, and signs that it was never rewritten.

    python -m messaging.tools.witness --make-key KEYFILE
    python -m messaging.tools.witness --show --key KEYFILE --name NAME
    python -m messaging.tools.witness https://network.example --log NAME+ID+KEY --key KEYFILE --name NAME
        --state FILE [--every SECONDS]

Give the line of --show to the operator of the network, who puts it into NETWORK_LOG_WITNESSES; keep the state
file: it is what this witness remembers. Without --every it looks once. What does not hold is never signed:
it is printed, and kept in the state file as proof. The witness learns that keys changed, not whose.
Ends with 0 when it has signed, 1 when something does not hold, 2 when it could not be asked.
"""

import argparse
import os
import stat
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from messaging.sealed.checkpoint import Signer, cosign, is_name, split_note
from messaging.sealed.errors import Refused
from messaging.sealed.follower import Follower
from messaging.sealed.keys import SigningKey
from messaging.tools.following import follow, open_state, read_log_key, save_state, words_of
from messaging.tools.log_site import LogSite, NoAnswer


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="witness", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add_arguments(parser)
    return run(parser.parse_args(arguments))


def run(asked: argparse.Namespace) -> int:
    """Do what is asked; return the exit status."""
    try:
        if asked.make_key:
            _make_key(asked.make_key)
            return 0
        if not asked.key or not asked.name or not is_name(asked.name):
            _print("--key and --name are needed; a name has no blanks and no plus sign.")
            return 2
        key = _read_key(asked.key)
        signer = Signer(asked.name, key.public)
        if asked.show:
            _print(signer.line)
            return 0
        if not asked.site or not asked.log or not asked.state:
            _print("The site, --log and --state are needed.")
            return 2
        return _watch(asked, signer, key)
    except (OSError, ValueError) as error:
        _print(f"This cannot be done: {error}")
        return 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments, which the management command takes too."""
    parser.add_argument("site", nargs="?", help="https://network.example")
    parser.add_argument("--log", help="the key of the log, as its operator publishes it")
    parser.add_argument("--key", type=Path, help="the file of this witness's key")
    parser.add_argument("--name", help="under which this witness signs, for example a host name")
    parser.add_argument("--state", type=Path, help="what this witness remembers")
    parser.add_argument("--every", type=float, help="look again after so many seconds, for ever")
    parser.add_argument("--make-key", type=Path, metavar="KEYFILE", help="make a key")
    parser.add_argument("--show", action="store_true", help="print the line that the operator needs")


def _make_key(file: Path) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as opened:
        opened.write(SigningKey.generate().seed.hex() + "\n")
    _print(f"made {file}")


def _read_key(file: Path) -> SigningKey:
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise ValueError(f"{file} can be read by others: chmod 600 it")
    seed = bytes.fromhex(file.read_text(encoding="ascii").strip())
    if len(seed) != 32:
        raise ValueError(f"{file} does not hold 32 bytes in hexadecimal")
    return SigningKey(seed)


def _watch(asked: argparse.Namespace, signer: Signer, key: SigningKey) -> int:
    while True:
        status = _look(asked, signer, key)
        if asked.every is None:
            return status
        time.sleep(asked.every)


def _look(asked: argparse.Namespace, signer: Signer, key: SigningKey) -> int:
    """Follow, sign, hand in; once."""
    try:
        site, log = LogSite(asked.site), read_log_key(asked.log)
        follower = open_state(log, asked.state)
        try:
            note = follow(site, follower)
        finally:
            save_state(follower, asked.state)
        _check_sound(follower)
        # What is signed is remembered already: after a cut nothing older can be signed.
        site.hand_in(note + cosign(split_note(note)[0], signer, key, at=int(time.time())))
    except Refused as refused:
        _print(f"NOT SIGNED: {words_of(refused)}")
        return 1
    except NoAnswer as error:
        _print(f"This could not be asked: {error}")
        return 2
    _print(f"{log.name}: signed at {follower.tree.size} lines")
    return 0


def _check_sound(follower: Follower) -> None:
    """What was found wrong once is never signed again."""
    if follower.broken is not None or follower.frozen:
        raise Refused("L3", "contradicting-leaves", "two lines of the log contradict each other")


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
