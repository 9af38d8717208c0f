"""A small steering run with tiny parts, as a function and as a program that can be killed: `python tiny_crew.py FOLDER KIND LOG`."""

import asyncio
import hashlib
import json
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from PIL import Image
from tiny_parts import TinyGenerator, TinyRewriter, TinyScorer

from stimuli.stages import Render
from stimuli.steering import steer
from stimuli.steering.chains import Chain, Course, Steering
from stimuli.store import Store, png_of
from stimuli.workers import Parts, Pool, Workers, crew
from stimuli.workers.jobs import Paint

T = TypeVar("T")

SCORERS = (TinyScorer("one"), TinyScorer("two", needs_prompt=True))
STEERING = Steering(candidates=5, iterations=4, patience=2, fresh_seeds=2)


def parts(generator: TinyGenerator | None = None, scorers: tuple[TinyScorer, ...] = SCORERS) -> Parts:
    return Parts(generator or TinyGenerator(), TinyRewriter(), scorers)


def chains(prompts: int = 3, scorers: tuple[TinyScorer, ...] = SCORERS) -> list[Chain]:
    return [
        Chain(f"p{prompt}", f"base {prompt}", scorer.name, None, 1, scorer, image_seed=prompt, seed=100 * prompt + place)
        for prompt in range(prompts)
        for place, scorer in enumerate(scorers)
    ]


async def with_crew(folder: Path, workers: Workers, with_parts: Parts, work: Callable[[Pool], Awaitable[T]]) -> T:
    with Store(folder) as store:
        async with crew(store, with_parts, workers, images=1) as pool:
            return await work(pool)


async def steered(pool: Pool) -> list[Course]:
    return await asyncio.gather(*(steer(chain, STEERING, pool) for chain in chains()))


def run(folder: Path, kind: str, generator: TinyGenerator | None = None, *, number: int = 2) -> str:
    """Return the digest of all that a run ends with."""
    courses = asyncio.run(with_crew(folder, Workers(kind=kind, number=number, render=4), parts(generator), steered))
    return digest(folder, courses)


def digest(folder: Path, courses: list[Course]) -> str:
    told = [
        [course.chain.name, course.reason, [[one.number, one.best.prompt, one.best.image, one.best.score] for one in course.iterations]]
        for course in courses
    ]
    return hashlib.sha256(json.dumps([told, results(folder)]).encode()).hexdigest()


def results(folder: Path) -> list[tuple[str, str]]:
    database = sqlite3.connect(folder / "store.sqlite")
    rows = database.execute("SELECT key, answer FROM results ORDER BY key").fetchall()
    database.close()
    return rows


def rendered(folder: Path) -> set[str]:
    """Return what the store has images of, as the lines that the generator logs."""
    if not (folder / "store.sqlite").exists():
        return set()
    database = sqlite3.connect(folder / "store.sqlite")
    rows = database.execute("SELECT request FROM results WHERE kind = 'render'").fetchall() if _has_tables(database) else []
    database.close()
    return {f"{request['seed']} {request['prompt']}" for request in (json.loads(text) for (text,) in rows)}


def _has_tables(database: sqlite3.Connection) -> bool:
    return bool(database.execute("SELECT 1 FROM sqlite_master WHERE name = 'results'").fetchone())


def png() -> bytes:
    return png_of(Image.new("RGB", (8, 8)), {})


def paint(*prompts: str) -> Paint:
    return Paint(tuple(Render(prompt, 1) for prompt in prompts))


def events(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    sys.stdout.write(run(Path(sys.argv[1]), sys.argv[2], TinyGenerator(log=Path(sys.argv[3]), pause=0.01)))
