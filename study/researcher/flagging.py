"""What a program can tell of an image before a person looks: that it is broken, or nearly the same as another of its prompt.

Whether an image is harmful is for people to say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from stimuli.progress import Report
from stimuli.provenance import sha256
from study.researcher.gallery import Group, Picture

Array = NDArray[np.float64]

# Pixels of the shorter side; brightness is 0 to 255.
_TINY = 32
_CONSTANT_SPREAD = 2.0
_DARK, _BRIGHT, _NEARLY_ALL = 8, 247, 0.98
# Two images count as nearly the same when few of 63 signs of their coarse structure and hardly any of their colour differ.
_SIDE, _KEPT = 32, 8
_MOST_SIGNS, _MOST_COLOUR = 6, 10.0


@dataclass(frozen=True)
class Impression:
    """What is kept of an image to compare it: the signs of its lowest frequencies, and its colours on a grid of 8 by 8."""

    signs: NDArray[np.bool_]
    colours: Array


def flags(groups: Sequence[Group], *, report: Report) -> dict[str, tuple[str, ...]]:
    """Return of each image, by its hash, what a reviewer should look at; images without flags are left out."""
    found: dict[str, list[str]] = {}
    done, total = 0, sum(len(group.pictures) for group in groups)
    for group in groups:
        impressions: dict[str, Impression] = {}
        for picture in group.pictures:
            wrong, impression = inspect(picture)
            if wrong:
                found.setdefault(picture.sha256, []).append(f"broken? {wrong}")
            if impression:
                impressions[picture.sha256] = impression
            done += 1
            report("looking for broken and nearly equal images", done, total)
        for sha, text in _alike(group, impressions):
            found.setdefault(sha, []).append(text)
    return {sha: tuple(dict.fromkeys(texts)) for sha, texts in found.items()}


def inspect(picture: Picture) -> tuple[str, Impression | None]:
    """Return what seems wrong with the file ("" for nothing), and what to compare it by; a broken one resembles nothing."""
    try:
        if sha256(picture.path) != picture.sha256:
            return "the file is not the one that was listed", None
        with Image.open(picture.path) as opened:
            pixels = ImageOps.exif_transpose(opened).convert("RGB")
    # Damaged files make the image library raise nearly anything.
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, Image.DecompressionBombError) as error:
        return f"it cannot be opened ({type(error).__name__})", None
    wrong = _wrong(pixels)
    return wrong, None if wrong else impression_of(pixels)


def are_alike(one: Impression, other: Impression) -> bool:
    """Return whether a person would hardly see a difference at a glance."""
    signs = int(np.count_nonzero(one.signs != other.signs))
    return signs <= _MOST_SIGNS and float(np.abs(one.colours - other.colours).mean()) <= _MOST_COLOUR


def impression_of(pixels: Image.Image) -> Impression:
    """Return what is kept of an image: the "perceptual hash" by a cosine transform (Zauner 2010), and coarse colours."""
    grey = np.asarray(pixels.convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS), dtype=float)
    low = (_COSINES @ grey @ _COSINES.T).ravel()[1:]
    colours = np.asarray(pixels.resize((8, 8), Image.Resampling.BOX), dtype=float)
    return Impression(low > np.median(low), colours)


def _wrong(pixels: Image.Image) -> str:
    if min(pixels.size) < _TINY:
        return f"it has only {pixels.width} x {pixels.height} pixels"
    grey: NDArray[Any] = np.asarray(pixels.convert("L"))
    if np.asarray(pixels).std(axis=(0, 1)).max() < _CONSTANT_SPREAD:
        return "it is one plain colour"
    for share, name in (((grey <= _DARK).mean(), "black"), ((grey >= _BRIGHT).mean(), "white")):
        if share > _NEARLY_ALL:
            return f"{100 * share:.0f} % of it is {name}"
    return ""


def _alike(group: Group, impressions: dict[str, Impression]) -> list[tuple[str, str]]:
    numbers = {picture.sha256: number for number, picture in enumerate(group.pictures, start=1)}
    found = [(picture.sha256, f"the same file {picture.uses} times") for picture in group.pictures if picture.uses > 1]
    for one, other in combinations(impressions, 2):
        if are_alike(impressions[one], impressions[other]):
            found += [(one, f"nearly the same as image {numbers[other]}"), (other, f"nearly the same as image {numbers[one]}")]
    return found


def _cosines() -> Array:
    """Return the lowest rows of the discrete cosine transform of type II, shape (8, 32)."""
    at = np.arange(_SIDE) + 0.5
    return np.cos(np.pi / _SIDE * np.outer(np.arange(_KEPT), at))


_COSINES = _cosines()
