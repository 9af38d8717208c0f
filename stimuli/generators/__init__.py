"""Generators: prompts and seeds in, images out; one protocol for the offline painter and for diffusion models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from stimuli.experiment import ExperimentError
from stimuli.generators.hosted import Hosted
from stimuli.machine.hardware import Means
from stimuli.parts import Shelf

SHELF = Shelf(
    role="generator",
    here=("sketch", "flux2", "flux2-klein", "nano-banana"),
    later={},
    instead="sketch",
)


class UnpaintableError(ExperimentError):
    """This prompt is refused for good, as too long or by a filter; other prompts are not touched by that."""


@dataclass(frozen=True)
class GeneratorSpec:
    """What an image depends on besides prompt and seed. `settings` holds every setting that changes images."""

    name: str
    version: str
    stand_in: bool
    settings: Mapping[str, float | str]


class Generator(Protocol):
    """Anything that renders prompts."""

    @property
    def spec(self) -> GeneratorSpec:
        """What the images depend on."""
        ...

    def render(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        """Return one RGB image for each prompt and its seed."""
        ...


@dataclass(frozen=True)
class Rendering:
    """How images are made: `size` pixels a side; `steps`, `guidance` and `memory` (the preset of a card) for diffusion models.

    None is the model's own number: 50 steps and guidance 4 for FLUX.2-dev, 4 steps and no guidance for FLUX.2 Klein.
    `beside` is how many GiB the other models of the study take on the same card.
    """

    size: int
    steps: int | None = None
    guidance: float | None = None
    memory: str = "auto"
    beside: float = 0.0


def make(name: str, *, rendering: Rendering, means: Means | None = None, hosted: Hosted | None = None) -> Generator:
    """Return a generator by name; its weights, if it has any, are loaded when it renders first.

    Raises:
        UnknownPartError: the name is unknown, or comes with a later version.
    """
    if name == "sketch":
        from stimuli.generators.offline import Sketch

        return Sketch(rendering.size)
    if name in ("flux2", "flux2-klein"):
        from stimuli.generators.flux2 import Flux2

        return Flux2(name, rendering=rendering, means=means)
    if name == "nano-banana":
        from stimuli.generators.nano_banana import NanoBanana

        return NanoBanana(hosted or Hosted(), size=rendering.size)
    raise SHELF.refusal(name)
