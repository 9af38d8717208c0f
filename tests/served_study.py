"""A study that a real server process serves to a real browser: what the tests of the pages share."""

import contextlib
import http.client
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from study_fixtures import Settings, make_experiment, make_rating_pool

from stimuli.experiment import Experiment
from study import doctor, serving
from study.config import StudyTable
from study.opening import open_study
from study.recruitment.arrivals import Arrival
from study.screens.running import COOKIES
from study.session import Session
from study.storage.records import Answer, State, StudyKind

# Short, so that the tests are; the default is tested without a browser.
MIN_MS = 150
# How long a machine with much else to do may take for one step; nothing waits so long where all is well.
PATIENCE_S = 60
PATIENCE_MS = 1000 * PATIENCE_S
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
_RENDERED = """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => {
    // Observers are told in the order in which they were made, so this one is the last.
    const watcher = new IntersectionObserver(() => { watcher.disconnect(); setTimeout(done) })
    watcher.observe(document.body)
})))"""
# The page's only clock of this length: RESEND_MS in study/screens/sending.js.
_SENDING_ONCE = """const every = window.setInterval
window.setInterval = (act, ms, ...more) => ms === 3000 ? 0 : every.call(window, act, ms, ...more)"""
LAPTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
LYING_PHONE = {"width": 844, "height": 390}


@dataclass
class Served:
    """A study that a process of its own serves."""

    experiment: Experiment
    session: Session
    kind: StudyKind
    port: int
    process: subprocess.Popen[bytes]

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def address(self, participant: str) -> str:
        return f"{self.origin}/start?participant={participant}"

    def answers(self, participant: str) -> list[tuple[str, str, str]]:
        """Return kind, choice and device of each answer in the database, in the order of the schedule."""
        return [(row.kind, row.choice, row.device) for row in self._answered(participant)]

    def ratings(self, participant: str) -> list[tuple[str, float, str]]:
        return [(row.kind, row.rating, row.device) for row in self._answered(participant)]

    def ignored(self, participant: str) -> int:
        return sum(row.ignored for row in self._answered(participant))

    def outcomes(self, participant: str) -> list[str]:
        """Return what became of each answer that arrived; on a slow machine the page sends one again before the next trial comes."""
        return [row.outcome for row in self._rows("SELECT outcome FROM attempt WHERE participant = ? ORDER BY id", participant)]

    def outcomes_once(self, participant: str) -> list[str]:
        """Return what became of each answer when it first arrived; `outcomes` also tells of a page that sends each twice."""
        first = "SELECT min(id) FROM attempt WHERE participant = ? GROUP BY token, choice, rating, response_ms"
        return [row.outcome for row in self._rows(f"SELECT outcome FROM attempt WHERE id IN ({first}) ORDER BY id", participant)]

    def replies(self, participant: str) -> dict[str, str]:
        with self.session.database.reading() as rows:
            return rows.replies(participant)

    def set_state(self, state: State) -> None:
        with self.session.database.writing() as rows:
            rows.set_state(state)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        self.process = start(self.experiment, self.kind, self.port)

    def key_of(self, participant: str) -> str:
        return self.session.arrive(Arrival(participant, {}))

    def walk_to(self, participant: str, stage: str, *, answered: int = 0, replied: int = 0) -> None:
        """Take the participant through the session layer to the stage, past `answered` of its trials or `replied` questions."""
        session = self.session
        session.consent(participant)
        while (place := session.place(participant)).stage != stage or answered or replied:
            if place.question:
                replied -= stage == "question"
                value = _reply(place.question.type, place.question.options)
                assert session.reply(participant, place.question.id, value)
            elif place.stage == "instructions":
                session.begin(participant)
            elif place.stage == "break":
                session.rest_over(participant)
            elif place.trial is not None:
                answered -= place.stage == stage
                choice, rating = ("left", None) if self.kind == "comparison" else ("", 3.5)
                answer = Answer(place.trial.token, choice, 2000.0, "mouse", rating=rating)
                assert session.answer(participant, answer) == "stored"
            else:
                raise AssertionError(f"{participant} ended at {place.stage} on the way to {stage}")

    def _answered(self, participant: str) -> list[Any]:
        query = "SELECT answer.*, kind FROM answer JOIN trial ON trial.id = answer.trial WHERE participant = ? ORDER BY step"
        return self._rows(query, participant)

    def _rows(self, query: str, participant: str) -> list[Any]:
        with self.session.database.reading() as rows:
            return list(rows._connection.exec_driver_sql(query, (participant,)))


def _reply(kind: str, options: tuple[str, ...]) -> str:
    return {"choice": options[0] if options else "", "scale": "3", "number": "30", "text": "Nothing more."}[kind]


def start(experiment: Experiment, kind: StudyKind, port: int) -> subprocess.Popen[bytes]:
    path = experiment.database if kind == "comparison" else experiment.rating_database
    server = serving.server(f"sqlite:///{path.resolve()}", host="127.0.0.1", port=port)
    process = subprocess.Popen(server.command, env=server.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_server(port, process)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return process


def wait_for_server(port: int, process: subprocess.Popen[Any]) -> None:
    """Wait until the process answers."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if get(port, "/_stcore/health").status == 200:
                return
        time.sleep(0.05)
    raise TimeoutError("the server did not start")


def get(port: int, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        response.read()
        return response
    finally:
        connection.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def served_in(folder: Path, settings: Settings | None = None, *, kind: StudyKind = "comparison") -> Iterator[Served]:
    """Serve an experiment of random images with these settings."""
    experiment = make_experiment(folder / "experiment")
    make_rating_pool(experiment)
    settings = settings or Settings(study=StudyTable(min_ms=MIN_MS, unreviewed=True))
    with serving_of(experiment, settings, kind=kind) as served:
        yield served


@contextmanager
def serving_of(experiment: Experiment, settings: Any, *, kind: StudyKind) -> Iterator[Served]:
    session = open_study(experiment, settings, kind=kind)
    port = free_port()
    served = Served(experiment, session, kind, port, start(experiment, kind, port))
    try:
        yield served
    finally:
        served.kill()
        session.database.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = doctor.browser()
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS, timeout=PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    with laptop_of(chromium) as fresh:
        yield fresh


@pytest.fixture
def phone(chromium: Browser) -> Iterator[BrowserContext]:
    with laptop_of(chromium, viewport=PHONE, has_touch=True, is_mobile=True) as fresh:
        yield fresh


@contextmanager
def laptop_of(chromium: Browser, **options: Any) -> Iterator[BrowserContext]:
    """Open a fresh browser, without anybody's cookie; `options` make it something else than a laptop."""
    fresh = chromium.new_context(**{"viewport": LAPTOP} | options)
    fresh.set_default_timeout(PATIENCE_MS)
    yield fresh
    fresh.close()


def sending_once(context: BrowserContext) -> None:
    """Let no page send an answer again by itself, however slow the machine is: then each must arrive just once."""
    context.add_init_script(_SENDING_ONCE)


def come(context: BrowserContext, served: Served, participant: str) -> Page:
    """Open the page as a participant whom the session layer knows already."""
    context.add_cookies([{"name": COOKIES[served.kind], "value": served.key_of(participant), "url": served.origin}])
    page = context.new_page()
    page.goto(f"{served.origin}/")
    return page


def headed(page: Page, title: str) -> None:
    """Wait until the page has this heading; for a moment the screen before may stand beside it."""
    expect(page.locator("h1").filter(has_text=title)).to_be_visible()


def at(page: Page, progress: str) -> None:
    """Wait until the page stands at this trial and takes an answer."""
    expect(page.locator(".progress")).to_have_text(progress)
    page.locator(".page.open").wait_for()
    page.wait_for_timeout(MIN_MS + 20)


def enter(page: Page, address: str) -> None:
    """Go from the link to the first trial of practice."""
    page.goto(address)
    page.get_by_role("button", name="I agree and take part").click()
    page.get_by_role("button", name="Start with practice").click()
    at(page, "Practice 1 of 2")


def rendered(page: Page) -> None:
    """Wait until the page has drawn what changed, and its observers of sizes and of what is on the screen were told."""
    page.evaluate(_RENDERED)


def side(page: Page, choice: str) -> None:
    page.locator(f".side[data-choice={choice}]").click()


def through_practice(page: Page, *, total: int = 6) -> None:
    side(page, "left")
    at(page, "Practice 2 of 2")
    side(page, "right")
    at(page, f"1 of {total}")
