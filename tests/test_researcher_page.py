"""The researcher's page in a real browser: it lives, it can be used by keyboard, axe finds nothing, and nothing leaves the machine."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from served_study import PATIENCE_MS
from watched_study import ARMS, NOW, enrol, give, lay_out, served

from stimuli.experiment import Experiment
from study.researcher.password import set_password
from study.researcher.watch import Watch, watch_app
from study.storage.database import Database

pytestmark = pytest.mark.browser

PASSWORD = "four unusual words"


@dataclass
class Watched:
    address: str
    database: Database


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    experiment = Experiment(tmp_path_factory.mktemp("watched"))
    set_password(experiment, PASSWORD)
    database = lay_out(experiment, participants=30)
    for slot in range(6):
        enrol(database, f"p{slot}", slot=slot, ended="finished" if slot < 3 else None)
        trials: list[dict[str, Any]] = [{"left": ARMS[step % 3], "right": ARMS[(step + 1) % 3]} for step in range(12)]
        give(database, f"p{slot}", [trial | {"choice": "left", "response_ms": 700.0 * (step + 1)} for step, trial in enumerate(trials)])
    watch = Watch(experiment, database, f"sqlite:///{experiment.database}", now=lambda: NOW)
    with served(watch_app(watch)) as address:
        yield Watched(address, database)
    database.close()


def come_in(browser: Browser, watched: Watched, **options: Any) -> Page:
    page = browser.new_context(**options).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(watched.address)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#balance")).to_be_visible()
    return page


def violations(page: Page) -> list[tuple[str, list[str]]]:
    found = Axe().run(page).response["violations"]
    return [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(watched: Watched, chromium: Browser, scheme: Any, width: int) -> None:
    page = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 800}).new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(watched.address)
    assert violations(page) == []
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.locator("#everybody summary").click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#close").click()
    expect(page.locator("h1")).to_have_text("Close the study?")
    assert violations(page) == []
    assert said == []
    assert [address for address in requested if not address.startswith(watched.address)] == []
    page.context.close()


def test_numbers_come_by_themselves_and_leave_what_is_open_and_focused_alone(watched: Watched, chromium: Browser) -> None:
    page = come_in(chromium, watched)
    answers = page.locator(".numbers div", has_text="answers").locator("dd")
    expect(answers).to_have_text("72")
    page.locator("#everybody summary").click()
    page.locator("#map").focus()
    enrol(watched.database, "late", slot=20)
    give(watched.database, "late", [{"choice": "right", "response_ms": 900.0}])
    expect(answers).to_have_text("73")
    assert page.locator("#everybody").get_attribute("open") is not None
    expect(page.locator("#everybody")).to_contain_text("late")
    assert page.evaluate("document.activeElement.id") == "map"
    # A part without news keeps its very elements, so nothing in it flickers or loses a selection.
    page.evaluate("document.getElementById('dropout').kept = true")
    page.evaluate("refresh()")
    assert page.evaluate("document.getElementById('dropout').kept")
    page.context.close()


def test_the_study_is_paused_and_opened_again_by_keyboard(watched: Watched, chromium: Browser) -> None:
    page = come_in(chromium, watched)
    page.locator("body").press("Tab")
    assert page.evaluate("document.activeElement.id") == "pause"
    # The numbers that come by themselves may say so before the page that answers the button does.
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator(".state")).to_have_text("paused")
    page.locator("#open").focus()
    with page.expect_navigation():
        page.keyboard.press("Space")
    expect(page.locator(".state")).to_have_text("open")
    page.context.close()


def test_the_download_comes_as_a_file_and_signing_out_leads_to_the_password(watched: Watched, chromium: Browser) -> None:
    page = come_in(chromium, watched)
    with page.expect_download() as caught:
        page.get_by_role("button", name="Without outcomes").click()
    assert caught.value.suggested_filename == "comparison-without-outcomes-2026-03-01-1030.zip"
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    page.goto(watched.address)
    expect(page.get_by_label("Password")).to_be_visible()
    page.context.close()
