"""How well a predictor tells ratings it never saw: by people it knows, and by new people after a few ratings of theirs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from stimuli.predictors.interface import Array, Fitted, Judgements, Looks, People
from stimuli.predictors.protocol import FewShot, draws

# Fewer ratings have no order worth telling.
FEWEST = 5
# How many ratings of a new person are seen, and in how many random draws.
SHOTS, DRAWS = 15, 10
_RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A mean over users, and its 95 % interval over users drawn again."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class HeldOut:
    """Rank correlations (Spearman) with each user's own held-out ratings, unweighted means over users; None where there are none.

    `personal` is the predictor, `population` one prediction for everybody, `gain` their difference. Users with fewer than five
    ratings to tell, or with constant ones, are left out and counted in `users_left_out`. `context` is how many of a new person's
    ratings were seen first, in each of `draws` random draws; both are 0 for people of the training.
    """

    split: str
    personal: Estimate | None
    population: Estimate | None
    gain: Estimate | None
    users: int
    users_left_out: int
    ratings: int
    context: int = 0
    draws: int = 0


def of_known(fitted: Fitted, looks: Looks, people: People, judgements: Judgements, *, split: str) -> HeldOut:
    """Return how well the predictor tells these ratings by people it knows; others are not counted."""
    found, left_out, ratings = [], 0, 0
    for code in np.unique(judgements.user).tolist():
        user = people.users[code]
        if user not in fitted.users:
            continue
        rows = judgements.user == code
        ratings += int(rows.sum())
        given, seen = judgements.rating[rows], looks.at(judgements.image[rows])
        if len(given) < FEWEST or np.ptp(given) == 0:
            left_out += 1
            continue
        found.append([spearman(given, fitted.predict(seen, who).mean) for who in (user, None)])
    return _summary(split, found, left_out, ratings)


def of_new(fitted: Fitted, looks: Looks, people: People, judgements: Judgements, *, split: str, seed: int) -> HeldOut:
    """Return how well the predictor tells ratings by people it never saw, after fifteen ratings of theirs."""
    able, left_out = able_for(judgements, longest=SHOTS)
    by_draw: dict[int, list[list[float]]] = {}
    for draw in draws(judgements, able, longest=SHOTS, number=DRAWS, seed=seed):
        given = judgements.rating[draw.evaluated]
        if np.ptp(given) > 0:
            seen = looks.at(judgements.image[draw.evaluated])
            knowing = adapted(fitted, looks, people, judgements, draw, SHOTS)
            told = [knowing.predict(seen, new_name(people, draw)).mean, fitted.predict(seen, None).mean]
            by_draw.setdefault(draw.user, []).append([spearman(given, one) for one in told])
    found = [np.mean(each, axis=0).tolist() for each in by_draw.values()]
    ratings = int(np.isin(judgements.user, able).sum())
    return _summary(split, found, left_out + len(able) - len(found), ratings, context=SHOTS, draws=DRAWS)


def able_for(judgements: Judgements, *, longest: int) -> tuple[list[int], int]:
    """Return the users with enough ratings for a context of `longest` and five to tell, and how many others there are."""
    users, counts = np.unique(judgements.user, return_counts=True)
    able: list[int] = users[counts >= longest + FEWEST].tolist()
    return able, len(users) - len(able)


def adapted(fitted: Fitted, looks: Looks, people: People, judgements: Judgements, draw: FewShot, k: int) -> Fitted:
    """Return a predictor that knows the person of a draw by the first `k` ratings of it, and what they said of themselves."""
    rows = draw.context(k)
    said = None if people.demographics is None else people.demographics[draw.user]
    return fitted.adapt(new_name(people, draw), looks.at(judgements.image[rows]), judgements.rating[rows], demographics=said)


def new_name(people: People, draw: FewShot) -> str:
    """Return the name of the person of a draw."""
    return people.users[draw.user]


def spearman(given: Array, predicted: Array) -> float:
    """Return the rank correlation; a constant prediction orders nothing, which is a correlation of zero."""
    return float(stats.spearmanr(given, predicted).statistic) if np.ptp(predicted) > 0 else 0.0


def _summary(split: str, found: Sequence[Sequence[float]], left_out: int, ratings: int, *, context: int = 0, draws: int = 0) -> HeldOut:
    if not found:
        return HeldOut(split, None, None, None, 0, left_out, ratings, context, draws)
    personal, population = np.array(found).T
    rng = np.random.default_rng(0)
    weights = rng.multinomial(len(found), np.full(len(found), 1 / len(found)), size=_RESAMPLES) / len(found)
    return HeldOut(
        split,
        personal=_estimate(personal, weights),
        population=_estimate(population, weights),
        gain=_estimate(personal - population, weights),
        users=len(found),
        users_left_out=left_out,
        ratings=ratings,
        context=context,
        draws=draws,
    )


def _estimate(values: Array, weights: Array) -> Estimate:
    low, high = np.quantile(weights @ values, [0.025, 0.975])
    return Estimate(float(values.mean()), float(low), float(high))
