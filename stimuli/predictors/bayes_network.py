"""`bayes` on another base: what the paper's network expects of somebody unknown, where it tells new images better than the ridge.

The network is trained without users and demographics. With both, its population is an input that training never saw: in the
synthetic linear world its spread was 1.5 times too large, and it told new images worse (correlation .85 with their means, not .87).
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from stimuli.experiment import ExperimentError
from stimuli.predictors import bayes, paper
from stimuli.predictors.base import debiased_means, fit_base, worth
from stimuli.predictors.base_choice import Asked, SecondOpinion, choose
from stimuli.predictors.bayes import BayesTaste, Settings
from stimuli.predictors.interface import Array, Codes, Judgements, Looks, People
from stimuli.predictors.paper import PaperPredictor
from stimuli.predictors.paper_settings import PaperModel
from stimuli.progress import Report, silent

# Each image is told by networks that were taught the others; more parts cost one training each.
FOLDS = 3
_STEPS = 6000
_EPOCHS = (4, 40)
# In fewer, each part would be told by what a handful of others taught.
_FEWEST = 12


@dataclass(frozen=True, eq=False)
class NetworkOpinion:
    """The network's prediction for the population on the line `level` + `slope` times it, by which it tells new images best."""

    network: PaperPredictor
    slope: float
    level: float

    def of(self, looks: Looks) -> Array:
        """Return the rating by an average person of each image, shape (images,)."""
        told: Array = self.level + self.slope * self.network.predict(looks, None).mean
        return told


def network_settings(ratings: int) -> PaperModel:
    """Return a network of half the paper's width at a larger rate, trained for about as many steps on few ratings as on many."""
    settings = PaperModel(width=128, hidden=512, learning_rate=1e-4, no_user=True, no_demographics=True)
    fewest, most = _EPOCHS
    return replace(settings, epochs=min(most, max(fewest, math.ceil(_STEPS / math.ceil(ratings / settings.batch)))))


def fit(
    looks: Looks,
    people: People,
    judgements: Judgements,
    settings: Settings | None = None,
    *,
    network: PaperModel | None = None,
    asked: Asked = "auto",
    seed: int,
    device: str = "auto",
    report: Report = silent,
) -> BayesTaste:
    """Return `bayes` with the network in its base where that is better on images that it was not taught, or where it is asked for.

    Tastes are fitted to what the base leaves over of images that it was not taught, so the network is trained once for each of three
    parts of the images, and, where it is used, once on all.

    Raises:
        ExperimentError: too few images to tell one base from the other, or a number that is not finite.
    """
    settings = settings or Settings()
    known, user = bayes.required(looks, people, judgements)
    training = _Training(looks, people, network or network_settings(len(judgements)), seed, device, report)
    means, counts = debiased_means(replace(judgements, user=user), len(known), len(looks))
    rated, weights = np.flatnonzero(counts), worth(counts)
    if len(rated) < _FEWEST:
        raise ExperimentError(
            f"found ratings of {len(rated)} images; a network in the base needs at least {_FEWEST}, and does well from hundreds on. "
            'Use predictor = "bayes"'
        )
    ridge, told = np.full(len(looks), np.nan), np.full(len(looks), np.nan)
    parts = np.array_split(np.random.default_rng([seed, len(rated)]).permutation(rated), FOLDS)
    for number, part in enumerate(parts, start=1):
        taught = ~np.isin(judgements.image, part)
        others = Judgements(judgements.user[taught], judgements.image[taught], judgements.rating[taught])
        told[part] = training.on(others, f"base {number} of {FOLDS + 1}, ").predict(looks.at(part), None).mean
        ridge[part] = _ridge(looks, replace(others, user=user[taught]), len(known), part, settings)
    slope, level = _line(told[rated], means[rated], weights[rated])
    left_out = level + slope * told
    choice = choose(means[rated], weights[rated], ridge[rated], left_out[rated], folds=FOLDS, asked=asked)
    opinion = NetworkOpinion(training.on(judgements, f"base {FOLDS + 1} of {FOLDS + 1}, "), slope, level) if choice.share else None
    return bayes.fit(looks, people, judgements, settings, second=SecondOpinion(opinion, left_out, choice))


@dataclass(frozen=True, eq=False)
class _Training:
    """How a network is trained on some of the ratings."""

    looks: Looks
    people: People
    settings: PaperModel
    seed: int
    device: str
    report: Report

    def on(self, judgements: Judgements, name: str) -> PaperPredictor:
        def named(stage: str, done: int, total: int) -> None:
            self.report(name + stage, done, total)

        return paper.fit(self.looks, self.people, judgements, self.settings, seed=self.seed, device=self.device, report=named)


def _line(told: Array, means: Array, weights: Array) -> tuple[float, float]:
    """Return slope and level of the line through image means by what was told of them; the slope is 0 where all was told alike."""
    share = weights / weights.sum()
    around = told - share @ told
    varies = float(share @ around**2)
    slope = float(share @ (around * means)) / varies if varies > 0 else 0.0
    return slope, float(share @ means - slope * (share @ told))


def _ridge(looks: Looks, judgements: Judgements, users: int, images: Codes, settings: Settings) -> Array:
    """Return what the ridge gives images that it was not taught either, shape (images,)."""
    base = fit_base(looks, judgements, users, **bayes.base_sizes(settings, len(np.unique(judgements.image)))).base
    some = looks.at(images)
    around = some.image - base.image.centre
    return base.of(some, around, (around @ base.image.axes).astype(np.float64))
