"""Rewriters: propose other wordings of a base prompt, given what was tried and how it scored; they answer in numbered lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from pydantic import Field

from stimuli.machine.hardware import Means
from stimuli.parts import Shelf
from stimuli.rewriters.answers import fresh, read, storable
from stimuli.seeds import seed_for

SHELF = Shelf(
    role="rewriter",
    here=("vocabulary", "local", "server"),
    later={},
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


@dataclass(frozen=True)
class Ask:
    """What a rewriter is asked: `number` rewordings of `base_prompt`, better than `history`.

    In the repair turn `before` is what it answered when it was asked for `at_first`, of which `number` are still missing.
    """

    base_prompt: str
    history: tuple[Tried, ...]
    number: int
    seed: int
    before: str | None = None
    at_first: int | None = None


@dataclass(frozen=True)
class Written:
    """The raw text of an answer; `is_cut` where it hit the limit of length, `tokens` where they were counted."""

    text: str
    is_cut: bool = False
    tokens: int | None = None


@dataclass(frozen=True)
class Rewriting:
    """`[stimuli.rewriting]`: which model rewords prompts, and how it samples."""

    model: str | None = None
    """The hub's name of a chat model, with a revision after an "@" if you like ("local"), or its name at the server ("server")."""
    address: str = "http://127.0.0.1:8000/v1"
    """The address of an OpenAI-compatible server, for the rewriter "server"."""
    key_variable: str = "OPENAI_API_KEY"
    """The environment variable that holds the server's key; "" where it wants none."""
    instruction: str | None = None
    """A text file, relative to the experiment, in place of our template."""
    temperature: Annotated[float, Field(ge=0, le=5)] = 0.9
    """How freely words are sampled; 0 takes the likeliest every time."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95
    """The share of probability from which words are sampled."""
    longest: Annotated[int, Field(ge=16, le=32_000)] = 2048
    """Tokens after which an answer is cut."""


class Rewriter(Protocol):
    """Anything that rewords prompts. It is light and can be pickled; weights are loaded when it writes first."""

    @property
    def spec(self) -> RewriterSpec:
        """What the answers depend on."""
        ...

    def write(self, asks: Sequence[Ask]) -> list[Written]:
        """Return one raw text for each: the wanted rewordings in numbered lines. A row does not depend on the others."""
        ...


@dataclass(frozen=True)
class Question:
    """What a chain asks for: `number` new wordings of `base_prompt`, given `history`; `known` prompts do not count as new."""

    base_prompt: str
    history: tuple[Tried, ...]
    known: tuple[str, ...]
    number: int
    seed: int


@dataclass(frozen=True)
class Proposal:
    """New prompts, the raw texts they were read from, and how many were asked for; there may be fewer, even none.

    `troubles` says what was wrong with the texts that were not quite an answer ("refusal", "cut", …; see `answers.Answer`),
    `tokens` how many the rewriter wrote altogether, where it counts them.
    """

    prompts: tuple[str, ...]
    raw: tuple[str, ...]
    asked: int
    troubles: tuple[str, ...] = ()
    tokens: int | None = None


def remembered(answer: Mapping[str, Any]) -> Proposal:
    """Return the proposal that the store keeps as a mapping."""
    return Proposal(
        tuple(answer["prompts"]), tuple(answer["raw"]), answer["asked"], tuple(answer.get("troubles", ())), answer.get("tokens")
    )


def make(name: str, *, rewriting: Rewriting | None = None, instruction: str | None = None, means: Means | None = None) -> Rewriter:
    """Return a rewriter by name; `instruction` is the text of the experiment's own template (`instruction.text_of` reads it).

    Raises:
        UnknownPartError: the name is unknown.
        ExperimentError: the template, the address or the model is none.
    """
    rewriting, means = rewriting or Rewriting(), means or Means()
    if name == "vocabulary":
        from stimuli.rewriters.offline import Vocabulary

        return Vocabulary()
    if name == "local":
        from stimuli.rewriters.local import Local

        return Local(rewriting, instruction=instruction, means=means)
    if name == "server":
        from stimuli.rewriters.server import Server

        return Server(rewriting, instruction=instruction)
    raise SHELF.refusal(name)


def propose(rewriter: Rewriter, questions: Sequence[Question]) -> list[Proposal]:
    """Return up to as many prompts as each question wants, none of which is known; who gave too few is asked once more."""
    first = rewriter.write([Ask(question.base_prompt, question.history, question.number, question.seed) for question in questions])
    proposals = [_added(Proposal((), (), question.number), question, text) for question, text in zip(questions, first, strict=True)]
    short = [place for place, proposal in enumerate(proposals) if len(proposal.prompts) < proposal.asked]
    again = [_repair(questions[place], proposals[place]) for place in short]
    for place, text in zip(short, rewriter.write(again) if again else (), strict=True):
        proposals[place] = _added(proposals[place], questions[place], text)
    return proposals


def _repair(question: Question, so_far: Proposal) -> Ask:
    missing = so_far.asked - len(so_far.prompts)
    seed = seed_for(question.seed, "repair")
    return Ask(question.base_prompt, question.history, missing, seed, before=so_far.raw[0], at_first=so_far.asked)


def _added(so_far: Proposal, question: Question, written: Written) -> Proposal:
    answer = read(written.text, is_cut=written.is_cut)
    known = [question.base_prompt, *(tried.prompt for tried in question.history), *question.known, *so_far.prompts]
    new = fresh(answer.prompts, known=known)[: so_far.asked - len(so_far.prompts)]
    return Proposal(
        (*so_far.prompts, *new),
        (*so_far.raw, storable(written.text)),
        so_far.asked,
        (*so_far.troubles, *([answer.trouble] if answer.trouble else [])),
        so_far.tokens if written.tokens is None else (so_far.tokens or 0) + written.tokens,
    )
