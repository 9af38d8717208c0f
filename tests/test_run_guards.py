"""Copied text, cut-off prompts and keywords that everybody has are found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.added_words import added_words, jaccard, rarity, words
from analysis.run_guards import SteeredRun, exclusive_keywords, is_truncated, keyword_claim, near_duplicates, shared_run

BASE = "Raw stone walls with huge ferns."
WORDS_ = st.lists(st.sampled_from("abcd"), max_size=12)


def run(user: str, number: int, text: str) -> SteeredRun:
    return SteeredRun(user, "walls", number, BASE, text)


def longest_by_hand(one: list[str], other: list[str]) -> int:
    runs = (one[start:end] for start in range(len(one)) for end in range(start + 1, len(one) + 1))
    inside = lambda part: any(other[at : at + len(part)] == part for at in range(len(other)))  # noqa: E731 - shorter than a function
    return max((len(part) for part in runs if inside(part)), default=0)


@given(WORDS_, WORDS_)
def test_the_longest_common_run_is_that_found_by_trying_all(one: list[str], other: list[str]) -> None:
    assert shared_run(one, other) == (longest_by_hand(one, other),) * 2
    assert shared_run(one, other) == shared_run(other, one)


@given(WORDS_, WORDS_)
def test_what_the_base_prompt_says_is_not_copied(one: list[str], other: list[str]) -> None:
    assert shared_run(one, other, base=one)[1] == 0


def test_a_long_base_prompt_does_not_hide_a_shorter_copied_run() -> None:
    base, copied = [f"b{n}" for n in range(30)], [f"c{n}" for n in range(15)]
    assert shared_run([*base, "x", *copied], [*base, "y", *copied], base=base) == (30, 15)


def test_added_words_are_content_that_the_base_prompt_lacks() -> None:
    found = added_words("A photograph of raw Stone walls, ferns and golden lights in the mist", base=BASE)
    assert found == {"golden", "light", "mist"}
    assert added_words("golden lights", base=BASE, boilerplate=["golden"]) == {"light"}


def test_words_keep_hyphens_and_drop_accents_and_case() -> None:
    assert words("A CAFÉ at low-angle, f/2") == ["a", "cafe", "at", "low-angle", "f", "2"]


def test_rare_words_weigh_more() -> None:
    sets = [frozenset("ab"), frozenset("ac"), frozenset("ad"), frozenset("d")]
    weights = rarity(sets)
    assert weights["b"] > weights["d"] > weights["a"]
    assert jaccard(sets[0], sets[1], weights) < jaccard(sets[0], sets[1]) == 1 / 3
    assert jaccard(frozenset(), frozenset()) == 0.0


def test_near_duplicates_are_found_by_runs_and_by_words() -> None:
    tail = " ".join(f"word{n}" for n in range(13))
    runs = [
        run("u", 1, f"{tail} red green blue"),
        run("v", 1, f"big small {tail}"),
        run("w", 1, "misty golden light"),
        run("w", 2, "light, golden, misty"),
    ]
    found = {(flag.one.user, flag.other.user): flag for flag in near_duplicates(runs)}
    assert set(found) == {("u", "v"), ("w", "w")}
    assert (found["u", "v"].beyond_base, found["w", "w"].jaccard) == (13, 1.0)
    shorter = [run("u", 1, tail.removesuffix("word12") + "red green blue old new"), run("v", 1, "big small " + tail)]
    assert near_duplicates(shorter) == ()


@pytest.mark.parametrize("prompt", ["Ferns, with the", "Ferns in mist and ", "Ferns, mist,", "Ferns (", "", "a misty-"])
def test_a_prompt_that_stops_midway_is_truncated(prompt: str) -> None:
    assert is_truncated(prompt)


@pytest.mark.parametrize("prompt", ["Ferns in the mist.", "Ferns in the mist", "A wall to lean on.", 'The sign says "stop"', "Ferns (old)"])
def test_a_prompt_that_ends_is_not_truncated(prompt: str) -> None:
    assert not is_truncated(prompt)


def test_keywords_are_exclusive_when_all_own_runs_and_no_other_have_them() -> None:
    runs = [
        run("u", 1, "weathered wall, mystical forest"),
        run("u", 2, "forests, mystical; weathered"),
        run("v", 1, "weathered wall"),
        run("v", 2, "sea"),
    ]
    assert keyword_claim(runs, user="u", prompt="walls", keywords="the mystical forest").exclusive
    weathered = keyword_claim(runs, user="u", prompt="walls", keywords="weathered")
    assert (weathered.in_own, weathered.own_runs, weathered.in_others, weathered.other_runs, weathered.exclusive) == (2, 2, 1, 2, False)
    assert not keyword_claim(runs, user="v", prompt="walls", keywords="sea").exclusive
    assert exclusive_keywords(runs) == {("u", "walls"): ("forest", "mystic"), ("v", "walls"): ()}
    assert exclusive_keywords(runs[1:3]) == {("u", "walls"): (), ("v", "walls"): ()}
