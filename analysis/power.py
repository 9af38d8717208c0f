"""How likely a planned study is to support a claim that is true: it is simulated many times and analysed as the real one would be."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from analysis.bradley_terry import Array
from analysis.comparisons import Cells
from analysis.jackknife import Scope, estimate, spread, student_quantile
from analysis.preference import Model
from analysis.simulated_studies import Design, Heterogeneity, calibrated, design, simulate
from stimuli.experiment import ExperimentError
from stimuli.progress import Report, silent

Pairs = Literal["all", "claims"]
# The paper's conditions and scores (section 6.1), which a claim is imagined to stand among.
PUBLISHED = {"own": 1065.0, "others": 1038.0, "initial": 1016.0, "hpsv3": 959.0, "qalign": 922.0}
FEWEST = 5
_STUDIES_A_DESIGN = 20


@dataclass(frozen=True)
class Plan:
    """A study to be: `per_person` comparisons each (None: all there are), of all pairs of conditions or of those the claim names.

    `others` is how many images made for other people a participant sees at a prompt.
    """

    people: int
    prompts: int
    per_person: int | None = None
    pairs: Pairs = "all"
    others: int = 5


@dataclass(frozen=True)
class Power:
    """What a plan can show. `power` is the chance of SUPPORTED, with its Monte Carlo standard error.

    `minimum_detectable` is the difference (Elo) found in 80 % of such studies, (t.975 + t.80)·SE at the median study and the step of
    the claim that is hardest to show. Of all steps
    that come out significant, `type_s` is the share with the wrong sign and `type_m` by how much they exaggerate the difference on
    average; None where nothing is significant or, for `type_m`, where there is no difference. `undefined` studies gave no standard
    error and count as not supported.
    """

    plan: Plan
    gap_elo: float
    power: float
    monte_carlo_error: float
    minimum_detectable: float | None
    type_s: float | None
    type_m: float | None
    studies: int
    undefined: int


def parse_claim(text: str) -> tuple[str, ...]:
    """Return the conditions of a claim as one writes it, the most preferred first.

    >>> parse_claim("own > others > initial")
    ('own', 'others', 'initial')

    Raises:
        ExperimentError: it is no chain of two or more different names.
    """
    names = tuple(name.strip() for name in text.split(">"))
    if len(names) < 2 or not all(names) or len(set(names)) < len(names):
        raise ExperimentError(f'the claim "{text}" is not understood; expected different names joined by ">", such as "own > others"')
    return names


def power(
    plan: Plan,
    *,
    claim: Sequence[str],
    gap_elo: float,
    heterogeneity: Heterogeneity,
    rng: np.random.Generator,
    conditions: Sequence[str] = tuple(PUBLISHED),
    alpha: float = 0.05,
    scope: Scope = "participants+prompts",
    studies: int = 1000,
    report: Report = silent,
) -> Power:
    """Return how often `studies` simulated studies support the claim that each of its conditions is preferred to the next.

    In truth each is `gap_elo` ahead of the next; `true_elo` tells where the other conditions are. A study supports the claim when
    every adjacent difference is above 0 with a two-sided p of at most alpha, by the two-way jackknife at `scope`. Every twenty
    studies have their own draw of who judges what.

    Raises:
        ExperimentError: the plan is too small to be tested at this scope, or names are unknown.
    """
    _require_testable(plan, scope, studies)
    among = _conditions(plan, claim, conditions)
    truth = true_elo(among, claim, gap_elo)
    means = calibrated(_drawn(plan, claim, among, rng, full=True), truth, heterogeneity)
    found = _Steps.joined(
        [
            _steps(simulate(drawn, means, heterogeneity, rng, studies=size), claim, scope)
            for drawn, size in _designs(plan, claim, among, studies, rng, report)
        ]
    )
    return _summary(plan, gap_elo, found, alpha)


def true_elo(conditions: Sequence[str], claim: Sequence[str], gap_elo: float) -> dict[str, float]:
    """Return the Elo of each condition: the claim's are `gap_elo` apart, around the mean of what the paper found for them.

    Conditions that the claim does not name have the paper's scores, and those that the paper does not know are in the claim's middle.
    """
    known = [PUBLISHED[name] for name in claim if name in PUBLISHED]
    centre, middle = (sum(known) / len(known) if known else 1000.0), (len(claim) - 1) / 2
    scores = {name: centre + (middle - place) * gap_elo for place, name in enumerate(claim)}
    return {name: scores.get(name, PUBLISHED.get(name, centre)) for name in conditions}


@dataclass(frozen=True, eq=False)
class _Steps:
    """The adjacent differences of a claim in each study, shape (studies, steps)."""

    difference: Array
    error: Array
    df: Array
    p: Array

    @classmethod
    def joined(cls, parts: Sequence["_Steps"]) -> "_Steps":
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("difference", "error", "df", "p")))


def _require_testable(plan: Plan, scope: Scope, studies: int) -> None:
    needed = {"people": plan.people} if scope != "these" else {}
    needed |= {"prompts": plan.prompts} if scope == "participants+prompts" else {}
    for what, count in needed.items():
        if count < FEWEST:
            less = "" if what == "people" else ', or claim less: scope = "participants" in study.toml means new people and these prompts'
            raise ExperimentError(
                f'{count} {what}: with fewer than {FEWEST}, no claim is testable at scope "{scope}"; plan more {what}{less}'
            )
    if studies < 1 or (plan.per_person is not None and plan.per_person < 1):
        raise ExperimentError("a power calculation needs at least one study and one comparison a person")


def _conditions(plan: Plan, claim: Sequence[str], conditions: Sequence[str]) -> tuple[str, ...]:
    unknown = [name for name in claim if name not in conditions]
    if unknown:
        raise ExperimentError(f'the claim names "{unknown[0]}"; expected one of: {", ".join(conditions)}')
    return tuple(claim) if plan.pairs == "claims" else tuple(conditions)


def _drawn(plan: Plan, claim: Sequence[str], among: Sequence[str], rng: np.random.Generator, *, full: bool = False) -> Design:
    pairs = list(pairwise(claim)) if plan.pairs == "claims" else None
    each = None if full else plan.per_person
    people, prompts = (min(plan.people, plan.others + 1), 1) if full else (plan.people, plan.prompts)
    return design(among, participants=people, prompts=prompts, per_person=each, rng=rng, pairs=pairs, others=plan.others)


def _designs(
    plan: Plan, claim: Sequence[str], among: Sequence[str], studies: int, rng: np.random.Generator, report: Report
) -> Iterator[tuple[Design, int]]:
    """Yield designs with how many studies each serves."""
    for done in range(0, studies, _STUDIES_A_DESIGN):
        size = min(_STUDIES_A_DESIGN, studies - done)
        yield _drawn(plan, claim, among, rng), size
        report("simulated studies", done + size, studies)


def _steps(cells: Cells, claim: Sequence[str], scope: Scope) -> _Steps:
    places = [cells.items.index(name) for name in claim]
    with np.errstate(invalid="ignore", divide="ignore"):
        found = estimate(spread(cells, model=Model()), np.array(places[:-1]), np.array(places[1:]), scope)
        return _Steps(found.difference, found.standard_error, found.df, found.p_value())


def _summary(plan: Plan, gap_elo: float, steps: _Steps, alpha: float) -> Power:
    significant = steps.p <= alpha
    share = float(np.mean(np.all(significant & (steps.difference > 0), axis=1)))
    wrong = float(np.mean(steps.difference[significant] * np.copysign(1.0, gap_elo) < 0)) if significant.any() else None
    larger = float(np.mean(np.abs(steps.difference[significant])) / abs(gap_elo)) if significant.any() and gap_elo else None
    defined = np.all(np.isfinite(steps.p), axis=1)
    detectable = None
    if defined.any():
        error, df = steps.error[defined], steps.df[defined]
        detectable = float(np.median((student_quantile(1 - alpha / 2, df) + student_quantile(0.8, df)) * error, axis=0).max())
    undefined = int(np.sum(~defined))
    error_of_share = math.sqrt(share * (1 - share) / len(steps.p))
    return Power(plan, gap_elo, share, error_of_share, detectable, wrong, larger if gap_elo else None, len(steps.p), undefined)
