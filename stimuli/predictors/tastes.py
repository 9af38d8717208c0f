"""Tastes: how one person departs from everybody, linear in features and normal around what their demographics suggest.

Empirical Bayes on mixed effects: w_u ~ N(m0 + B d_u, S), a rating leaves e = w_u · φ + noise (Laird & Ware 1982, Biometrics 38).
"""

import itertools
from dataclasses import dataclass

import numpy as np

from stimuli.predictors.interface import Array, Codes

_SMALLEST_VARIANCE = 1e-5
# How many people the prior of the covariance is worth: it pulls S towards a diagonal, where tastes have no pattern in common.
_PRIOR_PEOPLE = 20.0
_STRENGTHS = np.append(np.geomspace(0.5, 500, 16), np.inf)


@dataclass(frozen=True, eq=False)
class Taste:
    """What is known of one person's taste: mean (k,) and covariance (k, k) of the weights of the features."""

    mean: Array
    covariance: Array


@dataclass(frozen=True, eq=False)
class Prior:
    """How tastes differ between people: `average` (k,), `effect` (k, demographics) around `centre` (demographics,), `spread` (k, k).

    `noise` is the variance of one rating around a person's taste; `unasked` (k, k) is what `effect` adds to the spread of people
    who said nothing of themselves.
    """

    average: Array
    effect: Array
    centre: Array
    spread: Array
    unasked: Array
    noise: float

    def of(self, demographics: Array | None) -> Taste:
        """Return the taste to expect of a person before any rating; None is somebody of whom nothing is known."""
        if demographics is None:
            return Taste(self.average, self.spread + self.unasked)
        return Taste(self.average + self.effect @ (demographics - self.centre), self.spread)


@dataclass(frozen=True, eq=False)
class Moments:
    """All that ratings say of tastes, per person: `squares` ΦᵀΦ (people, k, k), `products` Φᵀe (people, k), `power` eᵀe, `counts`."""

    squares: Array
    products: Array
    power: Array
    counts: Array


@dataclass(frozen=True, eq=False)
class Learnt:
    """A prior, everybody's taste under it, and the log-likelihood of the residuals before each round of the first half."""

    prior: Prior
    tastes: tuple[Taste, ...]
    log_likelihood: tuple[float, ...]


def posterior(prior: Taste, rows: Array, left: Array, noise: float) -> Taste:
    """Return a taste given residuals: one solve of k x k, or of ratings x ratings where those are fewer."""
    if not len(rows):
        return prior
    if len(rows) < len(prior.mean):
        reach = prior.covariance @ rows.T
        gain = np.linalg.solve(rows @ reach + noise * np.eye(len(rows)), reach.T).T
        covariance = prior.covariance - gain @ reach.T
        return Taste(prior.mean + gain @ (left - rows @ prior.mean), (covariance + covariance.T) / 2)
    precision = np.linalg.inv(prior.covariance)
    covariance = np.asarray(np.linalg.inv(precision + rows.T @ rows / noise))
    mean = prior.mean + covariance @ (rows.T @ (left - rows @ prior.mean)) / noise
    return Taste(mean, (covariance + covariance.T) / 2)


def rated_one(taste: Taste, row: Array, left: float, noise: float) -> Taste:
    """Return a taste after one further residual: a rank-one update, equal to the posterior of all ratings at once."""
    reach = taste.covariance @ row
    gain = reach / (row @ reach + noise)
    covariance = taste.covariance - np.outer(gain, reach)
    return Taste(taste.mean + gain * (left - row @ taste.mean), (covariance + covariance.T) / 2)


def moments(rows: Array, left: Array, user: Codes, people: int) -> Moments:
    """Return the moments of residuals `left` (ratings,) of features `rows` (ratings, k) by person."""
    order = np.argsort(user, kind="stable")
    bounds = np.searchsorted(user[order], np.arange(people + 1))
    parts = [(rows[order[one:end]], left[order[one:end]]) for one, end in itertools.pairwise(bounds)]
    return Moments(
        squares=np.array([part.T @ part for part, _ in parts]),
        products=np.array([part.T @ rest for part, rest in parts]),
        power=np.array([rest @ rest for _, rest in parts]),
        counts=np.diff(bounds).astype(np.float64),
    )


def learn(known: Moments, blocks: Codes, demographics: Array | None, *, rounds: int) -> Learnt:
    """Return the prior that makes the residuals most likely, by expectation-maximisation, and everybody's taste under it.

    In the first half of the rounds S is diagonal, and features of one number in `blocks` (k,) share a variance. In the second half
    S is full and drawn towards that result. Demographics enter as far as they tell the tastes of people left out.
    """
    people, size = known.products.shape
    explained = _Demographics.none(people) if demographics is None else _Demographics.of(demographics)
    noise = float(known.power.sum() / known.counts.sum())
    prior = explained.prior(np.zeros((people, size)), np.inf, noise / size * np.eye(size), noise)
    likelihood, strength = [], np.inf
    for number in range(rounds):
        offsets = explained.offsets(prior)
        means, covariances = expected(known, offsets, prior.spread, prior.noise)
        if number < rounds // 2:
            likelihood.append(log_likelihood(known, offsets, prior.spread, prior.noise))
        if number == rounds // 2:
            goal, strength = prior.spread, explained.strength(means, prior.spread)
        noise = _noise(known, means, covariances)
        prior = explained.prior(means, strength, prior.spread, noise)
        apart = means - explained.offsets(prior)
        scatter = apart.T @ apart + covariances.sum(axis=0)
        spread = _tied(scatter / people, blocks) if number < rounds // 2 else (scatter + _PRIOR_PEOPLE * goal) / (people + _PRIOR_PEOPLE)
        prior = explained.prior(means, strength, spread, noise)
    means, covariances = expected(known, explained.offsets(prior), prior.spread, prior.noise)
    tastes = tuple(Taste(mean, covariance) for mean, covariance in zip(means, covariances, strict=True))
    return Learnt(prior, tastes, tuple(likelihood))


def expected(known: Moments, offsets: Array, spread: Array, noise: float) -> tuple[Array, Array]:
    """Return the means (people, k) and covariances (people, k, k) of everybody's taste; `offsets` (people, k) is what was expected."""
    covariances = np.linalg.inv(np.linalg.inv(spread) + known.squares / noise)
    covariances = (covariances + covariances.swapaxes(1, 2)) / 2
    surprise = known.products - np.einsum("ujk,uk->uj", known.squares, offsets)
    return offsets + np.einsum("ujk,uk->uj", covariances, surprise) / noise, covariances


def log_likelihood(known: Moments, offsets: Array, spread: Array, noise: float) -> float:
    """Return the log-density of all residuals, tastes integrated out."""
    surprise = known.products - np.einsum("ujk,uk->uj", known.squares, offsets)
    power = known.power - np.einsum("uk,uk->u", known.products + surprise, offsets)
    precision = np.linalg.inv(spread) + known.squares / noise
    explained = np.einsum("uk,uk->u", surprise, np.linalg.solve(precision, surprise[:, :, None])[:, :, 0])
    volume = np.linalg.slogdet(precision)[1] + np.linalg.slogdet(spread)[1] + known.counts * np.log(2 * np.pi * noise)
    return float(-(volume + power / noise - explained / noise**2).sum() / 2)


@dataclass(frozen=True, eq=False)
class _Demographics:
    """Demographics around their `centre` (people, features), in `left`, `singular`, `right` of their singular value decomposition."""

    centre: Array
    around: Array
    left: Array
    singular: Array
    right: Array

    @classmethod
    def of(cls, demographics: Array) -> "_Demographics":
        centre = demographics.mean(axis=0)
        left, singular, right = np.linalg.svd(demographics - centre, full_matrices=False)
        kept = singular > 1e-9 * max(1.0, float(singular.max(initial=0.0)))
        return cls(centre, demographics - centre, left[:, kept], singular[kept], right[kept])

    @classmethod
    def none(cls, people: int) -> "_Demographics":
        return cls.of(np.zeros((people, 0)))

    def strength(self, means: Array, spread: Array) -> float:
        """Return the ridge that best tells the tastes `means` (people, k) of people left out; infinite where none helps."""
        root = np.linalg.cholesky(np.linalg.inv(spread))
        wanted = (means - means.mean(axis=0)) @ root
        tried = []
        for strength in _STRENGTHS:
            kept = self.singular**2 / (self.singular**2 + strength)
            leverage = self.left**2 @ kept + 1 / len(means)
            errors = (wanted - self.left * kept @ (self.left.T @ wanted)) / np.maximum(1 - leverage, 1e-6)[:, None]
            tried.append((float((errors**2).sum()), float(strength)))
        return min(tried)[1]

    def prior(self, means: Array, strength: float, spread: Array, noise: float) -> Prior:
        average = means.mean(axis=0)
        shrunk = self.singular / (self.singular**2 + strength)
        effect = ((self.right.T * shrunk) @ (self.left.T @ (means - average))).T
        shared = self.around @ effect.T
        return Prior(average, effect, self.centre, spread, shared.T @ shared / len(means), noise)

    def offsets(self, prior: Prior) -> Array:
        found: Array = prior.average + self.around @ prior.effect.T
        return found


def _noise(known: Moments, means: Array, covariances: Array) -> float:
    fitted = np.einsum("uj,ujk,uk->", means, known.squares, means) + np.einsum("ujk,ujk->", covariances, known.squares)
    return max(_SMALLEST_VARIANCE, float((known.power.sum() - 2 * (known.products * means).sum() + fitted) / known.counts.sum()))


def _tied(spread: Array, blocks: Codes) -> Array:
    """Return the diagonal, averaged within blocks."""
    shared = np.bincount(blocks, np.diag(spread)) / np.maximum(np.bincount(blocks), 1)
    return np.diag(np.maximum(shared[blocks], _SMALLEST_VARIANCE))
