"""Rewriters: dropping repeats, one repair turn, survived nonsense; the vocabulary rewriter; making one by name."""

import json
import pickle
from collections.abc import Sequence
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimuli import rewriters
from stimuli.experiment import ExperimentError
from stimuli.parts import UnknownPartError
from stimuli.rewriters import Ask, Proposal, Question, RewriterSpec, Rewriting, Tried, Written, propose, remembered
from stimuli.rewriters.answers import fresh, parse
from stimuli.rewriters.instruction import TEMPLATE
from stimuli.rewriters.offline import Vocabulary, dressed, look_of
from stimuli.vocabulary import AXES

LOOKS = st.fixed_dictionaries({}, optional={axis: st.sampled_from(phrases) for axis, phrases in AXES.items()})
# A full stop before a space, quotes or stars at the ends would be marks of the list, not of the prompt.
PLAIN = st.text(st.characters(categories=["L"], max_codepoint=0xFF, include_characters=" ,-()"), min_size=1, max_size=60).map(
    lambda text: " ".join(["A", *text.split()])
)


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

    def __init__(self, *answers: str | Written) -> None:
        self.answers = [Written(answer) if isinstance(answer, str) else answer for answer in answers]
        self.asked: list[Ask] = []

    def write(self, asks: Sequence[Ask]) -> list[Written]:
        self.asked += asks
        return [self.answers.pop(0) for _ in asks]


def question(number: int, *known: str, base: str = "x", seed: int = 1) -> Question:
    return Question(base, (), known, number, seed)


def test_a_full_answer_needs_no_repair() -> None:
    scripted = Scripted("1. a\n2. b\n3. c")
    assert propose(scripted, [question(2)]) == [Proposal(("a", "b"), ("1. a\n2. b\n3. c",), 2)]
    assert len(scripted.asked) == 1


def test_missing_prompts_are_asked_for_once_and_then_fewer_are_accepted() -> None:
    scripted = Scripted("1. a\n2. A.\n3. X", "1. a\n2. b")
    [proposal] = propose(scripted, [question(4)])
    assert proposal == Proposal(("a", "b"), ("1. a\n2. A.\n3. X", "1. a\n2. b"), 4)
    first, repair = scripted.asked
    assert (first.number, first.before, first.at_first) == (4, None, None)
    assert (repair.number, repair.before, repair.at_first) == (3, "1. a\n2. A.\n3. X", 4)
    assert repair.seed != first.seed


def test_of_many_questions_only_those_with_too_few_prompts_are_repaired_and_none_is_mixed_up() -> None:
    scripted = Scripted("1. a", "I cannot help with that.", "1. c", "1. b")
    proposals = propose(scripted, [question(1, base="x"), question(1, base="y"), question(1, base="z")])
    assert [proposal.prompts for proposal in proposals] == [("a",), ("b",), ("c",)]
    assert [ask.base_prompt for ask in scripted.asked] == ["x", "y", "z", "y"]


def test_the_base_prompt_and_the_history_are_not_new() -> None:
    scripted = Scripted("1. The base!\n2. tried\n3. KNOWN\n4. new", "")
    [proposal] = propose(scripted, [Question("the base", (Tried("Tried", 0.1),), ("known",), 2, 1)])
    assert proposal.prompts == ("new",)


@pytest.mark.parametrize(
    ("written", "trouble"),
    [
        (Written("I'm sorry, but I can't help with that."), "refusal"),
        (Written(""), "empty"),
        (Written("a cat and a cat and " * 400, is_cut=True), "cut"),
        (Written("1. " + "a cat and " * 400, is_cut=True), "cut"),
        (Written("1. " + "a cat and " * 500), "too long"),
        (Written("A cat."), "no list"),
        (Written("<think>1. A cat", is_cut=True), "cut"),
    ],
)
def test_an_answer_without_prompts_is_survived_and_recorded(written: Written, trouble: str) -> None:
    [proposal] = propose(Scripted(written, written), [question(3)])
    assert proposal == Proposal((), (written.text, written.text), 3, (trouble, trouble))
    assert remembered(json.loads(json.dumps(asdict(proposal)))) == proposal


def test_tokens_are_added_up_where_they_are_counted() -> None:
    [proposal] = propose(Scripted(Written("1. a", tokens=3), Written("1. b", tokens=4)), [question(2)])
    assert proposal.tokens == 7


def test_half_a_character_from_a_model_can_be_stored() -> None:
    [proposal] = propose(Scripted('["A cat \\ud83d", "A dog"]', "1. A bird \ud83d"), [question(4)])
    assert proposal.prompts == ("A cat ?", "A dog", "A bird ?")
    "".join((*proposal.prompts, *proposal.raw)).encode()


@given(base=PLAIN, ending=st.sampled_from(["", ".", "!"]), look=LOOKS)
def test_a_look_is_read_back_from_its_prompt(base: str, ending: str, look: dict[str, str]) -> None:
    prompt = dressed(base + ending, look)
    assert prompt.startswith(base + ending)
    assert look_of(base + ending, prompt) == look


@given(seed=st.integers(0, 2**32 - 1), look=LOOKS)
def test_the_vocabulary_rewriter_keeps_the_base_prompt_and_gives_new_prompts(seed: int, look: dict[str, str]) -> None:
    base = "A lighthouse, with a boat."
    best = dressed(base, look)
    history = (Tried(base, 0.1), Tried(best, 0.9))
    [proposal] = propose(Vocabulary(), [Question(base, history, (base, best), 12, seed)])
    assert len(set(proposal.prompts)) == 12
    assert all(prompt.startswith(base) for prompt in proposal.prompts)
    assert base not in proposal.prompts
    assert best not in proposal.prompts


def test_the_vocabulary_rewriter_moves_from_the_best_prompt() -> None:
    best = {"light": "moonlight", "palette": "monochrome", "camera": "close-up", "mood": "serene mood"}
    history = [Tried("A cat.", 0.5), Tried(dressed("A cat.", best), 0.9)]
    [written] = Vocabulary().write([Ask("A cat.", tuple(history), 30, 3)])
    proposed = parse(written.text)
    shared = [len(look_of("A cat.", prompt).items() & best.items()) for prompt in proposed]
    assert min(shared) >= 1
    assert max(shared) >= 3


def test_the_vocabulary_rewriter_depends_on_nothing_but_its_arguments() -> None:
    first, other = Ask("A cat.", (), 5, 7), Ask("A cat.", (), 5, 8)
    [alone], [differs] = Vocabulary().write([first]), Vocabulary().write([other])
    assert Vocabulary().write([other, first]) == [differs, alone]
    assert alone != differs


def test_an_unknown_rewriter_says_which_there_are() -> None:
    with pytest.raises(UnknownPartError, match=r'rewriter "lokal" is not known; did you mean "local"\?'):
        rewriters.make("lokal")


def test_a_server_needs_the_name_of_a_model() -> None:
    with pytest.raises(
        ExperimentError, match=r'rewriter = "server" needs the name of a model there; add model = "…" to \[stimuli.rewriting\]'
    ):
        rewriters.make("server")


@pytest.mark.parametrize("name", ["vocabulary", "local", "server"])
def test_every_rewriter_on_the_shelf_is_light_and_can_be_sent_elsewhere(name: str) -> None:
    made = rewriters.make(name, rewriting=Rewriting(model="some/model"))
    sent = pickle.dumps(made)
    assert len(sent) < 10_000
    assert pickle.loads(sent).spec == made.spec


@pytest.mark.parametrize("name", ["local", "server"])
def test_what_changes_an_answer_changes_the_version(name: str) -> None:
    base = Rewriting(model="some/model")
    other = TEMPLATE.replace("light", "lamps")
    changed = [replace(base, **change) for change in ({"model": "another/model"}, {"temperature": 0.1}, {"top_p": 0.5}, {"longest": 99})]
    versions = {rewriters.make(name, rewriting=rewriting).spec.version for rewriting in [base, *changed]}
    versions.add(rewriters.make(name, rewriting=base, instruction=other).spec.version)
    assert len(versions) == 6
    elsewhere = replace(base, address="http://127.0.0.1:9/v1", key_variable="OTHER_KEY")
    assert rewriters.make(name, rewriting=elsewhere).spec == rewriters.make(name, rewriting=base).spec
