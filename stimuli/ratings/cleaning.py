"""What is done to the raw ratings of every data set: unusable ones left out, exact duplicates left out, real repeats averaged."""

from dataclasses import dataclass

import pandas as pd

from stimuli.ratings.skipped import Skipped, skipped

KEY = ("user", "image", "split")


@dataclass(frozen=True)
class Cleaned:
    """Ratings with at most one row for a user, image and split; the ratings behind each average; and what was not taken."""

    ratings: pd.DataFrame
    repeats: pd.DataFrame
    skipped: tuple[Skipped, ...]


def usable(raw: pd.DataFrame, *, lowest: float, highest: float) -> tuple[pd.DataFrame, tuple[Skipped, ...]]:
    """Return the rows with a user, an image and a `score` within the scale as a number, and what of the others was wrong.

    The column row says where each stood in its file.
    """
    raw = raw.assign(given=raw["score"], score=pd.to_numeric(raw["score"], errors="coerce"))
    nobody = raw["user"].isna() | raw["image"].isna()
    empty = ~nobody & raw["given"].isna()
    # NaN, which is also what text became, is not between anything.
    outside = ~nobody & ~empty & ~raw["score"].between(lowest, highest)
    found = (
        *skipped("rows without a user or an image", [f"row {row}" for row in raw.loc[nobody, "row"]]),
        *skipped("rows without a rating", [f"row {row}" for row in raw.loc[empty, "row"]]),
        *skipped(f"ratings that are no number from {lowest:g} to {highest:g}", _shown(raw[outside])),
    )
    return raw[~(nobody | empty | outside)].drop(columns="given"), found


def without_duplicates(raw: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Skipped, ...]]:
    """Return the rows without those that equal an earlier one in everything but their place in the file."""
    again = raw.duplicated([column for column in raw.columns if column != "row"])
    return raw[~again], skipped("exact duplicates of another row", [f"row {row}" for row in raw.loc[again, "row"]])


def averaged(ratings: pd.DataFrame) -> Cleaned:
    """Return one row for each user, image and split, with the mean of its ratings; other columns keep what came first."""
    key = list(KEY)
    again = ratings.duplicated(key, keep=False)
    repeats = ratings.loc[again, [*key, "rating"]].reset_index(drop=True)
    once = ratings.drop_duplicates(key)
    if again.any():
        numbers = [column for column in ("rating", "score") if column in ratings]
        # In the order of first appearance, which is that of the rows kept.
        once = once.assign(**{column: ratings.groupby(key, sort=False)[column].mean().to_numpy() for column in numbers})
    told = [f"{user}, {image}" for user, image in repeats[["user", "image"]].drop_duplicates().itertuples(index=False)]
    return Cleaned(once.reset_index(drop=True), repeats, skipped("images that somebody rated more than once", told, done="averaged"))


def _shown(rows: pd.DataFrame) -> list[str]:
    return [f"row {row}: {given}" for row, given in zip(rows["row"], rows["given"], strict=True)]
