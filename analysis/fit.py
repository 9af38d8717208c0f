"""From votes to results.json: scores, differences and verdicts, with what they rest on and what their intervals leave out."""

import dataclasses
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from analysis.claims import judge
from analysis.comparisons import LEFT, TIE, Comparisons, Tally, from_votes, tally, without
from analysis.config import AnalysisSettings, AnalysisTable, Claim
from analysis.csv_votes import Columns, read_csv
from analysis.resampling import ScoredVotes, bootstrap_votes, percentile_interval
from analysis.results import Contrast, Counts, Pair, Results, Score, write_results
from stimuli.experiment import Experiment, ExperimentError, require
from stimuli.provenance import describe
from stimuli.seeds import seed_for
from study.votes import read_votes

DEFAULT_SEED = 1
_DEFAULTS = AnalysisTable()


def fit_experiment(experiment: Experiment, settings: AnalysisSettings, *, leave_out: Sequence[str] = ()) -> Results:
    """Return the results of an experiment's votes, and write them as its results.json.

    Raises:
        ExperimentError: there are no votes yet, or they do not put the conditions on one scale.
    """
    votes = require(experiment.votes, made_by=f"tastebench study export {experiment.folder}")
    results = fit(
        without(from_votes(read_votes(votes)), leave_out),
        claims=settings.claim,
        alpha=settings.analysis.alpha,
        resamples=settings.analysis.resamples,
        rng=_generator(settings.experiment.seed),
        provenance=dataclasses.asdict(describe(settings=experiment.settings, seed=settings.experiment.seed, inputs=[votes])),
    )
    write_results(experiment.results, results)
    return results


def fit_csv(
    path: Path,
    columns: Columns,
    *,
    out: Path,
    seed: int = DEFAULT_SEED,
    resamples: int = _DEFAULTS.resamples,
    alpha: float = _DEFAULTS.alpha,
    leave_out: Sequence[str] = (),
) -> Results:
    """Return the results of the votes in a CSV file, and write them as results.json in the folder `out`.

    Raises:
        ExperimentError: the file cannot be understood, its votes do not put the items on one scale, or `out` is an experiment.
    """
    if Experiment(out).settings.exists():
        raise ExperimentError(f"{out}: is an experiment, whose results.json comes from its own votes; choose another folder")
    results = fit(
        without(read_csv(path, columns), leave_out),
        claims=(),
        alpha=alpha,
        resamples=resamples,
        rng=_generator(seed),
        provenance=dataclasses.asdict(describe(settings=None, seed=seed, inputs=[path])),
    )
    write_results(Experiment(out).results, results)
    return results


def fit(
    comparisons: Comparisons,
    *,
    claims: Sequence[Claim],
    alpha: float,
    resamples: int,
    rng: np.random.Generator,
    provenance: dict[str, Any],
) -> Results:
    """Return scores (highest first), all differences, and the verdicts on the claims; a tie is half a win for each.

    Raises:
        ExperimentError: no vote says which of two conditions is preferred, or they are not all on one scale.
    """
    _require_decided_votes(comparisons)
    counted = tally(comparisons)
    votes = bootstrap_votes(counted, comparisons.items, resamples=resamples, rng=rng)
    ranked = sorted(votes.items, key=lambda item: (-votes.elo[votes.items.index(item)], item))
    return Results(
        scores=tuple(_score(item, votes, counted, alpha) for item in ranked),
        contrasts=tuple(_contrast(a, b, votes, alpha) for a, b in combinations(ranked, 2)),
        claims=tuple(judge(claims, votes, alpha=alpha, left_out=comparisons.left_out)),
        pairs=_pairs(counted, votes.items, ranked),
        counts=_counts(comparisons, votes),
        interval=_interval_in_words(votes, alpha),
        provenance=provenance,
    )


def _generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed_for(seed, "bootstrap of votes"))


def _require_decided_votes(comparisons: Comparisons) -> None:
    if not len(comparisons):
        apart = f"; {comparisons.same_item:,} votes compare two images of one condition" if comparisons.same_item else ""
        raise ExperimentError(f"there are no votes between two conditions, so there is nothing to score{apart}; collect votes first")
    if np.all(comparisons.outcome == TIE):
        raise ExperimentError(f"all {len(comparisons):,} votes are ties, so nothing says which condition is preferred; collect more votes")


def _score(item: str, votes: ScoredVotes, counted: Tally, alpha: float) -> Score:
    place = votes.items.index(item)
    interval = percentile_interval(votes.score_draws(item), alpha=alpha)
    took_part = counted.wins[place].sum() + counted.wins[:, place].sum() + counted.ties[place].sum()
    return Score(item, float(votes.elo[place]), interval.low, interval.high, int(took_part))


def _contrast(a: str, b: str, votes: ScoredVotes, alpha: float) -> Contrast:
    interval = percentile_interval(votes.difference_draws(a, b), alpha=alpha)
    return Contrast(a, b, votes.difference(a, b), interval.low, interval.high, "these")


def _pairs(counted: Tally, items: Sequence[str], ranked: Sequence[str]) -> tuple[Pair, ...]:
    """Return the counts of every two items that some vote compares."""
    place = {item: index for index, item in enumerate(items)}
    pairs = (
        Pair(
            a,
            b,
            wins_a=int(counted.wins[place[a], place[b]]),
            wins_b=int(counted.wins[place[b], place[a]]),
            ties=int(counted.ties[place[a], place[b]]),
        )
        for a, b in combinations(ranked, 2)
    )
    return tuple(pair for pair in pairs if pair.wins_a + pair.wins_b + pair.ties)


def _counts(comparisons: Comparisons, votes: ScoredVotes) -> Counts:
    decided = comparisons.outcome != TIE
    return Counts(
        votes=len(comparisons),
        ties=int(np.sum(~decided)),
        participants=None if comparisons.participant is None else len(comparisons.participant.labels),
        prompts=None if comparisons.prompt is None else len(comparisons.prompt.labels),
        simulated_participants=comparisons.simulated_participants,
        left_share=float(np.mean(comparisons.outcome[decided] == LEFT)),
        undecided_resamples=votes.undecided,
        resamples=votes.drawn,
        same_condition=comparisons.same_item,
        left_out=comparisons.left_out,
    )


def _interval_in_words(votes: ScoredVotes, alpha: float) -> str:
    """Return what kind of interval it is, as a phrase that others put into a sentence."""
    unidentified = f" ({votes.undecided:,} of them, which did not identify every score, not counted)" if votes.undecided else ""
    kind = f"{100 * (1 - alpha):g} % percentile interval from {votes.drawn:,} bootstrap resamples"
    return f"{kind}{unidentified} of single votes, each taken for an independent fact"
