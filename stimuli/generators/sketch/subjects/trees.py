"""Trees: a broad leafy one, a pine, a palm, a bare one, a blossoming one."""

import numpy as np

from stimuli.generators.sketch import shapes
from stimuli.generators.sketch.colours import BARK, BLUE_LEAF, DEEP_LEAF, FRESH_LEAF, LEAF, PINK, WHITE
from stimuli.generators.sketch.light import RGB, mix
from stimuli.generators.sketch.pen import Pen
from stimuli.generators.sketch.subjects.cast import Part
from stimuli.generators.sketch.subjects.foliage import fan, foliage

# Boughs of a round crown: where, and how large.
_BOUGHS = ((0.02, 0.6, 0.27), (-0.24, 0.56, 0.17), (0.26, 0.55, 0.17), (-0.17, 0.74, 0.19), (0.19, 0.73, 0.18), (0.0, 0.84, 0.17))


def tree(pen: Pen, part: Part) -> None:
    """Draw a broad leafy tree."""
    _trunk(pen)
    crown(pen, part, part.colour(LEAF), mix(FRESH_LEAF, (250, 220, 120), 0.2))


def blossom_tree(pen: Pen, part: Part) -> None:
    """Draw a tree in blossom, with fallen petals."""
    for a, b, c in part.rng.random((part.many(26), 3)).tolist():
        pen.ellipse((a - 0.5) * 0.9, -0.03 + 0.05 * b, 0.012, 0.006, PINK, 0.5 + 0.5 * c)
    _trunk(pen)
    crown(pen, part, mix(PINK, (200, 96, 130), 0.25), mix(PINK, WHITE, 0.65))


def _trunk(pen: Pen) -> None:
    pen.shadow(0.16, 0.0, 0.42, 0.05, 0.6)
    pen.poly([(-0.06, 0), (-0.032, 0.16), (-0.03, 0.6), (0.03, 0.6), (0.036, 0.16), (0.075, 0)], BARK, 0.3)
    pen.poly([(-0.06, 0), (-0.032, 0.16), (-0.03, 0.6), (-0.008, 0.6), (-0.012, 0.14), (-0.02, 0)], BARK, 0.85)
    pen.limb([(0.0, 0.36), (-0.1, 0.5), (-0.16, 0.62)], 0.036, 0.014, BARK, 0.6)
    pen.limb([(0.0, 0.4), (0.1, 0.52), (0.18, 0.6)], 0.034, 0.014, BARK, 0.3)


def crown(pen: Pen, part: Part, dark: RGB, bright: RGB) -> None:
    """Draw a crown of boughs, each from its shade to its lit upper left, with loose leaves."""
    rng = part.rng
    shift = 0.05 * (rng.random((6, 2)) - 0.5)
    boughs = [(u + float(a), v + float(b), r) for (u, v, r), (a, b) in zip(_BOUGHS, shift, strict=True)]
    for u, v, r in boughs:
        pen.poly([(u + x, v + y) for x, y in shapes.blob(rng, r, r * 0.84, rough=0.1)], mix(dark, DEEP_LEAF, 0.3), 0.1)
    inks = [pen.ink(mix(dark, bright, share), 0.2 + 0.9 * share) for share in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)]
    for step, (a, b, c) in enumerate(rng.random((part.many(96), 3)).tolist()):
        u, v, r = boughs[step % 6]
        turn, reach = 6.283 * a, r * b**0.5
        x, y = reach * np.cos(turn), reach * np.sin(turn) * 0.84
        light = 0.42 + 0.42 * (y - x * 0.7) / r + 0.4 * (v - 0.66) + 0.22 * (c - 0.5)
        pen.dot(u + x, v + y, 0.024 + 0.026 * c, 0.018 + 0.018 * c, inks[min(max(int(6 * light), 0), 5)])


def pine(pen: Pen, part: Part) -> None:
    """Draw a pine."""
    pen.shadow(0.1, 0.0, 0.3, 0.04, 0.6)
    pen.rect(-0.025, 0, 0.025, 0.2, BARK, 0.4)
    colour = part.colour(mix(DEEP_LEAF, BLUE_LEAF, 0.35))
    for tier in range(7):
        v, half = 0.1 + tier * 0.12, 0.29 * (1 - tier / 7.6)
        drop = [0.04 * r for r in part.rng.random(6).tolist()]
        foot = [(half * s, v - d) for s, d in zip((-1, -0.62, -0.25, 0.2, 0.6, 1), drop, strict=True)]
        pen.poly([*foot, (0.0, v + 0.24)], colour, 0.18 + 0.05 * tier)
        pen.poly([*foot[:3], (0.0, v + 0.24)], mix(colour, FRESH_LEAF, 0.16), 0.62 + 0.05 * tier)


def palm_tree(pen: Pen, part: Part) -> None:
    """Draw a palm tree that leans."""
    pen.shadow(0.1, 0.0, 0.32, 0.035, 0.6)
    line = [(0.0, 0.0), (0.05, 0.2), (0.1, 0.42), (0.17, 0.62), (0.26, 0.8)]
    pen.limb(line, 0.07, 0.036, BARK, 0.45)
    pen.limb([(u - 0.012, v) for u, v in line], 0.026, 0.014, BARK, 1.0)
    fronds = fan(part.rng, 13, reach=0.05, spread=1.75, length=0.42, narrow=0.62)
    foliage(pen.at(0.26, 0.78), part.rng, fronds, shapes.frond(), mix(LEAF, BLUE_LEAF, 0.2), rib=False)
    for u, v in ((0.23, 0.77), (0.28, 0.76), (0.26, 0.74)):
        pen.ellipse(u, v, 0.024, 0.026, (150, 96, 56), 0.6)


def bare_tree(pen: Pen, part: Part) -> None:
    """Draw a bare old tree."""
    pen.shadow(0.14, 0.0, 0.4, 0.045, 0.6)
    _branch(pen, part, 0.0, 0.0, np.pi / 2, 0.36, 0.1, 5)


def _branch(pen: Pen, part: Part, u: float, v: float, angle: float, length: float, width: float, left: int) -> None:
    a, b, c = part.rng.random(3).tolist()
    end = (u + length * np.cos(angle), v + length * np.sin(angle))
    pen.limb([(u, v), ((u + end[0]) / 2 + 0.02 * (a - 0.5), (v + end[1]) / 2), end], width, width * 0.6, BARK, 0.25 + 0.2 * left / 5)
    if left > 1:
        for turn in (0.32 + 0.4 * b, -0.32 - 0.4 * c):
            _branch(pen, part, *end, angle + turn, length * (0.66 + 0.14 * a), width * 0.58, left - 1)
