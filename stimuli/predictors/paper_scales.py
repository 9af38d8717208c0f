"""How the paper's model reads numbers: features centred and of one common size, ratings standardised in each data set."""

from dataclasses import dataclass

import numpy as np

from stimuli.experiment import ExperimentError
from stimuli.predictors.interface import Array, Codes, Looks, Rows


@dataclass(frozen=True, eq=False)
class Scale:
    """Features less `centre` (width,), divided by `size`: their root mean square is then one, and their directions are as before."""

    centre: Rows
    size: float

    def of(self, rows: Rows) -> Rows:
        """Return features as the network reads them, of the same shape."""
        return np.asarray((rows - self.centre) / np.float32(self.size), dtype=np.float32)


def scale(rows: Rows) -> Scale:
    """Return the scale of some features, shape (rows, width); constant ones become zero."""
    centre = rows.mean(axis=0, dtype=np.float64)
    size = float(np.sqrt(np.mean((rows - centre) ** 2)))
    return Scale(centre.astype(np.float32), size if size > 0 else 1.0)


@dataclass(frozen=True, eq=False)
class Scales:
    """One scale for each input, None where the input is left out."""

    image: Scale
    prompt: Scale | None
    metadata: Scale | None
    demographics: Scale | None


@dataclass(frozen=True, eq=False)
class Sources:
    """Which data set each rating is from: `code` is a place in `names`. An epoch holds equal shares of all, or shares by `weights`.

    A rating is told on the scale of its user's data set, and on that of the first where the user is nobody or new.
    """

    names: tuple[str, ...]
    code: Codes
    weights: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Source:
    """A data set, with the mean and the standard deviation of its ratings in training, and its share of every epoch."""

    name: str
    mean: float
    deviation: float
    weight: float


def measured(sources: Sources, rating: Array) -> tuple[Source, ...]:
    """Return the data sets of ratings.

    Raises:
        ExperimentError: columns are of different length, a data set has no ratings, or a weight is not above zero.
    """
    weights = sources.weights or (1.0,) * len(sources.names)
    if len(sources.code) != len(rating) or len(weights) != len(sources.names):
        raise ExperimentError(
            f"{len(rating)} ratings came with {len(sources.code)} codes of data sets, and {len(sources.names)} data sets with "
            f"{len(weights)} weights; give one of each"
        )
    counts = np.bincount(sources.code, minlength=len(sources.names))
    empty = [name for name, count in zip(sources.names, counts, strict=False) if not count]
    if empty or len(counts) > len(sources.names) or not all(weight > 0 for weight in weights):
        wrong = f'the data set "{empty[0]}" has no ratings' if empty else f"found {len(counts)} codes and the weights {weights}"
        raise ExperimentError(f"{wrong}; every data set needs a name, ratings and a weight above zero")
    found = []
    for number, (name, weight) in enumerate(zip(sources.names, weights, strict=True)):
        own = rating[sources.code == number]
        found.append(Source(name, float(own.mean()), float(own.std()) or 1.0, weight / sum(weights)))
    return tuple(found)


def scales(looks: Looks, said: Rows | None) -> Scales:
    """Return the scales of images, and of what their raters said of themselves."""
    return Scales(
        image=scale(looks.image),
        prompt=None if looks.prompt is None else scale(looks.prompt),
        metadata=None if looks.metadata is None else scale(looks.metadata),
        demographics=None if said is None else scale(said),
    )
