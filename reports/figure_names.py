"""What the figures of a report are called, on the command line and as files; nothing is drawn here."""

import re

from stimuli.experiment import ExperimentError
from stimuli.studyfile import did_you_mean

NAMES = (
    "scores",
    "contrasts",
    "win_rates",
    "by_participant",
    "by_prompt",
    "participants",
    "steering",
    "runs",
    "predictor_margins",
    "predictor_context",
    "predictor_matching",
    "predictor_disagreements",
)
# What a figure is also known as.
ALSO = {"elo": "scores"}
LISTED = ", ".join((*ALSO, *NAMES)).replace("runs,", "runs (and runs_2 and so on for further conditions),")
# Each condition that was steered more than once has a figure of its own.
_FURTHER = re.compile(r"runs_([2-9]|[1-9]\d+)")


def named(name: str) -> str:
    """Return the name of the file that a figure is in.

    Raises:
        ExperimentError: no figure is called so.
    """
    found = ALSO.get(name, name)
    if found not in NAMES and not _FURTHER.fullmatch(found):
        raise ExperimentError(f"--only {name}: no figure is called so; {did_you_mean(name, (*ALSO, *NAMES))}. The figures are {LISTED}")
    return found
