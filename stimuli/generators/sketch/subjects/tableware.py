"""Things on a table: bowl of fruit, cup, teapot, cake, bread, candle, jug, glass, open book."""

import numpy as np

from stimuli.generators.sketch import shapes
from stimuli.generators.sketch.colours import BLUE, BOOKS, BRASS, CREAM, DARK_WOOD, LAMP, LEAF, ORANGE, PURPLE, RED, TEAL, WHITE, YELLOW
from stimuli.generators.sketch.light import RGB, mix
from stimuli.generators.sketch.pen import Pen
from stimuli.generators.sketch.subjects.cast import Part
from stimuli.generators.sketch.subjects.foliage import glazed


def fruit(pen: Pen, u: float, v: float, size: float, colour: RGB, *, squash: float = 0.94) -> None:
    """Draw a round fruit: shade, body, lit side, spark."""
    pen.ellipse(u, v, size, size * squash, colour, 0.15)
    pen.ellipse(u - size * 0.1, v + size * 0.08, size * 0.86, size * 0.82 * squash, colour, 0.6)
    pen.ellipse(u - size * 0.24, v + size * 0.22, size * 0.52, size * 0.5 * squash, mix(colour, (255, 220, 150), 0.25), 0.95)
    pen.ellipse(u - size * 0.38, v + size * 0.4, size * 0.13, size * 0.11, WHITE, 1.2)


def apple(pen: Pen, u: float, v: float, size: float, colour: RGB) -> None:
    """Draw an apple with its stalk."""
    fruit(pen, u, v, size, colour)
    pen.line([(u, v + size * 0.75), (u + size * 0.12, v + size * 1.2)], size * 0.12, DARK_WOOD, 0.5)
    pen.poly(shapes.smooth(((u + size * 0.1, v + size), (u + size * 0.5, v + size * 1.25), (u + size * 0.6, v + size * 1.0))), LEAF, 0.8)


def fruit_bowl(pen: Pen, part: Part) -> None:
    """Draw a bowl of fruit."""
    pen.shadow(0.08, 0.0, 0.72, 0.09, 0.7)
    for u, v, size, colour in (
        (-0.3, 0.56, 0.17, ORANGE),
        (0.32, 0.55, 0.16, (146, 176, 74)),
        (0.04, 0.66, 0.18, RED),
        (-0.12, 0.8, 0.14, YELLOW),
    ):
        apple(pen, u, v, size, colour)
    for u, v in ((0.2, 0.5), (0.27, 0.43), (0.14, 0.42), (0.21, 0.36), (0.3, 0.55)):
        fruit(pen, u + 0.16, v + 0.06, 0.062, PURPLE)
    bowl = shapes.smooth(((-0.56, 0.5), (0.56, 0.5), (0.5, 0.22), (0.24, 0.03), (-0.24, 0.03), (-0.5, 0.22)))
    colour = part.colour(TEAL)
    pen.rect(-0.2, 0.0, 0.2, 0.05, colour, 0.3)
    pen.poly(bowl, colour, 0.25)
    pen.poly([(u * 0.86 - 0.03, v * 0.97 + 0.012) for u, v in bowl], colour, 0.6)
    pen.poly([(u * 0.4 - 0.16, v * 0.8 + 0.07) for u, v in bowl], colour, 0.95)
    pen.line([(-0.5, 0.42), (0.5, 0.42)], 0.02, CREAM, 0.7)
    apple(pen, 0.66, 0.1, 0.12, RED)


def cup(pen: Pen, part: Part) -> None:
    """Draw a steaming cup on its saucer."""
    colour = part.colour(WHITE)
    pen.shadow(0.08, 0.02, 0.72, 0.1, 0.65)
    pen.ellipse(0, 0.06, 0.56, 0.09, mix(colour, (180, 170, 160), 0.2), 0.4)
    pen.ellipse(-0.02, 0.075, 0.5, 0.07, colour, 0.85)
    pen.stroke(shapes.smooth(((0.26, 0.5), (0.52, 0.52), (0.54, 0.28), (0.24, 0.2)), closed=False), 0.055, pen.ink(colour, 0.45))
    body = [(-0.34, 0.6), (-0.3, 0.28), (-0.18, 0.1), (0.18, 0.1), (0.3, 0.28), (0.34, 0.6)]
    pen.poly(body, colour, 0.3)
    pen.poly([(u * 0.84 - 0.03, v) for u, v in body], colour, 0.62)
    pen.poly([(u * 0.4 - 0.12, v) for u, v in body], colour, 1.0)
    pen.line([(-0.315, 0.4), (-0.1, 0.385), (0.1, 0.385), (0.315, 0.4)], 0.03, BLUE if part.accent is None else CREAM, 0.6)
    pen.ellipse(0, 0.6, 0.34, 0.075, colour, 0.8)
    pen.ellipse(0, 0.597, 0.3, 0.058, (116, 72, 46), 0.55)
    pen.ellipse(-0.08, 0.605, 0.12, 0.02, (186, 132, 88), 0.8)
    steam(pen, part, 0.68)


def steam(pen: Pen, part: Part, v: float) -> None:
    """Draw steam that rises from the height `v`."""
    for u, phase in ((-0.1, 0.0), (0.08, 2.0)):
        for step in range(6):
            sway = 0.05 * float(np.sin(step * 1.1 + phase + 6 * part.rng.random() * 0.1))
            pen.soft(u + sway, v + step * 0.065, 0.06 + 0.008 * step, 0.07, mix(pen.light.haze, WHITE, 0.6), 0.5 - 0.07 * step)


def teapot(pen: Pen, part: Part) -> None:
    """Draw a round teapot."""
    colour = part.colour(BLUE)
    pen.shadow(0.08, 0.0, 0.62, 0.08, 0.7)
    pen.stroke(shapes.smooth(((-0.34, 0.56), (-0.66, 0.6), (-0.68, 0.26), (-0.36, 0.2)), closed=False), 0.07, pen.ink(colour, 0.75))
    pen.poly(shapes.smooth(((0.3, 0.42), (0.5, 0.46), (0.6, 0.7), (0.72, 0.7), (0.62, 0.36), (0.36, 0.12))), colour, 0.4)
    body = shapes.smooth(((-0.3, 0.02), (0.3, 0.02), (0.48, 0.24), (0.42, 0.56), (0.2, 0.7), (-0.2, 0.7), (-0.42, 0.56), (-0.48, 0.24)))
    pen.poly(body, colour, 0.2)
    pen.poly([(u * 0.86 - 0.04, v * 0.95 + 0.02) for u, v in body], colour, 0.6)
    pen.poly([(u * 0.44 - 0.14, v * 0.62 + 0.2) for u, v in body], colour, 0.95)
    for u, v in ((-0.12, 0.3), (0.1, 0.36), (0.26, 0.24), (-0.3, 0.42), (-0.02, 0.52)):
        pen.ellipse(u, v, 0.04, 0.04, CREAM, 0.75)
        pen.ellipse(u, v, 0.016, 0.016, YELLOW, 0.8)
    pen.ellipse(0, 0.68, 0.24, 0.05, colour, 0.4)
    pen.poly(shapes.smooth(((-0.22, 0.69), (0.22, 0.69), (0.14, 0.8), (-0.14, 0.8))), colour, 0.8)
    pen.ellipse(0, 0.83, 0.055, 0.05, BRASS, 0.8)
    pen.ellipse(-0.2, 0.56, 0.05, 0.025, WHITE, 1.2)
    steam(pen.at(0.68, 0, 0.8), part, 0.95)


def cake(pen: Pen, part: Part) -> None:
    """Draw a layered cake on a stand."""
    pen.shadow(0.06, 0.0, 0.5, 0.06, 0.65)
    pen.poly([(-0.16, 0), (0.16, 0), (0.06, 0.2), (-0.06, 0.2)], WHITE, 0.5)
    pen.ellipse(0, 0.22, 0.58, 0.07, WHITE, 0.75)
    icing = part.colour((244, 206, 206))
    for low, half, colour in ((0.22, 0.44, (222, 168, 112)), (0.36, 0.44, CREAM), (0.4, 0.44, (222, 168, 112)), (0.54, 0.44, icing)):
        pen.rect(-half, low, half, low + 0.16, colour, 0.4)
        pen.rect(-half, low, half * 0.1, low + 0.16, colour, 0.85)
    pen.ellipse(0, 0.7, 0.44, 0.075, icing, 0.85)
    for step, drop in enumerate(part.rng.random(9).tolist()):
        u = -0.4 + step * 0.1
        pen.line([(u, 0.68), (u, 0.6 - 0.1 * drop)], 0.07, icing, 0.85 - 0.05 * step)
        pen.ellipse(u, 0.6 - 0.1 * drop, 0.035, 0.035, icing, 0.85 - 0.05 * step)
    for u, v in ((-0.28, 0.72), (-0.1, 0.75), (0.1, 0.75), (0.28, 0.72), (0.0, 0.7)):
        fruit(pen, u, v + 0.05, 0.075, RED)


def bread(pen: Pen, part: Part) -> None:
    """Draw a loaf of bread on a board."""
    pen.shadow(0.06, 0.0, 0.85, 0.1, 0.7)
    pen.rect(-0.78, 0.0, 0.78, 0.08, DARK_WOOD, 0.6)
    pen.rect(-0.78, 0.05, 0.78, 0.08, DARK_WOOD, 1.0)
    loaf = shapes.smooth(((-0.6, 0.1), (0.6, 0.1), (0.66, 0.34), (0.42, 0.6), (0.0, 0.68), (-0.42, 0.6), (-0.66, 0.34)))
    crust = part.colour((206, 140, 72))
    pen.poly(loaf, crust, 0.25)
    pen.poly([(u * 0.92 - 0.02, v * 0.92 + 0.05) for u, v in loaf], crust, 0.75)
    for u in (-0.36, -0.1, 0.16, 0.4):
        pen.poly(shapes.smooth(((u - 0.1, 0.34), (u + 0.02, 0.58), (u + 0.12, 0.6), (u, 0.36))), CREAM, 0.75)


def candle(pen: Pen, part: Part) -> None:
    """Draw a burning candle in a holder."""
    pen.soft(0, 0.9, 0.6, 0.5, LAMP, 0.4 + 0.4 * pen.light.lamps)
    pen.shadow(0.05, 0.0, 0.32, 0.05, 0.6)
    pen.ellipse(0, 0.04, 0.26, 0.05, BRASS, 0.7)
    pen.rect(-0.1, 0.05, 0.1, 0.16, BRASS, 0.5)
    pen.rect(-0.075, 0.14, 0.075, 0.74, part.colour(CREAM), 0.5)
    pen.rect(-0.075, 0.14, -0.01, 0.74, part.colour(CREAM), 0.95)
    pen.ellipse(0, 0.74, 0.075, 0.02, CREAM, 1.1)
    pen.line([(0, 0.74), (0, 0.8)], 0.014, (50, 40, 40), 0.4)
    pen.poly(shapes.smooth(((-0.06, 0.82), (0.0, 0.77), (0.06, 0.82), (0.0, 1.02))), (255, 176, 70), None)
    pen.poly(shapes.smooth(((-0.03, 0.82), (0.0, 0.79), (0.03, 0.82), (0.0, 0.94))), (255, 244, 200), None)


def jug(pen: Pen, part: Part) -> None:
    """Draw a still life: jug, lemon and glass."""
    pen.stroke(
        shapes.smooth(((-0.12, 0.78), (-0.42, 0.74), (-0.38, 0.4), (-0.2, 0.32)), closed=False), 0.05, pen.ink(part.colour(TEAL), 0.7)
    )
    glazed(
        pen,
        shapes.smooth(
            (
                (-0.2, 0.0),
                (0.2, 0.0),
                (0.28, 0.24),
                (0.2, 0.5),
                (0.1, 0.66),
                (0.14, 0.86),
                (0.2, 0.94),
                (-0.14, 0.88),
                (-0.1, 0.66),
                (-0.2, 0.5),
                (-0.28, 0.24),
            )
        ),
        part.colour(TEAL),
    )
    for u, size, colour in ((0.46, 0.13, YELLOW), (0.66, 0.1, ORANGE), (-0.5, 0.12, RED)):
        pen.shadow(u + 0.04, 0.0, size * 1.4, 0.04, 0.6)
        fruit(pen, u, size * 0.9, size, colour)


def open_book(pen: Pen, part: Part) -> None:
    """Draw a stack of books with an open one on top."""
    pen.shadow(0.06, 0.0, 0.8, 0.08, 0.7)
    for step, shift in enumerate((0.5 * part.rng.random(3) - 0.25).tolist()):
        v = 0.15 * step
        colour = BOOKS[int(part.rng.random() * 12)]
        pen.rect(-0.56 + 0.3 * shift, v, 0.56 + 0.3 * shift, v + 0.14, colour, 0.45)
        pen.rect(-0.56 + 0.3 * shift, v + 0.03, 0.5 + 0.3 * shift, v + 0.11, CREAM, 0.7)
        pen.rect(-0.56 + 0.3 * shift, v, -0.46 + 0.3 * shift, v + 0.14, colour, 0.8)
    for side in (-1, 1):
        page = [(0, 0.47), (side * 0.62, 0.56), (side * 0.66, 0.84), (side * 0.1, 0.8), (0, 0.72)]
        pen.poly(page, WHITE, 0.95 if side < 0 else 0.6)
        for line in range(4):
            v = 0.56 + 0.055 * line
            pen.line([(side * 0.1, v), (side * 0.54, v + 0.07)], 0.012, (120, 116, 112), 0.7)
