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
_CACHED = 200_000


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
    """Return which of many win matrices, shape (fits, items, items), identify all strengths; shape (fits,)."""
    size = wins.shape[-1]
    # Two trees of the heaviest wins, away from one item and toward it, join all items; most resamples keep every branch.
    away, toward = _branches(wins.mean(axis=0)), _branches(wins.mean(axis=0).T)
    joined: NDArray[np.bool_] = np.ones(len(wins), dtype=bool)
    for one, other in away:
        joined &= wins[:, one, other] > 0
    for one, other in toward:
        joined &= wins[:, other, one] > 0
    if len(away) < size - 1 or len(toward) < size - 1:
        joined[:] = False
    for part in np.array_split(np.flatnonzero(~joined), max(1, np.count_nonzero(~joined) * size**2 // 4_000_000)):
        joined[part] = _are_joined(wins[part])
    return joined


def _branches(wins: Array) -> list[tuple[int, int]]:
    """Return (winner, loser) of the heaviest wins that lead from item 0 to each item that any chain reaches (Prim's rule)."""
    best, source = wins[0].copy(), np.zeros(len(wins), dtype=np.int64)
    best[0] = -1
    found = []
    for _ in range(len(wins) - 1):
        item = int(np.argmax(best))
        if best[item] <= 0:
            break
        found.append((int(source[item]), item))
        better = (wins[item] > best) & (best >= 0)
        source[better], best[better] = item, wins[item][better]
        best[item] = -1
    return found


def _are_joined(wins: Array) -> NDArray[np.bool_]:
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
    """Return the log-strengths of each of many identified win matrices, shape (fits, items), each centred on zero.

    `start` has shape (items,), or (fits, items). Most fits lie close to the start and to each other, so that steps with one
    common curvature reach the maximum; what they do not reach within a few steps, damped Newton steps do. Their step size
    ln(1 + d)/d, where d is the largest change of any difference, converges from everywhere because the logistic loss is
    generalised self-concordant (Sun & Tran-Dinh 2019).

    Raises:
        NotConvergedError: a matrix did not reach the maximum; none is returned half-way.
    """
    at = np.array(np.broadcast_to(start, wins.shape[:2]), dtype=np.float64)
    at -= at.mean(axis=1, keepdims=True)
    begin = at.copy()
    # Blocks that stay in the processor's cache: the arithmetic is cheap, fetching the numbers is not.
    per_block = max(1, _CACHED // wins.shape[-1] ** 2)
    left = [np.flatnonzero(~_common_steps(wins[part], at[part], tolerance)) + part.start for part in _parts(len(wins), per_block)]
    todo = np.concatenate(left) if left else np.empty(0, dtype=np.int64)
    at[todo] = begin[todo]
    for done in range(0, len(todo), per_block):
        _newton_steps(wins, at, todo[done : done + per_block], tolerance, iterations)
    return at


def information(wins: Array, at: Array) -> Array:
    """Return the Fisher information of the log-strengths, shape (..., items, items); its rows sum to zero."""
    totals = wins + np.swapaxes(wins, -1, -2)
    chance = 1 / (1 + np.exp(at[..., None, :] - at[..., :, None]))
    weight = totals * chance * (1 - chance)
    bend: Array = -weight
    places = np.arange(at.shape[-1])
    bend[..., places, places] += weight.sum(axis=-1)
    return bend


def covariance(wins: Array, at: Array) -> Array:
    """Return the model's covariance of the centred log-strengths, shape (..., items, items), each vote an independent fact."""
    size = at.shape[-1]
    bend = information(wins, at)
    # The likelihood is flat along a common shift: fixed by a constant on every entry, and taken out again.
    level = np.trace(bend, axis1=-2, axis2=-1)[..., None, None] / size**2
    found: Array = np.linalg.inv(bend + level) - 1 / (level * size**2)
    return found


def regularised(wins: Array) -> Array:
    """Return wins with half a pseudo-win each way between every two items: finite scores for any votes, supporting no claim."""
    size = wins.shape[-1]
    more: Array = wins + 0.5 * (1 - np.eye(size))
    return more


def _parts(count: int, size: int) -> list[slice]:
    return [slice(done, min(done + size, count)) for done in range(0, count, size)]


def _common_steps(wins: Array, at: Array, tolerance: float, steps: int = 12) -> NDArray[np.bool_]:
    """Move `at` by steps with the curvature of the mean; return which fits arrived. Those that did not hold no usable value."""
    compared, won = wins + np.swapaxes(wins, 1, 2), wins.sum(axis=2)
    try:
        curvature = covariance(wins.mean(axis=0), at.mean(axis=0))
    except np.linalg.LinAlgError:
        return np.zeros(len(wins), dtype=bool)
    todo = np.arange(len(wins))
    arrived = np.zeros(len(wins), dtype=bool)
    before = np.full(len(wins), np.inf)
    for _ in range(steps):
        whole = len(todo) == len(wins)
        worth = np.exp(at if whole else at[todo])
        shares = (compared if whole else compared[todo]) / (worth[:, :, None] + worth[:, None, :])
        step = ((won if whole else won[todo]) - worth * shares.sum(axis=2)) @ curvature
        at[todo] += step
        largest = np.ptp(step, axis=1)
        arrived[todo[largest <= tolerance]] = True
        # A step that is not half the one before comes from a fit unlike the others.
        going = (largest > tolerance) & (largest < 0.5 * before[todo]) & (largest < 1)
        before[todo] = largest
        todo = todo[going]
        if not len(todo):
            break
    return arrived


def _newton_steps(wins: Array, at: Array, todo: NDArray[np.int64], tolerance: float, iterations: int) -> None:
    """Move the chosen entries of `at` to their maxima."""
    fits = len(todo)
    for _ in range(iterations):
        step = _newton_step(wins[todo], at[todo])
        largest = np.ptp(step, axis=1)
        damping = np.log1p(largest) / np.maximum(largest, np.finfo(float).tiny)
        at[todo] += damping[:, None] * step
        todo = todo[largest > tolerance]
        if not len(todo):
            return
    raise NotConvergedError(
        f"{len(todo)} of {fits} Bradley-Terry fits did not converge in {iterations} steps; are some items nearly undefeated?"
    )


def _newton_step(wins: Array, at: Array) -> Array:
    """Return the Newton step of each log-likelihood, shape (fits, items), with entries that sum to zero."""
    chance = 1 / (1 + np.exp(at[:, None, :] - at[:, :, None]))
    slope = (wins - (wins + np.swapaxes(wins, 1, 2)) * chance).sum(axis=2)
    bend = information(wins, at)
    # The likelihood is flat along a common shift; a constant on every entry fixes it and moves nothing else.
    bend += (np.trace(bend, axis1=1, axis2=2) / at.shape[1] ** 2)[:, None, None]
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
