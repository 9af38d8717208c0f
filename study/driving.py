"""Simulated participants in a real browser: they read, click and rate on the served pages, and answer by known tastes."""

import asyncio
import http.client
import importlib.util
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stimuli.experiment import Experiment, ExperimentError
from stimuli.progress import Report, silent
from study import doctor, serving
from study.config import Question, StudySettings
from study.opening import open_study
from study.recruitment.arrivals import Arrival
from study.screens.running import COOKIES, SIMULATED_VARIABLE
from study.session import Chooser, Place
from study.session.answering import Simulated, check_known, everybody, reply, simulated
from study.simulate import check_open, counts, keep_apart
from study.storage.records import StudyKind, TrialRow

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync")
_HOST = "127.0.0.1"
_AT_ONCE = 4
# How long anything on a page may take, and a server to start.
_PATIENCE_S = 60.0
# A little longer than `min_ms`, which the page counts from the frame after the one in which the images appear.
_MARGIN_MS = 50


def run(
    experiment: Experiment,
    settings: StudySettings,
    *,
    url: str,
    kind: StudyKind = "comparison",
    report: Report = silent,
    participants: Sequence[str] = (),
    chooser: Chooser | None = None,
) -> int:
    """Let simulated participants take the study in Chromium to its end, and return how many answers they gave now.

    Who takes part, and what they answer, is as in `simulate.run` with the same seed; times and devices are those of the browser,
    and a rating is as near as a pixel allows. A server is started for it, and ended.

    Raises:
        ExperimentError: as `simulate.run`; or Chromium or the package that drives it is missing.
    """
    chromium = _chromium()
    session = open_study(experiment, settings, kind=kind, url=url, people=False, chooser=chooser)
    try:
        crowd = simulated(experiment, settings, session)
        with session.database.reading() as rows:
            everyone = tuple(participants) or everybody(crowd, rows.stimuli())
        check_known(crowd, everyone, experiment)
        keep_apart(everyone, session)
        with _served(url) as address:
            return asyncio.run(_take_part(_Visit(crowd, address, chromium, everyone, report)))
    finally:
        session.database.close()


@dataclass(frozen=True)
class _Visit:
    """Who takes part, and where."""

    crowd: Simulated
    address: str
    chromium: str
    everyone: Sequence[str]
    report: Report

    def answered(self) -> tuple[int, int]:
        """Return how many trials are answered, and how many are laid out so far."""
        return counts(self.crowd.session, self.everyone)


async def _take_part(visit: _Visit) -> int:
    from playwright.async_api import async_playwright

    before, _ = visit.answered()
    turns, door = asyncio.Semaphore(_AT_ONCE), asyncio.Lock()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=visit.chromium, args=_FLAGS)
        try:
            async with asyncio.TaskGroup() as group:
                for participant in visit.everyone:
                    group.create_task(_one(visit, browser, participant, turns, door))
        except* ExperimentError as errors:
            raise ExperimentError(str(errors.exceptions[0])) from errors
        finally:
            await browser.close()
    after, _ = visit.answered()
    return after - before


async def _one(visit: _Visit, browser: "Browser", participant: str, turns: asyncio.Semaphore, door: asyncio.Lock) -> None:
    """Take one participant from where they are to the end."""
    async with turns:
        # One after the other: who comes first gets the first place in the design, and the same seed shall give the same places.
        async with door:
            page = await _enter(visit, browser, participant)
        await _walk(visit, page, participant, until=())
        await page.context.close()


async def _enter(visit: _Visit, browser: "Browser", participant: str) -> "Page":
    """Open the study as the participant, and go on until they have a place in the design."""
    session = visit.crowd.session
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(1000 * _PATIENCE_S)
    # Given here rather than by a link, so that it works however the study recruits.
    key = session.arrive(Arrival(participant, {}))
    await context.add_cookies([{"name": COOKIES[session.kind], "value": key, "url": visit.address}])
    page = await context.new_page()
    await page.goto(f"{visit.address}/")
    await _walk(visit, page, participant, until=("instructions", "practice", "trials", "break"))
    return page


async def _walk(visit: _Visit, page: "Page", participant: str, *, until: Sequence[str]) -> None:
    """Do what the page asks for until the participant has ended, or stands at one of these stages."""
    session = visit.crowd.session
    while (place := session.place(participant)).ended is None and place.stage not in until:
        await _act(visit.crowd, page, participant, place)
        await _moved_on(visit, participant, place)
        visit.report("simulated answers", *visit.answered())


async def _act(crowd: Simulated, page: "Page", participant: str, place: Place) -> None:
    """Do what the page asks for at this place."""
    check_open(crowd.session, participant, place)
    if place.trial is not None:
        await page.locator(".page.open").wait_for()
        await page.wait_for_timeout(crowd.session.table.min_ms + _MARGIN_MS)
        await _answer(crowd, page, place.trial)
    elif place.question is not None:
        await _reply(page, place.question)
    else:
        await page.locator(".buttons .go").first.click()


async def _answer(crowd: Simulated, page: "Page", trial: TrialRow) -> None:
    answer = crowd.answer(trial)
    if answer.rating is None:
        await page.locator(f'.page.open [data-choice="{answer.choice}"]').click()
        return
    rail = await page.locator(".rail").bounding_box()
    if rail is None:
        raise ExperimentError("the page of a rating shows no scale; is another window in front of it?")
    # The outermost pixels still belong to the rail.
    share = min(max((answer.rating - 1) / 4, 0.001), 0.999)
    await page.mouse.click(rail["x"] + share * rail["width"], rail["y"] + rail["height"] / 2)
    await page.locator(".page.open .send .go").click()


async def _reply(page: "Page", question: Question) -> None:
    value = reply(question)
    if question.type in ("choice", "scale"):
        index = question.options.index(value) if question.type == "choice" else int(value) - 1
        await page.locator("form input[type=radio]").nth(index).check()
    else:
        await page.locator("#reply").fill(value)
    await page.locator("form .next").click()


async def _moved_on(visit: _Visit, participant: str, place: Place) -> None:
    """Wait until the database says that the participant is elsewhere."""
    until = time.monotonic() + _PATIENCE_S
    while visit.crowd.session.place(participant) == place:
        if time.monotonic() > until:
            raise ExperimentError(f'simulated participant "{participant}" stands still at "{place.stage}"; is the machine overloaded?')
        await asyncio.sleep(0.02)


@contextmanager
def _served(url: str) -> Iterator[str]:
    """Serve the study on a free port, as one that only programs take; the server is ended with this."""
    port = serving.free_port(_HOST)
    server = serving.server(url, host=_HOST, port=port)
    environment = server.environment | {SIMULATED_VARIABLE: "1"}
    process = subprocess.Popen(server.command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield f"http://{_HOST}:{port}"
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        if _is_up(port):
            return
        time.sleep(0.1)
    raise ExperimentError(f"the server for the simulation did not start on port {port}; `tastebench study serve` shows why")


def _is_up(port: int) -> bool:
    connection = http.client.HTTPConnection(_HOST, port, timeout=5)
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _chromium() -> str:
    if importlib.util.find_spec("playwright") is None:
        raise ExperimentError("participants in a browser need one more package: pip install 'tastebench[browser]'")
    found = doctor.browser()
    if found is None:
        raise ExperimentError("participants in a browser need a Chromium, and there is none on this machine: apt-get install chromium")
    return found
