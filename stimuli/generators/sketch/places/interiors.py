"""Places to live and read in: a small room and a library."""

import numpy as np

from stimuli.generators.sketch import shapes
from stimuli.generators.sketch.colours import BOOKS, CREAM, DARK_WOOD, GREEN, LAMP, LEAF, TERRACOTTA, WHITE, WOOD
from stimuli.generators.sketch.light import RGB, Ink, mix
from stimuli.generators.sketch.pen import Pen
from stimuli.generators.sketch.places.stage import Stage, side_of
from stimuli.generators.sketch.places.walls import plaster, sunbeam
from stimuli.generators.sketch.subjects.cast import Part
from stimuli.generators.sketch.subjects.foliage import foliage, potted_plant, vine


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
    pen.lamp(other, h + 0.5, 0.55, strength=0.5)


def _shelf(stage: Stage, u: float, v: float) -> None:
    pen = stage.pen
    pen.shadow(u + 0.02, v - 0.03, 0.2, 0.05, 0.4)
    _books(pen, stage, u - 0.1, u + 0.06, v, 0.085, _bindings(pen))
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


Inks = list[tuple[Ink, Ink, Ink]]


def _bindings(pen: Pen) -> list[Inks]:
    """Return the inks of a book's cover, of its spine in the light and of its title, by colour and how well it is lit."""
    return [
        [
            (pen.ink(colour, lit), pen.ink(colour, lit + 0.4), pen.ink(mix(colour, CREAM, 0.6), lit))
            for lit in (0.45, 0.55, 0.65, 0.75, 0.85)
        ]
        for colour in BOOKS
    ]


def _books(pen: Pen, stage: Stage, start: float, end: float, v: float, tall: float, bindings: list[Inks]) -> None:
    """Paint a row of books on the level `v`."""
    u = start
    sizes = iter(stage.rng.random((int((end - start) / (tall * 0.14)) + 2, 3)).tolist())
    while u < end - tall * 0.16:
        a, b, c = next(sizes)
        wide, high = tall * (0.13 + 0.17 * a), tall * (0.68 + 0.3 * b)
        cover, spine, title = bindings[int(c * len(BOOKS))][int(b * 5)]
        right = min(u + wide, end)
        pen.box(u, v, right, v + high, cover)
        pen.box(u, v, u + wide * 0.22, v + high, spine)
        pen.box(u, v + high * 0.74, right, v + high * 0.8, title)
        u = right + tall * 0.012


def library(stage: Stage) -> None:
    """Paint shelves from floor to ceiling, with plants between the books."""
    pen, h = stage.pen, stage.horizon
    boards(stage, mix(WOOD, DARK_WOOD, 0.35))
    floor = h * 0.86
    pen.rect(pen.left, floor, pen.right, pen.top, DARK_WOOD, 0.12)
    row, bindings = 0.158, _bindings(pen)
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
            _books(pen, stage, start + 0.02, end, v, row * 0.8, bindings)
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
    pen.soft(0.3, 0.8, 0.5, 0.4, mix(stage.light.horizon, LAMP, 0.5), 0.2)
    pen.lamp(0.72, h + 0.3, 0.5, strength=0.5)
    _rug(stage)


def _philodendron(pen: Pen, part: Part) -> None:
    """Paint a pot whose plant spills over the shelf."""
    pen.poly([(-0.16, 0), (0.16, 0), (0.22, 0.3), (-0.22, 0.3)], CREAM, 0.5)
    count = 15
    turn = np.linspace(-1.5, 1.5, count) + 0.2 * part.rng.random(count)
    reach = 0.2 + 0.28 * part.rng.random(count)
    places = np.stack(
        [reach * np.sin(turn), 0.34 + reach * np.cos(turn) * 0.8 - 0.1, np.full(count, 0.32), np.pi / 2 - 1.6 * turn, np.ones(count)],
        axis=1,
    )
    foliage(pen, part.rng, places, shapes.leaf(0.36, blunt=0.8), LEAF)
