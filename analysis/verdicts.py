"""The rules that turn the evidence on a claim into a verdict; the first rule that fits wins."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from analysis.bradley_terry import ELO_PER_LOGIT, Array
from analysis.config import Claim
from analysis.jackknife import FEWEST_CLUSTERS, SCOPES, Estimate, Scope, Spread, estimate, student_quantile, variance

SUPPORTED, CONTRADICTED, EQUIVALENT = "SUPPORTED", "CONTRADICTED", "EQUIVALENT"
INCONCLUSIVE, NOT_TESTABLE = "INCONCLUSIVE", "NOT TESTABLE"
MEANINGFUL, NEGLIGIBLE = "meaningful", "negligible"
LEAST_OF_PLANNED = 0.8
MOST_EXCLUDED = 0.2


@dataclass(frozen=True)
class Rules:
    """What a verdict is decided by: error rate, for whom it shall hold, and the smallest difference that matters (Elo)."""

    alpha: float = 0.05
    scope: Scope = "participants+prompts"
    smallest_effect: float | None = None


@dataclass(frozen=True)
class Circumstances:
    """What can make a claim untestable besides the differences themselves.

    `votes` are the comparisons that are scored, of `collected` that exclusion rules and what was left out have not touched yet, and
    `unscored` more that compare two images of one name. `refused` gives the reason by pair of names, in either order. `excluded` of
    `enrolled` participants were taken out by rule.
    """

    votes: int
    collected: int | None = None
    unscored: int = 0
    planned_votes: int | None = None
    enrolled: int | None = None
    excluded: int = 0
    left_out: tuple[str, ...] = ()
    refused: Mapping[frozenset[str], str] | None = None
    regularised: bool = False


@dataclass(frozen=True)
class OtherTest:
    """A claim that another analysis tests: its p-value, or in words why it cannot; what was found; the numbers behind it."""

    p_value: float | None
    finding: str
    untestable: str | None = None
    numbers: Mapping[str, object] | None = None


@dataclass(frozen=True, eq=False)
class Step:
    """One difference of a claim: `a` minus `b`, with the level of its adjusted interval."""

    a: str
    b: str
    estimate: Estimate
    adjusted_alpha: float

    @property
    def difference(self) -> float:
        """In Elo."""
        return float(self.estimate.difference)

    def interval(self, alpha: float) -> tuple[float, float]:
        """Return the 1 - alpha interval, in Elo."""
        low, high = self.estimate.interval(alpha)
        return float(low), float(high)


@dataclass(frozen=True, eq=False)
class Verdict:
    """The verdict on a claim, the rule that fired, and what it rests on. `p_value` is two-sided, before and after Holm."""

    claim: Claim
    kind: str
    grade: str | None
    rule: str
    steps: tuple[Step, ...]
    p_value: float | None = None
    p_adjusted: float | None = None

    @property
    def name(self) -> str:
        """The verdict with its grade: SUPPORTED (meaningful)."""
        return f"{self.kind} ({self.grade})" if self.grade else self.kind


def verdicts(
    claims: Sequence[Claim],
    of: Spread,
    rules: Rules,
    circumstances: Circumstances,
    *,
    others: Mapping[str, OtherTest] | None = None,
    count_clusters: bool = True,
) -> list[Verdict]:
    """Return the verdict on each claim, p-values corrected by Holm's rule for the testable claims of its family.

    A `greater` claim is tested two-sided, so that it can be contradicted as surely as supported. An `order` has p = twice the
    largest one-sided p of its steps (intersection-union: all must hold). `equivalent` is two one-sided tests at alpha. Its p is near
    1 where it is refuted, so that Holm's rule says nothing about that: `equivalent` and `noninferior` claims are contradicted at
    alpha over the number of testable claims of the family (Bonferroni).
    """
    others = others or {}
    found = [_measured(claim, of, rules, circumstances, others.get(claim.id), count_clusters) for claim in claims]
    for family in {claim.family for claim in claims}:
        places = [n for n, one in enumerate(found) if one.claim.family == family and one.kind != NOT_TESTABLE]
        adjusted = holm([found[place].p_value or 0.0 for place in places]) if places else []
        for place, p in zip(places, adjusted, strict=True):
            found[place] = _decided(replace(found[place], p_adjusted=p), rules, len(places))
    return found


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number (Holm 1979).

    As statsmodels' `multipletests`, which collects garbage at every call: too slow for all the leave-one-out verdicts.

    >>> [round(p, 2) for p in holm([0.01, 0.04, 0.03, 0.005])]
    [0.03, 0.06, 0.06, 0.02]
    """
    order = np.argsort(p_values, kind="stable")
    stepped = np.asarray(p_values)[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    found: list[float] = adjusted.tolist()
    return found


def _measured(
    claim: Claim, of: Spread, rules: Rules, circumstances: Circumstances, other: OtherTest | None, count_clusters: bool
) -> Verdict:
    """Return the differences and the p-value of a claim, still without a verdict unless it cannot be tested."""
    if claim.type in ("personal_match", "consistent_runs"):
        why = "what it needs was not given to the analysis" if other is None else other.untestable
        if why or other is None or other.p_value is None:
            return Verdict(claim, NOT_TESTABLE, None, why or "it has no p-value", ())
        return Verdict(claim, INCONCLUSIVE, None, "", (), p_value=other.p_value)
    names = claimed_names(claim)
    why = _why_untestable(names, of, rules, circumstances, count_clusters)
    if why:
        return Verdict(claim, NOT_TESTABLE, None, why, ())
    place = of.items.index
    steps = tuple(Step(a, b, _only(estimate(of, place(a), place(b), rules.scope)), rules.alpha) for a, b in pairwise(names))
    if any(step.estimate.standard_error <= 0 or not np.isfinite(step.estimate.standard_error) for step in steps):
        return Verdict(claim, NOT_TESTABLE, None, "the votes give the difference no spread that could be measured", ())
    return Verdict(claim, INCONCLUSIVE, None, "", steps, p_value=_p_value(claim, steps))


def claimed_names(claim: Claim) -> tuple[str, ...]:
    """Return the conditions of a claim about differences, the one that shall be ahead first."""
    return claim.items if claim.type == "order" else tuple(name for name in (claim.a, claim.b) if name is not None)


def _only(found: Estimate) -> Estimate:
    """Return the estimate of a single study as plain numbers."""
    return Estimate(found.difference.reshape(-1)[0], found.standard_error.reshape(-1)[0], found.df.reshape(-1)[0])


def _why_untestable(names: tuple[str, ...], of: Spread, rules: Rules, circumstances: Circumstances, count_clusters: bool) -> str | None:
    absent = [name for name in names if name not in of.items]
    if absent:
        out = [name for name in absent if name in circumstances.left_out]
        missing = f"no vote compares {' or '.join(name for name in absent if name not in out)}" if len(out) < len(absent) else ""
        return "; ".join(part for part in (missing, f"{' and '.join(out)} was left out on request" if out else "") if part)
    if circumstances.regularised:
        return "the scores are regularised, and made-up half wins support no claim"
    for a, b in pairwise(names):
        refused = (circumstances.refused or {}).get(frozenset((a, b)))
        if refused:
            return refused
    if rules.scope in of.refused:
        return f"at the scope {rules.scope}: {of.refused[rules.scope]}"
    few = [
        f"{count} {what}"
        for what, count, scopes in (("participants", of.participants, SCOPES[1:]), ("prompts", of.prompts, SCOPES[2:]))
        if rules.scope in scopes and count < FEWEST_CLUSTERS
    ]
    if few and count_clusters:
        return f"a claim at the scope {rules.scope} needs at least {FEWEST_CLUSTERS} of each, and there are {' and '.join(few)}"
    return _why_too_few(circumstances)


def _why_too_few(circumstances: Circumstances) -> str | None:
    planned, enrolled = circumstances.planned_votes, circumstances.enrolled
    reasons = [_fewer_than_planned(circumstances, planned)] if planned else []
    if enrolled and circumstances.excluded > MOST_EXCLUDED * enrolled:
        reasons.append(f"{circumstances.excluded} of {enrolled} participants were excluded, which is more than 20 %")
    return "; ".join(reason for reason in reasons if reason) or None


def _fewer_than_planned(circumstances: Circumstances, planned: int) -> str | None:
    """Return why there are less than 80 % of the votes planned: too few came in, or too few were left; None where there are enough."""
    votes, fewest = circumstances.votes, LEAST_OF_PLANNED * planned
    collected = max(votes, circumstances.collected or 0)
    if collected < fewest:
        told = f"{collected:,} scored votes came in, {collected / planned:.0%} of the {planned:,} planned, below 80 %"
        apart = f"{circumstances.unscored:,} more compare two images of one name, which no score and no planned_votes counts"
        return f"{told} ({apart})" if circumstances.unscored else told
    if votes < fewest:
        why = "the exclusion rules and what was left out on request" if circumstances.left_out else "the exclusion rules"
        return f"{collected:,} scored votes came in, and {why} left {votes:,}, {votes / planned:.0%} of the {planned:,} planned, below 80 %"
    return None


def _p_value(claim: Claim, steps: Sequence[Step]) -> float:
    margin = claim.margin_elo or 0.0
    first = steps[0].estimate
    match claim.type:
        case "order":
            return min(1.0, 2 * max(float(step.estimate.p_above()) for step in steps))
        case "noninferior":
            above = float(first.p_above(-margin))
            return min(1.0, 2 * min(above, 1 - above))
        case "equivalent":
            mirrored = Estimate(-first.difference, first.standard_error, first.df)
            return max(float(first.p_above(-margin)), float(mirrored.p_above(-margin)))
        case _:
            return float(first.p_value())


def _decided(found: Verdict, rules: Rules, family: int) -> Verdict:
    claim, p, adjusted = found.claim, found.p_value or 0.0, found.p_adjusted or 0.0
    alpha = _corrected(claim, rules.alpha, family, p=p, adjusted=adjusted)
    steps = tuple(replace(step, adjusted_alpha=alpha) for step in found.steps)
    found = replace(found, steps=steps)
    against = [step for step in steps if _contradicts(claim, step, alpha)]
    if against:
        which = ", ".join(_told_interval(step, alpha) for step in against)
        bound = f"outside ±{claim.margin_elo:g}" if claim.type == "equivalent" else f"below {_bound(claim):g}"
        return replace(found, kind=CONTRADICTED, rule=f"the {_corrected_level(alpha, rules)} of {which}, lies wholly {bound}")
    if claim.type != "equivalent" and adjusted <= rules.alpha and (claim.type == "order" or _points_right(claim, steps)):
        rule = f"adjusted p = {adjusted:.3g} is at most {rules.alpha:g}"
        return replace(found, kind=SUPPORTED, grade=_grade(claim, steps, rules), rule=rule)
    margin = claim.margin_elo or rules.smallest_effect
    close = bool(steps) and margin is not None and claim.type != "order" and _inside(steps[0], margin, rules.alpha)
    if close and (claim.type != "equivalent" or adjusted <= rules.alpha):
        rule = f"the {_percent(1 - 2 * rules.alpha)} interval of {steps[0].a} minus {steps[0].b} lies inside ±{margin:g} Elo"
        rule += f", and adjusted p = {adjusted:.3g} is at most {rules.alpha:g}" if claim.type == "equivalent" else ""
        return replace(found, kind=EQUIVALENT, rule=rule)
    return replace(found, kind=INCONCLUSIVE, rule=_why_open(found, rules))


def _corrected(claim: Claim, alpha: float, family: int, *, p: float, adjusted: float) -> float:
    """Return the level of a claim's corrected intervals, at which it is contradicted."""
    if claim.type == "order":
        # One step contradicts an order, so its steps share alpha as well.
        return alpha / family / (len(claim.items) - 1)
    if claim.type in ("equivalent", "noninferior"):
        return alpha / family
    # The level at which Holm's rule would just reject.
    return alpha * p / adjusted if adjusted else alpha / family


def _bound(claim: Claim) -> float:
    """Return what the difference has to be above, in Elo."""
    return 0.0 - (claim.margin_elo or 0.0)


def _points_right(claim: Claim, steps: Sequence[Step]) -> bool:
    return all(step.difference > _bound(claim) for step in steps)


def _told_interval(step: Step, alpha: float) -> str:
    low, high = step.interval(alpha)
    return f"{step.a} minus {step.b}, {low:+.1f} to {high:+.1f}"


def _corrected_level(alpha: float, rules: Rules) -> str:
    level = _percent(1 - alpha)
    return f"{level} interval" if math.isclose(alpha, rules.alpha) else f"corrected interval ({level})"


def _contradicts(claim: Claim, step: Step, alpha: float) -> bool:
    low, high = step.interval(alpha)
    if claim.type == "equivalent":
        return low > (claim.margin_elo or 0.0) or high < -(claim.margin_elo or 0.0)
    return high < -(claim.margin_elo or 0.0)


def _grade(claim: Claim, steps: Sequence[Step], rules: Rules) -> str | None:
    if rules.smallest_effect is None or claim.type not in ("greater", "order"):
        return None
    smallest = rules.smallest_effect
    if all(step.interval(step.adjusted_alpha)[0] > smallest for step in steps):
        return MEANINGFUL
    return NEGLIGIBLE if all(_inside(step, smallest, rules.alpha) for step in steps) else None


def _inside(step: Step, margin: float, alpha: float) -> bool:
    low, high = step.interval(2 * alpha)
    return -margin < low and high < margin


def _why_open(found: Verdict, rules: Rules) -> str:
    """Return by how much what decides falls short."""
    claim, steps, adjusted = found.claim, found.steps, f"adjusted p = {found.p_adjusted:.3g}"
    if not steps:
        return f"{adjusted} is more than {rules.alpha:g}, and such a test contradicts nothing"
    alpha = steps[0].adjusted_alpha
    level, told = _corrected_level(alpha, rules), _told_interval(steps[0], alpha)
    if claim.type == "order":
        weakest = max(steps, key=lambda step: float(step.estimate.p_above()))
        which = f"{weakest.a} minus {weakest.b}"
        return f"{adjusted}, from the weakest step ({which}), is more than {rules.alpha:g}, and no step's {level} lies below 0"
    if claim.type == "equivalent":
        margin, usual = claim.margin_elo or 0.0, f"{_percent(1 - 2 * rules.alpha)} interval"
        inside = _inside(steps[0], margin, rules.alpha)
        first = f"{adjusted} is more than {rules.alpha:g}" if inside else f"the {usual} of {_told_interval(steps[0], 2 * rules.alpha)}"
        first += f", although the {usual} lies inside ±{margin:g} Elo" if inside else f", does not lie inside ±{margin:g} Elo"
        return f"{first}, and the {level} of {told}, does not lie outside"
    return f"the {level} of {told}, holds {_bound(claim):g} ({adjusted})"


@dataclass(frozen=True)
class Needed:
    """What a study like this can see with 80 % power: the smallest difference, and how many people and prompts `target` takes.

    `people` stands with as many prompts as now, None where no number is enough; `both` are people and prompts together.
    """

    detectable: float
    target: float
    people: int | None
    both: tuple[int, int] | None


def needed(of: Spread, a: str, b: str, rules: Rules, *, target: float | None = None) -> Needed:
    """Return the minimum detectable difference, (t_.975 + t_.80)·sqrt(V), and the size of study that could see `target` Elo.

    Variances by participant and by prompt shrink with their numbers, their shared part with the product of both.
    """
    place = of.items.index
    found = _only(estimate(of, place(a), place(b), rules.scope))
    reach = _reach(found.df, rules.alpha)
    target = target or rules.smallest_effect or max(abs(float(found.difference)), 1.0)
    detectable = reach * float(found.standard_error)
    parts = sources(of, a, b)
    people_now, prompts_now = of.participants, of.prompts

    def seen(people: float, prompts: float) -> bool:
        return _detectable(parts, rules, (people_now, prompts_now), (people, prompts)) <= target

    if rules.scope == "these":
        return Needed(detectable, target, None, None)
    people = _least(lambda number: seen(number, prompts_now))
    factor = _least(lambda number: seen(number, prompts_now * number / people_now)) if rules.scope == "participants+prompts" else None
    both = (factor, math.ceil(prompts_now * factor / people_now)) if factor else None
    return Needed(detectable, target, people, both)


def sources(of: Spread, a: str, b: str) -> dict[str, float]:
    """Return the variances of a difference in Elo² by source: model, participants, prompts, cells (0 where unknown)."""
    place = of.items.index
    found = {"model": of.model, "participants": of.by_participant, "prompts": of.by_prompt, "cells": of.by_cell}
    return {
        name: 0.0 if part is None else float(ELO_PER_LOGIT**2 * np.ravel(variance(part, place(a), place(b)))[0])
        for name, part in found.items()
    }


def _detectable(parts: Mapping[str, float], rules: Rules, now: tuple[int, int], then: tuple[float, float]) -> float:
    people, prompts = then[0] / now[0], then[1] / now[1]
    cells = min(parts["cells"], parts["participants"], parts["prompts"]) if rules.scope == "participants+prompts" else 0.0
    by_people = (parts["participants"] - cells) / people
    by_prompts = (parts["prompts"] - cells) / prompts if rules.scope == "participants+prompts" else 0.0
    whole = by_people + by_prompts + cells / (people * prompts)
    df = max(1.0, whole**2 / max(by_people**2 / max(then[0] - 1, 1) + by_prompts**2 / max(then[1] - 1, 1), 1e-300))
    return _reach(min(df, 1e6), rules.alpha) * math.sqrt(whole)


def _reach(df: Array | float, alpha: float) -> float:
    at = np.asarray(df)
    return float(student_quantile(1 - alpha / 2, at) + student_quantile(0.8, at))


def _least(enough: Callable[[int], bool], most: int = 100_000) -> int | None:
    """Return the least number from 2 on that is enough, None where even `most` is not."""
    if not enough(most):
        return None
    low, high = 1, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return max(high, 2)


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"
