"""The contact sheet in a real browser: by keyboard alone, in two tabs at once, with nothing for axe to find."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect
from served_study import PATIENCE_MS, PATIENCE_S, rendered
from study_fixtures import make_experiment
from watched_study import NOW

from stimuli.experiment import Experiment
from study.config import StudyTable
from study.researcher.gallery import groups_of, hashes_of
from study.researcher.server import address_of, listen, server_of
from study.researcher.sheet import Sheet, sheet_app
from study.researcher.verdicts import Verdicts
from study.reviews import read_reviews

pytestmark = pytest.mark.browser


@dataclass
class Reviewing:
    experiment: Experiment
    address: str
    hashes: list[str]

    def verdicts(self) -> list[str]:
        """Return what is on disk of each image, in the order of the sheet."""
        found = read_reviews(self.experiment.reviews)
        return [found[sha].reason or found[sha].verdict if sha in found else "-" for sha in self.hashes]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[tuple[Reviewing, BrowserContext]]:
    experiment = make_experiment(tmp_path_factory.mktemp("review") / "experiment")
    groups = groups_of(experiment, StudyTable())
    hashes = hashes_of(groups)
    listening = listen("127.0.0.1", None)
    verdicts = Verdicts(experiment.reviews, reviewer="Ada", clock=lambda: NOW)
    sheet = Sheet(groups, {hashes[1]: ("nearly the same as image 1",)}, verdicts, title="A study")
    server = server_of(sheet_app(sheet, port=listening.getsockname()[1]))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    entering = context.new_page()
    entering.goto(f"{address_of(listening)}/?token={sheet.token}")
    entering.close()
    yield Reviewing(experiment, address_of(listening), hashes), context
    context.close()
    server.should_exit = True
    thread.join()


@pytest.fixture
def reviewing(served: tuple[Reviewing, BrowserContext]) -> Iterator[tuple[Reviewing, Page]]:
    sheet, context = served
    sheet.experiment.reviews.unlink(missing_ok=True)
    page = context.new_page()
    open_sheet(page, sheet)
    yield sheet, page
    page.close()


def open_sheet(page: Page, sheet: Reviewing) -> None:
    page.goto(sheet.address)
    page.locator(".card.current").wait_for()
    # The page has been told which images are on the screen.
    rendered(page)


# Both stand in the page itself: a route of the browser's was once not there yet when the first key asked.
_HELD = """path => {
  const real = window.fetch;
  window.fetch = (asked, ...rest) => {
    if (asked !== path) return real(asked, ...rest);
    window.fetch = real;
    return new Promise((answer) => { window.goOn = () => answer(real(asked, ...rest)); });
  };
}"""
_LOST = """path => {
  const real = window.fetch;
  window.fetch = (asked, ...rest) => {
    if (asked !== path) return real(asked, ...rest);
    window.fetch = real;
    return Promise.reject(new TypeError("Failed to fetch"));
  };
}"""


@contextmanager
def unanswered(page: Page, path: str) -> Iterator[None]:
    """Keep back what the page, open or about to open, asks first at a path until the block ends."""
    page.add_init_script(f"({_HELD})({json.dumps(path)})")
    page.evaluate(_HELD, path)
    yield
    deadline = time.monotonic() + PATIENCE_S
    while not page.evaluate("() => Boolean(window.goOn)"):
        assert time.monotonic() < deadline, f"nobody asked for {path}"
        page.wait_for_timeout(20)
    page.evaluate("() => { window.goOn(); }")


def press(page: Page, *keys: str, said: str) -> None:
    for key in keys:
        page.keyboard.press(key)
    expect(page.locator("#said")).to_have_text(said)


def test_images_are_approved_removed_and_undone_by_keyboard_and_kept_at_once(reviewing: tuple[Reviewing, Page]) -> None:
    sheet, page = reviewing
    press(page, "a", said="Image 1 of 3: approved")
    assert sheet.verdicts() == ["approved", "-", "-", "-", "-", "-"]
    press(page, "r", "d", said="Image 2 of 3: removed, near-duplicate")
    press(page, "ArrowRight", "r", "h", said="Image 1 of 3: removed, harmful")
    assert sheet.verdicts() == ["approved", "near-duplicate", "-", "harmful", "-", "-"]
    expect(page.locator("#count")).to_have_text("3 of 6 looked at, 2 removed.")
    press(page, "u", said="Undone")
    expect(page.locator("#count")).to_have_text("2 of 6 looked at, 1 removed.")
    press(page, "u", said="Undone")
    press(page, "u", said="Undone")
    press(page, "u", said="Nothing to undo")
    assert sheet.verdicts() == ["-"] * 6


def test_keys_faster_than_the_server_take_back_no_more_than_was_said(reviewing: tuple[Reviewing, Page]) -> None:
    sheet, page = reviewing
    press(page, "a", "a", "u", "u", "u", said="Nothing to undo")
    assert sheet.verdicts() == ["-"] * 6


def test_approving_the_rest_at_once_leaves_a_removal_that_is_still_under_way(reviewing: tuple[Reviewing, Page]) -> None:
    sheet, page = reviewing
    with unanswered(page, "/verdict"):
        press(page, "r", "h", "ArrowLeft", "Shift+A", said="")
    expect(page.locator("#said")).to_have_text("2 images: approved")
    assert sheet.verdicts() == ["harmful", "approved", "approved", "-", "-", "-"]
    press(page, "u", said="Undone")
    assert sheet.verdicts() == ["harmful", "-", "-", "-", "-", "-"]


def test_nothing_is_said_of_an_image_before_it_is_known_what_was_said_already(reviewing: tuple[Reviewing, Page]) -> None:
    sheet, page = reviewing
    press(page, "r", "h", said="Image 1 of 3: removed, harmful")
    other = page.context.new_page()
    with unanswered(other, "/reviews"):
        other.goto(sheet.address)
        other.keyboard.press("a")
        other.locator("#approve").click()
    expect(other.locator(".card.current")).to_have_attribute("data-image", "1")
    press(other, "a", said="Image 2 of 3: approved")
    assert sheet.verdicts() == ["harmful", "approved", "-", "-", "-", "-"]
    other.close()


def test_an_undo_that_was_not_stored_can_be_tried_again(reviewing: tuple[Reviewing, Page]) -> None:
    sheet, page = reviewing
    press(page, "a", said="Image 1 of 3: approved")
    page.evaluate(_LOST, "/undo")
    press(page, "u", said="Not stored: Failed to fetch")
    press(page, "u", said="Undone")
    assert sheet.verdicts() == ["-"] * 6


def test_arrows_move_over_rows_and_escape_leaves_the_question_without_removing(reviewing: tuple[Reviewing, Page]) -> None:
    sheet, page = reviewing
    current = page.locator(".card.current")
    for key, image in (("ArrowRight", "1"), ("ArrowDown", "4"), ("ArrowUp", "1"), ("ArrowLeft", "0"), ("ArrowLeft", "0")):
        page.keyboard.press(key)
        expect(current).to_have_attribute("data-image", image)
    expect(current).to_be_focused()
    page.keyboard.press("r")
    expect(page.locator("#why")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#why")).to_be_hidden()
    page.keyboard.press("r")
    page.keyboard.press("Enter")
    expect(page.locator("#why")).to_be_hidden()
    assert sheet.verdicts() == ["-"] * 6


def test_the_rest_of_a_prompt_is_approved_once_all_of_it_was_on_the_screen(reviewing: tuple[Reviewing, Page]) -> None:
    sheet, page = reviewing
    press(page, "r", "b", said="Image 1 of 3: removed, broken")
    press(page, "Shift+A", said="2 images: approved")
    assert sheet.verdicts() == ["broken", "approved", "approved", "-", "-", "-"]
    page.set_viewport_size({"width": 390, "height": 500})
    page.reload()
    page.locator(".card.current").wait_for()
    assert page.locator(".card.current").get_attribute("data-image") == "3"
    rendered(page)
    page.keyboard.press("Shift+A")
    expect(page.locator("#said")).to_contain_text("Look at all images of the prompt first")
    assert sheet.verdicts()[3:] == ["-"] * 3
    page.set_viewport_size({"width": 1280, "height": 800})


def test_an_image_is_enlarged_and_judged_there(reviewing: tuple[Reviewing, Page]) -> None:
    sheet, page = reviewing
    page.keyboard.press("Space")
    expect(page.locator("#large")).to_be_visible()
    expect(page.locator("#large-prompt")).to_have_text("A red boat on a lake")
    page.keyboard.press("a")
    expect(page.locator("#large-name")).to_have_text("Image 2 of 3, not looked at")
    expect(page.locator("#large-flags")).to_have_text("nearly the same as image 1")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#large-image")).to_have_attribute("src", "/image/large/2")
    page.keyboard.press("r")
    page.keyboard.press("o")
    expect(page.locator("#large-prompt")).to_have_text("A <b>bold</b> house & garden")
    page.keyboard.press("Escape")
    expect(page.locator("#large")).to_be_hidden()
    expect(page.locator("#count")).to_contain_text("2 of 6")
    assert sheet.verdicts() == ["approved", "-", "other", "-", "-", "-"]


def test_a_held_key_is_one_verdict(reviewing: tuple[Reviewing, Page]) -> None:
    sheet, page = reviewing
    for _ in range(5):
        page.keyboard.down("a")
    page.keyboard.up("a")
    expect(page.locator("#count")).to_contain_text("1 of 6")
    assert sheet.verdicts() == ["approved", "-", "-", "-", "-", "-"]


def test_what_another_tab_says_shows_here_and_a_reload_goes_on_where_one_stopped(
    reviewing: tuple[Reviewing, Page], served: tuple[Reviewing, BrowserContext]
) -> None:
    sheet, page = reviewing
    other = served[1].new_page()
    open_sheet(other, sheet)
    press(other, "a", said="Image 1 of 3: approved")
    press(page, "ArrowRight", "a", said="Image 2 of 3: approved")
    expect(page.locator("#count")).to_contain_text("2 of 6 looked at")
    assert sheet.verdicts()[:3] == ["approved", "approved", "-"]
    other.reload()
    expect(other.locator(".card.current")).to_have_attribute("data-image", "2")
    expect(other.locator(".card.current")).to_be_focused()
    other.close()


def test_the_mouse_does_all_that_the_keys_do(reviewing: tuple[Reviewing, Page]) -> None:
    sheet, page = reviewing
    page.locator("#approve").click()
    expect(page.locator("#count")).to_contain_text("1 of 6")
    page.locator(".card").nth(4).click()
    page.locator("#large-remove").click()
    page.get_by_role("button", name="Harmful").click()
    expect(page.locator("#count")).to_contain_text("2 of 6")
    page.locator("#large-close").click()
    page.locator("#undo").click()
    expect(page.locator("#count")).to_contain_text("1 of 6")
    assert sheet.verdicts() == ["approved", "-", "-", "-", "-", "-"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_sheet_or_its_questions(reviewing: tuple[Reviewing, Page], scheme: str) -> None:
    _, page = reviewing
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.keyboard.press("a")
    page.keyboard.press("r")
    page.keyboard.press("b")
    expect(page.locator("#count")).to_contain_text("2 of 6")
    for key in ("Escape", "r", "Escape", "Enter"):
        page.keyboard.press(key)
        found = Axe().run(page).response["violations"]
        assert [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found] == []


def test_the_sheet_fits_a_phone(reviewing: tuple[Reviewing, Page], tmp_path: Path) -> None:
    _, page = reviewing
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1280, "height": 800})
    page.screenshot(path=tmp_path / "sheet.png")
