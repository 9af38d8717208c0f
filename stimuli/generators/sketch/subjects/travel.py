"""Things that travel: sailing boat, rowing boat, ship, car, bicycle, train, balloon, and the moon over all."""

import numpy as np

from stimuli.generators.sketch import shapes
from stimuli.generators.sketch.colours import BLACK, BLUE, BROWN, CREAM, DARK_WOOD, IRON, LAMP, RED, SLATE, TEAL, WHITE, WOOD, YELLOW
from stimuli.generators.sketch.light import RGB, mix
from stimuli.generators.sketch.pen import Pen
from stimuli.generators.sketch.subjects.cast import Part

_WHEEL: RGB = (52, 50, 54)


def _wake(pen: Pen, part: Part, half: float) -> None:
    """Draw the broken reflection and the foam at a boat's foot."""
    dark = pen.ink(mix(SLATE, DARK_WOOD, 0.5), 0.1)
    for step, (a, b) in enumerate(part.rng.random((7, 2)).tolist()):
        v = -0.015 - 0.03 * step
        pen.dot((a - 0.5) * 0.16, v, half * (0.95 - 0.1 * step) * (0.6 + 0.4 * b), 0.012, dark)
    foam = pen.ink(WHITE, 0.8)
    for a, b in part.rng.random((6, 2)).tolist():
        pen.dot((a - 0.5) * 2.1 * half, 0.0 - 0.01 * b, 0.09, 0.008, foam)


def sailing_boat(pen: Pen, part: Part) -> None:
    """Draw a sailing boat on the water."""
    for a, b, c in part.rng.random((10, 3)).tolist():
        v = -0.06 - 0.36 * b
        pen.glaze(
            [[(-0.24 * a * (1 + v), v), (0.3 * c * (1 + v), v), (0.2 * c, v - 0.016), (-0.2 * a, v - 0.016)]], pen.ink(CREAM, 0.7), 0.4
        )
    _wake(pen, part, 0.4)
    pen.rect(-0.012, 0.1, 0.012, 1.0, DARK_WOOD, 0.6)
    sail = part.colour(CREAM)
    pen.poly([(0.03, 0.2), (0.06, 0.94), (0.2, 0.6), (0.44, 0.22)], sail, 0.95)
    pen.poly([(0.06, 0.94), (0.2, 0.6), (0.44, 0.22), (0.28, 0.21)], sail, 0.5)
    pen.poly([(-0.03, 0.22), (-0.05, 0.86), (-0.34, 0.24)], sail, 0.7)
    pen.poly([(-0.03, 0.22), (-0.05, 0.86), (-0.14, 0.22)], sail, 0.4)
    for v, reach in ((0.36, 0.34), (0.5, 0.25), (0.64, 0.18)):
        pen.line([(0.05, v), (0.05 + reach * 0.86, v - 0.01)], 0.006, mix(sail, BROWN, 0.4), 0.6)
    pen.poly([(0.012, 1.0), (0.17, 0.965), (0.012, 0.93)], RED, 0.8)
    hull = [(-0.44, 0.15), (0.5, 0.16), (0.34, -0.01), (-0.28, -0.01)]
    pen.poly(hull, (part.accent and mix(part.accent, BLACK, 0.3)) or RED, 0.55)
    pen.poly([(-0.44, 0.15), (0.5, 0.16), (0.46, 0.12), (-0.41, 0.11)], WHITE, 0.85)
    pen.poly([(-0.3, 0.02), (0.36, 0.02), (0.34, -0.01), (-0.28, -0.01)], BLUE, 0.3)


def rowing_boat(pen: Pen, part: Part) -> None:
    """Draw a rowing boat on the water."""
    _wake(pen, part, 0.7)
    timber = part.colour(WOOD)
    pen.poly([(-0.8, 0.4), (0.84, 0.42), (0.6, 0.02), (-0.52, 0.0)], timber, 0.35)
    for low, lit in ((0.3, 0.95), (0.2, 0.7), (0.1, 0.5)):
        shrink = 1 - (0.4 - low) * 0.7
        pen.poly(
            [(-0.8 * shrink, low + 0.1), (0.84 * shrink, low + 0.115), (0.8 * shrink, low + 0.02), (-0.76 * shrink, low + 0.01)],
            timber,
            lit,
        )
    pen.poly([(-0.8, 0.4), (0.84, 0.42), (0.5, 0.52), (-0.5, 0.5)], DARK_WOOD, 0.3)
    for u in (-0.36, 0.04, 0.4):
        pen.poly([(u, 0.42), (u + 0.16, 0.42), (u + 0.14, 0.5), (u + 0.02, 0.5)], timber, 0.85)
    pen.line([(-0.1, 0.46), (0.66, 0.86)], 0.03, WOOD, 0.9)
    pen.line([(0.04, 0.42), (-0.66, 0.02)], 0.03, WOOD, 0.7)


def ship(pen: Pen, part: Part) -> None:
    """Draw a steamship."""
    _wake(pen, part, 0.8)
    hull = part.colour(mix(BLUE, BLACK, 0.35))
    pen.poly([(-0.95, 0.3), (1.0, 0.34), (0.84, 0.0), (-0.82, 0.0)], hull, 0.5)
    pen.poly([(-0.84, 0.06), (0.87, 0.06), (0.84, 0.0), (-0.82, 0.0)], RED, 0.6)
    for low, half in ((0.3, 0.66), (0.42, 0.5), (0.54, 0.32)):
        pen.rect(-half, low, half, low + 0.12, WHITE, 0.75)
        lamp = None if pen.light.lamps > 0.2 else 0.4
        for u in np.arange(-half + 0.06, half - 0.05, 0.12).tolist():
            pen.ellipse(u, low + 0.06, 0.026, 0.026, LAMP if lamp is None else SLATE, lamp)
    for u in (-0.2, 0.1):
        pen.rect(u, 0.66, u + 0.13, 0.94, RED, 0.6)
        pen.rect(u, 0.86, u + 0.13, 0.94, BLACK, 0.5)
        for step in range(4):
            pen.soft(
                u - 0.05 - 0.12 * step,
                1.0 + 0.07 * step,
                0.1 + 0.04 * step,
                0.07 + 0.02 * step,
                mix(pen.light.haze, (120, 120, 124), 0.5),
                0.6 - 0.1 * step,
            )


def _wheel(pen: Pen, u: float, size: float) -> None:
    pen.ellipse(u, size, size, size, _WHEEL, 0.5)
    pen.ellipse(u, size, size * 0.55, size * 0.55, (190, 190, 190), 0.7)
    pen.ellipse(u, size, size * 0.2, size * 0.2, _WHEEL, 0.5)


def car(pen: Pen, part: Part) -> None:
    """Draw a rounded old car."""
    paint = part.colour(TEAL)
    pen.shadow(0.04, 0.0, 1.05, 0.1, 0.75)
    cabin = shapes.smooth(((-0.5, 0.5), (-0.36, 0.94), (-0.1, 1.02), (0.2, 0.98), (0.5, 0.5)))
    pen.poly(cabin, paint, 0.6)
    glass = mix(SLATE, pen.light.middle, 0.6)
    pen.poly([(-0.38, 0.56), (-0.28, 0.86), (-0.04, 0.9), (-0.04, 0.56)], glass, 0.6)
    pen.poly([(0.03, 0.56), (0.03, 0.9), (0.16, 0.87), (0.36, 0.56)], glass, 0.4)
    body = shapes.smooth(((-0.96, 0.2), (-0.94, 0.5), (-0.6, 0.6), (0.4, 0.6), (0.84, 0.54), (0.98, 0.36), (0.96, 0.16), (0.0, 0.14)))
    pen.poly(body, paint, 0.3)
    pen.poly([(u * 0.97, v * 0.8 + 0.12) for u, v in body], paint, 0.8)
    pen.line([(-0.9, 0.36), (0.9, 0.36)], 0.025, WHITE, 0.8)
    for u in (-0.52, 0.54):
        pen.ellipse(u, 0.2, 0.24, 0.24, mix(paint, BLACK, 0.4), 0.3)
        _wheel(pen, u, 0.18)
    pen.ellipse(0.92, 0.4, 0.05, 0.06, LAMP, None if pen.light.lamps > 0.2 else 0.9)
    pen.lamp(0.98, 0.4, 0.3)
    pen.rect(-0.02, 0.48, 0.1, 0.5, WHITE, 0.7)


def bicycle(pen: Pen, part: Part) -> None:
    """Draw a bicycle with a basket of flowers."""
    frame = part.colour(RED)
    pen.shadow(0.02, 0.0, 0.85, 0.05, 0.6)
    for u in (-0.5, 0.5):
        turns = np.linspace(0, 2 * np.pi, 25)
        rim = [(u + 0.33 * float(np.cos(t)), 0.33 + 0.33 * float(np.sin(t))) for t in turns]
        for t in range(0, 24, 3):
            pen.line([(u, 0.33), rim[t]], 0.006, (200, 200, 200), 0.7)
        pen.line(rim, 0.04, _WHEEL, 0.5)
    for line in (
        ((-0.5, 0.33), (-0.1, 0.34), (-0.22, 0.78), (-0.5, 0.33)),
        ((-0.1, 0.34), (0.36, 0.78), (-0.2, 0.72)),
        ((0.5, 0.33), (0.34, 0.92)),
    ):
        pen.line(line, 0.04, frame, 0.7)
    pen.line([(0.22, 0.98), (0.34, 0.92), (0.4, 0.98)], 0.034, IRON, 0.6)
    pen.line([(-0.22, 0.76), (-0.24, 0.86)], 0.03, IRON, 0.6)
    pen.poly(shapes.smooth(((-0.38, 0.86), (-0.1, 0.86), (-0.14, 0.93), (-0.38, 0.93))), DARK_WOOD, 0.6)
    pen.ellipse(-0.1, 0.34, 0.07, 0.07, IRON, 0.7)
    pen.poly([(0.4, 0.62), (0.66, 0.62), (0.7, 0.82), (0.36, 0.82)], WOOD, 0.8)
    for step, (a, b) in enumerate(part.rng.random((8, 2)).tolist()):
        pen.ellipse(0.4 + 0.26 * a, 0.84 + 0.08 * b, 0.05, 0.045, (YELLOW, WHITE, (230, 120, 130))[step % 3], 0.8)


def train(pen: Pen, part: Part) -> None:
    """Draw a steam engine with one carriage."""
    paint = part.colour((60, 104, 88))
    pen.shadow(0.0, 0.0, 1.3, 0.08, 0.7)
    pen.line([(-1.4, 0.0), (1.4, 0.0)], 0.03, IRON, 0.5)
    pen.rect(-1.2, 0.16, -0.3, 0.74, (168, 74, 60), 0.6)
    pen.rect(-1.24, 0.72, -0.26, 0.8, CREAM, 0.6)
    for u in (-1.1, -0.82, -0.54):
        pen.rect(u, 0.42, u + 0.17, 0.64, LAMP if pen.light.lamps > 0.2 else SLATE, None if pen.light.lamps > 0.2 else 0.5)
    pen.rect(-0.2, 0.16, 0.28, 0.86, paint, 0.55)
    pen.rect(-0.26, 0.84, 0.34, 0.92, mix(paint, BLACK, 0.4), 0.6)
    pen.rect(-0.1, 0.54, 0.14, 0.76, LAMP if pen.light.lamps > 0.2 else SLATE, None if pen.light.lamps > 0.2 else 0.5)
    pen.rect(0.28, 0.22, 0.98, 0.58, paint, 0.4)
    pen.rect(0.28, 0.46, 0.98, 0.56, paint, 1.0)
    pen.ellipse(0.98, 0.4, 0.06, 0.18, BLACK, 0.6)
    pen.poly([(0.74, 0.58), (0.86, 0.58), (0.9, 0.86), (0.7, 0.86)], BLACK, 0.6)
    pen.ellipse(0.48, 0.58, 0.09, 0.09, (206, 162, 84), 0.8)
    for u, size in ((-1.02, 0.11), (-0.48, 0.11), (-0.04, 0.15), (0.34, 0.15), (0.72, 0.11), (0.94, 0.11)):
        _wheel(pen, u, size)
    for step in range(5):
        pen.soft(
            0.78 - 0.2 * step,
            0.98 + 0.07 * step,
            0.12 + 0.05 * step,
            0.1 + 0.03 * step,
            mix(pen.light.haze, WHITE, 0.5),
            0.85 - 0.12 * step,
        )


def balloon(pen: Pen, part: Part) -> None:
    """Draw a hot-air balloon around the origin."""
    colours = (part.colour(RED), CREAM)
    levels = np.linspace(-np.pi / 2, np.pi / 2, 11)
    for step in range(8):
        left, right = np.sin((step / 8 - 0.5) * np.pi), np.sin(((step + 1) / 8 - 0.5) * np.pi)
        profile = [(0.36 * float(np.cos(t)) ** 0.8 + 0.05 * (1 - (t + 1.57) / 3.14), 0.14 + 0.36 * float(np.sin(t))) for t in levels]
        gore = [(w * float(left), v) for w, v in profile] + [(w * float(right), v) for w, v in profile[::-1]]
        pen.poly(gore, colours[step % 2], 1.05 - 0.12 * step)
    for u in (-0.05, 0.05):
        pen.line([(u, -0.22), (u * 0.8, -0.4)], 0.006, DARK_WOOD, 0.5)
    pen.rect(-0.06, -0.5, 0.06, -0.4, (176, 124, 72), 0.55)
    pen.rect(-0.06, -0.43, 0.06, -0.4, (176, 124, 72), 1.0)
    pen.lamp(0, -0.24, 0.16)
