"""Rated images as one table `user, image, rating` and two side tables, read from and written to PAMELA's file layout.

`annotations/pamela_{split}.json` is a list with one dict a rating; `image_path` in it is relative to the folder that holds
`annotations/` (Hugging Face: bethgelab/PAMELA).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from PIL import Image, UnidentifiedImageError
from pydantic import Field

from stimuli.experiment import ExperimentError, write_whole

SPLITS = ("train", "val_seen", "val_unseen", "test_seen", "test_unseen")

_ROW = ("participant_id", "image_id", "image_path", "original_score", "image_metadata", "user_demographics")
_IMAGE = ("prompt", "group", "style", "type")
_USER = ("age", "gender", "nationality")


@dataclass(frozen=True)
class RatedData:
    """`[stimuli.ratings]`: whom the predictor learns from.

    `folder` holds a data set in PAMELA's layout (relative to the experiment). Without it, `raters` simulated people with
    known tastes rate `per_rater` each of `images` images that the generator renders.
    """

    folder: str | None = None
    raters: Annotated[int, Field(ge=4, le=1000)] = 24
    images: Annotated[int, Field(ge=20, le=100_000)] = 160
    per_rater: Annotated[int, Field(ge=10)] = 80


class RatingsError(ExperimentError):
    """A rated data set is not in PAMELA's layout; the text names the file and the row."""


@dataclass(frozen=True)
class Unreadable:
    """An image of a data set that could not be opened, and why."""

    image: str
    reason: str


@dataclass(frozen=True)
class Rated:
    """Rated images.

    `ratings` has the columns user, image, rating (1..5) and split, one row a rating; `images` is indexed by image, with path
    (relative to `folder`), prompt, group, style and type; `users` is indexed by user, with age, gender and nationality.
    Whatever else the files hold stays as further columns.
    """

    folder: Path
    ratings: pd.DataFrame
    images: pd.DataFrame
    users: pd.DataFrame
    unreadable: tuple[Unreadable, ...] = ()

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
        )


def annotation(folder: Path, split: str) -> Path:
    """Return the path of the ratings of one split."""
    return folder / "annotations" / f"pamela_{split}.json"


def read(folder: Path) -> Rated:
    """Return the data set in `folder`; images are not opened.

    Raises:
        RatingsError: a file is missing or no JSON list, a row lacks a key, holds a rating outside 1..5, or contradicts another.
    """
    missing = [annotation(folder, split).name for split in SPLITS if not annotation(folder, split).is_file()]
    if missing:
        raise RatingsError(
            f"{folder / 'annotations'}: lacks {', '.join(missing)}; expected PAMELA's layout, pamela_{{split}}.json for each split"
        )
    ratings: list[dict[str, Any]] = []
    images: dict[str, dict[str, Any]] = {}
    users: dict[str, dict[str, Any]] = {}
    for split in SPLITS:
        path = annotation(folder, split)
        for number, row in enumerate(_rows(path), start=1):
            _check(row, f"{path}: row {number}")
            ratings.append(_rating(row, split))
            users.setdefault(row["participant_id"], dict(row["user_demographics"]))
            image = {"path": row["image_path"], **row["image_metadata"]}
            known = images.setdefault(row["image_id"], image)
            if known["path"] != image["path"]:
                raise RatingsError(
                    f'{path}: row {number} has image_path "{image["path"]}" for image "{row["image_id"]}", '
                    f'which was "{known["path"]}" before; give each image one id and one path'
                )
    if not ratings:
        raise RatingsError(f"{folder / 'annotations'}: holds no rating at all; expected a list of ratings in each file")
    return Rated(folder, pd.DataFrame(ratings), _side_table(images, "image"), _side_table(users, "user"))


def write(folder: Path, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Write the annotations of a data set; `rows` holds PAMELA's dicts by split, and a split without any becomes an empty list."""
    for split in SPLITS:
        entries = [json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows.get(split, ())]
        content = "[\n" + ",\n".join(entries) + "\n]\n" if entries else "[]\n"
        write_whole(annotation(folder, split), content.encode())


def open_images(rated: Rated) -> Iterator[tuple[str, Image.Image | Unreadable]]:
    """Yield each image of a data set in RGB with its id, or why it cannot be read."""
    for image, path in rated.images["path"].items():
        try:
            with Image.open(rated.folder / str(path)) as opened:
                yield str(image), opened.convert("RGB")
        except FileNotFoundError:
            yield str(image), Unreadable(str(image), f"{path}: no such file")
        except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError) as error:
            yield str(image), Unreadable(str(image), f"{path}: {error}")


def _rows(path: Path) -> list[Any]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RatingsError(f"{path}: not valid JSON ({error}); expected a list with one dict a rating") from error
    if not isinstance(rows, list):
        raise RatingsError(f"{path}: holds a {type(rows).__name__}; expected a list with one dict a rating")
    return rows


def _check(row: Any, where: str) -> None:
    _require(row, _ROW, where)
    _require(row["image_metadata"], _IMAGE, f"{where}, image_metadata")
    _require(row["user_demographics"], _USER, f"{where}, user_demographics")
    for key in ("participant_id", "image_id", "image_path"):
        if not isinstance(row[key], str) or not row[key]:
            raise RatingsError(f"{where}: {key} is {json.dumps(row[key])}; expected text")
    score = row["original_score"]
    # NaN fails the comparison too.
    if isinstance(score, bool) or not isinstance(score, int | float) or not 1 <= score <= 5:
        raise RatingsError(f"{where}: original_score is {json.dumps(score)}; expected a number from 1 to 5")


def _require(entry: Any, keys: Sequence[str], where: str) -> None:
    if not isinstance(entry, dict):
        raise RatingsError(f"{where}: is a {type(entry).__name__}; expected a dict with the keys {', '.join(keys)}")
    missing = [key for key in keys if key not in entry]
    if missing:
        raise RatingsError(f"{where}: lacks {', '.join(missing)}; expected the keys {', '.join(keys)}")


def _rating(row: Mapping[str, Any], split: str) -> dict[str, Any]:
    further = {key: value for key, value in row.items() if key not in _ROW}
    known = {"user": row["participant_id"], "image": row["image_id"], "rating": float(row["original_score"]), "split": split}
    return further | known


def _side_table(entries: Mapping[str, Mapping[str, Any]], name: str) -> pd.DataFrame:
    table = pd.DataFrame.from_records(list(entries.values()), index=pd.Index(list(entries), name=name))
    return table
