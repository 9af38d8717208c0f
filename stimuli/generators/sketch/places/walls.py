"""Places that are mostly a wall: raw concrete, a table top before plaster, the backdrop of a studio, the curtains of a stage."""

import numpy as np

from stimuli.generators.sketch import shapes
from stimuli.generators.sketch.colours import BRASS, CONCRETE, CREAM, WOOD
from stimuli.generators.sketch.light import RGB, mix
from stimuli.generators.sketch.places.stage import Stage

CURTAIN: RGB = (168, 44, 50)


def plaster(stage: Stage, colour: RGB, *, bright_u: float, bright_v: float, falloff: float = 0.75) -> None:
    """Paint a wall that is lightest around one point."""
    pen = stage.pen
    u = np.linspace(pen.left, pen.right, 24)[None, :]
    v = np.linspace(pen.top, stage.horizon, 24)[:, None]
    lit = np.exp(-(((u - bright_u) / falloff) ** 2) - ((v - bright_v) / falloff) ** 2)[:, :, None]
    dim, bright = np.array(pen.ink(colour, 0.18)), np.array(pen.ink(colour, 0.95))
    pen.wash(pen.left, stage.horizon, pen.right, pen.top, (dim + (bright - dim) * lit).astype(np.float32))


def sunbeam(stage: Stage, u: float, v: float, width: float, height: float, *, strength: float = 0.4) -> None:
    """Paint the patch of light that a window throws to the lower right."""
    pen, light = stage.pen, stage.light
    glow = mix(light.disc, light.horizon, 0.35)
    amount = strength * min(light.key[0], 1.0) ** 1.5
    panes = [(u, u + width * 0.44), (u + width * 0.52, u + width * 0.96)]
    slide = height * 0.9
    patches = [[(left, v), (right, v), (right + slide, v - height), (left + slide, v - height)] for left, right in panes]
    pen.glaze(patches, glow, amount, blur=0.02)


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
        pen.soft(
            pen.left + a * (pen.right - pen.left),
            floor + b * (pen.top - floor),
            0.05 + 0.1 * c,
            0.16 + 0.2 * b,
            pen.ink(CONCRETE, 0.0),
            0.3,
        )
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
        pen.stroke(
            [(0.14 - 0.08 * share, h * 0.8 - (h * 0.8 - low) * (1 - share)), (1.02, low + share * 0.32)],
            0.006,
            pen.ink((186, 108, 88), 0.6),
        )


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


def theatre(stage: Stage) -> None:
    """Paint an empty stage: red curtains drawn aside, boards, footlights, and the cone of a spotlight."""
    pen, h = stage.pen, stage.horizon
    plaster(stage, (88, 60, 74), bright_u=stage.hero_u, bright_v=0.6, falloff=0.42)
    pen.rect(pen.left, pen.bottom, pen.right, h, WOOD, 0.3)
    for step, tint in enumerate(stage.rng.random(10).tolist()):
        v = pen.bottom + (h - pen.bottom) * (step / 10) ** 0.8
        pen.rect(pen.left, v, pen.right, v + 0.004, WOOD, 0.1 + 0.1 * tint)
    pen.soft(stage.hero_u, h * 0.5, 0.42, 0.13, mix(CREAM, stage.light.disc, 0.4), 0.5)
    cone = [(stage.hero_u - 0.03, 1.05), (stage.hero_u + 0.03, 1.05), (stage.hero_u + 0.34, h * 0.45), (stage.hero_u - 0.34, h * 0.45)]
    pen.glaze([cone], mix(CREAM, stage.light.disc, 0.4), 0.2, blur=0.03)
    for side in (-1, 1):
        for fold in range(5):
            far = 0.5 + side * (0.32 + 0.075 * fold)
            near = 0.5 + side * (0.32 + 0.075 * (fold + 1)) if fold < 4 else (pen.left if side < 0 else pen.right)
            pen.poly([(far, pen.top), (near, pen.top), (near, h * 0.7), (far + side * 0.03, h * 0.7)], CURTAIN, 0.85 if fold % 2 else 0.5)
            pen.poly(
                [(far, pen.top), (far + side * 0.02, pen.top), (far + side * 0.045, h * 0.7), (far + side * 0.03, h * 0.7)], CURTAIN, 1.15
            )
    for step in range(9):
        u = 0.5 + (step - 4) * 0.26
        pen.ellipse(u, 0.9, 0.15, 0.09, CURTAIN, 0.7 if step % 2 else 0.95)
    pen.rect(pen.left, 0.9, pen.right, pen.top, CURTAIN, 0.55)
    pen.rect(pen.left, 0.895, pen.right, 0.912, BRASS, 0.9)
