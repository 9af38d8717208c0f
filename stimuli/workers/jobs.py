"""What a worker is given and what it gives back. It has the parts and no store: images come and go as the bytes of a PNG."""

import gc
import io
import pickle
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from stimuli.experiment import ExperimentError
from stimuli.generators import Generator, UnpaintableError
from stimuli.rewriters import Question, Rewriter, propose
from stimuli.scorers import Scorer
from stimuli.stages import Render, judged, painted


@dataclass(frozen=True)
class Parts:
    """What every worker has: who paints, who rewrites, who judges. All of it is light and can be pickled."""

    generator: Generator
    rewriter: Rewriter
    scorers: tuple[Scorer, ...]

    @property
    def is_offline(self) -> bool:
        """Whether all of it is a stand-in, which no GPU makes faster."""
        return self.generator.spec.stand_in and self.rewriter.spec.stand_in and all(scorer.spec.stand_in for scorer in self.scorers)


@dataclass(frozen=True)
class Reword:
    """Questions for the rewriter; the answers are proposals."""

    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Paint:
    """Wishes for the generator; the answers are PNGs."""

    wishes: tuple[Render, ...]


@dataclass(frozen=True)
class Judge:
    """Images (PNGs) with their prompts for some of the scorers, by their places; the answers are each scorer's scores."""

    scorers: tuple[int, ...]
    pngs: tuple[bytes, ...]
    prompts: tuple[str, ...]


Job = Reword | Paint | Judge
# In the order of the job: a proposal, a PNG, or of each scorer its scores.
Answers = Sequence[Any]


@dataclass(frozen=True)
class Trouble:
    """Why a job was not done, in words, because not every exception can be sent; `is_memory` where it was too big for the memory.

    `is_refusal` where it would never be done, whoever is asked.
    """

    reason: str
    is_memory: bool = False
    is_refusal: bool = False


def perform(parts: Parts, job: Job) -> Answers | Trouble:
    """Return the answers, or why there are none."""
    try:
        return _answers(parts, job)
    except Exception as error:  # noqa: BLE001 - one bad item must not end the worker; the driver tells it
        trouble = Trouble(_reason(error), _is_memory(error), isinstance(error, UnpaintableError))
    # Only here, where the exception no longer holds what filled the memory.
    if trouble.is_memory:
        _tidy()
    return trouble


class Sent:
    """Parts that were sent to another process as bytes; they are unpacked there with the first job."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self._parts: Parts | None = None

    def perform(self, job: Job) -> Answers | Trouble:
        """Return the answers, or why there are none."""
        try:
            if self._parts is None:
                parts: Parts = pickle.loads(self._packed)
                self._parts = parts
        except Exception as error:  # noqa: BLE001 - what a module does when it is imported can fail in any way
            return Trouble(f"the parts cannot be made in the worker ({_reason(error)}); it needs the same packages as this machine")
        return perform(self._parts, job)


def _answers(parts: Parts, job: Job) -> Answers:
    match job:
        case Reword(questions):
            return propose(parts.rewriter, questions)
        case Paint(wishes):
            return painted(parts.generator, wishes)
        case Judge(scorers, pngs, prompts):
            images = [_opened(png) for png in pngs]
            return [judged(parts.scorers[place], images, prompts) for place in scorers]


def _opened(png: bytes) -> Image.Image:
    with Image.open(io.BytesIO(png)) as image:
        return image.convert("RGB")


def _reason(error: Exception) -> str:
    """Return what happened; of an error in a part also where, for who wrote the part."""
    if isinstance(error, ExperimentError):
        return str(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(last.filename).name}, line {last.lineno})"


def _is_memory(error: Exception) -> bool:
    """Return whether the memory was too small; PyTorch is asked only where it is in use."""
    torch = sys.modules.get("torch")
    return isinstance(error, MemoryError) or (torch is not None and isinstance(error, torch.cuda.OutOfMemoryError))


def _tidy() -> None:
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
