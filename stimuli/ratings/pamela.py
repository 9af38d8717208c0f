"""PAMELA's published layout, read and written.

`annotations/pamela_{split}.json` is a list with one dict a rating; `image_path` in it is relative to the folder that holds
`annotations/` (Hugging Face: bethgelab/PAMELA).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from stimuli.experiment import write_whole
from stimuli.ratings.cleaning import averaged
from stimuli.ratings.skipped import Skipped, skipped
from stimuli.ratings.table import SIMULATED, SPLITS, Rated, RatingsError, side_table

_ROW = ("participant_id", "image_id", "image_path", "original_score", "image_metadata", "user_demographics")
_IMAGE = ("prompt", "group", "style", "type")
_USER = ("age", "gender", "nationality")


def annotation(folder: Path, split: str) -> Path:
    """Return the path of the ratings of one split."""
    return folder / "annotations" / f"pamela_{split}.json"


def read(folder: Path) -> Rated:
    """Return the data set in `folder`; images are not opened.

    A row that stands twice in a split counts once; different ratings of an image by one person in one split are averaged.

    Raises:
        RatingsError: a file is missing or no JSON list, a row lacks a key, holds a rating outside 1..5, or contradicts another.
    """
    files = [annotation(folder, split) for split in SPLITS]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise RatingsError(
            f"{folder / 'annotations'}: lacks {', '.join(missing)}; expected PAMELA's layout, pamela_{{split}}.json for each split"
        )
    ratings: list[dict[str, Any]] = []
    images: dict[str, dict[str, Any]] = {}
    users: dict[str, dict[str, Any]] = {}
    twice: list[Skipped] = []
    for split, file in zip(SPLITS, files, strict=True):
        rows, duplicates = _once(list(_checked(file)))
        twice += skipped(f"exact duplicates of another row of {file.name}", duplicates)
        for number, row in rows:
            ratings.append(_rating(row, split))
            users.setdefault(row["participant_id"], dict(row["user_demographics"]))
            image = {"path": row["image_path"], **row["image_metadata"]}
            known = images.setdefault(row["image_id"], image)
            if known["path"] != image["path"]:
                raise RatingsError(
                    f'{file}: row {number} has image_path "{image["path"]}" for image "{row["image_id"]}", '
                    f'which was "{known["path"]}" before; give each image one id and one path'
                )
    if not ratings:
        raise RatingsError(f"{folder / 'annotations'}: holds no rating at all; expected a list of ratings in each file")
    cleaned = averaged(pd.DataFrame(ratings))
    return Rated(
        folder,
        cleaned.ratings,
        side_table(images, "image"),
        side_table(users, "user"),
        files=tuple(files),
        skipped=(*twice, *cleaned.skipped),
        repeats=cleaned.repeats,
        simulated=(folder / SIMULATED).is_file(),
    )


def write(folder: Path, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Write the annotations of a data set; `rows` holds PAMELA's dicts by split, and a split without any becomes an empty list."""
    for split in SPLITS:
        entries = [json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows.get(split, ())]
        content = "[\n" + ",\n".join(entries) + "\n]\n" if entries else "[]\n"
        write_whole(annotation(folder, split), content.encode())


def _checked(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each row of a file with its number, from 1."""
    for number, row in enumerate(_rows(path), start=1):
        _check(row, f"{path}: row {number}")
        yield number, row


def _once(rows: Sequence[tuple[int, dict[str, Any]]]) -> tuple[list[tuple[int, dict[str, Any]]], list[str]]:
    """Return the rows without those that equal an earlier one, and the numbers of these as text."""
    first: dict[tuple[str, str], list[dict[str, Any]]] = {}
    kept, duplicates = [], []
    for number, row in rows:
        alike = first.setdefault((row["participant_id"], row["image_id"]), [])
        if row in alike:
            duplicates.append(f"row {number}")
        else:
            alike.append(row)
            kept.append((number, row))
    return kept, duplicates


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
