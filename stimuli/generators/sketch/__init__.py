"""Sketch: the offline painter, which turns words into small painted pictures with numpy and Pillow."""

from PIL import Image

from stimuli.experiment import ExperimentError
from stimuli.generators.sketch.compose import compose
from stimuli.generators.sketch.look import read_look
from stimuli.generators.sketch.scene import read_scene

VERSION = "2"


def paint(prompt: str, *, seed: int, size: int) -> Image.Image:
    """Return a painting of what the words say, RGB, `size` x `size` pixels; the same arguments give the same bytes.

    It is a stand-in for a diffusion model: it knows a few hundred words and passes over the others.

    Raises:
        ExperimentError: the prompt is empty or the size is not positive.
    """
    if not prompt.strip():
        raise ExperimentError("a prompt is empty; the painter needs at least one word that says what to paint")
    if size < 1:
        raise ExperimentError(f"an image of {size} pixels a side was asked for; the least is 1")
    return compose(read_scene(prompt), read_look(prompt), seed=seed, size=size)
