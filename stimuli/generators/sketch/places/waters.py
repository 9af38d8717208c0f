"""Places by the water: open sea with or without a headland, beach, and a still lake that mirrors what is above it."""

import numpy as np

from stimuli.generators.sketch import shapes
from stimuli.generators.sketch.colours import DARK_STONE, DEEP_LEAF, GRASS, MOSS, SAND, WATER, WHITE
from stimuli.generators.sketch.light import RGB, mix
from stimuli.generators.sketch.places.outdoors import grass
from stimuli.generators.sketch.places.sky import ranges, sky, treeline
from stimuli.generators.sketch.places.stage import Spot, Stage, outdoor_spots, side_of
from stimuli.generators.sketch.stones import facet


def water_colour(stage: Stage) -> RGB:
    """Return the colour of deep water under this light."""
    lit = stage.pen.ink(WATER, 0.4)
    return mix((lit[0], lit[1], lit[2]), stage.light.zenith, 0.3)


def sea(stage: Stage) -> None:
    """Paint the open sea, and under a subject that stands, a headland of rock."""
    sun = sky(stage)
    pen, h = stage.pen, stage.horizon
    if stage.has("mountains") or stage.has("coast"):
        ranges(stage, sharp=stage.has("mountains"))
    _open_water(stage, sun[0])
    if stage.land:
        _headland(stage)
    else:
        pen.shadow(stage.hero_u, h * 0.4, 0.3, 0.02, 0.3)


def _open_water(stage: Stage, sun_u: float) -> None:
    pen, h, light = stage.pen, stage.horizon, stage.light
    deep, far = water_colour(stage), mix(water_colour(stage), light.horizon, 0.6)
    pen.box(pen.left, pen.bottom, pen.right, h, (int(deep[0]), int(deep[1]), int(deep[2])))
    pen.fade(pen.left, h * 0.3, pen.right, h, far, 0.0, 1.0)
    pen.soft(sun_u, h * 0.7, 0.22, h * 0.6, mix(light.disc, light.horizon, 0.3), 0.3 + 0.6 * light.glow)
    _waves(stage, deep)
    _glitter(stage, sun_u)


def _waves(stage: Stage, deep: RGB) -> None:
    pen, h = stage.pen, stage.horizon
    crests = [mix(deep, stage.light.horizon, share) for share in (0.25, 0.45, 0.65)]
    troughs = mix(deep, (10, 30, 60), 0.25)
    for a, b, c in stage.rng.random((stage.many(70), 3)).tolist():
        near = b * b
        v = h * (1 - 0.02) - near * (h - pen.bottom)
        reach, thick = 0.02 + 0.13 * near + 0.03 * c, 0.0012 + 0.0075 * near
        u = pen.left + a * (pen.right - pen.left)
        if c < 0.6:
            pen.dot(u, v, reach, thick, _ink(crests[int(c * 5)]))
        else:
            pen.dot(u, v, reach, thick, _ink(troughs))


def _glitter(stage: Stage, sun_u: float) -> None:
    pen, h, light = stage.pen, stage.horizon, stage.light
    ink = _ink(mix(light.disc, light.horizon, 0.2))
    for a, b, c in stage.rng.random((int(46 * min(light.glow + 0.25, 1.0)), 3)).tolist():
        near = b * 0.9
        spread = (0.02 + 0.1 * near) * (a - 0.5) * 2
        pen.dot(sun_u + spread, h * (0.985 - near), 0.006 + 0.022 * near * c, 0.0014 + 0.003 * near, ink)


def _ink(colour: RGB) -> tuple[int, int, int]:
    return int(colour[0]), int(colour[1]), int(colour[2])


def _headland(stage: Stage) -> None:
    """Paint a tongue of rock from the picture's edge to under the main subject - an island, in a symmetrical picture - with surf."""
    pen, side, u = stage.pen, side_of(stage), stage.hero_u
    level = headland_level(stage)
    tip, back = u + 0.27 * side, u - 0.3 * side
    edge = pen.left - 0.05 if side > 0 else pen.right + 0.05
    rise = 1.02
    if stage.symmetrical:
        edge, back, rise = u - 0.27 * side, u - 0.14 * side, 0.4
    ridge = [(edge, level * rise), (back, level * 0.96), (u - 0.1 * side, level), (u + 0.11 * side, level * 0.97)]
    foot = level * 0.28
    _surf(stage, edge, tip + 0.05 * side, foot, 16)
    pen.poly(
        [*ridge, (tip - 0.08 * side, level * 0.7), (tip, level * 0.4), (tip + 0.03 * side, foot), (edge, foot - 0.05)], DARK_STONE, 0.42
    )
    boulders(stage, edge, tip, foot, level)
    top = ridge[1:] if stage.symmetrical else ridge
    turf = [(u + 0.04 * side, level * 0.9), (back, level * 0.88), (edge, level * 0.84)]
    pen.poly([*top, *turf[: len(top) - 1]], mix(GRASS, MOSS, 0.5), 0.7)
    for a, b, c in stage.rng.random((10, 3)).tolist():
        pen.ellipse(back + (u + 0.08 * side - back) * a, level * (0.89 + 0.06 * b), 0.03, 0.007, mix(GRASS, MOSS, c), 0.5 + 0.5 * c)
    _surf(stage, edge, tip + 0.06 * side, foot - 0.02, 9)


def headland_level(stage: Stage) -> float:
    """Return the height of the rock's top: at the horizon, or below it when the camera looks down."""
    return min(stage.horizon * 0.98, 0.42)


def _surf(stage: Stage, start: float, end: float, level: float, count: int) -> None:
    surf = stage.pen.ink(WHITE, 0.8)
    for a, b, c in stage.rng.random((count, 3)).tolist():
        stage.pen.dot(start + (end - start) * a, level - 0.03 * b, 0.04 + 0.05 * c, 0.006 + 0.008 * b, surf)


def boulders(stage: Stage, start: float, end: float, low: float, high: float) -> None:
    """Paint faceted boulders over a bank of rock."""
    pen = stage.pen
    for a, b, c in sorted(stage.rng.random((15, 3)).tolist(), key=lambda row: -row[1]):
        u = start + (end - start) * (a**0.8)
        reach = abs(end - u) / max(abs(end - start), 1e-6)
        v = low + (high - low) * 0.75 * b * min(1.0, 0.3 + 2.2 * reach)
        facet(pen.at(u, v - 0.02, 0.07 + 0.07 * c), b)


def sea_front(stage: Stage) -> None:
    """Paint a few rocks and some surf in the lower corner away from the main subject."""
    pen = stage.pen
    if stage.busy < 0.5:
        return
    side = side_of(stage)
    low = max(pen.bottom, 0.0)
    corner = min(pen.right, 1.05) if side > 0 else max(pen.left, -0.05)
    for a, b, c in stage.rng.random((stage.many(5), 3)).tolist():
        u = corner - side * 0.3 * a
        pen.ellipse(u, low + 0.012, 0.11, 0.014, WHITE, 0.7)
        facet(pen.at(u, low - 0.03, (0.1 + 0.1 * b) * (1.2 - a)), c)


def beach(stage: Stage) -> None:
    """Paint sand with the sea coming in behind it."""
    sun = sky(stage)
    pen, h = stage.pen, stage.horizon
    if stage.has("mountains"):
        ranges(stage, sharp=True)
    _open_water(stage, sun[0])
    shore = shapes.ridge(stage.rng, pen.left, pen.right, h * 0.55, 0.05)
    for lift, colour, lit in (
        (0.035, WHITE, 0.75),
        (0.02, mix(SAND, WATER, 0.35), 0.5),
        (0.012, WHITE, 0.85),
        (0.0, mix(SAND, (150, 110, 90), 0.3), 0.55),
        (-0.03, SAND, 0.8),
    ):
        pen.poly(shapes.under(np.add(shore, (0, lift)), pen.bottom), colour, lit)
    pen.fade(pen.left, pen.bottom, pen.right, h * 0.45, pen.ink(mix(SAND, (214, 160, 110), 0.5), 0.5), 0.7, 0.0)
    for a, b, c in stage.rng.random((stage.many(40), 3)).tolist():
        v = max(pen.bottom, 0.0) + h * 0.42 * a
        pen.dot(pen.left + b * (pen.right - pen.left), v, 0.004 + 0.02 * c, 0.0025, pen.ink(SAND, 0.4 + 0.6 * c))


def beach_front(stage: Stage) -> None:
    """Paint shells and a tuft of dune grass."""
    pen = stage.pen
    low = max(pen.bottom, 0.0)
    for a, b, c in stage.rng.random((stage.many(6), 3)).tolist():
        pen.ellipse(pen.left + a * (pen.right - pen.left), low + 0.02 + 0.06 * b, 0.009, 0.006, mix(WHITE, (236, 170, 150), c), 0.8)


def lake(stage: Stage) -> None:
    """Paint a still lake between hills or mountains."""
    sky(stage)
    ranges(stage, sharp=not stage.has("hills"))
    treeline(stage, stage.horizon + 0.002, 0.075 * stage.far, 0.42)
    mirror_lake(stage)


def mirror_lake(stage: Stage) -> None:
    """Paint the water of a lake, with what stands above it upside down in it."""
    pen, h = stage.pen, stage.horizon
    deep = water_colour(stage)
    pen.mirror(h, h - pen.bottom + 0.01, 0.92, deep, 0.36)
    pen.fade(pen.left, pen.bottom, pen.right, h * 0.8, mix(deep, (14, 40, 60), 0.3), 0.75, 0.0)
    bright, dark = mix(deep, stage.light.horizon, 0.5), mix(deep, (10, 30, 50), 0.2)
    pen.rect(pen.left, h - 0.004, pen.right, h + 0.003, mix(bright, WHITE, 0.3), None)
    for a, b, c in stage.rng.random((stage.many(52), 3)).tolist():
        near = b * b
        v = h * 0.97 - near * (h - pen.bottom)
        pen.dot(
            pen.left + a * (pen.right - pen.left),
            v,
            0.03 + 0.12 * near * (0.5 + c),
            0.001 + 0.0035 * near,
            _ink(bright if c < 0.55 else dark),
        )


def lake_front(stage: Stage) -> None:
    """Paint reeds and stones on the near shore."""
    grass(stage, mix(GRASS, DEEP_LEAF, 0.55), height=0.17)
    if stage.busy > 0.5:
        pen = stage.pen
        low = max(pen.bottom, 0.0)
        for a, b, c in stage.rng.random((stage.many(4), 3)).tolist():
            facet(pen.at(pen.left + a * (pen.right - pen.left), low - 0.03, 0.06 + 0.08 * b), c)


def sea_spots(stage: Stage, kind: str) -> list[Spot]:
    """Return where things go by the sea: what stands is on the headland, what swims is on the free side."""
    spots = outdoor_spots(stage, kind)
    h, u, side = stage.horizon, stage.hero_u, side_of(stage)
    if kind == "ground" and stage.land:
        top = headland_level(stage)
        return [
            Spot(u, top * 0.95),
            Spot(u - 0.26 * side, top * 0.92, 0.55),
            *(Spot(u - 0.1 * side * n, top * 0.88, 0.4) for n in (1.3, 3.4)),
        ]
    if kind == "water" and stage.land:
        return [
            Spot(u + 0.36 * side, h * 0.66, 0.5, 0.12),
            Spot(u + 0.56 * side, h * 0.8, 0.3, 0.3),
            Spot(u + 0.22 * side, h * 0.88, 0.2, 0.5),
        ]
    return spots
