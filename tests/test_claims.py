"""A verdict follows from the interval of the difference, and says for whom it holds."""

import numpy as np
import pytest

from analysis.claims import judge
from analysis.config import Claim
from analysis.resampling import ScoredVotes
from analysis.results import ClaimResult

GREATER = Claim("C1", "greater", a="own", b="others")
ORDER = Claim("C2", "order", items=("own", "others", "initial"))


def votes(own: float, others: float, initial: float, *, spread: float = 10.0) -> ScoredVotes:
    """Return scores whose resamples are normal with this standard deviation each (14 Elo for a difference)."""
    scores = np.array([own, others, initial])
    draws = scores + np.random.default_rng(1).normal(0, spread, (4000, 3))
    return ScoredVotes(("own", "others", "initial"), scores, draws, 4000, 0)


def verdict(claim: Claim, scored: ScoredVotes, *, alpha: float = 0.05) -> ClaimResult:
    (result,) = judge([claim], scored, alpha=alpha)
    return result


@pytest.mark.parametrize(
    ("ahead", "expected"), [(40, "SUPPORTED"), (-40, "CONTRADICTED"), (10, "INCONCLUSIVE"), (-10, "INCONCLUSIVE"), (0, "INCONCLUSIVE")]
)
def test_the_interval_of_the_difference_decides(ahead: float, expected: str) -> None:
    assert verdict(GREATER, votes(1000 + ahead, 1000, 1000)).verdict == f"{expected}, EXPLORATORY"


def test_overlapping_intervals_of_two_scores_do_not_hinder_a_verdict() -> None:
    scored = votes(1035, 1000, 1000)
    assert np.quantile(scored.score_draws("own"), 0.025) < np.quantile(scored.score_draws("others"), 0.975)
    assert verdict(GREATER, scored).verdict == "SUPPORTED, EXPLORATORY"


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ((1080, 1040, 1000), "SUPPORTED"),
        ((1080, 1040, 1030), "INCONCLUSIVE"),
        ((1000, 1040, 1000), "CONTRADICTED"),
        ((1100, 1000, 1050), "CONTRADICTED"),
    ],
)
def test_an_order_needs_every_adjacent_step(scores: tuple[float, float, float], expected: str) -> None:
    assert verdict(ORDER, votes(*scores)).verdict == f"{expected}, EXPLORATORY"


def test_one_step_contradicts_an_order_only_with_alpha_shared_out_among_the_steps() -> None:
    # The 95 % interval of others minus initial lies below 0, the 97.5 % interval does not.
    scored = votes(1100, 1000, 1029.5)
    step = Claim("C3", "greater", a="others", b="initial")
    assert verdict(step, scored).verdict == "CONTRADICTED, EXPLORATORY"
    assert verdict(ORDER, scored).verdict == "INCONCLUSIVE, EXPLORATORY"


def test_a_smaller_alpha_asks_for_more() -> None:
    scored = votes(1035, 1000, 1000)
    assert verdict(GREATER, scored, alpha=0.05).verdict == "SUPPORTED, EXPLORATORY"
    assert verdict(GREATER, scored, alpha=0.005).verdict == "INCONCLUSIVE, EXPLORATORY"


def test_a_verdict_names_its_scope_its_evidence_and_its_stamp() -> None:
    result = verdict(GREATER, votes(1040, 1000, 1000))
    assert result.sentence.startswith(
        "For these participants and these prompts, not for new ones, the votes support the claim that own is preferred to others: "
        "own minus others is +40.0 Elo (95 % interval +1"
    )
    assert "so own is preferred in 55.7 % of comparisons" in result.sentence
    assert result.sentence.endswith("EXPLORATORY: nothing shows that the claim was written before the votes were seen.")
    assert result.reason == "the 95 % interval of the difference lies wholly above 0"


def test_an_open_question_is_not_called_evidence_of_no_difference() -> None:
    result = verdict(ORDER, votes(1040, 1000, 995))
    assert "(which is no evidence of no difference)" in result.sentence
    assert result.reason == "the 95 % interval of others minus initial does not lie wholly above 0, and the claim is not contradicted"


def test_a_condition_that_nobody_saw_makes_a_claim_untestable() -> None:
    result = verdict(Claim("C4", "greater", a="own", b="qalign"), votes(1040, 1000, 995))
    assert (result.verdict, result.reason) == ("NOT TESTABLE, EXPLORATORY", "no vote compares qalign with another condition")
    assert "the votes cannot test the claim that own is preferred to qalign" in result.sentence


def test_a_condition_that_was_left_out_makes_a_claim_untestable() -> None:
    (result,) = judge([Claim("C4", "greater", a="own", b="qalign")], votes(1, 2, 3), alpha=0.05, left_out=("qalign",))
    assert (result.verdict, result.reason) == ("NOT TESTABLE, EXPLORATORY", "left out of the analysis: qalign")
