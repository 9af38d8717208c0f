"""What analysis/ hands to reports/: scores, contrasts and claims, with how they came about."""

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from stimuli.experiment import ExperimentError, write_whole


@dataclass(frozen=True)
class Score:
    """A condition's Bradley-Terry score on the Elo scale (mean 1000) with its interval; `votes` counts comparisons it was in.

    `low` and `high` take each vote for an independent fact, as is usual. `scope_low` and `scope_high` hold for whom `scope` says,
    which is whom the verdicts are about or as close to it as the votes allow; None in results that do not tell them.
    """

    condition: str
    elo: float
    low: float
    high: float
    votes: int
    scope_low: float | None = None
    scope_high: float | None = None
    scope: str | None = None


@dataclass(frozen=True)
class Contrast:
    """`a` minus `b` in Elo with its interval; `scope` says for whom it holds.

    `these` people and prompts, new `participants`, or new `participants+prompts`. `df` are the degrees of freedom of the t
    distribution, None for a normal one. `win_probability` is P(a preferred) + P(tie)/2. `design_effect` is the variance over
    that of as many independent votes. The last five are None in results that do not tell them.
    """

    a: str
    b: str
    difference_elo: float
    low: float
    high: float
    scope: str
    standard_error: float | None = None
    df: float | None = None
    p_value: float | None = None
    win_probability: float | None = None
    design_effect: float | None = None


@dataclass(frozen=True)
class Refused:
    """A difference or a scope that is not given, and why."""

    what: str
    reason: str
    a: str | None = None
    b: str | None = None


@dataclass(frozen=True)
class Rank:
    """A condition's place, the interval of its place over the joint resamples, and its tier (1 is the best).

    A tier ends before the first condition that its head is ahead of in nearly all resamples (1 - alpha/2 of them).
    """

    condition: str
    rank: int
    low: int
    high: int
    tier: int


@dataclass(frozen=True)
class Ahead:
    """In how many of the joint resamples `a` scores above `b`."""

    a: str
    b: str
    probability: float


@dataclass(frozen=True)
class Side:
    """What standing on the left is worth, in Elo, with its standard error and p-value (each vote an independent fact)."""

    advantage_elo: float
    standard_error: float
    p_value: float
    largest_change_elo: float
    """How far any difference moves when the side is taken into account."""


@dataclass(frozen=True)
class Balance:
    """How often `a` stood on the left of `b`, of all votes that compare them."""

    a: str
    b: str
    a_left: int
    shown: int


@dataclass(frozen=True)
class TieModel:
    """One way to count ties: its parameter, and how far the win probability of any two conditions is from the one reported."""

    name: str
    parameter: float | None
    log_likelihood: float | None
    largest_change: float


@dataclass(frozen=True)
class Pooled:
    """How conditions do with one participant, or at one prompt: the raw score and that drawn toward the mean as it deserves."""

    of: str
    """`participant` or `prompt`."""
    name: str
    condition: str
    raw_elo: float | None
    elo: float
    standard_error: float


@dataclass(frozen=True)
class Between:
    """How much a condition's score differs between participants, or between prompts: a standard deviation in Elo.

    Scores have a mean of 1000, so one condition of k that varies with v gives each other one v / k even where those do not vary.
    """

    of: str
    condition: str
    sd_elo: float


@dataclass(frozen=True)
class Pair:
    """How often `a` was preferred to `b`, `b` to `a`, and neither, over all votes that compare them."""

    a: str
    b: str
    wins_a: int
    wins_b: int
    ties: int


@dataclass(frozen=True)
class PairFit:
    """How often `a` was preferred to `b` (a tie is half), how often the fit expects it, and the first less the second.

    All are shares. `low` and `high` bound the gap for whom `scope` says; None where the gap is 0 whatever people choose, or where
    one participant or one prompt alone has the pair. `votes` counts those that compare the two.
    """

    a: str
    b: str
    votes: int
    observed: float
    expected: float
    gap: float
    low: float | None
    high: float | None
    scope: str


@dataclass(frozen=True)
class ClaimResult:
    """The verdict on one claim of study.toml: `sentence` says it in words, `reason` which rule gave the verdict.

    `evidence` is everything the verdict rests on: difference, intervals, p, variances by source, counts, leave-one-out range.
    """

    id: str
    sentence: str
    verdict: str
    reason: str
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class WithoutExclusions:
    """What everyone's votes say, where exclusion rules removed some: does the choice of rules matter?"""

    participants: int
    """How many participants the rules removed altogether."""
    votes: int
    """How many votes they removed."""
    contrasts: tuple[Contrast, ...] = ()
    """The main differences, each the same way round and at the same scope as with the rules."""
    verdicts: dict[str, str] = field(default_factory=dict)
    """The verdict on each claim, by the claim's id."""
    refused: str | None = None
    """Why everyone's votes give no scores; None where they do."""


@dataclass(frozen=True)
class Counts:
    """What the scores rest on. `left_share` is the share of decided votes that went to the left side."""

    votes: int
    ties: int
    participants: int | None
    prompts: int | None
    simulated_participants: int | None
    left_share: float
    undecided_resamples: int
    """Resamples that did not identify every score; they count in no interval."""
    resamples: int
    same_condition: int = 0
    """Votes between two images of one condition: they say nothing about the scores and are not among `votes`."""
    left_out: tuple[str, ...] = ()
    """Conditions taken out on request, with every vote about them."""


@dataclass(frozen=True)
class Results:
    """Everything a report tells about the votes. `provenance` holds the fields of `stimuli.provenance.Provenance`."""

    scores: tuple[Score, ...]
    contrasts: tuple[Contrast, ...]
    claims: tuple[ClaimResult, ...]
    pairs: tuple[Pair, ...]
    counts: Counts
    interval: str
    """What kind of interval `low` and `high` of the scores are, in words."""
    provenance: dict[str, Any]
    scope: str = "these"
    """For whom the verdicts are, and the differences that a report shows."""
    model: str = "Bradley-Terry model"
    alpha: float = 0.05
    """The error rate of tests; intervals hold the truth in 1 - alpha of studies."""
    regularised: bool = False
    """The scores hold made-up half wins: they may be looked at, and support no claim."""
    anchor: str | None = None
    """The condition that scores 1000; None where the mean of all does."""
    refused: tuple[Refused, ...] = ()
    ranks: tuple[Rank, ...] = ()
    ahead: tuple[Ahead, ...] = ()
    side: Side | None = None
    balance: tuple[Balance, ...] = ()
    tie_models: tuple[TieModel, ...] = ()
    pair_fits: tuple[PairFit, ...] = ()
    """Goodness of fit; nothing in results that do not tell it."""
    pooled: tuple[Pooled, ...] = ()
    between: tuple[Between, ...] = ()
    further: dict[str, Any] = field(default_factory=dict)
    """What further analyses found, by their name: quality of judges, agreement, secondary models."""
    without_exclusions: WithoutExclusions | None = None
    """What everyone's votes say; None where no rule removed any."""

    @property
    def main_contrasts(self) -> tuple[Contrast, ...]:
        """The differences at the scope of the verdicts, or at the widest one that there is."""
        present = {contrast.scope for contrast in self.contrasts}
        order = (self.scope, "participants+prompts", "participants", "these")
        chosen = next((scope for scope in order if scope in present), self.scope)
        return tuple(contrast for contrast in self.contrasts if contrast.scope == chosen)


def plain(value: Any) -> Any:
    """Return a value as JSON would give it back: lists for tuples, Python numbers for numpy's, None for what is not finite."""
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


_LISTS: dict[str, Any] = {
    "refused": Refused,
    "ranks": Rank,
    "ahead": Ahead,
    "balance": Balance,
    "tie_models": TieModel,
    "pair_fits": PairFit,
    "pooled": Pooled,
    "between": Between,
}


def write_results(path: Path, results: Results) -> None:
    """Write results.json; every number in it is finite."""
    content = json.dumps(dataclasses.asdict(results), indent=2, ensure_ascii=False, allow_nan=False)
    write_whole(path, (content + "\n").encode())


def read_results(path: Path) -> Results:
    """Return the results in a results.json.

    Raises:
        ExperimentError: the file is no results.json of this version.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        results = Results(
            scores=tuple(Score(**entry) for entry in content["scores"]),
            contrasts=tuple(Contrast(**entry) for entry in content["contrasts"]),
            claims=tuple(ClaimResult(**entry) for entry in content["claims"]),
            pairs=tuple(Pair(**entry) for entry in content["pairs"]),
            counts=_counts(content["counts"]),
            interval=content["interval"],
            provenance=content["provenance"],
            scope=content.get("scope", "these"),
            model=content.get("model", "Bradley-Terry model"),
            alpha=content["alpha"],
            regularised=content.get("regularised", False),
            anchor=content.get("anchor"),
            side=Side(**content["side"]) if content.get("side") else None,
            further=content.get("further", {}),
            without_exclusions=_without_exclusions(content.get("without_exclusions")),
            **{name: tuple(kind(**entry) for entry in content.get(name, ())) for name, kind in _LISTS.items()},
        )
    except FileNotFoundError as error:
        raise ExperimentError(f"{path}: no such file") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ExperimentError(f"{path}: not a results.json of this version ({error}); run the analysis again") from error
    if not all(math.isfinite(number) for score in results.scores for number in _bounds(score)):
        raise ExperimentError(f"{path}: holds a score that is not a number; run the analysis again")
    return results


def _bounds(score: Score) -> tuple[float, ...]:
    return tuple(number for number in (score.elo, score.low, score.high, score.scope_low, score.scope_high) if number is not None)


def _without_exclusions(content: dict[str, Any] | None) -> WithoutExclusions | None:
    if content is None:
        return None
    return WithoutExclusions(**(content | {"contrasts": tuple(Contrast(**entry) for entry in content["contrasts"])}))


def _counts(content: dict[str, Any]) -> Counts:
    return Counts(**(content | {"left_out": tuple(content.get("left_out", ()))}))
