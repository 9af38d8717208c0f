"""Verdicts on what study.toml claims: the interval of a difference decides, never whether two intervals overlap."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from analysis.bradley_terry import win_probability
from analysis.config import Claim
from analysis.resampling import Interval, ScoredVotes, percentile_interval
from analysis.results import ClaimResult

SUPPORTED, CONTRADICTED = "SUPPORTED", "CONTRADICTED"
INCONCLUSIVE, NOT_TESTABLE = "INCONCLUSIVE", "NOT TESTABLE"
EXPLORATORY = "EXPLORATORY"
_SCOPE = "For these participants and these prompts, not for new ones,"
_STAMP = "EXPLORATORY: nothing shows that the claim was written before the votes were seen."
_FINDINGS = {
    SUPPORTED: "the votes support the claim that",
    CONTRADICTED: "the votes contradict the claim that",
    INCONCLUSIVE: "the votes neither support nor contradict (which is no evidence of no difference) the claim that",
    NOT_TESTABLE: "the votes cannot test the claim that",
}


@dataclass(frozen=True)
class _Step:
    """One `a` is preferred to `b` within a claim. `strict` is its interval when all steps of the claim shall hold at once."""

    a: str
    b: str
    difference: float
    interval: Interval
    strict: Interval


def judge(claims: Sequence[Claim], votes: ScoredVotes, *, alpha: float, left_out: Sequence[str] = ()) -> Iterator[ClaimResult]:
    """Yield the verdict on each claim for these participants and prompts, stamped EXPLORATORY: claims are not locked yet.

    A step `a` before `b` is shown when the 1 - alpha interval of the difference lies above 0, which is a one-sided test at
    alpha/2. A claim is SUPPORTED when all its steps are (intersection-union: no correction needed). It is CONTRADICTED when one
    step lies below 0 even with alpha shared out among the steps (Bonferroni). `left_out` names conditions taken out on request.
    """
    for claim in claims:
        yield _judge(claim, votes, alpha, left_out)


def _judge(claim: Claim, votes: ScoredVotes, alpha: float, left_out: Sequence[str]) -> ClaimResult:
    names = claim.items if claim.type == "order" else tuple(name for name in (claim.a, claim.b) if name is not None)
    absent = [name for name in names if name not in votes.items]
    if absent:
        return _result(claim, NOT_TESTABLE, _why_absent(absent, left_out), f"{_joined(names)}.")
    steps = [_step(votes, a, b, alpha, len(names) - 1) for a, b in pairwise(names)]
    verdict, reason = _verdict(steps, alpha)
    return _result(claim, verdict, reason, f"{_joined(names)}: {'; '.join(_measured(step, alpha) for step in steps)}.")


def _result(claim: Claim, verdict: str, reason: str, told: str) -> ClaimResult:
    return ClaimResult(claim.id, f"{_SCOPE} {_FINDINGS[verdict]} {told} {_STAMP}", f"{verdict}, {EXPLORATORY}", reason)


def _step(votes: ScoredVotes, a: str, b: str, alpha: float, steps: int) -> _Step:
    draws = votes.difference_draws(a, b)
    return _Step(
        a,
        b,
        votes.difference(a, b),
        percentile_interval(draws, alpha=alpha),
        percentile_interval(draws, alpha=alpha / steps),
    )


def _verdict(steps: Sequence[_Step], alpha: float) -> tuple[str, str]:
    """Return the verdict and the rule that gave it; the first rule that fits wins."""
    against = [step for step in steps if step.strict.high < 0]
    if against:
        level = _percent(1 - alpha / len(steps))
        found = ", ".join(f"{step.a} minus {step.b}" for step in against)
        return CONTRADICTED, f"the {level} interval of {found} lies wholly below 0"
    open_ = [step for step in steps if step.interval.low <= 0]
    level = _percent(1 - alpha)
    if not open_:
        which = "the difference" if len(steps) == 1 else "every adjacent difference"
        return SUPPORTED, f"the {level} interval of {which} lies wholly above 0"
    found = ", ".join(f"{step.a} minus {step.b}" for step in open_)
    return INCONCLUSIVE, f"the {level} interval of {found} does not lie wholly above 0, and the claim is not contradicted"


def _measured(step: _Step, alpha: float) -> str:
    chance = _percent(win_probability(step.difference))
    interval = f"{_percent(1 - alpha)} interval {step.interval.low:+.1f} to {step.interval.high:+.1f}"
    return f"{step.a} minus {step.b} is {step.difference:+.1f} Elo ({interval}), so {step.a} is preferred in {chance} of comparisons"


def _why_absent(absent: Sequence[str], left_out: Sequence[str]) -> str:
    taken, unseen = [name for name in absent if name in left_out], [name for name in absent if name not in left_out]
    told = [f"left out of the analysis: {', '.join(taken)}"] if taken else []
    told += [f"no vote compares {' or '.join(unseen)} with another condition"] if unseen else []
    return "; ".join(told)


def _joined(names: Sequence[str]) -> str:
    return ", and ".join(f"{a} is preferred to {b}" for a, b in pairwise(names))


def _percent(share: float) -> str:
    """Return a share as a percentage with as many digits as it needs, at most one.

    >>> _percent(0.95), _percent(0.975)
    ('95 %', '97.5 %')
    """
    return f"{round(100 * share, 1):g} %"
