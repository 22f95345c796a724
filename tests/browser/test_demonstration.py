"""What who starts the demonstration does first: sign in as State A, be let in, be answered by State B."""

import re

from playwright.sync_api import Browser, expect

from network.demo import STATE_A
from tests.browser.desk import PATIENCE, Desk
from tests.server import Server


def test_officer_is_let_in_by_the_steward_and_answered_by_state_b(
    browser: Browser, live_server_process: Server, helpers: None
) -> None:
    with Desk(browser, live_server_process.origin, STATE_A.persons[0]) as desk:
        desk.sign_in()
        desk.go("/devices/")
        desk.page.locator("#make-request").click()
        expect(desk.page.locator("#step-ready:visible, h1:text-is('Correspondence')")).to_be_visible(
            timeout=PATIENCE
        )
        question = "Could you freeze the account ending 0000 before Friday at noon?"
        desk.open_thread_with("Bureau de l’entraide", subject="Urgent freezing", text=question)
        desk.sees("“Could you freeze the account ending 0000 before Friday …” and has 11 words.")
        desk.standing(question, "cknowledged")
        desk.write("Et une audition du témoin par visioconférence serait-elle possible dans trois semaines ?")
        desk.sees("compte 13 mots")
        assert len(desk.texts()) >= 4
        assert re.search("demonstration", "\n".join(desk.texts()))
        assert desk.faults == []
