"""How well each model of one split does: per user, against the baseline, per image, by margin, on diverging pairs, and its intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.diverging_pairs import Diverging, diverging
from analysis.fair_rows import Compared
from analysis.predictor_metrics import FEWEST, RESAMPLES, Estimate, Summary, UserScores, by_image, by_user, coverage, paired, summary
from analysis.predictor_results import DivergingScores, Held, ImageLevel, Metrics, ModelScores
from stimuli.predictions import Predictions, joined

LEVELS = (0.5, 0.8, 0.95)


@dataclass(frozen=True)
class Measuring:
    """How intervals are made; the same seed draws the same users again for every model, so that models share their chance."""

    resamples: int = RESAMPLES
    alpha: float = 0.05
    seed: int = 1

    @property
    def rng(self) -> np.random.Generator:
        """A generator at its start."""
        return np.random.default_rng(self.seed)


def model_scores(fair: Compared, *, baseline: str | None, measuring: Measuring) -> tuple[ModelScores, ...]:
    """Return the scores of each model of a split, the highest mean rank correlation first."""
    each = {model: [by_user(block) for block in blocks] for model, blocks in fair.draws.items()}
    mean = {model: averaged(scores) for model, scores in each.items()}
    found = [_scores(fair, model, each[model], mean[model], mean.get(baseline or ""), baseline, measuring) for model in each]
    return tuple(sorted(found, key=lambda one: (-one.metrics.srocc.value, one.model)))


def metrics(scores: UserScores, measuring: Measuring) -> Metrics:
    """Return the means over users with their intervals."""
    found = _summary(scores, measuring)
    # Whoever can be measured gave two different ratings, so there is an accuracy at margin 0.
    return Metrics(found.srocc, found.plcc, next(one for one in found.macro if one is not None))


def averaged(draws: Sequence[UserScores]) -> UserScores:
    """Return the mean over draws of each user's scores; an accuracy is missing where any draw misses it."""
    accuracy = np.mean([one.accuracy for one in draws], axis=0)
    pairs = np.mean([one.pairs for one in draws], axis=0)
    return replace(
        draws[0],
        srocc=np.mean([one.srocc for one in draws], axis=0),
        plcc=np.mean([one.plcc for one in draws], axis=0),
        right=accuracy * pairs,
        pairs=pairs,
    )


def diverging_scores(fair: Compared, model: str, *, measuring: Measuring) -> DivergingScores:
    """Return how a model does on pairs that people order oppositely, the mean over draws."""
    found = [diverging(block, alpha=measuring.alpha) for block in fair.draws[model]]
    some = [one for one in found if one.quadruples]
    return DivergingScores(
        model,
        fair.split,
        len(found),
        Diverging(
            quadruples=round(np.mean([one.quadruples for one in found])),
            image_pairs=round(np.mean([one.image_pairs for one in found])),
            decisions=round(np.mean([one.decisions for one in found])),
            users=round(np.mean([one.users for one in found])),
            decision=_mean([one.decision for one in some]),
            joint=_mean([one.joint for one in some]),
            decision_interval=_mean_interval([one.decision_interval for one in some]),
            joint_interval=_mean_interval([one.joint_interval for one in some]),
        ),
    )


def _scores(
    fair: Compared,
    model: str,
    each: Sequence[UserScores],
    mean: UserScores,
    against: UserScores | None,
    baseline: str | None,
    measuring: Measuring,
) -> ModelScores:
    pooled = replace(mean, right=np.sum([one.right for one in each], axis=0), pairs=np.sum([one.pairs for one in each], axis=0))
    return ModelScores(
        model=model,
        split=fair.split,
        context=fair.context[model],
        draws=len(each),
        metrics=metrics(mean, measuring),
        macro=_summary(mean, measuring).macro,
        micro=_summary(pooled, measuring).micro,
        users=len(mean.users),
        ratings=round(np.mean([one.rows.sum() for one in each])),
        too_few=len(fair.measured.too_few),
        constant=len(fair.measured.constant),
        difference=_difference(mean, against, measuring) if against is not None and model != baseline else None,
        image_level=_image_level(fair.draws[model], mean.users),
        coverage=_coverage(joined(*fair.draws[model])),
    )


def _summary(scores: UserScores, measuring: Measuring) -> Summary:
    return summary(scores, resamples=measuring.resamples, alpha=measuring.alpha, rng=measuring.rng)


def _difference(scores: UserScores, baseline: UserScores, measuring: Measuring) -> Metrics:
    def of(metric: Callable[[UserScores], NDArray[np.float64]]) -> Estimate:
        return paired(scores, baseline, metric, resamples=measuring.resamples, alpha=measuring.alpha, rng=measuring.rng)

    return Metrics(of(lambda one: one.srocc), of(lambda one: one.plcc), of(lambda one: one.accuracy[:, 0]))


def _image_level(draws: Sequence[Predictions], raters: Sequence[str]) -> ImageLevel | None:
    """Return the mean over draws; None where a draw has too few images to correlate."""
    if min(len(set(block.image.tolist())) for block in draws) < FEWEST:
        return None
    each = [by_image(block, raters=raters, margins=(0.0,)) for block in draws]
    accuracies = [float(one.accuracy[0]) for one in each]
    return ImageLevel(
        srocc=float(np.mean([one.srocc for one in each])),
        plcc=float(np.mean([one.plcc for one in each])),
        accuracy=None if np.isnan(accuracies).any() else float(np.mean(accuracies)),
        images=round(np.mean([one.images for one in each])),
        raters=len(raters),
    )


def _coverage(predictions: Predictions) -> tuple[Held, ...]:
    """Return how often the model's own intervals hold a rating; nothing for a model without them."""
    if np.isnan(predictions.standard_deviation).any():
        return ()
    shares = coverage(predictions, levels=LEVELS)
    return tuple(Held(level, float(share)) for level, share in zip(LEVELS, shares, strict=True))


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _mean_interval(values: Sequence[tuple[float, float] | None]) -> tuple[float, float] | None:
    known = [value for value in values if value is not None]
    return (float(np.mean([low for low, _ in known])), float(np.mean([high for _, high in known]))) if known else None
