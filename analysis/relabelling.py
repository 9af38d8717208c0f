"""The permutation test behind the agreement of runs: how alike runs are within users, against runs whose user labels are exchanged."""

from dataclasses import dataclass
from itertools import combinations, permutations, product
from math import factorial

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

MOST_LISTED = 40_320
SAMPLED = 20_000
# Enough to draw a distribution, few enough to keep.
_QUANTILES = 41


@dataclass(frozen=True)
class Relabelled:
    """Mean similarity `within` users minus `between` them at the same base prompt, and how often relabelled runs reach it.

    `auc` is the chance that a pair within is more alike than one between (one half by chance), `top1` how often the most similar
    of the users' other runs is the same user's (`chance` = 1/users). Labels of all runs but the first are exchanged: jointly over
    prompts, or independently for each; `smallest_joint` and `smallest_independent` are the smallest p that either can give, and
    `upper_quantile` the 1 - alpha quantile of the difference under joint relabelling, and `relabelled` its quantiles at even steps
    from the least to the most. Values that `not_testable` rules out are None.
    """

    within: float | None
    between: float | None
    difference: float | None
    auc: float | None
    top1: float | None
    chance: float
    p_joint: float | None
    smallest_joint: float
    p_independent: float | None
    smallest_independent: float
    upper_quantile: float | None
    not_testable: str | None
    relabelled: tuple[float, ...] = ()


def relabel(alike: Array, *, rng: np.random.Generator, alpha: float) -> Relabelled:
    """Return the test of similarities of shape (prompts, users, runs, users, runs), NaN where a pair is left out.

    All relabellings are tried up to 40,320 of them, else 20,000 are drawn. Where not even the smallest p reaches alpha, the test
    is not testable; its measures are still given.
    """
    _, users, runs = alike.shape[:3]
    own = np.eye(users, dtype=np.bool_)
    joint, independent = smallest_p(users, runs, 1), smallest_p(users, runs, len(alike))
    pairs = _run_pairs(alike)
    if not (~np.isnan(pairs[:, :, own])).any():
        gone = "no two runs of one user are left to compare"
        return Relabelled(None, None, None, None, None, 1 / users, None, joint, None, independent, None, gone)
    within, between = _means(alike, pairs, np.tile(np.arange(users), (1, 1, runs, 1)))
    observed = float(within[0] - between[0])
    drawn, exact = _differences(alike, pairs, rng, together=True)
    apart, all_apart = _differences(alike, pairs, rng, together=False)
    reason = f"with {users} users no p below {joint:.3g} exists, and alpha is {alpha:g}" if joint > alpha else None
    return Relabelled(
        within=float(within[0]),
        between=float(between[0]),
        difference=observed,
        auc=_auc(alike),
        top1=_top1(pairs),
        chance=1 / users,
        p_joint=_p_value(drawn, observed, exact) if reason is None else None,
        smallest_joint=joint,
        p_independent=_p_value(apart, observed, all_apart) if independent <= alpha else None,
        smallest_independent=independent,
        upper_quantile=float(np.nanquantile(drawn, 1 - alpha)),
        not_testable=reason,
        relabelled=tuple(np.nanquantile(drawn, np.linspace(0, 1, _QUANTILES)).tolist()),
    )


def smallest_p(users: int, runs: int, prompts: int) -> float:
    """Return the smallest p when the labels of all runs but the first are exchanged among users, independently at `prompts` prompts.

    >>> smallest_p(6, 2, 1) == 1 / 720
    True
    """
    every = factorial(users) ** ((runs - 1) * prompts)
    return 1 / every if every <= MOST_LISTED else 1 / (SAMPLED + 1)


def _run_pairs(alike: Array) -> Array:
    """Return the similarities of each two runs, shape (prompts, pairs of runs, users, users)."""
    return np.stack([alike[:, :, one, :, other] for one, other in combinations(range(alike.shape[2]), 2)], axis=1)


def _differences(alike: Array, pairs: Array, rng: np.random.Generator, *, together: bool) -> tuple[Array, bool]:
    """Return within minus between under each relabelling, and whether these are all that there are."""
    prompts, users, runs = alike.shape[:3]
    groups = 1 if together else prompts
    places = groups * (runs - 1)
    exact = factorial(users) ** places <= MOST_LISTED
    if exact:
        orders = list(permutations(range(users)))
        moved = np.array(list(product(orders, repeat=places))).reshape(-1, groups, runs - 1, users)
    else:
        moved = rng.permuted(np.tile(np.arange(users), (SAMPLED, groups, runs - 1, 1)), axis=3)
    first = np.broadcast_to(np.arange(users), (len(moved), groups, 1, users))
    within, between = _means(alike, pairs, np.concatenate([first, moved], axis=2))
    return within - between, exact


def _means(alike: Array, pairs: Array, labels: Codes) -> tuple[Array, Array]:
    """Return the mean similarity within and between users for `labels` of shape (relabellings, prompts or 1, runs, users)."""
    if labels.shape[1] == 1:
        # One relabelling for all prompts: their sums can be taken beforehand.
        value, count = np.nansum(pairs, axis=0)[None], (~np.isnan(pairs)).sum(axis=0)[None]
    else:
        value, count = np.nan_to_num(pairs), (~np.isnan(pairs)).astype(np.int64)
    total, number = _all_pairs(alike)
    inside, among = np.zeros(len(labels)), np.zeros(len(labels))
    group = np.arange(labels.shape[1])[None, :, None]
    for place, (one, other) in enumerate(combinations(range(labels.shape[2]), 2)):
        cells = group, labels[:, :, one], labels[:, :, other]
        inside += value[:, place][cells].sum(axis=(1, 2))
        among += count[:, place][cells].sum(axis=(1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return inside / among, (total - inside) / (number - among)


def _all_pairs(alike: Array) -> tuple[float, int]:
    """Return the sum and the number of the similarities of every two different runs at the same prompt, each pair once."""
    size = alike.shape[1] * alike.shape[2]
    one, other = np.triu_indices(size, 1)
    values = alike.reshape(len(alike), size, size)[:, one, other]
    return float(np.nansum(values)), int((~np.isnan(values)).sum())


def _p_value(drawn: Array, observed: float, exact: bool) -> float:
    # A relabelling without any pair within a user counts as one that reaches the observed value: that errs on the safe side.
    reached = int(np.sum(~(drawn < observed - 1e-12)))
    return reached / len(drawn) if exact else (reached + 1) / (len(drawn) + 1)


def _auc(alike: Array) -> float | None:
    """Return the chance that a pair within a user is more alike than one between users at the same prompt, ties half."""
    _, users, runs = alike.shape[:3]
    owner = np.repeat(np.arange(users), runs)
    one, other = np.triu_indices(users * runs, 1)
    same = owner[one] == owner[other]
    won = of = 0.0
    for values in alike.reshape(len(alike), users * runs, users * runs)[:, one, other]:
        gap = values[same][:, None] - values[~same][None, :]
        known = ~np.isnan(gap)
        won += float(np.sum(gap[known] > 1e-12) + np.sum(np.abs(gap[known]) <= 1e-12) / 2)
        of += int(known.sum())
    return won / of if of else None


def _top1(pairs: Array) -> float | None:
    """Return how often a run's nearest neighbour among the users' runs of another number is the same user's; ties share."""
    users = pairs.shape[2]
    rows = np.concatenate([pairs.reshape(-1, users, users), pairs.swapaxes(2, 3).reshape(-1, users, users)])
    own = rows[:, np.arange(users), np.arange(users)]
    best = np.nanmax(np.where(np.isnan(rows), -np.inf, rows), axis=2)
    equals = (np.abs(rows - best[:, :, None]) <= 1e-12).sum(axis=2)
    asked = ~np.isnan(own)
    hit = np.where(np.abs(own - best) <= 1e-12, 1 / np.maximum(equals, 1), 0.0)
    return float(hit[asked].mean()) if asked.any() else None
