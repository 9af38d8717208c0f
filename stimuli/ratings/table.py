"""Rated images as one table `user, image, rating` and two side tables, whichever data set they come from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from PIL import Image, UnidentifiedImageError
from pydantic import Field

from stimuli.experiment import ExperimentError
from stimuli.ratings.skipped import Skipped, skipped

SPLITS = ("train", "val_seen", "val_unseen", "test_seen", "test_unseen")
LOWEST, HIGHEST = 1.0, 5.0

# Where this file lies in a data set, no person rated anything.
SIMULATED = "SIMULATED.txt"

# The published layouts that study.toml may name.
Published = Literal["pamela", "lapis", "para"]


@dataclass(frozen=True)
class RatedData:
    """`[stimuli.ratings]`: whom the predictor learns from, people of a published data set or simulated ones with known tastes."""

    folder: str | None = None
    """A downloaded data set of rated images, relative to the experiment; without it the raters are simulated."""
    raters: Annotated[int, Field(ge=4, le=1000)] = 24
    """Simulated people with known tastes."""
    images: Annotated[int, Field(ge=20, le=100_000)] = 160
    """Images that the generator renders for them."""
    per_rater: Annotated[int, Field(ge=10)] = 80
    """Images that each of them rates."""
    layout: Published = "pamela"
    """How the files in `folder` are laid out."""
    newcomers: Annotated[int, Field(ge=0, le=100)] = 0
    """Further simulated people who rated nothing yet, so that a simulated rating study can meet somebody new."""


class RatingsError(ExperimentError):
    """A rated data set is not in the layout that was expected; the text names the file and, where there is one, the row."""


@dataclass(frozen=True)
class Unreadable:
    """An image of a data set that could not be opened, and why."""

    image: str
    reason: str


def _no_repeats() -> pd.DataFrame:
    return pd.DataFrame({"user": [], "image": [], "rating": []})


@dataclass(frozen=True)
class Rated:
    """Rated images.

    `ratings` has the columns user, image, rating (1..5) and split, one row for each image that a person rated in a split; a data
    set with another scale keeps its own scores in the column score. `images` is indexed by image, with path (relative to
    `folder`), prompt, group, style and type; `users` is indexed by user, with age, gender and nationality. What is not known is
    missing; whatever else the files hold stays as further columns. `repeats` holds, one a row, the ratings that were averaged
    because a person rated an image more than once. `files` are the annotations that were read, `skipped` what was not taken
    from them as it stands. `simulated` marks ratings by programs.
    """

    folder: Path
    ratings: pd.DataFrame
    images: pd.DataFrame
    users: pd.DataFrame
    unreadable: tuple[Unreadable, ...] = ()
    files: tuple[Path, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    repeats: pd.DataFrame = field(default_factory=_no_repeats)
    simulated: bool = False

    def of(self, *splits: str) -> pd.DataFrame:
        """Return the ratings of some splits."""
        return self.ratings[self.ratings["split"].isin(splits)]

    def without(self, unreadable: Sequence[Unreadable]) -> "Rated":
        """Return the data set without some images and their ratings."""
        gone = [entry.image for entry in unreadable]
        return replace(
            self,
            ratings=self.ratings[~self.ratings["image"].isin(gone)],
            images=self.images.drop(index=gone),
            unreadable=(*self.unreadable, *unreadable),
            repeats=self.repeats[~self.repeats["image"].isin(gone)],
        )

    @property
    def report(self) -> tuple[Skipped, ...]:
        """What was not taken as it stands, of the annotations and of the images."""
        return (*self.skipped, *skipped("images that cannot be read", [entry.reason for entry in self.unreadable]))


def open_images(rated: Rated) -> Iterator[tuple[str, Image.Image | Unreadable]]:
    """Yield each image of a data set in RGB with its id, or why it cannot be read."""
    for image in rated.images.index:
        yield str(image), open_image(rated, str(image))


def open_image(rated: Rated, image: str) -> Image.Image | Unreadable:
    """Return one image of a data set in RGB, or why it cannot be read."""
    path = str(rated.images["path"][image])
    try:
        with Image.open(rated.folder / path) as opened:
            return opened.convert("RGB")
    except FileNotFoundError:
        return Unreadable(image, f"{path}: no such file")
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        return Unreadable(image, f"{path}: {error}")


def missing_files(rated: Rated) -> tuple[Unreadable, ...]:
    """Return the images that have no file; the others are not opened."""
    return tuple(
        Unreadable(str(image), f"{path}: no such file")
        for image, path in rated.images["path"].items()
        if not (rated.folder / str(path)).is_file()
    )


def side_table(entries: Mapping[str, Mapping[str, Any]], name: str) -> pd.DataFrame:
    """Return a table with one row an entry, indexed by its key."""
    return pd.DataFrame.from_records(list(entries.values()), index=pd.Index(list(entries), name=name))


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as dicts."""
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
