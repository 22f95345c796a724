"""What has not moved for long is found, asked about in one press, and gone from the list."""

import re
import time

from playwright.sync_api import expect

from network.demo import STATE_C
from tests.browser.desk import PATIENCE, Desk
from tests.browser.test_taking_steps import go_to_step, take
from tests.server import Server

DAYS = 61


def let_days_pass(server: Server) -> None:
    """Put back when each thread has moved last."""
    moved = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() - DAYS * 86_400))
    server.sql("UPDATE messaging_threadmember SET changed_at = ?", moved)


def test_a_request_that_stands_still_is_asked_about_with_a_model_text(
    desks: tuple[Desk, Desk], live_server_process: Server
) -> None:
    own, partner = desks
    own.open_thread_with(STATE_C.name, subject="Bank records", text="A request follows.")
    go_to_step(own)
    own.page.locator("#step-variant").select_option("assistance")
    take(own, "Request sent", channel="Diplomatic note", languages="English", annexes="")
    let_days_pass(live_server_process)
    own.page.goto("/")
    expect(own.page.locator("#tile-still .tile-count")).to_have_text("1")
    own.page.locator("#tile-still").click()
    expect(own.page.locator(".start-list li")).to_contain_text("Request sent")
    own.page.get_by_role("link", name="Ask how it stands").click()
    expect(own.page.locator("#text")).to_have_value(re.compile(r"article 18\(24\)"), timeout=PATIENCE)
    own.page.keyboard.type("1 September")  # over the first bracket, which is chosen
    own.page.locator("#send").click()
    partner.open_thread("Bank records")
    asked = partner.page.locator("#messages .message", has_text="our request of 1 September stands")
    expect(asked).to_be_visible(timeout=PATIENCE)
    own.page.goto("/?show=still")
    expect(own.page.locator("#start-now")).to_contain_text("has moved within the last 60 days")
    # The answer begins with a model text too, in the language of the message.
    partner.page.locator("#language").select_option("fr")
    partner.page.locator("summary", has_text="Begin with a model text").click()
    partner.page.locator("#letter").select_option(label="Acknowledge receipt")
    expect(partner.page.locator("#text")).to_have_value(
        re.compile("Nous accusons réception"), timeout=PATIENCE
    )
    expect(partner.page.locator("#letter")).to_have_value("")


def test_cases_are_listed_by_where_they_stand(desks: tuple[Desk, Desk]) -> None:
    own, partner = desks
    own.open_thread_with(STATE_C.name, subject="Bank records", text="A request follows.")
    go_to_step(own)
    own.page.locator("#step-variant").select_option("assistance")
    take(own, "Request sent", channel="Diplomatic note", languages="English", annexes="")
    partner.open_thread("Bank records")
    partner.page.goto("/")
    stands = partner.page.get_by_role("navigation", name="Where cases stand")
    stands.get_by_role("link", name="Request sent").click()
    expect(partner.page.locator(".start-list li")).to_have_count(1)
    expect(partner.page.locator(".start-list li")).to_contain_text("Bank records", timeout=PATIENCE)
    partner.page.goto("/threads/")
    row = partner.page.locator("#threads li", has_text="Bank records")
    expect(row).to_contain_text("Request sent", timeout=PATIENCE)
    expect(row).to_contain_text("Needs our answer")
