"""Claims about matches and runs reach the verdicts with a p-value, or with the reason why there is none."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from votes_made import personal_block

from analysis.config import Claim
from analysis.other_tests import further_findings, other_tests
from analysis.verdicts import OtherTest
from stimuli.manifest import Stimulus
from stimuli.steering_record import RunEmbedding

MATCH, RUNS = Claim("M", "personal_match"), Claim("R", "consistent_runs")


def stimuli(*, users: int = 6, runs: int = 2, own: str = "{user}") -> list[Stimulus]:
    """Return runs that end with a word of their user's, or of anything else that `own` makes of user, prompt and run."""
    return [
        Stimulus(
            f"s{user}{prompt}{run}", f"q{prompt}", "A boat", "steered", f"u{user}", run, "s.png", "0",
            f"A boat, mark{own.format(user=user, run=run)} c{prompt}{user}{run}", "g", user * 10 + run, None, None, None, 3,
        )
        for user in range(users) for prompt in range(3) for run in range(runs)
    ]  # fmt: skip


def judged(rows: list[Stimulus], *claims: Claim, effect: float = 1.5, users: int = 6) -> dict[str, OtherTest]:
    return other_tests(claims, votes=personal_block(users, own_effect=effect, prompts=6), stimuli=rows, seed=1, alpha=0.05)


def test_a_match_and_agreeing_runs_have_their_smallest_p() -> None:
    found = judged(stimuli(), MATCH, RUNS, Claim("C", "greater", a="own", b="others"))
    assert set(found) == {"M", "R"}
    assert found["M"].p_value == found["R"].p_value == 1 / 720
    assert found["M"].untestable is None and found["R"].untestable is None
    assert "50.0 % on average over 720 relabellings of 6 users (smallest p that can be 0.0014)" in found["M"].finding
    assert found["R"].finding == ("by their added words, two runs for one user have similarity 0.333, runs for two users 0.000")
    json.dumps([test.numbers for test in found.values()], allow_nan=False)


def test_runs_that_agree_with_nobody_in_particular_have_no_small_p() -> None:
    p_value = judged(stimuli(own="{run}"), RUNS)["R"].p_value
    assert p_value is not None and p_value > 0.5


@pytest.mark.parametrize(
    ("rows", "users", "match", "runs"),
    [
        (
            stimuli(users=3),
            3,
            "with 3 users no p below 0.17 exists, and alpha is 0.05",
            "with 3 users no p below 0.167 exists, and alpha is 0.05",
        ),
        (stimuli(runs=1), 6, None, "no base prompt has two runs of each of at least two users"),
        (
            [],
            6,
            "it is about one condition with targets, and the stimuli have 0",
            "it is about one condition with targets, and the stimuli have 0",
        ),
    ],
)
def test_what_cannot_be_tested_says_why(rows: list[Stimulus], users: int, match: str | None, runs: str) -> None:
    found = judged(rows, MATCH, RUNS, users=users)
    assert (found["M"].untestable, found["R"].untestable) == (match, runs)
    assert found["R"].p_value is None
    assert (found["M"].p_value is None) == (match is not None)


def test_of_two_conditions_with_targets_none_is_taken_silently() -> None:
    rows = [*stimuli(), replace(stimuli()[0], condition="other")]
    assert judged(rows, MATCH)["M"].untestable == "it is about one condition with targets, and the stimuli have 2"


def embedded(rows: list[Stimulus], *, of: str) -> list[RunEmbedding]:
    """Return embeddings by which a user's runs agree in their images ("image") or prompts ("prompt"), and in nothing else."""
    rng = np.random.default_rng(3)
    own = {row.target_user: rng.standard_normal(8) for row in rows}
    luck = [rng.standard_normal(8) for _ in rows]
    parts = [(row.stimulus, (own[row.target_user] + 0.01 * noise).tolist(), noise.tolist()) for row, noise in zip(rows, luck, strict=True)]
    return [RunEmbedding(name, noise, like) if of == "image" else RunEmbedding(name, like, noise) for name, like, noise in parts]


def runs(rows: list[Stimulus], embeddings: Sequence[RunEmbedding] = ()) -> OtherTest:
    votes = personal_block(6, own_effect=1.5, prompts=6)
    return other_tests([RUNS], votes=votes, stimuli=rows, seed=1, alpha=0.05, embeddings=embeddings)["R"]


@pytest.mark.parametrize(("of", "view"), [("image", "image embeddings"), ("prompt", "prompt embeddings")])
def test_embeddings_of_runs_are_told_beside_the_words_and_decide_nothing(of: str, view: str) -> None:
    rows = stimuli(own="{run}")
    found = runs(rows, embedded(rows, of=of))
    assert found.p_value is not None and found.p_value > 0.5
    assert f"; by their {view} " in found.finding and "(p 0.0014)" in found.finding
    assert found.numbers is not None
    views = {one["view"]: one["test"]["p_joint"] for one in found.numbers["views"]}  # type: ignore[attr-defined]
    assert views[view] == 1 / 720 and len(views) == 4
    json.dumps(found.numbers, allow_nan=False)


def test_embeddings_that_lack_a_run_are_left_out() -> None:
    rows = stimuli()
    assert "embeddings" not in runs(rows, embedded(rows, of="image")[:-1]).finding


def placebo(*, own: str) -> list[Stimulus]:
    return [replace(row, condition="nothing", scorer="placebo", stimulus=f"p{row.stimulus}") for row in stimuli(own=own)]


def test_runs_of_a_placebo_are_the_floor_that_runs_must_exceed() -> None:
    above = runs([*stimuli(), *placebo(own="{run}")])
    assert above.p_value == 1 / 720
    assert "; that is more than the placebo's runs reach (0.333 against " in above.finding
    level = runs([*stimuli(), *placebo(own="{user}")])
    assert level.p_value == 1.0
    assert "; that is no more than the placebo's runs reach (0.333 against 0.333)" in level.finding


def test_further_findings_are_plain_and_finite() -> None:
    found = further_findings(personal_block(3, own_effect=0.5, prompts=2), seed=1)
    told = json.loads(json.dumps(found, allow_nan=False))
    assert [judge["participant"] for judge in told["quality"]["participants"]] == ["u0", "u1", "u2"]
    assert told["agreement"]["pairs"] == 6
