"""This toolkit's own rating studies: read like any other data set, and exported in PAMELA's layout for others to learn from.

A study leaves `ratings.parquet`, `rating_participants.parquet` and, of the images, `rating_images.parquet` or, where it asked about
the images of the comparison, `stimuli.parquet`. Of the replies to questions only age, gender and nationality are taken.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from stimuli.experiment import Experiment, require, write_whole
from stimuli.manifest import read_rating_images, read_rows, read_stimuli
from stimuli.provenance import sha256
from stimuli.ratings import pamela, pool
from stimuli.ratings.cleaning import averaged
from stimuli.ratings.skipped import Skipped, skipped
from stimuli.ratings.table import HIGHEST, LOWEST, SIMULATED, Rated, RatingsError, records, side_table

_ASKED = ("age", "gender", "nationality")
# Who says no, or is turned away, has given nothing to use, whatever they did before.
_NOT_WILLING = ("declined", "screened out")
_RATINGS = pa.schema(
    [
        *(pa.field(name, pa.string(), nullable=False) for name in ("participant", "image", "prompt")),
        pa.field("rating", pa.float64(), nullable=False),
        pa.field("repeat", pa.bool_(), nullable=False),
        pa.field("response_ms", pa.float64(), nullable=False),
        pa.field("simulated", pa.bool_(), nullable=False),
    ]
)
_PARTICIPANTS = pa.schema([pa.field(name, pa.string(), nullable=False) for name in ("participant", "status", "replies")])

_NOTE = """\
Ratings of images from one rating study made with tastebench, in the layout of PAMELA (bethgelab/PAMELA).
{ratings} ratings of {images} images by {people} {who}.

All of it is in pamela_train.json; `tastebench stimuli split` draws parts for validation and test. "repeat" marks the second
rating of an image by the same person. People stand under the pseudonyms they have in the study.
"""


@dataclass(frozen=True)
class Exported:
    """What was written where, and what was not."""

    folder: Path
    ratings: int
    images: int
    people: int
    simulated: bool
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True)
class _Study:
    """The rows of a rating study that can be used, what is known of its images and people, and what cannot be used."""

    rows: pd.DataFrame
    images: Mapping[str, dict[str, Any]]
    people: Mapping[str, dict[str, Any]]
    hashes: Mapping[str, str]
    simulated: bool
    skipped: tuple[Skipped, ...]


def read(folder: Path) -> Rated:
    """Return the rating study of the experiment in `folder`, all of it in the split "train"; images are not opened.

    Raises:
        ExperimentError: nobody's ratings are exported yet, or a file has not the columns it should have.
        RatingsError: a rating is outside 1..5, or no rating can be used.
    """
    experiment = Experiment(folder)
    study = _study(experiment)
    cleaned = averaged(study.rows[["user", "image", "rating", "split"]])
    files = [experiment.rated, experiment.rating_participants, experiment.rating_images, experiment.stimuli]
    return Rated(
        folder,
        cleaned.ratings,
        side_table({image: study.images[image] for image in dict.fromkeys(study.rows["image"])}, "image"),
        side_table({user: study.people[user] for user in dict.fromkeys(study.rows["user"])}, "user"),
        files=tuple(file for file in files if file.is_file()),
        skipped=(*study.skipped, *cleaned.skipped),
        repeats=cleaned.repeats,
        simulated=study.simulated,
    )


def export(experiment: Experiment, to: Path) -> Exported:
    """Write the rating study as a data set in PAMELA's layout, each rating as it was given; images are copied as people saw them.

    Raises:
        RatingsError: `to` holds something else, or the study has nothing to export.
    """
    note = to / "EXPORTED.txt"
    if to.exists() and any(to.iterdir()) and not note.is_file():
        raise RatingsError(f"{to}: is not empty and was not made by this command; name a folder that is new or empty")
    study = _study(experiment)
    found = {image: _copy(experiment.folder / study.images[image]["path"], study.hashes[image]) for image in study.rows["image"].unique()}
    lacking = [reason for reason in found.values() if isinstance(reason, str)]
    copies = {image: content for image, content in found.items() if isinstance(content, bytes)}
    rows = study.rows[study.rows["image"].isin(list(copies))]
    if rows.empty:
        raise RatingsError(f"{experiment.folder}: no image of the rating study is there any more ({lacking[0]}), so nothing is exported")
    for image, content in copies.items():
        write_whole(to / "images" / f"{image}.png", content)
    pamela.write(to, {"train": [_exported(row, study) for row in records(rows)]})
    done = Exported(
        to,
        len(rows),
        rows["image"].nunique(),
        rows["user"].nunique(),
        study.simulated,
        (*study.skipped, *skipped("images that are not as people saw them", lacking)),
    )
    who = "SIMULATED raters, who are programs; no person rated anything" if study.simulated else "people"
    told = _NOTE.format(ratings=done.ratings, images=done.images, people=done.people, who=who).encode()
    if study.simulated:
        write_whole(to / SIMULATED, told)
    write_whole(note, told)
    return done


def _study(experiment: Experiment) -> _Study:
    require(experiment.rated, made_by="tastebench study export --rating")
    rows = pd.DataFrame(read_rows(experiment.rated, _RATINGS), columns=_RATINGS.names)
    rows = rows.rename(columns={"participant": "user"}).assign(split="train")
    _check(rows, experiment.rated)
    images, hashes = _images(experiment)
    people, unwilling = _people(experiment)
    unknown, refused = ~rows["image"].isin(list(images)), rows["user"].isin(unwilling)
    told = (
        *skipped("ratings of images that are listed nowhere", sorted(set(rows.loc[unknown, "image"]))),
        *skipped("people who declined or were screened out", sorted(set(rows.loc[refused, "user"]))),
    )
    rows = rows[~unknown & ~refused]
    if rows.empty:
        raise RatingsError(f"{experiment.rated}: holds no rating that can be used; {told[0].kind if told else 'it is empty'}")
    if rows["simulated"].any() and not rows["simulated"].all():
        raise RatingsError(f"{experiment.rated}: mixes ratings by people and by simulated raters; export a study of one kind")
    known = {user: people.get(user, dict.fromkeys(_ASKED)) for user in rows["user"].unique()}
    return _Study(rows, images, known, hashes, bool(rows["simulated"].iloc[0]), told)


def _check(rows: pd.DataFrame, path: Path) -> None:
    for number, rating in enumerate(rows["rating"], start=1):
        # NaN fails the comparison too.
        if not LOWEST <= rating <= HIGHEST:
            raise RatingsError(f"{path}: row {number} has rating {rating}; expected a number from 1 to 5")


def _images(experiment: Experiment) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Return what is known of each image that people may have rated, and the SHA-256 of its file."""
    images: dict[str, dict[str, Any]] = {}
    hashes: dict[str, str] = {}
    if experiment.stimuli.is_file():
        for stimulus in read_stimuli(experiment.stimuli):
            images[stimulus.stimulus] = _image(stimulus.image, stimulus.base_prompt, {})
            hashes[stimulus.stimulus] = stimulus.image_sha256
    if experiment.rating_images.is_file():
        sources = pool.sources(experiment)
        for image in read_rating_images(experiment.rating_images):
            images[image.image] = _image(image.path, image.prompt, sources.get(image.image, {}))
            hashes[image.image] = image.image_sha256
    return images, hashes


def _image(path: str, prompt: str, source: Mapping[str, Any]) -> dict[str, Any]:
    return {"path": path, "prompt": prompt, **{key: source.get(key) for key in ("group", "style", "type", "source")}}


def _people(experiment: Experiment) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return what people said of themselves, and who is not to be used."""
    if not experiment.rating_participants.is_file():
        return {}, []
    people = read_rows(experiment.rating_participants, _PARTICIPANTS)
    unwilling = [row["participant"] for row in people if row["status"] in _NOT_WILLING]
    return {row["participant"]: _said(json.loads(row["replies"])) for row in people}, unwilling


def _said(replies: Mapping[str, str]) -> dict[str, Any]:
    said: dict[str, Any] = {question: replies.get(question) for question in _ASKED}
    age = said["age"]
    return said | {"age": int(age)} if isinstance(age, str) and age.isdecimal() else said


def _copy(path: Path, expected: str) -> bytes | str:
    """Return the bytes of an image as people saw it, or what is wrong with the file."""
    if not path.is_file():
        return f"{path.name}: no such file"
    if sha256(path) != expected:
        return f"{path.name}: another image than was listed"
    return path.read_bytes()


def _exported(row: Mapping[str, Any], study: _Study) -> dict[str, Any]:
    image = study.images[row["image"]]
    return {
        "participant_id": row["user"],
        "image_id": row["image"],
        "image_path": f"images/{row['image']}.png",
        "original_score": row["rating"],
        "image_metadata": {key: image[key] for key in ("prompt", "group", "style", "type")},
        "user_demographics": study.people[row["user"]],
        "repeat": row["repeat"],
        "response_ms": row["response_ms"],
    }
