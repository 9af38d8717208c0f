"""Principal components of frozen features: few numbers an image in place of a thousand."""

from dataclasses import dataclass

import numpy as np

from stimuli.predictors.interface import Array, Rows

_SMALL = 256
_PASSES = 4
_SPARE = 24
# Below this share of the largest standard deviation a component is rounding.
_NEGLIGIBLE = 1e-4


@dataclass(frozen=True, eq=False)
class Components:
    """A projection of features: subtract `centre` (width,), multiply by `axes` (width, components); each comes out with variance one.

    `deviation` (components,) is the standard deviation of each before that, largest first.
    """

    centre: Rows
    axes: Rows
    deviation: Array

    def of(self, features: Rows) -> Rows:
        """Return the components of images, shape (images, components)."""
        return np.asarray((features - self.centre) @ self.axes, dtype=np.float32)

    def first(self, number: int) -> "Components":
        """Return the first components only."""
        return Components(self.centre, self.axes[:, :number], self.deviation[:number])


def components(features: Rows, number: int) -> Components:
    """Return at most `number` principal components of standardised features, fewer where the rows hold no more.

    Wide features go through a randomised range finder with power iterations (Halko, Martinsson & Tropp 2011, algorithm 4.4), with
    the same random start each time, so that equal features give equal components.
    """
    centre = features.mean(axis=0, dtype=np.float64)
    unit = np.asarray(features - centre, dtype=np.float32)
    scale = np.sqrt(np.mean(unit.astype(np.float64) ** 2, axis=0))
    # A constant feature has a deviation of rounding only; it must not be blown up.
    varies = scale > 1e-6 * np.maximum(np.abs(centre), scale.max(initial=0.0))
    scale = np.where(varies, scale, np.inf)
    unit /= scale.astype(np.float32)
    singular, rows = _leading(unit, number)
    deviation = singular / np.sqrt(max(1, len(unit)))
    kept = int((deviation > _NEGLIGIBLE * max(float(deviation.max(initial=0.0)), 1e-12)).sum())
    rows = rows[:kept]
    # The sign of a component is arbitrary; fixing it keeps equal data equal across linear algebra libraries.
    signs = np.sign(rows[np.arange(kept), np.abs(rows).argmax(axis=1)])
    axes = (rows * (signs / deviation[:kept])[:, None]).T / scale[:, None]
    return Components(centre.astype(np.float32), axes.astype(np.float32), deviation[:kept])


def _leading(unit: Rows, number: int) -> tuple[Array, Array]:
    """Return the largest singular values and their right singular vectors, as rows."""
    if not min(unit.shape):
        return np.zeros(0), np.zeros((0, unit.shape[1]))
    if min(unit.shape) <= _SMALL:
        _, singular, rows = np.linalg.svd(unit.astype(np.float64), full_matrices=False)
        return singular[:number], rows[:number]
    start = np.random.default_rng(0).standard_normal((unit.shape[1], number + _SPARE)).astype(np.float32)
    basis, _ = np.linalg.qr(unit @ start)
    for _ in range(_PASSES):
        turned, _ = np.linalg.qr(unit.T @ basis)
        basis, _ = np.linalg.qr(unit @ turned)
    _, singular, rows = np.linalg.svd((basis.T @ unit).astype(np.float64), full_matrices=False)
    return singular[:number], rows[:number]
