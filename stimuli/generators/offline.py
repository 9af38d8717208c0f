"""The offline painter behind the protocol of generators."""

from collections.abc import Sequence

from PIL import Image

from stimuli.generators import GeneratorSpec
from stimuli.generators.sketch import VERSION, paint


class Sketch:
    """The offline painter, a stand-in for a diffusion model."""

    def __init__(self, size: int) -> None:
        self.spec = GeneratorSpec(name="sketch", version=str(VERSION), stand_in=True, settings={"size": size})
        self._size = size

    def render(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        """Return one painting for each prompt and its seed."""
        return [paint(prompt, seed=seed, size=self._size) for prompt, seed in zip(prompts, seeds, strict=True)]
