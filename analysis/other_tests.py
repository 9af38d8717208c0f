"""The claims that no difference of scores decides, tested for the verdicts: whether images match people, whether runs agree."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.agreement import agreement
from analysis.config import Claim
from analysis.consistency import IMAGES, PROMPTS, WORDS, RunAgreement, Steered, ViewAgreement, consistent_runs, steered_runs
from analysis.personal_match import PersonalMatch, personal_match
from analysis.quality import judge_quality
from analysis.verdicts import OtherTest
from stimuli.manifest import Stimulus
from stimuli.seeds import seed_for
from stimuli.steering_record import RunEmbedding
from study.votes import Vote

# The scorer of a condition that is steered by scores which know nothing.
PLACEBO = "placebo"


def other_tests(
    claims: Sequence[Claim],
    *,
    votes: Sequence[Vote],
    stimuli: Sequence[Stimulus],
    seed: int,
    alpha: float,
    embeddings: Sequence[RunEmbedding] = (),
) -> dict[str, OtherTest]:
    """Return the test of each claim of type `personal_match` or `consistent_runs`, by the claim's id.

    Runs are compared by their added words, and where `embeddings` are known by these too. A condition steered by a placebo is the
    floor for the agreement of runs. Where several other conditions have targets, these claims cannot be tested: a claim does not
    name a condition.
    """
    with_targets = {row.condition: row.scorer for row in stimuli if row.target_user is not None}
    targeted = sorted(name for name, scorer in with_targets.items() if scorer != PLACEBO)
    placebos = sorted(name for name, scorer in with_targets.items() if scorer == PLACEBO)
    found: dict[str, OtherTest] = {}
    for claim in claims:
        rng = np.random.default_rng(seed_for(seed, claim.type, claim.id))
        if claim.type in ("personal_match", "consistent_runs") and len(targeted) != 1:
            found[claim.id] = _untestable(f"it is about one condition with targets, and the stimuli have {len(targeted)}")
        elif claim.type == "personal_match":
            found[claim.id] = match_test(personal_match(votes, rng=rng, condition=targeted[0]), alpha=alpha)
        elif claim.type == "consistent_runs":
            steered, *floors = (runs_of(stimuli, condition=name, embeddings=embeddings) for name in (targeted[0], *placebos))
            runs = consistent_runs(steered, rng=rng, alpha=alpha, placebo=floors[0] if len(floors) == 1 else None)
            found[claim.id] = runs_test(runs)
    return found


def runs_of(stimuli: Sequence[Stimulus], *, condition: str, embeddings: Sequence[RunEmbedding] = ()) -> Steered:
    """Return the runs of one condition, with the embeddings of their prompts and images where all of them are known."""
    rows = [row for row in stimuli if row.condition == condition and row.target_user is not None]
    known = {one.stimulus: one for one in embeddings}
    found = [known[row.stimulus] for row in rows if row.stimulus in known]
    prompts = [one.prompt for one in found if one.prompt is not None]
    return Steered(
        steered_runs(rows, condition=condition),
        prompt_embeddings=np.array(prompts) if rows and len(prompts) == len(rows) else None,
        image_embeddings=np.array([one.image for one in found]) if rows and len(found) == len(rows) else None,
    )


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
    """Return the test of the agreement of runs, in one view of them, as verdicts take it; the numbers are of all views.

    Where there is a placebo and the runs agree no more than its runs can, the claim is not supported, whatever its p: p is 1 then.
    """
    if not found.views:
        return _untestable(found.not_testable or "there is no test")
    chosen = found.view(view)
    test, copies = chosen.test, len(found.near_duplicates)
    told = f"by their {view}, two runs for one user have similarity {_told(test.within)}, runs for two users {_told(test.between)}"
    told += "".join(_also(other) for other in found.views if other.view in (PROMPTS, IMAGES) and other.view != view)
    told += f"; {copies} pairs of prompts are nearly copies of each other" if copies else ""
    told += "; equal image seeds favour a user's own runs" if found.seeds_favour_own else ""
    reason, p_value = None, chosen.p_value
    if p_value is None:
        again = chosen.without_copies.not_testable if chosen.without_copies else None
        reason = test.not_testable or f"without near-duplicates {again}"
    elif chosen.floor is not None and test.difference is not None:
        above = test.difference > chosen.floor
        told += f"; that is {'more' if above else 'no more'} than the placebo's runs reach"
        told += f" ({_told(test.difference)} against {_told(chosen.floor)})"
        p_value = p_value if above else 1.0
    return OtherTest(p_value, told, reason, {**_numbers(chosen), "views": [_numbers(one) for one in found.views]})


def _also(view: ViewAgreement) -> str:
    """Return what another view says, which decides nothing: the view that decides was chosen before the votes."""
    p = f"p {view.p_value:.2g}" if view.p_value is not None else "no p"
    return f"; by their {view.view} {_told(view.test.within)} and {_told(view.test.between)} ({p})"


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
