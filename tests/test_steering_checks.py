"""What keeps steering honest: the drift guard, scorers that only look on, more seeds than one, and fresh ones in the end."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from steered_greys import CHAIN, SMALL, Alike, Counting, Grey, Lightness, run

from stimuli.experiment import ExperimentError
from stimuli.rewriters import Proposal, Question
from stimuli.scorers import Scorer
from stimuli.stages import Alone, Render
from stimuli.steering import guards, steer
from stimuli.steering.chains import Candidate, Guard, best_of
from stimuli.store import Store

GUARDED = replace(CHAIN, guard=Guard(Alike(), floor=0.925))


def test_candidates_that_drift_from_the_base_prompt_are_recorded_and_never_win(tmp_path: Path) -> None:
    course = run(tmp_path, GUARDED)
    assert course.best.prompt == "grey 107"
    tried = [one for iteration in course.iterations for one in iteration.candidates]
    assert {one.prompt for one in tried if one.rejected} == {"grey 108", "grey 109", "grey 110", "grey 111"}
    assert [one.prompt for one in tried if one.score > course.best.score] == ["grey 108", "grey 109", "grey 110", "grey 111"]
    log = (tmp_path / "events.jsonl").read_text()
    assert '"event": "rejected", "floor": 0.925, "image"' in log and '"likeness": 0.92, "prompt": "grey 108"' in log


def test_a_scorer_of_which_less_is_better_is_no_guard() -> None:
    distance = Lightness(higher_is_better=False)
    distance.spec = replace(distance.spec, needs_prompt=True)
    with pytest.raises(ExperimentError, match=r'guard = "distance": of that scorer less is better, and a drift guard asks for'):
        guards.make("distance", floor=0.5, scorer_named=lambda _: distance)


def test_rejected_candidates_are_never_context(tmp_path: Path) -> None:
    rewriter = Counting()
    run(tmp_path, GUARDED, replace(SMALL, keep=3), rewriter=rewriter)
    assert [tried.prompt for tried in rewriter.histories[2]] == ["grey 100", "grey 105", "grey 106", "grey 107"]


def test_rejected_prompts_are_not_proposed_again(tmp_path: Path) -> None:
    course = run(tmp_path, GUARDED, replace(SMALL, iterations=4, patience=4))
    tried = [one.prompt for iteration in course.iterations for one in iteration.candidates]
    assert len(tried) == len(set(tried))


def test_without_a_guard_nothing_is_rejected(tmp_path: Path) -> None:
    course = run(tmp_path)
    assert course.best.prompt == "grey 112"
    assert {one.likeness for iteration in course.iterations for one in iteration.candidates} == {None}


@pytest.mark.parametrize(("initial", "least"), [(0.5, 0.4), (0.0, 0.0), (-0.5, -0.6)])
def test_the_floor_asks_for_less_than_the_initial_image_has_whatever_its_sign(initial: float, least: float) -> None:
    assert Guard(Alike(), floor=0.8).least(initial) == pytest.approx(least)


def test_of_several_seeds_the_mean_counts_and_the_first_is_shown(tmp_path: Path) -> None:
    painter = Grey(noise=30)
    course = run(tmp_path, steering=replace(SMALL, seeds=3), painter=painter)
    seeds = CHAIN.seeds(3)
    assert seeds[0] == CHAIN.image_seed
    assert [seed for prompt, seed in painter.seen if prompt == "grey 104"] == seeds
    noise = sum(30 * (seed % 3 - 1) for seed in seeds) / 3
    assert course.best.score == pytest.approx(112 + noise)
    assert len(course.best.images) == 3 and course.best.image == course.best.images[0]


def test_the_end_is_scored_again_on_fresh_seeds_by_what_steered_and_by_what_was_held_out(tmp_path: Path) -> None:
    painter, dark = Grey(noise=30), Lightness("dark", higher_is_better=False)
    course = run(tmp_path, replace(CHAIN, held_out=(dark,)), replace(SMALL, fresh_seeds=4), painter=painter)
    fresh = CHAIN.fresh_seeds(4)
    assert not set(fresh) & set(CHAIN.seeds(32))
    assert [seed for prompt, seed in painter.seen if prompt == course.best.prompt] == [CHAIN.image_seed, *fresh]
    mean = sum(30 * (seed % 3 - 1) for seed in fresh) / 4
    steering, held_out = course.rescored
    assert (steering.held_out, held_out.held_out, steering.seeds) == (False, True, 4)
    assert (steering.shown, steering.initial) == (course.best.score, course.initial.score)
    assert steering.fresh == pytest.approx(112 + mean) == held_out.fresh
    assert steering.fresh_initial == pytest.approx(100 + mean) == held_out.fresh_initial


def test_no_fresh_seeds_leave_what_was_seen(tmp_path: Path) -> None:
    [steering] = run(tmp_path).rescored
    assert (steering.shown, steering.initial, steering.fresh, steering.fresh_initial, steering.seeds) == (112, 100, None, None, 0)


@pytest.mark.parametrize(("log", "others", "held_out"), [("all", 13, 13), ("steering", 0, 4)])
def test_the_log_is_of_every_scorer_or_of_what_steers_and_the_bests(tmp_path: Path, log: str, others: int, held_out: int) -> None:
    watching, checking = Lightness("watching"), Lightness("checking")
    chain = replace(CHAIN, logged=(watching,), held_out=(checking,))
    course = run(tmp_path, chain, replace(SMALL, log=log))
    assert (watching.scored, checking.scored) == (others, held_out)
    for iteration in course.iterations:
        assert dict(iteration.best.others)["checking"] == iteration.best.score
    assert ("watching" in dict(course.best.others)) == (log == "all")


def test_scorers_that_look_on_change_nothing(tmp_path: Path) -> None:
    plain = run(tmp_path / "plain")
    watched = run(tmp_path / "watched", replace(CHAIN, logged=(Lightness("w", higher_is_better=False),), held_out=(Lightness("h"),)))
    assert [one.best.prompt for one in plain.iterations] == [one.best.prompt for one in watched.iterations]


class Killed(BaseException):
    """What kill -9 is to a process."""


@dataclass
class Dying:
    """Stages that die at the n-th piece of work, before or after it was stored."""

    alone: Alone
    left: int
    after: bool

    async def propose(self, question: Question) -> Proposal:
        return await self._done(self.alone.propose(question))

    async def render(self, wanted: Sequence[Render]) -> list[str]:
        return await self._done(self.alone.render(wanted))

    async def score(self, scorers: Sequence[Scorer], images: Sequence[str], prompts: Sequence[str]) -> NDArray[np.float64]:
        return await self._done(self.alone.score(scorers, images, prompts))

    async def tell(self, event: dict[str, Any]) -> None:
        await self._done(self.alone.tell(event))

    async def _done(self, work: Coroutine[Any, Any, Any]) -> Any:
        self.left -= 1
        if self.left < 0 and not self.after:
            work.close()
            raise Killed
        found = await work
        if self.left < 0:
            raise Killed
        return found


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_point_it_goes_on_as_if_nothing_had_happened(tmp_path: Path, after: bool) -> None:
    """The patience counter, the guard and the fresh seeds included; nothing is rendered, scored or asked twice."""
    steering = replace(SMALL, iterations=6, fresh_seeds=2)
    whole = run(tmp_path / "whole", GUARDED, steering)
    assert (whole.reason, whole.iterations[-1].number) == ("patience", 4)
    painter, rewriter, deaths = Grey(), Counting(), 0
    for number in range(2, 200, 2):
        chain = replace(GUARDED, scorer=Lightness())
        with Store(tmp_path / "killed") as store:
            try:
                course = asyncio.run(steer(chain, steering, Dying(Alone(store, painter, rewriter), number, after)))
                break
            except Killed:
                deaths += 1
    assert deaths > 10
    assert [(one.number, one.best, one.candidates) for one in course.iterations] == [
        (one.number, one.best, one.candidates) for one in whole.iterations
    ]
    assert (course.reason, course.rescored) == (whole.reason, whole.rescored)
    assert len(painter.seen) == len(set(painter.seen))
    assert len(rewriter.histories) == 4


def test_of_equal_candidates_the_earlier_is_best() -> None:
    first, second, rejected = Candidate("a", ("1",), 2.0), Candidate("b", ("2",), 2.0), Candidate("c", ("3",), 9.0, rejected=True)
    assert best_of(CHAIN, [first, second, rejected], 2) == [first, second]
