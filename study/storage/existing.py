"""Finds a study that must be there already: to look into a study is no reason to make an empty database."""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from stimuli.experiment import ExperimentError, require
from study.storage.database import Database, open_database
from study.storage.records import StudyRow
from study.storage.rows import Rows

_MADE_BY = "tastebench study serve"


def open_existing(url: str | Path, *, made_by: str = _MADE_BY) -> Database:
    """Return the database at an address or path, as `open_database` does.

    Raises:
        ExperimentError: there is no such SQLite file, which `made_by` would make, or `open_database` refuses it.
    """
    path = _file(url)
    if path is not None:
        require(path, made_by=made_by)
    return open_database(url)


def study_in(rows: Rows, *, place: str, made_by: str = _MADE_BY) -> StudyRow:
    """Return the study in the database at `place`.

    Raises:
        ExperimentError: it holds none yet, and `made_by` would make it.
    """
    study = rows.study()
    if study is None:
        raise ExperimentError(f"{place}: holds no study yet; `{made_by}` makes it")
    return study


def _file(url: str | Path) -> Path | None:
    if isinstance(url, Path):
        return url
    try:
        address = sa.make_url(url)
    except (ArgumentError, ValueError):
        return None
    return Path(address.database) if address.get_backend_name() == "sqlite" and address.database else None
