"""Is a release what its authors published, and does nothing leak between its splits? Each question is one check with its answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from stimuli.ratings.table import SPLITS, Rated

_PAIRS = ("user", "image")


@dataclass(frozen=True)
class Check:
    """One question to a data set: what was found, what was expected (None where anything will do), and whether that is right.

    `part` is the split it is about, "all" for all of them together and "" for how they go together.
    """

    what: str
    found: str
    expected: str | None
    right: bool
    part: str = ""


@dataclass(frozen=True)
class Counts:
    """Numbers of ratings, people and images of a split or of all; None is not known."""

    ratings: int | None = None
    people: int | None = None
    images: int | None = None


# PAMELA: its paper, section 3.1; the splits of ratings also from its files. PARA and LAPIS: their papers' abstracts.
PUBLISHED: Mapping[str, Mapping[str, Counts]] = MappingProxyType(
    {
        "pamela": {
            "all": Counts(69_904, None, 5077),
            "train": Counts(50_222, 156, 3554),
            "val_seen": Counts(6551, 82, 609),
            "val_unseen": Counts(926, 16, 513),
            "test_seen": Counts(9735, 82, 914),
            "test_unseen": Counts(2470, 27, 914),
        },
        "para": {"all": Counts(None, 438, 31_220)},
        "lapis": {"all": Counts(None, None, 11_723)},
    }
)


def counts(rated: Rated, published: Mapping[str, Counts] | None = None) -> tuple[Check, ...]:
    """Return how many ratings, users and images each split holds, beside the published numbers where they are given."""
    published = published or {}
    found = []
    for split in ("all", *SPLITS):
        rows = rated.ratings if split == "all" else rated.of(split)
        expected = published.get(split, Counts())
        for what, number in (("ratings", len(rows)), ("people", rows["user"].nunique()), ("images", rows["image"].nunique())):
            wanted = getattr(expected, what)
            found.append(Check(what, f"{number:,}", None if wanted is None else f"{wanted:,}", wanted in (None, number), part=split))
    return tuple(found)


def leakage(rated: Rated) -> tuple[Check, ...]:
    """Return what stands in two splits although it must not, as zeros where nothing leaks.

    Images that were learnt from must not be measured on, nor validation's on test; people who are "unseen" must be so; and nobody's
    rating of an image may stand in two splits.
    """
    return tuple(_leaks(rated))


def _leaks(rated: Rated) -> Iterator[Check]:
    images, users = ({split: set(rated.of(split)[column]) for split in SPLITS} for column in ("image", "user"))
    val, test = (images[f"{part}_seen"] | images[f"{part}_unseen"] for part in ("val", "test"))
    yield _nothing("images of train in validation", images["train"] & val)
    yield _nothing("images of train in test", images["train"] & test)
    yield _nothing("images of validation in test", val & test)
    seen = users["train"] | users["val_seen"] | users["test_seen"]
    yield _nothing("unseen people of validation among the seen", users["val_unseen"] & seen)
    yield _nothing("unseen people of test among the seen", users["test_unseen"] & seen)
    yield _nothing("unseen people of validation in test", users["val_unseen"] & users["test_unseen"])
    yield _nothing("seen people of whom train knows nothing", (users["val_seen"] | users["test_seen"]) - users["train"])
    twice = rated.ratings[rated.ratings.duplicated(list(_PAIRS))]
    yield _nothing("ratings that stand in two splits", {f"{user}, {image}" for user, image in _pairs(twice)})


def _pairs(rows: pd.DataFrame) -> Iterator[tuple[str, str]]:
    yield from zip(rows["user"], rows["image"], strict=True)


def _nothing(what: str, found: set[str]) -> Check:
    some = ", ".join(sorted(found)[:3]) + (", ..." if len(found) > 3 else "")
    return Check(what, f"{len(found):,}" + (f" ({some})" if found else ""), "0", not found)
