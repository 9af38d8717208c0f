"""PARA, the Personalized image Aesthetics database with Rich Attributes (Yang et al. 2022), in its published layout.

`annotation/PARA-Images.csv` holds a row a rating (aestheticScore 1..5 in steps of a half), `PARA-UserInfo.csv` the people,
`PARA-GiaaTrain.csv` and `PARA-GiaaTest.csv` which images are for what; images lie in `imgs/<sessionId>/<imageName>`.
"""

from pathlib import Path

import pandas as pd

from stimuli.ratings.cleaning import averaged, usable, without_duplicates
from stimuli.ratings.skipped import Skipped, skipped
from stimuli.ratings.table import HIGHEST, LOWEST, Rated, RatingsError

_RATINGS, _USERS = "PARA-Images.csv", "PARA-UserInfo.csv"
_GIAA = {"train": "PARA-GiaaTrain.csv", "test_seen": "PARA-GiaaTest.csv"}
_COLUMNS = ("sessionId", "imageName", "userId", "aestheticScore")


def read(folder: Path) -> Rated:
    """Return PARA; images are not opened. Its test images become "test_seen": their raters rated images of "train" too.

    Ratings by somebody whom the table of people does not list are kept; nothing is known of that person.

    Raises:
        RatingsError: a file or a column is missing, or nothing can be used.
    """
    ratings, users = _table(folder / "annotation" / _RATINGS, _COLUMNS), _table(folder / "annotation" / _USERS, ("userId",))
    raw = ratings.rename(columns={"userId": "user", "aestheticScore": "score"})
    raw = raw.assign(image=raw["sessionId"] + "/" + raw["imageName"], row=range(2, len(raw) + 2))
    rows, odd = usable(raw, lowest=LOWEST, highest=HIGHEST)
    rows, twice = without_duplicates(rows)
    rows, files, unplaced = _split(folder, rows.assign(rating=rows["score"]))
    if rows.empty:
        raise RatingsError(f"{folder / 'annotation' / _RATINGS}: holds no rating that can be used; expected aestheticScore from 1 to 5")
    people, strangers = _people(users, rows)
    cleaned = averaged(rows[["user", "image", "rating", "split"]])
    return Rated(
        folder,
        cleaned.ratings,
        _images(rows),
        people,
        files=(folder / "annotation" / _RATINGS, folder / "annotation" / _USERS, *files),
        skipped=(*odd, *twice, *unplaced, *strangers, *cleaned.skipped),
        repeats=cleaned.repeats,
    )


def _table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    if not path.is_file():
        raise RatingsError(f"{path}: no such file; expected PARA's layout")
    try:
        table = pd.read_csv(path, dtype={"sessionId": "string", "imageName": "string", "userId": "string"}, encoding_errors="replace")
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise RatingsError(f"{path}: no table that can be read ({error}); expected PARA's layout") from error
    missing = [column for column in columns if column not in table]
    if missing:
        raise RatingsError(f"{path}: lacks the column {', '.join(missing)}; expected PARA's layout")
    return table


def _split(folder: Path, rows: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Path, ...], tuple[Skipped, ...]]:
    """Return the rows with their split, the files that say so, and what has no place in any; without the files all is "train"."""
    files = {split: folder / "annotation" / name for split, name in _GIAA.items()}
    if not any(path.is_file() for path in files.values()):
        return rows.assign(split="train"), (), ()
    tables = {split: _table(path, ("sessionId", "imageName")) for split, path in files.items()}
    split_of = {image: split for split, table in tables.items() for image in table["sessionId"] + "/" + table["imageName"]}
    split = rows["image"].map(split_of)
    nowhere = split.isna()
    told = skipped("ratings that are in no split", [f"row {row}" for row in rows.loc[nowhere, "row"]])
    return rows.assign(split=split)[~nowhere], tuple(files.values()), told


def _images(rows: pd.DataFrame) -> pd.DataFrame:
    first = rows.drop_duplicates("image").set_index("image")
    return pd.DataFrame({"path": "imgs/" + first.index.astype(object)}, index=first.index).assign(
        prompt=None, group=first.get("semantic"), style=None, type="photograph"
    )


def _people(users: pd.DataFrame, rows: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Skipped, ...]]:
    """Return the table of those who rated, and who of them is not listed."""
    listed = users.drop_duplicates("userId").set_index("userId")
    raters = pd.Index(rows["user"].unique(), name="user")
    strangers = [str(user) for user in raters.difference(listed.index)]
    people = listed.reindex(raters)
    absent = {column: None for column in ("age", "gender", "nationality") if column not in people}
    return people.assign(**absent), skipped(f"people whom {_USERS} does not list", strangers, done="kept, nothing is known of them")
