"""Likeness of an image to a prompt: the drift guard, asked with the base prompt, whatever prompt the image was made from."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli.encoders import WEIGHTS
from stimuli.encoders.siglip import SigLipImages, SigLipTexts, load
from stimuli.machine.downloads import identity
from stimuli.machine.hardware import Means
from stimuli.scorers import Scorer, ScorerSpec, checkpoint, pictures

Array = NDArray[np.float64]

SKETCH = "sketch-likeness"


class SigLipSimilarity:
    """The cosine of SigLIP 2's two towers; of long prompts the first 64 tokens count."""

    def __init__(self, name: str, encoder: str, *, means: Means) -> None:
        self._weights, self._folder = WEIGHTS[encoder], means.folder(encoder)
        version = f"{identity(self._weights, self._folder)} 1"
        self.spec = ScorerSpec(name, version, -0.1, 0.3, higher_is_better=True, needs_prompt=True, stand_in=False)
        self._towers = checkpoint.Late(partial(load, self._weights, self._folder, device=means.device))

    def check(self) -> None:
        """Tell at once what would fail later.

        Raises:
            ExperimentError: a package or a file is missing.
        """
        checkpoint.check(self._weights, self._folder)

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> Array:
        """Return the cosine of each image and its prompt, -1 to 1, shape (images,)."""
        pairs = list(zip(pictures.plain(images), prompts, strict=True))
        if not pairs:
            return np.zeros(0)
        towers, texts = self._towers(), list(dict.fromkeys(prompts))
        seen = SigLipImages(towers).encode([image for image, _ in pairs]).astype(np.float64)
        read = SigLipTexts(towers).encode(texts).astype(np.float64)[[texts.index(prompt) for _, prompt in pairs]]
        cosine: Array = (seen * read).sum(axis=1)
        return cosine


def make(name: str, means: Means) -> Scorer:
    """Return the scorer of this name."""
    if name == SKETCH:
        # The painter is imported only where it is asked for.
        from stimuli.scorers.sketch_likeness import SketchLikeness

        return SketchLikeness(name)
    return SigLipSimilarity(name, "siglip2-base" if name == "siglip2-base-similarity" else "siglip2-so400m", means=means)
