"""`python -m messaging.demo <what>`, started by deploy/run with its environment."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

from messaging.demo.cases import write_cases
from messaging.demo.helpers import run_counterpart, run_steward, say
from messaging.demo.proof import ProofFailed, Surroundings, prove
from messaging.demo.secretariat import run_secretariat
from messaging.sdk.errors import ClientError


async def until_told(work: Coroutine[Any, Any, None]) -> None:
    """Run until the work ends or SIGTERM or SIGINT comes; files and connections are closed either way."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


def work_of(what: str, around: Surroundings, *, is_thorough: bool) -> Coroutine[Any, Any, None]:
    """Return the work of one helper."""
    if what == "steward":
        return run_steward(around.origin, around.demo)
    if what == "counterpart":
        return run_counterpart(around.origin, around.demo)
    if what == "secretariat":
        return run_secretariat(around.origin, around.demo)
    if what == "cases":
        return write_cases(around.origin, around.demo)
    return prove(around, is_thorough=is_thorough)


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m messaging.demo")
    parser.add_argument("what", choices=["steward", "counterpart", "secretariat", "prove", "cases"])
    parser.add_argument("--thorough", action="store_true", help="prove the helpers too")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    around = Surroundings(os.environ["NETWORK_SITE_ORIGIN"], Path(os.environ["NETWORK_STATE_DIR"]))
    try:
        asyncio.run(until_told(work_of(options.what, around, is_thorough=options.thorough)))
    except ProofFailed as error:
        say(f"  PROOF FAILED: {error}")
        return 1
    except TimeoutError:
        say("  PROOF FAILED: nothing came within the time allowed")
        return 1
    except ClientError as error:
        say(f"error: {type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
