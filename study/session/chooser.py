"""The port for active onboarding: who says which image a participant of a rating study is asked next."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast

from stimuli.experiment import ExperimentError

# How a server process learns who chooses: "module:function", where function(folder of the experiment) returns a Chooser.
CHOOSER_VARIABLE = "TASTEBENCH_CHOOSER"


class Chooser(Protocol):
    """Chooses what to ask next."""

    def __call__(self, rated: Mapping[str, float], candidates: Sequence[str]) -> str:
        """Return one of `candidates` (ids of images), given what this participant has rated so far (1 to 5, by image)."""
        ...


def named_chooser(name: str | None, *, folder: Path) -> Chooser:
    """Return the chooser that `name` ("module:function") makes for the experiment in `folder`.

    Without a name, return one that says so as soon as it is asked: a study can be laid out where nobody takes it.

    Raises:
        ExperimentError: nothing that can be called is found under the name.
    """
    if not name:
        return _nobody
    module, _, function = name.partition(":")
    try:
        made = cast("Callable[[Path], Chooser]", getattr(importlib.import_module(module), function))
    except (ImportError, AttributeError, ValueError) as error:
        raise ExperimentError(f'{CHOOSER_VARIABLE} is "{name}", which is no module:function that can be found ({error})') from error
    return made(folder)


def _nobody(rated: Mapping[str, float], candidates: Sequence[str]) -> str:  # noqa: ARG001 - a chooser's signature
    raise ExperimentError(
        f'[rating] has order = "active", and nothing says what chooses the next image; set {CHOOSER_VARIABLE}="module:function", '
        'where function(FOLDER) returns the chooser, or write order = "random"'
    )
