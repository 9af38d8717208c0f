"""The study that this server process runs: opened once, and shared by its pages and its addresses."""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from stimuli.experiment import Experiment, ExperimentError
from study.catalogue import texts
from study.invocation import DATABASE_VARIABLE
from study.recruitment.signed import keys_of
from study.session import Session, open_running
from study.session.running import read
from study.storage.records import StudyKind

# Holds the key that stands for a participant. Browsers keep cookies by host, not by port: the two studies of an experiment have one each.
COOKIES: Mapping[StudyKind, str] = {"comparison": "study", "rating": "rating"}
# Set in the server process of a preview, to the name of its cookie: a preview beside the study must not take its participants' keys.
PREVIEW_VARIABLE = "TASTEBENCH_PREVIEW"
# Set in a server process whose participants are programs (`driving`): they are marked as simulated.
SIMULATED_VARIABLE = "TASTEBENCH_SIMULATED"


@cache
def session() -> Session:
    """Return the study whose database the environment names.

    Raises:
        ExperimentError: this process was not started by `tastebench study serve`.
    """
    url = os.environ.get(DATABASE_VARIABLE)
    if not url:
        raise ExperimentError(f"{DATABASE_VARIABLE} is not set; start the study with `tastebench study serve FOLDER`")
    return open_running(url)


@cache
def panel_keys() -> Mapping[str, Any] | None:
    """Return the keys that the panel signs its links with, None where it signs none.

    Raises:
        ExperimentError: the file with them is not there any more, or damaged.
    """
    running = session()
    if running.table.recruitment.keys is None:
        return None
    with running.database.reading() as rows:
        study = rows.study()
    return keys_of(Experiment(read(study).folder), running.table.recruitment) if study else None


def visitor(session: Session) -> str | None:
    """Return the participant id that the browser's key stands for at this moment, None for a key of nobody (any more)."""
    # The commands need the names of this module and no pages.
    import streamlit as st

    key = st.context.cookies.get(cookie(session.kind))
    return session.arrived(key) if key else None


def cookie(kind: StudyKind) -> str:
    """Return the name of the cookie that holds a participant's key."""
    return os.environ.get(PREVIEW_VARIABLE) or COOKIES[kind]


def is_preview() -> bool:
    """Return whether no vote given here counts."""
    return bool(os.environ.get(PREVIEW_VARIABLE))


def is_simulation() -> bool:
    """Return whether programs take part here, and nobody else."""
    return os.environ.get(SIMULATED_VARIABLE) == "1"


def words() -> Mapping[str, str]:
    """Return the study's texts; the English ones where the study cannot be opened."""
    try:
        return session().texts
    except ExperimentError:
        return texts("en", folder=Path())
