"""The rating study in a real browser: one image, one point on a line, and no point before the line is touched."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from served_study import MIN_MS, Served, at, come, headed, sending_once, served_in
from study_fixtures import Settings

from study.config import RatingTable

pytestmark = pytest.mark.browser

SETTINGS = Settings(rating=RatingTable(min_ms=MIN_MS, unreviewed=True, practice=1, per_participant=3, block=2))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_in(tmp_path_factory.mktemp("rating"), SETTINGS, kind="rating") as running:
        yield running


def rail(page: Page) -> dict[str, float]:
    box = page.locator(".rail").bounding_box()
    assert box is not None
    return dict(box)


def point(page: Page, rating: float) -> tuple[float, float]:
    """Return where on the screen the rating is."""
    line = rail(page)
    return line["x"] + (rating - 1) / 4 * line["width"], line["y"] + line["height"] / 2


def spoken(page: Page) -> str | None:
    return page.get_by_role("slider").get_attribute("aria-valuetext")


def test_the_whole_way_by_mouse_stores_each_rating_as_it_was_set(served: Served, context: BrowserContext) -> None:
    sending_once(context)
    page = context.new_page()
    # Another study on another port of this host, such as the comparison of the same experiment, keeps its own.
    context.add_cookies([{"name": "study", "value": "of-the-comparison", "url": served.origin}])
    page.goto(served.address("rater"))
    assert {cookie["name"]: cookie["value"] for cookie in context.cookies()}["study"] == "of-the-comparison"
    page.get_by_role("button", name="I agree and take part").click()
    expect(page.get_by_text("how beautiful you find it, how much you like it")).to_be_visible()
    page.get_by_role("button", name="Start with practice").click()
    at(page, "Practice 1 of 1")
    for rating, after in ((1.0, "1 of 3"), (2.3, "2 of 3")):
        page.mouse.click(*point(page, rating))
        page.get_by_role("button", name="Continue").click()
        at(page, after)
    page.mouse.move(*point(page, 1.5))
    page.mouse.down()
    page.mouse.move(*point(page, 3.0))
    page.mouse.move(*point(page, 4.4))
    page.mouse.up()
    page.get_by_role("button", name="Continue").click()
    headed(page, "Time for a break")
    # For a moment the button of the screen before may stand beside this one's.
    expect(page.get_by_role("button", name="Continue")).to_have_count(1)
    page.get_by_role("button", name="Continue").click()
    at(page, "3 of 3")
    # Beyond the end is the end.
    line = rail(page)
    page.mouse.click(line["x"] + line["width"] + 20, line["y"])
    page.get_by_role("button", name="Continue").click()
    headed(page, "All done")

    kinds, ratings, devices = zip(*served.ratings("rater"), strict=True)
    assert kinds == ("practice", "rating", "rating", "rating")
    assert ratings == pytest.approx((1.0, 2.3, 4.4, 5.0), abs=0.01)
    assert devices == ("mouse",) * 4
    assert served.outcomes("rater") == ["stored"] * 4


def test_before_it_is_touched_the_line_has_no_point_and_nothing_can_be_sent(served: Served, context: BrowserContext) -> None:
    served.walk_to("untouched", "trials")
    page = come(context, served, "untouched")
    at(page, "1 of 3")
    slider = page.get_by_role("slider")
    expect(page.locator(".thumb")).to_be_hidden()
    expect(page.get_by_role("button", name="Continue")).to_be_disabled()
    assert spoken(page) == "No rating yet"
    assert [slider.get_attribute(f"aria-value{end}") for end in ("min", "max")] == ["1", "5"]
    page.keyboard.press("Enter")
    page.mouse.click(*point(page, 2.1))
    expect(page.locator(".thumb")).to_be_visible()
    expect(page.get_by_role("button", name="Continue")).to_be_enabled()
    assert spoken(page) == "2.1, poor"
    assert len(served.ratings("untouched")) == 1
    page.get_by_role("button", name="Continue").click()
    at(page, "2 of 3")
    # The next image begins without a point again.
    expect(page.locator(".thumb")).to_be_hidden()


def test_every_rating_can_be_given_with_keys_alone(served: Served, context: BrowserContext) -> None:
    served.walk_to("keys", "practice")
    page = come(context, served, "keys")
    at(page, "Practice 1 of 1")
    said = []
    for key in ("ArrowLeft", "ArrowLeft", "PageUp", "End", "ArrowRight", "Home", "4", "ArrowDown"):
        page.keyboard.press(key)
        said.append(spoken(page))
    assert said == ["3, fair", "2.95, fair", "3.45, fair", "5, excellent", "5, excellent", "1, bad", "4, good", "3.95, good"]
    page.keyboard.press("Enter")
    at(page, "1 of 3")
    expect(page.locator(".note")).to_have_text("Practice is over: from here on, each rating counts.")
    page.keyboard.press("2")
    # Held down, Enter is pressed once.
    for _ in range(10):
        page.keyboard.down("Enter")
        page.wait_for_timeout(33)
    page.keyboard.up("Enter")
    at(page, "2 of 3")
    assert served.ratings("keys") == [("practice", 3.95, "keyboard"), ("rating", 2.0, "keyboard")]
    assert served.outcomes_once("keys") == ["stored"] * 2


def test_on_a_phone_a_finger_sets_the_point_and_the_image_is_as_wide_as_the_screen(served: Served, phone: BrowserContext) -> None:
    served.walk_to("thumb", "trials")
    page = come(phone, served, "thumb")
    at(page, "1 of 3")
    image = page.locator(".frame img").bounding_box()
    button = page.get_by_role("button", name="Continue").bounding_box()
    assert image is not None
    assert button is not None
    assert image["width"] > 350
    assert button["y"] + button["height"] < 844
    expect(page.get_by_text("Tap on the line")).to_be_visible()
    page.touchscreen.tap(*point(page, 4.8))
    page.get_by_role("button", name="Continue").tap()
    at(page, "2 of 3")
    ((_, rating, device),) = served.ratings("thumb")[1:]
    assert rating == pytest.approx(4.8, abs=0.02)
    assert device == "touch"


def test_a_reload_forgets_a_point_that_was_not_sent_and_keeps_what_was(served: Served, context: BrowserContext) -> None:
    served.walk_to("reloading", "trials")
    page = come(context, served, "reloading")
    at(page, "1 of 3")
    page.mouse.click(*point(page, 5))
    page.get_by_role("button", name="Continue").click()
    at(page, "2 of 3")
    page.mouse.click(*point(page, 1))
    page.reload()
    at(page, "2 of 3")
    expect(page.locator(".thumb")).to_be_hidden()
    assert [rating for _, rating, _ in served.ratings("reloading")] == [3.5, 5.0]
