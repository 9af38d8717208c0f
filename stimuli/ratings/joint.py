"""Several rated data sets as one: ids that cannot clash, scores on one scale, and weights that balance the data sets."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from stimuli.ratings.table import Rated, RatingsError


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation of the ratings of a data set in its split "train"."""

    mean: float
    standard_deviation: float

    def standard(self, rating: "pd.Series[float]") -> "pd.Series[float]":
        """Return ratings in standard deviations from the mean."""
        return (rating - self.mean) / self.standard_deviation

    def back(self, standard: "pd.Series[float]") -> "pd.Series[float]":
        """Return standardised ratings on this scale."""
        return self.mean + self.standard_deviation * standard


@dataclass(frozen=True)
class Joint:
    """Several data sets as one, and the scale of each.

    `rated.ratings` has three columns more: dataset; standard, the rating in standard deviations of its own data set; weight, with
    mean 1 over "train" and 1 elsewhere. rating is on the scale of the first data set, whose ratings it leaves as they are, and may
    lie outside 1..5 for others; given is what was read. Users and images are called "dataset:id".
    """

    rated: Rated
    scales: Mapping[str, Scale]


def joined(datasets: Mapping[str, Rated], *, balance: float = 1.0) -> Joint:
    """Return several data sets as one; ratings weigh in proportion to the size of their data set to the power of -`balance`.

    With 1 each data set weighs the same in all, with 0 each rating does: PARA would be three quarters of every batch.

    Raises:
        RatingsError: there is no data set, or one has nothing in "train", or nothing that differs; or ratings by people and by
            programs would be mixed.
    """
    if not datasets:
        raise RatingsError("no data set to join; name at least one")
    simulated = [name for name, rated in datasets.items() if rated.simulated]
    if 0 < len(simulated) < len(datasets):
        raise RatingsError(f"the ratings of {', '.join(simulated)} are simulated, the others are by people; they are not to be mixed")
    scales = {name: _scale(name, rated) for name, rated in datasets.items()}
    first = next(iter(scales.values()))
    ratings = pd.concat([_ratings(name, rated, scales[name], first) for name, rated in datasets.items()], ignore_index=True)
    every = list(datasets.values())
    rated = Rated(
        folder=every[0].folder,
        ratings=ratings.assign(weight=_weights(ratings, balance)),
        images=pd.concat([_images(name, rated) for name, rated in datasets.items()]),
        users=pd.concat([_named(name, rated.users) for name, rated in datasets.items()]),
        unreadable=tuple(entry for rated in every for entry in rated.unreadable),
        files=tuple(file for rated in every for file in rated.files),
        skipped=tuple(entry for rated in every for entry in rated.skipped),
        repeats=pd.concat([_rows(name, rated.repeats) for name, rated in datasets.items()], ignore_index=True),
        simulated=bool(simulated),
    )
    return Joint(rated, scales)


def _scale(name: str, rated: Rated) -> Scale:
    known = rated.of("train")["rating"]
    if len(known) < 2 or not known.std() > 0:
        raise RatingsError(f'data set "{name}": its split "train" has no ratings that differ, so they cannot be standardised')
    return Scale(float(known.mean()), float(known.std()))


def _rows(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(user=_prefixed(name, rows["user"]), image=_prefixed(name, rows["image"]))


def _ratings(name: str, rated: Rated, scale: Scale, first: Scale) -> pd.DataFrame:
    standard = scale.standard(rated.ratings["rating"])
    # Not by way of the standardised score where nothing changes: rounding would move every rating a little.
    rating = rated.ratings["rating"] if scale is first else first.back(standard)
    rows = _rows(name, rated.ratings[["user", "image", "split"]])
    return rows.assign(rating=rating, given=rated.ratings["rating"], standard=standard, dataset=name)


def _weights(ratings: pd.DataFrame, balance: float) -> "pd.Series[float]":
    train = ratings["split"] == "train"
    size = ratings[train].groupby("dataset").size()
    weight = ratings["dataset"].map(size.astype(float) ** -balance)
    return (weight / weight[train].mean()).where(train, 1.0)


def _images(name: str, rated: Rated) -> pd.DataFrame:
    # An absolute path stays what it is, wherever the joint table says its folder is.
    folder = rated.folder.resolve()
    paths = pd.Series([str(folder / str(path)) for path in rated.images["path"]], index=rated.images.index, dtype=object)
    return _named(name, rated.images.assign(path=paths, dataset=name))


def _named(name: str, table: pd.DataFrame) -> pd.DataFrame:
    index = pd.Index(_prefixed(name, table.index.to_series()), name=table.index.name)
    return table.astype(object).set_axis(index, axis=0)


def _prefixed(name: str, ids: "pd.Series[str]") -> "pd.Series[str]":
    return ids.map(lambda identity: f"{name}:{identity}")
