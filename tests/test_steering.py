"""The loop: it keeps the best, stops in time, shares images and depends on nothing but its seeds."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from stimuli.experiment import ExperimentError
from stimuli.generators import GeneratorSpec
from stimuli.rewriters import RewriterSpec, Tried
from stimuli.rewriters.offline import Vocabulary
from stimuli.scorers import ScorerSpec
from stimuli.stages import Alone, Question, Render, proposed, rendered
from stimuli.steering import Chain, Iteration, Steering, steer, steer_all
from stimuli.store import Store


class Grey:
    """A generator whose images are one pixel of the grey that the last word of the prompt asks for; it counts what it renders."""

    spec = GeneratorSpec("grey", "1", stand_in=True, settings={})

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []

    def render(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        self.seen += zip(prompts, seeds, strict=True)
        return [Image.new("RGB", (1, 1), (shade, shade, shade)) for shade in map(grey, prompts)]


def grey(prompt: str) -> int:
    word = prompt.rsplit(" ", 1)[-1]
    return int(word) if word.isdigit() else sum(prompt.encode()) % 256


class Counting:
    """A rewriter that counts upward from the best prompt so far, until `limit`; it remembers its questions."""

    spec = RewriterSpec("counting", "1", stand_in=True)

    def __init__(self, limit: int = 250) -> None:
        self.limit = limit
        self.histories: list[tuple[Tried, ...]] = []

    def propose(self, base_prompt: str, history: Sequence[Tried], number: int, *, seed: int) -> str:  # noqa: ARG002 - a Rewriter
        self.histories.append(tuple(history))
        best = grey(max(history, key=lambda tried: tried.score).prompt)
        return "\n".join(f"{line}. grey {min(best + line, self.limit)}" for line in range(1, number + 1))


class Lightness:
    """A scorer that likes light images, or dark ones."""

    def __init__(self, *, higher_is_better: bool = True, broken: bool = False) -> None:
        self.spec = ScorerSpec("lightness", "1", 0, 255, higher_is_better, needs_prompt=False, stand_in=True)
        self.broken = broken

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> NDArray[np.float64]:
        assert len(images) == len(prompts)
        return np.array([np.nan if self.broken else float(np.asarray(image).mean()) for image in images])


CHAIN = Chain("p", "grey 100", "light", None, 1, Lightness(), image_seed=5, seed=6)
SMALL = Steering(candidates=4, iterations=3, patience=2)


def run(folder: Path, chain: Chain = CHAIN, steering: Steering = SMALL, *, rewriter: Counting | None = None) -> list[Iteration]:
    with Store(folder) as store:
        return asyncio.run(steer(chain, steering, Alone(store, Grey(), rewriter or Counting())))


def test_each_iteration_builds_on_the_best_so_far(tmp_path: Path) -> None:
    assert [(entry.number, entry.best.prompt, entry.best.score) for entry in run(tmp_path)] == [
        (0, "grey 100", 100.0),
        (1, "grey 104", 104.0),
        (2, "grey 108", 108.0),
        (3, "grey 112", 112.0),
    ]


def test_a_scorer_for_which_lower_is_better_is_minimised(tmp_path: Path) -> None:
    course = run(tmp_path, replace(CHAIN, scorer=Lightness(higher_is_better=False)))
    assert [entry.best.prompt for entry in course] == ["grey 100"] * 3


@pytest.mark.parametrize(("patience", "iterations"), [(1, 3), (2, 4), (10, 6)])
def test_it_stops_after_patience_iterations_without_a_better_score(tmp_path: Path, patience: int, iterations: int) -> None:
    course = run(tmp_path, steering=Steering(candidates=4, iterations=6, patience=patience), rewriter=Counting(limit=106))
    assert course[-1].best.prompt == "grey 106"
    assert course[-1].number == iterations


def test_the_rewriter_always_sees_the_base_prompt_and_the_best_last(tmp_path: Path) -> None:
    rewriter = Counting()
    run(tmp_path, steering=replace(SMALL, keep=2), rewriter=rewriter)
    assert [[tried.prompt for tried in history] for history in rewriter.histories] == [
        ["grey 100"],
        ["grey 100", "grey 103", "grey 104"],
        ["grey 100", "grey 107", "grey 108"],
    ]


def test_a_rewriter_is_told_higher_is_better_whatever_the_scorer(tmp_path: Path) -> None:
    rewriter = Counting()
    run(tmp_path, replace(CHAIN, scorer=Lightness(higher_is_better=False)), rewriter=rewriter)
    assert rewriter.histories[0][0] == Tried("grey 100", -100.0)


def test_all_images_of_a_chain_have_the_same_seed_and_each_is_rendered_once(tmp_path: Path) -> None:
    painter = Grey()
    others = replace(CHAIN, condition="other", seed=7)
    with Store(tmp_path) as store:
        steer_all([CHAIN, others], SMALL, Alone(store, painter, Counting()))
    assert {seed for _, seed in painter.seen} == {5}
    assert len(painter.seen) == len(set(painter.seen)) == 13


def test_running_again_does_no_work_and_ends_the_same(tmp_path: Path) -> None:
    first = run(tmp_path)
    log = (tmp_path / "events.jsonl").read_bytes()
    painter, rewriter = Grey(), Counting()
    with Store(tmp_path) as store:
        again = asyncio.run(steer(CHAIN, SMALL, Alone(store, painter, rewriter)))
    assert again == first
    assert painter.seen == []
    assert rewriter.histories == []
    assert (tmp_path / "events.jsonl").read_bytes() == log


def test_chains_do_not_depend_on_each_other(tmp_path: Path) -> None:
    chains = [replace(CHAIN, condition=name, seed=number) for number, name in enumerate(["a", "b", "c"])]
    with Store(tmp_path / "one") as store:
        forward = steer_all(chains, SMALL, Alone(store, Grey(), Vocabulary()))
    with Store(tmp_path / "two") as store:
        backward = steer_all(chains[::-1], SMALL, Alone(store, Grey(), Vocabulary()))
    assert forward == backward[::-1]
    assert forward[0] != forward[1]


def test_progress_counts_iterations_and_ends_at_the_total(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    with Store(tmp_path) as store:
        steer_all([CHAIN, replace(CHAIN, condition="b")], SMALL, Alone(store, Grey(), Counting()), report=lambda *news: told.append(news))
    assert told[-1] == ("steering", 6, 6)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_a_rewriter_with_nothing_to_say_ends_the_chain_at_the_base_prompt(tmp_path: Path) -> None:
    class Mute(Counting):
        def propose(self, base_prompt: str, history: Sequence[Tried], number: int, *, seed: int) -> str:  # noqa: ARG002 - a Rewriter
            return "I cannot help with that."

    course = run(tmp_path, rewriter=Mute())
    assert [entry.best.prompt for entry in course] == ["grey 100"] * 3
    assert '"got": 0' in (tmp_path / "events.jsonl").read_text()


def test_a_score_that_is_no_number_is_an_error_that_names_the_scorer(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match='scorer "lightness" gave a score that is no finite number'):
        run(tmp_path, replace(CHAIN, scorer=Lightness(broken=True)))


def test_an_image_that_was_deleted_is_rendered_anew(tmp_path: Path) -> None:
    wanted = [Render("grey 7", 1), Render("grey 8", 1)]
    with Store(tmp_path) as store:
        before = rendered(store, Grey(), wanted)
        store.image_path(before[0]).unlink()
        painter = Grey()
        assert rendered(store, painter, [*wanted, wanted[0]]) == [*before, before[0]]
        assert painter.seen == [("grey 7", 1)]


def test_the_raw_text_of_a_rewriter_is_kept(tmp_path: Path) -> None:
    question = Question("grey 1", (Tried("grey 1", 1.0),), ("grey 1",), 2, 9)
    with Store(tmp_path) as store:
        first = proposed(store, Counting(), question)
        assert proposed(store, Counting(limit=0), question) == first
    assert first.raw == ("1. grey 2\n2. grey 3",)
