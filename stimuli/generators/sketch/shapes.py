"""Shapes: outlines of leaves, stones, ridges and trails, as points to be drawn by the pen."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
Floats = NDArray[np.float64]


@lru_cache(maxsize=64)
def smooth(points: tuple[Point, ...], *, closed: bool = True, rounds: int = 2) -> list[Point]:
    """Return the outline through the middles of `points` with its corners cut (Chaikin's method)."""
    outline = np.array(points)
    for _ in range(rounds):
        following = np.roll(outline, -1, axis=0)
        cut = np.stack([0.75 * outline + 0.25 * following, 0.25 * outline + 0.75 * following], axis=1).reshape(-1, 2)
        outline = cut if closed else np.concatenate([outline[:1], cut[:-2], outline[-1:]])
    return [(u, v) for u, v in outline.tolist()]


def blob(rng: np.random.Generator, across: float, up: float, *, rough: float = 0.15, count: int = 14) -> list[Point]:
    """Return a rounded lump around (0, 0) with the half-axes `across` and `up`."""
    turns = np.linspace(0, 2 * np.pi, count, endpoint=False)
    phase = rng.random(3) * 2 * np.pi
    radius = 1 + rough * (0.6 * np.sin(2 * turns + phase[0]) + 0.5 * np.sin(3 * turns + phase[1]) + 0.4 * np.sin(5 * turns + phase[2]))
    return list(zip((across * radius * np.cos(turns)).tolist(), (up * radius * np.sin(turns)).tolist(), strict=True))


def ridge(rng: np.random.Generator, left: float, right: float, base: float, height: float, *, count: int = 26) -> Floats:
    """Return the line of a hill from left to right as rows of (u, v)."""
    u = np.linspace(left, right, count)
    phase, tempo = rng.random(4) * 2 * np.pi, 2.2 + 2.4 * rng.random(4)
    swell = (
        0.55 * np.sin(tempo[0] * u + phase[0]) + 0.3 * np.sin(2.1 * tempo[1] * u + phase[1]) + 0.15 * np.sin(4.7 * tempo[2] * u + phase[2])
    )
    return np.stack([u, base + height * (0.5 + 0.5 * swell)], axis=1)


def under(line: Floats, bottom: float) -> list[Point]:
    """Return the area between a line and the level `bottom`."""
    points = [(u, v) for u, v in line.tolist()]
    return [*points, (points[-1][0], bottom), (points[0][0], bottom)]


def arc(start: Point, end: Point, bulge: float, count: int = 7) -> list[Point]:
    """Return a curve from `start` to `end` whose middle is moved up by `bulge`."""
    t = np.linspace(0, 1, count)
    u = start[0] + (end[0] - start[0]) * t
    v = start[1] + (end[1] - start[1]) * t + 4 * bulge * t * (1 - t)
    return list(zip(u.tolist(), v.tolist(), strict=True))


@lru_cache(maxsize=8)
def leaf(width: float = 0.32, *, blunt: float = 1.0, tip: float = 1.0) -> tuple[Floats, Floats]:
    """Return the outline of a leaf from (0, 0) to (1, 0), and of its half that faces the light."""
    t = np.linspace(0, 1, 8)
    half = width * np.sin(np.pi * t**blunt) ** tip
    upper, lower = np.stack([t, half], axis=1), np.stack([t, -half], axis=1)[::-1]
    return np.concatenate([upper, lower[1:-1]]), np.concatenate([upper, [[0.5, 0.01 * width]]])


@lru_cache(maxsize=1)
def monstera() -> tuple[Floats, Floats]:
    """Return the outline of a Monstera leaf with its deep slots, and of its half that faces the light."""
    t = np.array([0.0, -0.11, -0.05, 0.08, 0.17, 0.14, 0.29, 0.4, 0.33, 0.52, 0.61, 0.53, 0.74, 0.81, 0.74, 0.9, 1.0])
    half = np.array([0.02, 0.16, 0.36, 0.47, 0.46, 0.13, 0.5, 0.47, 0.11, 0.46, 0.4, 0.09, 0.34, 0.26, 0.06, 0.16, 0.0])
    upper, lower = np.stack([t, half], axis=1), np.stack([t, -half], axis=1)[::-1]
    return np.concatenate([upper, lower[1:]]), np.concatenate([upper, [[0.5, 0.0]]])


@lru_cache(maxsize=1)
def fiddle() -> tuple[Floats, Floats]:
    """Return the outline of a fiddle-leaf fig's leaf, and of its half that faces the light."""
    t = np.array([0.0, 0.06, 0.2, 0.36, 0.48, 0.62, 0.78, 0.9, 0.97, 1.0])
    half = np.array([0.0, 0.1, 0.2, 0.19, 0.2, 0.3, 0.36, 0.3, 0.16, 0.0])
    upper, lower = np.stack([t, half], axis=1), np.stack([t, -half], axis=1)[::-1]
    return np.concatenate([upper, lower[1:-1]]), np.concatenate([upper, [[0.5, 0.0]]])


@lru_cache(maxsize=4)
def frond(leaflets: int = 8) -> tuple[Floats, Floats]:
    """Return the outline of a fern's or a palm's frond, drooping toward its tip, and of its upper half."""
    upper: list[Point] = [(0.0, 0.0)]
    lower: list[Point] = []
    for step in range(leaflets):
        t = (step + 0.5) / leaflets
        reach = 0.26 * np.sin(np.pi * (0.18 + 0.8 * t)) ** 0.8
        upper += [(t, 0.012), (t + 0.1, reach), (t + 0.06, 0.012)]
        lower += [(t, -0.012), (t + 0.1, -reach), (t + 0.06, -0.012)]
    whole, half = np.array([*upper, (1.05, 0.0), *lower[::-1]]), np.array([*upper, (1.05, 0.0)])
    for outline in (whole, half):
        outline[:, 1] -= 0.22 * outline[:, 0] ** 2
    return whole, half


def trail(rng: np.random.Generator, length: float, *, sway: float = 0.06, count: int = 10) -> list[Point]:
    """Return a line that hangs down from (0, 0)."""
    phase = rng.random() * 6.3
    tempo = 1.2 + 1.2 * rng.random()
    steps = np.linspace(0, 1, count)
    u = sway * (np.sin(phase + tempo * 3 * steps) - np.sin(phase)) * (0.3 + steps)
    return list(zip(u.tolist(), (-length * steps).tolist(), strict=True))


def between(points: Sequence[Point], share: float) -> Point:
    """Return the point at `share` (0-1) of the way along a line, by its corners."""
    at = share * (len(points) - 1)
    first = min(int(at), len(points) - 2)
    rest = at - first
    (u0, v0), (u1, v1) = points[first], points[first + 1]
    return u0 + (u1 - u0) * rest, v0 + (v1 - v0) * rest
