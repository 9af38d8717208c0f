"""Sides, ranks and partial pooling: what they recover where the truth is known."""

import numpy as np
import pytest

from analysis.bradley_terry import ELO_PER_LOGIT
from analysis.comparisons import Cells
from analysis.pooling import pooled
from analysis.preference import Model, group_wins
from analysis.ranking import ahead, ranks
from analysis.resampling import ScoredVotes
from analysis.results import Balance
from analysis.sides import balance, refused_for_sides, side


def shown(rng: np.random.Generator, *, lean: float, people: int = 1, spread: float = 0.0, each: int = 3000) -> Cells:
    """Return votes on three items of log-strengths .4, 0, -.4 by people who lean left by `lean` and differ by `spread`."""
    pairs = [(a, b) for a in range(3) for b in range(3) if a != b]
    participant = np.repeat(np.arange(people), len(pairs))
    left, right = (np.tile([pair[place] for pair in pairs], people) for place in (0, 1))
    liking = np.array([0.4, 0.0, -0.4]) + rng.normal(0, spread, (people, 3))
    wins = rng.binomial(each, 1 / (1 + np.exp(liking[participant, right] - liking[participant, left] - lean)))
    none = np.zeros_like(wins)
    return Cells(("a", "b", "c"), people, 1, participant, none, left, right, wins, each - wins, none)


def test_what_the_left_side_is_worth_is_recovered() -> None:
    cells = shown(np.random.default_rng(1), lean=0.2)
    strengths = Model().fit(group_wins(cells, by="all"), start=np.zeros(3)).strengths[0]
    found = side(cells, strengths=strengths)
    assert not isinstance(found, str)
    assert found.advantage_elo == pytest.approx(0.2 * ELO_PER_LOGIT, abs=3 * found.standard_error)
    assert found.p_value < 1e-10
    assert found.largest_change_elo < 2  # sides are balanced, so that differences hardly move


def test_turning_all_sides_round_turns_the_side_round() -> None:
    cells = shown(np.random.default_rng(1), lean=0.2, each=50)
    turned = Cells(
        ("a", "b", "c"), 1, 1, *(cells.participant, cells.prompt), cells.right, cells.left, cells.right_wins, cells.left_wins, cells.ties
    )
    one, other = (side(cells, strengths=np.zeros(3)) for cells in (cells, turned))
    assert not isinstance(one, str) and not isinstance(other, str)
    assert one.advantage_elo == pytest.approx(-other.advantage_elo)


def test_balance_counts_who_stood_on_the_left() -> None:
    cells = shown(np.random.default_rng(1), lean=0.0, each=10)
    assert balance(cells, ("b", "a", "c"))[0] == Balance("b", "a", 10, 20)


def test_a_difference_shown_mostly_on_one_side_is_refused_unless_by_accident() -> None:
    uneven, even, few = Balance("own", "others", 70, 100), Balance("own", "initial", 58, 100), Balance("a", "b", 5, 7)
    (refused,) = refused_for_sides([uneven, even, few])
    assert (refused.a, refused.b) == ("own", "others")
    assert "own stood on the left of others in 70 of 100 comparisons, more than 60 to 40 on one side" in refused.reason


def test_ranks_tiers_and_who_is_ahead_come_from_the_same_draws() -> None:
    draws = np.array([1100.0, 1000.0, 995.0]) + np.random.default_rng(1).normal(0, 10, (5000, 3))
    votes = ScoredVotes(("a", "b", "c"), np.array([1100.0, 1000.0, 995.0]), draws, 5000, 0)
    found = ranks(votes, ("a", "b", "c"), alpha=0.05)
    assert [(one.rank, one.low, one.high, one.tier) for one in found] == [(1, 1, 1, 1), (2, 2, 3, 2), (3, 2, 3, 2)]
    chances = {(one.a, one.b): one.probability for one in ahead(votes, ("a", "b", "c"))}
    assert chances["a", "b"] == 1
    assert chances["b", "c"] == pytest.approx(np.mean(draws[:, 1] > draws[:, 2]))


def test_the_spread_between_people_is_recovered_and_few_votes_are_drawn_toward_everybodys() -> None:
    cells = shown(np.random.default_rng(3), lean=0.0, people=200, spread=0.5, each=15)
    fits = Model().fit(group_wins(cells, by="all"), start=np.zeros(3))
    people, between = pooled(cells, fits, by="participant", names=tuple(map(str, range(200))))
    # Scores have a fixed mean, so of three independent effects two thirds of the variance are left.
    assert [one.sd_elo for one in between] == pytest.approx([0.5 * (2 / 3) ** 0.5 * ELO_PER_LOGIT] * 3, rel=0.15)
    overall = 1000 + ELO_PER_LOGIT * fits.strengths[0]
    nearer = [abs(one.elo - overall[cells.items.index(one.condition)]) for one in people]
    raw = [abs((one.raw_elo or 0) - overall[cells.items.index(one.condition)]) for one in people]
    assert np.mean(nearer) < np.mean(raw)


def test_people_who_do_not_differ_have_next_to_no_spread_between_them() -> None:
    cells = shown(np.random.default_rng(4), lean=0.0, people=200, spread=0.0, each=15)
    fits = Model().fit(group_wins(cells, by="all"), start=np.zeros(3))
    _, between = pooled(cells, fits, by="participant", names=tuple(map(str, range(200))))
    assert max(one.sd_elo for one in between) < 0.12 * ELO_PER_LOGIT
