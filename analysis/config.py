"""The tables of study.toml that describe the analysis, and what must hold between them."""

from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from pydantic import Field

from stimuli.studyfile import ExperimentTable


@dataclass(frozen=True)
class AnalysisTable:
    """`[analysis]`: the error rate of intervals and verdicts, how many resamples, and for whom they hold."""

    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    resamples: Annotated[int, Field(ge=100, le=100_000)] = 1000
    scope: Literal["these"] = "these"


@dataclass(frozen=True)
class Claim:
    """`[[claim]]`: what the experimenter expects, written before the votes.

    `greater`: `a` is preferred to `b`. `order`: each of `items` is preferred to the next.
    """

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
    type: Literal["greater", "order"]
    a: str | None = None
    b: str | None = None
    items: tuple[str, ...] = ()


class AnalysisSettings(Protocol):
    """The part of study.toml that this room reads."""

    @property
    def experiment(self) -> ExperimentTable:
        """`[experiment]`."""
        ...

    @property
    def analysis(self) -> AnalysisTable:
        """`[analysis]`."""
        ...

    @property
    def claim(self) -> tuple[Claim, ...]:
        """Every `[[claim]]`."""
        ...
