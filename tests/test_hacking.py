"""A taste that can be hacked is caught: by the drift guard, by the held-out score, and on the page."""

from dataclasses import replace
from pathlib import Path

import pytest
from hacked_study import hacked_study

from reports.page import build
from stimuli.experiment import Experiment
from stimuli.hacking import Suspicion, suspicions
from stimuli.manifest import Stimulus, read_record, read_steps, read_stimuli
from stimuli.steering.chains import Course
from stimuli.steering_record import CandidateRow, RescoredRow, read_candidates, read_rescored


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Experiment, list[Course]]:
    return hacked_study(tmp_path_factory.mktemp("hacked"))


def found(experiment: Experiment) -> list[Suspicion]:
    return suspicions(read_stimuli(experiment.stimuli), read_rescored(experiment.rescored), read_candidates(experiment.candidates))


def test_a_hacked_taste_is_flagged_by_the_drift_guard_and_by_the_held_out_score_and_an_honest_scorer_is_not(
    study: tuple[Experiment, list[Course]],
) -> None:
    [flagged] = found(study[0])
    assert (flagged.stimulus.condition, flagged.stimulus.target_user) == ("dark", "hacked")
    held_out, drift = flagged.reasons
    assert "personal:hacked rose from" in held_out and "exposure, which steered nothing, got worse on 2 fresh seeds, from" in held_out
    assert "the drift guard rejected" in drift and "candidates that personal:hacked liked best" in drift


def test_the_guard_keeps_the_darkest_from_people(study: tuple[Experiment, list[Course]]) -> None:
    course = next(course for course in study[1] if course.chain.condition == "dark")
    tried = [one for iteration in course.iterations for one in iteration.candidates]
    assert max(one.score for one in tried) > course.best.score
    assert all(one.rejected for one in tried if one.score > course.best.score)
    assert course.best.likeness is not None and course.initial.likeness is not None
    assert course.best.likeness >= 0.5 * course.initial.likeness


def test_every_candidate_and_every_score_is_handed_over(study: tuple[Experiment, list[Course]]) -> None:
    experiment, courses = study
    rows = read_candidates(experiment.candidates)
    assert len(rows) == sum(len(iteration.candidates) for course in courses for iteration in course.iterations)
    assert {(row.condition, tuple(row.scores)) for row in rows} == {
        ("colourful", ("personal:hacked", "exposure")),
        ("dark", ("colourful", "exposure")),
    }
    assert all((experiment.folder / row.image).is_file() for row in rows)
    steps = read_steps(experiment.steps)
    assert sum(step.rejected for step in steps) == sum(row.rejected for row in rows)
    assert sum(step.proposed for step in steps) == sum(row.iteration > 0 for row in rows)
    scored = read_rescored(experiment.rescored)
    steered = [row.stimulus for row in read_stimuli(experiment.stimuli) if row.scorer]
    assert [(row.stimulus, row.held_out) for row in scored] == [(name, held_out) for name in steered for held_out in (False, True)]


def test_the_record_names_the_guard_and_the_held_out_scorer(study: tuple[Experiment, list[Course]]) -> None:
    parts = [(entry.part, entry.name) for entry in read_record(study[0].stimuli_record).stand_ins]
    assert ("drift guard", "sketch-likeness") in parts and ("held-out scorer", "exposure") in parts


def test_the_report_shows_what_was_flagged_and_why(study: tuple[Experiment, list[Course]]) -> None:
    experiment, _ = study
    html = build(experiment, title="Hacked").read_text(encoding="utf-8")
    section = html[html.index('id="checks"') : html.index('id="standins"')]
    assert "Was a scorer fooled?" in section and "1 of 2 steered images is flagged." in section
    for reason in found(experiment)[0].reasons:
        assert reason in section
    assert section.count("data:image/webp") == 2
    assert "what a scorer that never steered says of the same images" in html
    table = (experiment.report / "tables" / "suspicions.csv").read_text()
    assert "lighthouse,dark,hacked" in table and "exposure" in table
    assert (experiment.report / "tables" / "drift.csv").read_text().splitlines()[0] == "condition,candidates,rejected,share"


STIMULUS = Stimulus("s", "p", "b", "c", None, 1, "i", "0", "f", "g", 1, "up", 2.0, 1.0, 3)
STEERED = RescoredRow("s", "up", False, True, 0, 10, shown=2.0, initial=1.0, fresh=1.8, fresh_initial=1.1, seeds=4)
HELD = RescoredRow("s", "held", True, True, 0, 10, shown=5.0, initial=5.2, fresh=5.0, fresh_initial=5.2, seeds=4)


def tried(*rejected: bool) -> list[CandidateRow]:
    """Return candidates, the worst first."""
    return [CandidateRow("p", "c", None, 1, 1, f"w{n}", "i", float(n), 0.5, no, {}) for n, no in enumerate(rejected)]


@pytest.mark.parametrize(
    ("rows", "candidates", "reasons"),
    [
        ([STEERED, HELD], tried(True, False, False, False), []),
        ([replace(STEERED, fresh=1.1)], [], ["on 4 fresh seeds it goes from 1.10 to 1.10: the gain was one image's luck"]),
        ([STEERED, replace(HELD, fresh=4.1)], [], ["held, which steered nothing, got worse on 4 fresh seeds, from 5.20 to 4.10"]),
        ([STEERED, replace(HELD, fresh=None, shown=4.1)], [], ["held, which steered nothing, got worse, from 5.20 to 4.10"]),
        ([STEERED, replace(HELD, higher_is_better=False, fresh=4.1)], [], []),
        ([STEERED, replace(HELD, higher_is_better=False, fresh=6.3)], [], ["got worse on 4 fresh seeds, from 5.20 to 6.30"]),
        ([replace(STEERED, shown=1.0, fresh=0.5), replace(HELD, fresh=1.0)], [], []),
        ([STEERED], tried(False, False, True, True), ["rejected 2 of the 3 candidates that up liked best (2 of 4 in all)"]),
        ([replace(STEERED, higher_is_better=False, shown=0.5, fresh=0.6)], tried(False, False, True, True), []),
        ([STEERED], tried(True, True), []),
    ],
)
def test_what_is_flagged(rows: list[RescoredRow], candidates: list[CandidateRow], reasons: list[str]) -> None:
    flagged = suspicions([STIMULUS], rows, candidates)
    told = [reason for one in flagged for reason in one.reasons]
    assert len(told) == len(reasons)
    assert all(part in reason for part, reason in zip(reasons, told, strict=True))


def test_an_image_that_was_not_steered_is_never_flagged() -> None:
    assert suspicions([replace(STIMULUS, scorer=None)], [], []) == []


def test_hand_over_tables_read_as_written(study: tuple[Experiment, list[Course]], tmp_path: Path) -> None:
    from stimuli.steering_record import RunEmbedding, read_embeddings, write_candidates, write_embeddings, write_rescored

    experiment, _ = study
    for name, read, write in (("c", read_candidates, write_candidates), ("r", read_rescored, write_rescored)):
        rows = read({"c": experiment.candidates, "r": experiment.rescored}[name])
        write(tmp_path / name, rows)
        assert read(tmp_path / name) == rows
    write_embeddings(tmp_path / "e", [RunEmbedding("s", None, [1.0, 2.0]), RunEmbedding("t", [0.5], [3.0, 4.0])])
    assert read_embeddings(tmp_path / "e") == [RunEmbedding("s", None, [1.0, 2.0]), RunEmbedding("t", [0.5], [3.0, 4.0])]
