"""What is said of work that failed: which stage, which prompt, why, and what to do."""

from stimuli.experiment import ExperimentError
from stimuli.generators import UnpaintableError
from stimuli.rewriters import Question
from stimuli.stages import Render
from stimuli.workers.hands import LostWorkerError
from stimuli.workers.jobs import Parts, Trouble
from stimuli.workers.queues import Item, Sight

_SHOWN = 120

_TOO_BIG = {
    "rewrite": 'choose a rewriter that needs less, or a card with more; "longest" in [stimuli.rewriting] bounds what it writes',
    "render": 'choose a smaller "memory" preset or "size" in [stimuli]; `tastebench doctor` tells what fits',
    "score": 'choose a smaller "memory" preset in [stimuli], so that the generator leaves room, or fewer scorers',
}


def described(item: Item, parts: Parts, trouble: Trouble) -> ExperimentError:
    """Return the error for an item that failed alone."""
    reason = trouble.reason
    if trouble.is_memory:
        reason = f"the memory is too small for even one ({reason}); {_TOO_BIG[item.kind.stage]}"
    kind = UnpaintableError if trouble.is_refusal else ExperimentError
    return kind(f"{_work(item, parts)} failed: {reason}")


def _work(item: Item, parts: Parts) -> str:
    match item.task:
        case Question(base_prompt=prompt):
            return f'rewriting "{_short(prompt)}" by rewriter "{parts.rewriter.spec.name}"'
        case Render(prompt, seed):
            return f'rendering "{_short(prompt)}" (seed {seed}) by generator "{parts.generator.spec.name}"'
        case Sight(image, prompt):
            names = ", ".join(f'"{parts.scorers[place].spec.name}"' for place in item.kind.scorers)
            return f'scoring the image of "{_short(prompt)}" ({image[:12]}) by scorer {names}'


def _short(prompt: str) -> str:
    return prompt if len(prompt) <= _SHOWN else f"{prompt[: _SHOWN - 1]}…"


def no_worker_left(error: LostWorkerError, times: int) -> ExperimentError:
    """Return the error for when every place has lost its worker too often."""
    return ExperimentError(
        f"{error}, {times} times in a row, and no worker is left; this is what the system does to processes when memory runs out, so "
        'look at its log (dmesg), then lower "number" or the batches in [stimuli.workers]. What is done is kept'
    )


def unexpected(error: Exception) -> ExperimentError:
    """Return the error for what should not happen; the exception it came from is its cause."""
    told = ExperimentError(f"the workers stopped by an error of this program: {type(error).__name__}: {error}. What is done is kept")
    told.__cause__ = error
    return told
