"""The three kinds of work, each done once: rewriting, rendering and scoring go through the store, which remembers every answer."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stimuli.experiment import ExperimentError
from stimuli.generators import Generator
from stimuli.progress import Report, silent
from stimuli.rewriters import Proposal, Rewriter, Tried, propose
from stimuli.scorers import Scorer
from stimuli.store import Request, Result, Store, key_of

Array = NDArray[np.float64]

_BATCH = 16


@dataclass(frozen=True)
class Render:
    """One image to be rendered."""

    prompt: str
    seed: int


def rendered(store: Store, generator: Generator, wanted: Sequence[Render], *, report: Report = silent) -> list[str]:
    """Return the SHA-256 of each wanted image in the store, rendering those that are not there; equal wishes share one image."""
    spec = asdict(generator.spec)
    requests = [{"kind": "render", "generator": spec, "prompt": wish.prompt, "seed": wish.seed} for wish in wanted]
    known = {key: sha256 for key, sha256 in ((key_of(request), _known_image(store, request)) for request in requests) if sha256}
    new = {key_of(request): request for request in requests if key_of(request) not in known}
    waiting = list(new.items())
    for start in range(0, len(waiting), _BATCH):
        known |= _render_batch(store, generator, waiting[start : start + _BATCH])
        report("images", len(known), len(known) + len(waiting) - min(start + _BATCH, len(waiting)))
    return [known[key_of(request)] for request in requests]


def _known_image(store: Store, request: Request) -> str | None:
    sha256 = store.answer(request)
    if sha256 is not None and not store.has_image(sha256):
        store.forget(request)
        return None
    return sha256


def _render_batch(store: Store, generator: Generator, batch: Sequence[tuple[str, Request]]) -> dict[str, str]:
    images = generator.render([request["prompt"] for _, request in batch], [request["seed"] for _, request in batch])
    kept = {key: store.keep_image(image, request) for (key, request), image in zip(batch, images, strict=True)}
    events = [
        {"event": "rendered", "key": key, "image": kept[key], "prompt": request["prompt"], "seed": request["seed"]}
        for key, request in batch
    ]
    store.remember([Result(request, kept[key]) for key, request in batch], events)
    return kept


def scored(store: Store, scorer: Scorer, images: Sequence[str], prompts: Sequence[str]) -> Array:
    """Return the score of each stored image, shape (images,); the prompt counts only where the scorer needs it."""
    spec = asdict(scorer.spec)
    texts = [prompt if scorer.spec.needs_prompt else None for prompt in prompts]
    requests = [{"kind": "score", "scorer": spec, "image": image, "prompt": text} for image, text in zip(images, texts, strict=True)]
    scores = [store.answer(request) for request in requests]
    new = [index for index, score in enumerate(scores) if score is None]
    if new:
        fresh = scorer.score([store.image(images[index]) for index in new], [prompts[index] for index in new])
        if not np.isfinite(fresh).all():
            raise ExperimentError(f'scorer "{scorer.spec.name}" gave a score that is no finite number; check its checkpoint and its images')
        for index, score in zip(new, fresh.tolist(), strict=True):
            scores[index] = score
        events = [{"event": "scored", "scorer": scorer.spec.name, "image": images[index], "score": scores[index]} for index in new]
        store.remember([Result(requests[index], scores[index]) for index in new], events)
    return np.array(scores, dtype=np.float64)


@dataclass(frozen=True)
class Question:
    """What a rewriter is asked: `number` new wordings of `base_prompt`, given `history`; `known` prompts do not count as new."""

    base_prompt: str
    history: tuple[Tried, ...]
    known: tuple[str, ...]
    number: int
    seed: int


def proposed(store: Store, rewriter: Rewriter, question: Question) -> Proposal:
    """Return what the rewriter proposes, with the raw text it wrote."""
    request = {"kind": "propose", "rewriter": asdict(rewriter.spec), **asdict(question)}
    answer = store.answer(request)
    if answer is None:
        proposal = propose(rewriter, question.base_prompt, question.history, question.number, known=question.known, seed=question.seed)
        store.remember([Result(request, asdict(proposal))])
        return proposal
    return Proposal(tuple(answer["prompts"]), tuple(answer["raw"]), answer["asked"])


@dataclass(frozen=True)
class Alone:
    """The stages of a chain (`stimuli.steering.Stages`) that do each piece of work at once, in this process."""

    store: Store
    generator: Generator
    rewriter: Rewriter

    async def propose(self, question: Question) -> Proposal:
        """Return new prompts."""
        return proposed(self.store, self.rewriter, question)

    async def render(self, wanted: Sequence[Render]) -> list[str]:
        """Return the SHA-256 of each image."""
        return rendered(self.store, self.generator, wanted)

    async def score(self, scorer: Scorer, images: Sequence[str], prompts: Sequence[str]) -> Array:
        """Return the score of each image, shape (images,)."""
        return scored(self.store, scorer, images, prompts)

    async def tell(self, event: dict[str, Any]) -> None:
        """Write what happened to the log of events."""
        self.store.remember([], [event])
