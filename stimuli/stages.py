"""The three kinds of work, each done once: what is asked, how it is done, and how the store remembers it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli.experiment import ExperimentError
from stimuli.generators import Generator, GeneratorSpec
from stimuli.progress import Report, silent
from stimuli.rewriters import Proposal, Question, Rewriter, RewriterSpec, propose, remembered
from stimuli.scorers import Scorer, ScorerSpec
from stimuli.store import Event, Request, Result, Store, key_of, png_of

Array = NDArray[np.float64]

_BATCH = 16


@dataclass(frozen=True)
class Render:
    """One image to be rendered."""

    prompt: str
    seed: int


# What is asked: the request that an answer is remembered under.


def render_request(generator: GeneratorSpec, wish: Render) -> Request:
    """Return what an image depends on."""
    return {"kind": "render", "generator": asdict(generator), "prompt": wish.prompt, "seed": wish.seed}


def refusal_request(render: Request) -> Request:
    """Return what it is remembered under that an image is refused for good."""
    return {**render, "kind": "refusal"}


def score_request(scorer: ScorerSpec, image: str, prompt: str) -> Request:
    """Return what a score depends on; the prompt counts only where the scorer needs it."""
    return {"kind": "score", "scorer": asdict(scorer), "image": image, "prompt": prompt if scorer.needs_prompt else None}


def proposal_request(rewriter: RewriterSpec, question: Question) -> Request:
    """Return what a proposal depends on."""
    return {"kind": "propose", "rewriter": asdict(rewriter), **asdict(question)}


# How it is done: without the store, wherever the parts are.


def painted(generator: Generator, wishes: Sequence[Render]) -> list[bytes]:
    """Return the PNG of each wish, as it is to be stored."""
    images = generator.render([wish.prompt for wish in wishes], [wish.seed for wish in wishes])
    if len(images) != len(wishes):
        raise ExperimentError(
            f'generator "{generator.spec.name}" gave {len(images)} images for {len(wishes)} prompts; expected one for each'
        )
    return [png_of(image, render_request(generator.spec, wish)) for wish, image in zip(wishes, images, strict=True)]


def judged(scorer: Scorer, images: Sequence[Image.Image], prompts: Sequence[str]) -> list[float]:
    """Return the score of each image, each a finite number."""
    scores = np.asarray(scorer.score(images, prompts), dtype=np.float64)
    if scores.shape != (len(images),):
        raise ExperimentError(
            f'scorer "{scorer.spec.name}" gave an array of shape {scores.shape} for {len(images)} images; expected one score for each'
        )
    if not np.isfinite(scores).all():
        raise ExperimentError(f'scorer "{scorer.spec.name}" gave a score that is no finite number; check its checkpoint and its images')
    return [float(score) for score in scores]


# How it is remembered.


def known_image(store: Store, request: Request) -> str | None:
    """Return the SHA-256 of an image that is in the store; a result whose image was deleted is forgotten."""
    sha256: str | None = store.answer(request)
    if sha256 is not None and not store.has_image(sha256):
        store.forget(request)
        return None
    return sha256


def known_proposal(store: Store, request: Request) -> Proposal | None:
    """Return a proposal that is in the store."""
    answer = store.answer(request)
    return remembered(answer) if answer else None


def keep_images(store: Store, requests: Sequence[Request], pngs: Sequence[bytes], *, news: Sequence[Event] = ()) -> list[str]:
    """Store images, and return the SHA-256 of each; each is whole on the disk before a result names it."""
    kept = store.keep_pngs(pngs)
    events = [
        {"event": "rendered", "key": key_of(request), "image": sha256, "prompt": request["prompt"], "seed": request["seed"]}
        for request, sha256 in zip(requests, kept, strict=True)
    ]
    store.remember([Result(request, sha256) for request, sha256 in zip(requests, kept, strict=True)], [*news, *events])
    return kept


def keep_scores(store: Store, requests: Sequence[Request], scores: Sequence[float], *, news: Sequence[Event] = ()) -> None:
    """Store scores."""
    results = [Result(request, score) for request, score in zip(requests, scores, strict=True)]
    events = [
        {"event": "scored", "scorer": result.request["scorer"]["name"], "image": result.request["image"], "score": result.answer}
        for result in results
    ]
    store.remember(results, [*news, *events])


def keep_proposals(store: Store, requests: Sequence[Request], proposals: Sequence[Proposal], *, news: Sequence[Event] = ()) -> None:
    """Store proposals, with the raw texts."""
    store.remember([Result(request, asdict(proposal)) for request, proposal in zip(requests, proposals, strict=True)], news)


# All of it, at once and in this process.


def rendered(store: Store, generator: Generator, wanted: Sequence[Render], *, report: Report = silent) -> list[str]:
    """Return the SHA-256 of each wanted image in the store, rendering those that are not there; equal wishes share one image."""
    requests = {wish: render_request(generator.spec, wish) for wish in wanted}
    known = {wish: sha256 for wish, request in requests.items() if (sha256 := known_image(store, request))}
    new = [wish for wish in requests if wish not in known]
    for start in range(0, len(new), _BATCH):
        batch = new[start : start + _BATCH]
        shas = keep_images(store, [requests[wish] for wish in batch], painted(generator, batch))
        known |= dict(zip(batch, shas, strict=True))
        report("images", len(known), len(requests))
    return [known[wish] for wish in wanted]


def scored(store: Store, scorer: Scorer, images: Sequence[str], prompts: Sequence[str]) -> Array:
    """Return the score of each stored image, shape (images,); the prompt counts only where the scorer needs it."""
    requests = [score_request(scorer.spec, image, prompt) for image, prompt in zip(images, prompts, strict=True)]
    scores = [store.answer(request) for request in requests]
    new = [index for index, score in enumerate(scores) if score is None]
    if new:
        fresh = judged(scorer, [store.image(images[index]) for index in new], [prompts[index] for index in new])
        keep_scores(store, [requests[index] for index in new], fresh)
        for index, score in zip(new, fresh, strict=True):
            scores[index] = score
    return np.array(scores, dtype=np.float64)


def proposed(store: Store, rewriter: Rewriter, question: Question) -> Proposal:
    """Return what the rewriter proposes, with the raw text it wrote."""
    request = proposal_request(rewriter.spec, question)
    proposal = known_proposal(store, request)
    if proposal is None:
        [proposal] = propose(rewriter, [question])
        keep_proposals(store, [request], [proposal])
    return proposal


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

    async def score(self, scorers: Sequence[Scorer], images: Sequence[str], prompts: Sequence[str]) -> Array:
        """Return what each scorer says of each image, shape (scorers, images)."""
        return np.stack([scored(self.store, scorer, images, prompts) for scorer in scorers])

    async def tell(self, event: dict[str, Any]) -> None:
        """Write what happened to the log of events."""
        self.store.remember([], [event])
