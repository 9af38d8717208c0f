"""What a report reads of study.toml, and `[report]`: what only the researchers know of their study and a reviewer asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from pydantic import Field

from stimuli.studyfile import ExperimentTable

Words = Annotated[str, Field(min_length=1, max_length=4000)]


@dataclass(frozen=True)
class ReportTable:
    """`[report]`: what no file of the study tells. All of it is printed as it stands; what is left out is printed as NOT REPORTED.

    `registration`: where the study was registered before the votes, `deviations` from it ("none" is an answer), `ethics`: who
    approved the study, or why nobody had to, `recruitment`: how people were found, `pay`: what they got, `data`: where votes and
    images can be had.
    """

    registration: Words | None = None
    deviations: Words | None = None
    ethics: Words | None = None
    recruitment: Words | None = None
    pay: Words | None = None
    data: Words | None = None


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
