"""Built places with depth: a glasshouse seen along its nave, and a street between houses."""

import numpy as np

from stimuli.generators.sketch import shapes
from stimuli.generators.sketch.colours import DEEP_LEAF, FRESH_LEAF, HOUSES, IRON, LAMP, LEAF, SLATE, STONE, WHITE
from stimuli.generators.sketch.light import mix
from stimuli.generators.sketch.pen import Point
from stimuli.generators.sketch.places.sky import sky
from stimuli.generators.sketch.places.stage import Spot, Stage, side_of
from stimuli.generators.sketch.subjects.cast import Part
from stimuli.generators.sketch.subjects.foliage import fan, foliage, palm_plant


def glasshouse(stage: Stage) -> None:
    """Paint the nave of an old glasshouse: iron ribs, misty panes, a path between beds of plants."""
    pen, h, light = stage.pen, stage.horizon, stage.light
    glow = np.array(mix(mix(light.horizon, light.middle, 0.4), (226, 238, 220), 0.25))
    cool = np.array(mix(mix(light.zenith, light.middle, 0.4), (128, 176, 164), 0.3))
    u, v = np.linspace(pen.left, pen.right, 28)[None, :], np.linspace(pen.top, 0.0, 28)[:, None]
    near = np.exp(-(((u - 0.5) / 0.42) ** 2) - ((v - h - 0.3) / 0.46) ** 2)[:, :, None]
    pen.wash(pen.left, 0.0, pen.right, pen.top, (cool + (glow - cool) * near).astype(np.float32))
    for step in range(9):
        tree = 0.5 + (step - 4) * 0.1
        ink = light.ink(LEAF, 0.5, 0.94)
        pen.dot(tree, h + 0.04, 0.07, 0.07 + 0.04 * ((step * 3) % 4), ink)
    _nave(stage)
    _path(stage)
    for depth, size, reach in ((0.62, 0.26, 0.17), (0.36, 0.4, 0.31)):
        for side in (-1, 1):
            bed = pen.at(0.5 + side * reach, h * (0.98 - 0.4 * (0.62 - depth)), size, depth=depth, flip=side < 0)
            palm_plant(bed, Part(stage.rng, busy=0.7))
    pen.soft(0.5, h + 0.12, 0.34, 0.34, mix(light.horizon, WHITE, 0.3), 0.5)


def _nave(stage: Stage) -> None:
    """Paint arches that grow toward the viewer, purlins between them, and the end wall's bars."""
    pen, h = stage.pen, stage.horizon
    turns = np.linspace(0, np.pi, 15)
    arches = [(0.2, 0.42, 0.75), (0.28, 0.56, 0.55), (0.4, 0.76, 0.3), (0.58, 1.06, 0.0)]
    lines: list[list[Point]] = []
    for half, spring, _ in arches:
        tops = [(0.5 + half * float(np.cos(t)), h - 0.02 + spring * 0.52 + spring * 0.5 * float(np.sin(t)) ** 0.85) for t in turns]
        lines.append([(0.5 + half, h - 0.3 * half), *tops, (0.5 - half, h - 0.3 * half)])
    end = pen.at(0, 0, depth=0.72)
    bar = end.ink(IRON, 0.6)
    for step in range(-3, 4):
        u = 0.5 + step * 0.057
        top = h + 0.2 + 0.2 * float(np.sqrt(max(1 - (step / 3.5) ** 2, 0)))
        end.stroke([(u, h), (u, top)], 0.004, bar)
    for v in (0.09, 0.2, 0.3):
        end.stroke([(0.31, h + v), (0.69, h + v)], 0.004, bar)
    for first, second, (_, _, depth) in zip(lines, lines[1:], arches, strict=False):
        rail = pen.at(0, 0, depth=depth)
        ink = rail.ink(IRON, 0.7)
        for at in range(0, len(first), 2):
            rail.stroke([first[at], second[at]], 0.005, ink)
    for line, (half, _, depth) in zip(lines, arches, strict=True):
        rib = pen.at(0, 0, depth=depth)
        rib.line(line, 0.012 + 0.016 * half, IRON, 0.25)
        rib.line([(u - 0.003, v + 0.003) for u, v in line], 0.004 + 0.006 * half, mix(IRON, WHITE, 0.5), 0.8)


def _path(stage: Stage) -> None:
    pen, h = stage.pen, stage.horizon
    low = pen.bottom - 0.02
    pen.rect(pen.left, low, pen.right, h - 0.01, mix(DEEP_LEAF, (70, 60, 46), 0.4), 0.3)
    spread = 0.05 + 0.34 * (h - low) / h
    pen.poly([(0.45, h - 0.01), (0.55, h - 0.01), (0.5 + spread, low), (0.5 - spread, low)], STONE, 0.6)
    for step in range(9):
        share = (step / 9) ** 1.8
        v = h - 0.01 - share * (h - low)
        half = 0.05 + (spread - 0.05) * share
        pen.line([(0.5 - half, v), (0.5 + half, v)], 0.002 + 0.004 * share, STONE, 0.2)
    inks = pen.ramp(mix(LEAF, DEEP_LEAF, 0.4), 0.1, 0.8)
    for a, b, c in stage.rng.random((stage.many(34), 3)).tolist():
        v = h - 0.02 - b * (h - low)
        u = 0.5 + (0.07 + (spread - 0.05) * b + 0.5 * a) * (1 if c < 0.5 else -1)
        pen.dot(u, v, 0.03 + 0.04 * b, 0.014 + 0.02 * b, inks[int(6 * a)])


def glasshouse_front(stage: Stage) -> None:
    """Paint the nearest leaves, dark at the picture's edges, that frame the view."""
    if stage.busy < 0.5:
        return
    pen = stage.pen
    low, left, right = max(pen.bottom, 0.0), max(pen.left, -0.02), min(pen.right, 1.02)
    for u, flip in ((left + 0.02, False), (right - 0.02, True)):
        spray = fan(stage.rng, 5, reach=0.2, spread=1.2, length=0.17)
        foliage(pen.at(u, low - 0.07, flip=flip), stage.rng, spray, shapes.monstera(), mix(LEAF, DEEP_LEAF, 0.35))
    hang = fan(stage.rng, 9, reach=0.12, spread=1.3, length=0.17, narrow=0.8)
    hang[:, 3] -= np.pi
    foliage(pen.at(right - 0.1, min(pen.top, 1.0) + 0.06), stage.rng, hang, shapes.leaf(0.2), mix(LEAF, DEEP_LEAF, 0.5))


def glasshouse_spots(stage: Stage, kind: str) -> list[Spot]:
    """Return where things go in the glasshouse: plants in the beds, other things on the path."""
    h, u, side = stage.horizon, stage.hero_u, side_of(stage)
    if kind == "bed":
        return [Spot(0.13, h * 0.36, 1.0), Spot(0.87, h * 0.46, 0.9), Spot(0.73, h * 0.84, 0.5, 0.26), Spot(0.28, h * 0.86, 0.46, 0.3)]
    if kind == "hang":
        return [Spot(0.25, 0.97, 0.8), Spot(0.75, 0.99, 0.8), Spot(0.5, 1.0, 0.5)]
    if kind == "aloft":
        return [Spot(u, h + 0.3), Spot(u + 0.25 * side, h + 0.42, 0.5)]
    return [Spot(0.5, h * 0.42), Spot(0.5 + 0.14 * side, h * 0.7, 0.6, 0.1), Spot(0.5 - 0.13 * side, h * 0.62, 0.5, 0.1)]


def street(stage: Stage) -> None:
    """Paint a street of houses that runs to the horizon."""
    sky(stage)
    pen, h = stage.pen, stage.horizon
    eye = (0.5 + 0.06 * (stage.rng.random() - 0.5), h)
    _skyline_stub(stage)
    low = pen.bottom - 0.02
    fall = (h - low) / h
    pen.rect(pen.left, low, pen.right, h, SLATE, 0.3)
    pen.fade(pen.left, low, pen.right, h, stage.light.horizon, 0.0, 0.55)
    for side in (-1, 1):
        pave = [eye, (0.5 + side * 0.24 * fall, low), (0.5 + side * 0.85 * fall, low)]
        pen.poly(pave, STONE, 0.7 if side > 0 else 0.4)
        pen.stroke(pave[:2], 0.006, pen.ink(WHITE, 0.6))
        _row(stage, eye, side)
    for near in (0.06, 0.16, 0.34, 0.68):
        v0, v1 = h * (1 - near), h * (1 - near * 1.45)
        pen.poly([(0.5 - 0.02 * near, v0), (0.5 + 0.02 * near, v0), (0.5 + 0.026 * near, v1), (0.5 - 0.026 * near, v1)], WHITE, 0.6)


def _skyline_stub(stage: Stage) -> None:
    pen = stage.pen.at(0, 0, depth=0.85)
    for step, (a, b) in enumerate(stage.rng.random((9, 2)).tolist()):
        u = 0.32 + step * 0.04
        pen.rect(u, stage.horizon, u + 0.03 + 0.02 * a, stage.horizon + (0.07 + 0.13 * b) * stage.far, SLATE, 0.5)


def _row(stage: Stage, eye: Point, side: int) -> None:
    """Paint one side of the street, its houses from far to near."""
    pen = stage.pen
    shares = [0.16, 0.25, 0.38, 0.58, 0.9, 1.45]
    lit = 0.95 if side > 0 else 0.3
    tall = 1.0 + 0.4 * stage.rng.random(len(shares))
    for step in range(len(shares) - 1, 0, -1):
        near, far = shares[step], shares[step - 1]
        depth = 0.7 * (1 - near / 1.45)
        house = pen.at(0, 0, depth=depth)
        colour = HOUSES[int(stage.rng.random() * len(HOUSES))]
        roof = 0.62 * float(tall[step])
        corner = [_toward(eye, side, share, level) for share, level in ((far, -0.34), (near, -0.34), (near, roof), (far, roof))]
        house.poly(corner, colour, lit)
        _windows(stage, eye, side, (far, near), roof, depth)
        eave = [_toward(eye, side, share, level) for share, level in ((far, roof), (near, roof), (near, roof + 0.05), (far, roof + 0.05))]
        house.poly(eave, (150, 92, 76), lit * 0.8)


def _toward(eye: Point, side: int, share: float, level: float) -> Point:
    """Return a point of a façade: `share` of the way from the vanishing point to the viewer, `level` above eye height."""
    return eye[0] + side * 0.46 * share, eye[1] + level * share


def _windows(stage: Stage, eye: Point, side: int, run: tuple[float, float], roof: float, depth: float) -> None:
    pen, light = stage.pen.at(0, 0, depth=depth), stage.light
    glass, lamp = pen.ink(mix(SLATE, light.middle, 0.45), 0.4), pen.ink(LAMP, None)
    far, near = run
    columns, rows = 3, 4
    shining = stage.rng.random((columns, rows)).tolist()
    for column in range(columns):
        start = far + (near - far) * (column + 0.25) / columns
        end = far + (near - far) * (column + 0.7) / columns
        for row in range(rows):
            low = -0.2 + (roof + 0.2) * (row + 0.18) / rows
            high = low + (roof + 0.2) * 0.56 / rows
            pane = [_toward(eye, side, s, v) for s, v in ((start, low), (end, low), (end, high), (start, high))]
            pen.fill(pane, lamp if shining[column][row] < 0.75 * light.lamps else glass)


def street_front(stage: Stage) -> None:
    """Paint a street lamp, and a spill of green over the kerb."""
    pen, h, side = stage.pen, stage.horizon, side_of(stage)
    u = stage.hero_u + 0.36 * side
    foot = h * 0.3
    pen.rect(u - 0.007, foot, u + 0.007, foot + 0.5, IRON, 0.3)
    pen.rect(u - 0.016, foot, u + 0.016, foot + 0.05, IRON, 0.3)
    pen.poly(
        [(u - 0.028, foot + 0.57), (u + 0.028, foot + 0.57), (u + 0.017, foot + 0.5), (u - 0.017, foot + 0.5)],
        LAMP,
        None if stage.light.lamps > 0.3 else 0.8,
    )
    pen.poly([(u - 0.036, foot + 0.57), (u, foot + 0.605), (u + 0.036, foot + 0.57)], IRON, 0.3)
    pen.lamp(u, foot + 0.54, 0.17)
    for a, b in stage.rng.random((stage.many(8), 2)).tolist():
        pen.ellipse(u + 0.06 * (a - 0.5), foot + 0.02 * b, 0.03, 0.02, mix(LEAF, FRESH_LEAF, a), 0.3 + 0.6 * b)
