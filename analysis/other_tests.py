"""The claims that no difference of scores decides, tested for the verdicts: whether images match people, whether runs agree."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.agreement import agreement
from analysis.config import Claim
from analysis.consistency import WORDS, RunAgreement, Steered, consistent_runs, steered_runs
from analysis.personal_match import PersonalMatch, personal_match
from analysis.quality import judge_quality
from analysis.verdicts import OtherTest
from stimuli.manifest import Stimulus
from stimuli.seeds import seed_for
from study.votes import Vote


def other_tests(
    claims: Sequence[Claim], *, votes: Sequence[Vote], stimuli: Sequence[Stimulus], seed: int, alpha: float
) -> dict[str, OtherTest]:
    """Return the test of each claim of type `personal_match` or `consistent_runs`, by the claim's id.

    Runs are compared by their added words. Where several conditions have targets, these claims cannot be tested: a claim does not
    name a condition.
    """
    targeted = sorted({row.condition for row in stimuli if row.target_user is not None})
    found: dict[str, OtherTest] = {}
    for claim in claims:
        rng = np.random.default_rng(seed_for(seed, claim.type, claim.id))
        if claim.type in ("personal_match", "consistent_runs") and len(targeted) != 1:
            found[claim.id] = _untestable(f"it is about one condition with targets, and the stimuli have {len(targeted)}")
        elif claim.type == "personal_match":
            found[claim.id] = match_test(personal_match(votes, rng=rng, condition=targeted[0]), alpha=alpha)
        elif claim.type == "consistent_runs":
            steered = Steered(steered_runs(stimuli, condition=targeted[0]))
            found[claim.id] = runs_test(consistent_runs(steered, rng=rng, alpha=alpha))
    return found


def match_test(found: PersonalMatch, *, alpha: float) -> OtherTest:
    """Return the test of a personal match as verdicts take it; it cannot be tested where no p as small as alpha exists."""
    if found.p_value is None or found.smallest_p is None or found.trace is None or found.expected is None:
        return _untestable(found.not_testable or "there is no test")
    users = len(found.users)
    told = (
        f"images made for oneself win {100 * found.trace / users:.1f} % of comparisons with images made for others, "
        f"{100 * found.expected / users:.1f} % on average over {found.relabellings:,} relabellings of {users} users "
        f"(smallest p that can be {found.smallest_p:.2g})"
    )
    if found.smallest_p > alpha:
        return OtherTest(
            None, told, f"with {users} users no p below {found.smallest_p:.2g} exists, and alpha is {alpha:g}", _numbers(found)
        )
    return OtherTest(found.p_value, told, None, _numbers(found))


def runs_test(found: RunAgreement, *, view: str = WORDS) -> OtherTest:
    """Return the test of the agreement of runs, in one view of them, as verdicts take it."""
    if not found.views:
        return _untestable(found.not_testable or "there is no test")
    chosen = found.view(view)
    test, copies = chosen.test, len(found.near_duplicates)
    told = f"by their {view}, two runs for one user have similarity {_told(test.within)}, runs for two users {_told(test.between)}"
    told += f"; {copies} pairs of prompts are nearly copies of each other" if copies else ""
    told += "; equal image seeds favour a user's own runs" if found.seeds_favour_own else ""
    reason = None
    if chosen.p_value is None:
        again = chosen.without_copies.not_testable if chosen.without_copies else None
        reason = test.not_testable or f"without near-duplicates {again}"
    return OtherTest(chosen.p_value, told, reason, _numbers(chosen))


def further_findings(votes: Sequence[Vote], *, seed: int, min_ms: float = 0) -> dict[str, Any]:
    """Return the quality of the judges and their agreement, in plain values for results.json."""
    rng = np.random.default_rng(seed_for(seed, "agreement"))
    return {
        "quality": dataclasses.asdict(judge_quality(votes, min_ms=min_ms)),
        "agreement": dataclasses.asdict(agreement([vote for vote in votes if vote.kind == "comparison"], rng=rng)),
    }


def _untestable(reason: str) -> OtherTest:
    return OtherTest(None, "", reason)


def _numbers(found: Any) -> dict[str, object]:
    return dataclasses.asdict(found)


def _told(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
