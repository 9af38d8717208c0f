"""The offline stand-in for image-text similarity: the painter paints the prompt in every look, and an image is compared with all of it.

Only for pictures of the offline painter: it knows what that painter makes of a prompt, and nothing of what a photograph shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli import pixels
from stimuli.generators.sketch import VERSION, paint
from stimuli.scorers import ScorerSpec, pictures
from stimuli.vocabulary import AXES

Array = NDArray[np.float64]

_SIDE = 64
# How often the prompt is painted as it is, from other places, and in each other look.
_PLAIN, _MOVED, _DRESSED = 8, 2, 1
_MOVES = ("camera", "composition")
_DIRECTIONS = 6
# Quantiles of luma; the second and the last but one are the dark and the light end.
_QUANTILES = np.linspace(0.02, 0.98, 17)
_SLACK, _FALL = 0.04, 0.1
# How much outlines count against light and colour: outlines stay when the light changes.
_OUTLINES = 2
_KEPT = 256


@dataclass(frozen=True)
class Measured:
    """Images as rows: light and outlines and colour by place, each centred and of length one, and quantiles of luma."""

    light: Array
    outlines: Array
    colour: Array
    tones: Array


class SketchLikeness:
    """How like an image is to what the painter makes of the prompt, 0 to 1: structure times tone.

    Structure is the best agreement (correlation by place of light, outlines and colour) with any of 58 small paintings of the prompt:
    as it is, from each camera and composition, in each light, palette, mood and style of the vocabulary. Tone falls from 1 when the image
    is darker than the darkest of them, or lighter than the lightest. The paintings of a prompt are made once.
    """

    def __init__(self, name: str) -> None:
        self.spec = ScorerSpec(name, f"1 sketch {VERSION}", 0, 1, higher_is_better=True, needs_prompt=True, stand_in=True)
        self._painted: dict[str, Measured] = {}

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> Array:
        """Return the likeness of each image to its prompt, 0 to 1, shape (images,)."""
        pairs = zip(pictures.plain(images), prompts, strict=True)
        return np.array([_likeness(measured([image]), self._paintings(prompt)) for image, prompt in pairs])

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_painted": {}}

    def _paintings(self, prompt: str) -> Measured:
        if prompt not in self._painted:
            if len(self._painted) >= _KEPT:
                self._painted.clear()
            self._painted[prompt] = measured([paint(worded, seed=seed, size=_SIDE) for worded, seed in _wanted(prompt)])
        return self._painted[prompt]


def measured(images: Sequence[Image.Image]) -> Measured:
    """Return what is compared of images, one row each."""
    small = [image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX) for image in images]
    colours = np.stack([np.asarray(image, dtype=np.float64) for image in small]) / 255
    light = pixels.luma(colours)
    opponents = np.stack([colours[..., 0] - colours[..., 1], colours[..., :2].mean(axis=-1) - colours[..., 2]], axis=-1)
    return Measured(
        light=_unit(_blocks(light[..., None], 16)),
        outlines=_unit(np.sqrt(_blocks(_by_direction(light), 8))),
        colour=_unit(_blocks(opponents, 8)),
        tones=np.quantile(light.reshape(len(images), -1), _QUANTILES, axis=1).T,
    )


def _wanted(prompt: str) -> list[tuple[str, int]]:
    """Return the prompt in each look, with the seeds it is painted with."""
    bare = prompt.rstrip().rstrip(".")
    wanted = [(prompt, seed) for seed in range(_PLAIN)]
    for axis, looks in AXES.items():
        wanted += [(f"{bare}, {look}.", seed) for look in looks for seed in range(_MOVED if axis in _MOVES else _DRESSED)]
    return wanted


def _likeness(image: Measured, paintings: Measured) -> float:
    agreement = paintings.light @ image.light[0] + _OUTLINES * (paintings.outlines @ image.outlines[0])
    # An image without colour agrees with none; its colour is then left out.
    coloured = bool(image.colour.any())
    structure = (agreement + paintings.colour @ image.colour[0] * coloured) / (1 + _OUTLINES + coloured)
    return max(0.0, float(structure.max())) * _tone(image.tones[0], paintings.tones)


def _tone(image: Array, paintings: Array) -> float:
    """Return 1 between the darkest and the lightest painting, less beyond: of the dark end, the light end and the mean."""
    beyond = 0.0
    for of_image, of_paintings in ((image[1], paintings[:, 1]), (image[-2], paintings[:, -2]), (image.mean(), paintings.mean(axis=1))):
        darker, lighter = of_paintings.min() - of_image, of_image - of_paintings.max()
        beyond += max(0.0, float(darker) - _SLACK) + max(0.0, float(lighter) - _SLACK)
    return float(np.exp(-beyond / _FALL))


def _by_direction(light: Array) -> Array:
    """Return how steep the light is in each of six directions, which are the same for light-to-dark and dark-to-light."""
    down, across = np.gradient(light, axis=(1, 2))
    direction = np.floor((np.arctan2(down, across) % np.pi) / np.pi * _DIRECTIONS).astype(int) % _DIRECTIONS
    steepness: Array = np.hypot(down, across)[..., None] * (direction[..., None] == np.arange(_DIRECTIONS))
    return steepness


def _blocks(planes: Array, cells: int) -> Array:
    """Return means over a grid, shape (images, cells x cells x planes)."""
    side = _SIDE // cells
    means: Array = planes.reshape(len(planes), cells, side, cells, side, -1).mean(axis=(2, 4))
    return means.reshape(len(planes), -1)


def _unit(rows: Array) -> Array:
    """Return rows centred and of length one; rows without any difference become zero."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    unit: Array = np.divide(centred, length, out=np.zeros_like(centred), where=length > 1e-6)
    return unit
