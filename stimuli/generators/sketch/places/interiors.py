"""Places under a roof: a lived-in room, a library, a wall of raw concrete, a table top and a plain backdrop."""

import numpy as np

from stimuli.generators.sketch import shapes
from stimuli.generators.sketch.colours import BOOKS, CONCRETE, CREAM, DARK_WOOD, GREEN, LAMP, LEAF, TERRACOTTA, WHITE, WOOD
from stimuli.generators.sketch.light import RGB, mix
from stimuli.generators.sketch.pen import Pen
from stimuli.generators.sketch.places.stage import Stage, side_of
from stimuli.generators.sketch.subjects.cast import Part
from stimuli.generators.sketch.subjects.foliage import foliage, potted_plant, vine


def plaster(stage: Stage, colour: RGB, *, bright_u: float, bright_v: float, falloff: float = 0.75) -> None:
    """Paint a wall that is lightest around one point."""
    pen = stage.pen
    u = np.linspace(pen.left, pen.right, 24)[None, :]
    v = np.linspace(pen.top, stage.horizon, 24)[:, None]
    lit = np.exp(-(((u - bright_u) / falloff) ** 2) - ((v - bright_v) / falloff) ** 2)[:, :, None]
    dim, bright = np.array(pen.ink(colour, 0.18)), np.array(pen.ink(colour, 0.95))
    pen.wash(pen.left, stage.horizon, pen.right, pen.top, (dim + (bright - dim) * lit).astype(np.float32))


def boards(stage: Stage, colour: RGB) -> None:
    """Paint a floor of boards that run toward the back wall."""
    pen, h = stage.pen, stage.horizon
    pen.rect(pen.left, pen.bottom, pen.right, h, colour, 0.5)
    low = pen.bottom - 0.02
    spread = 1 + 0.9 * (h - low) / max(h, 0.1)
    inks = pen.ramp(colour, 0.3, 0.85, 5)
    tints = stage.rng.integers(0, 5, size=26).tolist()
    for step, tint in enumerate(tints):
        u0, u1 = (step - 13) * 0.11, (step - 12) * 0.11
        pen.fill([(0.5 + u0, h), (0.5 + u1, h), (0.5 + u1 * spread, low), (0.5 + u0 * spread, low)], inks[tint])
    pen.fade(pen.left, h - 0.12, pen.right, h, pen.ink(colour, 0.1), 0.0, 0.5)
    pen.rect(pen.left, h, pen.right, h + 0.022, WHITE, 0.45)


def window(stage: Stage, u: float, v: float, width: float, height: float) -> None:
    """Paint a window with the sky in it, and the light it throws on wall and floor."""
    pen, light = stage.pen, stage.light
    pen.soft(u + width / 2, v + height / 2, width * 1.25, height * 0.95, mix(light.horizon, WHITE, 0.3), 0.42)
    frame = 0.022
    pen.rect(u - frame, v - frame, u + width + frame, v + height + frame, WHITE, 0.8)
    pane = np.linspace(0, 1, 12)[:, None, None]
    top, bottom = np.array(mix(light.middle, light.zenith, 0.55)), np.array(light.horizon)
    pen.wash(u, v, u + width, v + height, np.broadcast_to(top + (bottom - top) * pane, (12, 12, 3)).astype(np.float32))
    for step, (share, size) in enumerate(((0.2, 0.22), (0.62, 0.3), (0.9, 0.2))):
        ink = pen.light.ink(mix(LEAF, light.haze, 0.4), 0.5, 0.55 - 0.1 * step)
        pen.dot(u + share * width, v + 0.03, min(size, 0.45) * width * 0.5, size * height * 0.55, ink)
        pen.box(u, v, u + width, v + 0.035, ink)
    for share in (1 / 3, 2 / 3):
        pen.rect(u + share * width - 0.007, v, u + share * width + 0.007, v + height, WHITE, 0.55)
    pen.rect(u, v + height * 0.56 - 0.007, u + width, v + height * 0.56 + 0.007, WHITE, 0.55)
    pen.rect(u - 0.05, v - 0.045, u + width + 0.05, v - 0.02, WHITE, 1.0)
    pen.rect(u - 0.05, v - 0.06, u + width + 0.05, v - 0.045, WHITE, 0.15)


def sunbeam(stage: Stage, u: float, v: float, width: float, height: float, *, strength: float = 0.4) -> None:
    """Paint the patch of light that a window throws to the lower right."""
    pen, light = stage.pen, stage.light
    glow = mix(light.disc, light.horizon, 0.35)
    amount = strength * min(light.key[0], 1.0) ** 1.5
    panes = [(u, u + width * 0.44), (u + width * 0.52, u + width * 0.96)]
    slide = height * 0.9
    patches = [[(left, v), (right, v), (right + slide, v - height), (left + slide, v - height)] for left, right in panes]
    pen.glaze(patches, glow, amount, blur=0.02)


def room(stage: Stage) -> None:
    """Paint a small room: window, shelf, picture, rug and a few plants."""
    pen, h, side = stage.pen, stage.horizon, side_of(stage)
    win_u = 0.06 if stage.hero_u >= 0.45 else 0.5
    plaster(stage, (228, 208, 182), bright_u=win_u + 0.16, bright_v=0.8)
    boards(stage, WOOD)
    window(stage, win_u, h + 0.17, 0.34, 0.36)
    sunbeam(stage, win_u + 0.05, h - 0.03, 0.34, 0.22)
    other = 0.79 if win_u < 0.4 else 0.2
    _shelf(stage, other, h + 0.36)
    _picture(stage.pen.at(other - 0.09, h + 0.17), side)
    _rug(stage)


def _shelf(stage: Stage, u: float, v: float) -> None:
    pen = stage.pen
    pen.shadow(u + 0.02, v - 0.03, 0.2, 0.05, 0.4)
    _books(pen, stage, u - 0.1, u + 0.06, v, 0.085)
    potted_plant(pen.at(u + 0.115, v, 0.15), Part(stage.rng))
    pen.rect(u - 0.17, v - 0.018, u + 0.17, v, DARK_WOOD, 0.8)
    pen.rect(u - 0.17, v - 0.018, u + 0.17, v - 0.012, DARK_WOOD, 0.2)
    if stage.busy > 0.5:
        vine(pen.at(u - 0.14, v + 0.01, 0.26), Part(stage.rng))


def _picture(pen: Pen, side: float) -> None:
    pen.rect(-0.004, -0.066, 0.112, 0.062, DARK_WOOD, 0.2)
    pen.rect(-0.01, -0.06, 0.106, 0.068, WHITE, 0.8)
    pen.rect(0.004, -0.046, 0.092, 0.054, (240, 206, 170), 0.7)
    pen.ellipse(0.048 + 0.014 * side, 0.018, 0.019, 0.019, TERRACOTTA, 0.9)
    pen.poly([(0.004, -0.046), (0.004, -0.012), (0.034, 0.004), (0.06, -0.016), (0.092, -0.004), (0.092, -0.046)], GREEN, 0.6)


def _rug(stage: Stage) -> None:
    pen, h, u = stage.pen, stage.horizon, stage.hero_u
    for reach, colour in ((0.42, (176, 84, 66)), (0.38, (232, 202, 162)), (0.35, (190, 104, 78)), (0.2, (216, 150, 110))):
        pen.ellipse(u, h * 0.4, reach, reach * 0.3, colour, 0.6)


def _books(pen: Pen, stage: Stage, start: float, end: float, v: float, tall: float) -> None:
    """Paint a row of books on the level `v`."""
    u = start
    sizes = iter(stage.rng.random((int((end - start) / (tall * 0.14)) + 2, 3)).tolist())
    while u < end - tall * 0.16:
        a, b, c = next(sizes)
        wide, high = tall * (0.13 + 0.17 * a), tall * (0.68 + 0.3 * b)
        colour = BOOKS[int(c * len(BOOKS))]
        lit = 0.4 + 0.45 * b
        right = min(u + wide, end)
        pen.rect(u, v, right, v + high, colour, lit)
        pen.rect(u, v, u + wide * 0.22, v + high, colour, lit + 0.4)
        pen.rect(u, v + high * 0.74, right, v + high * 0.8, mix(colour, CREAM, 0.6), lit)
        u = right + tall * 0.012


def library(stage: Stage) -> None:
    """Paint shelves from floor to ceiling, with plants between the books."""
    pen, h = stage.pen, stage.horizon
    boards(stage, mix(WOOD, DARK_WOOD, 0.35))
    floor = h * 0.86
    pen.rect(pen.left, floor, pen.right, pen.top, DARK_WOOD, 0.12)
    row = 0.158
    greens: list[tuple[float, float]] = []
    bay = 0.36
    first = 0.5 - bay * 2.5
    for level in range(int((pen.top - floor) / row) + 2):
        v = floor + 0.05 + level * row
        for column in range(5):
            start = first + column * bay
            if start > pen.right or start + bay < pen.left:
                continue
            gap = stage.rng.random()
            end = start + bay * (0.66 if gap < 0.5 else 0.97)
            _books(pen, stage, start + 0.02, end, v, row * 0.8)
            if gap < 0.5:
                greens.append((start + bay * 0.82, v))
        pen.rect(pen.left, v - 0.022, pen.right, v, WOOD, 0.6)
        pen.rect(pen.left, v - 0.022, pen.right, v - 0.014, WOOD, 0.15)
    for column in range(6):
        u = first + column * bay
        pen.rect(u - 0.014, floor, u + 0.014, pen.top, WOOD, 0.75)
        pen.rect(u + 0.006, floor, u + 0.014, pen.top, WOOD, 0.25)
    pen.rect(pen.left, floor - 0.01, pen.right, floor + 0.03, WOOD, 0.4)
    pen.across(pen.left, floor, pen.right, pen.top, pen.ink(DARK_WOOD, 0.0), 0.0, 0.5)
    for step, (u, v) in enumerate(greens):
        (potted_plant if step % 2 else _philodendron)(pen.at(u, v, 0.15), Part(stage.rng))
    for u, size in ((0.08, 0.34), (0.9, 0.4), (0.46, 0.24))[: stage.many(2)]:
        vine(pen.at(u, floor + 0.05 + 4 * row, size), Part(stage.rng))
    pen.soft(0.3, 0.8, 0.6, 0.5, mix(stage.light.horizon, LAMP, 0.5), 0.25)
    _rug(stage)


def _philodendron(pen: Pen, part: Part) -> None:
    """Paint a pot whose plant spills over the shelf."""
    pen.poly([(-0.16, 0), (0.16, 0), (0.22, 0.3), (-0.22, 0.3)], CREAM, 0.5)
    count = 15
    turn = np.linspace(-1.5, 1.5, count) + 0.2 * part.rng.random(count)
    reach = 0.2 + 0.28 * part.rng.random(count)
    places = np.stack([reach * np.sin(turn), 0.34 + reach * np.cos(turn) * 0.8 - 0.1, np.full(count, 0.32), np.pi / 2 - 1.6 * turn, np.ones(count)], axis=1)
    foliage(pen, part.rng, places, shapes.leaf(0.36, blunt=0.8), LEAF)


def concrete(stage: Stage) -> None:
    """Paint a wall of raw concrete: cast panels with tie holes, stains and slanting light."""
    pen, h = stage.pen, stage.horizon
    floor = h * 0.72
    pen.rect(pen.left, pen.bottom, pen.right, floor, mix(CONCRETE, (150, 132, 116), 0.35), 0.45)
    pen.rect(pen.left, floor, pen.right, pen.top, CONCRETE, 0.5)
    wide, tall = 0.36, 0.27
    joint, hole, edge = pen.ink(CONCRETE, 0.05), pen.ink((110, 108, 106), 0.2), pen.ink(CONCRETE, 0.95)
    across = range(int((pen.left - 0.5) / wide) - 1, int((pen.right - 0.5) / wide) + 2)
    for row in range(int((pen.top - floor) / tall) + 2):
        v = floor + row * tall
        for column, tint in zip(across, stage.rng.random(len(across)).tolist(), strict=True):
            u = 0.5 + wide * column
            pen.rect(u, v, u + wide, v + tall, CONCRETE, 0.4 + 0.32 * tint)
            for a, b in ((0.16, 0.2), (0.84, 0.2), (0.16, 0.8), (0.84, 0.8)):
                pen.dot(u + a * wide, v + b * tall, 0.008, 0.008, hole)
                pen.dot(u + a * wide + 0.002, v + b * tall - 0.003, 0.006, 0.005, edge)
        for column in across:
            u = 0.5 + wide * column
            pen.box(u - 0.0025, v, u + 0.0025, v + tall, joint)
        pen.box(pen.left, v - 0.003, pen.right, v + 0.002, joint)
        pen.box(pen.left, v + 0.002, pen.right, v + 0.005, edge)
    for a, b, c in stage.rng.random((stage.many(7), 3)).tolist():
        pen.soft(pen.left + a * (pen.right - pen.left), floor + b * (pen.top - floor), 0.05 + 0.1 * c, 0.16 + 0.2 * b, pen.ink(CONCRETE, 0.0), 0.3)
    _slant(stage, floor)
    pen.fade(pen.left, floor, pen.right, floor + 0.12, pen.ink(CONCRETE, 0.0), 0.6, 0.0)
    pen.fade(pen.left, pen.bottom, pen.right, floor, pen.ink((120, 106, 96), 0.1), 0.5, 0.1)


def _slant(stage: Stage, floor: float) -> None:
    """Paint a broad band of sun across the wall."""
    pen, light = stage.pen, stage.light
    glow = mix(light.disc, light.horizon, 0.3)
    amount = 0.42 * min(light.key[0], 1.0)
    top = pen.top + 0.02
    wide = [(-0.05, top), (0.62, top), (1.16, floor), (0.5, floor)]
    narrow = [(0.72, top), (0.82, top), (1.32, floor), (1.24, floor)]
    pen.glaze([wide, narrow], glow, amount, blur=0.03)


def table(stage: Stage) -> None:
    """Paint a table top before a plain wall, in the light of a window."""
    pen, h = stage.pen, stage.horizon
    walls: tuple[RGB, ...] = ((206, 188, 160), (158, 182, 172), (206, 170, 154), (150, 176, 190))
    plaster(stage, walls[int(stage.rng.random() * 4)], bright_u=0.15, bright_v=0.85, falloff=0.9)
    sunbeam(stage, -0.06, 1.0, 0.46, 0.62, strength=0.3)
    pen.rect(pen.left, pen.bottom, pen.right, h, WOOD, 0.55)
    inks = pen.ramp(WOOD, 0.3, 0.9)
    for a, b, c in stage.rng.random((stage.many(26), 3)).tolist():
        v = pen.bottom + (h - pen.bottom) * b
        pen.dot(pen.left + a * (pen.right - pen.left), v, 0.1 + 0.2 * c, 0.003 + 0.003 * (1 - b), inks[int(c * 6)])
    pen.fade(pen.left, pen.bottom, pen.right, h, pen.ink(WOOD, 1.1), 0.0, 0.5)
    low = h * 0.1
    pen.poly([(0.14, h * 0.8), (0.9, h * 0.86), (1.04, low), (0.06, low - 0.03)], CREAM, 0.62)
    pen.poly([(1.04, low), (0.06, low - 0.03), (0.07, low - 0.06), (1.03, low - 0.035)], CREAM, 0.2)
    for share in (0.12, 0.2):
        pen.stroke([(0.14 - 0.08 * share, h * 0.8 - (h * 0.8 - low) * (1 - share)), (1.02, low + share * 0.32)], 0.006, pen.ink((186, 108, 88), 0.6))


def backdrop(stage: Stage) -> None:
    """Paint the plain backdrop of a studio, with leaves' shadows on it."""
    pen, h = stage.pen, stage.horizon
    plaster(stage, (196, 176, 158), bright_u=0.3, bright_v=0.75, falloff=0.7)
    floor = pen.ink((206, 180, 158), 0.62)
    pen.box(pen.left, pen.bottom, pen.right, h + 0.01, floor)
    pen.fade(pen.left, h, pen.right, h + 0.16, floor, 1.0, 0.0)
    fronds = []
    for a, b in stage.rng.random((stage.many(9), 2)).tolist():
        root, tip = (0.86 + 0.12 * a, 1.12), (0.46 + 0.5 * a, 0.5 + 0.3 * b)
        fronds.append(shapes.arc(root, tip, 0.04) + shapes.arc(tip, (root[0] + 0.06, root[1]), 0.0))
    pen.glaze(fronds, pen.ink((150, 122, 112), 0.3), 0.4, blur=0.02)
