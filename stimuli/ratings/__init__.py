"""Rated images from PAMELA, LAPIS, PARA and this toolkit's own rating studies, as one kind of table."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from stimuli.ratings import lapis, own, pamela, para, splits
from stimuli.ratings.pamela import annotation, write
from stimuli.ratings.skipped import Skipped
from stimuli.ratings.table import SPLITS, Published, Rated, RatedData, RatingsError, Unreadable, open_images

Layout = Literal["pamela", "lapis", "para", "own"]

_READERS: Mapping[Layout, Callable[[Path], Rated]] = MappingProxyType(
    {"pamela": pamela.read, "lapis": lapis.read, "para": para.read, "own": own.read}
)

__all__ = [
    "SPLITS",
    "Layout",
    "Published",
    "Rated",
    "RatedData",
    "RatingsError",
    "Skipped",
    "Unreadable",
    "annotation",
    "as_published",
    "open_images",
    "read",
    "write",
]


def as_published(folder: Path, *, layout: Layout = "pamela") -> Rated:
    """Return the data set in `folder` with its published split; images are not opened.

    Raises:
        RatingsError: the files are not in this layout.
    """
    return _READERS[layout](folder)


def read(folder: Path, *, layout: Layout = "pamela") -> Rated:
    """Return the data set in `folder`; images are not opened.

    A `splits.json` in the folder (`stimuli.ratings.splits`) takes the place of the published split.

    Raises:
        RatingsError: the files are not in this layout, or the splits.json was made for other ratings.
    """
    return splits.applied(as_published(folder, layout=layout))
