"""Which base tells everybody's liking better: the ridge, a network, or the average of both, by images that neither was taught."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from stimuli.predictors.interface import Array, Looks

Asked = Literal["auto", "network"]
Chosen = Literal["ridge", "network", "average"]
SHARES: dict[Chosen, float] = {"ridge": 0.0, "network": 1.0, "average": 0.5}


class Opinion(Protocol):
    """Everybody's liking by other means than the ridge."""

    def of(self, looks: Looks) -> Array:
        """Return the rating by an average person of each image, shape (images,)."""
        ...


@dataclass(frozen=True)
class BaseChoice:
    """Which base was `chosen`, and how well each told the mean ratings of `images` that it was not taught, in `folds` parts.

    `ridge`, `network` and `average` are root mean squared errors in points of the scale, images weighted by what their mean is
    worth. `gain` is by how much the better of the last two lowers the ridge's mean squared error, with its `standard_error` over images.
    """

    chosen: Chosen
    images: int
    folds: int
    ridge: float
    network: float
    average: float
    gain: float
    standard_error: float

    @property
    def share(self) -> float:
        """The share of the network in the base."""
        return SHARES[self.chosen]


@dataclass(frozen=True, eq=False)
class SecondOpinion:
    """What a base is made of beside the ridge, and why: `left_out` (images,) is what it gives each image that it was not taught."""

    opinion: Opinion | None
    left_out: Array
    choice: BaseChoice


def choose(means: Array, weights: Array, ridge: Array, network: Array, *, folds: int, asked: Asked = "auto") -> BaseChoice:
    """Return the base to use; all arrays are by image, `ridge` and `network` told without having been taught it.

    A network that helps by less than one standard error leaves the ridge, which is faster by far and knows how sure it is.
    """
    share = weights / weights.sum()
    told: dict[Chosen, Array] = {"ridge": ridge, "network": network, "average": (ridge + network) / 2}
    squares = {name: (means - one) ** 2 for name, one in told.items()}
    errors = {name: float(share @ each) for name, each in squares.items()}
    better: Chosen = "network" if errors["network"] < errors["average"] else "average"
    gains = squares["ridge"] - squares[better]
    gain = float(share @ gains)
    spread = float(np.sqrt(share**2 @ (gains - gain) ** 2))
    chosen: Chosen = "network" if asked == "network" else better if gain > spread else "ridge"
    rms = {name: float(np.sqrt(error)) for name, error in errors.items()}
    return BaseChoice(chosen, len(means), folds, rms["ridge"], rms["network"], rms["average"], gain, spread)
