"""People: a portrait, a standing figure, a dancer, a dress on its stand, an umbrella."""

from stimuli.generators.sketch import shapes
from stimuli.generators.sketch.colours import BLACK, BLUE, BRASS, CREAM, DARK_WOOD, NAMED, RED, SKIN, TEAL, WHITE
from stimuli.generators.sketch.light import RGB, mix
from stimuli.generators.sketch.pen import Pen
from stimuli.generators.sketch.subjects.cast import Part
from stimuli.generators.sketch.subjects.creatures import modelled

_SKINS: tuple[RGB, ...] = (SKIN, (196, 138, 104), (142, 94, 70), (240, 196, 166))
_HAIRS: tuple[RGB, ...] = ((62, 44, 40), (120, 74, 46), (40, 36, 42), (200, 150, 88))


def portrait(pen: Pen, part: Part) -> None:
    """Draw the head and shoulders of a person."""
    skin, hair = _SKINS[int(part.rng.random() * 4)], _HAIRS[int(part.rng.random() * 4)]
    coat = part.colour(TEAL)
    modelled(pen, ((-0.3, 0.9), (-0.34, 0.55), (-0.28, 0.3), (0.26, 0.3), (0.32, 0.55), (0.29, 0.9), (0.12, 1.06), (-0.16, 1.06)), hair)
    modelled(
        pen,
        (
            (-0.62, -0.9),
            (-0.56, -0.1),
            (-0.5, 0.2),
            (-0.3, 0.3),
            (-0.08, 0.36),
            (0.1, 0.36),
            (0.32, 0.3),
            (0.5, 0.2),
            (0.56, -0.1),
            (0.62, -0.9),
        ),
        coat,
    )
    pen.poly([(-0.1, 0.5), (0.1, 0.5), (0.12, 0.34), (0.02, 0.22), (-0.12, 0.34)], skin, 0.2)
    pen.poly([(-0.14, 0.35), (-0.04, 0.2), (0.02, 0.24), (-0.06, 0.38)], CREAM, 0.9)
    pen.poly([(0.15, 0.35), (0.08, 0.2), (0.02, 0.24), (0.08, 0.38)], CREAM, 0.5)
    modelled(
        pen,
        ((-0.21, 0.78), (-0.21, 0.58), (-0.12, 0.44), (0.0, 0.38), (0.12, 0.44), (0.2, 0.58), (0.2, 0.78), (0.1, 0.96), (-0.12, 0.96)),
        skin,
    )
    pen.poly(
        shapes.smooth(
            (
                (-0.25, 0.66),
                (-0.25, 0.92),
                (-0.06, 1.08),
                (0.18, 1.04),
                (0.27, 0.84),
                (0.23, 0.64),
                (0.18, 0.84),
                (0.02, 0.9),
                (-0.12, 0.86),
                (-0.2, 0.78),
            )
        ),
        hair,
        0.6,
    )
    pen.poly(shapes.smooth(((-0.2, 0.94), (-0.06, 1.04), (0.08, 1.02), (-0.06, 0.96), (-0.16, 0.88))), mix(hair, WHITE, 0.25), 0.95)
    for u in (-0.09, 0.085):
        pen.ellipse(u, 0.7, 0.036, 0.02, WHITE, 0.7)
        pen.ellipse(u - 0.004, 0.7, 0.018, 0.02, (66, 52, 46), 0.6)
        pen.line([(u - 0.045, 0.715), (u, 0.727), (u + 0.045, 0.712)], 0.011, hair, 0.3)
        pen.line([(u - 0.055, 0.768), (u, 0.782), (u + 0.05, 0.768)], 0.014, hair, 0.5)
    pen.poly([(0.0, 0.7), (-0.03, 0.588), (0.02, 0.58)], mix(skin, (150, 70, 60), 0.22), 0.6)
    for u in (-0.12, 0.11):
        pen.soft(u, 0.61, 0.07, 0.05, pen.ink((236, 120, 104), 0.7), 0.55)
    pen.poly(
        shapes.smooth(((-0.06, 0.52), (-0.02, 0.535), (0.0, 0.528), (0.025, 0.535), (0.06, 0.52), (0.0, 0.49))), mix(RED, skin, 0.3), 0.65
    )
    for u in (-0.225, 0.225):
        pen.ellipse(u, 0.56, 0.016, 0.022, BRASS, 1.0)


def figure(pen: Pen, part: Part) -> None:
    """Draw a person in a coat, seen from behind, with a hat."""
    coat = part.colour(NAMED["mustard"])
    pen.shadow(0.08, 0.0, 0.26, 0.03, 0.65)
    for u in (-0.06, 0.05):
        pen.rect(u - 0.032, 0.0, u + 0.032, 0.34, BLUE, 0.3 if u > 0 else 0.6)
        pen.ellipse(u, 0.012, 0.05, 0.022, DARK_WOOD, 0.5)
    modelled(
        pen,
        (
            (-0.17, 0.25),
            (0.17, 0.25),
            (0.13, 0.5),
            (0.12, 0.74),
            (0.13, 0.82),
            (0.04, 0.86),
            (-0.04, 0.86),
            (-0.13, 0.82),
            (-0.12, 0.74),
            (-0.13, 0.5),
        ),
        coat,
    )
    pen.limb([(-0.11, 0.78), (-0.165, 0.6), (-0.16, 0.42)], 0.07, 0.045, coat, 1.0)
    pen.limb([(0.11, 0.78), (0.165, 0.6), (0.16, 0.42)], 0.07, 0.045, coat, 0.25)
    pen.line([(-0.15, 0.53), (0.15, 0.53)], 0.022, mix(coat, (80, 40, 30), 0.5), 0.5)
    pen.rect(-0.035, 0.8, 0.035, 0.87, SKIN, 0.4)
    pen.ellipse(0, 0.9, 0.062, 0.07, mix(SKIN, (120, 70, 46), 0.75), 0.55)
    pen.ellipse(0, 0.925, 0.13, 0.026, NAMED["beige"], 0.6)
    pen.poly([(-0.066, 0.925), (0.066, 0.925), (0.05, 0.995), (-0.05, 0.995)], NAMED["beige"], 0.8)
    pen.rect(-0.066, 0.928, 0.066, 0.945, BLACK, 0.5)


def dress(pen: Pen, part: Part) -> None:
    """Draw a flowing dress on a dressmaker's stand."""
    cloth = part.colour(RED)
    pen.shadow(0.05, 0.0, 0.42, 0.045, 0.6)
    for u in (-0.13, 0.0, 0.13):
        pen.line([(0, 0.14), (u, 0.0)], 0.016, DARK_WOOD, 0.5)
    pen.rect(-0.012, 0.05, 0.012, 0.3, DARK_WOOD, 0.5)
    hem = [(-0.4 + 0.1 * step, 0.1 + 0.022 * ((step % 2) * 2 - 1)) for step in range(9)]
    pen.poly([(-0.085, 0.6), (-0.2, 0.42), (-0.36, 0.2), *hem, (0.36, 0.2), (0.2, 0.42), (0.085, 0.6)], cloth, 0.5)
    for step, sway in enumerate(part.rng.random(7).tolist()):
        u = -0.34 + 0.115 * step
        foot = u * 1.06
        pen.poly([(u * 0.22, 0.6), (foot - 0.035, 0.13 + 0.03 * sway), (foot + 0.028, 0.1)], cloth, 1.0 - 0.11 * step)
        pen.poly([(u * 0.24 + 0.01, 0.56), (foot + 0.028, 0.11), (foot + 0.062, 0.12)], mix(cloth, BLACK, 0.3), 0.3)
    modelled(
        pen,
        ((-0.09, 0.58), (0.09, 0.58), (0.12, 0.7), (0.13, 0.82), (0.07, 0.86), (0.0, 0.81), (-0.07, 0.86), (-0.13, 0.82), (-0.12, 0.7)),
        cloth,
    )
    pen.poly([(-0.1, 0.58), (0.1, 0.58), (0.095, 0.62), (-0.095, 0.62)], mix(cloth, WHITE, 0.55), 0.7)
    for side in (-1, 1):
        pen.line([(side * 0.085, 0.84), (side * 0.06, 0.93)], 0.016, cloth, 0.7)
    modelled(pen, ((-0.075, 0.9), (0.075, 0.9), (0.045, 0.94), (0.04, 0.99), (-0.04, 0.99), (-0.045, 0.94)), CREAM)
    pen.ellipse(0, 1.0, 0.025, 0.018, DARK_WOOD, 0.7)


def umbrella(pen: Pen, part: Part) -> None:
    """Draw a person under an umbrella."""
    figure(pen.at(0, 0, 0.8), part)
    cover = part.colour(RED)
    pen.line([(0.13, 0.4), (0.13, 0.94)], 0.014, DARK_WOOD, 0.5)
    dome = [(-0.28, 0.74), (-0.24, 0.86), (-0.06, 0.98), (0.13, 1.02), (0.32, 0.98), (0.5, 0.86), (0.54, 0.74)]
    pen.poly([*dome, (0.4, 0.78), (0.27, 0.74), (0.13, 0.78), (-0.01, 0.74), (-0.14, 0.78)], cover, 0.4)
    pen.poly([*dome[:4], (0.06, 0.9), (-0.01, 0.75), (-0.14, 0.78)], cover, 0.9)
    pen.line([(0.13, 1.01), (0.13, 1.05)], 0.014, DARK_WOOD, 0.5)


def dancer(pen: Pen, part: Part) -> None:
    """Draw a dancer on one toe whose dress swings around her."""
    cloth, skin, hair = part.colour(RED), _SKINS[int(part.rng.random() * 4)], _HAIRS[int(part.rng.random() * 4)]
    swing = 0.06 * (part.rng.random() - 0.5)
    pen.shadow(0.02, 0.0, 0.34, 0.035, 0.6)
    pen.limb([(0.0, 0.42), (0.02, 0.2), (0.0, 0.0)], 0.05, 0.022, skin, 0.7)
    pen.limb([(0.0, 0.42), (0.2, 0.3), (0.36, 0.36)], 0.05, 0.02, skin, 0.5)
    skirt = (
        (-0.04, 0.6),
        (-0.16, 0.5),
        (-0.38 - swing, 0.36),
        (-0.3, 0.28),
        (-0.1, 0.24),
        (0.14, 0.2),
        (0.4 + swing, 0.3),
        (0.22, 0.44),
        (0.05, 0.6),
    )
    modelled(pen, skirt, cloth)
    for step in range(6):
        foot = -0.3 + 0.12 * step
        pen.poly([(0.0, 0.6), (foot, 0.3 - 0.015 * step), (foot + 0.05, 0.28 - 0.012 * step)], mix(cloth, BLACK, 0.25), 0.45)
    modelled(pen, ((-0.05, 0.58), (0.06, 0.58), (0.075, 0.7), (0.06, 0.77), (-0.05, 0.77), (-0.065, 0.7)), cloth)
    pen.limb([(-0.05, 0.74), (-0.2, 0.84), (-0.15, 1.0)], 0.036, 0.018, skin, 0.9)
    pen.limb([(0.06, 0.74), (0.22, 0.8), (0.34, 0.94)], 0.036, 0.018, skin, 0.6)
    pen.limb([(0.005, 0.76), (0.01, 0.82)], 0.036, 0.034, skin, 0.5)
    pen.ellipse(0.012, 0.87, 0.05, 0.06, skin, 0.8)
    pen.poly([(-0.045, 0.86), (-0.04, 0.92), (0.02, 0.945), (0.068, 0.9), (0.06, 0.86), (0.03, 0.91)], hair, 0.6)
    pen.ellipse(0.05, 0.945, 0.032, 0.03, hair, 0.7)
