"""Train the predictor on a rated data set, adapt it to the people of a rating study, and say how well it tells ratings it never saw."""

import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import TypeAdapter, ValidationError

from stimuli.experiment import ExperimentError, write_whole
from stimuli.predictors import PAPER
from stimuli.predictors.base_choice import BaseChoice
from stimuli.predictors.demographics import Coding, coding
from stimuli.predictors.heldout import FEWEST, HeldOut, of_known, of_new
from stimuli.predictors.interface import Fitted, Judgements, Looks, People, Rows
from stimuli.predictors.kinds import Kind, base_of, rated_more
from stimuli.predictors.sight import Sight, with_large_groups
from stimuli.progress import Report, silent
from stimuli.provenance import Provenance, sha256
from stimuli.ratings import Rated, Unreadable
from stimuli.store import canonical

VERSION = "3"


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be learnt: `kind` of predictor, how it looks at images, the data set, and a rating study whose people it shall know.

    `same_people` says that a participant of the study with the name of a user of the data set is that user.
    """

    kind: Kind
    sight: Sight
    rated: Rated
    study: Rated | None = None
    same_people: bool = False


@dataclass(frozen=True)
class Rater:
    """A participant of the rating study, and of how many images there are ratings; fewer than five tell no taste, so `known` is false."""

    user: str
    ratings: int
    known: bool


@dataclass(frozen=True)
class Training:
    """What was trained on what; `inputs` is a hash of the ratings, the images' sizes and dates, the encoders and the kind of predictor.

    `held_out` is about people of the training, `new_people` about others after fifteen ratings, where the data set sets some aside.
    `answers` are the columns of demographics, `raters` the people of the rating study. `rated_again` counts the ratings to be told
    that were left out because the same person rated the same image in the rating study. `base` is how the base of the predictor was
    chosen, None where there was nothing to choose from. `provenance` says how it came about.
    """

    predictor: str
    encoder: str
    text_encoder: str | None
    inputs: str
    users: int
    images: int
    ratings: int
    unreadable: tuple[Unreadable, ...]
    held_out: HeldOut
    new_people: HeldOut | None
    answers: tuple[str, ...]
    raters: tuple[Rater, ...]
    provenance: Provenance
    rated_again: int = 0
    base: BaseChoice | None = None


@dataclass(frozen=True, eq=False)
class Material:
    """A rated data set as a predictor reads it: `rated` without unreadable images, whose rows the rows of `looks` are.

    `rated_again` counts the ratings to be told that are left out, because the predictor knows them from the rating study.
    """

    rated: Rated
    looks: Looks
    people: People
    coding: Coding
    unreadable: tuple[Unreadable, ...]
    rated_again: int = 0

    def judgements(self, *splits: str) -> Judgements:
        """Return the ratings of some splits."""
        some = self.rated.of(*splits)
        user = self.rated.users.index.get_indexer(pd.Index(some["user"]))
        image = self.rated.images.index.get_indexer(pd.Index(some["image"]))
        return Judgements(user, image, some["rating"].to_numpy(dtype=np.float64))


def train(path: Path, task: Task, *, provenance: Provenance, report: Report = silent) -> Training:
    """Fit the predictor on the train split, write it and, last, its record beside `path`; return the record.

    Images that cannot be read are left out, with their ratings. Measured are people it knows (test_seen) and new ones (test_unseen).

    Raises:
        ExperimentError: no rating of a readable image is to learn from.
    """
    inputs = fingerprint(task)
    known = material(task, report=report)
    given = known.judgements("train")
    if not len(given):
        raise ExperimentError(
            f"{task.rated.folder}: holds no rating of a readable image in its split train, so there is nothing to learn from; expected some"
        )
    fitted = task.kind.fit(
        with_large_groups(known.looks, np.unique(given.image)), known.people, given, _by_known(known, given), report=report
    )
    new = known.judgements("test_unseen")
    adapted, raters = adapt(fitted, task, known, report=report)
    training = Training(
        predictor=task.kind.name,
        encoder=task.sight.images.spec.name,
        text_encoder=task.sight.texts.spec.name if task.sight.texts else None,
        inputs=inputs,
        users=len(np.unique(given.user)),
        images=len(np.unique(given.image)),
        ratings=len(given),
        unreadable=known.unreadable,
        held_out=of_known(fitted, known.looks, known.people, known.judgements("test_seen"), split="test_seen"),
        new_people=of_new(fitted, known.looks, known.people, new, split="test_unseen", seed=task.kind.seed) if len(new) else None,
        answers=known.coding.answers,
        raters=raters,
        provenance=provenance,
        rated_again=known.rated_again,
        base=base_of(fitted),
    )
    _record(path).unlink(missing_ok=True)
    task.kind.save(task.kind.file(path), adapted)
    write_whole(_record(path), TypeAdapter(Training).dump_json(training, indent=2) + b"\n")
    return training


def finished(path: Path, task: Task) -> Training | None:
    """Return how the predictor beside `path` was trained if it was trained on exactly this, None otherwise."""
    record = _record(path)
    if not record.is_file():
        return None
    try:
        training = TypeAdapter(Training).validate_json(record.read_bytes())
    except ValidationError:
        return None
    return training if training.inputs == fingerprint(task) and task.kind.is_kept(path, training.base) else None


def material(task: Task, *, report: Report = silent) -> Material:
    """Return the data set of a task as its predictor reads it."""
    looks, unreadable = task.sight.of_rated(task.rated, report=report)
    rated = task.rated.without(unreadable)
    again = _rated_again(rated, task.study) if task.same_people else np.zeros(len(rated.ratings), dtype=bool)
    rated = replace(rated, ratings=rated.ratings[~again])
    taught = rated.users[rated.users.index.isin(rated.of("train")["user"])]
    code = coding(taught)
    users = tuple(map(str, rated.users.index))
    return Material(rated, looks, People(users, _said(task, code, rated.users)), code, unreadable, int(again.sum()))


def adapt(fitted: Fitted, task: Task, known: Material, *, report: Report = silent) -> tuple[Fitted, tuple[Rater, ...]]:
    """Return the predictor once it knows the people of the task's rating study, and who they are, by name."""
    if task.study is None:
        return fitted, ()
    _require_other_names(task, known)
    looks, unreadable = task.sight.of_rated(task.study, report=lambda _, done, total: report("encoding rated images", done, total))
    study = task.study.without(unreadable)
    said = _said(task, known.coding, study.users)
    raters = []
    for user, theirs in study.ratings.groupby("user", sort=True):
        name = str(user)
        raters.append(Rater(name, len(theirs), len(theirs) >= FEWEST))
        if len(theirs) < FEWEST:
            continue
        seen = looks.at(study.images.index.get_indexer(pd.Index(theirs["image"])))
        given = theirs["rating"].to_numpy(dtype=np.float64)
        if name in fitted.users:
            fitted = rated_more(fitted, name, seen, given)
        else:
            row = None if said is None else said[study.users.index.get_loc(user)]
            # Whoever said nothing is anybody, which is not the same as the average answer to every question.
            fitted = fitted.adapt(name, seen, given, demographics=row if row is not None and row.any() else None)
    return fitted, tuple(raters)


def fingerprint(task: Task) -> str:
    """Return a hash of all that a predictor depends on. Images count by size and date: reading thousands takes too long to check."""
    texts = task.sight.texts
    whole = {
        "version": VERSION,
        "kind": [task.kind.name, task.kind.seed],
        "encoder": asdict(task.sight.images.spec),
        "texts": asdict(texts.spec) if texts else None,
        "metadata": task.sight.metadata,
        "same_people": task.same_people,
        "ratings": _files(task.rated),
        "study": _files(task.study) if task.study else None,
    }
    return hashlib.sha256(canonical(whole).encode()).hexdigest()


def _files(rated: Rated) -> dict[str, Any]:
    # By what was read of it too: a splits.json moves ratings between splits without changing an annotation.
    rows = rated.ratings[["user", "image", "split"]].astype(str).agg("\x1f".join, axis=1)
    return {
        "annotations": [sha256(file) for file in rated.files],
        "rows": hashlib.sha256("\n".join(rows).encode("utf-8", "surrogateescape")).hexdigest(),
        "images": [_size_and_date(rated.folder / str(path)) for path in rated.images["path"]],
    }


def _size_and_date(path: Path) -> list[int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def _record(path: Path) -> Path:
    """Return the JSON beside a predictor; it is written after it."""
    return path.with_suffix(".json")


def _rated_again(rated: Rated, study: Rated | None) -> np.ndarray:
    """Return which ratings to be told are of an image that the same person rated in the study too, shape (ratings,)."""
    if study is None or "source" not in study.images:
        return np.zeros(len(rated.ratings), dtype=bool)
    sources = study.ratings["image"].map(study.images["source"])
    told = pd.MultiIndex.from_arrays([study.ratings["user"].astype(str), sources.astype(str)])
    here = pd.MultiIndex.from_arrays([rated.ratings["user"].astype(str), rated.ratings["image"].astype(str)])
    return np.asarray(here.isin(told) & (rated.ratings["split"] != "train").to_numpy())


def _by_known(known: Material, given: Judgements) -> Judgements:
    """Return the ratings of val_seen by people of the training."""
    aside = known.judgements("val_seen")
    rows = np.isin(aside.user, given.user)
    return Judgements(aside.user[rows], aside.image[rows], aside.rating[rows])


def _said(task: Task, code: Coding, users: pd.DataFrame) -> Rows | None:
    """Return what people said of themselves as the predictor reads it: numbers, or for the paper's model features of a sentence."""
    if task.kind.name == PAPER and task.sight.texts is not None:
        return task.sight.of_people(users)
    return code.rows(users)


def _require_other_names(task: Task, known: Material) -> None:
    """Raise an `ExperimentError` where a participant of the rating study has the name of another person of the data set."""
    if task.study is None or task.same_people:
        return
    both = sorted(set(map(str, task.study.users.index)) & set(known.people.users))
    if both:
        raise ExperimentError(
            f'{task.study.folder}: "{both[0]}" is a participant of the rating study and also a user of {task.rated.folder}, so it is not '
            "clear whose taste is meant; give participants links with other ids"
        )
