"""Generators: prompts and seeds in, images out; one protocol for the offline painter and for diffusion models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from stimuli.parts import Shelf

SHELF = Shelf(
    role="generator",
    here=("sketch",),
    later={"flux2": "FLUX.2-dev", "flux2-klein": "FLUX.2 Klein"},
    instead="sketch",
)


@dataclass(frozen=True)
class GeneratorSpec:
    """What an image depends on besides prompt and seed. `settings` holds every setting that changes images."""

    name: str
    version: str
    stand_in: bool
    settings: Mapping[str, float]


class Generator(Protocol):
    """Anything that renders prompts."""

    @property
    def spec(self) -> GeneratorSpec:
        """What the images depend on."""
        ...

    def render(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        """Return one RGB image for each prompt and its seed."""
        ...


def make(name: str, *, size: int, steps: int, guidance: float) -> Generator:
    """Return a generator by name; `size` is in pixels a side, `steps` and `guidance` are for diffusion models.

    Raises:
        UnknownPartError: the name is unknown, or comes with a later version.
    """
    del steps, guidance  # The painter takes neither.
    if name == "sketch":
        from stimuli.generators.offline import Sketch

        return Sketch(size)
    raise SHELF.refusal(name)
