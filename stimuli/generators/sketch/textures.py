"""Textures that all pictures share: smooth noise, paper, brush strokes; each made once a process and a size, from fixed seeds."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Field = NDArray[np.float32]


@lru_cache(maxsize=32)
def smooth_noise(size: int, waves: int, seed: int) -> Field:
    """Return tileable noise with about `waves` bumps a side, mean 0 and deviation 1, shape (size, size)."""
    frequency = np.fft.fftfreq(size) * size
    radius = np.hypot(frequency[:, None], frequency[None, :])
    spectrum = np.fft.fft2(np.random.default_rng(seed).standard_normal((size, size)))
    noise = np.fft.ifft2(spectrum * np.exp(-((radius / max(waves, 1)) ** 2))).real
    noise -= noise.mean()
    return (noise / max(float(noise.std()), 1e-9)).astype(np.float32)


@lru_cache(maxsize=8)
def gouache(size: int) -> Field:
    """Return the unevenness of matt paint on paper: a factor near 1, shape (size, size)."""
    fine = smooth_noise(size, max(size // 3, 2), 11)
    streaks = np.asarray(
        Image.fromarray(smooth_noise(size, max(size // 4, 2), 12)).resize((size, max(size // 9, 1))).resize((size, size)), dtype=np.float32
    )
    return np.asarray(1 + 0.012 * fine + 0.006 * streaks + 0.012 * smooth_noise(size, 6, 13), dtype=np.float32)


@lru_cache(maxsize=8)
def paper(size: int) -> Field:
    """Return cold-pressed watercolour paper as a factor near 1, shape (size, size)."""
    tooth = smooth_noise(size, max(size // 5, 2), 21)
    return np.asarray(1 + 0.03 * np.minimum(tooth, 1.2) + 0.012 * smooth_noise(size, max(size // 2, 2), 22), dtype=np.float32)


@lru_cache(maxsize=8)
def pools(size: int) -> Field:
    """Return where watercolour collects: a factor on the density of pigment, shape (size, size)."""
    return np.asarray(1 + 0.1 * smooth_noise(size, 5, 31) + 0.07 * smooth_noise(size, 14, 32), dtype=np.float32)


@lru_cache(maxsize=8)
def bleeding(size: int) -> NDArray[np.intp]:
    """Return, for each pixel, the flat index of the one whose colour ran into it, shape (size * size,)."""
    reach = size / 256
    rows, columns = np.mgrid[0:size, 0:size]
    shift = [0.8 * smooth_noise(size, 10, seed) + 0.75 * smooth_noise(size, 44, seed + 2) for seed in (41, 42)]
    rows = np.clip(np.rint(rows + reach * shift[0]), 0, size - 1).astype(np.intp)
    columns = np.clip(np.rint(columns + reach * shift[1]), 0, size - 1).astype(np.intp)
    return np.asarray(rows * size + columns).ravel()


@lru_cache(maxsize=8)
def margin(size: int) -> Field:
    """Return how much of the bare paper shows at the ragged edge of a watercolour, 0-1, shape (size, size)."""
    steps = (np.arange(size, dtype=np.float32) + 0.5) / size
    edge = np.minimum(steps, 1 - steps)
    distance = np.minimum(edge[:, None], edge[None, :]) + 0.013 * smooth_noise(size, 10, 51) + 0.006 * smooth_noise(size, 40, 52)
    return np.asarray(np.clip((0.045 - distance) / 0.014, 0, 1), dtype=np.float32)


@lru_cache(maxsize=4)
def strokes(size: int) -> tuple[NDArray[np.intp], Field]:
    """Return brush strokes of an oil painting: the flat index of the pixel each one takes its colour from, and its relief near 1."""
    rng = np.random.default_rng(61)
    touched = Image.fromarray(np.arange(size * size, dtype=np.int32).reshape(size, size))
    relief = Image.new("L", (size, size), 128)
    brush, ridge = ImageDraw.Draw(touched), ImageDraw.Draw(relief)
    unit = size / 256
    flow = smooth_noise(size, 3, 62)
    for number, (x, y, length, turn) in enumerate(rng.random((12000, 4)).tolist()):
        # A quarter in broad strokes, the rest in fine ones over them, so that small things stay readable.
        broad = 2.0 if number < 3000 else 1.0
        column, row = int(x * size), int(y * size)
        angle = 0.5 + 1.1 * float(flow[row, column]) + 0.5 * (turn - 0.5)
        reach = (0.8 + 2.2 * length) * broad * unit
        along = (reach * np.cos(angle), reach * np.sin(angle))
        line = (column - along[0], row - along[1], column + along[0], row + along[1])
        brush.line(line, fill=row * size + column, width=max(round(2 * broad * unit), 1))
        ridge.line(line, fill=int(108 + 40 * turn), width=max(round(2 * broad * unit), 1))
        ridge.line(tuple(c - 1.3 * unit for c in line), fill=int(128 + 40 * turn), width=max(round(unit), 1))
    height = np.asarray(relief, dtype=np.float32)
    return np.asarray(touched, dtype=np.intp).ravel(), np.asarray(1 + (height - height.mean()) / 620, dtype=np.float32)
