"""The loop: it keeps the best, stops in time, shares images and depends on nothing but its seeds."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from steered_greys import CHAIN, SMALL, Counting, Grey, Lightness, run

from stimuli.experiment import ExperimentError
from stimuli.rewriters import Ask, Question, Tried, Written
from stimuli.rewriters.offline import Vocabulary
from stimuli.stages import Alone, Render, proposed, rendered
from stimuli.steering import most_images, steer, steer_all
from stimuli.store import Store


def test_each_iteration_builds_on_the_best_so_far(tmp_path: Path) -> None:
    assert [(entry.number, entry.best.prompt, entry.best.score) for entry in run(tmp_path).iterations] == [
        (0, "grey 100", 100.0),
        (1, "grey 104", 104.0),
        (2, "grey 108", 108.0),
        (3, "grey 112", 112.0),
    ]


def test_a_scorer_for_which_lower_is_better_is_minimised(tmp_path: Path) -> None:
    course = run(tmp_path, replace(CHAIN, scorer=Lightness(higher_is_better=False)))
    assert [entry.best.prompt for entry in course.iterations] == ["grey 100"] * 3


@pytest.mark.parametrize(("patience", "iterations"), [(1, 3), (2, 4), (10, 6)])
def test_it_stops_after_patience_iterations_without_a_better_score(tmp_path: Path, patience: int, iterations: int) -> None:
    course = run(tmp_path, steering=replace(SMALL, iterations=6, patience=patience), rewriter=Counting(limit=106))
    assert course.best.prompt == "grey 106"
    assert course.iterations[-1].number == iterations


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
        asyncio.run(steer_all([CHAIN, others], SMALL, Alone(store, painter, Counting())))
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
        forward = asyncio.run(steer_all(chains, SMALL, Alone(store, Grey(), Vocabulary())))
    with Store(tmp_path / "two") as store:
        backward = asyncio.run(steer_all(chains[::-1], SMALL, Alone(store, Grey(), Vocabulary())))
    assert forward == backward[::-1]
    assert forward[0] != forward[1]


def test_progress_counts_iterations_and_ends_at_the_total(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    with Store(tmp_path) as store:
        asyncio.run(
            steer_all(
                [CHAIN, replace(CHAIN, condition="b")], SMALL, Alone(store, Grey(), Counting()), report=lambda *news: told.append(news)
            )
        )
    for what, total in (("chains", 2), ("iterations", 6)):
        done = [news[1] for news in told if news[0] == what]
        assert done == sorted(done) and done[-1] == total
        assert {news[2] for news in told if news[0] == what} == {total}


def test_a_rewriter_with_nothing_to_say_ends_the_chain_at_the_base_prompt(tmp_path: Path) -> None:
    class Mute(Counting):
        def write(self, asks: Sequence[Ask]) -> list[Written]:
            return [Written("I cannot help with that.")] * len(asks)

    course = run(tmp_path, rewriter=Mute())
    assert [entry.best.prompt for entry in course.iterations] == ["grey 100"] * 3
    assert '"got": 0' in (tmp_path / "events.jsonl").read_text()


def test_an_iteration_without_new_prompts_is_recorded_and_the_loop_goes_on(tmp_path: Path) -> None:
    course = run(tmp_path, rewriter=Counting(mute=[2]))
    assert [(len(one.candidates), one.best.prompt) for one in course.iterations] == [
        (1, "grey 100"),
        (4, "grey 104"),
        (0, "grey 104"),
        (4, "grey 108"),
    ]
    assert course.reason == "iterations"


def test_one_chain_that_fails_stops_no_other_and_is_named_in_the_end(tmp_path: Path) -> None:
    cursed = [replace(CHAIN, prompt=f"q{number}", base_prompt=f"cursed grey {number}") for number in (1, 2)]
    painter = Grey(cursed="cursed")
    with Store(tmp_path) as store, pytest.raises(ExperimentError) as failed:
        asyncio.run(steer_all([cursed[0], CHAIN, cursed[1]], SMALL, Alone(store, painter, Counting())))
    assert str(failed.value) == (
        "2 of 3 chains of steering failed; what they and the others did is kept, and running this again goes on:\n"
        'RuntimeError: the painter fell off its ladder [q1/light/1 ("cursed grey 1"); q2/light/1 ("cursed grey 2")]'
    )
    log = (tmp_path / "events.jsonl").read_text()
    assert log.count('"event": "failed"') == 2 and '"event": "stopped", "iteration": 3' in log
    with Store(tmp_path) as store:
        courses = asyncio.run(steer_all([CHAIN], SMALL, Alone(store, painter, Counting())))
    assert len(painter.seen) == 13 and courses[0].best.prompt == "grey 112"


def test_a_chain_that_fails_again_for_the_same_reason_is_told_again(tmp_path: Path) -> None:
    cursed = replace(CHAIN, base_prompt="cursed grey 1")
    for number in (1, 2):
        with Store(tmp_path) as store, pytest.raises(ExperimentError):
            asyncio.run(steer_all([cursed], SMALL, Alone(store, Grey(cursed="cursed"), Counting())))
        assert (tmp_path / "events.jsonl").read_text().count('"event": "failed"') == number


def test_what_is_planned_bounds_what_is_rendered(tmp_path: Path) -> None:
    painter, steering = Grey(), replace(SMALL, seeds=2, fresh_seeds=3)
    chains = [CHAIN, replace(CHAIN, condition="b", seed=7)]
    with Store(tmp_path) as store:
        asyncio.run(steer_all(chains, steering, Alone(store, painter, Counting())))
    assert len(painter.seen) == len(set(painter.seen)) <= most_images(chains, steering) == 2 * (3 * 4 * 2 + 3) + 5
    assert '"event": "planned", "images": 59' in (tmp_path / "events.jsonl").read_text()


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
