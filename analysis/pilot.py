"""How much people and prompts differ, from a pilot study: the heterogeneity whose simulated studies spread as the pilot does."""

from dataclasses import replace
from itertools import product

import numpy as np

from analysis.bradley_terry import Array
from analysis.comparisons import Cells, Comparisons, cells
from analysis.jackknife import spread
from analysis.preference import Model
from analysis.simulated_studies import MODERATE, Heterogeneity, calibrated, design, simulate
from stimuli.experiment import ExperimentError

FACTORS = (0.0, 0.5, 1.0, 1.5, 2.0)
_FEWEST = 3


def scaled(people: float, prompts: float) -> Heterogeneity:
    """Return moderate heterogeneity with what differs between people, and between prompts, multiplied."""
    return replace(
        MODERATE,
        participant_condition=MODERATE.participant_condition * people,
        own_effect=MODERATE.own_effect * people,
        participant_prompt_image=MODERATE.participant_prompt_image * people,
        prompt_condition=MODERATE.prompt_condition * prompts,
        prompt_image=MODERATE.prompt_image * prompts,
    )


def heterogeneity_of(pilot: Comparisons, *, rng: np.random.Generator, studies: int = 60) -> Heterogeneity:
    """Return the heterogeneity that fits a pilot best, as `scaled` by two of `FACTORS`.

    Two numbers describe a pilot: the jackknife spread of its scores over participants and over prompts. Studies of its size are
    simulated on a grid of factors, and the one comes back whose mean spreads are nearest to the pilot's on the logarithmic scale.
    A pilot tells this coarsely: of 16 people and 16 prompts, both factors came within one half of the truth in 31 of 36 trials.

    Raises:
        ExperimentError: the pilot does not tell participants and prompts, or has fewer than three of either.
    """
    if pilot.participant is None or pilot.prompt is None:
        raise ExperimentError("a pilot must tell who judged what: columns for participant and prompt are needed")
    counted = cells(pilot)
    if min(counted.participants, counted.prompts) < _FEWEST:
        raise ExperimentError(
            f"the pilot has {counted.participants} participants and {counted.prompts} prompts; at least {_FEWEST} of each are needed "
            "to tell how much they differ. Use --heterogeneity low, moderate or high"
        )
    observed, scores = _spreads(counted)
    misses = {
        factors: float(np.sum((np.log(_expected(counted, scores, scaled(*factors), rng, studies)) - np.log(observed)) ** 2))
        for factors in product(FACTORS, repeat=2)
    }
    return scaled(*min(misses, key=misses.__getitem__))


def _spreads(counted: Cells) -> tuple[Array, Array]:
    """Return the spread over participants and over prompts (mean over studies, logits), shape (2,), and the mean strengths."""
    found = spread(counted, model=Model())
    if found.by_participant is None or found.by_prompt is None:
        reasons = "; ".join(sorted(set(found.refused.values())))
        raise ExperimentError(f"the pilot cannot tell how much people and prompts differ: {reasons}")
    traces = [np.trace(part, axis1=-2, axis2=-1) for part in (found.by_participant, found.by_prompt)]
    # A simulated study that lost a condition has no spread; the others tell.
    return np.array([np.sqrt(np.nanmean(trace)) for trace in traces]), np.nanmean(found.strengths, axis=0)


def _expected(counted: Cells, scores: Array, heterogeneity: Heterogeneity, rng: np.random.Generator, studies: int) -> Array:
    votes = int(counted.left_wins.sum() + counted.right_wins.sum() + counted.ties.sum())
    each = max(1, round(votes / counted.participants))
    drawn = design(counted.items, participants=counted.participants, prompts=counted.prompts, per_person=each, rng=rng)
    elo = {item: 1000 + 400 / np.log(10) * float(score) for item, score in zip(counted.items, scores, strict=True)}
    return _spreads(simulate(drawn, calibrated(drawn, elo, heterogeneity), heterogeneity, rng, studies=studies))[0]
