"""What stimuli/ hands to the later rooms: the images that people may see, the steering steps behind them, and who was simulated."""

import dataclasses
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stimuli.experiment import ExperimentError, write_whole

# What stands as the generator of an image that the researcher brought along.
OWN_IMAGE = "own image"


@dataclass(frozen=True)
class Stimulus:
    """One image that people may see, and how it was made.

    `image` is relative to the experiment's folder. `target_user` is whom it was steered for, None for everybody.
    `score` is what the steering scorer gave the image, `initial_score` what it gave the base prompt's image;
    both are None for a condition without a scorer.
    """

    stimulus: str
    prompt: str
    base_prompt: str
    condition: str
    target_user: str | None
    run: int
    image: str
    image_sha256: str
    final_prompt: str
    generator: str
    seed: int
    scorer: str | None
    score: float | None
    initial_score: float | None
    iteration: int


@dataclass(frozen=True)
class Step:
    """The best image of one steering chain after one iteration; iteration 0 is the base prompt's image.

    `proposed` is how many new candidates the iteration had, `rejected` how many of them the drift guard did not let win.
    """

    prompt: str
    condition: str
    target_user: str | None
    run: int
    iteration: int
    scorer: str
    best_score: float
    best_prompt: str
    image: str
    proposed: int = 0
    rejected: int = 0


@dataclass(frozen=True)
class Utility:
    """How much a simulated rater truly likes a stimulus, in logits: the known answer that simulated participants act on."""

    user: str
    stimulus: str
    utility: float


@dataclass(frozen=True)
class RatingImage:
    """One image that people may be asked to rate, and the prompt it shows; `path` is relative to the experiment's folder."""

    image: str
    prompt: str
    path: str
    image_sha256: str


@dataclass(frozen=True)
class StandIn:
    """A small offline part used in place of a real one: `part` is its role, `name` what was used, `stands_for` what a real study uses."""

    part: str
    name: str
    stands_for: str


@dataclass(frozen=True)
class PartUsed:
    """A generator, rewriter, scorer or encoder that worked on the stimuli; `version` names its weights and their commit, or its code."""

    part: str
    name: str
    version: str


@dataclass(frozen=True)
class StimuliRecord:
    """How the stimuli came about. `provenance` holds the fields of `stimuli.provenance.Provenance`."""

    stand_ins: tuple[StandIn, ...]
    provenance: dict[str, Any]
    parts: tuple[PartUsed, ...] = ()


_TEXT, _WHOLE, _REAL = pa.string(), pa.int64(), pa.float64()
_STIMULI = pa.schema(
    [
        pa.field("stimulus", _TEXT, nullable=False),
        pa.field("prompt", _TEXT, nullable=False),
        pa.field("base_prompt", _TEXT, nullable=False),
        pa.field("condition", _TEXT, nullable=False),
        pa.field("target_user", _TEXT),
        pa.field("run", _WHOLE, nullable=False),
        pa.field("image", _TEXT, nullable=False),
        pa.field("image_sha256", _TEXT, nullable=False),
        pa.field("final_prompt", _TEXT, nullable=False),
        pa.field("generator", _TEXT, nullable=False),
        pa.field("seed", _WHOLE, nullable=False),
        pa.field("scorer", _TEXT),
        pa.field("score", _REAL),
        pa.field("initial_score", _REAL),
        pa.field("iteration", _WHOLE, nullable=False),
    ]
)
_STEPS = pa.schema(
    [
        pa.field("prompt", _TEXT, nullable=False),
        pa.field("condition", _TEXT, nullable=False),
        pa.field("target_user", _TEXT),
        pa.field("run", _WHOLE, nullable=False),
        pa.field("iteration", _WHOLE, nullable=False),
        pa.field("scorer", _TEXT, nullable=False),
        pa.field("best_score", _REAL, nullable=False),
        pa.field("best_prompt", _TEXT, nullable=False),
        pa.field("image", _TEXT, nullable=False),
        pa.field("proposed", _WHOLE, nullable=False),
        pa.field("rejected", _WHOLE, nullable=False),
    ]
)
_UTILITIES = pa.schema(
    [
        pa.field("user", _TEXT, nullable=False),
        pa.field("stimulus", _TEXT, nullable=False),
        pa.field("utility", _REAL, nullable=False),
    ]
)


_RATING_IMAGES = pa.schema([pa.field(name, _TEXT, nullable=False) for name in ("image", "prompt", "path", "image_sha256")])


def read_rating_images(path: Path) -> list[RatingImage]:
    """Return the rows of a rating_images.parquet."""
    return [RatingImage(**row) for row in read_rows(path, _RATING_IMAGES)]


def write_rating_images(path: Path, images: Sequence[RatingImage]) -> None:
    """Write rating_images.parquet, ordered by image; equal images give equal bytes."""
    write_rows(path, sorted(images, key=lambda image: image.image), _RATING_IMAGES)


def read_stimuli(path: Path) -> list[Stimulus]:
    """Return the rows of a stimuli.parquet."""
    return [Stimulus(**row) for row in read_rows(path, _STIMULI)]


def first_runs(stimuli: Sequence[Stimulus]) -> list[Stimulus]:
    """Return the stimuli that people see: of several independent runs the first, so that a run more is no condition more."""
    first = min((row.run for row in stimuli), default=0)
    return [row for row in stimuli if row.run == first]


def write_stimuli(path: Path, stimuli: Sequence[Stimulus]) -> None:
    """Write stimuli.parquet; equal stimuli give equal bytes."""
    write_rows(path, stimuli, _STIMULI)


def read_steps(path: Path) -> list[Step]:
    """Return the rows of a steps.parquet."""
    return [Step(**row) for row in read_rows(path, _STEPS)]


def write_steps(path: Path, steps: Sequence[Step]) -> None:
    """Write steps.parquet; equal steps give equal bytes."""
    write_rows(path, steps, _STEPS)


def read_utilities(path: Path) -> list[Utility]:
    """Return the rows of a simulated_utilities.parquet."""
    return [Utility(**row) for row in read_rows(path, _UTILITIES)]


def write_utilities(path: Path, utilities: Sequence[Utility]) -> None:
    """Write simulated_utilities.parquet; equal utilities give equal bytes."""
    write_rows(path, utilities, _UTILITIES)


def read_record(path: Path) -> StimuliRecord:
    """Return the record of how the stimuli came about."""
    content = json.loads(path.read_text(encoding="utf-8"))
    stand_ins, parts = content["stand_ins"], content.get("parts", ())
    return StimuliRecord(tuple(StandIn(**entry) for entry in stand_ins), content["provenance"], tuple(PartUsed(**entry) for entry in parts))


def write_record(path: Path, record: StimuliRecord) -> None:
    """Write the record of how the stimuli came about, as JSON."""
    write_whole(path, (json.dumps(dataclasses.asdict(record), indent=2, ensure_ascii=False) + "\n").encode())


def read_rows(path: Path, schema: pa.Schema) -> list[dict[str, Any]]:
    """Return the rows of a hand-over table as dictionaries.

    Raises:
        ExperimentError: the file is no Parquet file, lacks a column of `schema`, or has one of another type.
    """
    try:
        table = pq.read_table(path)
    except FileNotFoundError as error:
        raise ExperimentError(f"{path}: no such file") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise ExperimentError(f"{path}: not a Parquet file that can be read ({error}); make it again") from error
    missing = [name for name in schema.names if name not in table.column_names]
    if missing:
        raise ExperimentError(f"{path}: lacks the columns {', '.join(missing)}; it was written by another version, make it again")
    try:
        rows: list[dict[str, Any]] = table.select(schema.names).cast(schema).to_pylist()
    except (pa.ArrowInvalid, ValueError) as error:
        raise ExperimentError(f"{path}: a column has the wrong type ({error}); make it again") from error
    return rows


def write_rows(path: Path, records: Sequence[Any], schema: pa.Schema) -> None:
    """Write frozen dataclasses as a hand-over table with exactly the columns of `schema`."""
    table = pa.Table.from_pylist([dataclasses.asdict(record) for record in records], schema=schema)
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    write_whole(path, buffer.getvalue())
