"""What every predictor takes and gives: looks of images, people, ratings, and predictions with their uncertainty."""

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from stimuli.experiment import ExperimentError

Array = NDArray[np.float64]
Rows = NDArray[np.float32]
Codes = NDArray[np.intp]


class UnknownUserError(ExperimentError):
    """The predictor was asked about somebody whose ratings it never saw."""


class EncoderMismatchError(ExperimentError):
    """Images were encoded otherwise than those that the predictor was trained on."""


@dataclass(frozen=True)
class Looks:
    """What is known of some images, one row each: frozen features and the group they belong to.

    `image` (images, width) comes from the image encoder `encoder`; `prompt` and `metadata` (images, width) from text encoders,
    None where there are none. `group` holds one label an image, such as "art" or "photo"; "" where nothing is known.
    """

    encoder: str
    image: Rows
    group: tuple[str, ...]
    prompt: Rows | None = None
    metadata: Rows | None = None

    def __len__(self) -> int:
        return len(self.image)

    def at(self, rows: Codes) -> "Looks":
        """Return some of the images, in this order."""
        return Looks(
            self.encoder,
            self.image[rows],
            tuple(self.group[row] for row in rows),
            None if self.prompt is None else self.prompt[rows],
            None if self.metadata is None else self.metadata[rows],
        )


@dataclass(frozen=True)
class People:
    """Who rated: ids, and what they said of themselves as numbers, shape (users, features); None where nobody was asked."""

    users: tuple[str, ...]
    demographics: Rows | None = None


@dataclass(frozen=True)
class Judgements:
    """Ratings 1..5 as three columns of equal length: rows of `People`, rows of `Looks`, and the ratings themselves."""

    user: Codes
    image: Codes
    rating: Array

    def __len__(self) -> int:
        return len(self.rating)


@dataclass(frozen=True)
class Prediction:
    """Expected ratings on the scale of the data, and the standard deviation of one rating around them; equal shapes."""

    mean: Array
    standard_deviation: Array


class Fitted(Protocol):
    """A predictor that has learnt from ratings. It never changes: adapting returns a new one."""

    @property
    def encoder(self) -> str:
        """The image encoder whose features it knows."""
        ...

    @property
    def users(self) -> tuple[str, ...]:
        """Whom it knows."""
        ...

    def predict(self, looks: Looks, user: str | None) -> Prediction:
        """Return what `user` will rate the images, shape (images,); None is an average person.

        Raises:
            UnknownUserError: the user is not among those it knows.
            EncoderMismatchError: the images were encoded otherwise.
        """
        ...

    def adapt(self, user: str, looks: Looks, ratings: Array, *, demographics: Rows | None = None) -> Self:
        """Return a predictor that knows `user` by these ratings; earlier ratings of the same user are forgotten."""
        ...
