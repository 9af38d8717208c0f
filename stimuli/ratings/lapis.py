"""LAPIS, the Leuven Art Personalized Image Set (Maerten et al. 2025), in its public layout and in its authors' own.

Public: `annotation/LAPIS_PIAA.csv`, a row a rating. Authors': `annotation/LAPIS_individualratings_metaANDdemodata.csv`, with
`imageset/` naming the images of each part and `userset/` the people of each fold. Scores are 0..100; 1..5 here, linearly.
"""

import contextlib
import io
import unicodedata
from pathlib import Path
from typing import Any

import pandas as pd

from stimuli.ratings.cleaning import averaged, usable, without_duplicates
from stimuli.ratings.skipped import Skipped, skipped
from stimuli.ratings.table import HIGHEST, LOWEST, Rated, RatingsError

_TOP = 100.0
_PUBLIC, _AUTHORS = "LAPIS_PIAA.csv", "LAPIS_individualratings_metaANDdemodata.csv"
# Each column, and what it is called in one layout or the other.
_NAMES = {
    "file": ("image_filename", "file"),
    "image": ("image_id",),
    "user": ("participant_id",),
    "score": ("rating", "response"),
}
_TEXT = (*_NAMES["file"], *_NAMES["image"], *_NAMES["user"])
_OF_IMAGES = {"style": "style", "genre": "group", "title": "title", "artist": "artist"}
_OF_USERS = {
    "age": "age",
    "demo_gender": "gender",
    "nationality": "nationality",
    "demo_edu": "education",
    "demo_colorblind": "colour_blind",
    "Art Interest VAIAK": "art_interest",
    **{f"VAIAK{number}": f"VAIAK{number}" for number in range(1, 8)},
    **{f"2VAIAK{number}": f"2VAIAK{number}" for number in range(1, 5)},
}
_PARTS = {"train": "TrainImageSet.txt", "val": "ValImageSet.txt", "test": "TestImageSet.txt"}
_SEEN = {"train": "train", "val": "val_seen", "test": "test_seen"}


def read(folder: Path) -> Rated:
    """Return LAPIS; images are not opened. Where `imageset/` is, images are split as it says, else all is "train".

    Raises:
        RatingsError: no file of ratings is there, it lacks a column, or nothing in it is usable.
    """
    file = _ratings_file(folder)
    text, latin = decoded(file.read_bytes())
    raw = pd.read_csv(io.StringIO(text), dtype=dict.fromkeys(_TEXT, "string"))
    raw = _named(raw, file)
    rows, odd = usable(raw, lowest=0, highest=_TOP)
    rows, twice = without_duplicates(rows)
    rows = rows.assign(rating=LOWEST + (HIGHEST - LOWEST) * rows["score"] / _TOP)
    rows, files, unplaced = _split(folder, rows)
    if rows.empty:
        raise RatingsError(f"{file}: holds no rating that can be used; expected a rating from 0 to 100 in each row")
    images, found = _images(folder, rows)
    cleaned = averaged(rows[["user", "image", "rating", "score", "split"]])
    told = skipped("lines in Latin-1 among UTF-8", latin, done="read as Latin-1")
    return Rated(
        folder,
        cleaned.ratings,
        images,
        _users(rows),
        files=(file, *files),
        skipped=(*told, *odd, *twice, *unplaced, *found, *cleaned.skipped),
        repeats=cleaned.repeats,
    )


def people_of_fold(folder: Path, fold: int) -> tuple[str, ...]:
    """Return the people whom a fold of `userset/` sets aside for test.

    Raises:
        RatingsError: the fold is not there.
    """
    path = folder / "userset" / f"TestUserIDs_Fold{fold}.txt"
    if not path.is_file():
        raise RatingsError(f"{path}: no such file; LAPIS's authors give folds 1 to 4")
    return tuple(_lines(path))


def decoded(content: bytes) -> tuple[str, list[str]]:
    """Return text whose lines are each in UTF-8 or else in Latin-1, and which are in Latin-1.

    >>> decoded("Dürer\\n".encode() + "Dürer\\n".encode("latin-1"))
    ('Dürer\\nDürer\\n', ['line 2'])
    """
    lines, latin = [], []
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            lines.append(line.decode("latin-1"))
            latin.append(f"line {number}")
    return "\n".join(lines), latin


def _ratings_file(folder: Path) -> Path:
    for name in (_PUBLIC, _AUTHORS):
        if (folder / "annotation" / name).is_file():
            return folder / "annotation" / name
    raise RatingsError(f"{folder / 'annotation'}: has neither {_PUBLIC} nor {_AUTHORS}; expected one of LAPIS's two layouts")


def _named(raw: pd.DataFrame, file: Path) -> pd.DataFrame:
    """Return the rows under one set of names, whichever layout they come in, with their place in the file."""
    names = {}
    for name, known in _NAMES.items():
        there = [column for column in known if column in raw]
        if not there:
            raise RatingsError(f"{file}: lacks the column {' or '.join(known)}; expected one of LAPIS's two layouts")
        names[there[0]] = name
    raw = raw.rename(columns=names)
    # The folder before a name, where there is one, says the kind of art and is not there on disk.
    return raw.assign(file=raw["file"].str.replace("\\", "/").str.split("/").str[-1], row=range(2, len(raw) + 2))


def _split(folder: Path, rows: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Path, ...], tuple[Skipped, ...]]:
    """Return the rows with their split, the files that say so, and what has no place in any."""
    files = {part: folder / "imageset" / name for part, name in _PARTS.items()}
    if not any(path.is_file() for path in files.values()):
        return rows.assign(split="train"), (), ()
    absent = [path.name for path in files.values() if not path.is_file()]
    if absent:
        raise RatingsError(f"{folder / 'imageset'}: lacks {', '.join(absent)}; expected {', '.join(_PARTS.values())}")
    part_of = {_plain(name): part for part, path in files.items() for name in _lines(path)}
    part = rows["file"].map(lambda name: part_of.get(_plain(name)))
    split = part.map(_SEEN)
    nowhere = split.isna()
    told = skipped("ratings that are in no split", [f"row {row}" for row in rows.loc[nowhere, "row"]])
    return rows.assign(split=split)[~nowhere], tuple(files.values()), told


def _lines(path: Path) -> list[str]:
    text, _ = decoded(path.read_bytes())
    return [line.strip() for line in text.splitlines() if line.strip()]


def _images(folder: Path, rows: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Skipped, ...]]:
    """Return the table of images; a file whose name differs in its encoding only is found all the same."""
    there = {_plain(path.name): path.name for path in sorted((folder / "images").glob("*"))}
    first = rows.drop_duplicates("image").set_index("image")
    names = {name: there.get(_plain(name), name) for name in first["file"]}
    told = skipped("images whose file name is in another encoding", [old for old, new in names.items() if old != new], done="found")
    known = first[[column for column in _OF_IMAGES if column in first]].rename(columns=_OF_IMAGES)
    # Not text to pandas: the names of files may hold bytes that are no UTF-8.
    path = pd.Series([f"images/{names[name]}" for name in first["file"]], index=first.index, dtype=object)
    return _whole(known, ("group", "style")).assign(path=path, prompt=None, type="art"), told


def _users(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the table of users: what each said of themselves first, which for those who skipped the survey is nothing."""
    known = rows[["user", *(column for column in _OF_USERS if column in rows)]].groupby("user", sort=False).first()
    return _whole(known.rename(columns=_OF_USERS), ("age", "gender", "nationality"))


def _whole(table: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    missing: dict[str, Any] = {column: None for column in columns if column not in table}
    return table.assign(**missing)


def _plain(name: str) -> str:
    """Return a file name the same, however its accents were encoded on the way: bytes, composed or not, or read as Latin-1.

    >>> _plain("cafe\\u0301.jpg") == _plain("caf\\u00e9.jpg") == _plain("caf\\udce9.jpg") == _plain("cafÃ©.jpg")
    True
    """
    content = name.encode("utf-8", "surrogateescape")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    with contextlib.suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return unicodedata.normalize("NFC", text)
