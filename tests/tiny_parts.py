"""Tiny parts that spawned workers can import: what they make depends on nothing but what they are asked, and they can go wrong."""

import hashlib
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli.generators import GeneratorSpec
from stimuli.rewriters import Ask, RewriterSpec, Written
from stimuli.scorers import ScorerSpec


def digits(*words: str | int) -> bytes:
    return hashlib.sha256("\x1f".join(map(str, words)).encode()).digest()


@dataclass(frozen=True)
class TinyGenerator:
    """Images of 8 pixels, or of `noise` pixels that no compression makes small. It writes a line for each render to `log`; it fails
    on a prompt with `poison` in it, or on more than `most` at once; it kills its process on a prompt with `deadly` in it, or once
    where it finds the file `trap`."""

    log: Path | None = None
    pause: float = 0.0
    poison: str = "\x00"
    deadly: str = "\x00"
    most: int = 1000
    trap: Path | None = None
    noise: int = 0

    spec = GeneratorSpec("tiny", "1", stand_in=True, settings={"size": 8})

    def render(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        if len(prompts) > self.most:
            import torch

            raise torch.cuda.OutOfMemoryError(f"{len(prompts)} images do not fit")
        return [self._one(prompt, seed) for prompt, seed in zip(prompts, seeds, strict=True)]

    def _one(self, prompt: str, seed: int) -> Image.Image:
        if self.deadly in prompt or self._sprung():
            os.kill(os.getpid(), signal.SIGKILL)
        if self.poison in prompt:
            raise ValueError("no such paint")
        time.sleep(self.pause)
        if self.log:
            with self.log.open("a") as log:
                log.write(f"{seed} {prompt}\n")
        if self.noise:
            return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (self.noise, self.noise, 3), np.uint8))
        return Image.fromarray(np.frombuffer(digits(prompt, seed) * 6, np.uint8).reshape(8, 8, 3))

    def _sprung(self) -> bool:
        """Return true to the first who looks."""
        if self.trap is None:
            return False
        try:
            self.trap.unlink()
        except FileNotFoundError:
            return False
        return True


class TinyRewriter:
    spec = RewriterSpec("tiny", "1", stand_in=True)

    def write(self, asks: Sequence[Ask]) -> list[Written]:
        return [Written(self._lines(ask)) for ask in asks]

    def _lines(self, ask: Ask) -> str:
        best = ask.history[-1].prompt
        return "\n".join(f"{line}. {ask.base_prompt} {digits(best, ask.seed, line).hex()[:10]}" for line in range(1, ask.number + 1))


@dataclass(frozen=True)
class TinyScorer:
    name: str
    needs_prompt: bool = False
    poison: str = "\x00"

    @property
    def spec(self) -> ScorerSpec:
        return ScorerSpec(self.name, "1", 0, 255, higher_is_better=True, needs_prompt=self.needs_prompt, stand_in=True)

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> NDArray[np.float64]:
        if any(self.poison in prompt for prompt in prompts):
            raise ValueError("no such taste")
        return np.array([self._one(image, prompt) for image, prompt in zip(images, prompts, strict=True)])

    def _one(self, image: Image.Image, prompt: str) -> float:
        told = digits(self.name, prompt if self.needs_prompt else "")[0]
        return float(np.asarray(image).mean()) + told / 256
