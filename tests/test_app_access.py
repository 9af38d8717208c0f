"""Every screen as people with other means meet it: no violation that axe finds, the focus where one reads on, the right language."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect
from served_study import LAPTOP, MIN_MS, PHONE, Served, at, come, rendered, served_in
from study_fixtures import Settings

from study.config import Question, RatingTable, Recruitment, StudyTable

pytestmark = pytest.mark.browser

QUESTIONS = (
    Question("eyes", "Do you see colours?", when="before", options=("Yes", "No"), accept=("Yes",)),
    Question("age", "How old are you?", when="before", type="number", least=18),
    Question("art", "How often do you look at art?", type="scale", ends=("never", "daily"), points=7),
    Question("remarks", "Anything else?", type="text", required=False),
)
RECRUITMENT = Recruitment(complete="C0DE", return_to="https://panel.example/done?cc={code}")
SETTINGS = Settings(
    study=StudyTable(min_ms=MIN_MS, unreviewed=True, block=3, tie=True, catch=1, participants=1000, recruitment=RECRUITMENT),
    rating=RatingTable(min_ms=MIN_MS, unreviewed=True, practice=1, per_participant=3, language="de"),
    question=QUESTIONS,
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_in(tmp_path_factory.mktemp("access"), SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_in(tmp_path_factory.mktemp("rated"), Settings(rating=SETTINGS.rating), kind="rating") as running:
        yield running


SCREENS: dict[str, Callable[[Served, str], object]] = {
    "consent": lambda served, who: served.session.place(who),
    "choice": lambda served, who: served.session.consent(who),
    "number": lambda served, who: served.walk_to(who, "question", replied=1),
    "instructions": lambda served, who: served.walk_to(who, "instructions"),
    "practice": lambda served, who: served.walk_to(who, "practice"),
    "comparison": lambda served, who: served.walk_to(who, "trials", answered=1),
    "break": lambda served, who: served.walk_to(who, "break"),
    "scale": lambda served, who: served.walk_to(who, "question", replied=2),
    "text": lambda served, who: served.walk_to(who, "question", replied=3),
    "thanks": lambda served, who: served.walk_to(who, "thanks"),
    "declined": lambda served, who: served.session.decline(who),
    "screened out": lambda served, who: (served.session.consent(who), served.session.reply(who, "eyes", "No")),
}


def violations(page: Page) -> list[str]:
    """Return what axe finds on a laptop and a phone, in the light and in the dark."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        if page.locator(".stApp").count():
            background = {"light": "rgb(250, 250, 250)", "dark": "rgb(22, 22, 22)"}[scheme]
            expect(page.locator(".stApp")).to_have_css("background-color", background)
        for window in (LAPTOP, PHONE):
            page.set_viewport_size(window)  # type: ignore[arg-type]
            rendered(page)
            results = Axe().run(page).response["violations"]
            found += [f"{scheme}, {window['width']} px: {each['id']}: {each['nodes'][0]['html']}" for each in results]
    return found


@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing_and_the_focus_is_where_one_reads_on(served: Served, context: BrowserContext, screen: str) -> None:
    participant = screen.replace(" ", "-")
    SCREENS[screen](served, participant)
    page = come(context, served, participant)
    heading = page.locator("h1")
    expect(heading).not_to_be_empty()
    if screen in ("practice", "comparison"):
        page.locator(".page.open").wait_for()
        focused = page.locator(".page")
        assert focused.get_attribute("aria-labelledby") == heading.get_attribute("id")
    else:
        focused = heading
    expect(focused).to_be_focused()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert violations(page) == []


def test_axe_finds_nothing_on_a_rating_before_and_after_it_is_given(rated: Served, context: BrowserContext) -> None:
    rated.walk_to("rater", "trials")
    page = come(context, rated, "rater")
    at(page, "1 von 3")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_role("slider")).to_be_focused()
    assert violations(page) == []
    page.keyboard.press("4")
    assert page.get_by_role("slider").get_attribute("aria-valuetext") == "4, gut"
    assert violations(page) == []


def test_axe_finds_nothing_where_something_is_in_the_way(served: Served, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{served.origin}/?started=1")
    expect(page.locator("h1")).to_have_text("One thing is missing")
    assert violations(page) == []
    page.goto(served.address("%3Cx"))
    expect(page.locator("h1")).to_have_text("This link does not work")
    assert violations(page) == []
    for state, title in (("paused", "The study is paused"), ("closed", "The study has ended")):
        served.set_state(state)  # type: ignore[arg-type]
        try:
            other = come(context, served, "waiting")
            expect(other.locator("h1")).to_have_text(title)
            assert violations(other) == []
        finally:
            served.set_state("open")


def test_an_error_is_announced_beside_the_field_it_is_about(served: Served, context: BrowserContext) -> None:
    served.walk_to("mistaken", "question", replied=1)
    page = come(context, served, "mistaken")
    field = page.get_by_label("How old are you?")
    field.fill("seven")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Please enter a number of at least 18.")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    assert field.get_attribute("aria-describedby") == page.get_by_role("alert").get_attribute("id")
    assert violations(page) == []


@pytest.mark.parametrize("screen", ["comparison", "rating"])
def test_at_twice_the_size_nothing_overlaps_or_leaves_the_screen(
    served: Served, rated: Served, context: BrowserContext, screen: str
) -> None:
    study = served if screen == "comparison" else rated
    study.walk_to("zoomed", "trials")
    page = come(context, study, "zoomed")
    # A laptop's window at 200 %.
    page.set_viewport_size({"width": 640, "height": 400})
    page.locator(".page.open").wait_for()
    rendered(page)
    parts = ("h1", ".prompt", ".frame >> nth=0", ".side .name >> nth=0", ".tie", ".slider", ".go", ".progress")
    boxes = [box for part in parts if page.locator(part).count() and (box := page.locator(part).bounding_box())]
    assert len(boxes) == 6
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 640 and box["y"] + box["height"] <= 400 for box in boxes)
    overlapping = [
        (one, other)
        for number, one in enumerate(boxes)
        for other in boxes[:number]
        if min(one["x"] + one["width"], other["x"] + other["width"]) - max(one["x"], other["x"]) > 1
        and min(one["y"] + one["height"], other["y"] + other["height"]) - max(one["y"], other["y"]) > 1
    ]
    assert overlapping == []
