"""An officer behind 256 kbit/s and 600 ms, whose line drops: nothing doubles, nothing is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from network.demo import STATE_A, STATE_C
from tests.browser.desk import Desk, supervisor_of
from tests.browser.line import Line
from tests.secretariat import confirm_all
from tests.server import PreparedState, Server

BITS_PER_SECOND, ROUND_TRIP = 256_000, 0.6
PATIENCE = 60_000  # milliseconds; a cold page takes several seconds on such a line


@pytest.fixture
def line() -> Iterator[Line]:
    """Give a line that is fast until it is told otherwise."""
    with Line() as opened:
        yield opened


@pytest.fixture
def server(line: Line, prepared_state: PreparedState, tmp_path: Path) -> Iterator[Server]:
    """Give a server that browsers reach by the line only."""
    described = Server.from_prepared(prepared_state, tmp_path / "server", NETWORK_SITE_ORIGIN=line.origin)
    line.lead_to(described.port)
    with described as started:
        yield started


@pytest.fixture
def desks(browser: Browser, line: Line, server: Server) -> Iterator[tuple[Desk, Desk]]:
    """Give two authorities with keys, behind the line."""
    with (
        Desk(browser, line.origin, supervisor_of(STATE_A.persons)) as a,
        Desk(browser, line.origin, supervisor_of(STATE_C.persons)) as c,
    ):
        for desk in (a, c):
            desk.sign_in()
            desk.go("/devices/")
            desk.make_keyring()
        confirm_all(server, line.origin)
        yield a, c
        assert [*a.faults, *c.faults] == []


def forget_what_was_fetched(desk: Desk) -> None:
    tools = desk.context.new_cdp_session(desk.page)
    tools.send("Network.clearBrowserCache")
    tools.detach()


def texts(desk: Desk) -> list[str]:
    expect(desk.page.locator("#waiting > li")).to_have_count(0, timeout=PATIENCE)
    return desk.page.locator("#messages .message .message-text").all_inner_texts()


def items(server: Server) -> int:
    return int(server.sql("SELECT count(*) FROM messaging_threaditem")[0][0])


def test_an_officer_reads_answers_and_acknowledges_over_a_line_that_drops(
    desks: tuple[Desk, Desk], line: Line, server: Server
) -> None:
    a, c = desks
    c.open_thread_with(STATE_A.name[:20], subject="Weak line", text="Can you confirm by telephone?")
    line.be_slow(bits_per_second=BITS_PER_SECOND, round_trip=ROUND_TRIP)
    for desk in desks:
        desk.context.set_default_timeout(PATIENCE)
        desk.context.set_default_navigation_timeout(PATIENCE)
    forget_what_was_fetched(a)

    # Reads: from the start page to the text, with nothing kept from before.
    a.go("/")
    expect(a.page.locator("h1")).to_be_visible(timeout=PATIENCE)
    a.page.locator("a[href='/threads/']:visible").first.click()
    a.page.locator("#threads a", has_text="Weak line").click(timeout=PATIENCE)
    question = a.message("Can you confirm by telephone?")
    expect(question).to_be_visible(timeout=PATIENCE)
    # Whom the secretariat confirmed is asked once; nothing is sealed before that.
    a.page.wait_for_load_state("networkidle", timeout=PATIENCE)

    # Answers; the line takes it and brings no answer back, then it is gone.
    stored = items(server)
    line.be_deaf()
    a.page.locator("#text").fill("Yes, at nine.")
    a.page.locator("#send").click()
    expect(a.page.locator("#waiting > li", has_text="Yes, at nine.")).to_be_visible(timeout=PATIENCE)
    wait_until(a, lambda: items(server) > stored)
    line.cut()
    expect(a.page.locator("#connection")).to_be_visible(timeout=PATIENCE)
    expect(a.message("Yes, at nine.").locator(".standing")).to_contain_text("not sent yet", timeout=PATIENCE)

    # Writes on without a line: one message waits, one stays a draft.
    a.page.locator("#text").fill("And on Monday too.")
    a.page.locator("#send").click()
    expect(a.page.locator("#waiting > li")).to_have_count(2, timeout=PATIENCE)
    a.page.locator("#text").fill("Half a thought, kept")
    expect(a.page.locator("#draft-state")).not_to_be_empty(timeout=PATIENCE)
    line.mend()
    expect(a.page.locator("#connection")).to_be_hidden(timeout=PATIENCE)
    expect(a.page.locator("#waiting > li")).to_have_count(0, timeout=PATIENCE)
    expect(a.page.locator("#text")).to_have_value("Half a thought, kept")

    # Comes back by a new page, acknowledges; the line goes before that is answered.
    a.page.reload()
    expect(question).to_be_visible(timeout=PATIENCE)
    expect(a.page.locator("#text")).to_have_value("Half a thought, kept", timeout=PATIENCE)
    a.page.wait_for_load_state("networkidle", timeout=PATIENCE)
    stored = items(server)
    line.be_deaf()
    a.acknowledge("Can you confirm by telephone?")
    wait_until(a, lambda: items(server) > stored)
    line.cut()
    line.mend()
    expect(question.get_by_role("button", name="Acknowledge")).to_be_hidden(timeout=PATIENCE)

    # The other side sees all of it once, in order.
    expected = ["Can you confirm by telephone?", "Yes, at nine.", "And on Monday too."]
    for text in expected[1:]:
        expect(c.message(text)).to_have_count(1, timeout=PATIENCE)
    expect(c.message(expected[0]).locator(".standing")).to_contain_text("Acknowledged by", timeout=PATIENCE)
    assert texts(c) == texts(a) == expected
    assert items(server) == stored + 1  # one acknowledgement, however often it was sent


def wait_until(desk: Desk, condition: object) -> None:
    """Wait, with the page going on meanwhile, until something holds."""
    assert callable(condition)
    for _ in range(PATIENCE // 100):
        if condition():
            return
        desk.page.wait_for_timeout(100)
    raise AssertionError("nothing of it came")
