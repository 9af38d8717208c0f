"""Finds a study that must be there already: to look into a study is no reason to make an empty database."""

import re
from pathlib import Path
from shlex import quote

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from stimuli.experiment import Experiment, ExperimentError, require
from study.invocation import DATABASE_VARIABLE
from study.storage.database import Database, open_database
from study.storage.records import StudyKind, StudyRow
from study.storage.rows import Rows

_MADE_BY = "tastebench study serve"
# Where a deployment keeps the address of its database, within the experiment's folder.
DEPLOYED = Path("deploy", "environment")
_NAMED = re.compile(rf"^{DATABASE_VARIABLE}='(.*)'$", re.MULTILINE)


def open_existing(url: str | Path, *, made_by: str = _MADE_BY) -> Database:
    """Return the database at an address or path, as `open_database` does.

    Raises:
        ExperimentError: there is no such SQLite file, which `made_by` would make, or `open_database` refuses it.
    """
    path = _file(url)
    if path is not None and not path.exists() and (deployed := _deployed(path)):
        raise ExperimentError(
            f"{path}: no such file. {deployed.parent} holds a deployment, so this study may live in the database that it names. "
            f"To use that one in this terminal: `set -a; . {quote(str(deployed))}; set +a`, then run this again"
        )
    if path is not None:
        require(path, made_by=made_by)
    return open_database(url)


def study_in(rows: Rows, *, place: str, made_by: str = _MADE_BY, kind: StudyKind | None = None) -> StudyRow:
    """Return the study in the database at `place`.

    Raises:
        ExperimentError: it holds none yet, and `made_by` would make it; or one of another kind than `kind` (None: either is meant).
    """
    study = rows.study()
    if study is None:
        raise ExperimentError(f"{place}: holds no study yet; `{made_by}` makes it")
    if kind is not None and study.kind != kind:
        option = "add --rating" if study.kind == "rating" else "leave out --rating"
        raise ExperimentError(f"{place}: holds a {study.kind} study, and a {kind} study was asked for; {option}, or give its database")
    return study


def check_own(study: StudyRow, experiment: Experiment, *, url: str | Path, place: str, made_by: str = _MADE_BY) -> None:
    """Raise an `ExperimentError` where the study in the database at `url` is another experiment's.

    A file in the experiment's own folder is its own, also where that folder is a copy. What version 0.1 laid out names no folder.
    """
    own = experiment.rating_database if study.kind == "rating" else experiment.database
    path, opened_from = _file(url), study.settings.get("folder")
    if (path is not None and path.resolve() == own.resolve()) or opened_from is None:
        return
    here = experiment.folder.resolve()
    if Path(opened_from).resolve() != here:
        raise ExperimentError(
            f"{place}: holds the study of {opened_from}, and this is {here}. Give the other folder, or this experiment's database "
            f"(--database or {DATABASE_VARIABLE} names the one above). If the folder was moved here, run `{made_by}` once"
        )


def _deployed(path: Path) -> Path | None:
    """Return the file that names another database for the study which could lie at `path`, None without a deployment of that study."""
    environment = path.parent / DEPLOYED
    try:
        named = _NAMED.search(environment.read_text(encoding="utf-8"))
        is_rating = " --rating" in environment.with_name("backup").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    if named is None or is_rating != (path.name == Experiment(path.parent).rating_database.name):
        return None
    file = _file(named[1])
    return environment if file is None or file.resolve() != path.resolve() else None


def _file(url: str | Path) -> Path | None:
    if isinstance(url, Path):
        return url
    try:
        address = sa.make_url(url)
    except (ArgumentError, ValueError):
        return None
    return Path(address.database) if address.get_backend_name() == "sqlite" and address.database else None
