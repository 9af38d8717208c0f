"""House plants and climbers: Monstera, fig, palm, fern, cactus, flowers in pots, and whatever trails."""

import numpy as np

from stimuli.generators.sketch import shapes
from stimuli.generators.sketch.colours import BARK, BLOSSOMS, BLUE_LEAF, DEEP_LEAF, FRESH_LEAF, LEAF, OLIVE, ORANGE, TERRACOTTA, WHITE
from stimuli.generators.sketch.light import RGB, mix
from stimuli.generators.sketch.pen import Floats, Pen
from stimuli.generators.sketch.subjects.cast import Part

_RIB = np.array([[0.0, 0.011], [0.94, 0.0], [0.0, -0.011]])


def foliage(pen: Pen, rng: np.random.Generator, places: Floats, outlines: tuple[Floats, Floats], colour: RGB, *, rib: bool = True) -> None:
    """Draw leaves at `places`, brighter toward the upper left, each with a lit half and a rib."""
    height = places[:, 1]
    reach = max(float(np.ptp(height)), 1e-6)
    brightness = 0.5 * (height - height.min()) / reach + 0.3 - 0.25 * np.clip(places[:, 0], -0.6, 0.6) + 0.34 * rng.random(len(places))
    steps = np.clip((brightness * 6).astype(int), 0, 5).tolist()
    dark, fresh = mix(colour, DEEP_LEAF, 0.45), mix(colour, FRESH_LEAF, 0.4)
    base = [pen.ink(mix(dark, colour, step / 5), 0.1 + 0.13 * step) for step in range(6)]
    lit = [pen.ink(mix(colour, fresh, step / 5), 0.3 + 0.14 * step) for step in range(6)]
    ribs = pen.ramp(fresh, 0.45, 1.15)
    coats = [*outlines, _RIB] if rib else outlines
    pen.leaves(coats, places, [(base[step], lit[step], ribs[step]) for step in steps])


def fan(
    rng: np.random.Generator, count: int, *, reach: float, spread: float, length: float, narrow: float = 1.0, lift: float = 0.0
) -> Floats:
    """Return places of leaves that spring from (0, `lift`) on stems up to `reach` long, `spread` radians to each side, back to front."""
    lean = np.linspace(-spread, spread, count) + (rng.random(count) - 0.5) * spread * 0.35
    stem = reach * (0.5 + 0.5 * rng.random(count))
    angle = np.pi / 2 - 1.45 * lean - 0.3 * np.sign(lean) * rng.random(count)
    size = length * (0.75 + 0.5 * rng.random(count))
    places = np.stack([stem * np.sin(lean), lift + stem * np.cos(lean), size, angle, narrow * (0.8 + 0.3 * rng.random(count))], axis=1)
    return np.asarray(places[np.argsort(-places[:, 1] + 0.25 * rng.random(count))])


def stems(pen: Pen, places: Floats, colour: RGB, *, base: float = 0.0, width: float = 0.012) -> None:
    """Draw an arching stem from (0, `base`) to the foot of each leaf."""
    ink = pen.ink(colour, 0.35)
    for u, v in places[:, :2].tolist():
        pen.stroke([(0.02 * u, base), (0.32 * u, base + 0.55 * (v - base)), (u, v)], width, ink)


def pot(pen: Pen, width: float, height: float, colour: RGB) -> None:
    """Draw a plant pot that stands on the origin."""
    half = width / 2
    pen.shadow(0.1 * width, 0.02, width * 0.95, height * 0.22, 0.6)
    pen.poly([(-half * 0.72, 0), (half * 0.72, 0), (half, height), (-half, height)], colour, 0.5)
    pen.poly([(-half * 0.72, 0), (-half * 0.2, 0), (-half * 0.28, height), (-half, height)], colour, 0.95)
    pen.poly([(half * 0.4, 0), (half * 0.72, 0), (half, height), (half * 0.55, height)], colour, 0.18)
    pen.rect(-half * 1.1, height * 0.84, half * 1.1, height * 1.04, colour, 0.8)
    pen.rect(half * 0.35, height * 0.84, half * 1.1, height * 1.04, colour, 0.4)


def monstera(pen: Pen, part: Part) -> None:
    """Draw a Monstera with its slotted leaves."""
    pen.shadow(0.06, 0.0, 0.5, 0.09, 0.55)
    back = fan(part.rng, 7, reach=0.78, spread=1.1, length=0.36)
    front = fan(part.rng, 5, reach=0.5, spread=1.35, length=0.38)
    stems(pen, np.concatenate([back, front]), LEAF, width=0.02)
    foliage(pen, part.rng, back, shapes.monstera(), mix(LEAF, DEEP_LEAF, 0.55))
    foliage(pen, part.rng, front, shapes.monstera(), LEAF)


def potted_plant(pen: Pen, part: Part) -> None:
    """Draw a leafy plant in a pot."""
    plant = fan(part.rng, 15, reach=0.58, spread=1.2, length=0.3, lift=0.24, narrow=1.0)
    pot(pen, 0.36, 0.28, part.colour(TERRACOTTA))
    stems(pen, plant, LEAF, base=0.27)
    foliage(pen, part.rng, plant, shapes.leaf(0.26), LEAF)


def fern(pen: Pen, part: Part) -> None:
    """Draw a fern."""
    pen.shadow(0.04, 0.02, 0.5, 0.1, 0.5)
    fronds = fan(part.rng, 17, reach=0.14, spread=1.4, length=0.6, narrow=0.66, lift=0.04)
    foliage(pen, part.rng, fronds, shapes.frond(13), mix(LEAF, FRESH_LEAF, 0.3), rib=False)


def potted_fern(pen: Pen, part: Part) -> None:
    """Draw a fern in a pot."""
    pot(pen, 0.34, 0.3, part.colour((214, 200, 178)))
    fern(pen.at(0, 0.26, 0.8), part)


def palm_plant(pen: Pen, part: Part) -> None:
    """Draw a palm that grows from the ground."""
    for lean in (-0.1, 0.12) if part.busy >= 1 else (0.05,):
        pen.limb(shapes.arc((0, 0), (lean, 0.5), 0.02), 0.045, 0.025, OLIVE, 0.5)
        fronds = fan(part.rng, part.many(8), reach=0.06, spread=1.5, length=0.48, narrow=0.72)
        foliage(pen.at(lean, 0.5), part.rng, fronds, shapes.frond(), mix(LEAF, BLUE_LEAF, 0.35), rib=False)


def bird_of_paradise(pen: Pen, part: Part) -> None:
    """Draw a bird-of-paradise plant with its orange flowers."""
    blades = fan(part.rng, 9, reach=0.55, spread=0.62, length=0.42, narrow=0.85)
    stems(pen, blades, LEAF, width=0.022)
    foliage(pen, part.rng, blades, shapes.leaf(0.2), BLUE_LEAF)
    for lean in (-0.24, 0.2):
        pen.stroke([(0, 0), (lean * 0.6, 0.4), (lean, 0.62)], 0.016, pen.ink(LEAF, 0.4))
        flower = pen.at(lean, 0.62, 0.2, flip=lean < 0)
        for turn, colour in ((1.5, ORANGE), (1.1, (250, 160, 60)), (0.75, ORANGE), (0.5, (70, 90, 170))):
            flower.poly([(0, 0), (0.5 * np.cos(turn + 0.18), 0.5 * np.sin(turn + 0.18)), (np.cos(turn), np.sin(turn))], colour, 0.9)
        flower.poly([(-0.5, -0.02), (0.2, 0.12), (1.05, 0.1), (0.2, -0.1)], OLIVE, 0.6)


def fig_tree(pen: Pen, part: Part) -> None:
    """Draw a fiddle-leaf fig: a bare stem and a crown of broad, violin-shaped leaves, in a pot."""
    pot(pen, 0.26, 0.17, part.colour(TERRACOTTA))
    lean = 0.1 * (part.rng.random() - 0.5)
    trunk = shapes.arc((0, 0.15), (lean, 0.72), 0.01)
    pen.limb(trunk, 0.034, 0.02, BARK, 0.6)
    count = 30
    heights = np.linspace(0.88, 0.46, count) + 0.05 * part.rng.random(count)
    side = np.where(np.arange(count) % 2 == 0, 1.0, -1.0)
    # Leaves at the top stand up, lower ones spread and then droop.
    angle = np.pi / 2 - side * (
        0.25 + 2.1 * (0.93 - heights) / 0.47 * (0.6 + 0.5 * part.rng.random(count)) + 0.7 * part.rng.random(count) - 0.1
    )
    foot = lean * (heights - 0.15) / 0.57 + side * 0.015
    length = 0.17 + 0.09 * part.rng.random(count)
    places = np.stack([foot, heights - 0.1, length, angle, 0.75 + 0.3 * part.rng.random(count)], axis=1)
    foliage(pen, part.rng, places, shapes.fiddle(), LEAF)


def cactus(pen: Pen, part: Part) -> None:
    """Draw a cactus with two arms, in bloom."""
    pen.shadow(0.1, 0.0, 0.34, 0.05, 0.6)
    _column(pen, [(0, 0), (0, 0.94)], 0.2)
    _column(pen, [(-0.04, 0.36), (-0.27, 0.4), (-0.27, 0.7)], 0.12)
    _column(pen, [(0.04, 0.5), (0.26, 0.54), (0.26, 0.84)], 0.11)
    pen.ellipse(0, 1.03, 0.05, 0.03, part.colour((240, 130, 150)), 0.9)


def _column(pen: Pen, path: list[tuple[float, float]], width: float) -> None:
    for shift, share, lit in ((0.0, 1.0, 0.35), (-0.16, 0.6, 0.65), (-0.3, 0.2, 1.0)):
        line = [(u + shift * width, v) for u, v in path]
        pen.line(line, width * share, BLUE_LEAF, lit)
        for u, v in line[1:]:
            pen.ellipse(u, v, width * share / 2, width * share / 2, BLUE_LEAF, lit)


def vine(pen: Pen, part: Part) -> None:
    """Draw three strands of a heart-leaved climber that hang from the origin."""
    for start, share in ((-0.1, 0.8), (0.02, 1.0), (0.12, 0.62)):
        line = shapes.trail(part.rng, share)
        strand = pen.at(start, 0)
        strand.stroke(line, 0.008, pen.ink(LEAF, 0.3))
        count = int(15 * share) + 2
        spots = np.array([shapes.between(line, step / count) for step in range(count)])
        side = np.where(np.arange(count) % 2 == 0, 1.0, -1.0)
        angle = -np.pi / 2 + side * (0.5 + 0.7 * part.rng.random(count))
        size = 0.12 * (0.75 + 0.5 * part.rng.random(count))
        places = np.column_stack([spots, size, angle, np.full(count, 1.15)])
        foliage(strand, part.rng, places, shapes.leaf(0.4, blunt=0.7), mix(LEAF, FRESH_LEAF, 0.2), rib=False)


def pearls(pen: Pen, part: Part) -> None:
    """Draw a curtain of string of pearls that hangs from the origin."""
    inks = pen.ramp(mix(LEAF, FRESH_LEAF, 0.5), 0.15, 1.0)
    thread = pen.ink(OLIVE, 0.4)
    strands = 9
    for step, (share, phase) in enumerate(part.rng.random((strands, 2)).tolist()):
        u = (step / (strands - 1) - 0.5) * 0.42
        length = (0.45 + 0.55 * share) * (1 - abs(u))
        pen.stroke([(u, 0.01), (u + 0.01, -length / 2), (u, -length)], 0.006, thread)
        for bead in range(int(length * 22)):
            v = -0.02 - bead / 22
            sway = u + 0.014 * np.sin(bead * 2.4 + 6 * phase)
            pen.dot(sway, v, 0.021, 0.021, inks[(bead * 5 + step) % 3])
            pen.dot(sway - 0.006, v + 0.006, 0.01, 0.01, inks[3 + (bead + step) % 3])
    mound = pen.at(0, 0)
    for u, v, shade in ((part.rng.random((16, 3)) - 0.5) * (0.5, 0.07, 1)).tolist():
        mound.dot(u, v + 0.01, 0.023, 0.023, inks[int((shade + 0.5) * 5)])


def bouquet(pen: Pen, part: Part) -> None:
    """Draw cut flowers in a vase."""
    leaves = fan(part.rng, 12, reach=0.36, spread=1.0, length=0.2, lift=0.38, narrow=0.8)
    stems(pen, leaves, LEAF, base=0.36)
    foliage(pen, part.rng, leaves, shapes.leaf(0.2), LEAF)
    heads = fan(part.rng, 9, reach=0.5, spread=0.85, length=0.1, lift=0.4)
    stems(pen, heads, LEAF, base=0.36)
    for step, (u, v, size, _, _) in enumerate(heads.tolist()):
        blossom(pen.at(u, v, size * 1.15), part.colour(BLOSSOMS[(step * 2) % len(BLOSSOMS)]), turn=step)
    vessel = shapes.smooth(
        (
            (-0.1, 0.0),
            (0.1, 0.0),
            (0.17, 0.16),
            (0.12, 0.32),
            (0.07, 0.38),
            (0.1, 0.43),
            (-0.1, 0.43),
            (-0.07, 0.38),
            (-0.12, 0.32),
            (-0.17, 0.16),
        )
    )
    glazed(pen, vessel, WHITE)


def glazed(pen: Pen, outline: list[tuple[float, float]], colour: RGB) -> None:
    """Draw a glazed vessel: its shade, its lit side and one highlight."""
    pen.shadow(0.06, 0.0, 0.26, 0.06, 0.6)
    pen.poly(outline, colour, 0.3)
    pen.poly([(u * 0.82 - 0.018, v) for u, v in outline], colour, 0.62)
    pen.poly([(u * 0.46 - 0.045, v) for u, v in outline], colour, 0.95)
    top = max(v for _, v in outline)
    pen.ellipse(-0.06, top * 0.5, 0.014, top * 0.12, WHITE, 1.3)


def blossom(pen: Pen, colour: RGB, *, turn: float = 0.0) -> None:
    """Draw a flower's head, one unit across its petals."""
    for step in range(6):
        angle = step * np.pi / 3 + turn
        pen.ellipse(0.45 * np.cos(angle), 0.45 * np.sin(angle), 0.36, 0.36, colour, 0.55 + 0.25 * np.sin(angle))
    pen.ellipse(0, 0, 0.24, 0.24, mix(colour, (250, 210, 110), 0.75), 0.9)
