"""The placebo: scores that know nothing of an image, and are the same whenever they are asked; what steering toward it gains is luck."""

import hashlib
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli.machine.hardware import Means
from stimuli.scorers import Scorer, ScorerSpec, pictures

Array = NDArray[np.float64]

_BYTES = 6
_NORMAL = NormalDist()


class Placebo:
    """A standard normal quantile of the SHA-256 of seed, size and pixels; with another `seed` it is another, unrelated judge.

    Scores of different images are like independent draws: about 95 in 100 lie between -2 and 2, and none beyond 8.2.
    """

    def __init__(self, name: str = "placebo", *, seed: int | str = 0) -> None:
        self.spec = ScorerSpec(name, f"1 seed {seed}", -2, 2, higher_is_better=True, needs_prompt=False, stand_in=False)
        self._seed = seed

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> Array:
        """Return a score for each image, shape (images,)."""
        del prompts
        return np.array([_NORMAL.inv_cdf(self._share(image)) for image in pictures.plain(images)])

    def _share(self, image: Image.Image) -> float:
        """Return a number that is evenly spread between 0 and 1, and never either."""
        digest = hashlib.sha256(f"{self._seed} {image.size} ".encode() + image.tobytes()).digest()
        return (int.from_bytes(digest[:_BYTES], "big") + 0.5) / 2.0 ** (8 * _BYTES)


def make(name: str, means: Means) -> Scorer:
    """Return the placebo of nobody in particular; a target user's own has the user's id as seed."""
    del means
    return Placebo(name)
