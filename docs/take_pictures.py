"""Make the README's pictures from a finished demo: python docs/take_pictures.py DEMO_FOLDER PICTURES_FOLDER.

The Elo plot is a figure of its report; the study's pages are photographed in Chromium, where a new participant sees them.
"""

import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from stimuli.experiment import ExperimentError, open_experiment, require
from study.doctor import browser
from study.opening import open_study
from study.serving import server
from study.storage.records import StudyKind
from tastebench import settle

_PORT = 8597
_WIDTH, _HEIGHT = 1120, 760
_SCREEN_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def main(demo: Path, pictures: Path) -> None:
    """Write scores.png, study.png and rating.png into `pictures`."""
    pictures.mkdir(parents=True, exist_ok=True)
    report = require(open_experiment(demo).report / "figures", made_by=f"tastebench demo {demo}")
    shutil.copy(report / "scores.png", pictures / "scores.png")
    with tempfile.TemporaryDirectory() as scratch:
        # A copy without the simulated votes, so that nobody is added to the demo's own study.
        copy = Path(scratch) / "study"
        shutil.copytree(demo, copy, ignore=shutil.ignore_patterns("*.sqlite*", "work", "report"))
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=browser(), args=_SCREEN_ARGUMENTS)
            with _served(copy, "comparison") as address:
                page = _first_trial(chromium, address, lambda page: page.get_by_role("button", name="Left image").click())
                page.mouse.move(1, 1)
                page.screenshot(path=pictures / "study.png")
            with _served(copy, "rating") as address:
                page = _first_trial(chromium, address, _rate)
                _point_at(page, 0.7)
                page.screenshot(path=pictures / "rating.png")
            chromium.close()


@contextmanager
def _served(folder: Path, kind: StudyKind) -> Iterator[str]:
    experiment, settings = settle(folder)
    # The demo's own images: nobody needs to look through them for a picture, or to rate a pool of others.
    rating = replace(settings.rating, images="stimuli")
    open_study(experiment, replace(settings, rating=rating), kind=kind, unreviewed=True).database.close()
    database = experiment.database if kind == "comparison" else experiment.rating_database
    started = server(f"sqlite:///{database.resolve()}", host="127.0.0.1", port=_PORT)
    process = subprocess.Popen(started.command, env=started.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(started.address)
        yield started.address
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_for(address: str) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(address, timeout=2).close()
        except urllib.error.URLError:
            time.sleep(0.2)
        else:
            return
    raise ExperimentError(f"{address}: the study did not open within 20 seconds")


def _first_trial(chromium: Browser, address: str, answer: Callable[[Page], None]) -> Page:
    """Return the page at the first trial after practice."""
    page = chromium.new_page(viewport={"width": _WIDTH, "height": _HEIGHT})
    page.goto(f"{address}?participant=reader")
    page.get_by_role("button", name="I agree and take part").click()
    page.get_by_role("button", name="Start with practice").click()
    while True:
        page.locator(".page.open").wait_for()
        # An answer sooner than the study's `min_ms` would not count.
        page.wait_for_timeout(900)
        if page.get_by_text("from here on").is_visible():
            return page
        answer(page)


def _rate(page: Page) -> None:
    _point_at(page, 0.5)
    page.get_by_role("button", name="Continue").click()


def _point_at(page: Page, share: float) -> None:
    """Click on the line of a rating, at this share of its length."""
    line = page.locator(".rail").bounding_box()
    if line is None:
        raise ExperimentError("the line of the rating is not on the page")
    page.mouse.click(line["x"] + share * line["width"], line["y"])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
