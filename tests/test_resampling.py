"""Intervals cover as often as they say, for what they claim to cover, and every score and difference shares its resamples."""

import numpy as np
import pytest
from scipy import stats

from analysis.bradley_terry import Array, elo
from analysis.comparisons import Cells
from analysis.preference import Model, Wins, group_wins
from analysis.resampling import Kind, ScoredVotes, TooFewVotesError, _poisson, bootstrap, percentile_interval

TRUTH = np.array([0.5, 0.2, 0.0, -0.3])
ITEMS = ("own", "others", "initial", "hpsv3")


def of_matrix(wins: list[list[int]], ties: list[list[int]] | None = None) -> Cells:
    """Return the votes of one participant about one prompt, given as counts by pair."""
    won = np.array(wins)
    tied = np.triu(np.array(ties if ties else np.zeros_like(won)))
    left, right = np.triu_indices(len(won), 1)
    none = np.zeros(len(left), dtype=np.int64)
    return Cells(ITEMS[: len(won)], 1, 1, none, none, left, right, won[left, right], won[right, left], tied[left, right])


def independent_votes(rng: np.random.Generator, *, per_pair: int) -> Cells:
    """Return a study in which every vote is drawn on its own from the true strengths."""
    wins = np.zeros((len(TRUTH), len(TRUTH)), dtype=np.int64)
    for a in range(len(TRUTH)):
        for b in range(a + 1, len(TRUTH)):
            wins[a, b] = rng.binomial(per_pair, 1 / (1 + np.exp(TRUTH[b] - TRUTH[a])))
            wins[b, a] = per_pair - wins[a, b]
    return of_matrix(wins.tolist())


def bootstrapped(cells: Cells, *, resamples: int, rng: np.random.Generator, kind: Kind = "votes") -> ScoredVotes:
    model = Model(davidson=bool(cells.ties.any()))
    at = model.fit(group_wins(cells, by="all"), start=np.zeros(len(cells.items))).strengths[0]
    return bootstrap(cells, model=model, observed=at, kind=kind, resamples=resamples, rng=rng)


def scored(seed: int, *, resamples: int = 300, cells: Cells | None = None) -> ScoredVotes:
    cells = cells or independent_votes(np.random.default_rng(1), per_pair=60)
    return bootstrapped(cells, resamples=resamples, rng=np.random.default_rng(seed))


def test_95_percent_intervals_cover_the_truth_of_independent_votes() -> None:
    rng = np.random.default_rng(20260101)
    true_elo: Array = elo(TRUTH)
    covered = []
    for _ in range(200):
        votes = bootstrapped(independent_votes(rng, per_pair=60), resamples=300, rng=rng)
        intervals = [percentile_interval(votes.score_draws(item), alpha=0.05) for item in ITEMS]
        inside = [interval.low <= truth <= interval.high for interval, truth in zip(intervals, true_elo, strict=True)]
        step = percentile_interval(votes.difference_draws("own", "others"), alpha=0.05)
        covered.append([*inside, step.low <= true_elo[0] - true_elo[1] <= step.high])
    assert np.all((np.mean(covered, axis=0) > 0.90) & (np.mean(covered, axis=0) < 0.98))


def test_the_spread_of_resamples_is_the_standard_error_of_the_model() -> None:
    votes = scored(5, resamples=2000, cells=of_matrix([[0, 300], [200, 0]]))
    expected = 400 / np.log(10) * np.sqrt(1 / 300 + 1 / 200)
    assert np.std(votes.difference_draws("own", "others")) == pytest.approx(expected, rel=0.06)


def test_ties_are_drawn_again_as_ties() -> None:
    halved = Model()
    decided, half_tied = of_matrix([[0, 50], [50, 0]]), of_matrix([[0, 25], [25, 0]], [[0, 50], [50, 0]])
    draws = [
        bootstrap(cells, model=halved, observed=np.zeros(2), kind="votes", resamples=4000, rng=np.random.default_rng(3))
        for cells in (decided, half_tied)
    ]
    # With half of the votes ties of half a win each, the share of wins varies by a factor of the square root of 2 less.
    assert np.std(draws[0].resampled) / np.std(draws[1].resampled) == pytest.approx(np.sqrt(2), rel=0.06)


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


def test_an_anchor_moves_scores_and_intervals_and_no_difference() -> None:
    votes, anchored = scored(2), scored(2).anchored("initial")
    assert anchored.elo[ITEMS.index("initial")] == pytest.approx(1000)
    interval = percentile_interval(anchored.score_draws("initial"), alpha=0.05)
    assert (interval.low, interval.high) == pytest.approx((1000, 1000))
    assert anchored.difference_draws("own", "others") == pytest.approx(votes.difference_draws("own", "others"))
    # Relative to the anchor a score varies as its difference from the anchor does, which is more than about the mean.
    assert np.std(anchored.score_draws("own")) == pytest.approx(np.std(votes.difference_draws("own", "initial")))
    assert np.std(anchored.score_draws("own")) > np.std(votes.score_draws("own"))


def people_of_two_minds(rng: np.random.Generator) -> Cells:
    """Return 16 participants of whom each always prefers the same one of two items, 10 votes each about each of 2 prompts."""
    participant, prompt = np.repeat(np.arange(16), 2), np.tile([0, 1], 16)
    none, wins = np.zeros(32, dtype=np.int64), np.where(rng.permutation(16) < 9, 10, 0)[participant]
    return Cells(ITEMS[:2], 16, 2, participant, prompt, none, none + 1, wins, 10 - wins, none)


def test_drawing_people_shows_that_votes_of_one_person_are_one_fact() -> None:
    cells = people_of_two_minds(np.random.default_rng(4))
    spreads = {
        kind: np.std(bootstrapped(cells, resamples=2000, rng=np.random.default_rng(1), kind=kind).difference_draws("own", "others"))
        for kind in ("votes", "participants", "participants+prompts")
    }
    # 20 votes by one mind carry the information of one: the standard deviation is larger by the square root of 20.
    assert spreads["participants"] / spreads["votes"] == pytest.approx(np.sqrt(20), rel=0.12)
    # Prompts say nothing here, so that drawing them as well adds nothing.
    assert spreads["participants+prompts"] == pytest.approx(spreads["participants"], rel=0.12)


def test_resamples_that_identify_no_scale_are_counted_and_left_out() -> None:
    votes = scored(4, resamples=1000, cells=of_matrix([[0, 20], [2, 0]]))
    assert votes.undecided + len(votes.resampled) == votes.drawn == 1000
    assert votes.undecided / 1000 == pytest.approx((20 / 22) ** 22, abs=0.04)
    assert np.all(np.isfinite(votes.resampled))


def test_an_interval_that_most_resamples_cannot_give_is_refused() -> None:
    with pytest.raises(TooFewVotesError, match="of 300 resamples of the votes do not put all conditions on one scale"):
        scored(4, cells=of_matrix([[0, 1, 0], [0, 0, 1], [1, 0, 0]]))


def test_large_studies_are_resampled_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = scored(6, resamples=250)
    monkeypatch.setattr("analysis.resampling._BLOCK", 16 * 100)
    blocks = scored(6, resamples=250)
    assert blocks.resampled == pytest.approx(whole.resampled, abs=1e-4)


@pytest.mark.parametrize("mean", [1, 7, 40])
def test_draws_for_large_studies_follow_the_poisson_distribution(mean: int) -> None:
    drawn = _poisson(np.full(50, mean), 4000, np.random.default_rng(1)).ravel()
    values = np.arange(mean + 5 * int(mean**0.5) + 4)
    seen = np.array([np.sum(drawn == value) for value in values])
    expected = stats.poisson.pmf(values, mean) * len(drawn)
    enough = expected > 5
    assert stats.chi2.sf(((seen - expected)[enough] ** 2 / expected[enough]).sum(), enough.sum() - 1) > 1e-4


def test_large_studies_vary_like_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    small = scored(6, resamples=3000)
    monkeypatch.setattr("analysis.resampling._MANY", 0)
    large = scored(6, resamples=3000)
    assert large.resampled.std(axis=0) == pytest.approx(small.resampled.std(axis=0), rel=0.06)


def test_an_interval_holds_its_share_of_the_draws() -> None:
    interval = percentile_interval(np.arange(1001.0), alpha=0.1)
    assert (interval.low, interval.high) == (50, 950)


def test_weighted_sums_of_groups_are_votes_counted_several_times() -> None:
    cells = people_of_two_minds(np.random.default_rng(4))
    groups: Wins = group_wins(cells, by="participant")
    weights = np.zeros((1, 16))
    weights[0, 3] = 2
    assert groups.weighted(weights).decided[0] == pytest.approx(2 * groups.decided[3])
