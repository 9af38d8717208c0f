"""Secondary models recover what they should, on their own scale."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.bradley_terry import elo
from analysis.comparisons import Cells
from analysis.preference import Model, group_wins
from analysis.secondary import QUALITY_CAVEAT, gee, rater_weights, weighted_scores

TRUTH = np.array([0.6, 0.0, -0.6])


def study(rng: np.random.Generator, *, reliable: list[float], each: int = 40) -> Cells:
    pairs = [(a, b) for a in range(3) for b in range(3) if a != b]
    people = len(reliable)
    participant = np.repeat(np.arange(people), len(pairs))
    left, right = (np.tile([pair[place] for pair in pairs], people) for place in (0, 1))
    share = np.array(reliable)[participant]
    wins = rng.binomial(each, share / (1 + np.exp(TRUTH[right] - TRUTH[left])) + (1 - share) / 2)
    none = np.zeros_like(wins)
    return Cells(("a", "b", "c"), people, 1, participant, none, left, right, wins, each - wins, none)


def test_the_gee_of_people_who_do_not_differ_is_the_logistic_truth() -> None:
    found = gee(study(np.random.default_rng(1), reliable=[1.0] * 40))
    assert found is not None
    for one, truth in zip(found.conditions, TRUTH, strict=True):
        assert one.log_odds == pytest.approx(truth, abs=4 * one.standard_error)
    assert found.left == pytest.approx(0, abs=4 * found.left_standard_error)
    assert sum(one.log_odds for one in found.conditions) == pytest.approx(0, abs=1e-9)
    assert "Not Elo" in found.caveat


def test_one_participant_has_no_gee() -> None:
    assert gee(study(np.random.default_rng(1), reliable=[1.0])) is None


def test_who_answers_at_random_gets_a_low_weight() -> None:
    cells = study(np.random.default_rng(1), reliable=[1.0, 1.0, 1.0, 0.0])
    weights = rater_weights(cells, TRUTH)
    assert weights[:3].min() > 0.7 > 0.4 > weights[3]


def by_condition(cells: Cells, weights: np.ndarray, *, weighted: bool = True) -> list[float]:
    found = {one.condition: one for one in weighted_scores(cells, weights, start=np.zeros(3))}
    return [found[item].elo if weighted else found[item].unweighted_elo for item in cells.items]


def test_a_weight_counts_a_participants_votes_that_many_times() -> None:
    cells = study(np.random.default_rng(1), reliable=[1.0, 0.8, 0.3])
    cells = replace(cells, ties=cells.left_wins // 4)
    times = np.array([1, 2, 3])[cells.participant]
    repeated = replace(cells, left_wins=cells.left_wins * times, right_wins=cells.right_wins * times, ties=cells.ties * times)
    expected = elo(Model().fit(group_wins(repeated, by="all"), start=np.zeros(3)).strengths)[0]
    assert by_condition(cells, np.array([0.25, 0.5, 0.75])) == pytest.approx(expected.tolist(), abs=1e-6)
    alike = elo(Model().fit(group_wins(cells, by="all"), start=np.zeros(3)).strengths)[0]
    assert by_condition(cells, np.array([0.25, 0.5, 0.75]), weighted=False) == pytest.approx(alike.tolist(), abs=1e-6)


def test_equal_weights_change_no_score_and_scores_stand_highest_first() -> None:
    found = weighted_scores(study(np.random.default_rng(1), reliable=[1.0, 0.5]), np.full(2, 0.4), start=np.zeros(3))
    assert [one.elo for one in found] == pytest.approx([one.unweighted_elo for one in found], abs=1e-6)
    assert [one.condition for one in found] == ["a", "b", "c"]


def test_weighting_silences_a_minority_with_a_taste_of_its_own_and_says_so() -> None:
    cells = study(np.random.default_rng(1), reliable=[1.0] * 5, each=200)
    contrary = cells.participant == 4
    wins, losses = np.where(contrary, cells.right_wins, cells.left_wins), np.where(contrary, cells.left_wins, cells.right_wins)
    cells = replace(cells, left_wins=wins, right_wins=losses)
    at = Model().fit(group_wins(cells, by="all"), start=np.zeros(3)).strengths[0]
    weights = rater_weights(cells, at)
    assert weights[4] < weights[:4].min()
    assert by_condition(cells, weights)[0] > by_condition(cells, weights, weighted=False)[0] + 5
    assert "weighting by agreement with the fit favours the majority's taste" in QUALITY_CAVEAT
    assert "never supports a claim" in QUALITY_CAVEAT
