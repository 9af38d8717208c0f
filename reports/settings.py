"""What a report reads of study.toml, and `[report]`: what only the researchers know of their study and a reviewer asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from pydantic import Field

from stimuli.studyfile import ExperimentTable

Words = Annotated[str, Field(min_length=1, max_length=4000)]


@dataclass(frozen=True)
class ReportTable:
    """`[report]`: what no file of the study tells. All of it is printed as it stands; what is left out is printed as NOT REPORTED."""

    registration: Words | None = None
    """Where the study was registered before the votes."""
    deviations: Words | None = None
    """What was done otherwise than registered, and why; "none" is an answer."""
    ethics: Words | None = None
    """Who approved the study, or why nobody had to."""
    recruitment: Words | None = None
    """How people were found."""
    pay: Words | None = None
    """What they got."""
    images: Words | None = None
    """How images of your own were made: models, settings, seeds."""
    data: Words | None = None
    """Where votes and images can be had."""


class ReportSettings(Protocol):
    """The part of study.toml that this room reads. Tables that other rooms own are known there; here they are only told."""

    @property
    def experiment(self) -> ExperimentTable:
        """`[experiment]`."""
        ...

    @property
    def stimuli(self) -> Any:
        """`[stimuli]`."""
        ...

    @property
    def condition(self) -> Sequence[Any]:
        """Every `[[condition]]`."""
        ...

    @property
    def study(self) -> Any:
        """`[study]`."""
        ...

    @property
    def question(self) -> Sequence[Any]:
        """Every `[[question]]`."""
        ...

    @property
    def analysis(self) -> Any:
        """`[analysis]`."""
        ...

    @property
    def exclusion(self) -> Sequence[Any]:
        """Every `[[exclusion]]`."""
        ...

    @property
    def claim(self) -> Sequence[Any]:
        """Every `[[claim]]`."""
        ...

    @property
    def report(self) -> ReportTable:
        """`[report]`."""
        ...
