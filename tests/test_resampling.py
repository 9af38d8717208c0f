"""Intervals cover as often as they say, for what they claim to cover, and every score and difference shares its resamples."""

import numpy as np
import pytest

from analysis.bradley_terry import Array, elo
from analysis.comparisons import Tally
from analysis.resampling import ScoredVotes, TooFewVotesError, bootstrap_votes, percentile_interval

TRUTH = np.array([0.5, 0.2, 0.0, -0.3])
ITEMS = ("own", "others", "initial", "hpsv3")


def independent_votes(rng: np.random.Generator, *, per_pair: int) -> Tally:
    """Return a study in which every vote is drawn on its own from the true strengths."""
    wins = np.zeros((len(TRUTH), len(TRUTH)), dtype=np.int64)
    for a in range(len(TRUTH)):
        for b in range(a + 1, len(TRUTH)):
            wins[a, b] = rng.binomial(per_pair, 1 / (1 + np.exp(TRUTH[b] - TRUTH[a])))
            wins[b, a] = per_pair - wins[a, b]
    return Tally(wins, np.zeros_like(wins))


def scored(seed: int, *, resamples: int = 300, tally: Tally | None = None) -> ScoredVotes:
    tally = tally or independent_votes(np.random.default_rng(1), per_pair=60)
    return bootstrap_votes(tally, ITEMS[: len(tally.wins)], resamples=resamples, rng=np.random.default_rng(seed))


def test_95_percent_intervals_cover_the_truth_of_independent_votes() -> None:
    rng = np.random.default_rng(20260101)
    true_elo: Array = elo(TRUTH)
    covered = []
    for _ in range(200):
        votes = bootstrap_votes(independent_votes(rng, per_pair=60), ITEMS, resamples=300, rng=rng)
        intervals = [percentile_interval(votes.score_draws(item), alpha=0.05) for item in ITEMS]
        inside = [interval.low <= truth <= interval.high for interval, truth in zip(intervals, true_elo, strict=True)]
        step = percentile_interval(votes.difference_draws("own", "others"), alpha=0.05)
        covered.append([*inside, step.low <= true_elo[0] - true_elo[1] <= step.high])
    assert np.all((np.mean(covered, axis=0) > 0.90) & (np.mean(covered, axis=0) < 0.98))


def test_the_spread_of_resamples_is_the_standard_error_of_the_model() -> None:
    votes = scored(5, resamples=2000, tally=Tally(np.array([[0, 300], [200, 0]]), np.zeros((2, 2), dtype=np.int64)))
    expected = 400 / np.log(10) * np.sqrt(1 / 300 + 1 / 200)
    assert np.std(votes.difference_draws("own", "others")) == pytest.approx(expected, rel=0.06)


def test_ties_are_drawn_again_as_ties() -> None:
    decided = Tally(np.array([[0, 50], [50, 0]]), np.zeros((2, 2), dtype=np.int64))
    half_tied = Tally(np.array([[0, 25], [25, 0]]), np.array([[0, 50], [50, 0]]))
    # With half of the votes ties of half a win each, the share of wins varies by a factor of the square root of 2 less.
    ratio = np.std(scored(3, resamples=4000, tally=decided).resampled) / np.std(scored(3, resamples=4000, tally=half_tied).resampled)
    assert ratio == pytest.approx(np.sqrt(2), rel=0.06)


def test_the_same_seed_gives_the_same_resamples_and_another_seed_others() -> None:
    assert np.array_equal(scored(7).resampled, scored(7).resampled)
    assert not np.array_equal(scored(7).resampled, scored(8).resampled)


def test_differences_use_the_resamples_of_the_scores() -> None:
    votes = scored(2)
    assert np.array_equal(votes.difference_draws("own", "initial"), votes.score_draws("own") - votes.score_draws("initial"))
    assert votes.resampled.mean(axis=1) == pytest.approx(1000)
    # Drawn apart, the two scores would be independent, and their difference would vary as the sum of their variances.
    apart = np.var(votes.score_draws("own")) + np.var(votes.score_draws("initial"))
    assert np.var(votes.difference_draws("own", "initial")) > 1.1 * apart


def test_resamples_that_identify_no_scale_are_counted_and_left_out() -> None:
    votes = scored(4, resamples=1000, tally=Tally(np.array([[0, 20], [2, 0]]), np.zeros((2, 2), dtype=np.int64)))
    assert votes.undecided + len(votes.resampled) == votes.drawn == 1000
    assert votes.undecided / 1000 == pytest.approx((20 / 22) ** 22, abs=0.04)
    assert np.all(np.isfinite(votes.resampled))


def test_an_interval_that_most_resamples_cannot_give_is_refused() -> None:
    chain = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    with pytest.raises(TooFewVotesError, match="of 300 resamples of the votes do not put all conditions on one scale"):
        scored(4, tally=Tally(chain, np.zeros_like(chain)))


def test_large_studies_are_resampled_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = scored(6, resamples=250)
    monkeypatch.setattr("analysis.resampling._BLOCK", 16 * 100)
    blocks = scored(6, resamples=250)
    assert blocks.resampled == pytest.approx(whole.resampled, abs=1e-6)


def test_an_interval_holds_its_share_of_the_draws() -> None:
    interval = percentile_interval(np.arange(1001.0), alpha=0.1)
    assert (interval.low, interval.high) == (50, 950)
