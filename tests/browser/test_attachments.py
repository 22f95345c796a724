"""Files beside messages in real Chromium: added, cut off, gone on with, saved, and refused when altered."""

import hashlib
import re
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Download, Error, Locator, Route, expect

from network.demo import STATE_C
from tests.browser.desk import PATIENCE, Desk
from tests.server import Server
from tests.vectors.make_files import content

MIB = 1024 * 1024
# The dialog that asks where to save stands outside the page: without it files go to the folder of downloads.
NO_DIALOG = "delete window.showSaveFilePicker"


@pytest.fixture
def thread(desks: tuple[Desk, Desk]) -> tuple[Desk, Desk]:
    """Give both desks with an open thread."""
    a, c = desks
    for desk in desks:
        desk.page.add_init_script(NO_DIALOG)
    a.open_thread_with(STATE_C.name, subject="Files", text="First")
    return a, c


def file_of(folder: Path, name: str, size: int) -> Path:
    """Make a file of this size."""
    path = folder / name
    path.write_bytes(content(size))
    return path


def add(desk: Desk, *paths: Path) -> Locator:
    """Choose files for the message; returns the row of the last one."""
    desk.page.locator("#files-field").set_input_files([str(path) for path in paths])
    return desk.page.locator("#added-files > li").last


def is_stored(row: Locator) -> None:
    expect(row.locator("[data-slot=state]")).to_contain_text("It goes with the message", timeout=4 * PATIENCE)


def saved(desk: Desk, row: Locator, *, button: str = "save") -> tuple[str, bytes]:
    """Save a file of a message; returns its name and bytes."""
    with desk.page.expect_download(timeout=4 * PATIENCE) as caught:
        row.locator(f"[data-slot={button}]").click()
    expect(row.locator("[data-slot=state]")).to_contain_text("byte for byte")
    return caught.value.suggested_filename, Path(caught.value.path()).read_bytes()


def test_files_go_with_a_message_and_are_saved_as_they_were(
    thread: tuple[Desk, Desk], tmp_path: Path, live_server_process: Server
) -> None:
    a, c = thread
    paths = [file_of(tmp_path, "Order of the court.pdf", 3 * MIB + 77), file_of(tmp_path, "note.txt", 10)]
    row = add(a, *paths)
    is_stored(row)
    is_stored(a.page.locator("#added-files > li").first)
    a.write("With two files")
    expect(a.page.locator("#added-files > li")).to_have_count(0)
    c.open_thread("Files")
    rows = c.message("With two files").locator("[data-slot=files] > li")
    expect(rows).to_have_count(2, timeout=PATIENCE)
    for path, found in zip(paths, (rows.first, rows.last), strict=True):
        assert saved(c, found) == (path.name, path.read_bytes())
    state = live_server_process.state
    kept = b"".join(each.read_bytes() for each in state.rglob("*") if each.is_file())
    assert b"Order of the court" not in kept
    assert content(3 * MIB)[:4096] not in kept


def test_a_message_waits_for_its_files_and_a_file_can_be_removed(
    thread: tuple[Desk, Desk], tmp_path: Path
) -> None:
    a, _ = thread
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    a.page.route("**/chunks/1", hold)
    row = add(a, file_of(tmp_path, "slow.bin", 2 * MIB))
    other = add(a, file_of(tmp_path, "unwanted.bin", 2 * MIB))
    expect(row.locator("[data-slot=state]").first).to_contain_text("Sealed and sent")
    a.page.locator("#text").fill("It comes when it is whole")
    a.page.locator("#send").click()
    other.locator("[data-slot=remove]").click()
    expect(a.page.locator("#messages > li", has_text="It comes")).to_have_count(0)
    for route in held:
        with suppress(Error):  # of the one that was removed: nobody waits for it any more
            route.continue_()
    a.page.unroute("**/chunks/1")
    a.sees("It comes when it is whole")
    expect(a.message("It comes when it is whole").locator(".file")).to_have_count(1)


def test_an_upload_goes_on_after_a_cut_and_after_a_reload(
    thread: tuple[Desk, Desk], tmp_path: Path, live_server_process: Server
) -> None:
    a, c = thread
    path = file_of(tmp_path, "large.bin", 6 * MIB)
    sent: list[str] = []
    a.page.on("request", lambda asked: sent.append(asked.url) if asked.method == "PUT" else None)
    a.page.route("**/chunks/4", lambda route: route.abort())
    row = add(a, path)
    expect(row.locator("[data-slot=state]")).to_contain_text("Sealed and sent", timeout=PATIENCE)
    expect(row.locator("progress")).not_to_have_attribute("value", "0", timeout=PATIENCE)
    a.page.locator("#text").fill("Large")
    a.page.wait_for_timeout(2500)  # the draft is kept
    a.page.on("dialog", lambda dialog: dialog.accept())
    a.page.reload()
    again = a.page.locator("#added-files > li")
    expect(again).to_contain_text("Choose the same file again", timeout=PATIENCE)
    a.page.unroute("**/chunks/4")
    before = len([url for url in sent if "/chunks/" in url])
    row = add(a, path)
    expect(a.page.locator("#added-files > li")).to_have_count(1)
    is_stored(row)
    after = [url for url in sent if "/chunks/" in url][before:]
    assert 0 < len(after) < 6  # what was stored was not sent again
    live_server_process.kill()
    a.write("Large")
    live_server_process.start()
    a.sees("Large")
    c.open_thread("Files")
    name, data = saved(c, c.message("Large").locator(".file"))
    assert (name, hashlib.sha256(data).digest()) == ("large.bin", hashlib.sha256(content(6 * MIB)).digest())


def test_an_altered_missing_or_swapped_part_is_named_and_nothing_is_saved(
    thread: tuple[Desk, Desk], tmp_path: Path
) -> None:
    a, c = thread
    is_stored(add(a, file_of(tmp_path, "evidence.bin", 2 * MIB)))
    a.write("Evidence")
    c.open_thread("Files")
    row = c.message("Evidence").locator(".file")
    problem = row.locator("[data-slot=problem]")
    downloads: list[Download] = []

    def note(download: Download) -> None:
        downloads.append(download)

    c.page.on("download", note)

    def alter(route: Route) -> None:
        answer = route.fetch()
        body = bytearray(answer.body())
        body[1000] ^= 1
        route.fulfill(response=answer, body=bytes(body))

    c.page.route("**/chunks/1", alter)
    row.locator("[data-slot=save]").click()
    expect(problem).to_contain_text("A part of this file was altered", timeout=PATIENCE)
    c.page.unroute("**/chunks/1")

    def forget(route: Route) -> None:
        answer = route.fetch()
        found = answer.json()
        route.fulfill(response=answer, json={**found, "hashes": found["hashes"][:-44] + "A" * 43 + "="})

    pattern = re.compile(r"/attachments/[0-9a-f]{32}$")
    c.page.route(pattern, forget)
    row.locator("[data-slot=save]").click()
    expect(problem).to_contain_text("does not have this file as it was sent", timeout=PATIENCE)
    c.page.unroute(pattern)
    assert downloads == []
    assert saved(c, row)[1] == content(2 * MIB)


def test_what_can_start_programs_is_saved_at_the_second_word_only(
    thread: tuple[Desk, Desk], tmp_path: Path
) -> None:
    a, _ = thread
    is_stored(add(a, file_of(tmp_path, "invoice.docm", 100)))
    a.write("A macro")
    row = a.message("A macro").locator(".file")
    row.locator("[data-slot=save]").click()
    expect(row.locator("[data-slot=warning]")).to_be_visible()
    assert saved(a, row, button="save-all-the-same")[0] == "invoice.docm"


def test_more_than_ten_files_and_more_than_a_gibibyte_are_refused_in_words(
    thread: tuple[Desk, Desk], tmp_path: Path
) -> None:
    a, _ = thread
    add(a, *(file_of(tmp_path, f"{n}.txt", 10 + n) for n in range(11)))
    expect(a.page.locator("#files-problem")).to_contain_text("Ten files go with one message")
    expect(a.page.locator("#added-files > li")).to_have_count(10)
    a.page.locator("#added-files > li [data-slot=remove]").first.click()
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(1024 * MIB + 1)
    row = add(a, large)
    expect(row.locator("[data-slot=problem]")).to_contain_text("at most 1 GiB", timeout=PATIENCE)
    a.page.locator("#text").fill("Not yet")
    a.page.locator("#send").click()
    expect(a.page.locator("#composer-problem")).to_contain_text("A file is not stored yet", timeout=PATIENCE)


def test_files_go_with_the_first_message_of_a_thread(desks: tuple[Desk, Desk], tmp_path: Path) -> None:
    a, c = desks
    a.page.add_init_script(NO_DIALOG)
    c.page.add_init_script(NO_DIALOG)
    path = file_of(tmp_path, "Request.pdf", MIB + 5)
    a.go("/threads/new/")
    a.page.locator("#authorities label", has_text=STATE_C.name).click()
    a.page.locator("#subject-field").fill("With a file")
    a.page.locator("#text").fill("The request is in the file.")
    left_out = file_of(tmp_path, "not this.txt", 3)
    add(a, left_out, path)
    a.page.locator("#added-files > li", has_text="not this.txt").locator("[data-slot=remove]").click()
    expect(a.page.locator("#added-files > li")).to_have_count(1)
    a.page.locator("#send").click()
    expect(a.page).to_have_url(re.compile("/threads/[0-9a-f]{64}/"), timeout=4 * PATIENCE)
    a.sees("The request is in the file.")
    expect(a.page.locator("#text")).to_have_value("")
    c.open_thread("With a file")
    rows = c.message("The request is in the file.").locator("[data-slot=files] > li")
    expect(rows).to_have_count(1, timeout=PATIENCE)
    assert saved(c, rows.first) == (path.name, path.read_bytes())


def test_who_is_interrupted_finds_the_text_in_the_thread_that_was_opened(
    desks: tuple[Desk, Desk], tmp_path: Path
) -> None:
    a, _ = desks
    a.go("/threads/new/")
    a.page.locator("#authorities label", has_text=STATE_C.name).click()
    a.page.locator("#subject-field").fill("Interrupted")
    a.page.locator("#text").fill("This must not be lost.")
    add(a, file_of(tmp_path, "Request.pdf", 2 * MIB))
    a.page.route("**/chunks/*", lambda route: route.abort())
    a.page.locator("#send").click()
    expect(a.page.locator("#added-files progress")).to_be_visible(timeout=PATIENCE)
    a.page.unroute("**/chunks/*")
    a.page.once("dialog", lambda dialog: dialog.accept())
    a.go("/threads/")
    a.page.locator("#threads a").click()
    expect(a.page.locator("#text")).to_have_value("This must not be lost.", timeout=PATIENCE)
