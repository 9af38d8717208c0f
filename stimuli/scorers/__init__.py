"""Scorers: an image in, a number out; one protocol for generic scorers and for the prediction of one person's taste."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli.machine.hardware import Means
from stimuli.parts import Shelf, UnknownPartError

Array = NDArray[np.float64]

PERSONAL = "personal"

# Adding a scorer is one file here and one line: the scorer's name, and the file whose `make(name, means)` returns it.
FILES: Mapping[str, str] = {
    "colourful": "generic",
    "crisp": "generic",
    "exposure": "exposure",
    "placebo": "placebo",
    "qalign-quality": "owl",
    "qalign-aesthetics": "owl",
    "deqa": "owl",
    "laion": "clip",
    "pickscore": "clip",
    "siglip2-similarity": "likeness",
    "siglip2-base-similarity": "likeness",
    "sketch-likeness": "likeness",
    "hpsv3": "hpsv3",
    "imagereward": "imagereward",
}

SHELF = Shelf(
    role="scorer",
    here=(*FILES, PERSONAL),
    later={},
    instead="colourful",
)

_TWO = 'scorer "qalign" is not known; did you mean "qalign-quality" or "qalign-aesthetics"?'


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
    """Anything that scores images. It is light and can be pickled; weights are loaded when it scores first."""

    @property
    def spec(self) -> ScorerSpec:
        """What the scores depend on."""
        ...

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> Array:
        """Return a score for each image and the prompt it was made from, shape (images,)."""
        ...


def make(name: str, *, means: Means | None = None) -> Scorer:
    """Return a generic scorer by name; for "personal" see `stimuli.scorers.personal`.

    Raises:
        UnknownPartError: the name is unknown, or comes with a later version.
    """
    if name not in FILES:
        raise UnknownPartError(_TWO) if name == "qalign" else SHELF.refusal(name)
    maker: Callable[[str, Means], Scorer] = import_module(f"stimuli.scorers.{FILES[name]}").make
    return maker(name, means or Means())
