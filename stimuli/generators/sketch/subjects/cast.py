"""The cast: what a drawing is told about the thing it shows, and what the painter knows of each subject."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stimuli.generators.sketch.light import RGB
from stimuli.generators.sketch.pen import Pen


@dataclass(frozen=True)
class Part:
    """What one drawing is told: its own random numbers, a colour the text gave, how busy the picture may be."""

    rng: np.random.Generator
    accent: RGB | None = None
    busy: float = 1.0

    def colour(self, otherwise: RGB) -> RGB:
        """Return the colour that the text gave, or else the usual one."""
        return self.accent or otherwise

    def many(self, count: int) -> int:
        """Return a count of small things that suits how busy the picture may be, at least 1."""
        return max(round(count * self.busy), 1)


@dataclass(frozen=True)
class Subject:
    """One thing that can be painted.

    `draw` paints it one unit tall over the pen's origin ("ground", "water", "table"), one unit wide around it ("aloft"),
    or one unit long below it ("hang"). `height` is its size as the main subject, as a share of the frame.
    """

    draw: Callable[[Pen, Part], None]
    place: str
    spot: str
    height: float
    copies: int = 1
