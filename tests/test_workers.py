"""Many chains at once: full batches, each piece of work once, and what goes wrong stays where it went wrong."""

import asyncio
import errno
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tiny_crew import SCORERS, chains, events, parts, rendered, results, run, steered, with_crew
from tiny_parts import TinyGenerator, TinyScorer

from stimuli.experiment import ExperimentError
from stimuli.generators import GeneratorSpec
from stimuli.rewriters import Proposal, Question, Tried
from stimuli.stages import Render
from stimuli.steering import steer
from stimuli.steering.chains import Steering
from stimuli.store import Store, png_of
from stimuli.workers import Parts, Pool, Workers, crew, hands_for
from stimuli.workers.here import Here
from stimuli.workers.jobs import Sent, Trouble
from stimuli.workers.processes import Processes
from stimuli.workers.queues import Item, Kind, Queues, Sight, fill
from stimuli.workers.threads import Threads

HERE = Workers(kind="here", render=4)
SIZES = {"rewrite": 2, "render": 3, "score": 2}


def wishes(*prompts: str) -> list[Render]:
    return [Render(prompt, 1) for prompt in prompts]


def waiting(**stages: int) -> Queues:
    queues = Queues(dict(SIZES))
    for stage, number in stages.items():
        for _ in range(number):
            queues.put(Item(Kind(stage), Render("a", 1), ()))
    return queues


@pytest.mark.parametrize(
    ("queued", "stages"),
    [
        ({"rewrite": 1, "render": 1, "score": 1}, ["rewrite", "render", "score"]),
        ({"rewrite": 1, "render": 3, "score": 1}, ["render", "rewrite", "score"]),
        ({"render": 4, "score": 2}, ["score", "render", "render"]),
        ({"rewrite": 5, "score": 1}, ["rewrite", "rewrite", "rewrite", "score"]),
    ],
)
def test_a_full_batch_goes_first_and_else_the_earliest_stage(queued: dict[str, int], stages: list[str]) -> None:
    queues = waiting(**queued)
    taken = []
    while batch := queues.take():
        taken.append(batch[0].kind.stage)
        assert len(batch) <= SIZES[batch[0].kind.stage]
    assert taken == stages


def test_scores_by_other_scorers_are_another_batch() -> None:
    queues = Queues(dict(SIZES))
    for scorers in ((0,), (0, 1), (0,)):
        queues.put(Item(Kind("score", scorers), Sight("a", "b"), ()))
    assert [len(batch) for batch in iter(queues.take, None)] == [2, 1]


@pytest.mark.parametrize(("kind", "number", "scorers"), [("here", 1, 1), ("here", 1, 3), ("threads", 2, 3)])
def test_batches_of_twelve_chains_are_full(tmp_path: Path, kind: str, number: int, scorers: int) -> None:
    judges = tuple(TinyScorer(f"s{place}", needs_prompt=place == 1) for place in range(scorers))
    many = chains(12 // scorers, judges)
    paper = Steering(candidates=20, iterations=5, patience=5, fresh_seeds=0)

    async def work(pool: Pool) -> float:
        await asyncio.gather(*(steer(chain, paper, pool) for chain in many))
        return fill(pool.tallies)

    workers = Workers(kind=kind, number=number, rewrite=8, render=8, score=8)
    assert asyncio.run(with_crew(tmp_path, workers, parts(scorers=judges), work)) >= 0.95


def test_threads_end_as_one_thread_does(tmp_path: Path) -> None:
    assert run(tmp_path / "here", "here") == run(tmp_path / "threads", "threads")


def test_equal_requests_in_flight_are_one_piece_of_work(tmp_path: Path) -> None:
    log = tmp_path / "log"

    async def work(pool: Pool) -> list[list[str]]:
        return await asyncio.gather(*(pool.render(wishes("a", "b", "a")) for _ in range(5)))

    told = asyncio.run(with_crew(tmp_path / "store", HERE, parts(TinyGenerator(log)), work))
    assert all(images == told[0] and images[0] == images[2] for images in told)
    assert sorted(log.read_text().split()) == ["1", "1", "a", "b"]


def test_only_scorers_that_are_missing_are_asked(tmp_path: Path) -> None:
    async def work(pool: Pool) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
        images = await pool.render(wishes("a", "b"))
        some = await pool.score(SCORERS[1:], images, ["a", "b"])
        both = await pool.score([*SCORERS, SCORERS[0]], images, ["a", "c"])
        return pool.tallies["score"].items, some, both

    items, some, both = asyncio.run(with_crew(tmp_path, HERE, parts(), work))
    assert both.shape == (3, 2)
    assert some[0, 0] == both[1, 0]
    # Two with the second scorer, then of the first image only the first scorer, and of the other both, its prompt being new.
    assert items == 4
    assert len(results(tmp_path)) == 2 + 5


def test_what_was_done_is_not_done_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    first = run(tmp_path / "store", "here", TinyGenerator(log))
    told = events(tmp_path / "store")
    log.unlink()
    assert run(tmp_path / "store", "here", TinyGenerator(log)) == first
    assert not log.exists()
    assert events(tmp_path / "store") == told


def test_each_image_is_stored_as_the_store_itself_would_write_it(tmp_path: Path) -> None:
    async def work(pool: Pool) -> list[str]:
        return await pool.render(wishes("Löwe"))

    [sha256] = asyncio.run(with_crew(tmp_path, HERE, parts(), work))
    generator = TinyGenerator()
    request = {"kind": "render", "generator": vars(generator.spec) | {"settings": {"size": 8}}, "prompt": "Löwe", "seed": 1}
    with Store(tmp_path) as store:
        assert store.png(sha256) == png_of(generator.render(["Löwe"], [1])[0], request)
        assert store.answer(request) == sha256


def test_events_are_written_by_the_end_and_once(tmp_path: Path) -> None:
    async def work(pool: Pool) -> None:
        for _ in range(2):
            await pool.tell({"event": "accepted", "chain": "c"})

    asyncio.run(with_crew(tmp_path, HERE, parts(), work))
    assert [event["event"] for event in events(tmp_path)] == ["accepted"]


def test_events_are_written_within_a_second_or_so_where_nothing_else_is(tmp_path: Path) -> None:
    async def work(pool: Pool) -> None:
        await pool.tell({"event": "accepted"})
        while not events(tmp_path):
            await asyncio.sleep(0.05)

    asyncio.run(asyncio.wait_for(with_crew(tmp_path, HERE, parts(), work), timeout=60))


def test_progress_counts_each_image_once(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []

    async def work() -> None:
        with Store(tmp_path) as store:
            async with crew(store, parts(), HERE, images=5, report=lambda *news: told.append(news)) as pool:
                await pool.render(wishes("a", "b"))
                await pool.render(wishes("b", "c", "c"))

    asyncio.run(work())
    assert told == [("images", 2, 5), ("images", 2, 5), ("images", 3, 5)]


# What goes wrong.


async def failures(pool: Pool) -> list[str]:
    """Return why chains failed; of those that did not, nothing."""
    ended = await asyncio.gather(*(steer(chain, Steering(candidates=3, iterations=1), pool) for chain in chains()), return_exceptions=True)
    return [str(error) for error in ended if isinstance(error, BaseException)]


def test_a_prompt_that_cannot_be_rendered_fails_its_own_chains_and_is_named(tmp_path: Path) -> None:
    told = asyncio.run(with_crew(tmp_path, HERE, parts(TinyGenerator(poison="base 1")), failures))
    assert len(told) == 2
    assert re.fullmatch(
        r'rendering "base 1" \(seed 1\) by generator "tiny" failed: ValueError: no such paint \(tiny_parts.py, line \d+\)', told[0]
    )
    assert len(set(told)) == 1


def test_a_scorer_that_fails_fails_nobody_who_did_not_ask_for_it(tmp_path: Path) -> None:
    bad = replace(SCORERS[1], poison="base")

    async def work(pool: Pool) -> tuple[str, NDArray[np.float64]]:
        images = await pool.render(wishes("base"))
        both, one = await asyncio.gather(
            pool.score([bad, SCORERS[0]], images, ["base"]), pool.score(SCORERS[:1], images, ["base"]), return_exceptions=True
        )
        assert isinstance(both, ExperimentError)
        assert not isinstance(one, BaseException)
        return str(both), one

    said, score = asyncio.run(with_crew(tmp_path, HERE, parts(scorers=(SCORERS[0], bad)), work))
    assert 'scoring the image of "base" (' in said
    assert ') by scorer "two" failed: ValueError: no such taste' in said
    assert score.shape == (1, 1)


def test_a_long_prompt_is_named_by_its_beginning(tmp_path: Path) -> None:
    async def work(pool: Pool) -> None:
        await pool.render(wishes("word " * 4000))

    with pytest.raises(ExperimentError, match=r'rendering "(word ){23}word…" \(seed 1\)'):
        asyncio.run(with_crew(tmp_path, HERE, parts(TinyGenerator(poison="word")), work))


def test_what_only_a_failed_chain_wanted_is_not_done(tmp_path: Path) -> None:
    async def work(pool: Pool) -> None:
        asked = wishes(*(f"good {number}" for number in range(40)))
        ended = await asyncio.gather(pool.render([*wishes("bad"), *asked]), pool.render(asked[-1:]), return_exceptions=True)
        assert [type(one) for one in ended] == [ExperimentError, list]

    asyncio.run(with_crew(tmp_path, HERE, parts(TinyGenerator(poison="bad")), work))
    assert "1 good 39" in rendered(tmp_path)
    assert len(rendered(tmp_path)) < 12


def test_a_batch_that_is_too_big_for_the_memory_is_halved_and_that_is_told(tmp_path: Path) -> None:
    assert run(tmp_path / "tight", "here", TinyGenerator(most=1)) == run(tmp_path / "roomy", "here")
    halved = [(event["stage"], event["batch"]) for event in events(tmp_path / "tight") if event["event"] == "halved"]
    assert halved == [("render", 2), ("render", 1)]


def test_one_image_that_is_too_big_for_the_memory_is_an_error_with_advice(tmp_path: Path) -> None:
    told = asyncio.run(with_crew(tmp_path, HERE, parts(TinyGenerator(most=0)), failures))
    assert len(told) == 6
    assert told[0].startswith('rendering "base 0" (seed 0) by generator "tiny" failed: the memory is too small for even one (OutOf')
    assert 'choose a smaller "memory" preset or "size" in [stimuli]' in told[0]


@dataclass(frozen=True)
class Wrong:
    """A scorer that gives what it should not."""

    gives: object
    spec = replace(SCORERS[0].spec, name="wrong")

    def score(self, images: Iterable[Image.Image], prompts: Iterable[str]) -> NDArray[np.float64]:
        del images, prompts
        return np.array(self.gives)


@pytest.mark.parametrize(
    ("gives", "reason"),
    [
        ([np.nan], "gave a score that is no finite number"),
        ([[1.0]], r"gave an array of shape \(1, 1\) for 1 images"),
        ([], r"gave an array of shape \(0,\) for 1 images"),
    ],
)
def test_a_scorer_that_gives_nonsense_is_named(tmp_path: Path, gives: object, reason: str) -> None:
    wrong = Wrong(gives)

    async def work(pool: Pool) -> None:
        await pool.score([wrong], await pool.render(wishes("a")), ["a"])

    with pytest.raises(ExperimentError, match=f'scorer "wrong" {reason}'):
        asyncio.run(with_crew(tmp_path, HERE, Parts(TinyGenerator(), parts().rewriter, (wrong,)), work))


def test_a_scorer_that_workers_do_not_have_is_refused(tmp_path: Path) -> None:
    async def work(pool: Pool) -> None:
        await pool.score([TinyScorer("three")], ["a"], ["a"])

    with pytest.raises(ValueError, match='"three" is not among the parts'):
        asyncio.run(with_crew(tmp_path, HERE, parts(), work))


def no_space(_: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("kind", ["here", "threads"])
def test_a_full_disk_stops_everything_and_what_is_stored_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    async def work(pool: Pool) -> list[str]:
        await pool.render(wishes("a", "b"))
        monkeypatch.setattr(os, "fsync", no_space)
        return await failures(pool)

    with pytest.raises(ExperimentError, match=r"png: cannot be written \(No space left on device\); make room"):
        asyncio.run(with_crew(tmp_path, Workers(kind=kind, number=2), parts(), work))
    monkeypatch.undo()
    assert rendered(tmp_path) == {"1 a", "1 b"}
    assert not [path for path in tmp_path.rglob(".*") if path.is_file()]
    run(tmp_path, kind)


def test_after_that_whoever_asks_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(pool: Pool) -> None:
        monkeypatch.setattr(os, "fsync", no_space)
        for _ in range(2):
            with pytest.raises(ExperimentError, match="No space left"):
                await pool.render(wishes("a"))

    with pytest.raises(ExperimentError, match="No space left"):
        asyncio.run(with_crew(tmp_path, HERE, parts(), work))


def test_a_full_database_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.remember([], [{"event": "first"}])
        store._database.execute("PRAGMA max_page_count = 12")
        with pytest.raises(ExperimentError, match=r"store.sqlite: cannot be written \(database or disk is full\); make room"):
            store.remember([], [{"event": "long", "text": "x" * 200_000}])
    with Store(tmp_path) as store:
        store.remember([], [{"event": "second"}])
    assert [event["event"] for event in events(tmp_path)] == ["first", "second"]


def test_a_mistake_of_the_program_is_told_and_nothing_waits_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> list[str]:
        raise AttributeError("oh no")

    monkeypatch.setattr(Store, "keep_pngs", broken)
    with pytest.raises(ExperimentError, match="by an error of this program: AttributeError: oh no"):
        asyncio.run(with_crew(tmp_path, HERE, parts(), steered))


def test_a_chain_that_is_cancelled_leaves_the_others_their_images(tmp_path: Path) -> None:
    async def work(pool: Pool) -> list[str]:
        first = asyncio.create_task(pool.render(wishes("a", "b")))
        second = asyncio.create_task(pool.render(wishes("b")))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert len(asyncio.run(with_crew(tmp_path, HERE, parts(), work))) == 1
    assert rendered(tmp_path) == {"1 b"}


def test_a_question_is_answered_with_the_raw_text(tmp_path: Path) -> None:
    question = Question("a", (Tried("a", 1.0),), ("a",), 2, 9)

    async def work(pool: Pool) -> Proposal:
        return await pool.propose(question)

    first = asyncio.run(with_crew(tmp_path, HERE, parts(), work))
    assert len(first.prompts) == first.asked == 2
    assert first.raw[0].startswith("1. a ")
    assert asyncio.run(with_crew(tmp_path, HERE, parts(), work)) == first


# Which workers.


@dataclass(frozen=True)
class Real(TinyGenerator):
    spec = GeneratorSpec("real", "1", stand_in=False, settings={})


@pytest.mark.parametrize(
    ("generator", "gpus", "images", "expected", "number"),
    [
        (TinyGenerator(), ["0", "1", "2"], 100, Here, 1),
        (Real(), [], 100, Here, 1),
        (Real(), ["4", "7", "9"], 100, Processes, 3),
        (TinyGenerator(), [], 14_544, Processes, 2),
    ],
)
def test_without_being_told_it_takes_what_the_machine_has(
    monkeypatch: pytest.MonkeyPatch, generator: TinyGenerator, gpus: list[str], images: int, expected: type, number: int
) -> None:
    monkeypatch.setattr("stimuli.workers.processes.gpus_here", lambda: gpus)
    monkeypatch.setattr("stimuli.workers.processes.cores_here", lambda: 2)
    hands = hands_for(parts(generator), Workers(), images=images)
    assert type(hands) is expected
    assert hands.number == number


def test_each_thread_has_its_own_parts() -> None:
    hands = hands_for(parts(), Workers(kind="threads", number=3), images=1)
    assert isinstance(hands, Threads)
    assert len({id(one.generator) for one in hands._parts}) == 3
    asyncio.run(hands.close())


def test_parts_that_a_worker_cannot_make_are_a_trouble_in_words() -> None:
    trouble = Sent(b"cno_such_module\nPart\n.").perform(None)  # type: ignore[arg-type]
    assert isinstance(trouble, Trouble)
    assert "cannot be made in the worker (ModuleNotFoundError: No module named 'no_such_module'" in trouble.reason


def test_ray_where_it_is_not_installed_is_an_error_that_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ExperimentError, match=r"needs the package ray; install it with `pip install 'tastebench\[cluster\]'`"):
        asyncio.run(with_crew(tmp_path, Workers(kind="ray"), parts(), steered))
