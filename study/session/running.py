"""What a study's row in its database says, and the study that runs from it alone."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pydantic import TypeAdapter

from stimuli.experiment import ExperimentError
from study.config import Question, RatingTable, StudyTable
from study.session.chooser import CHOOSER_VARIABLE, Chooser, named_chooser
from study.session.machine import Session
from study.storage.database import Database
from study.storage.existing import open_existing, study_in
from study.storage.records import StudyKind, StudyRow

Contrasts = frozenset[frozenset[str]] | None


@dataclass(frozen=True)
class Held:
    """The settings that a study's row holds: all that participants depend on, and the experiment's `folder`."""

    seed: int
    table: StudyTable | RatingTable
    questions: tuple[Question, ...]
    texts: Mapping[str, str]
    secret: bytes
    contrasts: Contrasts
    folder: Path


def written(held: Held) -> dict[str, Any]:
    """Return the settings as JSON."""
    contrasts = None if held.contrasts is None else sorted(sorted(pair) for pair in held.contrasts)
    return {
        "seed": held.seed,
        "table": dataclasses.asdict(held.table),
        "questions": [dataclasses.asdict(question) for question in held.questions],
        "texts": dict(held.texts),
        "secret": held.secret.hex(),
        "contrasts": contrasts,
        "folder": str(held.folder),
    }


def read(study: StudyRow) -> Held:
    """Return the settings that a study's row holds.

    Raises:
        ExperimentError: an earlier version wrote them, and no command has opened the study since.
    """
    settings = study.settings
    if "texts" not in settings:
        raise ExperimentError("an earlier version made this study; run `tastebench study serve` on its experiment once, and it goes on")
    table: type = StudyTable if study.kind == "comparison" else RatingTable
    contrasts = cast("Sequence[Sequence[str]] | None", settings["contrasts"])
    return Held(
        seed=settings["seed"],
        table=TypeAdapter(table).validate_python(settings["table"]),
        questions=tuple(TypeAdapter(Question).validate_python(question) for question in settings["questions"]),
        texts=settings["texts"],
        secret=bytes.fromhex(settings["secret"]),
        contrasts=None if contrasts is None else frozenset(frozenset(pair) for pair in contrasts),
        folder=Path(settings["folder"]),
    )


def session_of(database: Database, kind: StudyKind, held: Held, *, chooser: Chooser | None = None) -> Session:
    """Return the study with these settings."""
    return Session(
        database=database,
        kind=kind,
        table=held.table,
        questions=held.questions,
        texts=held.texts,
        seed=held.seed,
        secret=held.secret,
        contrasts=held.contrasts,
        chooser=chooser or chooser_for(held),
    )


def chooser_for(held: Held) -> Chooser | None:
    """Return what chooses the images where the study wants that, found by the environment; None where it does not.

    Raises:
        ExperimentError: the environment names what cannot be found.
    """
    if isinstance(held.table, RatingTable) and held.table.order == "active":
        return named_chooser(os.environ.get(CHOOSER_VARIABLE), folder=held.folder)
    return None


def open_running(url: str | Path, *, chooser: Chooser | None = None) -> Session:
    """Return the study in the database at `url`, which `open_study` has laid out; this needs no other file.

    Raises:
        ExperimentError: the database cannot be opened or holds no study, or what chooses its images cannot be found.
    """
    database = open_existing(url)
    try:
        with database.reading() as rows:
            study = study_in(rows, place=database.place)
        return session_of(database, study.kind, read(study), chooser=chooser)
    except BaseException:
        database.close()
        raise
