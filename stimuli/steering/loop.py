"""The steering loop: propose, generate, score, keep the best, repeat (PAMELA, section 5).

A chain is a coroutine that asks for work through `Stages`; who does the work, and how many chains' work at once, is decided elsewhere.
"""

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from stimuli.experiment import ExperimentError
from stimuli.progress import Report, silent
from stimuli.rewriters import Proposal, Question, Tried
from stimuli.seeds import seed_for
from stimuli.steering.chains import Candidate, Chain, Course, Iteration, Stages, Steering, best_of
from stimuli.steering.judging import judged, rescored, seen_by_held_out

_NAMED = 5
# Letters of an answer that was not understood; all of it is in the store.
_SAID = 200


@dataclass(frozen=True)
class _Failure:
    chain: Chain
    reason: str


def most_images(chains: Sequence[Chain], steering: Steering) -> int:
    """Return how many images steering renders at most: candidates, base prompts once, and all of it again with fresh seeds."""
    prompts = len({(chain.base_prompt, chain.image_seed) for chain in chains})
    by_chain = steering.iterations * steering.candidates * steering.seeds + steering.fresh_seeds
    return len(chains) * by_chain + prompts * (steering.seeds + steering.fresh_seeds)


async def steer_all(chains: Sequence[Chain], steering: Steering, stages: Stages, *, report: Report = silent) -> list[Course]:
    """Return the course of each chain; all of them go on at once, and one that fails stops no other.

    `report` counts "chains" and "iterations"; a chain that stops early has done all of its iterations.

    Raises:
        ExperimentError: chains failed; the text names them with their prompts and the reasons. What all of them did is in the store.
    """
    await stages.tell(
        {
            "event": "planned",
            "chains": len(chains),
            "iterations": steering.iterations,
            "candidates": steering.candidates,
            "images": most_images(chains, steering),
        }
    )
    counted = _Counted(len(chains), steering.iterations, report)
    ended = await asyncio.gather(*(_kept(chain, steering, stages, counted) for chain in chains))
    failures = [one for one in ended if isinstance(one, _Failure)]
    if failures:
        raise ExperimentError(_told(failures, len(chains)))
    return [one for one in ended if isinstance(one, Course)]


async def steer(chain: Chain, steering: Steering, stages: Stages, *, report: Report = silent) -> Course:
    """Return how one chain goes, from the base prompt (iteration 0) on; `report` counts "iterations"."""
    return await _steer(chain, steering, stages, _Counted(1, steering.iterations, report))


class _Counted:
    """How far all chains are together."""

    def __init__(self, chains: int, iterations: int, report: Report) -> None:
        self._chains, self._iterations, self._report = chains, iterations, report
        self._done: dict[str, int] = {}
        self._ended = 0
        report("chains", 0, chains)

    def iterated(self, chain: Chain, number: int) -> None:
        self._done[chain.name] = number
        self._report("iterations", sum(self._done.values()), self._chains * self._iterations)

    def ended(self, chain: Chain) -> None:
        self.iterated(chain, self._iterations)
        self._ended += 1
        self._report("chains", self._ended, self._chains)


async def _kept(chain: Chain, steering: Steering, stages: Stages, counted: _Counted) -> Course | _Failure:
    try:
        return await _steer(chain, steering, stages, counted)
    except Exception as error:  # noqa: BLE001 - whatever fails one chain must not stop the others; it is told in the end
        reason = str(error) if isinstance(error, ExperimentError) else f"{type(error).__name__}: {error}"
        # Where the disk is full the log cannot be written either.
        with suppress(Exception):
            # Equal events are told once, and a chain that was taken up again may fail for the same reason.
            again = secrets.token_hex(4)
            await stages.tell({"event": "failed", "chain": chain.name, "prompt": chain.base_prompt, "error": reason, "attempt": again})
        return _Failure(chain, reason)


async def _steer(chain: Chain, steering: Steering, stages: Stages, counted: _Counted) -> Course:
    [initial] = await judged(chain, [chain.base_prompt], steering, stages)
    initial = await seen_by_held_out(chain, initial, stages)
    tried, course, reason = [initial], [Iteration(0, initial, (initial,))], "iterations"
    for number in range(1, steering.iterations + 1):
        new = await judged(chain, await _reword(chain, tried, number, steering, stages), steering, stages, initial=initial)
        tried += new
        best = await _best(chain, tried, stages)
        course.append(Iteration(number, best, tuple(new)))
        await _tell(chain, course, stages)
        counted.iterated(chain, number)
        if len(course) > steering.patience and course[-1 - steering.patience].best == best:
            reason = "patience"
            break
    best = course[-1].best
    await stages.tell({"event": "stopped", "chain": chain.name, "iteration": course[-1].number, "reason": reason, "score": best.score})
    again = await rescored(chain, initial, best, steering, stages)
    counted.ended(chain)
    return Course(chain, tuple(course), reason, again)


async def _best(chain: Chain, tried: list[Candidate], stages: Stages) -> Candidate:
    """Return the best so far, with what the held-out scorers say of it, in its place among those tried too."""
    [best] = best_of(chain, tried, 1)
    seen = await seen_by_held_out(chain, best, stages)
    tried[tried.index(best)] = seen
    return seen


async def _reword(chain: Chain, tried: Sequence[Candidate], number: int, steering: Steering, stages: Stages) -> tuple[str, ...]:
    """Return new prompts; the rewriter always sees the base prompt, and the best ones after it."""
    context = dict.fromkeys([tried[0], *reversed(best_of(chain, tried, steering.keep))])
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
            **_troubles(proposal),
        }
    )
    return proposal.prompts


def _troubles(proposal: Proposal) -> dict[str, Any]:
    """Return what to tell of a rewriter that gave fewer prompts than it was asked for."""
    if len(proposal.prompts) >= proposal.asked:
        return {}
    return {"troubles": list(proposal.troubles), "said": [text[:_SAID] for text in proposal.raw]}


async def _tell(chain: Chain, course: Sequence[Iteration], stages: Stages) -> None:
    """Tell what the last iteration brought."""
    last, before = course[-1], course[-2].best
    initial = course[0].best.likeness
    for one in last.candidates:
        if one.rejected and chain.guard is not None and initial is not None:
            drift = {"likeness": one.likeness, "floor": chain.guard.least(initial)}
            what = {"chain": chain.name, "iteration": last.number, "prompt": one.prompt, "image": one.image}
            await stages.tell({"event": "rejected", **what, **drift})
    if last.best != before:
        what = {"chain": chain.name, "iteration": last.number, "prompt": last.best.prompt}
        await stages.tell({"event": "accepted", **what, "score": last.best.score})
    await stages.tell({"event": "iterated", "chain": chain.name, "iteration": last.number})


def _told(failures: Sequence[_Failure], total: int) -> str:
    """Return which chains failed and why, chains of one reason together."""
    by_reason: dict[str, list[Chain]] = {}
    for failure in failures:
        by_reason.setdefault(failure.reason, []).append(failure.chain)
    lines = [f"{len(failures)} of {total} chains of steering failed; what they and the others did is kept, and running this again goes on:"]
    for reason, chains in by_reason.items():
        named = "; ".join(f'{chain.name} ("{_short(chain.base_prompt)}")' for chain in chains[:_NAMED])
        more = f"; and {len(chains) - _NAMED} more" if len(chains) > _NAMED else ""
        lines.append(f"{reason} [{named}{more}]")
    return "\n".join(lines)


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
