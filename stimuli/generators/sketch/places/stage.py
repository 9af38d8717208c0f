"""The stage: what a place is told when it is painted, and where in it things can stand, hang, float and swim."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stimuli.generators.sketch.light import Light
from stimuli.generators.sketch.pen import Pen


@dataclass(frozen=True)
class Stage:
    """What a place is told. `pen` has the frame as its unit; `horizon` is where ground and air meet, as a height in it."""

    pen: Pen
    rng: np.random.Generator
    horizon: float
    hero_u: float
    busy: float
    far: float  # how large the distance looks
    land: bool  # something in the picture has to stand on firm ground
    alone: bool  # there is only one subject
    symmetrical: bool
    features: frozenset[str]  # distant things the text speaks of, such as "mountains"

    @property
    def light(self) -> Light:
        """The light that falls on the place."""
        return self.pen.light

    def has(self, feature: str) -> bool:
        """Tell whether the text speaks of a distant thing."""
        return feature in self.features

    def many(self, count: int) -> int:
        """Return a count of small things that suits how busy the picture may be, at least 1."""
        return max(round(count * self.busy), 1)


@dataclass(frozen=True)
class Spot:
    """A point where something can be painted, its size against the main subject's, and how far away it is (0-1)."""

    u: float
    v: float
    size: float = 1.0
    depth: float = 0.0


@dataclass(frozen=True)
class Place:
    """One kind of surroundings: what is painted behind the subjects and before them, and where subjects go."""

    back: Callable[[Stage], None]
    front: Callable[[Stage], None]
    spots: Callable[[Stage, str], list[Spot]]
    indoors: bool = False
    foot: float = 0.36  # where the main subject stands, as a share of the horizon's height


def nothing(stage: Stage) -> None:
    """Paint nothing."""
    del stage


def side_of(stage: Stage) -> float:
    """Return +1 where the free half of the picture is on the right of the main subject, else -1."""
    return 1.0 if stage.hero_u <= 0.5 else -1.0


def outdoor_spots(stage: Stage, kind: str) -> list[Spot]:
    """Return where things go on open ground or water: the main one first, its companions around it and farther off."""
    h, u, side = stage.horizon, stage.hero_u, side_of(stage)
    if kind == "aloft":
        # Seen from above, things in the air stand before the ground.
        level = min(h + 0.26, 0.66)
        return [
            Spot(u, level),
            Spot(u + 0.33 * side, level + 0.14, 0.5, 0.3),
            Spot(u - 0.3 * side, level + 0.18, 0.4, 0.4),
            Spot(u + 0.12, level + 0.24, 0.3, 0.5),
        ]
    if kind == "hang":
        top = min(stage.pen.top, 1.02)
        return [
            Spot(u - 0.28 * side, top, 0.9),
            Spot(u + 0.36 * side, top, 0.75),
            Spot(u + 0.1 * side, top, 0.5),
            Spot(u - 0.42 * side, top, 0.6),
        ]
    if kind == "distant":
        return [Spot(0.5, h - 0.01)]
    near, step = (0.52, 0.12) if kind == "water" else (0.36, 0.14)
    return [
        Spot(u, h * near),
        Spot(u + 0.34 * side, h * (near + step), 0.6, 0.14),
        Spot(u - 0.32 * side, h * (near + 1.6 * step), 0.48, 0.22),
        Spot(u + 0.16 * side, h * (near + 2.4 * step), 0.34, 0.36),
        Spot(u + 0.46 * side, h * (near + 3 * step), 0.26, 0.45),
    ]


def table_spots(stage: Stage, kind: str) -> list[Spot]:
    """Return where things go on a table: in a loose row, the main one in front."""
    if kind in ("hang", "aloft"):
        return indoor_spots(stage, kind)
    h, u, side = stage.horizon, stage.hero_u, side_of(stage)
    if not stage.alone and not stage.symmetrical:
        u -= 0.13 * side
    return [
        Spot(u, h * 0.42, 1.0 if stage.alone else 0.8),
        Spot(u + 0.42 * side, h * 0.56, 0.66),
        Spot(u - 0.26 * side, h * 0.74, 0.5),
        Spot(u + 0.2 * side, h * 0.86, 0.5),
        Spot(u + 0.3 * side, h * 0.2, 0.36),
    ]


def indoor_spots(stage: Stage, kind: str) -> list[Spot]:
    """Return where things go in a room: on the floor, hanging from above, or small things at the main one's feet."""
    h, u, side = stage.horizon, stage.hero_u, side_of(stage)
    if kind == "hang":
        top = min(stage.pen.top, 1.01)
        return [
            Spot(u + 0.28 * side, top, 1.0),
            Spot(u - 0.3 * side, top, 0.8),
            Spot(u + 0.43 * side, top, 0.7),
            Spot(u - 0.06 * side, top, 0.6),
            Spot(u - 0.42 * side, top, 0.9),
        ]
    if kind == "aloft":
        return [Spot(u, h + 0.34), Spot(u + 0.3 * side, h + 0.45, 0.5), Spot(u - 0.28 * side, h + 0.4, 0.4)]
    return [
        Spot(u, h * 0.42),
        Spot(u + 0.36 * side, h * 0.62, 0.84),
        Spot(u - 0.36 * side, h * 0.7, 0.72),
        Spot(u + 0.17 * side, h * 0.9, 0.6),
        Spot(u - 0.2 * side, h * 0.2, 0.42),
    ]
