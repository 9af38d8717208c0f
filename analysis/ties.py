"""Votes that prefer neither: the model of Davidson (1970), which the analysis uses, and that of Rao and Kupper (1967) beside it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.bradley_terry import Array, NotConvergedError


@dataclass(frozen=True, eq=False)
class TieFit:
    """Centred log-strengths, shape (items,), the tie parameter (Davidson's nu, Rao and Kupper's theta), and the log-likelihood."""

    strengths: Array
    parameter: float
    log_likelihood: float


def davidson(wins: Array, ties: Array) -> TieFit:
    """Return the fit of Davidson (1970): P(tie) is nu·sqrt(pi_i·pi_j) beside pi_i and pi_j, so that pi_i / pi_j are the odds of a win.

    `wins[i, j]` counts how often i beat j, `ties[i, j] == ties[j, i]` how often neither did.

    Raises:
        NotConvergedError: the likelihood was not maximised.
    """
    halved = (wins + ties / 2)[None]
    tied = np.array([np.triu(ties).sum()])
    at, log_nu = davidson_of_many(halved, tied, start=np.zeros(len(wins)))
    chance, tie = davidson_chances(at, log_nu)
    won = wins * np.log(np.where(wins > 0, chance[0] - tie[0] / 2, 1))
    drawn = np.triu(ties) * np.log(np.where(ties > 0, tie[0], 1))
    return TieFit(at[0], float(np.exp(log_nu[0])), float(won.sum() + drawn.sum()))


def davidson_chances(at: Array, log_nu: Array) -> tuple[Array, Array]:
    """Return P(win) + P(tie)/2 and P(tie) of the row against the column, each of shape (fits, items, items)."""
    gap = (at[..., :, None] - at[..., None, :]) / 2
    there, back, tie = np.exp(gap), np.exp(-gap), np.exp(log_nu)[..., None, None]
    whole = there + back + tie
    return (there + tie / 2) / whole, tie / whole


def davidson_of_many(
    wins: Array, tied: Array, *, start: Array, tolerance: float = 1e-9, iterations: int = 200
) -> tuple[Array, NDArray[np.float64]]:
    """Return log-strengths, shape (fits, items), and log nu, shape (fits,), of many win matrices in which a tie is half a win each.

    `tied` counts the ties of each. Win matrix and number of ties are all that the likelihood depends on. Damped Newton steps.

    Raises:
        NotConvergedError: one did not reach its maximum.
    """
    at = np.array(np.broadcast_to(start, wins.shape[:2]), dtype=np.float64)
    decided = wins.sum(axis=(1, 2)) - tied
    if not ((tied > 0) & (decided > 0)).all():
        raise NotConvergedError("votes without a tie, or without anything else, have no tie parameter")
    log_nu = np.log(2 * tied / decided)
    todo = np.arange(len(wins))
    for _ in range(iterations):
        step = _step(wins[todo], tied[todo], at[todo], log_nu[todo])
        largest = np.ptp(step[:, :-1], axis=1) + np.abs(step[:, -1])
        damping = np.log1p(largest) / np.maximum(largest, np.finfo(float).tiny)
        at[todo] += damping[:, None] * step[:, :-1]
        log_nu[todo] += damping * step[:, -1]
        todo = todo[largest > tolerance]
        if not len(todo):
            return at - at.mean(axis=1, keepdims=True), log_nu
    raise NotConvergedError(f"{len(todo)} of {len(wins)} fits with ties did not converge in {iterations} steps")


def davidson_information(compared: Array, at: Array, log_nu: Array) -> Array:
    """Return the Fisher information of the log-strengths and log nu, shape (fits, items + 1, items + 1)."""
    size = at.shape[-1]
    chance, tie = davidson_chances(at, log_nu)
    weight = compared * (chance - tie / 4 - chance**2)
    bend = np.zeros((*at.shape[:-1], size + 1, size + 1))
    bend[..., :size, :size] = -weight
    places = np.arange(size)
    bend[..., places, places] += weight.sum(axis=-1)
    shared = (compared * tie * (0.5 - chance)).sum(axis=-1)
    bend[..., :size, size] = bend[..., size, :size] = shared
    bend[..., size, size] = (compared * tie * (1 - tie)).sum(axis=(-1, -2)) / 2
    return bend


def fixed(bend: Array) -> Array:
    """Return an information matrix whose flat direction, a common shift of the log-strengths, is fixed by a constant."""
    size = bend.shape[-1] - 1
    level = np.trace(bend[..., :size, :size], axis1=-2, axis2=-1) / size**2
    found = bend.copy()
    found[..., :size, :size] += level[..., None, None]
    return found


def _step(wins: Array, tied: Array, at: Array, log_nu: Array) -> Array:
    compared = wins + np.swapaxes(wins, 1, 2)
    chance, tie = davidson_chances(at, log_nu)
    slope = np.empty((len(at), at.shape[1] + 1))
    slope[:, :-1] = (wins - compared * chance).sum(axis=2)
    slope[:, -1] = tied - (compared * tie).sum(axis=(1, 2)) / 2
    try:
        solved = np.linalg.solve(fixed(davidson_information(compared, at, log_nu)), slope[:, :, None])
    except np.linalg.LinAlgError as error:
        raise NotConvergedError("a fit with ties broke down; are some items nearly undefeated?") from error
    step = np.asarray(solved[:, :, 0], dtype=np.float64)
    step[:, :-1] -= step[:, :-1].mean(axis=1, keepdims=True)
    return step


def rao_kupper(wins: Array, ties: Array) -> TieFit:
    """Return the fit of Rao and Kupper (1967): i wins when its lead over j exceeds a threshold, log theta.

    Raises:
        NotConvergedError: the likelihood was not maximised.
    """
    from scipy.optimize import minimize

    counted, tied = wins + ties, np.triu(ties).sum()

    def cost(at: Array) -> tuple[float, Array]:
        log_theta = np.exp(at[-1])
        lead = at[:-1, None] - at[None, :-1] - log_theta
        missed = counted / (1 + np.exp(lead))
        slope = np.append(missed.sum(axis=1) - missed.sum(axis=0), log_theta * (_tie_slope(log_theta) * tied - missed.sum()))
        value = -(counted * np.logaddexp(0, -lead)).sum() + tied * np.log(np.expm1(2 * log_theta))
        return -float(value), -slope

    size = len(wins)
    found = minimize(cost, np.append(np.zeros(size), -0.7), jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": 5000})
    if np.abs(found.jac).max() > 1e-4:
        raise NotConvergedError(f"the fit of Rao and Kupper did not converge ({found.message})")
    return TieFit(found.x[:-1] - found.x[:-1].mean(), float(np.exp(np.exp(found.x[-1]))), -float(found.fun))


def rao_kupper_chances(fit: TieFit) -> Array:
    """Return P(win) + P(tie)/2 of the row against the column under a fit of Rao and Kupper, shape (items, items)."""
    gap, threshold = fit.strengths[:, None] - fit.strengths[None, :], np.log(fit.parameter)
    there, back = 1 / (1 + np.exp(threshold - gap)), 1 / (1 + np.exp(threshold + gap))
    chances: Array = there + (1 - there - back) / 2
    return chances


def _tie_slope(log_theta: float) -> float:
    return float(2 / -np.expm1(-2 * log_theta))
