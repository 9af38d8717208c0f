"""Runs agree only beyond what relabelled runs do, and what can feign agreement is flagged."""

import itertools
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.consistency import IMAGES, PROMPTS, RARE_WORDS, WORDS, Steered, consistent_runs, steered_runs
from analysis.relabelling import relabel, smallest_p
from analysis.run_guards import SteeredRun
from stimuli.experiment import ExperimentError
from stimuli.manifest import Stimulus

PAPER = Path(__file__).parents[2] / "shared" / "paper" / "pamela_paper.txt"


def invented(*, users: int, prompts: int, taste: float, runs: int = 2, seed: int = 1) -> Steered:
    """Return runs whose added words come with chance `taste` from the user's own ten words, else from a hundred common ones."""
    rng = np.random.default_rng(seed)
    found = []
    for user, prompt, run in itertools.product(range(users), range(prompts), range(runs)):
        own, common = rng.integers(0, 10, 8), rng.integers(0, 100, 8)
        added = [f"u{user}x{a}" if rng.random() < taste else f"c{b}" for a, b in zip(own, common, strict=True)]
        found.append(SteeredRun(f"u{user}", f"q{prompt}", run, "A red boat", "A red boat, " + " ".join(added), seed=7))
    return Steered(tuple(found))


def agreement_of(steered: Steered, *, seed: int = 1, **options: object):  # type: ignore[no-untyped-def]
    return consistent_runs(steered, rng=np.random.default_rng(seed), **options)  # type: ignore[arg-type]


def test_runs_with_a_taste_of_their_user_agree_and_runs_without_do_not() -> None:
    steered = agreement_of(invented(users=6, prompts=8, taste=0.5))
    view = steered.view(WORDS)
    assert view.test.p_joint == view.test.smallest_joint == 1 / 720
    assert view.test.p_independent == 1 / 20_001
    assert view.test.auc is not None and view.test.auc > 0.8
    assert view.test.top1 is not None and view.test.top1 > 3 * view.test.chance
    none = agreement_of(invented(users=6, prompts=8, taste=0.0)).view(WORDS).test
    assert none.p_joint is not None and none.p_joint > 0.05
    assert none.auc == pytest.approx(0.5, abs=0.1)
    assert none.top1 == pytest.approx(1 / 6, abs=0.1)


def test_small_p_values_are_rare_where_there_is_no_taste() -> None:
    tests = [agreement_of(invented(users=4, prompts=3, taste=0.0, seed=seed), seed=seed).view(RARE_WORDS).test for seed in range(80)]
    assert np.mean([test.p_joint <= 0.1 for test in tests]) < 0.2
    assert np.mean([test.p_independent <= 0.1 for test in tests]) < 0.2


def test_the_joint_p_is_counted_by_hand() -> None:
    rng = np.random.default_rng(4)
    alike = rng.random((3, 4, 2, 4, 2))
    alike = (alike + alike.transpose(0, 3, 4, 1, 2)) / 2
    found = relabel(alike, rng=rng, alpha=0.05)

    def difference(order: tuple[int, ...]) -> float:
        owner = np.array([[user, order.index(user)] for user in range(4)]).ravel()
        flat = alike.reshape(3, 8, 8)
        one, other = np.triu_indices(8, 1)
        same = owner[one] == owner[other]
        return float(flat[:, one, other][:, same].mean() - flat[:, one, other][:, ~same].mean())

    reached = [difference(order) >= difference((0, 1, 2, 3)) - 1e-12 for order in itertools.permutations(range(4))]
    assert found.difference == pytest.approx(difference((0, 1, 2, 3)))
    assert found.p_joint == pytest.approx(np.mean(reached))


def test_three_runs_each_are_relabelled_run_by_run() -> None:
    found = agreement_of(invented(users=3, prompts=4, taste=0.6, runs=3))
    assert found.runs_each == 3
    assert found.view(WORDS).test.smallest_joint == 1 / 36 == smallest_p(3, 3, 1)
    assert found.view(WORDS).test.p_joint == 1 / 36


@given(st.permutations(range(3)), st.randoms(use_true_random=False))
def test_names_and_order_of_runs_mean_nothing(names: list[int], chance: object) -> None:
    steered = invented(users=3, prompts=2, taste=0.3)
    runs = [replace(run, user=f"w{names[int(run.user[1:])]}") for run in steered.runs]
    chance.shuffle(runs)  # type: ignore[attr-defined]
    one, other = agreement_of(steered, alpha=0.2).view(WORDS).test, agreement_of(Steered(tuple(runs)), alpha=0.2).view(WORDS).test
    assert (other.difference, other.auc, other.top1) == pytest.approx((one.difference, one.auc, one.top1))
    assert other.p_joint == one.p_joint


def test_embeddings_are_centred_at_each_base_prompt() -> None:
    steered = invented(users=4, prompts=3, taste=0.0)
    rng = np.random.default_rng(2)
    taste = {f"u{user}": rng.normal(size=5) for user in range(4)}
    scene = {f"q{prompt}": 100 * rng.normal(size=5) for prompt in range(3)}
    rows = np.array([taste[run.user] + scene[run.prompt] + 0.2 * rng.normal(size=5) for run in steered.runs])
    moved = np.array([row - 2 * scene[run.prompt] for row, run in zip(rows, steered.runs, strict=True)])
    found = agreement_of(Steered(steered.runs, prompt_embeddings=rows, image_embeddings=moved))
    assert [view.view for view in found.views] == [WORDS, RARE_WORDS, PROMPTS, IMAGES]
    assert found.view(PROMPTS).test.p_joint == 1 / 24
    assert found.view(IMAGES).test.difference == pytest.approx(found.view(PROMPTS).test.difference)
    assert found.view(PROMPTS).test.difference > 0.7


def test_copied_text_is_flagged_and_the_test_repeated_without_it() -> None:
    plain = invented(users=4, prompts=2, taste=0.0, seed=3)
    copy = " ".join(f"w{place}" for place in range(40))
    runs = tuple(replace(run, final_prompt=f"A red boat {copy} end{run.run}") if run.user == "u0" else run for run in plain.runs)
    found = agreement_of(Steered(runs))
    assert {(flag.one.user, flag.other.user) for flag in found.near_duplicates} == {("u0", "u0")}
    # "A red boat" is the base prompt's.
    assert (found.near_duplicates[0].shared_run, found.near_duplicates[0].beyond_base) == (43, 40)
    view = found.view(WORDS)
    assert view.without_copies is not None and view.test.difference is not None and view.without_copies.difference is not None
    assert view.test.difference > 0.2 > view.without_copies.difference
    assert view.p_value == max(view.test.p_joint or 0, view.without_copies.p_joint or 0)


def test_where_all_runs_of_users_are_copies_nothing_is_left_to_test() -> None:
    plain = invented(users=4, prompts=2, taste=0.0)
    runs = tuple(replace(run, final_prompt=" ".join(f"{run.user}{run.prompt}{place}" for place in range(30))) for run in plain.runs)
    view = agreement_of(Steered(runs)).view(WORDS)
    assert view.test.p_joint == 1 / 24
    assert view.without_copies is not None
    assert view.without_copies.not_testable == "no two runs of one user are left to compare"
    assert view.p_value is None


def test_the_placebo_is_the_floor_for_the_word_user_specific() -> None:
    steered, shuffled, leaky = (invented(users=5, prompts=6, taste=taste, seed=9) for taste in (0.5, 0.0, 0.8))
    assert agreement_of(steered).view(WORDS).is_user_specific(0.05) is None
    assert agreement_of(steered, placebo=shuffled).view(WORDS).is_user_specific(0.05) is True
    assert agreement_of(steered, placebo=leaky).view(WORDS).is_user_specific(0.05) is False
    assert agreement_of(invented(users=5, prompts=6, taste=0.0), placebo=shuffled).view(WORDS).is_user_specific(0.05) is False


def test_seeds_that_favour_ones_own_runs_are_told() -> None:
    steered = invented(users=3, prompts=2, taste=0.0)
    assert len(agreement_of(steered).equal_seeds) == 2 * 15
    assert agreement_of(steered).seeds_favour_own is False
    own = tuple(replace(run, seed=int(run.user[1:])) for run in steered.runs)
    assert agreement_of(Steered(own)).seeds_favour_own is True
    assert agreement_of(Steered(tuple(replace(run, seed=number) for number, run in enumerate(own)))).equal_seeds == ()


def test_prompts_without_two_runs_of_everybody_are_dropped_and_named() -> None:
    steered = invented(users=4, prompts=3, taste=0.5)
    found = agreement_of(Steered(tuple(run for run in steered.runs if (run.user, run.prompt, run.run) != ("u2", "q1", 1))))
    assert (found.prompts, found.dropped_prompts) == (("q0", "q2"), ("q1",))
    single = agreement_of(Steered(tuple(run for run in steered.runs if run.run == 0)))
    assert (single.views, single.not_testable) == ((), "no base prompt has two runs of each of at least two users")


def test_bad_input_is_told() -> None:
    steered = invented(users=3, prompts=1, taste=0.0)
    with pytest.raises(ExperimentError, match='run 0 of user "u0" at prompt "q0" occurs twice'):
        agreement_of(Steered((*steered.runs, steered.runs[0])))
    with pytest.raises(
        ExperimentError, match=re.escape("image embeddings have shape (2, 4); expected one row of finite numbers for each of 6")
    ):
        agreement_of(Steered(steered.runs, image_embeddings=np.zeros((2, 4))))
    with pytest.raises(ExperimentError, match='no view is called "colours"'):
        agreement_of(steered).view("colours")


def test_runs_come_from_the_stimuli_of_one_condition() -> None:
    stimulus = Stimulus("s", "q", "A boat", "steered", "u", 1, "s.png", "0", "A boat, golden", "g", 5, None, None, None, 3)
    others = [replace(stimulus, condition="initial", target_user=None), replace(stimulus, condition="other")]
    assert steered_runs([stimulus, *others], condition="steered") == (SteeredRun("u", "q", 1, "A boat", "A boat, golden", 5),)


def printed_runs() -> Steered:
    """Return the six final prompts that the paper prints under its figures 9, 15 and 16."""
    if not PAPER.exists():
        pytest.skip("the text of the paper is not here")
    text, runs = PAPER.read_text(encoding="utf-8"), []
    for user, figure in (("1", "Fig. 9: "), ("2", "Fig. 15: "), ("3", "Fig. 16: ")):
        end = text.index(figure)
        told = text[text.rindex("Initial: ", 0, end) : end]
        base, *finals = (" ".join(part.split()) for part in re.split(r"Initial: |Run \d: ", told)[1:])
        runs += [SteeredRun(user, "concrete", number, base, final) for number, final in enumerate(finals, start=1)]
    return Steered(tuple(runs))


def test_the_papers_six_prompts_rest_on_one_user_with_copied_text() -> None:
    found = agreement_of(printed_runs())
    first = found.view(WORDS).users[0]
    assert (first.within, first.between) == (pytest.approx(0.118, abs=6e-4), pytest.approx(0.102, abs=6e-4))
    (copy,) = found.near_duplicates
    assert (copy.one.user, copy.other.user, copy.shared_run) == ("3", "3", 66)
    assert [(run.user, run.run) for run in found.truncated] == [("3", 2)]


def test_the_papers_six_prompts_can_give_no_small_p() -> None:
    found = agreement_of(printed_runs())
    assert found.not_testable == "with 3 users no p below 0.167 exists, and alpha is 0.05"
    for view in found.views:
        assert (view.p_value, view.test.p_joint, view.test.p_independent) == (None, None, None)
        assert min(view.test.smallest_joint, view.test.smallest_independent) >= 1 / 15
    lenient = agreement_of(printed_runs(), alpha=0.4)
    assert all(test.p_joint is not None and test.p_joint >= 1 / 6 for test in (view.test for view in lenient.views))
