"""The offline image encoder: fixed numbers about colour, light, texture and composition."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli import pixels
from stimuli.encoders.interface import EncoderSpec, Rows

Array = NDArray[np.float64]

_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
_HUES = 8
_DIRECTIONS = 4
_GRID = 4


class ImageStatistics:
    """Fixed numbers about colour, light, texture and composition: a stand-in for a learned encoder. It knows nothing of content.

    In order: quantiles of luma (5) and of saturation (5); mean and spread of luma, red-green and yellow-blue, and colourfulness
    (7); saturation by hue (8); gradient at three scales (3) and by direction (4), flat area (1); luma in a 4 x 4 grid (16) and
    opponent colours in a 2 x 2 grid (8); left-right symmetry and how much lighter the centre is (2).
    """

    spec = EncoderSpec(name="image-statistics", version="1", stand_in=True, width=59)

    def encode(self, images: Sequence[Image.Image]) -> Rows:
        """Return the statistics, shape (images, 59)."""
        rows = [_statistics(pixels.rgb(image)) for image in images]
        return np.array(rows, dtype=np.float32).reshape(len(images), self.spec.width)


def _statistics(colours: Array) -> Array:
    light = pixels.luma(colours)
    opponents = np.stack([colours[..., 0] - colours[..., 1], (colours[..., 0] + colours[..., 1]) / 2 - colours[..., 2]], axis=-1)
    return np.concatenate(
        [
            np.quantile(light, _SHARES),
            np.quantile(pixels.saturation(colours), _SHARES),
            [light.mean(), light.std(), *opponents.mean(axis=(0, 1)), *opponents.std(axis=(0, 1)), pixels.colourfulness(colours)],
            _saturation_by_hue(colours, opponents),
            _texture(light),
            _grid(light, _GRID).ravel(),
            _grid(opponents, 2).ravel(),
            [_symmetry(light), _centre(light)],
        ]
    )


def _saturation_by_hue(colours: Array, opponents: Array) -> Array:
    """Return the mean saturation that falls into each of eight sectors of hue."""
    hue = np.arctan2(opponents[..., 1], opponents[..., 0])
    sector = np.floor((hue + np.pi) / (2 * np.pi) * _HUES).astype(int) % _HUES
    saturation = pixels.saturation(colours)
    return np.bincount(sector.ravel(), weights=saturation.ravel(), minlength=_HUES) / saturation.size


def _texture(light: Array) -> Array:
    """Return the mean gradient at full, half and quarter size, its share by direction, and the share of flat area."""
    steepness = [pixels.gradient(_grid(light, light.shape[0] // scale)).mean() for scale in (1, 2, 4)]
    down, across = np.gradient(light)
    direction = np.floor((np.arctan2(down, across) % np.pi) / np.pi * _DIRECTIONS).astype(int) % _DIRECTIONS
    strength = np.hypot(down, across)
    by_direction = np.bincount(direction.ravel(), weights=strength.ravel(), minlength=_DIRECTIONS) / strength.size
    return np.array([*steepness, *by_direction, (strength < pixels.FLAT).mean()])


def _grid(plane: Array, cells: int) -> Array:
    """Return block means on a grid of `cells` x `cells`."""
    side = plane.shape[0] // cells
    blocks: Array = plane.reshape(cells, side, cells, side, -1).mean(axis=(1, 3))
    return blocks[..., 0] if plane.ndim == 2 else blocks


def _symmetry(light: Array) -> float:
    """Return how alike the left and the mirrored right half are: 1 equal, 0 unrelated; 1 for a plain image."""
    left, right = light - light.mean(), np.fliplr(light) - light.mean()
    power = float((left**2).sum())
    return float((left * right).sum()) / power if power > 0 else 1.0


def _centre(light: Array) -> float:
    """Return how much lighter the middle ninth is than the whole."""
    third = light.shape[0] // 3
    return float(light[third:-third, third:-third].mean() - light.mean())
