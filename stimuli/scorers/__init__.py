"""Scorers: an image in, a number out; one protocol for generic scorers and for the prediction of one person's taste."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli.parts import Shelf

Array = NDArray[np.float64]

PERSONAL = "personal"

SHELF = Shelf(
    role="scorer",
    here=("colourful", "crisp", PERSONAL),
    later={
        "hpsv3": "HPSv3",
        "qalign": "Q-Align",
        "qalign-quality": "Q-Align (quality)",
        "qalign-aesthetics": "Q-Align (aesthetics)",
        "deqa": "DeQA-Score",
        "imagereward": "ImageReward",
        "laion": "the LAION aesthetic predictor",
        "pickscore": "PickScore",
    },
    instead="colourful",
)


@dataclass(frozen=True)
class ScorerSpec:
    """What a score depends on besides image and prompt, and how to read it: from `low` to `high` for usual images."""

    name: str
    version: str
    low: float
    high: float
    higher_is_better: bool
    needs_prompt: bool
    stand_in: bool


class Scorer(Protocol):
    """Anything that scores images."""

    @property
    def spec(self) -> ScorerSpec:
        """What the scores depend on."""
        ...

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> Array:
        """Return a score for each image and the prompt it was made from, shape (images,)."""
        ...


def make(name: str) -> Scorer:
    """Return a generic scorer by name; for "personal" see `stimuli.scorers.personal`.

    Raises:
        UnknownPartError: the name is unknown, or comes with a later version.
    """
    from stimuli.scorers import generic

    if name == "colourful":
        return generic.Colourful()
    if name == "crisp":
        return generic.Crisp()
    raise SHELF.refusal(name)
