"""The steering loop: propose, generate, score, keep the best, repeat (PAMELA, section 5).

A chain is a coroutine that asks for work through `Stages`; who does the work, and how many chains run at once, is decided elsewhere.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from stimuli.progress import Report, silent
from stimuli.rewriters import Proposal, Tried
from stimuli.scorers import Scorer
from stimuli.seeds import seed_for
from stimuli.stages import Question, Render

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Steering:
    """`[stimuli.steering]`: the loop of PAMELA, section 5, after MILS (arXiv 2501.18096); the defaults are the paper's.

    Each iteration proposes `candidates` rewritten prompts and keeps the `keep` best so far as context for the next;
    it stops after `iterations`, or after `patience` iterations in a row without a better score.
    A personal scorer takes off `caution` standard deviations of what is not known of the person's taste.
    """

    candidates: Annotated[int, Field(ge=1, le=200)] = 20
    iterations: Annotated[int, Field(ge=1, le=100)] = 5
    patience: Annotated[int, Field(ge=1)] = 2
    keep: Annotated[int, Field(ge=1)] = 1
    caution: Annotated[float, Field(ge=0, le=10)] = 0.0


@dataclass(frozen=True)
class Chain:
    """One base prompt to be steered toward one scorer.

    `image_seed` is the same for all chains of a prompt, so that their images differ by wording only; `seed` is the chain's own.
    """

    prompt: str
    base_prompt: str
    condition: str
    target_user: str | None
    run: int
    scorer: Scorer
    image_seed: int
    seed: int

    @property
    def name(self) -> str:
        """A readable name, unique within an experiment."""
        return "/".join([self.prompt, self.condition, *([self.target_user] if self.target_user else []), str(self.run)])


@dataclass(frozen=True)
class Candidate:
    """A prompt, its image (SHA-256 in the store) and the scorer's score."""

    prompt: str
    image: str
    score: float


@dataclass(frozen=True)
class Iteration:
    """The best candidate of a chain after one iteration; iteration 0 is the base prompt."""

    number: int
    best: Candidate


class Stages(Protocol):
    """Who does the work of a chain."""

    async def propose(self, question: Question) -> Proposal:
        """Return new prompts."""
        ...

    async def render(self, wanted: Sequence[Render]) -> list[str]:
        """Return the SHA-256 of each image."""
        ...

    async def score(self, scorer: Scorer, images: Sequence[str], prompts: Sequence[str]) -> Array:
        """Return the score of each image, shape (images,)."""
        ...

    async def tell(self, event: dict[str, Any]) -> None:
        """Write what happened to the log of events."""
        ...


def steer_all(chains: Sequence[Chain], steering: Steering, stages: Stages, *, report: Report = silent) -> list[list[Iteration]]:
    """Return the course of each chain, one chain after the other; `report` counts iterations of all chains."""
    total = len(chains) * steering.iterations
    courses = []
    for index, chain in enumerate(chains):

        def progress(what: str, done: int, of: int, before: int = index * steering.iterations) -> None:  # noqa: ARG001 - a Report
            report("steering", before + done, total)

        courses.append(asyncio.run(steer(chain, steering, stages, report=progress)))
    return courses


async def steer(chain: Chain, steering: Steering, stages: Stages, *, report: Report = silent) -> list[Iteration]:
    """Return the best candidate after each iteration, from the base prompt (iteration 0) on; `report` counts iterations."""
    tried = await _judge(chain, [chain.base_prompt], stages)
    course = [Iteration(0, tried[0])]
    reason = "iterations"
    for number in range(1, steering.iterations + 1):
        report(chain.name, number - 1, steering.iterations)
        tried += await _judge(chain, await _reword(chain, tried, number, steering, stages), stages)
        best = _best(chain, tried, 1)[0]
        course.append(Iteration(number, best))
        if best != course[-2].best:
            await stages.tell({"event": "accepted", "chain": chain.name, "iteration": number, "prompt": best.prompt, "score": best.score})
        if len(course) > steering.patience and course[-1 - steering.patience].best == best:
            reason = "patience"
            break
    await stages.tell(
        {"event": "stopped", "chain": chain.name, "iteration": course[-1].number, "reason": reason, "score": course[-1].best.score}
    )
    report(chain.name, steering.iterations, steering.iterations)
    return course


async def _judge(chain: Chain, prompts: Sequence[str], stages: Stages) -> list[Candidate]:
    if not prompts:
        return []
    images = await stages.render([Render(prompt, chain.image_seed) for prompt in prompts])
    scores = await stages.score(chain.scorer, images, prompts)
    return [Candidate(*candidate) for candidate in zip(prompts, images, scores.tolist(), strict=True)]


async def _reword(chain: Chain, tried: Sequence[Candidate], number: int, steering: Steering, stages: Stages) -> tuple[str, ...]:
    """Return new prompts; the rewriter always sees the base prompt, and the best ones after it."""
    context = dict.fromkeys([tried[0], *reversed(_best(chain, tried, steering.keep))])
    # A rewriter reads "higher is better", whatever the scorer's direction.
    direction = 1 if chain.scorer.spec.higher_is_better else -1
    history = tuple(Tried(candidate.prompt, direction * candidate.score) for candidate in context)
    known = tuple(candidate.prompt for candidate in tried)
    seed = seed_for(chain.seed, "rewriter", number)
    proposal = await stages.propose(Question(chain.base_prompt, history, known, steering.candidates, seed))
    await stages.tell(
        {
            "event": "proposed",
            "chain": chain.name,
            "iteration": number,
            "asked": proposal.asked,
            "got": len(proposal.prompts),
            "repaired": len(proposal.raw) > 1,
        }
    )
    return proposal.prompts


def _best(chain: Chain, tried: Sequence[Candidate], number: int) -> list[Candidate]:
    """Return the best candidates, best first; of equals the earlier."""
    direction = -1 if chain.scorer.spec.higher_is_better else 1
    return sorted(tried, key=lambda candidate: direction * candidate.score)[:number]
