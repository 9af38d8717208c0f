"""The Bradley-Terry model: strengths from counted wins, by maximum likelihood, wherever the wins identify them."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stimuli.experiment import ExperimentError

Array = NDArray[np.float64]

ELO_PER_LOGIT = 400 / math.log(10)
MEAN_ELO = 1000.0
_NAMES_SHOWN = 12


class NotIdentifiedError(ExperimentError):
    """The votes do not put all items on one scale; `components` are the groups within which they do."""

    def __init__(
        self, text: str, *, components: tuple[tuple[str, ...], ...], undefeated: tuple[str, ...], winless: tuple[str, ...]
    ) -> None:
        super().__init__(text)
        self.components, self.undefeated, self.winless = components, undefeated, winless


class NotConvergedError(ExperimentError):
    """The likelihood was not maximised to the tolerance."""


def elo(strengths: Array) -> Array:
    """Return log-strengths on the Elo scale, centred on 1000 along the last axis: 400 Elo are odds of ten to one."""
    centred = strengths - strengths.mean(axis=-1, keepdims=True)
    scores: Array = MEAN_ELO + ELO_PER_LOGIT * centred
    return scores


def win_probability(difference_elo: float) -> float:
    """Return how likely an item that is `difference_elo` ahead is preferred (half of a tie counted in).

    >>> round(win_probability(27), 4)
    0.5388
    """
    return 1 / (1 + 10 ** (-difference_elo / 400))


def require_identified(wins: Array, items: Sequence[str]) -> None:
    """Pass if every item is joined to every other by a chain of wins, in both directions (Ford 1957).

    Raises:
        NotIdentifiedError: it is not, so that some strength is infinite or arbitrary.
    """
    from scipy.sparse import csgraph

    count, labels = csgraph.connected_components(wins > 0, directed=True, connection="strong")
    if count == 1:
        return
    groups, islands = _grouped(labels, items), _grouped(csgraph.connected_components(wins > 0, directed=False)[1], items)
    won, lost = wins.sum(axis=1) > 0, wins.sum(axis=0) > 0
    undefeated = tuple(items[place] for place in np.flatnonzero(won & ~lost).tolist())
    winless = tuple(items[place] for place in np.flatnonzero(lost & ~won).tolist())
    told = ["the votes do not put all conditions on one scale."]
    if len(islands) > 1:
        told.append(f"No vote links these groups: {_listed(islands)}.")
    if undefeated:
        told.append(f"Undefeated: {', '.join(undefeated)}, so no finite score fits.")
    if winless:
        told.append(f"Winless: {', '.join(winless)}, so no finite score fits.")
    told.append(f"Comparable among themselves are only: {_listed(groups)}.")
    told.append("Collect comparisons that link the groups with wins both ways, or leave a condition out (--without NAME)")
    raise NotIdentifiedError(" ".join(told), components=groups, undefeated=undefeated, winless=winless)


def are_identified(wins: Array) -> NDArray[np.bool_]:
    """Return which of many win matrices, shape (resamples, items, items), identify all strengths; shape (resamples,)."""
    size = wins.shape[-1]
    reach: NDArray[np.float32] = np.where(wins + np.eye(size) > 0, np.float32(1), np.float32(0))
    for _ in range(max(1, math.ceil(math.log2(size)))):
        # Squaring doubles the length of the chains of wins; the minimum keeps counts of chains from growing.
        reach = np.minimum(reach @ reach, np.float32(1))
    joined: NDArray[np.bool_] = np.all(reach > 0, axis=(1, 2))
    return joined


def strengths(wins: Array, items: Sequence[str]) -> Array:
    """Return maximum-likelihood log-strengths, centred on zero, shape (items,).

    `wins[i, j]` counts how often item i beat item j; a tie counts half for each. The fit is choix's iterative Luce spectral
    ranking (Maystre & Grossglauser 2015), started at the Newton solution: from equal strengths it needs tens of thousands of
    iterations where chains of wins are thin and uneven. From there it stays only if that is its own fixed point too.

    Raises:
        NotIdentifiedError: the win graph is not strongly connected.
        NotConvergedError: the iterations did not reach the maximum.
    """
    require_identified(wins, items)
    import choix

    wins = np.asarray(wins, dtype=np.float64)
    start = strengths_of_many(wins[None], start=np.zeros(len(wins)))[0]
    try:
        found = choix.ilsr_pairwise_dense(wins, initial_params=start, max_iter=100, tol=1e-9)
    except (RuntimeError, ValueError) as error:
        raise NotConvergedError(f"the Bradley-Terry fit did not converge ({error}); are some items nearly undefeated?") from error
    centred: Array = found - found.mean()
    return centred


def strengths_of_many(wins: Array, *, start: Array, tolerance: float = 1e-9, iterations: int = 200) -> Array:
    """Return the log-strengths of each of many identified win matrices, shape (resamples, items), each centred on zero.

    Damped Newton steps from `start`, all matrices at once. The step size ln(1 + d)/d, where d is the largest change of any
    difference, converges from everywhere because the logistic loss is generalised self-concordant (Sun & Tran-Dinh 2019).

    Raises:
        NotConvergedError: a matrix did not reach the maximum; none is returned half-way.
    """
    totals = wins + np.swapaxes(wins, 1, 2)
    at = np.tile(start - start.mean(), (len(wins), 1))
    todo = np.arange(len(wins))
    for _ in range(iterations):
        step = _newton_step(wins[todo], totals[todo], at[todo])
        largest = np.ptp(step, axis=1)
        damping = np.log1p(largest) / np.maximum(largest, np.finfo(float).tiny)
        at[todo] += damping[:, None] * step
        todo = todo[largest > tolerance]
        if not len(todo):
            return at
    raise NotConvergedError(
        f"{len(todo)} of {len(wins)} Bradley-Terry fits did not converge in {iterations} steps; are some items nearly undefeated?"
    )


def _newton_step(wins: Array, totals: Array, at: Array) -> Array:
    """Return the Newton step of each log-likelihood, shape (resamples, items), with entries that sum to zero."""
    chance = 1 / (1 + np.exp(at[:, None, :] - at[:, :, None]))
    slope = (wins - totals * chance).sum(axis=2)
    weight = totals * chance * (1 - chance)
    bend = -weight
    places = np.arange(at.shape[1])
    bend[:, places, places] += weight.sum(axis=2)
    # The likelihood is flat along a common shift; a constant on every entry fixes it and moves nothing else.
    bend += (weight.sum(axis=(1, 2)) / at.shape[1] ** 2)[:, None, None]
    try:
        step: Array = np.linalg.solve(bend, slope[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError as error:
        raise NotConvergedError("a Bradley-Terry fit broke down; are some items nearly undefeated?") from error
    centred: Array = step - step.mean(axis=1, keepdims=True)
    return centred


def _grouped(labels: NDArray[np.int32], items: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return the items of each label, groups and items in the order of `items`."""
    groups: dict[int, list[str]] = {}
    for label, name in zip(labels.tolist(), items, strict=True):
        groups.setdefault(label, []).append(name)
    return tuple(tuple(group) for group in groups.values())


def _listed(groups: tuple[tuple[str, ...], ...]) -> str:
    """Return groups in braces, cut short where there are many names."""
    return ", ".join(f"{{{_shortened(group)}}}" for group in groups[:_NAMES_SHOWN]) + (", ..." if len(groups) > _NAMES_SHOWN else "")


def _shortened(names: tuple[str, ...]) -> str:
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else "")
