"""What an encoder is: it turns images, or texts, into rows of numbers that depend on nothing but them and its name and version."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Rows = NDArray[np.float32]


@dataclass(frozen=True)
class EncoderSpec:
    """What features depend on besides the input: name, and version (weights, their revision, preprocessing); `width` numbers a row."""

    name: str
    version: str
    stand_in: bool
    width: int


class Encoder(Protocol):
    """Anything that turns images into features."""

    @property
    def spec(self) -> EncoderSpec:
        """What the features depend on."""
        ...

    def encode(self, images: Sequence[Image.Image]) -> Rows:
        """Return features, shape (images, width)."""
        ...


class TextEncoder(Protocol):
    """Anything that turns texts into features."""

    @property
    def spec(self) -> EncoderSpec:
        """What the features depend on."""
        ...

    def encode(self, texts: Sequence[str]) -> Rows:
        """Return features, shape (texts, width)."""
        ...
