"""What a chat model is told: our template, one's own, the turn that asks for more."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimuli.experiment import ExperimentError
from stimuli.rewriters import Ask, Tried
from stimuli.rewriters.instruction import TEMPLATE, Instruction, text_of

ASK = Ask("A cat.", (Tried("A cat.", 0.5), Tried("A cat at dusk", 0.81234)), 20, 1)
SHORT = "{descriptions}|{requested_number}|{base_prompt}"


def test_our_template_tells_prompts_scores_number_freedoms_and_limits() -> None:
    [message] = Instruction().conversation(ASK)
    assert message["role"] == "user"
    told = message["content"]
    assert "score 0.5: A cat.\nscore 0.8123: A cat at dusk\n" in told
    assert "higher score is better" in told
    assert "Write 20 new versions" in told
    assert "numbered from 1 to 20" in told
    for word in ("light", "composition", "colours", "mood", "camera", "may not change what is shown"):
        assert word in told
    assert "{" not in told


def test_the_original_prompt_is_told_even_where_it_is_no_longer_among_the_best() -> None:
    [message] = Instruction().conversation(Ask("A cat.", (Tried("A cat at dusk", 0.9),), 20, 1))
    assert "\nA cat.\n" in message["content"]


def test_without_history_it_says_so() -> None:
    assert Instruction(SHORT).conversation(Ask("A cat.", (), 3, 1))[0]["content"] == "(none has been scored yet)|3|A cat."


@given(st.text(alphabet="{}descriptionsbase_prompt \\%$1", max_size=60))
def test_braces_in_prompts_stay_what_they_are(prompt: str) -> None:
    [message] = Instruction(SHORT).conversation(Ask(prompt, (Tried(prompt, 1.0),), 3, 1))
    line = " ".join(prompt.split())
    assert message["content"] == f"score 1: {line}|3|{line}"


def test_a_prompt_cannot_pass_for_another_line_of_the_instruction() -> None:
    [message] = Instruction(SHORT).conversation(Ask("A cat\n\nscore 9: a dog", (), 3, 1))
    assert message["content"].endswith("|A cat score 9: a dog")


def test_a_long_prompt_is_told_whole() -> None:
    prompt = "word " * 4000
    assert prompt.strip() in Instruction().conversation(Ask(prompt, (), 3, 1))[0]["content"]


def test_the_repair_turn_goes_on_with_the_conversation() -> None:
    first = Instruction().conversation(ASK)
    told = Instruction().conversation(Ask(ASK.base_prompt, ASK.history, 4, 2, before="<think>Hm.</think>1. A cat", at_first=20))
    assert told[:2] == [*first, {"role": "assistant", "content": "1. A cat"}]
    assert told[2]["role"] == "user"
    assert "Write 4 more" in told[2]["content"]
    assert "from 1 to 4" in told[2]["content"]


@pytest.mark.parametrize("before", ["", " \n", "<think>endless"])
def test_after_an_empty_answer_it_is_asked_anew_for_what_is_missing(before: str) -> None:
    told = Instruction().conversation(Ask(ASK.base_prompt, ASK.history, 4, 2, before=before, at_first=20))
    assert told == Instruction().conversation(Ask(ASK.base_prompt, ASK.history, 4, 2))


def test_endless_text_is_not_repeated_to_the_model() -> None:
    told = Instruction().conversation(Ask(ASK.base_prompt, ASK.history, 4, 2, before="a cat " * 100_000, at_first=20))
    assert len(told[1]["content"]) <= 12_000


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("{descriptions} {requested_number}", r"lacks \{base_prompt\}; expected are"),
        ("Hello", r"lacks \{descriptions\}, \{requested_number\}, \{base_prompt\}"),
        (SHORT + "{requested_numbr}", r'unknown places: \{requested_numbr\} is none: did you mean "requested_number"\?'),
        (SHORT + "{x}{y}", r"\{x\} is none: expected one of: base_prompt, descriptions, requested_number; \{y\} is none"),
    ],
)
def test_a_template_with_other_places_is_refused_by_name(template: str, complaint: str) -> None:
    with pytest.raises(ExperimentError, match=complaint):
        Instruction(template)


def test_other_braces_in_a_template_are_text() -> None:
    [message] = Instruction(SHORT + ' {"prompts": ["…"]} {} {0} { x }').conversation(Ask("A cat.", (), 3, 1))
    assert message["content"].endswith(' {"prompts": ["…"]} {} {0} { x }')


def test_every_word_of_a_template_is_part_of_its_version() -> None:
    assert Instruction().version == Instruction(TEMPLATE).version
    assert Instruction().version != Instruction(TEMPLATE + " ").version


def test_an_own_template_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "instruction.txt"
    path.write_bytes("\ufeffGrüße: ".encode() + SHORT.encode())
    assert text_of(path) == "Grüße: " + SHORT


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, r"instruction.txt: cannot be read \(No such file or directory\); \[stimuli.rewriting\] instruction names a text file"),
        (b"\xff\xfe", r"instruction.txt: is no UTF-8 text \(byte 0\); save it as UTF-8"),
        (b"{descriptions}", r"instruction.txt: the instruction for the rewriter lacks \{requested_number\}, \{base_prompt\}"),
    ],
)
def test_a_file_that_is_no_template_is_refused_by_name(tmp_path: Path, content: bytes | None, complaint: str) -> None:
    path = tmp_path / "instruction.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ExperimentError, match=complaint):
        text_of(path)
