"""From votes to results.json: published scores, what a result tells about itself, and what is refused."""

import dataclasses
import json
import math
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from analysis.bradley_terry import NotIdentifiedError
from analysis.comparisons import Comparisons, tabulate, without
from analysis.config import AnalysisTable, Claim
from analysis.csv_votes import Columns, read_csv
from analysis.fit import fit, fit_csv, fit_experiment
from analysis.results import Results, read_results
from stimuli.experiment import Experiment, ExperimentError
from stimuli.studyfile import ExperimentTable
from study.votes import Choice, Vote, write_votes

REFERENCE = Path(__file__).parents[2] / "shared" / "reference"


@dataclass(frozen=True)
class Settings:
    """The part of study.toml that the analysis reads."""

    experiment: ExperimentTable = field(default_factory=lambda: ExperimentTable("A test", seed=3))
    analysis: AnalysisTable = field(default_factory=lambda: AnalysisTable(resamples=200))
    claim: tuple[Claim, ...] = (Claim("C1", "greater", a="own", b="initial"), Claim("C2", "greater", a="own", b="others"))


def reference(name: str) -> Path:
    path = REFERENCE / name
    if not path.is_file():
        pytest.skip(f"the reference data {name} is not in this checkout")
    return path


def results_of(comparisons: Comparisons, *, claims: tuple[Claim, ...] = (), resamples: int = 200, seed: int = 1) -> Results:
    return fit(comparisons, claims=claims, alpha=0.05, resamples=resamples, rng=np.random.default_rng(seed), provenance={})


def votes(count: int = 200) -> list[Vote]:
    """Return votes of four participants in which own is mostly preferred; every tenth is a tie."""
    rng = np.random.default_rng(9)
    made = []
    for number in range(count):
        choice: Choice = "tie" if number % 10 == 0 else "left" if rng.random() < 0.7 else "right"
        made.append(
            Vote(
                trial=f"t{number}",
                participant=f"p{number % 4}",
                target_user=f"u{number % 4}",
                position=number,
                prompt=f"q{number % 3}",
                left_stimulus="s1",
                right_stimulus="s2",
                left_condition="personal",
                right_condition="initial",
                left_target=f"u{number % 4}",
                right_target=None,
                choice=choice,
                response_ms=800.0,
                answered_at="2026-01-01T00:00:00+00:00",
                simulated=number % 4 == 0,
            )
        )
    return made


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    made = Experiment(tmp_path / "study")
    made.folder.mkdir()
    made.settings.write_text('[experiment]\ntitle = "A test"\n')
    write_votes(made.votes, votes())
    return made


def test_scores_of_seven_tone_mapping_operators(tmp_path: Path) -> None:
    """Real votes: 18 observers, 5 scenes (doi 10.1111/cgf.12235)."""
    results = fit_csv(
        reference("tone_mapping.csv"), Columns("item_a", "item_b", "winner", "participant", "scene"), out=tmp_path, resamples=100
    )
    assert {score.condition: score.elo for score in results.scores} == pytest.approx(
        {
            "ferwerda96": 979.526,
            "hateren06": 723.818,
            "irawan05": 1206.149,
            "mantiuk08": 1117.703,
            "pattanaik00": 890.954,
            "ronan12": 1008.041,
            "tmo_camera": 1073.810,
        },
        abs=0.01,
    )
    assert (results.counts.participants, results.counts.prompts, results.counts.votes) == (18, 5, 1213)
    assert results.counts.left_share == pytest.approx(640 / 1213)


SIMULATED = Columns("left_condition", "right_condition", "choice", "participant", "prompt")


def test_scores_of_a_simulated_study(tmp_path: Path) -> None:
    results = fit_csv(reference("simulated_study.csv"), SIMULATED, out=tmp_path, resamples=100)
    expected = {"own": 1063.766, "others": 1042.210, "initial": 1009.980, "hpsv3": 938.167, "qalign": 945.874}
    assert {score.condition: score.elo for score in results.scores} == pytest.approx(expected, abs=0.02)


def test_intervals_of_a_simulated_study_are_as_wide_as_the_models_standard_errors() -> None:
    results = results_of(read_csv(reference("simulated_study.csv"), SIMULATED), resamples=4000)
    width = {(c.a, c.b): c.high - c.low for c in results.contrasts}
    standard_errors = {
        ("own", "others"): 17.2351,
        ("others", "initial"): 17.5106,
        ("initial", "hpsv3"): 23.0133,
        ("own", "initial"): 22.3893,
    }
    assert {pair: width[pair] / (2 * 1.96) for pair in standard_errors} == pytest.approx(standard_errors, rel=0.05)


def test_initial_before_hpsv3_is_supported_for_these_people_and_prompts() -> None:
    claims = (Claim("C1", "greater", a="initial", b="hpsv3"), Claim("C2", "greater", a="own", b="others"))
    results = results_of(read_csv(reference("simulated_study.csv"), SIMULATED), claims=claims, resamples=1000)
    assert [claim.verdict for claim in results.claims] == ["SUPPORTED, EXPLORATORY", "INCONCLUSIVE, EXPLORATORY"]


def test_the_order_of_rows_and_sides_changes_no_score() -> None:
    rng = np.random.default_rng(4)
    left, right = (np.array(["a", "b", "c"])[codes] for codes in rng.integers(0, 3, (2, 300)))
    choices = np.array(["left", "right", "tie"])[rng.choice(3, 300, p=[0.5, 0.4, 0.1])].tolist()
    mirror = {"left": "right", "right": "left", "tie": "tie"}
    shuffled = rng.permutation(300)
    as_given = results_of(tabulate(left, right, choices, participants=None, prompts=None))
    otherwise = tabulate(right[shuffled], left[shuffled], [mirror[choices[place]] for place in shuffled], participants=None, prompts=None)
    assert [(s.condition, s.elo) for s in results_of(otherwise).scores] == [(s.condition, s.elo) for s in as_given.scores]
    assert results_of(otherwise).pairs == as_given.pairs


def test_an_experiments_votes_become_its_results(experiment: Experiment) -> None:
    results = fit_experiment(experiment, Settings())
    assert read_results(experiment.results) == results
    assert [score.condition for score in results.scores] == ["own", "initial"]
    assert (results.counts.votes, results.counts.ties, results.counts.participants, results.counts.prompts) == (200, 20, 4, 3)
    assert results.counts.simulated_participants == 1
    assert results.counts.left_share == results.pairs[0].wins_a / 180  # own stood on the left in every vote
    assert [claim.verdict for claim in results.claims] == ["SUPPORTED, EXPLORATORY", "NOT TESTABLE, EXPLORATORY"]
    assert set(results.provenance["inputs"]) == {"votes.parquet"}
    assert results.provenance["seed"] == 3


def test_two_conditions_differ_by_the_log_odds_of_their_votes_with_ties_halved(experiment: Experiment) -> None:
    (contrast,) = fit_experiment(experiment, Settings()).contrasts
    (pair,) = fit_experiment(experiment, Settings()).pairs
    assert pair.wins_a + pair.wins_b + pair.ties == 200
    assert contrast.difference_elo == pytest.approx(400 * math.log10((pair.wins_a + 10) / (pair.wins_b + 10)))
    assert contrast.scope == "these"


def test_the_same_votes_give_the_same_results_times_aside(experiment: Experiment) -> None:
    def content() -> dict[str, object]:
        fit_experiment(experiment, Settings())
        found: dict[str, object] = json.loads(experiment.results.read_text())
        found["provenance"] = {**dict(found["provenance"]), "made_at": None}  # type: ignore[call-overload]
        return found

    assert content() == content()


def test_another_seed_moves_intervals_and_no_score(experiment: Experiment) -> None:
    one = fit_experiment(experiment, Settings())
    other = fit_experiment(experiment, dataclasses.replace(Settings(), experiment=ExperimentTable("A test", seed=4)))
    assert [score.elo for score in one.scores] == [score.elo for score in other.scores]
    assert [score.low for score in one.scores] != [score.low for score in other.scores]


def test_scores_and_differences_stand_highest_first_and_agree() -> None:
    rng = np.random.default_rng(2)
    left, right = (np.array(["a", "b", "c", "d"])[codes] for codes in rng.integers(0, 4, (2, 400)))
    choices = ["left" if first else "right" for first in rng.integers(0, 2, 400)]
    results = results_of(tabulate(left, right, choices, participants=None, prompts=None))
    elo = {score.condition: score.elo for score in results.scores}
    assert all(one.elo >= other.elo for one, other in pairwise(results.scores))
    assert len(results.contrasts) == 6
    assert all(c.difference_elo == pytest.approx(elo[c.a] - elo[c.b]) and c.low < c.difference_elo < c.high for c in results.contrasts)
    assert np.mean(list(elo.values())) == pytest.approx(1000)
    assert sum(score.votes for score in results.scores) == 2 * results.counts.votes


def test_the_interval_says_what_it_is_and_how_many_resamples_it_lost() -> None:
    rare = tabulate(["a"] * 22, ["b"] * 22, ["left"] * 20 + ["right"] * 2, participants=None, prompts=None)
    results = results_of(rare, resamples=500)
    lost = results.counts.undecided_resamples
    assert 0 < lost < 250
    assert results.interval == (
        f"95 % percentile interval from 500 bootstrap resamples ({lost} of them, which did not identify every score, not counted) "
        "of single votes, each taken for an independent fact"
    )
    assert results.counts.participants is results.counts.prompts is None


def test_what_was_left_out_is_told(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("l,r,c\n" + "a,b,left\na,b,right\n" * 20 + "a,z,left\n")
    with pytest.raises(NotIdentifiedError, match=r"Winless: z, .* or leave a condition out \(--without NAME\)"):
        fit_csv(path, Columns("l", "r", "c"), out=tmp_path, resamples=100)
    assert not (tmp_path / "results.json").exists()
    results = fit_csv(path, Columns("l", "r", "c"), out=tmp_path, resamples=100, leave_out=["z"])
    assert results.counts.left_out == ("z",)
    assert read_results(tmp_path / "results.json") == results


def test_votes_that_say_nothing_are_refused() -> None:
    ties = tabulate(["a", "b"], ["b", "a"], ["tie", "tie"], participants=None, prompts=None)
    with pytest.raises(ExperimentError, match="all 2 votes are ties, so nothing says which condition is preferred"):
        results_of(ties)
    with pytest.raises(ExperimentError, match="there are no votes between two conditions, so there is nothing to score; collect"):
        results_of(without(ties, ["a"]))
    alike = tabulate(["a", "a"], ["a", "a"], ["left", "right"], participants=None, prompts=None)
    with pytest.raises(ExperimentError, match="nothing to score; 2 votes compare two images of one condition"):
        results_of(alike)


def test_an_experiment_without_votes_names_the_command_that_makes_them(experiment: Experiment) -> None:
    experiment.votes.unlink()
    with pytest.raises(ExperimentError, match=r"votes\.parquet: no such file; `tastebench study export .*study` makes it"):
        fit_experiment(experiment, Settings())


def test_a_csv_never_overwrites_the_results_of_an_experiment(experiment: Experiment, tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("l,r,c\na,b,left\na,b,right\n")
    with pytest.raises(ExperimentError, match=r"study: is an experiment, whose results\.json comes from its own votes"):
        fit_csv(path, Columns("l", "r", "c"), out=experiment.folder)
