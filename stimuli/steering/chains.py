"""What a chain of steering is and what comes of it: its settings, its candidates, its course. Nothing here does any work."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from stimuli.rewriters import Proposal, Question
from stimuli.scorers import Scorer, ScorerSpec
from stimuli.seeds import seed_for
from stimuli.stages import Render

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Steering:
    """`[stimuli.steering]`: the loop of PAMELA, section 5, after MILS (arXiv 2501.18096); the paper's values are the defaults.

    A chain reworks one base prompt toward one scorer: each iteration proposes rewritten prompts, renders and scores them, and
    keeps the best so far as context for the next. Beyond the paper are `caution` and all from `guard` on.
    """

    candidates: Annotated[int, Field(ge=1, le=200)] = 20
    """Rewritten prompts that each iteration proposes."""
    iterations: Annotated[int, Field(ge=1, le=100)] = 5
    """The most iterations of a chain."""
    patience: Annotated[int, Field(ge=1)] = 2
    """Stop after so many iterations in a row without a better score."""
    keep: Annotated[int, Field(ge=1)] = 1
    """How many of the best prompts so far the rewriter is shown."""
    caution: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Standard deviations of what is not known of a person's taste that a personal scorer takes off."""
    guard: str = "auto"
    """The scorer of image–text fit that rejects candidates; "auto" is the one that goes with encoder or generator, "none" none."""
    floor: Annotated[float, Field(gt=0, le=1)] | None = None
    """The share of the base prompt's own fit that a candidate must keep; without it the guard's usual one."""
    seeds: Annotated[int, Field(ge=1, le=32)] = 1
    """Seeds with which each candidate is rendered; its score is the mean."""
    fresh_seeds: Annotated[int, Field(ge=0, le=100)] = 4
    """New seeds with which the end of a chain and the base prompt are rendered and scored again."""
    held_out: tuple[str, ...] = ()
    """Scorers that never steer and only look on, at the ends of chains and the best of each iteration."""
    log: Literal["all", "steering"] = "all"
    """What is scored and kept: every image by every scorer of the study, or by what steers it only."""
    runs: Annotated[int, Field(ge=1, le=50)] = 1
    """Independent runs of each chain: the same seeds of images, other chance of the rewriter."""


@dataclass(frozen=True)
class Guard:
    """The drift guard: a candidate must fit the base prompt at least `floor` times as well as the base prompt's own image."""

    scorer: Scorer
    floor: float

    def least(self, initial: float) -> float:
        """Return the least likeness that is not rejected, given that of the initial image; below zero it still asks for less."""
        return initial - (1 - self.floor) * abs(initial)


@dataclass(frozen=True)
class Chain:
    """One base prompt to be steered toward one scorer.

    `image_seed` is the same for all chains of a prompt, so that their images differ by wording only; `seed` is the chain's own.
    The `held_out` scorers and those in `logged` only look on; like the guard, the held-out ones are shown the base prompt.
    """

    prompt: str
    base_prompt: str
    condition: str
    target_user: str | None
    run: int
    scorer: Scorer
    image_seed: int
    seed: int
    guard: Guard | None = None
    held_out: tuple[Scorer, ...] = ()
    logged: tuple[Scorer, ...] = ()

    @property
    def name(self) -> str:
        """A readable name, unique within an experiment."""
        return "/".join([self.prompt, self.condition, *([self.target_user] if self.target_user else []), str(self.run)])

    def seeds(self, number: int) -> list[int]:
        """Return the seeds of a candidate's images; the first is the image that people may see."""
        return [self.image_seed, *(seed_for(self.image_seed, "further", place) for place in range(1, number))]

    def fresh_seeds(self, number: int) -> list[int]:
        """Return seeds that no candidate was chosen by."""
        return [seed_for(self.image_seed, "fresh", place) for place in range(number)]


@dataclass(frozen=True)
class Candidate:
    """A prompt, its images (SHA-256 in the store; people may see the first) and their mean score.

    `likeness` is what the guard says, None without one; `rejected` candidates never win. `others` are the mean scores of the
    scorers that only looked on, by name.
    """

    prompt: str
    images: tuple[str, ...]
    score: float
    likeness: float | None = None
    rejected: bool = False
    others: tuple[tuple[str, float], ...] = ()

    @property
    def image(self) -> str:
        """The image that people may see."""
        return self.images[0]


@dataclass(frozen=True)
class Iteration:
    """The best candidate of a chain after one iteration, and those that were new in it; iteration 0 is the base prompt."""

    number: int
    best: Candidate
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True)
class Rescored:
    """What one scorer says of a chain's last prompt and of its first: on average of their images, and of images with fresh seeds.

    The fresh ones are None where there are no fresh seeds.
    """

    scorer: ScorerSpec
    held_out: bool
    shown: float
    initial: float
    fresh: float | None
    fresh_initial: float | None
    seeds: int


@dataclass(frozen=True)
class Course:
    """How a chain went: each iteration from 0 on, why it stopped ("iterations", "patience"), and its end scored again."""

    chain: Chain
    iterations: tuple[Iteration, ...]
    reason: str
    rescored: tuple[Rescored, ...] = ()

    @property
    def initial(self) -> Candidate:
        """The base prompt's image and scores."""
        return self.iterations[0].best

    @property
    def best(self) -> Candidate:
        """The candidate that the chain ended with."""
        return self.iterations[-1].best


class Stages(Protocol):
    """Who does the work of a chain."""

    async def propose(self, question: Question) -> Proposal:
        """Return new prompts."""
        ...

    async def render(self, wanted: Sequence[Render]) -> list[str]:
        """Return the SHA-256 of each image."""
        ...

    async def score(self, scorers: Sequence[Scorer], images: Sequence[str], prompts: Sequence[str]) -> Array:
        """Return what each scorer says of each image, shape (scorers, images)."""
        ...

    async def tell(self, event: dict[str, Any]) -> None:
        """Write what happened to the log of events."""
        ...


def best_of(chain: Chain, candidates: Sequence[Candidate], number: int) -> list[Candidate]:
    """Return the best candidates that were not rejected, best first; of equals the earlier."""
    direction = -1 if chain.scorer.spec.higher_is_better else 1
    return sorted((one for one in candidates if not one.rejected), key=lambda one: direction * one.score)[:number]
