"""Power is what the analysis would find: it reproduces known figures, and grows with what should make it grow."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from analysis.config import Claim
from analysis.csv_votes import Columns, read_csv
from analysis.pilot import heterogeneity_of, scaled
from analysis.planning import people_needed
from analysis.power import PUBLISHED, Plan, Power, parse_claim, power, true_elo
from analysis.simulated_studies import HIGH, LOW, MODERATE, NONE, Heterogeneity, calibrated, design, simulate
from stimuli.experiment import ExperimentError

REFERENCE = Path(__file__).parents[2] / "shared" / "reference"


def powered(
    plan: Plan, *, gap: float = 27.0, of: Heterogeneity = MODERATE, claim: str = "own > others", studies: int = 300, seed: int = 1
) -> Power:
    return power(plan, claim=parse_claim(claim), gap_elo=gap, heterogeneity=of, rng=np.random.default_rng(seed), studies=studies)


@pytest.mark.parametrize(("people", "per_person", "published"), [(6, 468, 0.17), (20, 184, 0.39), (30, 468, 0.80), (60, 184, 0.91)])
def test_the_four_known_figures_are_reproduced(people: int, per_person: int, published: float) -> None:
    found = powered(Plan(people, 18, per_person), studies=3000)
    assert found.power == pytest.approx(published, abs=0.05)
    assert found.monte_carlo_error < 0.01


def test_without_a_difference_power_is_the_error_rate() -> None:
    found = powered(Plan(12, 18, 120), gap=0.0, studies=2000)
    assert found.power == pytest.approx(0.025, abs=0.015)
    assert found.type_m is None
    assert found.type_s is not None and found.type_s == pytest.approx(0.5, abs=0.12)


def test_power_grows_with_people_prompts_votes_and_gap_and_falls_with_heterogeneity() -> None:
    base = powered(Plan(20, 18, 120))
    more = {
        "people": powered(Plan(45, 18, 120)),
        "prompts": powered(Plan(20, 40, 240)),
        "votes": powered(Plan(20, 18, 400)),
        "gap": powered(Plan(20, 18, 120), gap=45.0),
    }
    assert all(found.power > base.power + 0.1 for found in more.values()), more
    levels = [powered(Plan(20, 18, 468), of=of).power for of in (LOW, MODERATE, HIGH)]
    assert levels[0] > levels[1] + 0.1 > levels[2] + 0.2


def test_asking_only_what_the_claim_needs_gives_more_power() -> None:
    assert powered(Plan(20, 18, 120, pairs="claims")).power > powered(Plan(20, 18, 120)).power + 0.1


def test_an_order_is_harder_than_its_first_step() -> None:
    order, step = powered(Plan(20, 18, 184), claim="own > others > initial"), powered(Plan(20, 18, 184))
    assert order.power < step.power - 0.2
    # The second step depends on prompts as the first does not, so it decides what the order can detect.
    assert order.minimum_detectable is not None and step.minimum_detectable is not None
    assert order.minimum_detectable > 1.3 * step.minimum_detectable


def test_a_difference_as_large_as_the_minimum_detectable_is_found_in_four_fifths_of_studies() -> None:
    first = powered(Plan(40, 18, 184))
    assert first.minimum_detectable is not None
    assert powered(Plan(40, 18, 184), gap=first.minimum_detectable, studies=800).power == pytest.approx(0.8, abs=0.08)


def test_a_weak_study_that_finds_something_exaggerates_it() -> None:
    weak, strong = powered(Plan(6, 18, 60), gap=10, studies=1500), powered(Plan(60, 18, 300), gap=60)
    assert weak.type_m is not None and weak.type_m > 3
    assert weak.type_s is not None and weak.type_s > 0.02
    assert strong.type_m == pytest.approx(1.0, abs=0.06)
    assert strong.type_s == 0.0


def test_the_monte_carlo_error_is_the_spread_of_repeated_calculations() -> None:
    found = [powered(Plan(10, 10, 60), of=NONE, gap=60, studies=200, seed=seed) for seed in range(40)]
    assert np.std([one.power for one in found]) == pytest.approx(np.mean([one.monte_carlo_error for one in found]), rel=0.35)


def test_the_same_seed_gives_the_same_power() -> None:
    assert powered(Plan(8, 6, 40), studies=60) == powered(Plan(8, 6, 40), studies=60)
    assert powered(Plan(8, 6, 40), studies=60, seed=2).minimum_detectable != powered(Plan(8, 6, 40), studies=60).minimum_detectable


def test_the_claim_stands_among_the_published_scores() -> None:
    truth = true_elo(tuple(PUBLISHED), ("own", "others"), 27)
    assert truth == PUBLISHED
    assert true_elo(("a", "b", "c", "d"), ("c", "b", "a"), 10) == {"a": 990.0, "b": 1000.0, "c": 1010.0, "d": 1000.0}


@pytest.mark.parametrize("text", ["own", "own >", "own > own", "> b"])
def test_a_claim_that_is_no_order_is_refused(text: str) -> None:
    with pytest.raises(ExperimentError, match='is not understood; expected different names joined by ">", such as "own > others"'):
        parse_claim(text)


def test_plans_that_no_analysis_would_test_are_refused() -> None:
    with pytest.raises(
        ExperimentError, match=r'4 people: with fewer than 5, no claim is testable at scope "participants\+prompts"; plan more people'
    ):
        powered(Plan(4, 18, 60))
    with pytest.raises(ExperimentError, match="3 prompts: with fewer than 5"):
        powered(Plan(20, 3, 60))
    with pytest.raises(ExperimentError, match='the claim names "best"; expected one of: own, others'):
        powered(Plan(20, 18, 60), claim="best > others")


def test_the_people_needed_are_enough_and_one_step_fewer_are_not() -> None:
    claim, plan = Claim("C1", "greater", a="own", b="others"), Plan(0, 18, 184)
    needed = people_needed(
        claim, plan, gap_elo=27, conditions=tuple(PUBLISHED), heterogeneity=MODERATE, rng=np.random.default_rng(3), studies=400
    )
    assert needed.enough and needed.at is not None
    # .39 at 20 people and .91 at 60.
    assert needed.at.plan.people in (40, 50)
    assert needed.at.power >= 0.8


def test_where_prompts_are_the_limit_no_number_of_people_is_given() -> None:
    claim = Claim("C1", "greater", a="a", b="b")
    needed = people_needed(
        claim, Plan(0, 5, 20), gap_elo=14, conditions=("a", "b"), heterogeneity=HIGH, rng=np.random.default_rng(3), studies=60
    )
    assert not needed.enough
    assert needed.at is not None and needed.at.plan.people == 200 and needed.at.power < 0.3


def test_a_claim_that_is_not_simulated_says_so() -> None:
    needed = people_needed(
        Claim("C3", "personal_match"), Plan(0, 18), gap_elo=27, conditions=("a",), heterogeneity=LOW, rng=np.random.default_rng(1)
    )
    assert (needed.at, needed.reason) == (None, 'no power is simulated for claims of type "personal_match"')


def pilot_file(folder: Path, of: Heterogeneity, *, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    drawn = design(("own", "others", "initial"), participants=16, prompts=16, per_person=300, rng=rng)
    study = simulate(drawn, calibrated(drawn, {"own": 30, "others": 0, "initial": -30}, of), of, rng, studies=1).of_study(0)
    rows = ["participant,prompt,left_condition,right_condition,choice"]
    for cell in range(len(study.left)):
        row = f"p{study.participant[cell]},q{study.prompt[cell]},{study.items[study.left[cell]]},{study.items[study.right[cell]]}"
        rows += [f"{row},left"] * int(study.left_wins[cell]) + [f"{row},right"] * int(study.right_wins[cell])
    path = folder / "pilot.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


COLUMNS = Columns("left_condition", "right_condition", "choice", "participant", "prompt")


@pytest.mark.parametrize(("people", "prompts"), [(2.0, 0.5), (1.0, 1.0), (0.5, 2.0)])
def test_pilots_tell_people_from_prompts(tmp_path: Path, people: float, prompts: float) -> None:
    found = []
    for seed in range(6):
        path = pilot_file(tmp_path, scaled(people, prompts), seed=seed)
        one = heterogeneity_of(read_csv(path, COLUMNS), rng=np.random.default_rng(1), studies=20)
        found.append((one.participant_condition / MODERATE.participant_condition, one.prompt_condition / MODERATE.prompt_condition))
    # A single pilot of 16 people is off by a step or two; the mean of six is not.
    assert np.mean(found, axis=0) == pytest.approx((people, prompts), abs=0.45)


def test_the_reference_study_serves_as_a_pilot() -> None:
    path = REFERENCE / "simulated_study.csv"
    if not path.exists():
        pytest.skip("the reference studies are not here")
    found = heterogeneity_of(read_csv(path, COLUMNS), rng=np.random.default_rng(1), studies=20)
    assert found.participant_condition > 0
    assert found.prompt_condition > 0


def test_a_pilot_that_cannot_tell_is_refused(tmp_path: Path) -> None:
    path = pilot_file(tmp_path, MODERATE, seed=1)
    pilot = read_csv(path, COLUMNS)
    with pytest.raises(ExperimentError, match="columns for participant and prompt are needed"):
        heterogeneity_of(dataclasses.replace(pilot, participant=None), rng=np.random.default_rng(1))
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith(("participant,", "p1,", "p2,"))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(
        ExperimentError, match=r"the pilot has 2 participants and 16 prompts; at least 3 of each .* Use --heterogeneity low"
    ):
        heterogeneity_of(read_csv(path, COLUMNS), rng=np.random.default_rng(1))


def test_a_claim_that_is_false_is_not_supported_by_a_significant_difference() -> None:
    found = powered(Plan(40, 18, 184), gap=-60.0)
    assert found.power == 0.0
    assert found.type_s == 0.0
    assert found.type_m == pytest.approx(1.0, abs=0.1)
