"""Rewriters: propose other wordings of a base prompt, given what was tried and how it scored; they answer in numbered lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from stimuli.parts import Shelf
from stimuli.rewriters.answers import fresh, parse
from stimuli.seeds import seed_for

SHELF = Shelf(
    role="rewriter",
    here=("vocabulary",),
    later={"local": "a chat model on this machine", "server": "a chat model behind an OpenAI-compatible server"},
    instead="vocabulary",
)


@dataclass(frozen=True)
class RewriterSpec:
    """What an answer depends on besides the request and its seed."""

    name: str
    version: str
    stand_in: bool


@dataclass(frozen=True)
class Tried:
    """A prompt with the score of its image; higher is better."""

    prompt: str
    score: float


class Rewriter(Protocol):
    """Anything that rewords a prompt."""

    @property
    def spec(self) -> RewriterSpec:
        """What the answers depend on."""
        ...

    def propose(self, base_prompt: str, history: Sequence[Tried], number: int, *, seed: int) -> str:
        """Return raw text with `number` rewordings of `base_prompt` in numbered lines, better than `history` if it can."""
        ...


@dataclass(frozen=True)
class Proposal:
    """New prompts, the raw texts they were read from, and how many were asked for; there may be fewer."""

    prompts: tuple[str, ...]
    raw: tuple[str, ...]
    asked: int


def make(name: str) -> Rewriter:
    """Return a rewriter by name.

    Raises:
        UnknownPartError: the name is unknown, or comes with a later version.
    """
    if name == "vocabulary":
        from stimuli.rewriters.offline import Vocabulary

        return Vocabulary()
    raise SHELF.refusal(name)


def propose(rewriter: Rewriter, base_prompt: str, history: Sequence[Tried], number: int, *, known: Sequence[str], seed: int) -> Proposal:
    """Return up to `number` prompts that are not among `known`; where some are missing, ask once more for those, then accept fewer."""
    raw = [rewriter.propose(base_prompt, history, number, seed=seed)]
    prompts = fresh(parse(raw[0]), known=known)[:number]
    missing = number - len(prompts)
    if missing:
        raw.append(rewriter.propose(base_prompt, history, missing, seed=seed_for(seed, "repair")))
        prompts += fresh(parse(raw[1]), known=[*known, *prompts])[:missing]
    return Proposal(tuple(prompts), tuple(raw), number)
