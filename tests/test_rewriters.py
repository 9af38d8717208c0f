"""Rewriters: reading numbered text, dropping repeats, one repair turn; and the vocabulary rewriter."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimuli import rewriters
from stimuli.parts import UnknownPartError
from stimuli.rewriters import RewriterSpec, Tried, propose
from stimuli.rewriters.answers import fresh, parse
from stimuli.rewriters.offline import Vocabulary, dressed, look_of
from stimuli.vocabulary import AXES

LOOKS = st.fixed_dictionaries({}, optional={axis: st.sampled_from(phrases) for axis, phrases in AXES.items()})
# A full stop before a space, quotes or stars at the ends would be marks of the list, not of the prompt.
PLAIN = st.text(st.characters(categories=["L"], max_codepoint=0xFF, include_characters=" ,-()"), min_size=1, max_size=60).map(
    lambda text: " ".join(["A", *text.split()])
)


@pytest.mark.parametrize(
    "text",
    [
        "1. A cat\n2. A dog",
        "1) A cat\n2) A dog",
        "1: A cat\n2: A dog",
        "(1) A cat\n(2) A dog",
        "**1.** A cat\n**2.** A dog",
        "Prompt 1: A cat\nPrompt 2: A dog",
        "1.\nA cat\n2.\nA dog",
        "1.\n\nA cat\n\n2.\n\nA dog",
        '1. "A cat"\n2. “A dog”',
        "1. **A cat**\n2. **A dog**",
        "- A cat\n- A dog",
        "* A cat\n* A dog",
        "• A cat\n• A dog",
        "Here are 2 prompts:\n\n1. A\n   cat\n2. A dog\n\nI hope they help!",
        "  1. A cat\r\n  2. A dog\r\n",
    ],
)
def test_the_ways_models_number_lists_are_read(text: str) -> None:
    assert parse(text) == ["A cat", "A dog"]


def test_parentheses_inner_quotes_and_decimals_stay() -> None:
    assert parse('1. A cat (asleep), f/1.8\n2. "Yes" and "No" in neon') == ["A cat (asleep), f/1.8", '"Yes" and "No" in neon']


def test_bullets_below_numbers_belong_to_the_item() -> None:
    assert parse("1. A cat\n- asleep\n2. A dog") == ["A cat - asleep", "A dog"]


def test_text_without_a_list_gives_nothing() -> None:
    assert parse("I cannot help with that.") == []


@given(st.lists(PLAIN, min_size=1, max_size=12))
def test_what_is_numbered_comes_back(prompts: list[str]) -> None:
    assert parse("\n".join(f"{number}. {prompt}" for number, prompt in enumerate(prompts, start=1))) == prompts


@given(st.lists(PLAIN, max_size=8), st.lists(PLAIN, max_size=4))
def test_fresh_prompts_are_in_order_and_hold_no_repeat_in_another_dress(prompts: list[str], known: list[str]) -> None:
    kept = fresh([*prompts, *(prompt.upper() + "!" for prompt in prompts)], known=known)
    assert kept == fresh(prompts, known=known)
    assert fresh(kept, known=kept) == []


class Scripted:
    """A rewriter that answers from a list, and remembers what it was asked."""

    spec = RewriterSpec("scripted", "1", stand_in=True)

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[int] = []

    def propose(self, base_prompt: str, history: Sequence[Tried], number: int, *, seed: int) -> str:  # noqa: ARG002 - a Rewriter
        self.asked.append(number)
        return self.answers.pop(0)


def test_a_full_answer_needs_no_repair() -> None:
    scripted = Scripted("1. a\n2. b\n3. c")
    assert propose(scripted, "x", [], 2, known=["x"], seed=1).prompts == ("a", "b")
    assert scripted.asked == [2]


def test_missing_prompts_are_asked_for_once_and_then_fewer_are_accepted() -> None:
    scripted = Scripted("1. a\n2. A.\n3. X", "1. a\n2. b")
    proposal = propose(scripted, "x", [], 4, known=["x"], seed=1)
    assert proposal.prompts == ("a", "b")
    assert scripted.asked == [4, 3]
    assert proposal.raw == ("1. a\n2. A.\n3. X", "1. a\n2. b")
    assert proposal.asked == 4


@given(base=PLAIN, ending=st.sampled_from(["", ".", "!"]), look=LOOKS)
def test_a_look_is_read_back_from_its_prompt(base: str, ending: str, look: dict[str, str]) -> None:
    prompt = dressed(base + ending, look)
    assert prompt.startswith(base + ending)
    assert look_of(base + ending, prompt) == look


@given(seed=st.integers(0, 2**32 - 1), look=LOOKS)
def test_the_vocabulary_rewriter_keeps_the_base_prompt_and_gives_new_prompts(seed: int, look: dict[str, str]) -> None:
    base = "A lighthouse, with a boat."
    best = dressed(base, look)
    proposal = propose(Vocabulary(), base, [Tried(base, 0.1), Tried(best, 0.9)], 12, known=[base, best], seed=seed)
    assert len(set(proposal.prompts)) == 12
    assert all(prompt.startswith(base) for prompt in proposal.prompts)
    assert base not in proposal.prompts
    assert best not in proposal.prompts


def test_the_vocabulary_rewriter_moves_from_the_best_prompt() -> None:
    best = {"light": "moonlight", "palette": "monochrome", "camera": "close-up", "mood": "serene mood"}
    history = [Tried("A cat.", 0.5), Tried(dressed("A cat.", best), 0.9)]
    proposed = parse(Vocabulary().propose("A cat.", history, 30, seed=3))
    shared = [len(look_of("A cat.", prompt).items() & best.items()) for prompt in proposed]
    assert min(shared) >= 1
    assert max(shared) >= 3


def test_the_vocabulary_rewriter_depends_on_nothing_but_its_arguments() -> None:
    assert Vocabulary().propose("A cat.", [], 5, seed=7) == Vocabulary().propose("A cat.", [], 5, seed=7)
    assert Vocabulary().propose("A cat.", [], 5, seed=7) != Vocabulary().propose("A cat.", [], 5, seed=8)


def test_asking_for_a_later_rewriter_says_what_to_use_now() -> None:
    with pytest.raises(UnknownPartError, match=r'rewriter "local": a chat model .* later version; use rewriter = "vocabulary"'):
        rewriters.make("local")
