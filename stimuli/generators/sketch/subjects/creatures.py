"""Creatures: cat, dog, bird, horse, deer, fish and butterfly."""

from stimuli.generators.sketch import shapes
from stimuli.generators.sketch.colours import BARK, BLACK, BLUE, BROWN, CREAM, DARK_WOOD, LEAF, ORANGE, PINK, RED, WHITE, YELLOW
from stimuli.generators.sketch.light import RGB, mix
from stimuli.generators.sketch.pen import Pen, Point
from stimuli.generators.sketch.subjects.cast import Part

_COATS: tuple[RGB, ...] = ((222, 140, 72), (92, 88, 94), (232, 222, 206), (150, 116, 88))


def modelled(pen: Pen, outline: tuple[Point, ...], colour: RGB, *, shift: float = 0.02) -> None:
    """Draw a rounded body: its shade, and a lit side that leaves a rim of shade at the right."""
    body = shapes.smooth(outline)
    middle = sum(u for u, _ in body) / len(body)
    low = min(v for _, v in body)
    pen.poly(body, colour, 0.25)
    pen.poly([(middle + (u - middle) * 0.86 - shift, low + (v - low) * 0.97 + 0.01) for u, v in body], colour, 0.78)


def eye(pen: Pen, u: float, v: float, size: float) -> None:
    """Draw a dark eye with a spark in it."""
    pen.ellipse(u, v, size, size * 1.1, (36, 32, 34), 0.5)
    pen.ellipse(u - size * 0.3, v + size * 0.4, size * 0.35, size * 0.35, WHITE, 1.1)


def cat(pen: Pen, part: Part) -> None:
    """Draw a sitting cat."""
    coat = part.colour(_COATS[int(part.rng.random() * 2.99)])
    stripe, pale = mix(coat, (70, 44, 40), 0.45), mix(coat, CREAM, 0.65)
    pen.shadow(0.06, 0.01, 0.46, 0.07, 0.65)
    pen.line(shapes.smooth(((0.14, 0.06), (0.42, 0.05), (0.48, 0.22), (0.38, 0.36), (0.44, 0.46)), closed=False), 0.075, coat, 0.4)
    modelled(pen, ((-0.25, 0.0), (0.27, 0.0), (0.33, 0.2), (0.22, 0.45), (0.13, 0.62), (-0.13, 0.62), (-0.2, 0.42), (-0.28, 0.16)), coat)
    for v, reach in ((0.24, 0.1), (0.33, 0.09), (0.42, 0.08)):
        pen.poly([(0.22, v), (0.22 - reach, v + 0.03), (0.2, v + 0.045)], stripe, 0.45)
    modelled(pen, ((-0.13, 0.06), (0.07, 0.06), (0.09, 0.34), (0.02, 0.5), (-0.1, 0.5), (-0.15, 0.3)), pale, shift=0.01)
    for u in (-0.09, 0.045):
        pen.ellipse(u, 0.045, 0.07, 0.045, pale, 0.9)
    for side in (-1, 1):
        ear = [(-0.03 + side * 0.2, 0.76), (-0.03 + side * 0.205, 0.99), (-0.03 + side * 0.06, 0.9)]
        pen.poly(ear, coat, 0.7 if side < 0 else 0.35)
        pen.poly([(-0.03 + side * 0.18, 0.8), (-0.03 + side * 0.183, 0.94), (-0.03 + side * 0.1, 0.88)], PINK, 0.6)
    modelled(
        pen, ((-0.25, 0.66), (-0.15, 0.57), (0.09, 0.57), (0.19, 0.66), (0.19, 0.82), (0.08, 0.91), (-0.14, 0.91), (-0.25, 0.82)), coat
    )
    for u in (-0.09, -0.03, 0.03):
        pen.poly([(u - 0.012, 0.9), (u + 0.012, 0.9), (u, 0.83)], stripe, 0.5)
    pen.ellipse(-0.035, 0.655, 0.085, 0.055, pale, 0.85)
    for u in (-0.125, 0.06):
        pen.ellipse(u, 0.755, 0.036, 0.04, (214, 196, 96), 0.9)
        pen.ellipse(u, 0.755, 0.014, 0.036, (30, 28, 30), 0.4)
        pen.ellipse(u - 0.012, 0.77, 0.009, 0.009, WHITE, 1.1)
    pen.poly([(-0.06, 0.7), (-0.01, 0.7), (-0.035, 0.675)], PINK, 0.7)
    for side in (-1, 1):
        for v in (0.65, 0.68):
            pen.line([(-0.035 + side * 0.08, 0.665), (-0.035 + side * 0.27, v)], 0.004, WHITE, 0.8)


def dog(pen: Pen, part: Part) -> None:
    """Draw a sitting dog."""
    coat = part.colour((196, 138, 84))
    dark = mix(coat, (84, 52, 40), 0.55)
    pen.shadow(0.06, 0.01, 0.42, 0.07, 0.65)
    pen.line([(0.2, 0.08), (0.4, 0.2), (0.44, 0.36)], 0.06, coat, 0.5)
    modelled(pen, ((-0.2, 0.0), (0.28, 0.0), (0.3, 0.22), (0.16, 0.48), (0.12, 0.64), (-0.14, 0.64), (-0.18, 0.4), (-0.22, 0.14)), coat)
    modelled(pen, ((-0.17, 0.04), (0.0, 0.04), (0.03, 0.36), (-0.04, 0.54), (-0.14, 0.5)), CREAM, shift=0.01)
    for u in (-0.14, 0.02):
        pen.ellipse(u, 0.04, 0.075, 0.042, coat, 0.85)
    pen.rect(-0.16, 0.56, 0.13, 0.6, RED, 0.7)
    modelled(pen, ((-0.22, 0.68), (-0.1, 0.58), (0.08, 0.6), (0.18, 0.7), (0.17, 0.88), (0.06, 0.96), (-0.14, 0.95), (-0.22, 0.85)), coat)
    for side in (-1, 1):
        pen.poly(
            shapes.smooth(tuple((-0.02 + side * u, v) for u, v in ((0.14, 0.93), (0.25, 0.86), (0.25, 0.66), (0.18, 0.62), (0.15, 0.76)))),
            dark,
            0.6 if side < 0 else 0.3,
        )
    modelled(pen, ((-0.15, 0.66), (-0.04, 0.6), (0.08, 0.66), (0.05, 0.79), (-0.11, 0.79)), CREAM, shift=0.005)
    pen.ellipse(-0.035, 0.755, 0.042, 0.03, (44, 36, 38), 0.6)
    for u in (-0.12, 0.06):
        eye(pen, u, 0.83, 0.024)
    pen.poly([(-0.06, 0.66), (-0.005, 0.66), (-0.02, 0.6), (-0.045, 0.6)], PINK, 0.8)


def bird(pen: Pen, part: Part) -> None:
    """Draw a small bird on a twig."""
    coat = part.colour((78, 122, 168))
    pen = pen.at(0, -0.55)
    pen.limb([(-0.85, 0.12), (-0.3, 0.2), (0.2, 0.18), (0.85, 0.3)], 0.07, 0.03, BARK, 0.5)
    for u, v, turn in ((-0.6, 0.2, 1), (0.5, 0.3, 1), (0.66, 0.2, -1), (-0.42, 0.12, -1)):
        pen.poly(shapes.smooth(((u, v), (u + 0.1, v + 0.08 * turn), (u + 0.2, v + 0.05 * turn), (u + 0.12, v))), LEAF, 0.7)
    pen.poly([(0.22, 0.4), (0.62, 0.1), (0.7, 0.18), (0.36, 0.56)], mix(coat, BLACK, 0.3), 0.4)
    modelled(pen, ((-0.3, 0.42), (-0.16, 0.22), (0.16, 0.2), (0.38, 0.4), (0.3, 0.62), (0.08, 0.84), (-0.2, 0.92), (-0.38, 0.76)), coat)
    modelled(pen, ((-0.3, 0.6), (-0.26, 0.36), (-0.06, 0.24), (0.1, 0.3), (0.02, 0.52), (-0.16, 0.64)), (238, 150, 98), shift=0.01)
    modelled(pen, ((0.0, 0.6), (0.12, 0.36), (0.46, 0.26), (0.4, 0.46), (0.22, 0.64)), mix(coat, (40, 56, 90), 0.4), shift=0.01)
    for shift in (0.0, 0.06):
        pen.line([(0.14 + shift, 0.42), (0.4, 0.3 + shift)], 0.012, CREAM, 0.6)
    pen.poly([(-0.37, 0.82), (-0.56, 0.74), (-0.36, 0.7)], YELLOW, 0.8)
    eye(pen, -0.22, 0.79, 0.035)
    for u in (-0.06, 0.06):
        pen.line([(u, 0.24), (u - 0.02, 0.16)], 0.018, ORANGE, 0.5)


def horse(pen: Pen, part: Part) -> None:
    """Draw a standing horse."""
    coat = part.colour(BROWN)
    mane = mix(coat, (40, 28, 28), 0.7)
    pen.shadow(0.05, 0.0, 0.6, 0.05, 0.6)
    for u, lit in ((-0.22, 0.2), (0.34, 0.2), (-0.32, 0.6), (0.25, 0.6)):
        pen.poly([(u - 0.045, 0.46), (u + 0.07, 0.46), (u + 0.03, 0.22), (u + 0.035, 0), (u - 0.03, 0), (u - 0.02, 0.22)], coat, lit)
        pen.rect(u - 0.034, 0, u + 0.04, 0.045, (52, 44, 44), 0.5)
    pen.poly(shapes.smooth(((0.36, 0.62), (0.5, 0.56), (0.52, 0.24), (0.45, 0.14), (0.42, 0.4))), mane, 0.5)
    modelled(pen, ((-0.36, 0.44), (0.1, 0.38), (0.36, 0.4), (0.42, 0.58), (0.3, 0.68), (-0.06, 0.64), (-0.3, 0.7), (-0.42, 0.56)), coat)
    modelled(
        pen,
        ((-0.38, 0.5), (-0.12, 0.56), (-0.3, 0.84), (-0.36, 0.98), (-0.46, 0.94), (-0.64, 0.74), (-0.6, 0.68), (-0.5, 0.72), (-0.44, 0.66)),
        coat,
    )
    pen.poly(shapes.smooth(((-0.36, 1.0), (-0.28, 0.9), (-0.12, 0.64), (-0.2, 0.6), (-0.32, 0.8))), mane, 0.6)
    pen.poly([(-0.42, 0.95), (-0.4, 1.05), (-0.36, 0.96)], coat, 0.5)
    eye(pen, -0.46, 0.87, 0.018)


def deer(pen: Pen, part: Part) -> None:
    """Draw a deer with antlers."""
    coat = part.colour((178, 118, 76))
    pen.shadow(0.05, 0.0, 0.45, 0.04, 0.6)
    for u, lit in ((-0.14, 0.2), (0.28, 0.2), (-0.2, 0.6), (0.2, 0.6)):
        pen.poly([(u - 0.03, 0.38), (u + 0.05, 0.38), (u + 0.015, 0), (u - 0.015, 0)], coat, lit)
    modelled(pen, ((-0.26, 0.36), (0.1, 0.32), (0.32, 0.36), (0.34, 0.48), (0.2, 0.54), (-0.16, 0.54), (-0.28, 0.46)), coat)
    pen.ellipse(0.33, 0.47, 0.035, 0.05, CREAM, 0.8)
    modelled(
        pen, ((-0.26, 0.4), (-0.1, 0.46), (-0.2, 0.64), (-0.24, 0.74), (-0.34, 0.72), (-0.44, 0.62), (-0.42, 0.58), (-0.32, 0.6)), coat
    )
    pen.poly([(-0.24, 0.72), (-0.14, 0.77), (-0.2, 0.69)], coat, 0.6)
    for side in (-0.02, 0.04):
        pen.limb([(-0.27 + side, 0.73), (-0.24 + side * 3, 0.84), (-0.28 + side * 5, 0.98)], 0.022, 0.008, DARK_WOOD, 0.6)
        pen.limb([(-0.245 + side * 3, 0.84), (-0.16 + side * 4, 0.9), (-0.14 + side * 4, 0.97)], 0.016, 0.006, DARK_WOOD, 0.6)
    eye(pen, -0.32, 0.67, 0.014)
    pen.ellipse(-0.44, 0.61, 0.016, 0.014, BLACK, 0.4)
    for u, v in ((0.0, 0.48), (0.1, 0.45), (0.18, 0.49), (0.06, 0.4), (-0.08, 0.44)):
        pen.ellipse(u, v, 0.014, 0.012, CREAM, 0.7)


def butterfly(pen: Pen, part: Part) -> None:
    """Draw a butterfly with open wings."""
    wing = part.colour(ORANGE)
    for side in (-1, 1):
        for outline in (
            ((0.02, 0.06), (0.2, 0.46), (0.5, 0.48), (0.46, 0.12), (0.16, -0.02)),
            ((0.02, 0.0), (0.3, 0.02), (0.38, -0.22), (0.2, -0.42), (0.06, -0.2)),
        ):
            whole = shapes.smooth(tuple((side * u, v) for u, v in outline))
            pen.poly(whole, mix(wing, BLACK, 0.75), 0.5)
            pen.poly([(u * 0.84 + side * 0.02, v * 0.84 + 0.01) for u, v in whole], wing, 0.9 if side < 0 else 0.55)
        pen.ellipse(side * 0.38, 0.36, 0.04, 0.04, WHITE, 0.9)
        pen.ellipse(side * 0.24, -0.26, 0.035, 0.035, BLUE, 0.9)
        pen.line([(0, 0.16), (side * 0.1, 0.38)], 0.012, BLACK, 0.5)
    pen.ellipse(0, 0.0, 0.03, 0.2, BLACK, 0.6)
