"""Any image as a scorer should read it: upright, in red, green and blue, with transparency on white, as people see it."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps

from stimuli.experiment import ExperimentError

# Modes of one 16- or 32-bit number a pixel; Pillow would cut these off at 255 instead of scaling them.
_DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N")
# An image of 1 x 20,000 pixels padded to a square would take more than a gigabyte.
_LONGEST = 4096


def plain(images: Sequence[Image.Image]) -> list[Image.Image]:
    """Return the images in RGB as people see them; images in RGB without EXIF are unchanged.

    Raises:
        ExperimentError: one has no pixels or cannot be read; the text says which.
    """
    return [_plain(image, number) for number, image in enumerate(images, start=1)]


def padded(image: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    """Return the image in the middle of a square of this colour, as wide as its longer side; beyond 4096 pixels it is shrunk first."""
    if max(image.size) > _LONGEST:
        image = image.resize(_shrunk(*image.size), Image.Resampling.BICUBIC)
    side = max(image.size)
    square = Image.new("RGB", (side, side), colour)
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square


def _shrunk(width: int, height: int) -> tuple[int, int]:
    scale = _LONGEST / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _plain(image: Image.Image, number: int) -> Image.Image:
    if 0 in image.size:
        raise ExperimentError(f"image {number} has {image.width} x {image.height} pixels, so there is nothing to score; render it again")
    try:
        upright = ImageOps.exif_transpose(image)
        if upright.mode in _DEEP:
            return Image.fromarray((np.asarray(upright).clip(0, 65535) // 257).astype(np.uint8)).convert("RGB")
        if upright.has_transparency_data:
            layer = upright.convert("RGBA")
            upright = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
        return upright.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ExperimentError(f"image {number} cannot be read ({error}); render it again, or save it again as PNG") from error
