"""What predictors hand to the analysis: one row per predicted rating, beside the rating that was given."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from stimuli.experiment import ExperimentError, write_whole

_TEXT, _WHOLE, _REAL = pa.string(), pa.int64(), pa.float64()
SCHEMA = pa.schema(
    [
        pa.field("model", _TEXT, nullable=False),
        pa.field("split", _TEXT, nullable=False),
        pa.field("user", _TEXT, nullable=False),
        pa.field("image", _TEXT, nullable=False),
        pa.field("rating", _REAL, nullable=False),
        pa.field("prediction", _REAL, nullable=False),
        pa.field("standard_deviation", _REAL),
        pa.field("context", _WHOLE, nullable=False),
        pa.field("draw", _WHOLE, nullable=False),
    ]
)
# What may occur only once: the same rating told twice by one model would count twice.
_KEY = ("model", "split", "context", "draw", "user", "image")
_TEXTS = ("model", "split", "user", "image")

Texts = NDArray[np.object_]
Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Predictions:
    """Columns of equal length: `rating` is what `user` gave `image`, `prediction` what `model` expected.

    `standard_deviation` is that of one rating, NaN where the model tells none. `context` is how many ratings of a new person the
    model had seen, in the draw `draw`; both are 0 where nothing was drawn.
    """

    model: Texts
    split: Texts
    user: Texts
    image: Texts
    rating: Numbers
    prediction: Numbers
    standard_deviation: Numbers
    context: Whole
    draw: Whole

    def __len__(self) -> int:
        return len(self.rating)

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "Predictions":
        """Return some of the rows, chosen by truth values or by number."""
        return _from_columns({name: column[chosen] for name, column in self.columns().items()})

    def of(self, *, model: str, split: str) -> "Predictions":
        """Return the rows of one model in one split.

        Raises:
            ExperimentError: there are none.
        """
        found = self.where((self.model == model) & (self.split == split))
        if not len(found):
            there = ", ".join(sorted({f"{one} in {other}" for one, other in zip(self.model, self.split, strict=True)}))
            raise ExperimentError(f'no predictions of "{model}" in "{split}"; there are those of {there or "nothing"}')
        return found

    def columns(self) -> Mapping[str, NDArray[Any]]:
        """Return the columns by name."""
        return MappingProxyType({name: getattr(self, name) for name in SCHEMA.names})


def joined(*parts: Predictions) -> Predictions:
    """Return the rows of several predictions, one after the other."""
    return _from_columns({name: np.concatenate([part.columns()[name] for part in parts]) for name in SCHEMA.names})


def read_predictions(path: Path) -> Predictions:
    """Return the rows of a predictions.parquet.

    Raises:
        ExperimentError: no such file, no such table, a number that is not finite, or a rating that is told twice.
    """
    try:
        table = pq.read_table(path)
    except FileNotFoundError as error:
        raise ExperimentError(f"{path}: no such file; `tastebench stimuli predict` makes it") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise ExperimentError(f"{path}: not a Parquet file that can be read ({error}); make it again") from error
    missing = [name for name in SCHEMA.names if name not in table.column_names]
    if missing:
        raise ExperimentError(f"{path}: lacks the columns {', '.join(missing)}; expected {', '.join(SCHEMA.names)}")
    try:
        table = table.select(SCHEMA.names).cast(SCHEMA)
    except (pa.ArrowInvalid, ValueError) as error:
        raise ExperimentError(f"{path}: a column has the wrong type ({error}); make it again") from error
    found = _from_columns({name: _column(table, name) for name in SCHEMA.names})
    try:
        check(found)
    except ExperimentError as error:
        raise ExperimentError(f"{path}: {error}") from error
    return found


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write predictions.parquet, ordered by its key; equal predictions give equal bytes."""
    check(predictions)
    arrays = {name: pa.array(column, type=SCHEMA.field(name).type, from_pandas=True) for name, column in predictions.columns().items()}
    table = pa.table(arrays, schema=SCHEMA).sort_by([(name, "ascending") for name in _KEY])
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    write_whole(path, buffer.getvalue())


def check(predictions: Predictions) -> None:
    """Complain of rows that would make a metric wrong.

    Raises:
        ExperimentError: a rating or prediction is not finite, or a model tells one rating twice.
    """
    for name in ("rating", "prediction"):
        wrong = np.flatnonzero(~np.isfinite(predictions.columns()[name].astype(np.float64)))
        if len(wrong):
            user, image = predictions.user[wrong[0]], predictions.image[wrong[0]]
            raise ExperimentError(
                f'{len(wrong)} values of "{name}" are not finite, the first for user "{user}" and image "{image}"; expected a number each'
            )
    keys = pa.table({name: predictions.columns()[name] for name in _KEY})
    counts = keys.group_by(list(_KEY)).aggregate([([], "count_all")])
    twice = counts.filter(pc.greater(counts["count_all"], 1)).to_pylist()
    if twice:
        first = {name: twice[0][name] for name in _KEY}
        raise ExperimentError(f"{len(twice)} ratings are told more than once by one model, such as {first}; keep one row for each")


def _from_columns(columns: Mapping[str, NDArray[Any]]) -> Predictions:
    return Predictions(**columns)


def _column(table: pa.Table, name: str) -> NDArray[Any]:
    if name in _TEXTS:
        texts: NDArray[Any] = np.array(table[name].to_pylist(), dtype=object)
        return texts
    numbers: NDArray[Any] = table[name].to_numpy()
    return numbers
