"""Pieces of land: rocks on the ground, rocks that float, waterfalls, mushrooms and flowers in the grass."""

import numpy as np

from stimuli.generators.sketch import shapes
from stimuli.generators.sketch.colours import BLOSSOMS, CREAM, DARK_STONE, FRESH_LEAF, LEAF, MOSS, RED, STONE, WHITE
from stimuli.generators.sketch.light import mix
from stimuli.generators.sketch.pen import Pen
from stimuli.generators.sketch.stones import facet
from stimuli.generators.sketch.subjects.cast import Part
from stimuli.generators.sketch.subjects.foliage import blossom


def rocks(pen: Pen, part: Part) -> None:
    """Draw a group of boulders with moss on them."""
    pen.shadow(0.05, 0.02, 0.95, 0.16, 0.6)
    for u, v, size in ((0.28, 0.1, 0.8), (-0.36, 0.06, 0.86), (0.02, 0.0, 1.0), (0.52, -0.02, 0.5), (-0.6, -0.02, 0.45)):
        stone = pen.at(u, v, size)
        facet(stone, 0.3 + 0.7 * part.rng.random())
        for a, b, c in part.rng.random((6, 3)).tolist():
            stone.ellipse(-0.32 + 0.5 * a, 0.4 + 0.16 * b, 0.1, 0.05, MOSS, 0.4 + 0.7 * c)


def floating_rock(pen: Pen, part: Part) -> None:
    """Draw an island of rock in the air: grass and moss above, a tapering keel below, with roots and a fall of water."""
    rng = part.rng
    edge = 0.5 + 0.02 * (rng.random(9) - 0.5)
    steps = np.linspace(-1, 1, 9)
    keel = -0.52 * (1 - np.abs(steps) ** 1.5) - 0.05 - 0.1 * rng.random(9)
    under = [(float(0.96 * s * e), float(k)) for s, e, k in zip(steps, edge, keel, strict=True)]
    under[0], under[-1] = (-0.5, 0.02), (0.5, 0.02)
    pen.poly([*under, (0.4, 0.1), (-0.4, 0.1)], DARK_STONE, 0.18)
    for first in range(8):
        (a, b), (c, d) = under[first], under[first + 1]
        top = 0.06 - 0.05 * rng.random()
        lit = 1.0 - 0.12 * first + 0.2 * rng.random()
        pen.poly([(a, top), (c, top), (c * 0.9 + a * 0.1, d * 0.86), (a, b * 0.98)], mix(DARK_STONE, STONE, 0.75), lit)
        if first % 2:
            pen.poly([(a, b * 0.95), (c, d * 0.95), ((a + c) / 2, b * 0.25)], DARK_STONE, lit * 0.45)
    _moss(pen, part)
    for u in (-0.3, -0.1, 0.2, 0.34):
        hang = pen.at(u, -0.02 - 0.1 * rng.random())
        hang.stroke(shapes.trail(rng, 0.14 + 0.22 * rng.random(), sway=0.03), 0.008, pen.ink(mix(MOSS, LEAF, 0.5), 0.5))


def _moss(pen: Pen, part: Part) -> None:
    """Draw the green cap of a floating rock, and its overhang."""
    rng = part.rng
    for low, colour, lit in ((-0.09, mix(MOSS, LEAF, 0.55), 0.15), (-0.045, MOSS, 0.5)):
        fringe = [(float(u), float(low * (0.35 + 1.1 * r))) for u, r in zip(np.linspace(0.52, -0.52, 17), rng.random(17), strict=True)]
        pen.poly([(-0.52, 0.04), (-0.4, 0.11), (-0.1, 0.15), (0.2, 0.14), (0.42, 0.09), (0.52, 0.04), *fringe], colour, lit)
    inks = pen.ramp(mix(MOSS, FRESH_LEAF, 0.35), 0.3, 1.15)
    for a, b, c in rng.random((part.many(44), 3)).tolist():
        u = (a - 0.5) * 0.98
        dome = 0.15 * (1 - (2 * abs(u)) ** 2.4)
        pen.dot(u, dome * (0.1 + 0.9 * b), 0.05, 0.022, inks[min(int(6 * (0.25 + 0.5 * b + 0.25 * c) - 1.6 * u), 5) if u > -0.4 else 4])
    for u, size in ((-0.18, 0.15), (0.1, 0.2), (0.27, 0.12)):
        shrub = pen.at(u + 0.06 * (rng.random() - 0.5), 0.12)
        for x, y, r, lit in ((0.03, 0.0, 0.5, 0.2), (-0.16, 0.25, 0.42, 0.55), (0.14, 0.3, 0.36, 0.5), (-0.06, 0.52, 0.36, 1.0)):
            shrub.ellipse(x * size, y * size, r * size, r * size * 0.9, LEAF, lit)


def waterfall(pen: Pen, part: Part) -> None:
    """Draw a cliff with a waterfall."""
    pen.poly([(-0.62, 0), (-0.55, 0.7), (-0.4, 0.98), (-0.12, 1.0), (0.14, 0.98), (0.42, 1.0), (0.56, 0.74), (0.64, 0)], DARK_STONE, 0.4)
    for a, b, c in sorted(part.rng.random((22, 3)).tolist(), key=lambda row: -row[1]):
        facet(pen.at((a - 0.5) * 1.05, 0.78 * b, 0.24 + 0.14 * c), c)
    for u0, u1, colour, lit in (
        (-0.15, 0.15, (150, 196, 208), 0.5),
        (-0.12, 0.08, (206, 230, 234), 0.75),
        (-0.08, 0.0, WHITE, 1.0),
        (0.05, 0.08, WHITE, 0.9),
    ):
        pen.poly([(u0, 0.98), (u1, 0.98), (u1 * 1.35, 0.0), (u0 * 1.35, 0.0)], colour, lit)
    for a, b, c in part.rng.random((18, 3)).tolist():
        pen.ellipse((a - 0.5) * 0.6, 0.06 * b, 0.08, 0.035, WHITE, 0.6 + 0.4 * c)
    for a, b in part.rng.random((14, 2)).tolist():
        u = (a - 0.5) * 0.95
        if abs(u) > 0.18:
            pen.ellipse(u, 0.93 + 0.07 * b, 0.1, 0.05, MOSS, 0.3 + 0.8 * b)


def flowers(pen: Pen, part: Part) -> None:
    """Draw a clump of wild flowers."""
    rng = part.rng
    for a, b, c in rng.random((24, 3)).tolist():
        pen.limb([((a - 0.5) * 0.5, 0), ((a - 0.5) * 0.9, 0.3 + 0.3 * b)], 0.03, 0.006, mix(LEAF, FRESH_LEAF, b), 0.3 + 0.6 * c)
    for step, (a, b, c) in enumerate(sorted(rng.random((9, 3)).tolist(), key=lambda row: -row[1])):
        u, v = (a - 0.5) * 0.95, 0.42 + 0.48 * b
        pen.stroke([(u * 0.3, 0), (u * 0.75, v * 0.5), (u, v)], 0.014, pen.ink(LEAF, 0.5))
        blossom(pen.at(u, v, 0.2 + 0.06 * c), part.colour(BLOSSOMS[step % len(BLOSSOMS)]), turn=c * 6)


def mushroom(pen: Pen, part: Part) -> None:
    """Draw two spotted mushrooms."""
    for u, size in ((0.24, 0.62), (-0.1, 1.0)):
        cap = pen.at(u, 0, size)
        cap.shadow(0.05, 0.0, 0.34, 0.06, 0.6)
        cap.poly([(-0.08, 0), (0.1, 0), (0.06, 0.5), (-0.06, 0.5)], CREAM, 0.5)
        cap.poly([(-0.08, 0), (-0.02, 0), (-0.02, 0.5), (-0.06, 0.5)], CREAM, 0.95)
        dome = shapes.smooth(((-0.42, 0.46), (-0.36, 0.76), (0.0, 0.98), (0.36, 0.76), (0.42, 0.46), (0.0, 0.4)))
        cap.poly(dome, part.colour(RED), 0.35)
        cap.poly([(x * 0.84 - 0.05, y * 0.97 + 0.03) for x, y in dome], part.colour(RED), 0.75)
        for x, y, r in ((-0.16, 0.72, 0.07), (0.08, 0.84, 0.06), (0.2, 0.64, 0.06), (-0.28, 0.56, 0.05), (0.02, 0.58, 0.05)):
            cap.ellipse(x, y, r, r * 0.8, WHITE, 0.9)
