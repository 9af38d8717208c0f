"""Secondary models recover what they should, on their own scale."""

import numpy as np
import pytest

from analysis.comparisons import Cells
from analysis.secondary import gee, rater_weights

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
