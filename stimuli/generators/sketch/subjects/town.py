"""What stands and rolls in a town: a market stall and a tram."""

import numpy as np

from stimuli.generators.sketch.colours import BLACK, CREAM, DARK_WOOD, GREEN, IRON, LAMP, ORANGE, RED, SLATE, WOOD, YELLOW
from stimuli.generators.sketch.light import RGB, mix
from stimuli.generators.sketch.pen import Pen
from stimuli.generators.sketch.subjects.cast import Part

_GOODS: tuple[RGB, ...] = (ORANGE, RED, GREEN, YELLOW, (150, 90, 140))


def stall(pen: Pen, part: Part) -> None:
    """Draw a market stall: a striped awning, a lantern, and fruit heaped on the counter."""
    cloth = part.colour(RED)
    pen.shadow(0.04, 0.0, 0.72, 0.07, 0.6)
    for u in (-0.56, 0.56):
        pen.rect(u - 0.02, 0.0, u + 0.02, 0.8, DARK_WOOD, 0.6)
    pen.rect(-0.54, 0.3, 0.54, 0.74, mix(DARK_WOOD, BLACK, 0.4), 0.25)
    pen.rect(-0.6, 0.0, 0.6, 0.3, WOOD, 0.5)
    for step in range(6):
        pen.rect(-0.6 + 0.2 * step, 0.0, -0.59 + 0.2 * step, 0.3, WOOD, 0.15)
    pen.rect(-0.64, 0.29, 0.64, 0.34, WOOD, 0.95)
    _heaps(pen, part)
    for step in range(8):
        colour = cloth if step % 2 == 0 else CREAM
        top, foot = -0.56 + 0.14 * step, -0.72 + 0.18 * step
        pen.poly([(top, 0.98), (top + 0.14, 0.98), (foot + 0.18, 0.76), (foot, 0.76)], colour, 0.95 - 0.05 * step)
        pen.ellipse(foot + 0.09, 0.76, 0.09, 0.045, colour, 0.7 - 0.04 * step)
    for u in (-0.3, 0.3):
        pen.lamp(u, 0.6, 0.34)
        pen.ellipse(u, 0.62, 0.045, 0.06, LAMP, None if pen.light.lamps > 0.2 else 0.8)


def _heaps(pen: Pen, part: Part) -> None:
    for heap in range(4):
        middle, colour = -0.44 + 0.29 * heap, _GOODS[(heap + int(part.rng.random() * 5)) % 5]
        for row, count in ((0, 4), (1, 3), (2, 2)):
            for place in range(count):
                u = middle + (place - (count - 1) / 2) * 0.062
                pen.ellipse(u, 0.365 + 0.045 * row, 0.035, 0.033, colour, 0.5 + 0.12 * row)
                pen.ellipse(u - 0.01, 0.375 + 0.045 * row, 0.012, 0.01, colour, 1.2)


def tram(pen: Pen, part: Part) -> None:
    """Draw an old tram of one car, with its rails and the pole to the wire."""
    paint = part.colour((222, 176, 66))
    pen.shadow(0.0, 0.0, 0.9, 0.07, 0.7)
    pen.line([(-1.3, 0.0), (1.3, 0.0)], 0.025, IRON, 0.5)
    pen.line([(-1.6, 1.32), (1.6, 1.3)], 0.01, IRON, 0.2)
    pen.line([(0.02, 0.96), (0.34, 1.31)], 0.018, IRON, 0.4)
    for u in (-0.42, 0.42):
        pen.ellipse(u, 0.1, 0.1, 0.1, BLACK, 0.5)
        pen.ellipse(u, 0.1, 0.045, 0.045, SLATE, 0.9)
    pen.rect(-0.74, 0.14, 0.74, 0.48, paint, 0.55)
    pen.rect(-0.74, 0.36, 0.74, 0.42, CREAM, 0.8)
    pen.rect(-0.7, 0.48, 0.7, 0.84, CREAM, 0.6)
    glass = LAMP if pen.light.lamps > 0.2 else mix(SLATE, pen.light.middle, 0.4)
    for u in np.linspace(-0.63, 0.43, 6).tolist():
        pen.rect(u, 0.52, u + 0.17, 0.78, glass, None if pen.light.lamps > 0.2 else 0.6)
    pen.poly([(-0.78, 0.84), (0.78, 0.84), (0.66, 0.95), (-0.66, 0.95)], mix(paint, BLACK, 0.35), 0.7)
    pen.poly([(-0.78, 0.84), (0.78, 0.84), (0.74, 0.87), (-0.74, 0.87)], paint, 1.0)
    pen.ellipse(0.74, 0.28, 0.045, 0.045, LAMP, None if pen.light.lamps > 0.2 else 0.9)
    pen.lamp(0.8, 0.28, 0.3)
