"""A small rated data set with real image files, in which tastes differ: some people love light images, some warm ones."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from stimuli.encoders import ImageStatistics, RememberingImages, WordHash
from stimuli.learning.training import Task
from stimuli.predictors.kinds import Kind
from stimuli.predictors.sight import Sight
from stimuli.provenance import Provenance
from stimuli.ratings import Rated

TRAIN, VAL, TEST = 50, 10, 30
SEEN, NEW = 12, 4
MADE = Provenance(None, 1, {}, None, {}, "2026-01-01T00:00:00+00:00")


def liking(user: float, looks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a user truly thinks of images with this much light and warmth (-1..1), shape (images,)."""
    turn = 2 * np.pi * user / 7
    found: NDArray[np.float64] = 3 + 1.2 * (looks @ np.array([np.cos(turn), np.sin(turn)]))
    return found


def looks(images: int) -> NDArray[np.float64]:
    """Return light and warmth of the images of a data set, each -1..1."""
    return np.random.default_rng(3).uniform(-1, 1, (images, 2))


def data_set(folder: Path) -> Rated:
    """Return a data set in which people 0..11 are known and 12..15 rate test images only."""
    return _made(folder, looks(TRAIN + VAL + TEST), [f"u{user:02d}" for user in range(SEEN + NEW)], _split)


def rating_study(folder: Path, *, users: dict[str, float], each: int, of: Sequence[str] = ()) -> Rated:
    """Return a rating study in which `users`, with the tastes of these numbers, rated `each` of sixteen other images.

    `of` says of which images of the data set the first ones are copies; what they show is another matter here.
    """
    folder.mkdir(exist_ok=True)
    shown = np.random.default_rng(4).uniform(-1, 1, (16, 2))
    rated = _made(folder, shown, list(users), lambda _user, image: "train" if image < each else None, tastes=list(users.values()))
    (folder / "ratings.parquet").write_bytes(repr((sorted(users), each)).encode())
    sources = [*of, *[None] * (len(shown) - len(of))]
    return Rated(folder, rated.ratings, rated.images.assign(source=sources), rated.users, files=(folder / "ratings.parquet",))


def task(rated: Rated, study: Rated | None = None, *, kind: str = "bayes", same_people: bool = False) -> Task:
    paper = kind == "paper"
    images = RememberingImages(ImageStatistics(), rated.folder / "features")
    sight = Sight(images, WordHash() if paper else None, metadata=paper)
    return Task(Kind(kind, "cpu", 1), sight, rated, study, same_people)


def _split(user: int, image: int) -> str | None:
    part = "train" if image < TRAIN else "val" if image < TRAIN + VAL else "test"
    if user >= SEEN:
        return "test_unseen" if part == "test" else None
    return "train" if part == "train" else f"{part}_seen"


def _made(folder: Path, shown: NDArray[np.float64], users: list[str], split: object, tastes: list[float] | None = None) -> Rated:
    rng = np.random.default_rng(5)
    rows = []
    for place, user in enumerate(users):
        taste = liking(tastes[place] if tastes else place, shown)
        for image, rating in enumerate(np.clip(taste + 0.3 * rng.standard_normal(len(shown)), 1, 5).tolist()):
            if name := split(place, image):  # type: ignore[operator]
                rows.append({"user": user, "image": f"i{image:03d}", "rating": rating, "split": name})
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for image, (light, warmth) in enumerate(shown):
        colour = np.array([0.5 + 0.3 * light + 0.15 * warmth, 0.5 + 0.3 * light, 0.5 + 0.3 * light - 0.15 * warmth])
        grain = rng.uniform(-0.04, 0.04, (16, 16, 1))
        Image.fromarray((255 * np.clip(colour + grain, 0, 1)).astype(np.uint8)).save(folder / f"images/{image:03d}.png")
    names = pd.Index([f"i{image:03d}" for image in range(len(shown))], name="image")
    images = pd.DataFrame(
        {
            "path": [f"images/{image:03d}.png" for image in range(len(shown))],
            "prompt": "a plain picture",
            "group": ["light" if light > 0 else "dark" for light, _ in shown],
            "style": None,
            "type": "photograph",
        },
        index=names,
    )
    people = pd.DataFrame({"age": 30, "gender": "female", "nationality": None}, index=pd.Index(users, name="user"))
    return Rated(folder, pd.DataFrame(rows), images, people)
