"""Open places on land: meadow, desert, snow, forest, and the made-up land of subjects the painter does not know."""

import numpy as np

from stimuli.generators.sketch import shapes
from stimuli.generators.sketch.colours import BARK, BLOSSOMS, DEEP_LEAF, FRESH_LEAF, GRASS, LEAF, MOSS, SAND, SLATE, WHITE
from stimuli.generators.sketch.light import RGB, mix
from stimuli.generators.sketch.pen import Pen
from stimuli.generators.sketch.places.sky import ranges, sky, treeline
from stimuli.generators.sketch.places.stage import Stage


def meadow(stage: Stage) -> None:
    """Paint rolling hills under the sky."""
    sky(stage)
    ranges(stage, sharp=stage.has("mountains"))
    h, pen = stage.horizon, stage.pen
    if stage.has("forest") or stage.busy > 0.7:
        treeline(stage, h - 0.02, 0.06 * stage.far, 0.5)
    pen.rect(pen.left, pen.bottom, pen.right, h - 0.02, GRASS, 0.55)
    for step, depth in enumerate((0.42, 0.22, 0.08)):
        base = h * (0.9 - 0.26 * step) - 0.04
        line = shapes.ridge(stage.rng, pen.left, pen.right, base, 0.11 - 0.015 * step)
        hill = pen.at(0, 0, depth=depth)
        colour = mix(GRASS, (FRESH_LEAF, LEAF, mix(LEAF, GRASS, 0.5))[step], 0.55)
        hill.poly(shapes.under(line, pen.bottom), colour, 0.62 + 0.1 * step)
        if step == 1:
            pen.fade(pen.left, base - 0.12, pen.right, base + 0.06, hill.ink(colour, 0.2), 0.4, 0.0)
        _dabs(stage, line, depth, colour)


def _dabs(stage: Stage, line: np.ndarray, depth: float, colour: RGB) -> None:
    """Paint strokes of the brush along a hill."""
    pen = stage.pen.at(0, 0, depth=depth)
    inks = pen.ramp(mix(colour, FRESH_LEAF, 0.3), 0.35, 1.0)
    for a, b, c in stage.rng.random((stage.many(22), 3)).tolist():
        u = pen.left + a * (pen.right - pen.left)
        v = float(np.interp(u, line[:, 0], line[:, 1])) - 0.01 - 0.13 * b
        pen.dot(u, v, 0.02 + 0.035 * c, 0.0035, inks[int(c * 6)])


def meadow_front(stage: Stage) -> None:
    """Paint grass and flowers at the lower edge."""
    grass(stage, GRASS)
    pen = stage.pen
    low = max(pen.bottom, 0.0)
    for a, b, c in stage.rng.random((stage.many(26), 3)).tolist():
        u, v = pen.left + a * (pen.right - pen.left), low + 0.015 + 0.16 * b * b
        size = 0.007 + 0.008 * (1 - b)
        colour = BLOSSOMS[int(c * 3)]
        pen.ellipse(u, v, size, size * 0.8, colour, 0.7)
        pen.ellipse(u - size * 0.25, v + size * 0.2, size * 0.5, size * 0.4, mix(colour, WHITE, 0.4), 0.95)


def grass(stage: Stage, colour: RGB, *, height: float = 0.1) -> None:
    """Paint blades of grass along the lower edge of the picture."""
    pen = stage.pen
    low = max(pen.bottom, 0.0) - 0.01
    inks = pen.ramp(mix(colour, DEEP_LEAF, 0.35), 0.1, 0.9)
    for a, b, c in stage.rng.random((stage.many(70), 3)).tolist():
        u = pen.left + a * (pen.right - pen.left)
        tall = height * (0.4 + 0.8 * b)
        pen.fill([(u - 0.006, low), (u + 0.006, low), (u + (c - 0.5) * 0.07, low + tall)], inks[int(6 * c)])


def desert(stage: Stage) -> None:
    """Paint dunes, each with a lit flank, and one in shade beyond a winding crest."""
    sky(stage)
    pen, h = stage.pen, stage.horizon
    if stage.has("mountains"):
        ranges(stage, sharp=True, colour=(176, 120, 100))
    pen.rect(pen.left, pen.bottom, pen.right, h * 0.98, SAND, 0.6)
    chances = stage.rng.random((5, 3)).tolist()
    rows = ((0.7, 0.98, 0.1, 0.2), (0.55, 0.92, 0.16, 0.82), (0.36, 0.76, 0.17, 0.12), (0.2, 0.58, 0.16, 0.66), (0.0, 0.28, 0.17, 0.05))
    for (depth, base, height, peak), chance in zip(rows, chances, strict=True):
        colour = mix(SAND, (226, 158, 104), 0.6 - 0.6 * depth)
        _dune(
            pen.at(peak + 0.16 * (chance[0] - 0.5), h * base, 1.0, depth=depth),
            height * (0.8 + 0.4 * chance[1]),
            0.34 + 0.1 * chance[2],
            colour,
        )
    if stage.has("road"):
        road(stage)
    ripple = pen.ink(mix(SAND, (226, 158, 104), 0.6), 0.55)
    for a, b in stage.rng.random((stage.many(9), 2)).tolist():
        start = (pen.left + a * (pen.right - pen.left), h * 0.3 * b)
        pen.stroke(shapes.arc(start, (start[0] + 0.16, start[1] + 0.01), 0.01), 0.003, ripple)


def road(stage: Stage) -> None:
    """Paint a road that winds from the viewer to the horizon."""
    pen, h = stage.pen, stage.horizon
    low = pen.bottom - 0.02
    edges: tuple[list[tuple[float, float]], ...] = ([], [])
    for step in range(13):
        near = step / 12
        v = h * 0.9 + (low - h * 0.9) * near**1.6
        bend = 0.5 + 0.1 * np.sin(3.4 * (1 - near)) * (1 - near)
        for side, edge in zip((-1, 1), edges, strict=True):
            edge.append((float(bend + side * (0.012 + 0.3 * near**1.6)), float(v)))
    pen.poly([*edges[0], *edges[1][::-1]], SLATE, 0.55)
    for start in (1, 4, 6, 8, 10):
        dash = [((edges[0][at][0] + edges[1][at][0]) / 2, edges[0][at][1]) for at in (start, start + 1)]
        half = [0.02 * (edges[1][at][0] - edges[0][at][0]) for at in (start, start + 1)]
        (u0, v0), (u1, v1) = dash
        pen.poly([(u0 - half[0], v0), (u0 + half[0], v0), (u1 + half[1], v1), (u1 - half[1], v1)], WHITE, 0.7)


def _dune(pen: Pen, height: float, width: float, colour: RGB) -> None:
    """Paint one dune whose peak stands over the origin."""
    u = np.linspace(-1.6, 1.6, 33)
    slope = np.where(u < 0, 1 / (1 + (u / width) ** 2), 1 / (1 + (u / (0.62 * width)) ** 2))
    flank = list(zip(u.tolist(), (height * (slope - 0.25)).tolist(), strict=True))
    low = -0.6
    pen.poly([*flank, (1.6, low), (-1.6, low)], colour, 0.9)
    top = 0.75 * height
    crest = shapes.smooth(
        ((0.0, top), (0.05, top * 0.6), (-0.03, top * 0.1), (0.09, -0.5 * height), (0.02, -1.2 * height), (0.3, low)), closed=False
    )
    away = [point for point in flank if point[0] > 0.001]
    pen.poly([*crest, (1.6, low), *away[::-1], (0.0, top)], mix(colour, (176, 96, 84), 0.34), 0.38)


def snow(stage: Stage) -> None:
    """Paint a winter landscape."""
    sky(stage)
    ranges(stage, sharp=True)
    pen, h = stage.pen, stage.horizon
    pen.rect(pen.left, pen.bottom, pen.right, h - 0.02, (238, 240, 244), 0.6)
    treeline(stage, h - 0.02, 0.07 * stage.far, 0.45, colour=(84, 112, 110))
    for step, depth in enumerate((0.36, 0.18, 0.0)):
        line = shapes.ridge(stage.rng, pen.left, pen.right, h * (0.92 - 0.28 * step) - 0.05, 0.1)
        drift = pen.at(0, 0, depth=depth)
        drift.poly(shapes.under(line, pen.bottom), (238, 240, 244), 0.7 + 0.06 * step)
        if step < 2:
            pen.fade(
                pen.left, h * (0.6 - 0.28 * step) - 0.05, pen.right, h * (0.9 - 0.28 * step), drift.ink((186, 204, 230), 0.3), 0.6, 0.0
            )


def snow_front(stage: Stage) -> None:
    """Paint falling flakes."""
    pen = stage.pen
    ink = pen.ink(WHITE, 1.0)
    for a, b, c in stage.rng.random((stage.many(60), 3)).tolist():
        radius = 0.0025 + 0.005 * c * c
        pen.dot(pen.left + a * (pen.right - pen.left), pen.bottom + b * (pen.top - pen.bottom), radius, radius, ink)


def forest(stage: Stage) -> None:
    """Paint trunks in rows that fade into the distance, under leaves."""
    sky(stage)
    pen, h = stage.pen, stage.horizon
    pen.rect(pen.left, pen.bottom, pen.right, h + 0.02, mix(MOSS, LEAF, 0.4), 0.5)
    for step, depth in enumerate((0.95, 0.75, 0.5, 0.2)):
        rows = pen.at(0, 0, depth=depth)
        foot = h * (0.98 - 0.2 * step)
        rows.rect(pen.left, pen.bottom, pen.right, foot + 0.02, mix(MOSS, DEEP_LEAF, 0.4), 0.5 - 0.06 * step)
        _trunks(stage, foot, depth, 0.014 + 0.013 * step)
        _canopy(stage, 0.88 - 0.03 * step + 0.05, depth)
        if step in (0, 2):
            pen.fade(pen.left, foot - 0.06, pen.right, foot + 0.24, stage.light.haze, 0.5 - 0.16 * step, 0.0)
    _litter(stage)


def _trunks(stage: Stage, foot: float, depth: float, width: float) -> None:
    pen = stage.pen.at(0, 0, depth=depth)
    dark, lit = pen.ink(BARK, 0.2), pen.ink(BARK, 0.95)
    count = int(0.55 / (width + 0.02)) + 2
    for step, (a, b, c) in enumerate(stage.rng.random((count, 3)).tolist()):
        u = pen.left + (pen.right - pen.left) * (step + a) / count
        if width > 0.05 and abs(u - stage.hero_u) < 0.22:
            continue
        w, v, lean = width * (0.6 + 0.6 * b), foot + 0.03 * (c - 0.5), 0.05 * (a - 0.5)
        pen.fill([(u - w * 0.8, v), (u + w * 0.8, v), (u + w * 0.42 + lean, 1.3), (u - w * 0.42 + lean, 1.3)], dark)
        pen.fill([(u - w * 0.8, v), (u - w * 0.3, v), (u - w * 0.2 + lean, 1.3), (u - w * 0.42 + lean, 1.3)], lit)


def _canopy(stage: Stage, level: float, depth: float) -> None:
    pen = stage.pen.at(0, 0, depth=depth)
    inks = pen.ramp(mix(LEAF, FRESH_LEAF, 0.35), 0.1, 1.0)
    for a, b, c in stage.rng.random((stage.many(16), 3)).tolist():
        size = 0.05 + 0.06 * b
        v = level + 0.16 * c * max(pen.top, 1.0)
        pen.dot(pen.left + a * (pen.right - pen.left), v, size * 1.3, size, inks[int(6 * (0.6 * b + 0.4 * c))])


def _litter(stage: Stage) -> None:
    """Paint the tufts of the forest's floor."""
    pen, h = stage.pen, stage.horizon
    inks = pen.ramp(mix(MOSS, FRESH_LEAF, 0.3), 0.2, 0.9)
    for a, b, c in stage.rng.random((stage.many(36), 3)).tolist():
        v = max(pen.bottom, 0.0) + h * 0.75 * b
        pen.dot(pen.left + a * (pen.right - pen.left), v, 0.05 * (1.2 - b), 0.009, inks[int(6 * c)])


def forest_front(stage: Stage) -> None:
    """Paint undergrowth along the lower edge."""
    grass(stage, mix(MOSS, DEEP_LEAF, 0.3), height=0.15)


def elsewhere(stage: Stage) -> None:
    """Paint a land of terraces and arches for what the painter has no picture of."""
    sun = sky(stage)
    pen, h = stage.pen, stage.horizon
    pen.ellipse(sun[0], h + 0.24, 0.2, 0.2, mix(stage.light.disc, (238, 140, 110), 0.55), None)
    palette: list[RGB] = [SLATE, (206, 138, 112), (226, 182, 128), (120, 148, 132), (86, 106, 116)]
    turn = int(stage.rng.random() * 5)
    for step, depth in enumerate((0.8, 0.58, 0.36, 0.16, 0.0)):
        line = shapes.ridge(stage.rng, pen.left, pen.right, h * (1.12 - 0.25 * step) - 0.03, 0.16 - 0.015 * step)
        band = pen.at(0, 0, depth=depth)
        colour = palette[(turn + step) % 5]
        band.poly(shapes.under(line, pen.bottom), colour, 0.7)
        lower = line - (0, 0.022)
        band.poly(shapes.under(lower, pen.bottom), colour, 0.5)
