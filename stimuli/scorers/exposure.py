"""Exposure: an honest stand-in for a held-out scorer. It asks only whether an image is lit so that one sees; steer nothing by it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli import pixels
from stimuli.machine.hardware import Means
from stimuli.scorers import Scorer, ScorerSpec, pictures

Array = NDArray[np.float64]

# Half of the score each: how much is neither crushed nor burnt, and how far the middle tones spread.
_CRUSHED, _BURNT = 0.06, 0.97
_MIDDLE = (0.1, 0.9)
_WIDE = 0.45


class Exposure:
    """Well-exposed area and spread of the middle tones, in per cent: nearly black, blown-out and flat images score low.

    Half is the share of pixels with a luma in 0.06..0.97; half is the distance between the tenth and the ninetieth percentile of
    luma, full at 0.45, times that share. It knows nothing of colour, content or taste.
    """

    spec = ScorerSpec(name="exposure", version="1", low=0, high=100, higher_is_better=True, needs_prompt=False, stand_in=True)

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> Array:
        """Return the exposure of each image, shape (images,)."""
        del prompts
        return np.array([_exposure(image) for image in pictures.plain(images)])


def _exposure(image: Image.Image) -> float:
    light = pixels.luma(pixels.rgb(image))
    seen = float(((light > _CRUSHED) & (light < _BURNT)).mean())
    low, high = np.quantile(light, _MIDDLE)
    return 50 * seen * (1 + min(1.0, float(high - low) / _WIDE))


def make(name: str, means: Means) -> Scorer:
    """Return the scorer."""
    del name, means
    return Exposure()
