"""Reading prompts out of what models write: every form of list, thoughts, refusals, cut answers, any script."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimuli.rewriters.answers import LONGEST_PROMPT, Answer, fresh, parse, read

# Marks at the ends, a colon after "prompt" and a score would be marks of the list, not of the prompt.
PLAIN = st.text(st.characters(categories=["L", "M", "N"], include_characters=" ,-();/&%"), min_size=1, max_size=60).map(
    lambda text: " ".join(["A", *text.split(), "z"])
)


@pytest.mark.parametrize(
    "text",
    [
        "1. A cat\n2. A dog",
        "1) A cat\n2) A dog",
        "1: A cat\n2: A dog",
        "(1) A cat\n(2) A dog",
        "[1] A cat\n[2] A dog",
        "1 - A cat\n2 - A dog",
        "1\\. A cat\n2\\. A dog",
        "1.A cat\n2.A dog",
        "#1: A cat\n#2: A dog",
        "**1.** A cat\n**2.** A dog",
        "**1. A cat**\n**2. A dog**",
        "1. **A cat**\n2. **A dog**",
        "**1. A cat**\n\n**2. A dog**\n\nI hope they help!",
        "Prompt 1: A cat\nPrompt 2: A dog",
        "**Prompt 1:** A cat\n\n**Prompt 2:** A dog",
        "**Prompt 1**\nA cat\n\n**Prompt 2**\nA dog",
        "Prompt #1 - A cat\nPrompt #2 - A dog",
        "Variation 1: A cat\nVariation 2: A dog",
        "### Prompt 1\nA cat\n### Prompt 2\nA dog",
        "### Prompt 1: At dusk\n\nA cat\n\n### Prompt 2: At dawn\n\nA dog\n\nI hope they help!",
        "1. Prompt: A cat\n2. Prompt: A dog",
        "Prompt 1:\n- A cat\nPrompt 2:\n- A dog",
        "1.\nA cat\n2.\nA dog",
        "1.\n\nA cat\n\n2.\n\nA dog",
        "1. A cat\n\n2. A dog\n\n---\n\nAll of them keep the subject.",
        '1. "A cat"\n2. “A dog”',
        "1. 'A cat'\n2. «A dog»",
        '1. "A cat",\n2. "A dog"',
        '1. **"A cat"**\n2. "**A dog**"',
        "- A cat\n- A dog",
        "* A cat\n* A dog",
        "• A cat\n• A dog",
        "+ A cat\n+ A dog",
        "Here are 2 prompts:\n\n1. A\n   cat\n2. A dog\n\nI hope they help!",
        "  1. A cat\r\n  2. A dog\r\n",
        "```\n1. A cat\n2. A dog\n```",
        "```text\n1. A cat\n2. A dog```",
        "1. A cat (score: 0.81)\n2. A dog [Score: 0.9]",
        "1. A cat - Score: 0.81\n2. A dog | score 7/10",
        "1. (score: 0.81) A cat\n2. score 0.9: A dog",
        '1. "A cat" (predicted score of 0.81)\n2. **A dog** (score = ~3)',
        "<think>1. A bird? No.</think>\n1. A cat\n2. A dog",
        "They want cats.\n1. A bird?\n</think>\n1. A cat\n2. A dog",
        "1. A cat\n2. A dog\n<think>\n3. A bird",
        '["A cat", "A dog"]',
        '[\n  "A cat",\n  "A dog"\n]',
        '["1. A cat", "2. A dog"]',
        '{"prompts": ["A cat", "A dog"]}',
        '{"1": "A cat", "2": "A dog"}',
        '{"prompt_1": "A cat", "prompt_2": "A dog", "note": "as asked"}',
        '[{"prompt": "A cat", "score": 0.8}, {"id": 2, "text": "A dog", "title": "At dawn"}]',
        '{"result": {"prompts": [{"prompt": "A cat"}, {"prompt": "A dog"}]}}',
        '{"prompt": "A cat"}\n{"prompt": "A dog"}',
        'Here you are:\n\n```json\n["A cat", "A dog"]\n```\nAll keep the subject.',
        '```json\n{"prompts": ["A cat", "A dog"]}```',
    ],
)
def test_the_ways_models_write_lists_are_read(text: str) -> None:
    assert parse(text) == ["A cat", "A dog"]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("1. A cat\n2. A dog", ["A cat"]),
        ("1. A cat\n2.", ["A cat"]),
        ("1. A cat\n2. A dog\n\nAll of them ke", ["A cat", "A dog"]),
        ("### Prompt 1: At dusk\n\nA cat\n\n### Prompt 2: At dawn\n\nA d", ["A cat"]),
        ("- A cat\n- A d", ["A cat"]),
        ('["A cat", "A d', ["A cat"]),
        ('{"prompts": ["A cat", "A \\"d', ["A cat"]),
        ('[{"prompt": "A cat", "score": 0.3}, {"prompt": "A d', ["A cat"]),
        ('["A cat", "A dog"]\n\nAll of them ke', ["A cat", "A dog"]),
        ("A cat and a cat and a cat", []),
        ("1. A cat and a cat and a cat", []),
        ("<think>1. A cat\n2. A dog", []),
        ("", []),
    ],
)
def test_an_answer_that_was_cut_loses_what_it_was_cut_in(text: str, whole: list[str]) -> None:
    assert read(text, is_cut=True) == Answer(tuple(whole), "cut")


@pytest.mark.parametrize(
    "text",
    [
        "I cannot help with that.",
        "I'm sorry, but I can’t assist with that request.",
        "I'm unable to create images.",
        "I can't generate that. Here is what I can do instead:\n1. Talk about light\n2. Talk about lenses",
        "1. I'm sorry, but I cannot help with that.",
        "As a model I must decline; I won't write this.",
    ],
)
def test_a_refusal_gives_no_prompts(text: str) -> None:
    assert read(text) == Answer((), "refusal")


@pytest.mark.parametrize(
    "before", ["I can't wait to share these!", "I cannot see the pictures, but here are two:", "Sorry for that. Two more:"]
)
def test_a_polite_preface_is_no_refusal(before: str) -> None:
    assert parse(f"{before}\n\n1. A cat\n2. A sign that says: I cannot help") == ["A cat", "A sign that says: I cannot help"]


@pytest.mark.parametrize(
    ("text", "trouble"), [("", "empty"), (" \n\n", "empty"), ("<think>A cat</think>", "empty"), ("A cat.\nA dog.", "no list")]
)
def test_text_without_a_list_gives_nothing_and_says_why(text: str, trouble: str) -> None:
    assert read(text) == Answer((), trouble)


def test_parentheses_inner_quotes_and_decimals_stay() -> None:
    text = '1. A cat (asleep), f/1.8\n2. "Yes" and "No" in neon\n3. 1.8 metres of *cat* [close-up] at 16:9\n4. A board with the score 3:1'
    assert parse(text) == [
        "A cat (asleep), f/1.8",
        '"Yes" and "No" in neon',
        "1.8 metres of *cat* [close-up] at 16:9",
        "A board with the score 3:1",
    ]


def test_bullets_below_numbers_belong_to_the_item() -> None:
    assert parse("1. A cat\n- asleep\n2. A dog") == ["A cat - asleep", "A dog"]


def test_a_title_before_the_prompt_stays_with_it() -> None:
    assert parse("1. **At dusk:** A cat\n**2. At dawn:** A dog") == ["At dusk: A cat", "At dawn: A dog"]


def test_talk_between_the_items_is_no_prompt() -> None:
    assert parse("1. A cat\n\nAnd one that is darker:\n\n2. A dog") == ["A cat", "A dog"]


@pytest.mark.parametrize(
    "prompts",
    [
        ["黄昏时分的一只猫，暖光", "清晨的一只狗"],
        ["قطة عند الغروب", "كلب عند الفجر"],
        ["बिल्ली, सुनहरी रोशनी", "कुत्ता, नीली रोशनी"],
        ["Кошка в сумерках", "Собака на рассвете"],
        ["猫 🐈‍⬛ at dusk", "犬 🐕 at dawn"],
    ],
)
@pytest.mark.parametrize("form", ["{}. {}", "{}．{}", "{}、{}", "{}) {}"])
def test_every_script_is_kept(prompts: list[str], form: str) -> None:
    assert parse("\n".join(form.format(number, prompt) for number, prompt in enumerate(prompts, start=1))) == prompts


def test_vowel_signs_tell_prompts_apart_and_width_does_not() -> None:
    assert fresh(["कि", "का", "ＣＡＴ", "cat", "!?"], known=[]) == ["कि", "का", "ＣＡＴ"]


def test_an_item_beyond_the_limit_is_left_out_and_the_others_stay() -> None:
    longest = "A" + "b" * (LONGEST_PROMPT - 1)
    assert read(f"1. A cat\n2. {longest}c\n3. {longest}") == Answer(("A cat", longest), "too long")


@pytest.mark.parametrize(
    "text",
    ["[\n" * 5000, '{"a":' * 5000, '["' * 5000, "1. " * 5000, "**" * 5000, "</think>" * 5000, "1. " + "prompt: " * 9000, '"' * 20_000],
)
def test_nonsense_of_any_length_is_survived(text: str) -> None:
    assert len(read(text).prompts) <= 1
    assert len(read(text, is_cut=True).prompts) <= 1


@given(st.text())
def test_no_text_is_an_error_and_every_prompt_can_be_stored(text: str) -> None:
    for prompt in [*parse(text), *parse(f"1. {text}"), *parse(json.dumps([text]))]:
        prompt.encode()
        assert prompt == " ".join(prompt.split()) != ""


@given(
    st.lists(PLAIN, min_size=1, max_size=12),
    st.sampled_from(["{}. {}", "{}) {}", "({}) {}", "**{}.** {}", "Prompt {}: {}", '{}. "{}"', "{}.\n{}"]),
)
def test_what_is_numbered_comes_back_in_order(prompts: list[str], form: str) -> None:
    assert parse("\n".join(form.format(number, prompt) for number, prompt in enumerate(prompts, start=1))) == prompts


@given(st.lists(PLAIN, min_size=1, max_size=12))
def test_what_is_json_comes_back_in_order(prompts: list[str]) -> None:
    assert parse(json.dumps(prompts)) == parse(json.dumps({"prompts": prompts}, indent=2, ensure_ascii=False)) == prompts


@given(st.lists(PLAIN, min_size=1, max_size=12), st.integers(min_value=0))
def test_a_cut_list_gives_whole_prompts_only(prompts: list[str], cut: int) -> None:
    text = "\n".join(f"{number}. {prompt}" for number, prompt in enumerate(prompts, start=1))
    found = parse(text[: cut % (len(text) + 1)], is_cut=True)
    assert found == prompts[: len(found)]
    assert len(found) < len(prompts)
