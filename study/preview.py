"""A preview: the study as its participants will see it, in a database of its own that is made anew each time and never exported."""

import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from stimuli.experiment import Experiment, ExperimentError
from stimuli.studyfile import ExperimentTable
from study.config import Procedure, Question, RatingTable, Recruitment, StudySettings, StudyTable
from study.storage.records import StudyKind

_Table = TypeVar("_Table", bound=Procedure)


@dataclass(frozen=True)
class PreviewSettings:
    """The settings of a preview, as `StudySettings`."""

    experiment: ExperimentTable
    study: StudyTable
    rating: RatingTable
    question: Sequence[Question]
    claim: Sequence[Any]


def preview_settings(settings: StudySettings) -> PreviewSettings:
    """Return the settings with a door that lets anybody in, whoever is recruited how: a preview asks for no invitation and no panel."""
    return PreviewSettings(
        settings.experiment, _with_open_door(settings.study), _with_open_door(settings.rating), settings.question, settings.claim
    )


def preview_database(experiment: Experiment, kind: StudyKind) -> str:
    """Return the address of an empty database for a preview that this process serves; what ended previews left behind is gone.

    Raises:
        ExperimentError: nobody may write there.
    """
    path = experiment.work / f"preview-{kind}-{os.getpid()}.sqlite"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExperimentError(f"{path}: cannot be made ({error.strerror}); give leave to write in {path.parent}") from error
    for left in path.parent.glob("preview-*.sqlite*"):
        number = re.search(r"-(\d+)\.sqlite", left.name)
        if number is None or int(number[1]) == os.getpid() or not _is_running(int(number[1])):
            with suppress(OSError):
                left.unlink()
    return f"sqlite:///{path.resolve()}"


def _with_open_door(table: _Table) -> _Table:
    return replace(table, recruitment=Recruitment(), participants=None)


def _is_running(process: int) -> bool:
    if sys.platform == "win32":
        # There no signal only asks, and a file in use cannot be removed anyway.
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # It is somebody else's.
        return True
    return True
