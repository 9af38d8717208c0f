"""Two or more studies side by side: what they have in common, how far their differences are apart, whether verdicts agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from analysis.replication import Found, Heterogeneity, Measured, change, combined, heterogeneity, interval
from analysis.results import ClaimResult, Contrast
from reports.compared_study import Study
from reports.comparison_caveats import apart, cautions, why_not_combined
from reports.win_rates import ranking
from stimuli.experiment import ExperimentError

# From the widest to the narrowest.
_SCOPES = ("participants+prompts", "participants", "these")
_ALPHA = 0.05


@dataclass(frozen=True)
class Compared:
    """`a` minus `b` in every study, in the order of the studies; `changes` are each later study's minus the first one's.

    `mean` is what all say together; None where they should not be combined, for the reason in `why_not`.
    """

    a: str
    b: str
    found: tuple[Found, ...]
    changes: tuple[Found, ...]
    heterogeneity: Heterogeneity
    mean: Found | None
    why_not: str | None


@dataclass(frozen=True)
class ComparedClaim:
    """A claim in words, and each study's result on it; None where a study does not make it."""

    words: str
    results: tuple[ClaimResult | None, ...]

    @property
    def same(self) -> bool | None:
        """Whether all verdicts are of one kind; None where fewer than two studies make the claim."""
        kinds = [kind_of(result.verdict) for result in self.results if result]
        return None if len(kinds) < 2 else len(set(kinds)) == 1

    @property
    def undecided(self) -> bool:
        """Whether all verdicts are the same because no study could tell."""
        return bool(self.same) and {kind_of(result.verdict) for result in self.results if result} <= {"INCONCLUSIVE", "NOT TESTABLE"}


@dataclass(frozen=True)
class Comparison:
    """What studies say beside each other. `common` conditions come in the first study's ranking, `only` are those of one alone."""

    studies: tuple[Study, ...]
    scope: str
    common: tuple[str, ...]
    only: tuple[tuple[str, ...], ...]
    differences: tuple[Compared, ...]
    claims: tuple[ComparedClaim, ...]
    apart: tuple[str, ...]
    """What was not the same in the studies, a sentence each."""
    cautions: tuple[str, ...]
    """What makes the numbers say less than they seem to."""
    why_not: tuple[str, ...]
    """Why no mean of the studies is given; empty where one is."""


def compare(studies: Sequence[Study], *, scope: str | None = None) -> Comparison:
    """Return the studies side by side, at `scope` or the widest that the first study's verdicts and all studies allow.

    Raises:
        ExperimentError: studies rest on the same votes, have fewer than two conditions in common, or no difference at the scope.
    """
    _require_apart(studies)
    common = _common(studies)
    chosen = _scope(studies, common, scope)
    reasons = why_not_combined(studies, chosen)
    pairs = (_compared(studies, pair, chosen, reasons) for pair in combinations(common, 2))
    return Comparison(
        studies=tuple(studies),
        scope=chosen,
        common=common,
        only=tuple(tuple(name for name in _ranked(study) if name not in common) for study in studies),
        differences=tuple(pair for pair in pairs if pair),
        claims=_claims(studies),
        apart=apart(studies),
        cautions=cautions(studies, chosen),
        why_not=reasons,
    )


def kind_of(verdict: str) -> str:
    """Return the verdict without its grade and stamps.

    >>> kind_of("SUPPORTED (meaningful), FRAGILE, EXPLORATORY")
    'SUPPORTED'
    """
    return verdict.split(",")[0].split(" (")[0]


def _require_apart(studies: Sequence[Study]) -> None:
    if len(studies) < 2:
        raise ExperimentError("one study cannot be compared with itself; give the folders of at least two")
    for one, other in combinations(studies, 2):
        if one.folder.resolve() == other.folder.resolve():
            raise ExperimentError(f"{other.folder}: is given twice; give each study once, and at least two of them")
        if set(one.inputs.values()) & set(other.inputs.values()):
            raise ExperimentError(
                f"{one.folder} and {other.folder}: hold results of the same votes; give two studies with votes of their own"
            )


def _ranked(study: Study) -> Sequence[str]:
    return ranking(study.results.scores)


def _common(studies: Sequence[Study]) -> tuple[str, ...]:
    common = tuple(name for name in _ranked(studies[0]) if all(name in _ranked(study) for study in studies))
    if len(common) < 2:
        told = "; ".join(f"{study.folder} has {', '.join(_ranked(study)) or 'none'}" for study in studies)
        raise ExperimentError(
            f"the studies have {f'only the condition {common[0]}' if common else 'no condition'} in common, and a difference needs "
            f"two: {told}. Conditions are matched by name, so call the same thing the same in every study.toml"
        )
    return common


def _scope(studies: Sequence[Study], common: Sequence[str], wanted: str | None) -> str:
    """Return the scope asked for, else that of the first study's verdicts, else the widest that every study has."""
    there = [scope for scope in _SCOPES if any(_measured_by_all(studies, pair, scope) for pair in combinations(common, 2))]
    if wanted is not None and wanted not in _SCOPES:
        raise ExperimentError(f'"{wanted}" is no scope; expected one of: {", ".join(_SCOPES)}')
    for scope in (wanted,) if wanted else (studies[0].results.scope, *_SCOPES):
        if scope in there:
            return scope
    told = "; ".join(
        f"{study.folder} has {', '.join(sorted({one.scope for one in study.results.contrasts if one.standard_error})) or 'none'}"
        for study in studies
    )
    asked = f'at the scope "{wanted}"' if wanted else "with a standard error at any scope"
    raise ExperimentError(
        f"the studies have no difference between {' and '.join(common)} in common {asked}: {told}. "
        "Run `tastebench analysis fit` again in each, or choose a --scope that all have"
    )


def _measured_by_all(studies: Sequence[Study], pair: tuple[str, str], scope: str) -> list[Measured]:
    """Return the difference of a pair in each study; nothing where one does not tell it."""
    found = [_measured(study.results.contrasts, pair, scope) for study in studies]
    return [one for one in found if one] if all(found) else []


def _measured(contrasts: Sequence[Contrast], pair: tuple[str, str], scope: str) -> Measured | None:
    a, b = pair
    for one in contrasts:
        if one.scope == scope and {one.a, one.b} == {a, b} and one.standard_error:
            return Measured(one.difference_elo if one.a == a else -one.difference_elo, one.standard_error, one.df)
    return None


def _compared(studies: Sequence[Study], pair: tuple[str, str], scope: str, reasons: Sequence[str]) -> Compared | None:
    measured = _measured_by_all(studies, pair, scope)
    if not measured:
        return None
    test = heterogeneity(measured)
    why = reasons[0] if reasons else None
    if test.p_value <= _ALPHA:
        why = why or f"the studies differ by more than chance would let them (p = {test.p_value:.2g})"
    return Compared(
        *pair,
        found=tuple(interval(one, alpha=_ALPHA) for one in measured),
        changes=tuple(change(measured[0], later, alpha=_ALPHA) for later in measured[1:]),
        heterogeneity=test,
        mean=None if why else combined(measured, alpha=_ALPHA),
        why_not=why,
    )


def _claims(studies: Sequence[Study]) -> tuple[ComparedClaim, ...]:
    """Return every claim that some study makes; claims are the same where they say the same, whatever their ids."""
    by_study = [{in_words(claim, study): claim for claim in study.results.claims} for study in studies]
    every = dict.fromkeys(words for made in by_study for words in made)
    return tuple(ComparedClaim(words, tuple(made.get(words) for made in by_study)) for words in every)


def in_words(claim: ClaimResult, study: Study) -> str:
    """Return what a claim says, from study.toml, else from its evidence; its id where neither tells."""
    written: Mapping[str, Any] = next((one for one in study.settings.get("claim", ()) if one.get("id") == claim.id), {})
    kind = str(written.get("type") or claim.evidence.get("type") or "")
    steps = claim.evidence.get("steps") or []
    names = list(written.get("items") or [name for name in (written.get("a"), written.get("b")) if name])
    names = names or [steps[0]["a"], *(step["b"] for step in steps)] if steps or names else []
    match kind:
        case "greater" if len(names) == 2:
            return f"{names[0]} is preferred to {names[1]}"
        case "order" if names:
            return f"{' > '.join(names)} (order of preference)"
        case "equivalent" | "noninferior" if len(names) == 2:
            margin = written.get("margin_elo")
            within = f"less than {margin:g} Elo" if margin else "less than a margin"
            return (
                f"{names[0]} and {names[1]} differ by {within}" if kind == "equivalent" else f"{names[0]} is behind {names[1]} by {within}"
            )
        case "personal_match":
            return "people prefer the images made for them"
        case "consistent_runs":
            return "runs for one person agree more than runs for different people"
    return claim.id
