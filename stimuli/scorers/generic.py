"""Two honest stand-ins for generic scorers: one loves colour, the other contrast and sharpness, and both always want more."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli import pixels
from stimuli.machine.hardware import Means
from stimuli.scorers import Scorer, ScorerSpec

Array = NDArray[np.float64]


class Colourful:
    """The colourfulness of Hasler and Süsstrunk (2003) in per cent; a stand-in for scorers that reward saturation."""

    spec = ScorerSpec(name="colourful", version="1", low=0, high=100, higher_is_better=True, needs_prompt=False, stand_in=True)

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> Array:
        """Return the colourfulness of each image, shape (images,)."""
        del prompts
        return np.array([100 * pixels.colourfulness(pixels.rgb(image)) for image in images])


class Crisp:
    """Contrast and mean gradient, each in per cent, added; a stand-in for scorers that reward contrast and sharpness."""

    spec = ScorerSpec(name="crisp", version="1", low=0, high=100, higher_is_better=True, needs_prompt=False, stand_in=True)

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> Array:
        """Return the crispness of each image, shape (images,)."""
        del prompts
        measured = map(pixels.rgb, images)
        return np.array([100 * (pixels.contrast(colours) + pixels.detail(colours)) for colours in measured])


def make(name: str, means: Means) -> Scorer:
    """Return the scorer of this name."""
    del means
    return Colourful() if name == "colourful" else Crisp()
