"""Real Chromium and a real server with another between them that lies: the page stops and says why."""

import asyncio
import json
import re
import shutil
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, Page, expect

from network.demo import PROSECUTOR_A
from tests.browser.desk import PATIENCE
from tests.browser.profile import opened
from tests.browser.undefended import Undefended
from tests.lying.file_lies import SIZE
from tests.lying.gathered import ATTEMPTS
from tests.lying.lies import Attempt, Facts
from tests.lying.mandate_lies import LIES, Contact, MandateLie
from tests.lying.mandate_stage import admit_twice
from tests.lying.server import LyingServer, given_as_it_is
from tests.lying.stage import correspond, found_house, list_reader, tell
from tests.lying.switches import BELIEVED, BELIEVED_OF_PRACTITIONERS, KINDS, NOT_TO_BE_BELIEVED
from tests.sdk.conftest import HEAD_A, HEAD_B, OFFICER_B, Desks
from tests.server import PreparedState, Server

TEXTS = ("May we send you a request?", "It is about an account.", "Please send it.", "It comes today.")
AFTER = "Only for who is left."
QUESTION = "Is this believed?"
# Kits are tried in test_kit.py, authorities chosen in test_counterparts.py; this browser has followed the
# log already when the lies begin, and every form of E1 is among the vectors that both sides replay. What it
# has read it keeps, and shows from there: another version of that is never asked for.
ELSEWHERE = {"log of yesterday", "trailing byte", "unsorted keys", "number with a point", "negative number"}
ELSEWHERE |= {"two versions of one message"}
TOLD = [
    attempt
    for attempt in ATTEMPTS
    if attempt.does != "tries the kit" and not attempt.written_to and attempt.name not in ELSEWHERE
]
# What the browser calls otherwise: it tells a broken thread from one that is not loaded yet, and learns of a
# removal from the log where the SDK has read of it in its own ledger.
OTHER_CODES = {"M9 not-verified": "broken-thread", "K7 not-verified": "broken-keyring"}
OTHER_CODES |= {"K10 stale-keyring": "withheld-entry", "L1 not-logged": "label-key-changed"}
OTHER_CODES |= {"L6 log-withheld": "smaller-checkpoint"}  # it has followed it further than what is shown
OTHER_CODES |= {"K4": "wrong-sealed", "another name or key": "Nothing was opened or sent."}
OTHER_CODES |= {"K10 forked-keyring": "contradicting-leaves", "T8 forked-thread": "wrong-transcript"}
Given = TypeVar("Given")


def apart(work: Coroutine[Any, Any, Given]) -> Given:
    """Run beside Playwright, which has an event loop of its own."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()


# A browser asks only for what is new in a keyring that it keeps: these are told to one that lost its copy.
TOLD_WITHOUT_A_COPY = {"hidden keyring entry", "garbage in the own envelopes"}
FORGET_KEYRINGS = """async () => {
  for (const { name } of await indexedDB.databases()) {
    const opening = indexedDB.open(name)
    await new Promise((resolve) => { opening.onsuccess = resolve })
    const changing = opening.result.transaction('facts', 'readwrite')
    changing.objectStore('facts').delete(IDBKeyRange.bound('keyring:', 'keyring;'))
    await new Promise((resolve) => { changing.oncomplete = resolve })
    opening.result.close()
  }
}"""


@dataclass
class Stage:
    """A reader's browser profile before it has seen anything, and after; the liar and what it knows."""

    browser: Browser
    server: Server
    liar: LyingServer
    facts: Facts
    folder: Path

    @contextmanager
    def reader(
        self, told_to: str, place: Path, *, without: tuple[str, ...] = (), keeps_keyrings: bool = True
    ) -> Iterator[Page]:
        """Open a copy of a profile, so that no attempt leaves anything to the next."""
        shutil.copytree(self.folder / told_to, place, ignore=shutil.ignore_patterns("Singleton*", "*Cache*"))
        with opened(self.browser, self.liar.origin, place) as context:
            context.add_init_script(f"globalThis.withoutDefences = {json.dumps(without)}")
            page = context.new_page()
            sign_in(page)
            if not keeps_keyrings:
                page.evaluate(FORGET_KEYRINGS)
            yield page


def sign_in(page: Page) -> None:
    """Sign in on the development page."""
    page.goto("/sign-in/")
    page.locator("form", has=page.locator(f"[value='{OFFICER_B.membership_id}']")).get_by_role(
        "button"
    ).click()
    expect(page).not_to_have_url(re.compile("/sign-in/"), timeout=PATIENCE)


@pytest.fixture(scope="module")
def stage(
    browser: Browser, prepared_state: PreparedState, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """Give the stage, set once for all lies."""
    folder = tmp_path_factory.mktemp("lying")
    described = Server.unlimited(prepared_state, folder / "server")
    with described as server, LyingServer(server) as liar:
        desks = folder / "desks"
        house_kit = apart(found_house(server, desks))
        with opened(browser, liar.origin, folder / "seen") as context:
            page = context.new_page()
            sign_in(page)
            page.goto("/devices/")
            page.locator("#make-request").click()
            expect(page.locator("#step-waiting")).to_be_visible(timeout=PATIENCE)
            apart(list_reader(server, desks))
            expect(page.locator("#step-ready:visible, #threads:visible")).to_be_visible(timeout=PATIENCE)
        shutil.copytree(folder / "seen", folder / "fresh", ignore=shutil.ignore_patterns("Singleton*"))
        facts = apart(correspond(server, desks, house_kit))
        with opened(browser, liar.origin, folder / "seen") as context:
            page = context.new_page()
            sign_in(page)
            page.goto(f"/threads/{facts.thread}/")
            expect(page.get_by_text(TEXTS[-1])).to_be_visible(timeout=PATIENCE)
        yield Stage(browser, server, liar, facts, folder)


def words_of(page: Page, code: str) -> str:
    """The page's own sentence for a code, up to what is filled in."""
    found: str | None = page.evaluate(
        """(names) => {
          const templates = [...document.querySelectorAll('template')]
          const roots = [document, ...templates.map(({ content }) => content)]
          const found = names.flatMap((name) => roots.map((at) => at.querySelector(`[data-text="${name}"]`)))
          return found.find((one) => one !== null)?.textContent ?? null
        }""",
        ["message-failed"] if code in FAILED else [f"refused-{code}", f"mark-{code}"],
    )
    return (found or code).partition("{")[0].strip()


FAILED = {"wrong-body", "wrong-plain", "cannot-open"}


def hears(page: Page, expected: re.Pattern[str]) -> None:
    """Wait until the page says it; what it says instead is the error."""
    try:
        expect(page.locator("body")).to_contain_text(expected, timeout=PATIENCE)
    except AssertionError:
        raise AssertionError(expected.pattern, page.locator("body").inner_text()[-900:]) from None


def write(page: Page) -> None:
    """Try to write in the thread, where the page lets one; what it takes away meanwhile is pressed too."""
    if page.locator("#text").is_visible() and page.locator("#text").is_enabled():
        page.locator("#text").fill(QUESTION, force=True)
        page.locator("#send").dispatch_event("click")


def test_what_is_told_as_it_is_is_shown_and_answered(stage: Stage, tmp_path: Path) -> None:
    tell(stage.liar, stage.facts, Attempt("the truth", ""))
    with stage.reader("fresh", tmp_path / "profile") as page:
        page.goto(f"/threads/{stage.facts.thread}/")
        expect(page.locator("#messages .message .message-text")).to_have_text(TEXTS, timeout=PATIENCE)
        expect(page.locator("#alarm")).to_be_hidden()
        seals_for(page, stage, stage.facts.thread)
        # The thread has to be re-keyed first, since State A has removed a device; the liar keeps that back.
        hears(page, re.compile("The keys changed while you wrote"))


def refuses(page: Page, stage: Stage, attempt: Attempt) -> None:
    """Do what the lie is told for, and wait for the page's words against it."""
    if attempt.does == "saves the file":
        page.goto(f"/threads/{stage.facts.conspirators.files.thread}/")
        page.locator(".file", has_text="evidence.bin").locator("[data-slot=save]").click()
    else:
        page.goto(f"/threads/{stage.facts.thread}/")
        alarm = page.locator("#alarm, #server-changed, main [role=alert]").filter(visible=True)
        expect(alarm.or_(page.get_by_text(TEXTS[-1])).first).to_be_visible(timeout=PATIENCE)
        write(page)
    code = attempt.says.split()[-1]
    rule = attempt.says if attempt.says.count("-") else code
    other = OTHER_CODES.get(attempt.says, code)
    sentences = {rule, words_of(page, code), words_of(page, other)}
    expected = re.compile("|".join(re.escape(one) for one in sentences))
    hears(page, expected)
    assert attempt.is_marked or stage.facts.thread not in stage.liar.swallowed


@pytest.mark.parametrize("attempt", TOLD, ids=lambda attempt: attempt.name)
def test_page_refuses_and_says_why(attempt: Attempt, stage: Stage, tmp_path: Path) -> None:
    tell(stage.liar, stage.facts, attempt)
    keeps_keyrings = attempt.name not in TOLD_WITHOUT_A_COPY
    with stage.reader(attempt.told_to, tmp_path / "profile", keeps_keyrings=keeps_keyrings) as page:
        refuses(page, stage, attempt)


@pytest.fixture(scope="module")
def undefended(tmp_path_factory: pytest.TempPathFactory) -> Undefended:
    """Give the scripts whose checks can be switched off, built once for all lies."""
    return Undefended.build(tmp_path_factory.mktemp("undefended"))


def believes(page: Page, stage: Stage, attempt: Attempt) -> None:
    """Wait until the reader has sealed for the thread as it is told, or saved the file as it is given."""
    if attempt.does == "saves the file":
        page.goto(f"/threads/{stage.facts.conspirators.files.thread}/")
        with page.expect_download() as saved:
            page.locator(".file", has_text="evidence.bin").locator("[data-slot=save]").click()
        assert saved.value.path().stat().st_size == SIZE
        return
    seals_for(page, stage, stage.facts.thread)


def seals_for(page: Page, stage: Stage, thread: str) -> None:
    """Open the thread as it is told and write in it, until something was sealed for it."""
    page.goto(f"/threads/{thread}/")
    expect(page.locator("#text")).to_be_enabled(timeout=PATIENCE)
    page.locator("#text").fill(QUESTION)
    for moment in range(PATIENCE // 100):
        # Where the line is not open yet, the page says that the keys changed, and keeps the text: once more.
        if moment % 20 == 0 and page.locator("#text").input_value():
            page.locator("#send").click()
        if thread in stage.liar.swallowed:
            break
        page.wait_for_timeout(100)
    else:
        raise AssertionError(page.locator("body").inner_text()[-900:])
    expect(page.locator("#alarm")).to_be_hidden()


@pytest.mark.parametrize(
    "attempt", [one for one in TOLD if one.name in BELIEVED], ids=lambda attempt: attempt.name
)
def test_without_its_defence_the_lie_is_believed(
    attempt: Attempt, stage: Stage, undefended: Undefended, tmp_path: Path
) -> None:
    tell(stage.liar, stage.facts, attempt)
    stage.liar.replace = undefended.instead(stage.liar.replace)
    place, keeps = tmp_path / "profile", attempt.name not in TOLD_WITHOUT_A_COPY
    without = BELIEVED[attempt.name]
    with stage.reader(attempt.told_to, place, without=without, keeps_keyrings=keeps) as page:
        believes(page, stage, attempt)


def test_scripts_without_any_check_switched_off_refuse(
    stage: Stage, undefended: Undefended, tmp_path: Path
) -> None:
    (attempt,) = [one for one in TOLD if one.name == "raised urgency"]
    tell(stage.liar, stage.facts, attempt)
    stage.liar.replace = undefended.instead(stage.liar.replace)
    with stage.reader(attempt.told_to, tmp_path / "profile") as page:
        refuses(page, stage, attempt)


def test_lies_of_every_kind_are_believed_by_a_browser_without_defences() -> None:
    told = {attempt.name for attempt in TOLD}
    assert set(BELIEVED) | set(NOT_TO_BE_BELIEVED) == told
    assert not set(BELIEVED) & set(NOT_TO_BE_BELIEVED)
    for kind, attempts in KINDS.items():
        assert {attempt.name for attempt in attempts} & set(BELIEVED), kind
    assert all(BELIEVED.values())


@pytest.fixture(scope="module")
def contact(stage: Stage) -> Contact:
    """Give direct contact with a practitioner for whom nobody answers any more; after all other lies."""
    stage.liar.swallows = False
    return apart(have_contact(stage))


async def have_contact(stage: Stage) -> Contact:
    """Let State A's prosecutor be admitted twice, and nobody answer for that one at last."""
    desks = Desks(stage.server, stage.folder / "desks")
    async with desks.stack:
        a, b, prosecutor = [await desks.open(person) for person in (HEAD_A, HEAD_B, PROSECUTOR_A)]
        found = await admit_twice(a, b, prosecutor)
        await a.practice.end(found.practitioner.hex())
        return found


TOLD_OF_PRACTITIONERS = [lie for lie in LIES if lie.told_to == "fresh"]


@pytest.mark.parametrize("lie", TOLD_OF_PRACTITIONERS, ids=lambda lie: lie.name)
def test_a_lie_about_practitioners_is_refused_and_believed_without_its_defence(
    lie: MandateLie, stage: Stage, contact: Contact, undefended: Undefended, tmp_path: Path
) -> None:
    thread = contact.ended if lie.in_ended else contact.open_still
    lie.tell(stage.liar, contact)
    stage.liar.replace, stage.liar.swallowed = given_as_it_is, set()
    with stage.reader("fresh", tmp_path / "profile") as page:
        page.goto(f"/threads/{thread}/")
        alarm = page.locator("#alarm, main [role=alert]").filter(visible=True)
        expect(alarm.or_(page.get_by_text("Let them talk.")).first).to_be_visible(timeout=PATIENCE)
        write(page)
        words = {lie.says, words_of(page, "withheld-entry")} if lie.says == "L2" else {lie.says}
        hears(page, re.compile("|".join(map(re.escape, words))))
    assert thread not in stage.liar.swallowed
    stage.liar.replace = undefended.instead(given_as_it_is)
    without = BELIEVED_OF_PRACTITIONERS[lie.name]
    with stage.reader("fresh", tmp_path / "other-profile", without=without) as page:
        seals_for(page, stage, thread)


async def remove_and_write(stage: Stage) -> None:
    """Let State B's head remove the reader's device, and State A write once more."""
    desks = Desks(stage.server, stage.folder / "desks")
    async with desks.stack:
        b = await desks.open(HEAD_B)
        own = b.mailbox.newest(b.mailbox.principal)
        assert own is not None
        removed = [device.id.hex() for device in own.devices if device.person == OFFICER_B.person_id.hex]
        await b.keys.remove_devices(removed)
        a = await desks.open(HEAD_A)
        await a.send(stage.facts.thread, AFTER)
        async for message in b.messages():
            if message.text == AFTER:
                return


EVERYTHING_KEPT = """async () => {
  const found = []
  for (const { name } of await indexedDB.databases()) {
    const opening = indexedDB.open(name)
    await new Promise((resolve) => { opening.onsuccess = resolve })
    for (const store of opening.result.objectStoreNames) {
      const asked = opening.result.transaction(store).objectStore(store).getAll()
      await new Promise((resolve) => { asked.onsuccess = resolve })
      found.push(...asked.result.map((row) => JSON.stringify(row)))
    }
    opening.result.close()
  }
  return [...found, JSON.stringify(localStorage), JSON.stringify(sessionStorage)].join(' ')
}"""


def test_a_removed_device_with_all_its_old_state_opens_nothing_sent_afterwards(
    stage: Stage, tmp_path: Path
) -> None:
    tell(stage.liar, stage.facts, Attempt("the truth", ""))
    stage.liar.swallows = False
    apart(remove_and_write(stage))
    with stage.reader("seen", tmp_path / "profile") as page:  # its person signs in again, and gets every item
        answers: list[int] = []
        page.on("response", lambda answer: answers.append(answer.status) if "/items" in answer.url else None)
        page.goto(f"/threads/{stage.facts.thread}/")
        hears(page, re.compile("Let this device in|removed|could not be opened|not, or no longer, among"))
        page.goto(f"/threads/{stage.facts.thread}/")
        page.wait_for_timeout(3_000)
        assert AFTER not in page.content()
        assert AFTER not in page.evaluate(EVERYTHING_KEPT)
