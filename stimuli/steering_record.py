"""What steering hands over beside its images: every candidate, the ends of chains scored again, and embeddings of independent runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from stimuli.manifest import read_rows, write_rows


@dataclass(frozen=True)
class CandidateRow:
    """One candidate of a chain: its prompt, its image (relative to the experiment's folder) and the steering scorer's mean score.

    Iteration 0 is the base prompt. `likeness` is how well the image fits the base prompt, after the drift guard; None without one.
    `scores` are what the scorers that only looked on say, by name.
    """

    prompt: str
    condition: str
    target_user: str | None
    run: int
    iteration: int
    candidate: str
    image: str
    score: float
    likeness: float | None
    rejected: bool
    scores: dict[str, float]


@dataclass(frozen=True)
class RescoredRow:
    """What one scorer says of a stimulus (`shown`) and of its base prompt's image (`initial`), and both prompts' means on `seeds` seeds.

    Where candidates had several seeds, `shown` and `initial` are means over those too. `held_out` scorers never steered. `low` and
    `high` are where the scorer's usual images lie. `fresh` and `fresh_initial` are None where no fresh seeds were asked for.
    """

    stimulus: str
    scorer: str
    held_out: bool
    higher_is_better: bool
    low: float
    high: float
    shown: float
    initial: float
    fresh: float | None
    fresh_initial: float | None
    seeds: int

    @property
    def rise(self) -> float:
        """How much better the scorer finds the shown image than the initial one; below zero it finds it worse."""
        return self._better(self.shown, self.initial)

    @property
    def fresh_rise(self) -> float | None:
        """The same for the means over fresh seeds."""
        return None if self.fresh is None or self.fresh_initial is None else self._better(self.fresh, self.fresh_initial)

    def _better(self, score: float, than: float) -> float:
        return score - than if self.higher_is_better else than - score


@dataclass(frozen=True)
class RunEmbedding:
    """A stimulus of one of several independent runs as numbers: its final prompt (None where no text encoder is used) and its image."""

    stimulus: str
    prompt: list[float] | None
    image: list[float]


_TEXT, _WHOLE, _REAL, _FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()
_CANDIDATES = pa.schema(
    [
        pa.field("prompt", _TEXT, nullable=False),
        pa.field("condition", _TEXT, nullable=False),
        pa.field("target_user", _TEXT),
        pa.field("run", _WHOLE, nullable=False),
        pa.field("iteration", _WHOLE, nullable=False),
        pa.field("candidate", _TEXT, nullable=False),
        pa.field("image", _TEXT, nullable=False),
        pa.field("score", _REAL, nullable=False),
        pa.field("likeness", _REAL),
        pa.field("rejected", _FLAG, nullable=False),
        pa.field("scores", pa.map_(_TEXT, _REAL), nullable=False),
    ]
)
_RESCORED = pa.schema(
    [
        pa.field("stimulus", _TEXT, nullable=False),
        pa.field("scorer", _TEXT, nullable=False),
        pa.field("held_out", _FLAG, nullable=False),
        pa.field("higher_is_better", _FLAG, nullable=False),
        pa.field("low", _REAL, nullable=False),
        pa.field("high", _REAL, nullable=False),
        pa.field("shown", _REAL, nullable=False),
        pa.field("initial", _REAL, nullable=False),
        pa.field("fresh", _REAL),
        pa.field("fresh_initial", _REAL),
        pa.field("seeds", _WHOLE, nullable=False),
    ]
)
_EMBEDDINGS = pa.schema(
    [
        pa.field("stimulus", _TEXT, nullable=False),
        pa.field("prompt", pa.list_(pa.float32())),
        pa.field("image", pa.list_(pa.float32()), nullable=False),
    ]
)


def read_candidates(path: Path) -> list[CandidateRow]:
    """Return the rows of a candidates.parquet."""
    return [CandidateRow(**{**row, "scores": dict(row["scores"])}) for row in read_rows(path, _CANDIDATES)]


def write_candidates(path: Path, candidates: Sequence[CandidateRow]) -> None:
    """Write candidates.parquet; equal candidates give equal bytes."""
    write_rows(path, candidates, _CANDIDATES)


def read_rescored(path: Path) -> list[RescoredRow]:
    """Return the rows of a rescored.parquet."""
    return [RescoredRow(**row) for row in read_rows(path, _RESCORED)]


def write_rescored(path: Path, rows: Sequence[RescoredRow]) -> None:
    """Write rescored.parquet; equal rows give equal bytes."""
    write_rows(path, rows, _RESCORED)


def read_embeddings(path: Path) -> list[RunEmbedding]:
    """Return the rows of a run_embeddings.parquet."""
    return [RunEmbedding(**row) for row in read_rows(path, _EMBEDDINGS)]


def write_embeddings(path: Path, rows: Sequence[RunEmbedding]) -> None:
    """Write run_embeddings.parquet; equal rows give equal bytes."""
    write_rows(path, rows, _EMBEDDINGS)
