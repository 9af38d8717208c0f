"""Runs side by side: which words are marked, and what the figure of their agreement shows."""

import dataclasses
import json

import numpy as np
import pytest
from matplotlib.text import Text

from analysis.results import Results
from analysis.run_findings import run_findings
from analysis.run_record import RunsRecord, RunsView, UserRuns, read_runs
from reports.drawing import PAGE, rendered
from reports.run_figures import within_between
from reports.run_texts import images_of_runs, marked_pieces, run_table, runs_of
from stimuli.manifest import Stimulus
from stimuli.steering_record import RunEmbedding

BASE = "A quiet lake."
WORDS = {"ann": "misty walls", "bob": "golden lanterns", "eve": "<b>neon</b> rain", "dan": "brushed copper"}
USERS = tuple(WORDS)


def stimulus(user: str | None, run: int, *, condition: str = "personal", scorer: str | None = "personal", prompt: str = "lake") -> Stimulus:
    final = BASE if user is None else f"A quiet lake with {WORDS[user]}, extra{user}{run}."
    name = f"{condition}-{prompt}-{user}-{run}"
    return Stimulus(name, prompt, BASE, condition, user, run, f"{name}.png", "0", final, "g", run, scorer, None, None, 1)


def runs_made(runs: int = 2, prompts: tuple[str, ...] = ("lake", "hill")) -> list[Stimulus]:
    return [stimulus(user, run, prompt=prompt) for prompt in prompts for user in USERS for run in range(1, runs + 1)]


def record(rows: list[Stimulus], **changes: object) -> RunsRecord:
    (found,) = read_runs(json.loads(json.dumps(run_findings(rows, seed=1, alpha=0.05))))
    return dataclasses.replace(found, **changes)  # type: ignore[arg-type]


def view(users: int, *, floor: float | None = None, p_value: float | None = 0.0005) -> RunsView:
    rows = tuple(UserRuns(f"user-{n:02d}", 0.4 + n / 100, 0.1) for n in range(users))
    return RunsView("added words", rows, 0.3, tuple(np.linspace(-0.1, 0.35, 41).tolist()), p_value, 1 / 24, floor, None)


def results(rows: list[Stimulus]) -> Results:
    from reported_experiment import example_results

    return dataclasses.replace(example_results(), further=run_findings(rows, seed=1, alpha=0.05))


def test_words_of_all_runs_for_a_person_and_of_nobody_elses_are_marked() -> None:
    rows = runs_made()
    (runs,) = runs_of(results(rows), rows)
    lake = runs.texts[0]
    assert [(person.user, person.shared) for person in lake.people] == [
        ("ann", ("misty", "walls")),
        ("bob", ("golden", "lanterns")),
        ("eve", ("b", "neon", "rain")),
        ("dan", ("brushed", "copper")),
    ]
    assert (runs.people, runs.marked, lake.marked) == (8, 8, 4)
    for person in lake.people:
        for run in person.runs:
            assert "".join(piece.text for piece in run.pieces) == stimulus(person.user, run.run).final_prompt
            assert not any("extra" in piece.text or "lake" in piece.text for piece in run.pieces if piece.marked)


def test_a_word_that_another_person_has_too_marks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WORDS, "bob", "misty lanterns")
    rows = runs_made()
    people = {person.user: person.shared for person in runs_of(results(rows), rows)[0].texts[0].people}
    assert people["ann"] == ("walls",) and people["bob"] == ("lanterns",)


def test_words_are_marked_in_whatever_form_they_are_written() -> None:
    marked = [piece.text for piece in marked_pieces("Walls, a WALL; the wall’s end, wallpaper", ["wall"]) if piece.marked]
    assert marked == ["Walls", "WALL", "wall’s"]
    assert marked_pieces("", ["wall"]) == ()


def test_a_single_run_is_nothing_to_compare() -> None:
    assert run_findings(runs_made(runs=1), seed=1, alpha=0.05) == {}
    assert read_runs({}) == ()


def test_a_base_prompt_with_one_run_is_left_out_and_named() -> None:
    rows = [*runs_made(prompts=("lake",)), *runs_made(runs=1, prompts=("hill",))]
    (runs,) = runs_of(results(rows), rows)
    assert [here.prompt for here in runs.texts] == ["lake"]
    assert runs.record.prompts == ("lake",) and runs.record.dropped_prompts == ("hill",)


def test_the_runs_of_a_placebo_are_the_floor_and_no_finding_of_their_own() -> None:
    rows = runs_made(prompts=("lake", "hill", "moor"))
    shuffled = [
        dataclasses.replace(row, condition="placebo", scorer="placebo", final_prompt=f"A quiet lake word{number}.")
        for number, row in enumerate(rows)
    ]
    (with_floor,) = read_runs(run_findings([*rows, *shuffled], seed=1, alpha=0.05))
    assert with_floor.condition == "personal"
    assert all(view.floor is not None for view in with_floor.views)
    assert all(view.floor is None for view in record(rows).views)


def test_embeddings_are_views_of_their_own_and_the_test_has_its_distribution() -> None:
    rows = runs_made()
    rng = np.random.default_rng(1)
    pull = {user: rng.normal(0, 1, 4) for user in USERS}
    given = [RunEmbedding(row.stimulus, None, (3 * pull[row.target_user or ""] + rng.normal(0, 1, 4)).tolist()) for row in rows]
    (found,) = read_runs(run_findings(rows, seed=1, alpha=0.05, embeddings=given))
    assert [one.view for one in found.views] == ["added words", "added words, rare ones weighing more", "image embeddings"]
    images = found.views[-1]
    assert images.p_value is not None and images.difference is not None and images.p_value <= 0.1
    assert len(images.relabelled) == 41 and list(images.relabelled) == sorted(images.relabelled)
    assert images.relabelled[0] <= images.difference <= images.relabelled[-1]


def test_records_survive_being_written() -> None:
    found = run_findings(runs_made(), seed=1, alpha=0.05)
    assert read_runs(json.loads(json.dumps(found))) == read_runs(found)


def test_every_run_stands_in_the_table_with_its_words() -> None:
    rows = runs_made()
    table = run_table(runs_of(results(rows), rows))
    assert len(table.rows) == len(rows)
    assert table.rows[0] == ("lake", "ann", "personal", 1, rows[0].final_prompt, "misty, walls")
    assert images_of_runs(runs_of(results(rows), rows)) == [row.image for row in rows]


def test_people_stand_in_the_order_of_how_much_more_alike_their_own_runs_are() -> None:
    figure = within_between(record(runs_made(), views=(view(4),)))
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["user-03", "user-02", "user-01", "user-00"]


def test_the_difference_stands_among_those_of_runs_dealt_out_at_random() -> None:
    test = within_between(record(runs_made(), views=(view(4, floor=0.25),))).axes[1]
    ends = [tuple(np.round(line.get_xdata(), 4)) for line in test.lines]
    assert (-0.1, 0.35) in ends and (0.3,) in ends and (0.25, 0.25) in ends
    low, high = np.quantile(np.linspace(-0.1, 0.35, 41), [0.025, 0.975])
    assert tuple(np.round([low, high], 4)) in ends
    assert "p < 0.001" in {text.get_text() for text in test.texts}


def test_without_a_test_no_p_is_printed_and_without_a_placebo_no_floor_is_drawn() -> None:
    figure = within_between(record(runs_made(), views=(view(4, p_value=None),)))
    assert "no test" in {text.get_text() for text in figure.findobj(Text)}
    assert not any("placebo" in text.get_text() for text in figure.findobj(Text))


def test_many_people_become_their_mean() -> None:
    figure = within_between(record(runs_made(), views=(view(41),)))
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["mean of 41 people"]


def test_four_views_stand_at_the_width_of_a_page_and_are_the_same_every_time() -> None:
    four = record(runs_made(), views=(view(6, floor=0.1),) * 4)
    finished = rendered(within_between(four))
    assert finished.width == pytest.approx(PAGE) and finished == rendered(within_between(four))
