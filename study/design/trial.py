"""One trial of a schedule: what is shown, and why."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["practice", "comparison", "repeat", "catch", "rating"]
Side = Literal["left", "right"]


@dataclass(frozen=True)
class Trial:
    """What one participant sees at one step. Answers to practice trials are never exported.

    `left` and `right` are ids of stimuli; a rating shows one image, `left`, and `right` is None. `block` counts the blocks
    between breaks from 0; practice is in the first. `expected` is the side that a catch trial asks for in words.
    """

    kind: Kind
    block: int
    prompt: str
    left: str
    right: str | None = None
    expected: Side | None = None
