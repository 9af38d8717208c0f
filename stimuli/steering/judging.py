"""What is measured of candidates: rendered, scored, held against the base prompt; and once more with fresh seeds where a chain ends."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stimuli.generators import UnpaintableError
from stimuli.scorers import Scorer
from stimuli.stages import Render
from stimuli.steering.chains import Array, Candidate, Chain, Rescored, Stages, Steering


async def judged(
    chain: Chain, prompts: Sequence[str], steering: Steering, stages: Stages, *, initial: Candidate | None = None
) -> list[Candidate]:
    """Return prompts as candidates; those that fit the base prompt too little beside the `initial` image are rejected.

    A rewording that the generator refuses for good is left out, and told; where the base prompt is refused there is no chain.
    """
    seeds = chain.seeds(steering.seeds)
    drawn = await _drawn(chain, prompts, seeds, stages, is_base=initial is None)
    if not drawn:
        return []
    prompts, images = list(drawn), [image for of_one in drawn.values() for image in of_one]
    onlookers = chain.logged if steering.log == "all" else ()
    own = await _means([chain.scorer, *onlookers], images, [prompt for prompt in prompts for _ in seeds], len(seeds), stages)
    guards = [chain.guard.scorer] if chain.guard else []
    held_out = chain.held_out if steering.log == "all" else ()
    of_base = await _means([*guards, *held_out], images, [chain.base_prompt] * len(images), len(seeds), stages)
    likeness = of_base[0].tolist() if guards else [None] * len(prompts)
    others = np.concatenate([own[1:], of_base[len(guards) :]]).T.tolist()
    names = [scorer.spec.name for scorer in (*onlookers, *held_out)]
    return [
        Candidate(
            prompt=prompt,
            images=tuple(images[place * len(seeds) : (place + 1) * len(seeds)]),
            score=float(own[0, place]),
            likeness=likeness[place],
            rejected=_drifted(chain, likeness[place], initial),
            others=tuple(zip(names, others[place], strict=True)),
        )
        for place, prompt in enumerate(prompts)
    ]


async def _drawn(chain: Chain, prompts: Sequence[str], seeds: Sequence[int], stages: Stages, *, is_base: bool) -> dict[str, Sequence[str]]:
    """Return the images of each prompt that the generator does not refuse for good."""
    wishes = [[Render(prompt, seed) for seed in seeds] for prompt in prompts]
    answers: Sequence[list[str] | BaseException]
    try:
        images = await stages.render([wish for some in wishes for wish in some]) if wishes else []
        answers = [images[start : start + len(seeds)] for start in range(0, len(images), len(seeds))]
    except UnpaintableError:
        if is_base:
            raise
        answers = await asyncio.gather(*map(stages.render, wishes), return_exceptions=True)
    drawn: dict[str, Sequence[str]] = {}
    for prompt, answer in zip(prompts, answers, strict=True):
        if isinstance(answer, UnpaintableError):
            await stages.tell({"event": "refused", "chain": chain.name, "prompt": prompt, "error": str(answer)})
        elif isinstance(answer, BaseException):
            raise answer
        else:
            drawn[prompt] = answer
    return drawn


async def seen_by_held_out(chain: Chain, candidate: Candidate, stages: Stages) -> Candidate:
    """Return the candidate with what the held-out scorers say of it, where they have not said it yet."""
    known = dict(candidate.others)
    missing = [scorer for scorer in chain.held_out if scorer.spec.name not in known]
    if not missing:
        return candidate
    count = len(candidate.images)
    told = await _means(missing, candidate.images, [chain.base_prompt] * count, count, stages)
    added = zip((scorer.spec.name for scorer in missing), told[:, 0].tolist(), strict=True)
    return replace(candidate, others=(*candidate.others, *added))


async def rescored(chain: Chain, first: Candidate, last: Candidate, steering: Steering, stages: Stages) -> tuple[Rescored, ...]:
    """Return how a chain's last and first prompt do with seeds that nothing was chosen by: the steering scorer, then those held out."""
    scorers, number = [chain.scorer, *chain.held_out], steering.fresh_seeds
    prompts = (last.prompt, first.prompt)
    images = await stages.render([Render(prompt, seed) for prompt in prompts for seed in chain.fresh_seeds(number)])
    texts = [prompt for prompt in prompts for _ in range(number)]
    steered = await _means([chain.scorer], images, texts, number, stages)
    held_out = await _means(list(chain.held_out), images, [chain.base_prompt] * len(texts), number, stages)
    fresh = np.concatenate([steered, held_out])
    return tuple(
        Rescored(
            scorer=scorer.spec,
            held_out=place > 0,
            shown=_score(last, scorer, chain),
            initial=_score(first, scorer, chain),
            fresh=float(fresh[place, 0]) if number else None,
            fresh_initial=float(fresh[place, 1]) if number else None,
            seeds=number,
        )
        for place, scorer in enumerate(scorers)
    )


async def _means(scorers: Sequence[Scorer], images: Sequence[str], prompts: Sequence[str], each: int, stages: Stages) -> Array:
    """Return the mean score of each `each` images in a row, shape (scorers, images / each)."""
    if not (scorers and images):
        return np.zeros((len(scorers), len(images) // max(1, each)))
    told = await stages.score(scorers, images, prompts)
    means: Array = told.reshape(len(scorers), -1, each).mean(axis=2)
    return means


def _drifted(chain: Chain, likeness: float | None, initial: Candidate | None) -> bool:
    if chain.guard is None or likeness is None or initial is None or initial.likeness is None:
        return False
    return likeness < chain.guard.least(initial.likeness)


def _score(candidate: Candidate, scorer: Scorer, chain: Chain) -> float:
    return candidate.score if scorer is chain.scorer else dict(candidate.others)[scorer.spec.name]
