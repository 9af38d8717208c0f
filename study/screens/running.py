"""The study that this server process runs: opened once, and shared by its pages and its addresses."""

import os
from functools import cache
from pathlib import Path

from stimuli.experiment import ExperimentError
from study.session import Session, open_running

# How the server process learns which database to serve.
DATABASE_VARIABLE = "TASTEBENCH_DATABASE"
# Holds the key that stands for a participant.
COOKIE = "study"


@cache
def session() -> Session:
    """Return the study whose database the environment names.

    Raises:
        ExperimentError: this process was not started by `tastebench study serve`.
    """
    path = os.environ.get(DATABASE_VARIABLE)
    if not path:
        raise ExperimentError(f"{DATABASE_VARIABLE} is not set; start the study with `tastebench study serve FOLDER`")
    return open_running(Path(path))
