"""The images of a rating study: copies of rated images without metadata, under meaningless names, spread over what they show."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stimuli.blinding import name_of, publish, stripped, tidy
from stimuli.experiment import Experiment, ExperimentError, write_whole
from stimuli.manifest import RatingImage, read_rating_images, write_rating_images
from stimuli.progress import Report, silent
from stimuli.provenance import sha256
from stimuli.ratings.table import Rated, RatingsError, Unreadable, open_image, records


@dataclass(frozen=True)
class Pool:
    """The images that people may be asked to rate, and the rated images in their place that cannot be read."""

    images: tuple[RatingImage, ...]
    unreadable: tuple[Unreadable, ...]


def rating_images(rated: Rated, experiment: Experiment, *, number: int, seed: int, report: Report = silent) -> Pool:
    """Write `number` images of a rated data set, or all where it has fewer, as the pool of the experiment's rating study.

    What comes out is rating_images/ and, last, rating_images.parquet; which image each is a copy of stays in work/. The same
    seed and data give the same bytes. An image that cannot be read is passed over for the next.

    Raises:
        ExperimentError: a rating study has begun with other images.
        RatingsError: no image can be read.
    """
    order = spread(rated, seed=seed)
    taken, unreadable = _readable(rated, order, number)
    if not taken:
        raise RatingsError(f"{rated.folder}: none of its {len(order)} images can be read, so there is nothing to rate")
    # Named by the file they come from: a name never passes to another image, and files are written in the order of their names.
    names = {name_of(seed, "rating image", image, sha256(_path(rated, image))): image for image in taken}
    _check_unused(experiment, set(names))
    images = []
    for done, (name, image) in enumerate(sorted(names.items()), start=1):
        images.append(_published(rated, experiment, name, image))
        report("images to rate", done, len(names))
    _write_sources(experiment, rated, names)
    write_rating_images(experiment.rating_images, images)
    tidy(experiment.rating_pictures, set(names))
    return Pool(tuple(images), tuple(unreadable))


def spread(rated: Rated, *, seed: int) -> list[str]:
    """Return all images in a random order in which what they show (type and group) takes turns."""
    rng = np.random.default_rng(seed)
    images = rated.images.sort_index()
    kinds = images[["type", "group"]].fillna("").astype(str).agg("\x1f".join, axis=1)
    drawn = pd.DataFrame({"image": images.index.astype(str), "kind": kinds.to_numpy()}).iloc[rng.permutation(len(images))]
    turn = drawn.groupby("kind").cumcount()
    return drawn.assign(turn=turn).sort_values("turn", kind="stable")["image"].tolist()


def sources(experiment: Experiment) -> dict[str, dict[str, Any]]:
    """Return, by the name of each image of the pool, which rated image it is a copy of, with its group, style and type."""
    path = _sources_file(experiment)
    if not path.is_file():
        return {}
    table = pd.read_parquet(path).astype(object)
    return {row.pop("image"): row for row in records(table.where(table.notna(), None))}


def _readable(rated: Rated, order: Sequence[str], number: int) -> tuple[list[str], list[Unreadable]]:
    taken: list[str] = []
    unreadable: list[Unreadable] = []
    for image in order:
        if len(taken) == number:
            break
        opened = open_image(rated, image)
        if isinstance(opened, Unreadable):
            unreadable.append(opened)
        else:
            taken.append(image)
    return taken, unreadable


def _check_unused(experiment: Experiment, names: set[str]) -> None:
    """Raise an `ExperimentError` where people were asked about other images: their ratings would lose what they are of."""
    used = [path for path in (experiment.rating_database, experiment.rated) if path.is_file()]
    if not (used and experiment.rating_images.is_file()):
        return
    if {image.image for image in read_rating_images(experiment.rating_images)} != names:
        raise ExperimentError(
            f"{used[0]}: a rating study has begun, and this would change its images. Ask for the images it has, "
            "or make the new ones in a copy of the folder without its databases"
        )


def _published(rated: Rated, experiment: Experiment, name: str, image: str) -> RatingImage:
    opened = open_image(rated, image)
    if isinstance(opened, Unreadable):
        raise RatingsError(f"{rated.folder}: {opened.reason}; it could be read a moment ago, so run this again")
    png = stripped(opened)
    publish(experiment.rating_pictures, {name: png})
    prompt = rated.images["prompt"][image]
    path = experiment.rating_pictures.relative_to(experiment.folder) / f"{name}.png"
    return RatingImage(name, prompt if isinstance(prompt, str) else "", path.as_posix(), hashlib.sha256(png).hexdigest())


def _path(rated: Rated, image: str) -> Path:
    return rated.folder / str(rated.images["path"][image])


def _sources_file(experiment: Experiment) -> Path:
    return experiment.work / "rating_pool.parquet"


def _write_sources(experiment: Experiment, rated: Rated, names: dict[str, str]) -> None:
    known = rated.images.loc[list(names.values()), ["group", "style", "type"]].astype(object).reset_index(drop=True)
    table = known.where(known.notna(), None).assign(image=list(names), source=list(names.values()))
    buffer = io.BytesIO()
    table.sort_values("image").astype("string").to_parquet(buffer, index=False)
    write_whole(_sources_file(experiment), buffer.getvalue())
