"""Keys that do not hold together: the page says what it means, one button repairs them, and all goes on."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from messaging.sdk.client import Client
from messaging.sdk.outbox import now
from messaging.sealed.keyring import rotation
from network.demo import STATE_A, STATE_C
from tests.browser.desk import PATIENCE, Desk, supervisor_of
from tests.sdk.conftest import Desks
from tests.sealed.world import forge
from tests.server import PreparedState, Server

PERSON = supervisor_of(STATE_A.persons)
ALL_ROLES = ("officer", "steward", "supervisor")


class Program:
    """A program of State A with the first device of its keyring; it runs beside the browser's loop."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._desks = Desks(server, folder)
        self.client = self.run(self._desks.with_keyring(PERSON))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Return what the work gives."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def let_in(self) -> None:
        """List the device that asks, as a steward."""

        async def approve(client: Client) -> None:
            await client.approve_device(await anext(client.device_requests()), ALL_ROLES)

        self.run(approve(self.client))

    def spoil(self, change: Callable[[bytes], bytes]) -> None:
        """Write an entry that is signed as it should be, and does not hold for who opens it."""

        async def write(client: Client) -> None:
            mailbox = client.mailbox
            own = mailbox.newest(mailbox.principal)
            assert own is not None
            made = mailbox.stewardship.make(rotation(own), at=now())
            await client.keys._post(replace(made, entry=change(made.entry)))  # no client would send this

        self.run(write(self.client))

    def close(self) -> None:
        """Disconnect."""
        self.run(self._desks.stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def desks(
    browser: Browser, prepared_state: PreparedState, tmp_path: Path
) -> Iterator[tuple[Desk, Desk, Program]]:
    """Give the browsers of State A and State C, and the program that made the keys of State A."""
    described = Server.unlimited(prepared_state, tmp_path / "server")
    with (
        described as server,
        Desk(browser, server.origin, PERSON) as own,
        Desk(browser, server.origin, supervisor_of(STATE_C.persons)) as partner,
    ):
        program = Program(server, tmp_path / "program")
        try:
            own.sign_in()
            own.go("/devices/")
            own.page.locator("#make-request").click()
            expect(own.page.locator("#step-waiting")).to_be_visible(timeout=PATIENCE)
            program.let_in()
            expect(own.page.locator("#step-ready")).to_be_visible(timeout=PATIENCE)
            partner.sign_in()
            partner.make_keyring()
            yield own, partner, program
        finally:
            program.close()
        assert own.faults == []


def test_k7_who_keeps_the_keys_is_told_what_does_not_hold_and_repairs_it_with_one_button(
    desks: tuple[Desk, Desk, Program],
) -> None:
    own, partner, program = desks
    own.open_thread_with(STATE_C.name, subject="Before the alarm", text="All was well.")
    thread = own.page.url.removeprefix(own.origin)
    device = program.client.mailbox.device
    program.spoil(lambda entry: forge(entry, device, history={"of": 1, "wrap": bytes(48)}))
    own.go("/devices/")
    alarm = own.page.locator("#keys-broken")
    expect(alarm).to_be_visible(timeout=PATIENCE)
    expect(alarm).to_contain_text("do not lead back to the keys before them")
    own.go(thread)
    own.sees("All was well.")  # what was received stays readable
    own.go("/devices/")
    own.page.locator("#repair").click()
    expect(own.page.locator("#keys-said")).to_contain_text("Done", timeout=PATIENCE)
    expect(alarm).to_be_hidden()
    own.go(thread)
    own.sees("All was well.")
    own.write("And is again.")
    partner.go(thread)
    partner.sees("And is again.")
