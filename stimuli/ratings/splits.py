"""Splits of a rated data set into parts to learn from and parts to be measured on: drawn from a seed, written with hashes.

Images are divided, and some people are set aside whom training never sees (as in PAMELA, section 3.1). A rating goes where both
its image and its person are; a rating by somebody set aside of an image to learn from belongs nowhere and is left out.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stimuli.experiment import write_whole
from stimuli.ratings.skipped import skipped
from stimuli.ratings.table import SPLITS, Rated, RatingsError

NAME = "splits.json"
_VERSION = 1


@dataclass(frozen=True)
class Shares:
    """Which share of the images is for validation and test, and which share of the people is set aside for each of these.

    The defaults are PAMELA's: 609 and 914 of 5,077 images, 16 and 27 of 199 people.
    """

    val: float = 0.12
    test: float = 0.18
    val_users: float = 0.08
    test_users: float = 0.135


@dataclass(frozen=True)
class Split:
    """Who and what is set aside; everything else is to learn from. `sha256` has a hash of the pairs of user and image in each split.

    `fold` is the published fold whose people are set aside for test, None where they were drawn.
    """

    version: int
    seed: int
    shares: Shares
    ratings: str
    val_images: tuple[str, ...]
    test_images: tuple[str, ...]
    val_users: tuple[str, ...]
    test_users: tuple[str, ...]
    rows: Mapping[str, int]
    sha256: Mapping[str, str]
    fold: int | None = None


def draw(rated: Rated, *, seed: int, shares: Shares | None = None) -> Split:
    """Return a split of the data set; the same seed and data give the same one, in whatever order the rows are.

    Raises:
        RatingsError: the shares leave nothing to learn from, or nobody.
    """
    shares = shares or Shares()
    rng = np.random.default_rng(seed)
    images = _parts(sorted(rated.ratings["image"].unique()), (shares.val, shares.test), rng, what="images")
    users = _parts(sorted(rated.ratings["user"].unique()), (shares.val_users, shares.test_users), rng, what="people")
    return _counted(Split(_VERSION, seed, shares, pairs_hash(rated.ratings), *images, *users, {}, {}), rated)


def of_fold(rated: Rated, people: Sequence[str], fold: int, *, seed: int, val_users: float) -> Split:
    """Return the published split of images, with `people` set aside for test and, for validation, a share of the others.

    Raises:
        RatingsError: images are not split, nobody of these people is there, or the share leaves nobody.
    """
    val_images, test_images = (tuple(sorted(rated.of(f"{part}_seen")["image"].unique())) for part in ("val", "test"))
    if not val_images or not test_images:
        raise RatingsError(f"{rated.folder}: says not which images are for validation and test, and a fold needs to know; add imageset/")
    users = sorted(rated.ratings["user"].unique())
    test = tuple(user for user in users if user in set(people))
    if not test:
        raise RatingsError(f"{rated.folder}: holds no rating by the {len(people)} people of fold {fold}; is userset/ of the same release?")
    others = [user for user in users if user not in test]
    val, _ = _parts(others, (val_users, 0.0), np.random.default_rng(seed), what="people who are not of the fold")
    whole = rated.ratings["image"].nunique()
    shares = Shares(len(val_images) / whole, len(test_images) / whole, len(val) / len(users), len(test) / len(users))
    return _counted(Split(_VERSION, seed, shares, pairs_hash(rated.ratings), val_images, test_images, val, test, {}, {}, fold), rated)


def _counted(split: Split, rated: Rated) -> Split:
    placed = placed_in(split, rated.ratings)
    return replace(
        split,
        rows={name: int((placed == name).sum()) for name in SPLITS},
        sha256={name: pairs_hash(rated.ratings[placed == name]) for name in SPLITS},
    )


def placed_in(split: Split, ratings: pd.DataFrame) -> "pd.Series[Any]":
    """Return the split of each rating, missing for those that belong nowhere."""
    part = np.select([ratings["image"].isin(split.val_images), ratings["image"].isin(split.test_images)], ["val", "test"], default="train")
    whose = np.select([ratings["user"].isin(split.val_users), ratings["user"].isin(split.test_users)], ["val", "test"], default="seen")
    names = {("seen", "train"): "train", ("seen", "val"): "val_seen", ("seen", "test"): "test_seen"}
    names |= {("val", "val"): "val_unseen", ("test", "test"): "test_unseen"}
    return pd.Series([names.get(pair) for pair in zip(whose, part, strict=True)], index=ratings.index, dtype=object)


def pairs_hash(ratings: pd.DataFrame) -> str:
    """Return the SHA-256 of the pairs of user and image, whatever their order."""
    pairs = sorted(f"{user}\x1f{image}" for user, image in zip(ratings["user"], ratings["image"], strict=True))
    return hashlib.sha256("\n".join(pairs).encode("utf-8", "surrogateescape")).hexdigest()


def write(folder: Path, split: Split) -> Path:
    """Write a split into the folder of its data set, where reading the data set finds it, and return its path."""
    path = folder / NAME
    write_whole(path, (json.dumps(asdict(split), indent=1, ensure_ascii=True) + "\n").encode())
    return path


def read(path: Path) -> Split:
    """Return the split in a file.

    Raises:
        RatingsError: the file holds no split of this version.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["version"] != _VERSION:
            raise RatingsError(f"{path}: version {content['version']}, and this reads {_VERSION}; draw it again, tastebench stimuli split")
        lists = {key: tuple(content[key]) for key in ("val_images", "test_images", "val_users", "test_users")}
        return Split(**(content | lists | {"shares": Shares(**content["shares"])}))
    except (ValueError, KeyError, TypeError) as error:
        raise RatingsError(f"{path}: holds no split ({error}); delete it or draw it again with `tastebench stimuli split`") from error


def applied(rated: Rated) -> Rated:
    """Return the data set split as the splits.json in its folder says, or as it is where there is none.

    Raises:
        RatingsError: the file is no split, or one of other ratings.
    """
    path = rated.folder / NAME
    if not path.is_file():
        return rated
    split = read(path)
    if split.ratings != pairs_hash(rated.ratings):
        raise RatingsError(
            f"{path}: was drawn for other ratings than those in {rated.folder}; delete it to use the published split, "
            "or draw it again with `tastebench stimuli split`"
        )
    placed = placed_in(split, rated.ratings)
    nowhere = placed.isna()
    pairs = [f"{user}, {image}" for user, image in rated.ratings.loc[nowhere, ["user", "image"]].itertuples(index=False)]
    return replace(
        rated,
        ratings=rated.ratings.assign(split=placed)[~nowhere],
        files=(*rated.files, path),
        skipped=(*rated.skipped, *skipped(f"ratings by people whom {NAME} sets aside, of other images", pairs)),
    )


def _parts(
    names: Sequence[str], shares: tuple[float, float], rng: np.random.Generator, *, what: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names for validation and for test, in order."""
    first, second = (round(share * len(names)) for share in shares)
    if not 0 <= first + second < len(names) or min(shares) < 0:
        raise RatingsError(
            f"shares of {shares[0]:g} and {shares[1]:g} leave none of the {len(names)} {what} to learn from; lower them below 1 in all"
        )
    order = [names[index] for index in rng.permutation(len(names))]
    return tuple(sorted(order[:first])), tuple(sorted(order[first : first + second]))
