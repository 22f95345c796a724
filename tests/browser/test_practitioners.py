"""A prosecutor in Chromium: own keys once a supervisor answers, letters under a mandate until it ends."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, expect

from messaging.sdk.client import Client
from network.demo import PROSECUTOR_A, STATE_A
from tests.browser.desk import PATIENCE, Desk, supervisor_of
from tests.browser.walker import Look
from tests.sdk.conftest import HEAD_A, HEAD_B, Desks, next_message
from tests.secretariat import confirm_all
from tests.server import PreparedState, Server

pytestmark = pytest.mark.any_database
Given = TypeVar("Given")


def apart(work: Coroutine[Any, Any, Given]) -> Given:
    """Run beside Playwright, which has an event loop of its own."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()


class Heads:
    """The heads of State A and State B as programs, which are there while something is done."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server = server
        self._folder = folder

    async def begin(self) -> None:
        """Make both keyrings."""
        desks = Desks(self._server, self._folder)
        async with desks.stack:
            for head in (HEAD_A, HEAD_B):
                await desks.with_keyring(head)

    async def answer(self, words: str) -> str:
        """Let A's head compare the code and answer; returns the practitioner."""
        desks = Desks(self._server, self._folder)
        async with desks.stack:
            a = await desks.open(HEAD_A)
            (asking,) = [one for one in await a.practice.list() if one.words == words]
            return await a.practice.answer_for(asking, seconds=30)

    async def admit(self, practitioner: str) -> tuple[str, str]:
        """Let both heads admit the practitioner to direct contact; returns thread and mandate."""
        desks = Desks(self._server, self._folder)
        async with desks.stack:
            a, b = await desks.open(HEAD_A), await desks.open(HEAD_B)
            opened = await a.open_thread(b.principal or "", "Let them talk.", kind="direct", subject="Direct")
            await next_message(b)
            mandate = await a.membership.propose_mandate(opened.thread, [practitioner], "One account.")
            await next_message(b)
            await a.membership.consent_to_mandate(opened.thread, mandate)
            await b.membership.consent_to_mandate(opened.thread, mandate)
            await b.membership.admit(opened.thread, mandate)
            await b.send(opened.thread, "Welcome to the case.", subject="Direct contact")
            return opened.thread, mandate

    async def agree(self, practitioner: str) -> int:
        """Let A's head agree to the practitioner's further devices; returns to how many."""
        desks = Desks(self._server, self._folder)
        async with desks.stack:
            return await (await desks.open(HEAD_A)).practice.approve_devices(practitioner)

    async def read(self, thread: str) -> list[str]:
        """Return what B's head reads of the practitioner."""
        found: list[str] = await self._with_b(self._texts, thread)
        return found

    async def end(self, thread: str, mandate: str) -> None:
        """Let B's head withdraw the mandate and go on without the practitioner."""

        async def work(b: Client, thread: str) -> None:
            await b.membership.withdraw_mandate(thread, mandate)
            await b.send(thread, "Without the prosecutor.")

        await self._with_b(work, thread)

    async def _with_b(self, work: Any, thread: str) -> Any:
        desks = Desks(self._server, self._folder)
        async with desks.stack:
            return await work(await desks.open(HEAD_B), thread)

    @staticmethod
    async def _texts(b: Client, thread: str) -> list[str]:
        await b._inbox.pull(thread)
        applied = b.mailbox.threads[bytes.fromhex(thread)].applied
        bodies = [row.plaintext.body for row in applied if row.plaintext]
        return [text for body in bodies if (text := getattr(body, "text", None))]


def let_second_in(first: Desk, second: Desk, agree: Callable[[], int]) -> None:
    """Let a further browser in: asked for there, compared here, agreed to by who answers."""
    second.sign_in()
    second.go("/devices/")
    second.page.locator("#ask-here").click()
    expect(second.page.locator("#step-second")).to_be_visible(timeout=PATIENCE)
    first.go("/devices/")
    asking = first.page.locator("#own-requests > li")
    expect(asking).to_have_count(1, timeout=PATIENCE)
    words = second.page.locator("#second-words").inner_text()
    expect(asking.locator("[data-slot=words]")).to_have_text(words)
    for desk in (first, second):
        look = Look(desk.page, "keys of a practitioner")
        look.ask_axe("a second browser asks")
        assert look.faults == []
    expect(asking.get_by_role("button")).to_be_disabled()
    asking.get_by_role("checkbox").check()
    asking.get_by_role("button").click()
    expect(asking.locator("[data-slot=waits]")).to_be_visible(timeout=PATIENCE)
    # One's own word is not enough: who answers has to agree (K9).
    expect(second.page.locator("#step-second")).to_be_visible()
    assert agree() == 1
    expect(second.page.locator("#step-ready")).to_be_visible(timeout=PATIENCE)
    expect(first.page.locator("#own-requests-section")).to_be_hidden(timeout=PATIENCE)


def test_a_prosecutor_writes_directly_until_the_mandate_is_withdrawn(
    browser: Browser, prepared_state: PreparedState, tmp_path: Path
) -> None:
    described = Server.unlimited(prepared_state, tmp_path / "server")
    with described as server, Desk(browser, server.origin, PROSECUTOR_A) as desk:
        heads = Heads(server, tmp_path / "heads")
        apart(heads.begin())
        confirm_all(server)
        desk.sign_in()
        desk.go("/devices/")
        desk.page.locator("#ask").click()
        expect(desk.page.locator("#step-waiting")).to_be_visible(timeout=PATIENCE)
        words = desk.page.locator("#own-words").inner_text()
        practitioner = apart(heads.answer(words))
        expect(desk.page.locator("#step-ready")).to_be_visible(timeout=PATIENCE)
        expect(desk.page.locator("#not-answered")).to_be_hidden(timeout=PATIENCE)

        thread, mandate = apart(heads.admit(practitioner))
        desk.go("/threads/")
        expect(desk.page.locator("#threads a")).to_have_count(1, timeout=PATIENCE)
        desk.page.locator("#threads a").first.click()
        expect(desk.page).to_have_url(re.compile(thread), timeout=PATIENCE)
        desk.sees("Welcome to the case.")
        desk.write("I have the bank records.")
        desk.standing("I have the bank records.", "")
        assert desk.texts().count("I have the bank records.") == 1
        assert "I have the bank records." in apart(heads.read(thread))

        with Desk(browser, server.origin, PROSECUTOR_A) as second:
            let_second_in(desk, second, lambda: apart(heads.agree(practitioner)))
            second.go(f"/threads/{thread}/")
            second.sees("Welcome to the case.")
            second.write("From the second browser.")
            desk.go(f"/threads/{thread}/")
            desk.sees("From the second browser.")
            assert "From the second browser." in apart(heads.read(thread))
            assert second.faults == []

        apart(heads.end(thread, mandate))
        desk.go(f"/threads/{thread}/")
        expect(desk.page.locator("#composer")).to_be_hidden(timeout=PATIENCE)
        assert "Without the prosecutor." not in desk.page.content()
        assert desk.faults == []


def test_a_supervisor_answers_for_a_prosecutor_and_for_a_further_browser(
    browser: Browser, prepared_state: PreparedState, tmp_path: Path
) -> None:
    described = Server.unlimited(prepared_state, tmp_path / "server")
    with (
        described as server,
        Desk(browser, server.origin, supervisor_of(STATE_A.persons)) as head,
        Desk(browser, server.origin, PROSECUTOR_A) as desk,
        Desk(browser, server.origin, PROSECUTOR_A) as second,
    ):
        head.sign_in()
        head.make_keyring()
        desk.sign_in()
        desk.go("/devices/")
        desk.page.locator("#ask").click()
        words = desk.page.locator("#own-words")
        expect(words).not_to_be_empty(timeout=PATIENCE)
        head.go("/practitioners/")
        asking = head.page.locator("#asking > li")
        expect(asking.locator("[data-slot=words]")).to_have_text(words.inner_text(), timeout=PATIENCE)
        expect(asking).to_contain_text(PROSECUTOR_A.name)
        answer = asking.get_by_role("button", name="Answer for this person")
        expect(answer).to_be_disabled()
        asking.get_by_role("checkbox").check()
        answer.click()
        listed = head.page.locator("#answered > li")
        expect(listed).to_contain_text(PROSECUTOR_A.name, timeout=PATIENCE)
        expect(desk.page.locator("#step-ready")).to_be_visible(timeout=PATIENCE)

        def agree() -> int:
            further = listed.locator("[data-slot=further] li")
            expect(further).to_be_visible(timeout=PATIENCE)
            expect(further.locator("[data-slot=words]")).to_have_text(
                second.page.locator("#second-words").inner_text()
            )
            further.get_by_role("checkbox").check()
            further.get_by_role("button", name="Agree").click()
            expect(further).to_have_count(0, timeout=PATIENCE)
            return 1

        let_second_in(desk, second, agree)
        look = Look(head.page, "practitioners")
        look.ask_axe("one is answered for")
        assert look.faults == []
        listed.locator("summary").click()
        listed.get_by_role("button", name="Answer for this person no more").click()
        expect(listed).to_have_count(0, timeout=PATIENCE)
        desk.go("/devices/")
        expect(desk.page.locator("#not-answered")).to_be_visible(timeout=PATIENCE)
        assert head.faults == desk.faults == second.faults == []
