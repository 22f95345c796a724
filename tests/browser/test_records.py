"""Records made in the browser hold on a machine without network; reports show moderators what was written."""

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from messaging.sealed.container import pack, unpack
from messaging.sealed.record import item_path
from network.demo import SECRETARIAT, STATE_C
from tests.architecture.sources import ROOT
from tests.browser.desk import PATIENCE, Desk
from tests.secretariat import confirm_all
from tests.server import Server

TEXT = "Nous demandons les relevés bancaires. <b>Urgent</b>"
ANSWER = "نرد عليكم"
THREAT = "Pay us, or the witness will not travel."


@pytest.fixture
def thread(desks: tuple[Desk, Desk]) -> tuple[Desk, Desk, str]:
    """Give two desks and a thread in which both have written."""
    a, c = desks
    a.open_thread_with(STATE_C.name, subject="Bank records", text=TEXT)
    c.open_thread("Bank records")
    c.sees(TEXT)
    c.write(ANSWER)
    a.sees(ANSWER)
    c.write(THREAT)
    a.sees(THREAT)
    return a, c, a.page.url.partition("?")[0]


def make(desk: Desk, url: str, folder: Path, *, button: str = "record-make", reading: str = "sealed") -> Path:
    """Make a record and save it."""
    desk.go(url)
    expect(desk.page.locator("#record")).to_be_visible(timeout=PATIENCE)
    desk.page.locator(f"[name=reading][value={reading}]").check()
    desk.page.locator(f"#{button}").click()
    expect(desk.page.locator("#record-done")).to_be_visible(timeout=PATIENCE)
    with desk.page.expect_download() as waiting:
        desk.page.locator("#record-save").click()
    file = folder / waiting.value.suggested_filename
    waiting.value.save_as(file)
    return file


def check(file: Path, *arguments: str) -> tuple[int, str]:
    """Run the command of its own on the record, with every socket forbidden."""
    script = (
        "import socket, sys\n"
        "def no(*_, **__): raise OSError('no network here')\n"
        "socket.socket = no\n"
        "from messaging.tools.record import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", script, str(file), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_readable_record_verifies_offline_and_an_altered_byte_is_named(
    thread: tuple[Desk, Desk, str], tmp_path: Path, live_server_process: Server
) -> None:
    a, _, url = thread
    confirm_all(live_server_process)
    anchor = "from messaging.actions.log import anchor_threads; assert anchor_threads(90_000)"
    live_server_process.manage("shell", "-c", anchor)
    file = make(a, f"{url}record/", tmp_path, reading="open")
    status, said = check(file)
    assert status == 0, said
    assert "Messages: 3. Opened: 3." in said
    assert "stood in that log on 2216-05-31, by its anchor of that day" in said
    assert STATE_C.name in said
    assert "stood in the log of keys" in said
    assert said.count("was confirmed by") == 2  # both authorities' keys
    assert "Opened up to item" in said
    parts = unpack(file.read_bytes()).parts
    page = parts["record.html"].decode()
    assert "Nous demandons les relevés bancaires. &lt;b&gt;Urgent&lt;/b&gt;" in page
    assert ANSWER in page
    assert "Bank records" in page
    broken = bytearray(parts[item_path(3)])
    broken[400] ^= 1
    file.write_bytes(pack(parts | {item_path(3): bytes(broken)}))
    status, said = check(file)
    assert status == 1
    assert f"{item_path(3)}: this part was changed" in said


def test_a_sealed_record_opens_with_its_code_and_the_kit(
    browser: Browser, thread: tuple[Desk, Desk, str], tmp_path: Path
) -> None:
    a, _, url = thread
    file = make(a, f"{url}record/", tmp_path)
    assert THREAT.encode() not in file.read_bytes()
    code = a.page.locator("#record-code [data-slot=code]").inner_text()
    assert len(code.split()) == 12
    assert check(file)[0] == 0
    secret = tmp_path / "code"
    secret.write_text(code, encoding="utf-8")
    out = tmp_path / "page.html"
    status, said = check(file, "--open", "code", "--secret-file", str(secret), "--page", str(out))
    assert status == 0, said
    assert "Opened: 3." in said
    assert THREAT in out.read_text(encoding="utf-8")
    reader = browser.new_page()
    reader.goto(out.as_uri())
    expect(reader.locator("article")).to_have_count(3)
    expect(reader.get_by_text("<b>Urgent</b>")).to_be_visible()
    reader.close()


def test_one_message_is_proven_and_shows_no_other(
    thread: tuple[Desk, Desk, str], tmp_path: Path, live_server_process: Server
) -> None:
    a, _, _ = thread
    confirm_all(live_server_process)
    message = a.message(THREAT)
    message.locator("summary", has_text="More").click()
    message.get_by_role("link", name="Prove this message").click()
    expect(a.page.locator("#one-message")).to_contain_text(THREAT, timeout=PATIENCE)
    file = make(a, a.page.url, tmp_path, button="one-make")
    status, said = check(file)
    assert status == 0, said
    assert THREAT in said
    assert STATE_C.persons[1].name in said
    assert "stood in the log of keys" in said
    assert "Fingerprint of the secretariat" in said
    assert ANSWER not in said
    assert "relevés".encode() not in file.read_bytes()


def test_a_threat_is_reported_and_a_moderator_reads_that_message_only(
    browser: Browser, thread: tuple[Desk, Desk, str], live_server_process: Server
) -> None:
    a, _, url = thread
    expect(a.message(TEXT).get_by_role("link", name="Report it")).to_have_count(0)
    message = a.message(THREAT)
    message.locator("summary", has_text="More").click()
    message.get_by_role("link", name="Report it").click()
    expect(a.page.locator("#report-messages li")).to_have_count(2, timeout=PATIENCE)
    expect(a.page.locator("#report-messages input:checked")).to_have_count(1)
    a.page.locator("#report-send").click()
    expect(a.page.locator("#report-problem")).to_have_text("Say what is wrong.")
    a.page.locator("#report-cause").select_option("pressure")
    a.page.locator("#report-words").fill("A witness is threatened.")
    a.page.locator("#report-send").click()
    expect(a.page.locator("#report-done")).to_be_visible(timeout=PATIENCE)
    person = next(person for person in SECRETARIAT.persons if "moderator" in person.roles)
    with Desk(browser, live_server_process.origin, person) as moderator:
        moderator.sign_in()
        moderator.go("/reports/")
        moderator.page.locator("main a", has_text="Threats").click()
        expect(moderator.page.get_by_text(THREAT)).to_be_visible()
        expect(moderator.page.get_by_text("A witness is threatened.")).to_be_visible()
        expect(moderator.page.get_by_text(ANSWER)).to_have_count(0)
        moderator.page.get_by_role("button", name="Founded", exact=True).click()
        expect(moderator.page.get_by_text("Closed by")).to_be_visible()
        assert moderator.faults == []
    a.go(f"{url}report/")
    expect(a.page.get_by_text("The moderators closed this report")).to_be_visible(timeout=PATIENCE)
    expect(a.page.locator(".badge", has_text="Founded")).to_be_visible()
