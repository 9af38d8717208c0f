"""What can be measured of an image from its pixels alone: light, colour, contrast and texture, each as one number."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[np.float64]

# Texture depends on resolution; measuring all images at one size makes the numbers comparable.
_SIDE = 128
_LUMA = np.array([0.2126, 0.7152, 0.0722])
FLAT = 0.02


def rgb(image: Image.Image) -> Array:
    """Return the red, green and blue of an image in 0..1 on a square of 128 pixels a side, shape (128, 128, 3)."""
    small = image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float64) / 255.0


def luma(colours: Array) -> Array:
    """Return how light each pixel is, 0..1 (weights of Rec. 709 on gamma-coded values)."""
    light: Array = colours @ _LUMA
    return light


def saturation(colours: Array) -> Array:
    """Return how far each pixel is from grey, 0..1: the spread of its channels (chroma)."""
    chroma: Array = colours.max(axis=-1) - colours.min(axis=-1)
    return chroma


def gradient(light: Array) -> Array:
    """Return how steeply the light changes at each pixel, in luma a pixel."""
    down, across = np.gradient(light)
    steepness: Array = np.hypot(down, across)
    return steepness


def brightness(colours: Array) -> float:
    """Return the mean luma, 0 black to 1 white."""
    return float(luma(colours).mean())


def warmth(colours: Array) -> float:
    """Return mean red minus mean blue: positive is warm, negative cool."""
    return float((colours[..., 0] - colours[..., 2]).mean())


def colourfulness(colours: Array) -> float:
    """Return the colourfulness of Hasler and Süsstrunk (2003), on channels in 0..1; 0 is grey.

    >>> colourfulness(np.full((4, 4, 3), 0.5))
    0.0
    """
    red_green = colours[..., 0] - colours[..., 1]
    yellow_blue = (colours[..., 0] + colours[..., 1]) / 2 - colours[..., 2]
    spread = np.hypot(red_green.std(), yellow_blue.std())
    return float(spread + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean()))


def contrast(colours: Array) -> float:
    """Return the standard deviation of luma."""
    return float(luma(colours).std())


def detail(colours: Array) -> float:
    """Return the mean gradient of luma: how much fine structure there is."""
    return float(gradient(luma(colours)).mean())


def openness(colours: Array) -> float:
    """Return the share of the area that is flat (gradient below 0.02): empty space."""
    return float((gradient(luma(colours)) < FLAT).mean())
