"""Make the README's pictures from a finished demo: python docs/take_pictures.py DEMO_FOLDER PICTURES_FOLDER.

The Elo plot is a figure of its report; the study page is photographed in Chromium, where a new participant sees it.
"""

import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from stimuli.experiment import ExperimentError, open_experiment, require
from study.doctor import browser
from study.opening import open_study
from study.serving import server
from tastebench import settle

_PORT = 8597
_WIDTH, _HEIGHT = 1120, 760
_SCREEN_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def main(demo: Path, pictures: Path) -> None:
    """Write scores.png and study.png into `pictures`."""
    pictures.mkdir(parents=True, exist_ok=True)
    report = require(open_experiment(demo).report / "figures", made_by=f"tastebench demo {demo}")
    shutil.copy(report / "scores.png", pictures / "scores.png")
    with tempfile.TemporaryDirectory() as scratch:
        # A copy without the simulated votes, so that nobody is added to the demo's own study.
        copy = Path(scratch) / "study"
        shutil.copytree(demo, copy, ignore=shutil.ignore_patterns("study.sqlite*", "work", "report"))
        with _served(copy) as address, sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=browser(), args=_SCREEN_ARGUMENTS)
            page = chromium.new_page(viewport={"width": _WIDTH, "height": _HEIGHT})
            _go_to_first_comparison(page, address)
            page.screenshot(path=pictures / "study.png")
            chromium.close()


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    experiment, settings = settle(folder)
    open_study(experiment, settings).database.close()
    started = server(experiment.database, host="127.0.0.1", port=_PORT)
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


def _go_to_first_comparison(page: Page, address: str) -> None:
    page.goto(f"{address}?participant=reader")
    page.get_by_role("button", name="I agree and take part").click()
    page.get_by_role("button", name="Start with practice").click()
    left = page.get_by_role("button", name="Left")
    while not page.get_by_text("each choice counts").is_visible():
        left.wait_for()
        # An answer sooner than the study's `min_ms` would not count.
        page.wait_for_timeout(900)
        if not page.get_by_text("each choice counts").is_visible():
            left.click()
    page.wait_for_timeout(900)
    page.mouse.move(1, 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
