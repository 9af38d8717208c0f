"""How many people one study can serve: the time from an answer to the next pair, at 1 to 240 participants.

    python benchmarks/study_load.py                                          # everything, about ten minutes
    python benchmarks/study_load.py --participants 160 --database sqlite     # a part of it

The server processes run on one core, the load, the database and nginx on another. Each participant thinks for 2 s (jittered by
a fifth), then answers, and fetches both images and the next two, as the page does. Everything stays on this machine.
"""

import argparse
import asyncio
import gc
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import uvloop
from playwright.async_api import async_playwright
from study_participant import GONE, Http, Participant, Screen
from study_servers import LOAD_CORE, Served, Setup, served

from study import doctor

_WARM_UP_S = 5.0
# How long an answer may take before it is counted as still waiting, and everything is let go.
_PATIENCE_S = 20.0
_ARRIVALS, _WITHIN_S = 100, 2.0
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
# What Streamlit's own settings bear.
_MOST_BY_DEFAULT = 40

# Notes when a click happens, and when `open` says that both images of another pair are painted.
_WATCH = """() => {
  const page = () => {
    const look = (root) => {
      for (const node of root.querySelectorAll("*")) {
        if (node.matches(".page") && node.querySelector(".side")) return node
        const inside = node.shadowRoot && look(node.shadowRoot)
        if (inside) return inside
      }
    }
    return look(document)
  }
  window.painted = []
  window.addEventListener("click", () => {
    const clicked = performance.now(), before = page().querySelector(".progress").textContent
    const wait = () => {
      const now = page()
      if (now?.classList.contains("open") && now.querySelector(".progress").textContent !== before) {
        window.painted.push(performance.now() - clicked)
      } else requestAnimationFrame(wait)
    }
    wait()
  }, true)
}"""


@dataclass
class Measured:
    """Seconds, of everybody together: answers to the next pair's data, a static page, images; `cpu` is what the processes used."""

    answers: list[float] = field(default_factory=list)
    static: list[float] = field(default_factory=list)
    images: list[float] = field(default_factory=list)
    cpu: float = 0.0
    resent: int = 0
    waiting: int = 0


def main() -> None:
    """Measure what the arguments ask for, and print one table."""
    chosen = _arguments()
    if (os.cpu_count() or 1) > LOAD_CORE:
        os.sched_setaffinity(0, {LOAD_CORE})
    print(f"thinking {chosen.thinking:g} s, images of {chosen.image_kb} kB, {chosen.seconds:g} s a row; times in ms, median / p95")
    names = f"{'server':44} {'people':>6} {'answers':>7} {'next pair':>13} {'image':>13} {'static page':>13} {'CPU/answer':>10}"
    print(f"{names}  resent")
    for setup in _setups(chosen):
        with _folder() as folder, served(setup, folder, image_kb=chosen.image_kb) as running:
            for count in _loads(chosen, setup):
                _print_row(str(setup), count, uvloop.run(load(running, count, seconds=chosen.seconds, thinking=chosen.thinking)))
            if not chosen.only_rows and not setup.defaults:
                _print_line(f"{setup}: {_ARRIVALS} arrivals in {_WITHIN_S:g} s, link to first pair", uvloop.run(arrivals(running)))
                if setup.processes == 1:
                    clicks = uvloop.run(painted(running, chosen.browser_load, thinking=chosen.thinking))
                    _print_line(f"{setup}: click to both painted, Chromium, beside {chosen.browser_load}", clicks)


async def load(
    running: Served,
    count: int,
    *,
    seconds: float,
    thinking: float,
    meanwhile: Callable[[], Awaitable[object]] | None = None,
) -> Measured:
    """Let `count` participants take part for `seconds` after warming up, and return what was measured in that time."""
    people = [Participant(running.address, f"load-{count}-{time.time_ns()}-{n}", thinking=thinking, seed=n) for n in range(count)]
    stop, measured = asyncio.Event(), Measured()
    tasks = [asyncio.create_task(_take_part(person, stop, after=n * _ramp(count) / count)) for n, person in enumerate(people)]
    try:
        await asyncio.sleep(_ramp(count) + _WARM_UP_S)
        gc.collect()
        gc.freeze()
        for person in people:
            person.timings.answers.clear()
            person.timings.images.clear()
            person.timings.resent = 0
        probe = asyncio.create_task(_probe(running.address, measured.static, stop))
        cpu = running.cpu_s()
        await (meanwhile() if meanwhile else asyncio.sleep(seconds))
        measured.cpu = running.cpu_s() - cpu if running.is_alive() else 0.0
        stop.set()
        await asyncio.wait(tasks, timeout=_PATIENCE_S)
        probe.cancel()
    finally:
        now = time.perf_counter()
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for person in people:
            await person.close()
        gc.unfreeze()
    broken = [result for result in results if isinstance(result, Exception) and not isinstance(result, asyncio.CancelledError)]
    if broken:
        raise broken[0]
    if not running.is_alive():
        raise RuntimeError("a server process ended during the measurement, so there is nothing to report")
    for person in people:
        _add(measured, person, now)
    return measured


async def arrivals(running: Served) -> list[float]:
    """Let people arrive evenly, and return how long each took from the link to both images of the first pair."""
    people = [Participant(running.address, f"arrival-{time.time_ns()}-{n}", thinking=0.0, seed=n) for n in range(_ARRIVALS)]

    async def arrive(number: int, person: Participant) -> None:
        await asyncio.sleep(number * _WITHIN_S / _ARRIVALS)
        await person.to_first_pair()

    try:
        async with asyncio.timeout(60):
            await asyncio.gather(*(arrive(number, person) for number, person in enumerate(people)))
    finally:
        for person in people:
            await person.close()
    return [person.timings.first_pair for person in people if person.timings.first_pair is not None]


async def painted(running: Served, count: int, *, thinking: float, clicks: int = 15) -> list[float]:
    """Return the seconds from a click to both images of the next pair on the screen, in Chromium, while `count` others take part."""
    program = doctor.browser()
    if program is None:
        print("no Chromium on this machine, so nothing is painted")
        return []
    found: list[float] = []

    async def click_through() -> None:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=program, args=_FLAGS)
            page = await browser.new_page(viewport={"width": 1280, "height": 800})
            await page.goto(f"{running.address}/start?participant=painted-{time.time_ns()}")
            while not await page.locator(".page.open .side").count():
                button = page.locator(".buttons .go").first
                if await button.count() and await button.is_enabled():
                    await button.click()
                await page.wait_for_timeout(200)
            await page.evaluate(_WATCH)
            for number in range(clicks):
                await page.wait_for_timeout(1000)
                await page.locator(".side").nth(number % 2).click()
                # The page's rules forbid to make code out of text, so it is asked and not told to wait.
                while len(times := await page.evaluate("() => window.painted")) <= number:
                    await page.wait_for_timeout(50)
            found.extend(milliseconds / 1000 for milliseconds in times)
            await browser.close()

    async def at_most() -> None:
        async with asyncio.timeout(120):
            await click_through()

    await load(running, count, seconds=0, thinking=thinking, meanwhile=at_most)
    return found


async def _take_part(person: Participant, stop: asyncio.Event, *, after: float) -> None:
    await asyncio.sleep(after)
    screen: Screen = await person.to_first_pair()
    await person.answer_until(screen, stop)


async def _probe(address: str, times: list[float], stop: asyncio.Event) -> None:
    """Fetch the same small file of the same server all the time: what the machine and the way to it cost without a study."""
    http = Http(address)
    while not stop.is_set():
        began = time.perf_counter()
        try:
            await http.get("/favicon.png")
        except GONE:
            http.close()
        times.append(time.perf_counter() - began)
        await asyncio.sleep(0.1)
    http.close()


def _add(measured: Measured, person: Participant, now: float) -> None:
    measured.answers.extend(person.timings.answers)
    measured.images.extend(person.timings.images)
    measured.resent += person.timings.resent
    if person.timings.waiting_since is not None:
        # It took at least this long.
        measured.answers.append(now - person.timings.waiting_since)
        measured.waiting += 1


def _ramp(count: int) -> float:
    return min(6.0, count / 30)


def _setups(chosen: argparse.Namespace) -> Iterator[Setup]:
    for database, processes in (("sqlite", 1), ("postgresql", 1), ("postgresql", 2)):
        if database in chosen.database and processes in chosen.processes:
            yield Setup(database, processes)
    if chosen.defaults and "sqlite" in chosen.database and 1 in chosen.processes:
        yield Setup("sqlite", 1, defaults=True)


def _loads(chosen: argparse.Namespace, setup: Setup) -> Sequence[int]:
    return [count for count in chosen.participants if not setup.defaults or count <= _MOST_BY_DEFAULT]


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tastebench-load-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _print_row(server: str, count: int, measured: Measured) -> None:
    columns = [f"{_both(times):>13}" for times in (measured.answers, measured.images, measured.static)]
    cpu = f"{1000 * measured.cpu / max(1, len(measured.answers)):.1f}"
    print(
        f"{server:44} {count:>6} {len(measured.answers):>7} {' '.join(columns)} {cpu:>10}  {measured.resent}",
        flush=True,
    )


def _print_line(what: str, times: Sequence[float]) -> None:
    print(f"{what}: {_both(times)} ({len(times)})", flush=True)


def _both(times: Sequence[float]) -> str:
    return f"{1000 * np.median(times):,.0f} / {1000 * np.percentile(times, 95):,.0f}" if len(times) else "–"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How many people one study can serve.")
    parser.add_argument("--participants", type=int, nargs="+", default=[1, 40, 80, 160, 240])
    parser.add_argument("--database", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"])
    parser.add_argument("--processes", type=int, nargs="+", choices=(1, 2), default=[1, 2])
    parser.add_argument("--seconds", type=float, default=12.0, help="how long each row is measured, after warming up")
    parser.add_argument("--thinking", type=float, default=2.0, help="seconds between a pair and its answer")
    parser.add_argument("--image-kb", type=int, default=100)
    parser.add_argument("--browser-load", type=int, default=160, help="participants beside the one in Chromium")
    parser.add_argument("--only-rows", action="store_true", help="neither arrivals nor Chromium")
    parser.add_argument("--no-defaults", dest="defaults", action="store_false", help="without Streamlit's own settings")
    return parser.parse_args()


if __name__ == "__main__":
    main()
