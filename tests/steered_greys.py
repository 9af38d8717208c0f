"""Small parts for tests of the loop: images are one pixel of grey, prompts ask for it by number, scorers like light or dark."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli.generators import GeneratorSpec
from stimuli.rewriters import Ask, RewriterSpec, Tried, Written
from stimuli.scorers import ScorerSpec
from stimuli.stages import Alone
from stimuli.steering import steer
from stimuli.steering.chains import Chain, Course, Steering
from stimuli.store import Store


class Grey:
    """A generator whose images are one pixel of the grey that the last word of the prompt asks for; it counts what it renders."""

    def __init__(self, *, noise: int = 0, cursed: str | None = None) -> None:
        self.spec = GeneratorSpec("grey", "1", stand_in=True, settings={"noise": noise})
        self.noise, self.cursed = noise, cursed
        self.seen: list[tuple[str, int]] = []

    def render(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        if self.cursed is not None and any(self.cursed in prompt for prompt in prompts):
            raise RuntimeError("the painter fell off its ladder")
        self.seen += zip(prompts, seeds, strict=True)
        shades = [grey(prompt) + self.noise * (seed % 3 - 1) for prompt, seed in zip(prompts, seeds, strict=True)]
        return [Image.new("RGB", (1, 1), (shade, shade, shade)) for shade in shades]


def grey(prompt: str) -> int:
    word = prompt.rsplit(" ", 1)[-1]
    return int(word) if word.isdigit() else sum(prompt.encode()) % 256


class Counting:
    """A rewriter that counts upward from the best prompt so far, until `limit`, or down; it remembers what it was told."""

    spec = RewriterSpec("counting", "1", stand_in=True)

    def __init__(self, limit: int = 250, *, step: int = 1, mute: Sequence[int] = ()) -> None:
        self.limit, self.step, self.mute = limit, step, mute
        self.histories: list[tuple[Tried, ...]] = []

    def write(self, asks: Sequence[Ask]) -> list[Written]:
        return [Written(self._lines(ask)) for ask in asks]

    def _lines(self, ask: Ask) -> str:
        if ask.before is None:
            self.histories.append(ask.history)
        if len(self.histories) in self.mute:
            return "I cannot help with that."
        best = grey(max(ask.history, key=lambda tried: tried.score).prompt)
        return "\n".join(f"{line}. grey {max(0, min(best + self.step * line, self.limit))}" for line in range(1, ask.number + 1))


class Lightness:
    """A scorer that likes light images, or dark ones; it counts what it scores."""

    def __init__(self, name: str = "lightness", *, higher_is_better: bool = True, broken: bool = False) -> None:
        self.spec = ScorerSpec(name, "1", 0, 255, higher_is_better, needs_prompt=False, stand_in=True)
        self.broken = broken
        self.scored = 0

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> NDArray[np.float64]:
        assert len(images) == len(prompts)
        self.scored += len(images)
        return np.array([np.nan if self.broken else float(np.asarray(image).mean()) for image in images])


class Alike:
    """A guard: how near an image is to the grey that a text asks for, from 1 (the same) to 0 (100 or more apart)."""

    spec = ScorerSpec("alike", "1", 0, 1, higher_is_better=True, needs_prompt=True, stand_in=True)

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> NDArray[np.float64]:
        apart = [abs(float(np.asarray(image).mean()) - grey(prompt)) for image, prompt in zip(images, prompts, strict=True)]
        return np.maximum(0.0, 1 - np.array(apart) / 100)


CHAIN = Chain("p", "grey 100", "light", None, 1, Lightness(), image_seed=5, seed=6)
SMALL = Steering(candidates=4, iterations=3, patience=2, fresh_seeds=0)


def run(
    folder: Path, chain: Chain = CHAIN, steering: Steering = SMALL, *, rewriter: Counting | None = None, painter: Grey | None = None
) -> Course:
    """Return how a chain goes alone."""
    with Store(folder) as store:
        return asyncio.run(steer(chain, steering, Alone(store, painter or Grey(), rewriter or Counting())))
