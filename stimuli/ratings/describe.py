"""What a rated data set holds, and how far people agree in it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from stimuli.ratings.reliability import Reliability, reliability
from stimuli.ratings.skipped import Skipped
from stimuli.ratings.table import SPLITS, Rated

_SHOWN = 5
# Means and spreads of fewer ratings say little.
_FEWEST = 3


@dataclass(frozen=True)
class Spread:
    """Least, mean and most of some numbers."""

    least: float
    mean: float
    most: float


@dataclass(frozen=True)
class Theme:
    """Images of one kind: what they show (or their style), how many there are, and the ratings they got."""

    kind: str
    name: str
    images: int
    ratings: int
    mean: float
    standard_deviation: float


@dataclass(frozen=True)
class Disputed:
    """One image, and how far the people who rated it differ (standard deviation)."""

    image: str
    ratings: int
    mean: float
    standard_deviation: float


@dataclass(frozen=True)
class Retest:
    """People's second ratings of an image beside their first: correlation (None where all are equal), and the typical error of one.

    `error` is the standard deviation of one rating around a person's own mean of the image.
    """

    pairs: int
    correlation: float | None
    error: float


@dataclass(frozen=True)
class Description:
    """The summary of a rated data set. What cannot be said is None or empty."""

    images: int
    users: int
    ratings: int
    mean: float
    standard_deviation: float
    per_image: Spread
    per_user: Spread
    splits: tuple[tuple[str, int, int, int], ...]
    groups: tuple[Theme, ...]
    styles: tuple[Theme, ...]
    reliability: Reliability | None
    by_type: tuple[tuple[str, Reliability], ...]
    disagreement: Spread | None
    disputed: tuple[Disputed, ...]
    agreed: tuple[Disputed, ...]
    retest: Retest | None
    skipped: tuple[Skipped, ...]


def describe(rated: Rated) -> Description:
    """Return the summary of a data set."""
    ratings = rated.ratings
    spreads = _by_image(ratings)
    reliable = _reliability_of(ratings)
    enough = spreads[spreads["size"] >= _FEWEST].sort_values(["std", "mean"], kind="stable")
    lists = [Disputed(str(image), *row) for image, row in zip(enough.index, _plain_rows(enough), strict=True)]
    return Description(
        images=ratings["image"].nunique(),
        users=ratings["user"].nunique(),
        ratings=len(ratings),
        mean=float(ratings["rating"].mean()),
        standard_deviation=float(ratings["rating"].std()) if len(ratings) > 1 else 0.0,
        per_image=_spread(spreads["size"].astype(float)),
        per_user=_spread(ratings.groupby("user").size().astype(float)),
        splits=tuple(
            (split, len(rows), rows["user"].nunique(), rows["image"].nunique()) for split in SPLITS if len(rows := rated.of(split))
        ),
        groups=_themes(rated, "group"),
        styles=_themes(rated, "style"),
        reliability=reliable,
        by_type=_by_type(rated),
        disagreement=_spread(enough["std"]) if len(enough) else None,
        disputed=tuple(lists[: -_SHOWN - 1 : -1]),
        agreed=tuple(lists[:_SHOWN]),
        retest=retest(rated.repeats),
        skipped=rated.report,
    )


def retest(repeats: pd.DataFrame) -> Retest | None:
    """Return how the second ratings of the same image by the same person compare with the first, or None where there are none."""
    if repeats.empty:
        return None
    key = [column for column in ("user", "image", "split") if column in repeats]
    turn = repeats.groupby(key, sort=False).cumcount()
    # Both have the same keys in the same order, for whoever rated a second time rated a first time.
    first, second = (repeats[turn == when].sort_values(key, kind="stable")["rating"].to_numpy(dtype=float) for when in (0, 1))
    # Fewer than three points always lie on a line.
    varied = len(first) >= _FEWEST and np.ptp(first) > 0 and np.ptp(second) > 0
    error = float(np.sqrt(np.mean((first - second) ** 2) / 2))
    return Retest(len(first), float(np.corrcoef(first, second)[0, 1]) if varied else None, error)


def _by_image(ratings: pd.DataFrame) -> pd.DataFrame:
    return ratings.groupby("image")["rating"].agg(["size", "mean", "std"])


def _plain_rows(table: pd.DataFrame) -> list[tuple[int, float, float]]:
    return list(zip(table["size"].tolist(), table["mean"].tolist(), table["std"].tolist(), strict=True))


def _reliability_of(ratings: pd.DataFrame) -> Reliability | None:
    return reliability(np.asarray(pd.factorize(ratings["image"])[0]), ratings["rating"].to_numpy(dtype=float))


def _spread(numbers: "pd.Series[float]") -> Spread:
    return Spread(float(numbers.min()), float(numbers.mean()), float(numbers.max()))


def _themes(rated: Rated, column: str) -> tuple[Theme, ...]:
    """Return the kinds of images by `column`, the type first and then the most frequent; images without one are not listed."""
    known = rated.images[["type", column]].fillna({"type": ""})
    rows = rated.ratings[["image", "rating"]].join(known, on="image")
    found = rows.groupby(["type", column])
    table = found.agg(images=("image", "nunique"), ratings=("rating", "size"), mean=("rating", "mean"), std=("rating", "std")).fillna(0.0)
    table = table.sort_index().sort_values("images", ascending=False, kind="stable").sort_index(level="type", sort_remaining=False)
    return tuple(
        Theme(str(kind), str(name), int(row["images"]), int(row["ratings"]), float(row["mean"]), float(row["std"]))
        for (kind, name), row in zip(table.index, table.to_dict("records"), strict=True)
    )


def _by_type(rated: Rated) -> tuple[tuple[str, Reliability], ...]:
    """Return the reliability within each type of images, where there are several: what divides art from photographs is not agreement."""
    kinds = rated.ratings["image"].map(rated.images["type"])
    if kinds.nunique() < 2:
        return ()
    found = [(str(kind), _reliability_of(rows)) for kind, rows in rated.ratings.groupby(kinds)]
    return tuple((kind, one) for kind, one in found if one is not None)
