"""The pages in a real browser, served by a real process: the whole way, whatever is pressed, reloaded or killed on it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from served_study import (
    LAPTOP,
    LYING_PHONE,
    MIN_MS,
    PATIENCE_S,
    PHONE,
    Served,
    at,
    come,
    enter,
    headed,
    laptop_of,
    rendered,
    sending_once,
    served_in,
    side,
    through_practice,
)
from study_fixtures import Settings

from study.catalogue import texts
from study.config import Question, Recruitment, StudyTable
from study.session import Place

pytestmark = pytest.mark.browser

EYES = Question("eyes", "Sehen Sie Farben?", when="before", options=("Ja", "Nein"), accept=("Ja",))
AGE = Question("age", "Wie alt sind Sie?", when="before", type="number", least=18, most=99)
ART = Question("art", "Wie oft sehen Sie Kunst?", type="scale", ends=("nie", "täglich"), points=5)
REMARKS = Question("remarks", "Noch etwas?", type="text", required=False)
# Everything that a study can have, in German, for people whom a panel sends.
RECRUITMENT = Recruitment(
    complete="C0DE", screened_out="SCREENED", no_consent="NOPE", full="FULL", return_to="https://panel.example/done?cc={code}"
)
FULL = Settings(
    study=StudyTable(
        language="de", min_ms=MIN_MS, unreviewed=True, practice=1, block=4, tie=True, catch=1, repeats=1, recruitment=RECRUITMENT
    ),
    question=(EYES, AGE, ART, REMARKS),
)
ENGLISH, GERMAN = (texts(language, folder=Path()) for language in ("en", "de"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_in(tmp_path_factory.mktemp("journey")) as running:
        yield running


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_in(tmp_path_factory.mktemp("full"), FULL) as running:
        yield running


def press_focused(page: Page, choice: str, key: str) -> None:
    page.locator(f".side[data-choice={choice}]").focus()
    page.keyboard.press(key)


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the button or field of this name has the focus."""
    wanted = page.get_by_label(name).or_(page.get_by_role("button", name=name)).first
    for _ in range(12):
        if wanted.evaluate("element => element.getRootNode().activeElement === element"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"no way to {name} with Tab")


def moved_on(served: Served, participant: str, place: Place) -> None:
    """Wait until the participant is past `place`."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if served.session.place(participant) != place:
            return
        time.sleep(0.05)
    pytest.fail(f"{participant} is still at {place}")


# --- The whole way ---


def test_what_is_clicked_and_typed_from_consent_to_thanks_is_what_is_stored(served: Served, context: BrowserContext) -> None:
    sending_once(context)
    page = context.new_page()
    page.goto(served.address("journey"))
    headed(page, "Before you begin")
    assert served.session.place("journey").stage == "consent"
    page.get_by_role("button", name="I agree and take part").click()
    headed(page, "How it works")
    page.get_by_role("button", name="Start with practice").click()

    at(page, "Practice 1 of 2")
    side(page, "left")
    at(page, "Practice 2 of 2")
    expect(page.locator(".note")).to_have_text("Practice. Chosen with a click; the keys work too.")
    page.keyboard.press("ArrowRight")
    at(page, "1 of 6")
    expect(page.locator(".note")).to_have_text("Practice is over: from here on, each choice counts.")
    side(page, "right")
    at(page, "2 of 6")
    page.keyboard.press("ArrowLeft")
    at(page, "3 of 6")
    page.keyboard.press("f")
    at(page, "4 of 6")
    # Where the study offers no tie, its keys are nothing.
    page.keyboard.press("ArrowDown")
    page.keyboard.press("t")
    expect(page.get_by_role("button", name="No difference")).to_be_hidden()
    page.keyboard.press("j")
    at(page, "5 of 6")
    press_focused(page, "left", "Enter")
    at(page, "6 of 6")
    press_focused(page, "right", "Space")
    headed(page, "All done")
    expect(page.get_by_text("Thank you. All your answers are stored")).to_be_visible()

    assert served.answers("journey") == [
        ("practice", "left", "mouse"),
        ("practice", "right", "keyboard"),
        ("comparison", "right", "mouse"),
        ("comparison", "left", "keyboard"),
        ("comparison", "left", "keyboard"),
        ("comparison", "right", "keyboard"),
        ("comparison", "left", "keyboard"),
        ("comparison", "right", "keyboard"),
    ]
    assert served.outcomes("journey") == ["stored"] * 8
    page.goto(served.address("journey"))
    headed(page, "All done")


def test_the_whole_way_goes_by_keyboard_alone_with_questions_ties_catch_trials_and_breaks(full: Served, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(full.address("keys"))
    tab_to(page, GERMAN["agree"])
    page.keyboard.press("Enter")
    headed(page, EYES.text)
    tab_to(page, "Ja")
    page.keyboard.press("Space")
    tab_to(page, GERMAN["continue"])
    page.keyboard.press("Enter")
    headed(page, AGE.text)
    tab_to(page, AGE.text)
    page.keyboard.type("17")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Bitte geben Sie eine Zahl von 18 bis 99 ein.")
    page.keyboard.press("Control+A")
    page.keyboard.type("41,5")
    page.keyboard.press("Enter")
    headed(page, GERMAN["instructions_title"])
    assert full.replies("keys") == {"eyes": "Ja", "age": "41.5"}
    tab_to(page, GERMAN["start_practice"])
    page.keyboard.press("Enter")

    breaks, expected = 0, []
    while (place := full.session.place("keys")).stage in ("instructions", "practice", "trials", "break"):
        if place.stage == "break":
            headed(page, GERMAN["break_title"])
            expect(page.get_by_text(f"{place.done} von {place.total} sind geschafft, {place.total - place.done} ")).to_be_visible()
            tab_to(page, GERMAN["continue"])
            page.keyboard.press("Enter")
            breaks += 1
            page.locator(".page.open").wait_for()
        elif place.trial:
            at(page, f"Übung 1 von {place.total}" if place.stage == "practice" else f"{place.done + 1} von {place.total}")
            if place.trial.expected:
                expect(page.locator(".prompt")).to_have_text(GERMAN[f"catch_{place.trial.expected}"])
            choice = place.trial.expected or ("tie" if place.done % 2 else "right")
            page.keyboard.press({"left": "ArrowLeft", "right": "ArrowRight", "tie": "ArrowDown"}[choice])
            expected.append((place.trial.kind, choice, "keyboard"))
        moved_on(full, "keys", place)
    headed(page, ART.text)
    tab_to(page, "1, nie")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    tab_to(page, GERMAN["continue"])
    page.keyboard.press("Enter")
    headed(page, f"{REMARKS.text}(freiwillig)")
    tab_to(page, GERMAN["skip"])
    page.keyboard.press("Enter")
    headed(page, GERMAN["thanks_title"])
    expect(page.locator(".value")).to_have_text("C0DE")

    assert full.answers("keys") == expected
    assert [kind for kind, _, _ in expected].count("catch") == 1
    assert [kind for kind, _, _ in expected].count("repeat") == 1
    assert breaks == 1
    assert full.outcomes_once("keys") == ["stored"] * len(expected)
    assert full.replies("keys") == {"eyes": "Ja", "age": "41.5", "art": "3", "remarks": ""}


def test_on_a_phone_the_whole_way_goes_by_touch_and_the_words_follow_the_arrangement(full: Served, phone: BrowserContext) -> None:
    page = phone.new_page()
    page.goto(full.address("thumb"))
    page.get_by_role("button", name=GERMAN["agree"]).tap()
    page.get_by_text("Ja", exact=True).tap()
    page.get_by_role("button", name=GERMAN["continue"]).tap()
    page.get_by_label(AGE.text).fill("30")
    page.get_by_role("button", name=GERMAN["continue"]).tap()
    expect(page.get_by_text(GERMAN["comparison_by_touch"])).to_be_visible()
    expect(page.get_by_text(GERMAN["comparison_by_keys"])).to_be_hidden()
    page.get_by_role("button", name=GERMAN["start_practice"]).tap()
    while (place := full.session.place("thumb")).stage in ("instructions", "practice", "trials", "break"):
        if place.stage == "break":
            page.get_by_role("button", name=GERMAN["continue"]).tap()
            page.locator(".page.open").wait_for()
        elif place.trial:
            at(page, f"Übung 1 von {place.total}" if place.stage == "practice" else f"{place.done + 1} von {place.total}")
            if place.trial.expected:
                upper = "upper" if place.trial.expected == "left" else "lower"
                expect(page.locator(".prompt")).to_have_text(GERMAN[f"catch_{upper}"])
            name = GERMAN["upper_image"] if place.trial.expected in (None, "left") else GERMAN["lower_image"]
            # Two quick taps at one place would be a double tap, of which the second does not count.
            page.get_by_role("button", name=name).tap(position={"x": 40 + 120 * ((place.done + (place.stage == "trials")) % 2), "y": 60})
        moved_on(full, "thumb", place)
    headed(page, ART.text)
    answers = full.answers("thumb")
    assert {device for _, _, device in answers} == {"touch"}
    assert all(choice == "left" for kind, choice, _ in answers if kind != "catch")
    assert full.outcomes_once("thumb") == ["stored"] * len(answers)


# --- What is on the screen ---


@pytest.mark.parametrize("window", [LAPTOP, PHONE, LYING_PHONE], ids=["laptop", "phone", "lying phone"])
def test_both_images_of_the_trial_are_equally_large_and_whole_on_the_screen(
    served: Served, chromium: Browser, window: dict[str, int]
) -> None:
    width, height = window["width"], window["height"]
    participant = f"size-{width}"
    served.walk_to(participant, "trials")
    with laptop_of(chromium, viewport=window) as context:
        page = come(context, served, participant)
        at(page, "1 of 6")
        rendered(page)
        first, second = (page.locator(".side img").nth(index).bounding_box() for index in (0, 1))
        assert first is not None
        assert second is not None
        assert (first["width"], first["height"]) == (second["width"], second["height"])
        stacked = height > width
        assert (first["x"] == second["x"]) is stacked
        assert (first["y"] == second["y"]) is not stacked
        assert abs((first["x"] + second["x"] + second["width"]) / 2 - width / 2) < 1
        # On a phone that stands, side by side would leave less than half of its width to each.
        assert first["height"] > (0.6 * width if stacked else 0.5 * height)
        assert first["y"] >= 0
        assert second["y"] + second["height"] < height
        trial = served.session.place(participant).trial
        assert trial is not None
        shown = page.locator(".side img").evaluate_all("images => images.map(image => new URL(image.src).pathname)")
        assert shown == [f"/stim/{trial.left_token}", f"/stim/{trial.right_token}"]
        names = ["Upper image", "Lower image"] if stacked else ["Left image", "Right image"]
        assert page.locator(".side").evaluate_all("sides => sides.map(side => side.ariaLabel)") == names
        expect(page.locator(".prompt")).to_have_text(trial.base_prompt)


# --- Whatever is pressed ---


def test_a_reload_and_another_tab_go_on_at_the_same_comparison_and_answer_it_once(served: Served, context: BrowserContext) -> None:
    first = context.new_page()
    enter(first, served.address("tabs"))
    through_practice(first)
    first.reload()
    at(first, "1 of 6")
    second = context.new_page()
    second.goto(f"{served.origin}/")
    at(second, "1 of 6")
    side(first, "left")
    at(first, "2 of 6")
    side(second, "right")
    at(second, "2 of 6")
    assert served.answers("tabs")[2:] == [("comparison", "left", "mouse")]
    assert served.outcomes_once("tabs")[2:] == ["stored", "duplicate"]


def test_going_back_and_forward_changes_no_answer_and_goes_on_at_the_same_comparison(served: Served, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("about:blank")
    enter(page, served.address("back"))
    through_practice(page)
    side(page, "left")
    at(page, "2 of 6")
    page.go_back()
    page.go_forward()
    at(page, "2 of 6")
    side(page, "right")
    at(page, "3 of 6")
    assert served.answers("back")[2:] == [("comparison", "left", "mouse"), ("comparison", "right", "mouse")]


def test_a_double_click_is_one_vote(served: Served, context: BrowserContext) -> None:
    page = context.new_page()
    enter(page, served.address("double"))
    through_practice(page)
    box = page.locator(".side[data-choice=left]").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    for done, pause_ms in enumerate((0, 40, 150, 500), start=1):
        page.mouse.down(click_count=1)
        page.mouse.up(click_count=1)
        page.wait_for_timeout(pause_ms)
        page.mouse.down(click_count=2)
        page.mouse.up(click_count=2)
        at(page, f"{done + 1} of 6")
        assert len(served.answers("double")) == 2 + done
    assert served.outcomes_once("double") == ["stored"] * 6


def test_a_held_key_is_one_vote(served: Served, context: BrowserContext) -> None:
    page = context.new_page()
    enter(page, served.address("held"))
    through_practice(page)
    for done, key in enumerate(("ArrowRight", "j", "Enter"), start=1):
        page.locator(".side[data-choice=right]").focus()
        # Down again without up is what a keyboard sends while a key is held: here until the next pair stands there, and on.
        for still_held in (False, True):
            for _ in range(10):
                page.keyboard.down(key)
                page.wait_for_timeout(33)
            if not still_held:
                at(page, f"{done + 1} of 6")
        page.keyboard.up(key)
        assert served.answers("held")[2:] == [("comparison", "right", "keyboard")] * done
    assert served.outcomes_once("held") == ["stored"] * 5
    assert served.ignored("held") >= 20


# The page itself presses as soon as a new pair is there, and again as soon as it is painted: no robot outside is as fast as that.
HASTE = """page => {
    const press = () => window.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft" }))
    new MutationObserver(press).observe(page.querySelector(".progress"), { childList: true })
    const opened = (changes) => changes.some(({ oldValue }) => !oldValue.split(" ").includes("open")) && page.matches(".open")
    const watching = { attributeFilter: ["class"], attributeOldValue: true }
    new MutationObserver((changes) => opened(changes) && press()).observe(page, watching)
}"""


def test_input_before_painting_and_before_the_shortest_time_is_ignored_and_counted(served: Served, context: BrowserContext) -> None:
    page = context.new_page()
    enter(page, served.address("hasty"))
    page.locator(".page").evaluate(HASTE)
    side(page, "left")
    at(page, "Practice 2 of 2")
    assert served.answers("hasty") == [("practice", "left", "mouse")]
    side(page, "right")
    at(page, "1 of 6")
    assert served.answers("hasty") == [("practice", "left", "mouse"), ("practice", "right", "mouse")]
    assert served.ignored("hasty") == 2


# --- How else it can end ---


def test_whoever_declines_is_no_participant_and_gets_the_code_for_that(full: Served, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(full.address("declining"))
    page.get_by_role("button", name=GERMAN["decline"]).click()
    headed(page, GERMAN["declined_title"])
    expect(page.locator(".value")).to_have_text("NOPE")
    page.get_by_role("button", name=GERMAN["copy"]).click()
    expect(page.get_by_role("status")).to_have_text(GERMAN["copied"])
    page.goto(full.address("declining"))
    headed(page, GERMAN["declined_title"])


def test_whoever_is_screened_out_is_taken_back_to_the_panel_with_the_code_for_that(full: Served, context: BrowserContext) -> None:
    page = context.new_page()

    def panel(route: Route) -> None:
        route.fulfill(status=200, content_type="text/html", body="<title>panel</title>")

    page.route("https://panel.example/**", panel)
    page.clock.install()
    full.session.consent("colourblind")
    context.add_cookies([{"name": "study", "value": full.key_of("colourblind"), "url": full.origin}])
    page.goto(full.origin)
    page.get_by_role("button", name=GERMAN["continue"]).click()
    expect(page.get_by_role("alert")).to_have_text(GERMAN["choose_one"])
    page.get_by_text("Nein", exact=True).click()
    page.get_by_role("button", name=GERMAN["continue"]).click()
    headed(page, GERMAN["screened_out_title"])
    expect(page.get_by_role("link", name=GERMAN["return_now"])).to_have_attribute("href", "https://panel.example/done?cc=SCREENED")
    page.clock.fast_forward(8_000)
    page.wait_for_url("https://panel.example/done?cc=SCREENED")


def test_a_paused_study_goes_on_by_itself_and_a_closed_one_says_so(full: Served, context: BrowserContext) -> None:
    full.walk_to("patient", "trials")
    full.set_state("paused")
    try:
        page = come(context, full, "patient")
        headed(page, GERMAN["paused_title"])
        full.set_state("open")
        page.locator(".page.open").wait_for()
        page.wait_for_timeout(MIN_MS + 20)
        full.set_state("closed")
        page.keyboard.press("ArrowLeft")
        headed(page, GERMAN["closed_title"])
        # Whom closing stops goes back to the panel like one for whom there was no place.
        expect(page.get_by_role("link", name=GERMAN["return_now"])).to_have_attribute("href", "https://panel.example/done?cc=FULL")
        # What was on the screen when it closed may still be answered.
        assert full.answers("patient")[-1][1:] == ("left", "keyboard")
    finally:
        full.set_state("open")


# --- The process ---


def test_a_killed_server_loses_no_vote_and_people_go_on_where_they_were(tmp_path: Path, context: BrowserContext) -> None:
    with served_in(tmp_path) as served:
        page = context.new_page()
        enter(page, served.address("survivor"))
        through_practice(page)
        side(page, "right")
        at(page, "2 of 6")
        served.kill()
        acknowledged = served.answers("survivor")
        assert acknowledged[2:] == [("comparison", "right", "mouse")]
        # Chosen while nobody listens: the page keeps the answer and sends it when there is a server again.
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(500)
        served.restart()
        at(page, "3 of 6")
        assert served.answers("survivor") == [*acknowledged, ("comparison", "left", "keyboard")]
        served.kill()
        served.restart()
        page.reload()
        at(page, "3 of 6")
        for progress in ("4 of 6", "5 of 6", "6 of 6"):
            side(page, "left")
            at(page, progress)
        side(page, "left")
        headed(page, "All done")
        assert len(served.answers("survivor")) == 8


def test_while_the_database_rests_the_page_says_so_and_sends_the_answer_again(tmp_path: Path, context: BrowserContext) -> None:
    with served_in(tmp_path) as served:
        served.walk_to("waiting", "trials")
        page = come(context, served, "waiting")
        at(page, "1 of 6")
        # With a table out of reach, the database answers with an error to everything.
        with served.session.database.writing() as rows:
            rows._connection.exec_driver_sql("ALTER TABLE participant RENAME TO away")
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("status")).to_have_text(ENGLISH["unavailable"])
        other = come(context, served, "newcomer-without-a-key")
        headed(other, ENGLISH["waiting_title"])
        with served.session.database.writing() as rows:
            rows._connection.exec_driver_sql("ALTER TABLE away RENAME TO participant")
        at(page, "2 of 6")
        headed(other, ENGLISH["consent_title"])
        assert served.answers("waiting")[2:] == [("comparison", "right", "keyboard")]
