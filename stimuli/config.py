"""The tables of study.toml that describe the stimuli; what must hold between them is in `mistakes.py`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, Protocol

from pydantic import Field

from stimuli import predictors
from stimuli.generators.hosted import Hosted
from stimuli.groups import Group
from stimuli.imagesets import ImageSet
from stimuli.ratings import RatedData
from stimuli.rewriters import Rewriting
from stimuli.scorers.external import External
from stimuli.steering.chains import Steering
from stimuli.studyfile import ExperimentTable, text_of
from stimuli.workers import Workers

Name = Annotated[
    str,
    text_of(
        r"[a-z0-9][a-z0-9_-]{0,39}",
        expected="1 to 40 lower-case letters, digits, - and _, the first a letter or digit",
    ),
]
Device = Annotated[str, text_of(r"auto|cpu|cuda(:[0-9]{1,2})?", expected='"auto", "cpu", "cuda", or "cuda:1" and so on')]
UserId = Annotated[str, text_of(r"[A-Za-z0-9_-]{1,64}", expected="1 to 64 letters, digits, - and _")]


@dataclass(frozen=True)
class StimuliTable:
    """`[stimuli]`: who paints, who rewrites, who looks; image side in pixels; steps, guidance and memory for diffusion models.

    Without `steps` and `guidance` a generator uses its own: 50 and 4 for FLUX.2-dev, 4 steps and no guidance for FLUX.2 Klein.
    `text_encoder` reads prompts for the predictor ("none": it judges by pixels alone). `weights` says in which folders (relative to
    the experiment) the weights of a part lie, by its name, where that is not the hub's cache; `device` is where they run, and
    `memory` how a generator fits into it.
    """

    generator: str = "sketch"
    rewriter: str = "vocabulary"
    encoder: str = "image-statistics"
    text_encoder: str = "none"
    predictor: str = predictors.BAYES
    device: Device = "auto"
    size: Annotated[int, Field(ge=64, le=2048)] = 256
    steps: Annotated[int, Field(ge=1, le=1000)] | None = None
    guidance: Annotated[float, Field(ge=0, le=50)] | None = None
    memory: str = "auto"
    steering: Steering = field(default_factory=Steering)
    rewriting: Rewriting = field(default_factory=Rewriting)
    hosted: Hosted = field(default_factory=Hosted)
    workers: Workers = field(default_factory=Workers)
    ratings: RatedData = field(default_factory=RatedData)
    image_set: ImageSet = field(default_factory=ImageSet)
    rates: dict[str, Annotated[float, Field(gt=0)]] = field(default_factory=dict)
    external: dict[str, External] = field(default_factory=dict)
    weights: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Prompt:
    """`[[prompt]]`: one base prompt."""

    id: Name
    text: Annotated[str, Field(min_length=1, max_length=4000)]


@dataclass(frozen=True)
class Condition:
    """`[[condition]]`: one way to make an image from a base prompt.

    Without a scorer the base prompt is rendered as it is. With one, its prompt is steered toward that scorer; the
    scorer "personal" predicts the taste of each of `targets` (people, or groups by name), and makes one image for each of them;
    `targets_from` = "ratings" is short for everybody who rated enough images in this experiment's own rating study. The scorer
    "placebo" takes targets too: each has scores of their own that know nothing, a floor for claims about agreement.
    `images` takes ready-made images instead: a path in which `{prompt}` stands for the prompt's id.
    """

    name: Name
    scorer: str | None = None
    targets: tuple[UserId, ...] = ()
    targets_from: Literal["ratings"] | None = None
    images: str | None = None

    @property
    def is_personal(self) -> bool:
        """Whether it makes images for single people."""
        return bool(self.targets) or self.targets_from is not None


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

    @property
    def group(self) -> tuple[Group, ...]:
        """Every `[[group]]`."""
        ...


def own_image(folder: Path, pattern: str, prompt: str) -> Path:
    """Return the path of a researcher's own image for one prompt; patterns are relative to the experiment's folder."""
    return folder / pattern.replace("{prompt}", prompt)
