"""Simulated raters with known tastes: how much each truly likes an image, computed from its pixels, and how they rate."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli import pixels
from stimuli.experiment import ExperimentError, write_whole

Array = NDArray[np.float64]

# What a simulated rater looks at.
QUALITIES: Mapping[str, Callable[[Array], float]] = MappingProxyType(
    {
        "brightness": pixels.brightness,
        "warmth": pixels.warmth,
        "colourfulness": pixels.colourfulness,
        "contrast": pixels.contrast,
        "detail": pixels.detail,
        "openness": pixels.openness,
    }
)

# Per quality, in standard deviations from the average image of the rated data set: what everybody likes best, and the standard
# deviation of personal ideals around it (uniform, so that nobody is extreme). Moderately colourful and contrasty: a scorer that
# only ever wants more of either goes too far.
_IDEALS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "brightness": (-0.7, 0.8),
        "warmth": (1.3, 0.8),
        "colourfulness": (0.8, 0.7),
        "contrast": (1.0, 0.6),
        "detail": (0.7, 0.5),
        "openness": (-0.5, 0.4),
    }
)
_STRENGTH = 1.8  # logits per squared standard deviation from the ideal, halved, when near
_TOLERANCE = 2.0  # standard deviations from the ideal beyond which it matters ever less how far

# Standard deviations of the published size on the scale 1..5 (design of the synthetic benchmark).
_POINTS_PER_LOGIT = 0.26
_HARSHNESS = 0.4
_NOISE = 0.6
_MIDDLE = 3.2


@dataclass(frozen=True)
class Taste:
    """What one simulated rater likes best: `ideal` of each quality in standard deviations; `harshness` is added to every rating."""

    user: str
    ideal: Mapping[str, float]
    harshness: float


@dataclass(frozen=True)
class Tastes:
    """Simulated raters, and the mean (`centre`) and standard deviation (`scale`) of each quality over the rated images."""

    centre: Mapping[str, float]
    scale: Mapping[str, float]
    tastes: tuple[Taste, ...]

    @property
    def users(self) -> tuple[str, ...]:
        """The names of the raters, in order."""
        return tuple(taste.user for taste in self.tastes)


def settings() -> dict[str, object]:
    """Return all constants that tastes and ratings depend on."""
    return {
        "ideals": {name: list(ideal) for name, ideal in _IDEALS.items()},
        "strength": _STRENGTH,
        "tolerance": _TOLERANCE,
        "points_per_logit": _POINTS_PER_LOGIT,
        "harshness": _HARSHNESS,
        "noise": _NOISE,
        "middle": _MIDDLE,
    }


def names(number: int) -> tuple[str, ...]:
    """Return the names of simulated raters.

    >>> names(3)
    ('rater-01', 'rater-02', 'rater-03')
    """
    width = max(2, len(str(number)))
    return tuple(f"rater-{index:0{width}d}" for index in range(1, number + 1))


def newcomers(number: int) -> tuple[str, ...]:
    """Return the names of simulated people who rated nothing yet.

    >>> newcomers(2)
    ('newcomer-1', 'newcomer-2')
    """
    return tuple(f"newcomer-{index}" for index in range(1, number + 1))


def qualities(images: Sequence[Image.Image]) -> Array:
    """Return how much of each of `QUALITIES` each image has, shape (images, qualities)."""
    return np.array([[measure(colours) for measure in QUALITIES.values()] for colours in map(pixels.rgb, images)]).reshape(
        -1, len(QUALITIES)
    )


def invent(number: int, measured: Array, rng: np.random.Generator, *, users: Sequence[str] | None = None) -> Tastes:
    """Return `number` raters with tastes drawn around the common one; `measured` holds the qualities of the images they will rate.

    They are called `users`, or rater-01 and so on.
    """
    scale = measured.std(axis=0)
    common, spread = np.array([_IDEALS[name] for name in QUALITIES]).T
    ideals = common + spread * rng.uniform(-np.sqrt(3), np.sqrt(3), (number, len(QUALITIES)))
    harshness = _HARSHNESS * rng.standard_normal(number)
    return Tastes(
        centre=_named(measured.mean(axis=0)),
        scale=_named(np.where(scale > 0, scale, 1.0)),
        tastes=tuple(
            Taste(user, _named(ideal), float(harsh)) for user, ideal, harsh in zip(users or names(number), ideals, harshness, strict=True)
        ),
    )


def utilities(tastes: Tastes, measured: Array) -> Array:
    """Return how much each rater truly likes each image, in logits, shape (raters, images); 0 is the rater's ideal image.

    Each quality costs its distance from the rater's ideal: quadratic when near, ever flatter when far (the logarithm of a
    Student t density), because somebody who finds an image far too colourful hardly cares how much.
    """
    centre, scale = _values(tastes.centre), _values(tastes.scale)
    ideals = np.array([_values(taste.ideal) for taste in tastes.tastes])
    distance = ((measured - centre) / scale)[None, :, :] - ideals[:, None, :]
    liking: Array = -_STRENGTH * _TOLERANCE**2 * np.log1p((distance / _TOLERANCE) ** 2 / 2).sum(axis=2)
    return liking


def rate(tastes: Tastes, measured: Array, rng: np.random.Generator) -> Array:
    """Return a rating in 1..5 by each rater of each image, shape (raters, images): consensus, taste, harshness and noise, clipped."""
    liking = utilities(tastes, measured)
    harshness = np.array([taste.harshness for taste in tastes.tastes])[:, None]
    noise = _NOISE * rng.standard_normal(liking.shape)
    rating: Array = np.clip(_MIDDLE + _POINTS_PER_LOGIT * (liking - liking.mean()) + harshness + noise, 1, 5)
    return rating


def tastes_file(folder: Path) -> Path:
    """Return where the known tastes of a simulated data set lie."""
    return folder / "tastes.json"


def write(path: Path, tastes: Tastes) -> None:
    """Write the known tastes as JSON."""
    write_whole(path, (json.dumps(asdict(tastes), indent=2) + "\n").encode())


def read(path: Path) -> Tastes:
    """Return the tastes in a JSON file.

    Raises:
        ExperimentError: the file holds no tastes of this version.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        tastes = tuple(Taste(**entry) for entry in content["tastes"])
        found = Tastes(content["centre"], content["scale"], tastes)
        utilities(found, np.zeros((1, len(QUALITIES))))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ExperimentError(f"{path}: holds no tastes of this version ({error}); make the ratings again") from error
    return found


def _named(values: Array) -> dict[str, float]:
    return dict(zip(QUALITIES, map(float, values), strict=True))


def _values(named: Mapping[str, float]) -> Array:
    return np.array([named[name] for name in QUALITIES])
