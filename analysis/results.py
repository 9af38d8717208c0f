"""What analysis/ hands to reports/: scores, contrasts and claims, with how they came about."""

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stimuli.experiment import ExperimentError, write_whole


@dataclass(frozen=True)
class Score:
    """A condition's Bradley-Terry score on the Elo scale (mean 1000) with its interval; `votes` counts comparisons it was in."""

    condition: str
    elo: float
    low: float
    high: float
    votes: int


@dataclass(frozen=True)
class Contrast:
    """`a` minus `b` in Elo with its interval; `scope` says for whom it holds (`these` people and prompts)."""

    a: str
    b: str
    difference_elo: float
    low: float
    high: float
    scope: str


@dataclass(frozen=True)
class Pair:
    """How often `a` was preferred to `b`, `b` to `a`, and neither, over all votes that compare them."""

    a: str
    b: str
    wins_a: int
    wins_b: int
    ties: int


@dataclass(frozen=True)
class ClaimResult:
    """The verdict on one claim of study.toml: `sentence` says it in words, `reason` which rule gave the verdict."""

    id: str
    sentence: str
    verdict: str
    reason: str


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
    """What kind of interval `low` and `high` are, in words."""
    provenance: dict[str, Any]


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
        )
    except FileNotFoundError as error:
        raise ExperimentError(f"{path}: no such file") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ExperimentError(f"{path}: not a results.json of this version ({error}); run the analysis again") from error
    if not all(math.isfinite(number) for score in results.scores for number in (score.elo, score.low, score.high)):
        raise ExperimentError(f"{path}: holds a score that is not a number; run the analysis again")
    return results


def _counts(content: dict[str, Any]) -> Counts:
    return Counts(**(content | {"left_out": tuple(content.get("left_out", ()))}))
