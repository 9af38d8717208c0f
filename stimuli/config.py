"""The tables of study.toml that describe the stimuli, and what must hold between them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import Field

from stimuli.ratings import RatedData
from stimuli.steering import Steering
from stimuli.studyfile import ExperimentTable, Mistake

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
UserId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


@dataclass(frozen=True)
class StimuliTable:
    """`[stimuli]`: who paints, who rewrites, who looks; image side in pixels; steps and guidance for diffusion models."""

    generator: str = "sketch"
    rewriter: str = "vocabulary"
    encoder: str = "image-statistics"
    size: Annotated[int, Field(ge=64, le=2048)] = 256
    steps: Annotated[int, Field(ge=1, le=1000)] = 50
    guidance: Annotated[float, Field(ge=0, le=50)] = 4.0
    steering: Steering = field(default_factory=Steering)
    ratings: RatedData = field(default_factory=RatedData)


@dataclass(frozen=True)
class Prompt:
    """`[[prompt]]`: one base prompt."""

    id: Name
    text: Annotated[str, Field(min_length=1, max_length=4000)]


@dataclass(frozen=True)
class Condition:
    """`[[condition]]`: one way to make an image from a base prompt.

    Without a scorer the base prompt is rendered as it is. With one, its prompt is steered toward that scorer; the
    scorer "personal" predicts the taste of each of `targets`, and makes one image for each of them.
    `images` takes ready-made images instead: a path in which `{prompt}` stands for the prompt's id.
    """

    name: Name
    scorer: str | None = None
    targets: tuple[UserId, ...] = ()
    images: str | None = None


class StimuliSettings(Protocol):
    """The part of study.toml that this room reads."""

    @property
    def experiment(self) -> ExperimentTable:
        """`[experiment]`."""
        ...

    @property
    def stimuli(self) -> StimuliTable:
        """`[stimuli]`."""
        ...

    @property
    def prompt(self) -> tuple[Prompt, ...]:
        """Every `[[prompt]]`."""
        ...

    @property
    def condition(self) -> tuple[Condition, ...]:
        """Every `[[condition]]`."""
        ...


def mistakes(settings: StimuliSettings, folder: Path) -> Iterator[Mistake]:
    """Yield what is wrong between the tables although each is well-formed."""
    raise NotImplementedError
