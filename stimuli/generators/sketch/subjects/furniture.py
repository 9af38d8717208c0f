"""Furniture: armchair, sofa, chair, bed, lamp, a small bookshelf, a piano, a ladder, winding stairs."""

from itertools import pairwise

import numpy as np

from stimuli.generators.sketch import shapes
from stimuli.generators.sketch.colours import BLACK, BOOKS, BRASS, CREAM, DARK_WOOD, IRON, LAMP, LEATHER, NAMED, TEAL, WHITE, WOOD
from stimuli.generators.sketch.light import RGB, mix
from stimuli.generators.sketch.pen import Pen
from stimuli.generators.sketch.subjects.cast import Part
from stimuli.generators.sketch.subjects.creatures import modelled


def cushion(pen: Pen, u: float, v: float, width: float, height: float, colour: RGB, lit: float) -> None:
    """Draw a block of upholstery with round corners and a light upper edge."""
    r = min(width, height) * 0.28
    corners = (
        (u, v + r),
        (u, v + height - r),
        (u + r, v + height),
        (u + width - r, v + height),
        (u + width, v + height - r),
        (u + width, v + r),
        (u + width - r, v),
        (u + r, v),
    )
    outline = shapes.smooth(corners, rounds=1)
    pen.poly(outline, colour, lit - 0.25)
    pen.poly([(u + (x - u) * 0.94, v + height * 0.12 + (y - v) * 0.88) for x, y in outline], colour, lit)
    pen.poly(
        [(u + 0.06 * width + (x - u) * 0.8, v + height * 0.72 + (y - v) * 0.22) for x, y in outline], mix(colour, WHITE, 0.12), lit + 0.25
    )


def armchair(pen: Pen, part: Part) -> None:
    """Draw an armchair with a cushion and a blanket."""
    leather = part.colour(LEATHER)
    pen.shadow(0.06, 0.02, 0.66, 0.1, 0.75)
    for u in (-0.4, 0.34):
        pen.poly([(u, 0), (u + 0.05, 0), (u + 0.07, 0.13), (u - 0.02, 0.13)], DARK_WOOD, 0.5)
    cushion(pen, -0.38, 0.26, 0.76, 0.72, leather, 0.5)
    for row, count in ((0.84, 4), (0.72, 3), (0.6, 4)):
        for step in range(count):
            u = (step - (count - 1) / 2) * 0.17
            pen.ellipse(u, row, 0.014, 0.014, mix(leather, BLACK, 0.55), 0.4)
    cushion(pen, -0.36, 0.26, 0.72, 0.2, leather, 0.85)
    pen.rect(-0.4, 0.1, 0.4, 0.28, leather, 0.3)
    cushion(pen, -0.52, 0.08, 0.2, 0.5, leather, 0.85)
    cushion(pen, 0.32, 0.08, 0.2, 0.5, leather, 0.45)
    for u in (-0.42, 0.42):
        pen.ellipse(u, 0.5, 0.05, 0.05, mix(leather, BLACK, 0.25), 0.5)
        pen.ellipse(u, 0.5, 0.02, 0.02, BRASS, 0.8)
    pillow = [(-0.02, 0.43), (0.2, 0.4), (0.26, 0.62), (0.04, 0.66)]
    pen.poly(shapes.smooth(tuple(pillow), rounds=1), NAMED["mustard"], 0.6)
    pen.poly(shapes.smooth(tuple((u * 0.9 - 0.005, v * 0.96 + 0.02) for u, v in pillow), rounds=1), NAMED["mustard"], 0.95)


def sofa(pen: Pen, part: Part) -> None:
    """Draw a sofa with two cushions."""
    cloth = part.colour(TEAL)
    pen.shadow(0.06, 0.02, 1.1, 0.12, 0.7)
    for u in (-0.86, 0.8):
        pen.rect(u, 0, u + 0.06, 0.12, DARK_WOOD, 0.5)
    cushion(pen, -0.86, 0.3, 0.86, 0.6, cloth, 0.6)
    cushion(pen, 0.0, 0.3, 0.86, 0.6, cloth, 0.5)
    pen.rect(-0.86, 0.1, 0.86, 0.32, cloth, 0.3)
    cushion(pen, -0.82, 0.26, 0.82, 0.22, cloth, 0.95)
    cushion(pen, 0.0, 0.26, 0.82, 0.22, cloth, 0.85)
    cushion(pen, -1.0, 0.08, 0.2, 0.54, cloth, 0.9)
    cushion(pen, 0.8, 0.08, 0.2, 0.54, cloth, 0.45)
    cushion(pen, -0.74, 0.42, 0.32, 0.3, NAMED["mustard"], 0.8)
    cushion(pen, 0.44, 0.42, 0.32, 0.3, CREAM, 0.7)


def chair(pen: Pen, part: Part) -> None:
    """Draw a wooden chair."""
    timber = part.colour(WOOD)
    pen.shadow(0.05, 0.01, 0.38, 0.06, 0.6)
    for u in (-0.24, 0.2):
        pen.rect(u, 0.12, u + 0.04, 0.98, timber, 0.4)
    for v in (0.62, 0.74, 0.86):
        pen.rect(-0.24, v, 0.24, v + 0.05, timber, 0.75)
    pen.poly([(-0.26, 0.5), (0.26, 0.5), (0.34, 0.4), (-0.34, 0.4)], timber, 1.0)
    pen.rect(-0.34, 0.36, 0.34, 0.4, timber, 0.45)
    for u in (-0.33, 0.28):
        pen.rect(u, 0, u + 0.05, 0.37, timber, 0.65 if u < 0 else 0.4)


def bed(pen: Pen, part: Part) -> None:
    """Draw a bed with pillows and a blanket."""
    cover = part.colour(NAMED["navy"])
    pen.shadow(0.05, 0.02, 1.15, 0.12, 0.7)
    pen.rect(-1.0, 0.0, -0.92, 0.9, WOOD, 0.7)
    pen.rect(-0.95, 0.28, -0.86, 0.86, WOOD, 0.45)
    pen.rect(-0.95, 0.12, 1.0, 0.3, WOOD, 0.5)
    pen.rect(0.93, 0.0, 1.0, 0.42, WOOD, 0.6)
    cushion(pen, -0.94, 0.28, 1.9, 0.22, WHITE, 0.7)
    modelled(pen, ((-0.34, 0.2), (0.96, 0.18), (0.98, 0.46), (0.6, 0.56), (0.0, 0.58), (-0.36, 0.52)), cover)
    pen.poly([(-0.36, 0.2), (-0.2, 0.2), (-0.18, 0.57), (-0.36, 0.53)], CREAM, 0.8)
    cushion(pen, -0.9, 0.44, 0.46, 0.24, CREAM, 0.8)


def lamp(pen: Pen, part: Part) -> None:
    """Draw a standing lamp that shines."""
    pen.shadow(0.03, 0.01, 0.16, 0.03, 0.6)
    pen.ellipse(0, 0.015, 0.1, 0.02, IRON, 0.6)
    pen.rect(-0.009, 0.01, 0.009, 0.76, BRASS, 0.7)
    shade = part.colour(CREAM)
    pen.poly([(-0.17, 0.72), (0.17, 0.72), (0.1, 0.97), (-0.1, 0.97)], mix(shade, LAMP, 0.5), None if pen.light.lamps > 0.2 else 0.8)
    pen.poly([(0.05, 0.72), (0.17, 0.72), (0.1, 0.97), (0.04, 0.97)], mix(shade, LAMP, 0.3), 0.5)
    pen.lamp(0, 0.76, 0.55)


def bookshelf(pen: Pen, part: Part) -> None:
    """Draw a small free-standing bookshelf."""
    pen.shadow(0.05, 0.01, 0.42, 0.05, 0.6)
    pen.rect(-0.32, 0, 0.32, 1.0, WOOD, 0.3)
    for row in range(4):
        v = 0.05 + row * 0.24
        pen.rect(-0.28, v, 0.28, v + 0.2, DARK_WOOD, 0.1)
        u = -0.27
        for a, b, c in part.rng.random((11, 3)).tolist():
            wide = 0.03 + 0.025 * a
            if u + wide < 0.27:
                pen.rect(u, v, u + wide, v + 0.12 + 0.07 * b, BOOKS[int(c * 12)], 0.5 + 0.3 * a)
            u += wide + 0.004
    for u in (-0.32, 0.28):
        pen.rect(u, 0, u + 0.04, 1.0, WOOD, 0.9 if u < 0 else 0.5)
    pen.rect(-0.34, 0.98, 0.34, 1.02, WOOD, 0.95)


def piano(pen: Pen, part: Part) -> None:
    """Draw an upright piano."""
    case = part.colour(DARK_WOOD)
    pen.shadow(0.05, 0.01, 0.8, 0.08, 0.7)
    pen.rect(-0.66, 0.06, 0.66, 1.0, case, 0.3)
    pen.rect(-0.6, 0.6, 0.6, 0.94, case, 0.6)
    pen.rect(-0.7, 0.97, 0.7, 1.03, case, 0.95)
    pen.rect(-0.7, 0.4, 0.7, 0.47, case, 0.85)
    pen.rect(-0.64, 0.46, 0.64, 0.53, WHITE, 0.8)
    for step in range(18):
        u = -0.6 + step * 0.07
        pen.rect(u, 0.49, u + 0.03, 0.53, BLACK, 0.4)
    pen.poly([(-0.16, 0.6), (0.16, 0.6), (0.14, 0.8), (-0.14, 0.8)], CREAM, 0.85)
    for u in (-0.64, 0.56):
        pen.rect(u, 0, u + 0.08, 0.42, case, 0.6)


def ladder(pen: Pen, part: Part) -> None:
    """Draw a ladder that leans to the right."""
    wood = part.colour(WOOD)
    pen.shadow(0.0, 0.0, 0.3, 0.03, 0.5)
    for step in range(1, 9):
        v, shift = step / 9, 0.26 * step / 9
        half = 0.13 - 0.045 * step / 9
        pen.line([(shift - half, v), (shift + half, v)], 0.022, wood, 0.8)
    for side, lit in ((-1, 0.95), (1, 0.4)):
        pen.line([(side * 0.14, 0.0), (0.26 + side * 0.085, 1.0)], 0.032, wood, lit)


def spiral_stairs(pen: Pen, part: Part) -> None:
    """Draw a staircase that winds around a post, its far side first."""
    paint = part.colour(CREAM)
    pen.shadow(0.0, 0.0, 0.42, 0.06, 0.7)
    turns, count, reach = 1.75, 22, 0.36
    steps = [(number / count, 2 * np.pi * (turns * number / count - 0.1)) for number in range(count + 1)]
    for behind in (True, False):
        if not behind:
            pen.rect(-0.035, 0.0, 0.035, 1.02, paint, 0.3)
            pen.rect(-0.035, 0.0, -0.005, 1.02, paint, 0.9)
        for (v0, one), (v1, other) in pairwise(steps):
            if (np.sin((one + other) / 2) > 0) != behind:
                continue
            outer = [(reach * np.cos(angle), v - 0.05 * np.sin(angle)) for v, angle in ((v0, one), (v0, other), (v1, other))]
            (u0, w0), (u1, w1), _ = outer
            lit = 0.25 if behind else 0.75
            # The tread, its edge, and the string below it, closed so that it stands out before whatever is behind.
            pen.poly([(0, v0), (u0, w0), (u1, w1)], paint, lit + 0.2)
            pen.poly([(u0, w0), (u1, w1), (u1, w1 - 0.07), (u0, w0 - 0.1)], paint, lit - 0.15)
            pen.line([(u0, w0), (u1, w1)], 0.014, WOOD, lit + 0.3)
            pen.line([(u0, w0 + 0.15), (outer[2][0], outer[2][1] + 0.15)], 0.022, DARK_WOOD, lit + 0.3)
            pen.line([(u0, w0), (u0, w0 + 0.15)], 0.008, IRON, lit)
