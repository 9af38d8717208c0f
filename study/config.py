"""The table of study.toml that describes the study people take."""

from dataclasses import dataclass, field
from typing import Annotated, Literal, Protocol

from pydantic import Field

from stimuli.studyfile import ExperimentTable

Text = Annotated[str, Field(min_length=1, max_length=20_000)]

CONSENT = """\
You will see pairs of images and say which one you prefer. There are no right or wrong answers. We store your answers, when \
and how you gave them (how long it took, with mouse or keys, the size of your window, whether you left the page) and the id you \
arrived with, and nothing else about you. Taking part is voluntary: you may stop at any moment by closing the page."""

INSTRUCTIONS = """\
Two images will appear side by side, both made for the same short description. Choose the one you prefer, by clicking it or \
with the arrow keys. Follow your own taste and your first impression. We begin with a few pairs for practice, which do not count."""

THANKS = """Thank you. All your answers are stored, and you may close this page."""


@dataclass(frozen=True)
class Simulation:
    """`[study.simulation]`: how simulated participants answer.

    A choice is logistic in the difference of true utilities times `sensitivity`, plus a personal leaning to one side
    (standard deviation `side_bias`, logits); a share `lapse` of answers is a coin flip.
    """

    sensitivity: Annotated[float, Field(ge=0)] = 1.0
    side_bias: Annotated[float, Field(ge=0)] = 0.1
    lapse: Annotated[float, Field(ge=0, le=1)] = 0.05


@dataclass(frozen=True)
class StudyTable:
    """`[study]`: what participants read, and how many practice pairs come first. `min_ms` is the fastest answer that counts."""

    question: Text = "Which image do you prefer?"
    consent: Text = CONSENT
    instructions: Text = INSTRUCTIONS
    thanks: Text = THANKS
    pairs: Literal["all"] = "all"
    practice: Annotated[int, Field(ge=0, le=20)] = 2
    min_ms: Annotated[int, Field(ge=0, le=10_000)] = 400
    simulation: Simulation = field(default_factory=Simulation)


class StudySettings(Protocol):
    """The part of study.toml that this room reads."""

    @property
    def experiment(self) -> ExperimentTable:
        """`[experiment]`."""
        ...

    @property
    def study(self) -> StudyTable:
        """`[study]`."""
        ...
