"""Stones: the faceted boulder that coasts, gardens and cliffs are made of."""

from stimuli.generators.sketch.colours import DARK_STONE, STONE
from stimuli.generators.sketch.light import mix
from stimuli.generators.sketch.pen import Pen


def facet(pen: Pen, tint: float) -> None:
    """Paint one boulder, about one unit wide: a lit top, a middle face and a face in shade."""
    colour = mix(DARK_STONE, STONE, tint)
    pen.poly([(-0.6, 0), (-0.5, 0.34), (-0.18, 0.62), (0.26, 0.58), (0.58, 0.26), (0.64, 0)], colour, 0.25)
    pen.poly([(-0.6, 0), (-0.5, 0.34), (-0.18, 0.62), (-0.02, 0.36), (-0.12, 0)], colour, 0.75)
    pen.poly([(-0.5, 0.34), (-0.18, 0.62), (0.26, 0.58), (0.1, 0.42), (-0.2, 0.38)], colour, 1.15)
