"""Parity: how far two scorers are apart on the same images, ours and the official package in its own environment for one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli.scorers import Scorer

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Parity:
    """The scores of two scorers for the same images, shape (images,) each, in the same order."""

    ours: str
    theirs: str
    our_scores: Array
    their_scores: Array

    @property
    def largest(self) -> float:
        """The largest difference between the two scores of one image."""
        return float(np.abs(self.our_scores - self.their_scores).max())

    @property
    def worst(self) -> int:
        """Which image has the largest difference, counted from 0."""
        return int(np.abs(self.our_scores - self.their_scores).argmax())

    @property
    def same_order(self) -> bool:
        """Whether both scorers put the images in the same order."""
        return bool((np.argsort(self.our_scores, kind="stable") == np.argsort(self.their_scores, kind="stable")).all())

    def __str__(self) -> str:
        mine, other = self.our_scores[self.worst], self.their_scores[self.worst]
        span = float(np.ptp(self.their_scores))
        return (
            f"{self.ours} and {self.theirs} differ by at most {self.largest:.2g} on {len(self.our_scores)} images "
            f"(image {self.worst + 1}: {mine:.6g} and {other:.6g}), whose scores span {span:.3g}; "
            f"they put the images in {'the same order' if self.same_order else 'different orders'}"
        )


def compare(ours: Scorer, theirs: Scorer, images: Sequence[Image.Image], prompts: Sequence[str]) -> Parity:
    """Return the scores of both for the same images and prompts.

    Raises:
        ValueError: there are no images.
        ExperimentError: one of the scorers cannot score them.
    """
    if not images:
        raise ValueError("no images to compare two scorers on")
    return Parity(ours.spec.name, theirs.spec.name, ours.score(images, prompts), theirs.score(images, prompts))
