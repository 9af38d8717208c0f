"""Colours: what things are painted with before light falls on them, 0-255."""

from collections.abc import Mapping
from types import MappingProxyType

from stimuli.generators.sketch.light import RGB

LEAF: RGB = (78, 138, 74)
DEEP_LEAF: RGB = (40, 96, 70)
FRESH_LEAF: RGB = (136, 176, 76)
BLUE_LEAF: RGB = (74, 128, 112)
OLIVE: RGB = (128, 136, 72)
MOSS: RGB = (122, 152, 58)
GRASS: RGB = (124, 162, 82)
BARK: RGB = (112, 82, 62)
STONE: RGB = (146, 142, 138)
DARK_STONE: RGB = (98, 98, 104)
CONCRETE: RGB = (176, 172, 166)
SAND: RGB = (232, 198, 148)
TERRACOTTA: RGB = (204, 112, 76)
CREAM: RGB = (246, 236, 216)
WHITE: RGB = (250, 246, 238)
WOOD: RGB = (170, 118, 76)
DARK_WOOD: RGB = (104, 70, 50)
LEATHER: RGB = (158, 88, 50)
BRASS: RGB = (206, 162, 84)
IRON: RGB = (64, 74, 78)
SLATE: RGB = (84, 94, 112)
WATER: RGB = (70, 138, 154)
SKIN: RGB = (232, 178, 144)
LAMP: RGB = (255, 214, 132)

RED: RGB = (206, 68, 58)
BLUE: RGB = (62, 104, 162)
YELLOW: RGB = (240, 188, 72)
GREEN: RGB = (84, 142, 90)
ORANGE: RGB = (234, 134, 62)
PINK: RGB = (236, 146, 154)
PURPLE: RGB = (128, 96, 160)
TEAL: RGB = (52, 132, 132)
BLACK: RGB = (48, 48, 54)
GREY: RGB = (150, 150, 152)
BROWN: RGB = (134, 92, 64)

# Words that colour the thing they stand before.
NAMED: Mapping[str, RGB] = MappingProxyType(
    {
        "red": RED,
        "scarlet": RED,
        "crimson": (176, 44, 56),
        "blue": BLUE,
        "navy": (44, 60, 104),
        "turquoise": (70, 176, 176),
        "teal": TEAL,
        "yellow": YELLOW,
        "mustard": (214, 166, 62),
        "green": GREEN,
        "emerald": (40, 130, 96),
        "orange": ORANGE,
        "pink": PINK,
        "purple": PURPLE,
        "violet": PURPLE,
        "lavender": (178, 160, 208),
        "white": WHITE,
        "black": BLACK,
        "grey": GREY,
        "gray": GREY,
        "brown": BROWN,
        "ginger": (222, 140, 72),
        "beige": (222, 202, 172),
        "cream": CREAM,
    }
)

BOOKS: tuple[RGB, ...] = (
    (168, 72, 58), (60, 92, 108), (206, 168, 104), (92, 116, 92), (226, 208, 176), (112, 66, 72), (70, 78, 104),
    (190, 126, 82), (134, 142, 122), (232, 220, 196), (96, 74, 62), (182, 150, 90),
)  # fmt: skip
BLOSSOMS: tuple[RGB, ...] = ((238, 112, 104), (250, 196, 92), (246, 240, 226), (216, 124, 176), (150, 128, 204), (244, 150, 92))
HOUSES: tuple[RGB, ...] = (
    (232, 194, 148),
    (214, 130, 98),
    (238, 222, 190),
    (176, 190, 178),
    (204, 158, 142),
    (150, 166, 182),
    (226, 176, 104),
)
