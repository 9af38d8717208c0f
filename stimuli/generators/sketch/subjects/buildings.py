"""Buildings: lighthouse, house, castle, windmill, bridge, skyline, and a glowing window in each."""

import numpy as np

from stimuli.generators.sketch.colours import BLUE, CREAM, DARK_WOOD, HOUSES, IRON, LAMP, LEAF, RED, SLATE, STONE, WHITE, WOOD
from stimuli.generators.sketch.light import RGB, mix
from stimuli.generators.sketch.pen import Pen, Point
from stimuli.generators.sketch.subjects.cast import Part


def pane(pen: Pen, u: float, v: float, width: float, height: float, *, glow: float = 0.09) -> None:
    """Draw a window that shines when lamps do."""
    pen.rect(u - 0.008, v - 0.008, u + width + 0.008, v + height + 0.008, WHITE, 0.6)
    if pen.light.lamps > 0.2:
        pen.rect(u, v, u + width, v + height, LAMP, None)
        pen.lamp(u + width / 2, v + height / 2, glow + width, strength=0.5)
    else:
        pen.rect(u, v, u + width, v + height, mix(SLATE, pen.light.middle, 0.35), 0.35)
    pen.rect(u + width * 0.45, v, u + width * 0.55, v + height, WHITE, 0.55)


def lighthouse(pen: Pen, part: Part) -> None:
    """Draw a striped lighthouse with its keeper's house."""
    stripe = part.colour(RED)
    _cottage(pen.at(0.23, 0.0, 0.32), CREAM, stripe)
    pen.shadow(0.06, 0.0, 0.26, 0.03, 0.6)
    steps = 6
    for step in range(steps):
        v0, v1 = 0.72 * step / steps, 0.72 * (step + 1) / steps
        w0, w1 = 0.115 - 0.045 * step / steps, 0.115 - 0.045 * (step + 1) / steps
        colour = WHITE if step % 2 == 0 else stripe
        for left, right, lit in ((-1.0, 1.0, 0.55), (-1.0, -0.2, 0.95), (0.42, 1.0, 0.12)):
            pen.poly([(left * w0, v0), (right * w0, v0), (right * w1, v1), (left * w1, v1)], colour, lit)
    for v in (0.16, 0.43):
        pane(pen, -0.02, v, 0.034, 0.05)
    pen.rect(-0.1, 0.72, 0.1, 0.742, IRON, 0.4)
    for u in (-0.09, -0.045, 0.0, 0.045, 0.09):
        pen.rect(u - 0.003, 0.74, u + 0.003, 0.785, IRON, 0.5)
    pen.rect(-0.095, 0.783, 0.095, 0.79, IRON, 0.6)
    pen.rect(-0.058, 0.742, 0.058, 0.85, mix(LAMP, WHITE, 0.3), None if pen.light.lamps > 0.2 else 0.8)
    for u in (-0.058, -0.02, 0.018, 0.05):
        pen.rect(u, 0.742, u + 0.008, 0.85, IRON, 0.4)
    pen.poly([(-0.085, 0.85), (0.085, 0.85), (0.05, 0.9), (0.0, 0.945), (-0.05, 0.9)], stripe, 0.35)
    pen.poly([(-0.085, 0.85), (-0.01, 0.85), (0.0, 0.945), (-0.05, 0.9)], stripe, 0.95)
    pen.rect(-0.004, 0.94, 0.004, 0.99, IRON, 0.5)
    if pen.light.lamps > 0.2:
        beams = [[(0, 0.8), (1.5, 1.02), (1.5, 0.8)], [(0, 0.8), (-1.4, 0.92), (-1.4, 0.7)]]
        pen.glaze(beams, LAMP, 0.34 * pen.light.lamps, blur=0.03)
        pen.lamp(0, 0.8, 0.3, strength=0.95)


def _cottage(pen: Pen, wall: RGB, roof: RGB) -> None:
    pen.shadow(0.1, 0.0, 0.8, 0.07, 0.6)
    pen.rect(-0.5, 0, 0.5, 0.46, wall, 0.42)
    pen.poly([(-0.5, 0), (-0.08, 0), (-0.08, 0.46), (-0.29, 0.8), (-0.5, 0.46)], wall, 0.85)
    pen.poly([(-0.08, 0.44), (0.56, 0.44), (0.38, 0.82), (-0.28, 0.82)], roof, 0.5)
    pen.poly([(-0.57, 0.42), (-0.5, 0.42), (-0.28, 0.76), (-0.08, 0.42), (-0.02, 0.42), (-0.28, 0.86)], roof, 0.9)
    pen.rect(0.2, 0.7, 0.31, 0.98, mix(wall, (150, 90, 70), 0.5), 0.55)
    pane(pen, -0.36, 0.14, 0.13, 0.17)
    pane(pen, 0.28, 0.14, 0.13, 0.17)
    pen.rect(0.04, 0, 0.19, 0.32, DARK_WOOD, 0.6)


def house(pen: Pen, part: Part) -> None:
    """Draw a house with a smoking chimney, a garden bush on each side."""
    wall = part.colour(HOUSES[int(part.rng.random() * 4)])
    _cottage(pen.at(0, 0, 1.0), wall, (172, 84, 66))
    for step in range(4):
        size = 0.05 + 0.03 * step
        pen.soft(
            0.26 + 0.05 * step * step / 3, 1.04 + 0.11 * step, size * 1.5, size * 1.2, mix(pen.light.haze, WHITE, 0.4), 0.7 - 0.12 * step
        )
    for u, size in ((-0.62, 0.15), (0.62, 0.19), (0.5, 0.11)):
        for x, y, lit in ((0.25, 0.3, 0.15), (-0.2, 0.35, 0.5), (0.0, 0.6, 0.85)):
            pen.ellipse(u + x * size, y * size, size * 0.75, size * 0.6, LEAF, lit)


def cabin(pen: Pen, part: Part) -> None:
    """Draw a log cabin."""
    pen.shadow(0.1, 0.0, 0.85, 0.07, 0.6)
    timber = part.colour(WOOD)
    for step in range(7):
        v = step * 0.07
        pen.rect(-0.54, v, 0.54, v + 0.066, timber, 0.32 + 0.08 * (step % 2))
        pen.rect(-0.54, v + 0.045, 0.54, v + 0.066, timber, 0.8)
        for u in (-0.55, 0.55):
            pen.ellipse(u, v + 0.033, 0.036, 0.033, mix(timber, CREAM, 0.35), 0.7)
    pen.poly([(-0.5, 0.48), (0.5, 0.48), (0.0, 0.86)], timber, 0.55)
    pen.poly([(-0.66, 0.42), (-0.58, 0.38), (0.0, 0.84), (0.58, 0.38), (0.66, 0.42), (0.0, 0.96)], (96, 72, 66), 0.6)
    pen.poly([(-0.66, 0.42), (-0.6, 0.42), (0.0, 0.9), (0.0, 0.96)], (150, 116, 100), 0.95)
    pen.rect(-0.12, 0, 0.12, 0.36, DARK_WOOD, 0.5)
    pen.ellipse(0.07, 0.17, 0.013, 0.013, LAMP, 0.9)
    pane(pen, -0.42, 0.16, 0.18, 0.18)
    pane(pen, 0.24, 0.16, 0.18, 0.18)
    pane(pen, -0.06, 0.54, 0.12, 0.12)


def castle(pen: Pen, part: Part) -> None:
    """Draw a castle with pointed towers."""
    stone = part.colour(mix(STONE, CREAM, 0.45))
    pen.shadow(0.08, 0.0, 0.75, 0.06, 0.5)
    for u, wide, tall, roof in ((-0.1, 0.17, 0.78, 0.24), (0.26, 0.13, 0.6, 0.2), (-0.42, 0.14, 0.46, 0.18), (0.5, 0.12, 0.4, 0.16)):
        pen.rect(u - wide / 2, 0, u + wide / 2, tall, stone, 0.4)
        pen.rect(u - wide / 2, 0, u - wide * 0.08, tall, stone, 0.85)
        pen.poly([(u - wide * 0.66, tall), (u + wide * 0.66, tall), (u, tall + roof)], BLUE, 0.35)
        pen.poly([(u - wide * 0.66, tall), (u - wide * 0.05, tall), (u, tall + roof)], BLUE, 0.9)
        pane(pen, u - 0.018, tall * 0.72, 0.036, 0.07)
    pen.rect(-0.46, 0, 0.52, 0.28, stone, 0.6)
    for step in range(11):
        u = -0.46 + step * 0.09
        pen.rect(u, 0.28, u + 0.05, 0.32, stone, 0.7)
    pen.poly([(-0.06, 0), (0.1, 0), (0.1, 0.13), (0.02, 0.19), (-0.06, 0.13)], DARK_WOOD, 0.4)
    pane(pen, -0.32, 0.1, 0.05, 0.08)
    pane(pen, 0.3, 0.1, 0.05, 0.08)


def windmill(pen: Pen, part: Part) -> None:
    """Draw a windmill."""
    pen.shadow(0.08, 0.0, 0.32, 0.04, 0.6)
    wall = part.colour(CREAM)
    pen.poly([(-0.2, 0), (0.2, 0), (0.11, 0.62), (-0.11, 0.62)], wall, 0.4)
    pen.poly([(-0.2, 0), (-0.04, 0), (-0.02, 0.62), (-0.11, 0.62)], wall, 0.9)
    pen.poly([(-0.14, 0.6), (0.14, 0.6), (0.08, 0.72), (0.0, 0.76), (-0.08, 0.72)], (152, 86, 70), 0.6)
    pen.rect(-0.05, 0, 0.05, 0.15, DARK_WOOD, 0.5)
    pane(pen, -0.03, 0.32, 0.06, 0.08)
    turn = 0.3 + part.rng.random()
    for step in range(4):
        arm = turn + step * np.pi / 2
        pen.poly([_on_arm(arm, *p) for p in ((0.1, 0.0), (0.44, 0.0), (0.44, 0.1), (0.1, 0.08))], WHITE, 0.75)
        for share in (0.1, 0.21, 0.32, 0.44):
            pen.line([_on_arm(arm, share, 0.0), _on_arm(arm, share, 0.09)], 0.006, DARK_WOOD, 0.6)
        pen.line([_on_arm(arm, 0.0, 0.0), _on_arm(arm, 0.45, 0.0)], 0.014, DARK_WOOD, 0.5)
    pen.ellipse(0, 0.66, 0.025, 0.025, DARK_WOOD, 0.8)


def _on_arm(angle: float, along: float, aside: float) -> Point:
    """Return a point of a mill's sail."""
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    return along * cos - aside * sin, 0.66 + along * sin + aside * cos


def _deck(u: float) -> float:
    """Return the height of the bridge's deck."""
    return 0.62 - 0.16 * u * u


def bridge(pen: Pen, part: Part) -> None:
    """Draw a stone bridge of three arches over water."""
    stone = part.colour(mix(STONE, CREAM, 0.3))
    for u, wide in ((-0.62, 0.4), (0.0, 0.52), (0.62, 0.4)):
        for reflected in (False, True):
            sign, lit = (-0.7, 0.0) if reflected else (1.0, 0.45)
            top = _deck(u) - 0.14
            turns = np.linspace(0, np.pi, 9)
            hole = [(u + wide / 2 * float(np.cos(t)), sign * top * float(np.sin(t)) ** 0.7) for t in turns]
            crest = [(s, sign * (_deck(s) + 0.02)) for s in np.linspace(u - wide / 2 - 0.08, u + wide / 2 + 0.08, 7).tolist()]
            ends = [(crest[-1][0], 0.0), *hole, (crest[0][0], 0.0)]
            if reflected:
                pen.glaze([[*crest, *ends]], pen.ink(mix(stone, SLATE, 0.5), 0.15), 0.55)
            else:
                pen.poly([*crest, *ends], stone, lit)
                pen.line(hole, 0.03, mix(stone, WHITE, 0.3), 0.8)
    rail = [(u, _deck(u)) for u in np.linspace(-1.4, 1.4, 22).tolist()]
    pen.poly([*((u, v + 0.07) for u, v in rail), *((u, v) for u, v in rail[::-1])], mix(stone, WHITE, 0.2), 0.8)
    for u, v, shade in (part.rng.random((part.many(26), 3)) * (2.2, 0.12, 1) - (1.1, 0, 0)).tolist():
        pen.rect(u, _deck(u) - 0.02 - v, u + 0.06, _deck(u) + 0.005 - v, stone, 0.3 + 0.5 * shade)
    for u in (-0.31, 0.31):
        pen.rect(u - 0.05, -0.04, u + 0.05, 0.2, stone, 0.25)
        pen.rect(u - 0.05, -0.04, u - 0.01, 0.2, stone, 0.75)


def skyline(pen: Pen, part: Part) -> None:
    """Draw the towers of a city, far ones paler."""
    for depth, low, high, shade in ((0.7, 0.5, 0.86, 0.35), (0.4, 0.36, 0.95, 0.5), (0.08, 0.2, 0.6, 0.6)):
        row = pen.at(0, 0, depth=depth)
        u = -1.1
        for a, b, c in part.rng.random((16, 3)).tolist():
            wide = 0.11 + 0.09 * a
            _tower(row, part, u, wide, low + (high - low) * b * (1 - 0.35 * abs(u)), mix(SLATE, HOUSES[int(c * 7)], shade), c)
            u += wide + 0.012 + 0.05 * c
        pen.fade(-1.2, 0.0, 1.4, 0.5, pen.light.haze, 0.4 * depth + 0.1, 0.0)


def _tower(pen: Pen, part: Part, u: float, wide: float, tall: float, colour: RGB, kind: float) -> None:
    pen.rect(u, 0, u + wide, tall, colour, 0.3)
    pen.rect(u, 0, u + wide * 0.5, tall, colour, 0.85)
    if kind > 0.75:
        pen.poly([(u, tall), (u + wide, tall), (u + wide / 2, tall + 0.09)], colour, 0.5)
        pen.rect(u + wide / 2 - 0.003, tall + 0.06, u + wide / 2 + 0.003, tall + 0.18, colour, 0.4)
    elif kind > 0.45:
        pen.rect(u + wide * 0.2, tall, u + wide * 0.8, tall + 0.045, colour, 0.5)
    glass = pen.ink(mix(colour, pen.light.middle, 0.4), 0.4)
    lamp = pen.ink(LAMP, None)
    rows = min(int(tall / 0.06), 9)
    shining = part.rng.random((rows, 3)).tolist()
    for row in range(rows):
        for column in range(3):
            x, y = u + wide * (0.14 + 0.27 * column), tall - 0.05 - row * 0.06
            pen.box(x, y, x + wide * 0.16, y + 0.028, lamp if shining[row][column] < 0.6 * pen.light.lamps else glass)
