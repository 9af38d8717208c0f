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
    """`[stimuli]`: who paints, who rewrites, who looks, and on what machine."""

    generator: str = "sketch"
    """Who makes images from prompts."""
    rewriter: str = "vocabulary"
    """Who proposes other wordings of a prompt."""
    encoder: str = "image-statistics"
    """What turns images into numbers for the predictor."""
    text_encoder: str = "none"
    """What turns prompts into numbers for the predictor; with "none" it judges by pixels alone."""
    predictor: str = predictors.BAYES
    """The model of one person's taste that learns from ratings."""
    device: Device = "auto"
    """Where weights run."""
    size: Annotated[int, Field(ge=64, le=2048)] = 256
    """Side of an image, in pixels."""
    steps: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Denoising steps of a diffusion model; without it the generator's own: 50 for FLUX.2-dev, 4 for FLUX.2 Klein."""
    guidance: Annotated[float, Field(ge=0, le=50)] | None = None
    """Guidance scale of a diffusion model; without it the generator's own: 4 for FLUX.2-dev, none for FLUX.2 Klein."""
    memory: str = "auto"
    """How a generator fits on the card: "auto", "141gb", "80gb", "48gb" or "24gb"."""
    steering: Steering = field(default_factory=Steering)
    rewriting: Rewriting = field(default_factory=Rewriting)
    hosted: Hosted = field(default_factory=Hosted)
    workers: Workers = field(default_factory=Workers)
    ratings: RatedData = field(default_factory=RatedData)
    image_set: ImageSet = field(default_factory=ImageSet)
    rates: dict[str, Annotated[float, Field(gt=0)]] = field(default_factory=dict)
    """Seconds that you measured for one image (of a rewriter: one token) of a part, by its name, for `stimuli plan`."""
    external: dict[str, External] = field(default_factory=dict)
    weights: dict[str, str] = field(default_factory=dict)
    """Folders, relative to the experiment, in which the weights of a part lie, by its name; without it the hub's cache."""


@dataclass(frozen=True)
class Prompt:
    """`[[prompt]]`: one base prompt."""

    id: Name
    """A short name, which stands in files and tables."""
    text: Annotated[str, Field(min_length=1, max_length=4000)]
    """The base prompt itself."""


@dataclass(frozen=True)
class Condition:
    """`[[condition]]`: one way to make an image from a base prompt.

    The scorer "personal" predicts the taste of each target, and one image is made for each of them. The scorer "placebo" takes
    targets too: each has scores of their own that know nothing, a floor for claims about agreement.
    """

    name: Name
    """What scores and claims call it."""
    scorer: str | None = None
    """What its prompt is steered toward; without one the base prompt is rendered as it is."""
    targets: tuple[UserId, ...] = ()
    """People, or groups by name, for each of whom an image is made; for the scorers "personal" and "placebo"."""
    targets_from: Literal["ratings"] | None = None
    """"ratings" is short for everybody who rated enough images in this experiment's own rating study."""
    images: str | None = None
    """Ready-made images in place of a scorer: a path relative to the experiment, in which `{prompt}` stands for the prompt's id."""

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
