"""Near-duplicates: a hash of what an image shows, which hardly changes when the image is scaled, brightened or saved anew."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SIDE = 8
BITS = _SIDE * _SIDE

Hash = NDArray[np.bool_]


def difference_hash(image: Image.Image) -> Hash:
    """Return whether each cell of an 8 x 8 grid is darker than the one to its right, shape (64,) (the dHash of N. Krawetz, 2013).

    A flat image has no differences, so all its bits are False.
    """
    grey = image.convert("L").resize((_SIDE + 1, _SIDE), Image.Resampling.BOX)
    cells = np.asarray(grey, dtype=np.int16)
    found: Hash = (cells[:, 1:] > cells[:, :-1]).ravel()
    return found


class Seen:
    """The hashes of the images that were kept so far."""

    def __init__(self) -> None:
        self._hashes = np.zeros((0, BITS), dtype=np.bool_)
        self._count = 0

    def nearest(self, found: Hash) -> int | None:
        """Return in how many bits the most similar image differs, None where there is no other."""
        if not self._count:
            return None
        return int((self._hashes[: self._count] != found).sum(axis=1).min())

    def add(self, found: Hash) -> None:
        """Remember an image."""
        if self._count == len(self._hashes):
            self._hashes = np.concatenate([self._hashes, np.zeros((max(64, self._count), BITS), dtype=np.bool_)])
        self._hashes[self._count] = found
        self._count += 1
