"""Small data sets in the published layouts of LAPIS and PARA, and a small table without any files."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from stimuli.ratings import Rated

LAPIS = (
    "image_id",
    "image_filename",
    "participant_id",
    "rating",
    "age",
    "nationality",
    "demo_gender",
    "demo_edu",
    "demo_colorblind",
    "Art Interest VAIAK",
    "artist",
    "style",
    "genre",
)


def picture(path: Path, *, shade: int = 90, size: tuple[int, int] = (24, 16)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade, 40, 200 - shade)).save(path)


def table(path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def lapis_row(user: int, image: int, rating: object, **other: object) -> dict[str, object]:
    row: dict[str, object] = {
        "image_id": image,
        "image_filename": f"image-{image}.jpg",
        "participant_id": user,
        "rating": rating,
        "age": 20 + user,
        "nationality": "belgian",
        "demo_gender": "female",
        "demo_edu": "Doctorate",
        "demo_colorblind": "No",
        "Art Interest VAIAK": 3.5,
        "artist": "A. Painter",
        "style": "Baroque",
        "genre": "portrait",
    }
    return row | other


def lapis(folder: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    table(folder / "annotation/LAPIS_PIAA.csv", rows, LAPIS)
    return folder


def authors_lapis(folder: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write the same rows in the layout of LAPIS's authors, whose file names have the kind of art before them."""
    names = {"image_filename": "file", "rating": "response", "Art Interest VAIAK": "VAIAK1"}
    renamed = [{names.get(key, key): value for key, value in row.items()} for row in rows]
    renamed = [row | {"file": f"Portraits/{row['file']}", "2VAIAK4": 2} for row in renamed]
    table(folder / "annotation/LAPIS_individualratings_metaANDdemodata.csv", renamed, list(renamed[0]))
    return folder


def para(folder: Path, rows: Sequence[tuple[object, ...]], *, users: Sequence[str] = ("u1", "u2"), split: bool = True) -> Path:
    """Write PARA; rows are (session, image, user, score)."""
    keys = ("sessionId", "imageName", "userId", "aestheticScore")
    ratings = [dict(zip(keys, row, strict=True)) | {"semantic": "portrait", "qualityScore": 3.1} for row in rows]
    table(folder / "annotation/PARA-Images.csv", ratings, (*keys, "semantic", "qualityScore"))
    people = [{"userId": user, "age": "22-25", "gender": "female", "EducationalLevel": "university"} for user in users]
    table(folder / "annotation/PARA-UserInfo.csv", people, ("userId", "age", "gender", "EducationalLevel"))
    if split:
        images = sorted({(row[0], row[1]) for row in rows if row[1]}, key=str)
        for name, part in (("Train", images[:-1]), ("Test", images[-1:])):
            giaa = [{"sessionId": session, "imageName": image} for session, image in part]
            table(folder / f"annotation/PARA-Giaa{name}.csv", giaa, ("imageName", "sessionId"))
    return folder


def rated(rows: Sequence[tuple[str, str, float]], *, folder: Path = Path("nowhere"), split: str = "train", **images: Any) -> Rated:
    """Return a table of (user, image, rating) without any files; `images` are columns by image, else one kind for all."""
    ratings = pd.DataFrame(rows, columns=["user", "image", "rating"]).assign(split=split)
    index = pd.Index(sorted(ratings["image"].unique()), name="image")
    known = {"path": [f"{image}.png" for image in index], "prompt": None, "group": "portrait", "style": None, "type": "art"}
    people = pd.DataFrame({"age": None}, index=pd.Index(sorted(ratings["user"].unique()), name="user"))
    return Rated(folder, ratings, pd.DataFrame(known | images, index=index), people)


def people_with_tastes(camps: Sequence[int], *, images: int, noise: float, seed: int = 4) -> Rated:
    """Return everybody's ratings of all images: camp 1 likes what camp -1 dislikes, camp 0 rates at random; harshness differs."""
    rng = np.random.default_rng(seed)
    liked, consensus = rng.choice([-1.0, 1.0], images), 0.4 * rng.standard_normal(images)
    rows = []
    for number, camp in enumerate(camps):
        taste = 1.2 * rng.standard_normal(images) if camp == 0 else 0.7 * camp * liked + consensus + noise * rng.standard_normal(images)
        given = np.clip(3 + 0.3 * rng.standard_normal() + taste, 1, 5)
        rows += [(f"p{number:02d}", f"i{image:03d}", float(rating)) for image, rating in enumerate(given)]
    group = ["warm" if sign > 0 else "cold" for sign in liked]
    return rated(rows, group=group)
