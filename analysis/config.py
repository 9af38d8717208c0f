"""The tables of study.toml that describe the analysis, and what must hold between them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from pydantic import Field

from analysis import exclusion_rules
from analysis.exclusion_rules import Exclusion
from stimuli.studyfile import ExperimentTable, Mistake, did_you_mean

Scope = Literal["these", "participants", "participants+prompts"]


@dataclass(frozen=True)
class AnalysisTable:
    """`[analysis]`: the error rate of intervals and verdicts, and for whom they hold."""

    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    """The error rate of intervals and verdicts."""
    resamples: Annotated[int, Field(ge=100, le=100_000)] = 1000
    """How often votes are drawn again for intervals of scores and for places."""
    scope: Scope = "participants+prompts"
    """For whom verdicts hold: these people and prompts, new people with these prompts, or new people and new prompts."""
    smallest_effect_elo: Annotated[float, Field(gt=0)] | None = None
    """The smallest difference that matters, in Elo; a lock needs it."""
    planned_votes: Annotated[int, Field(ge=1)] | None = None
    """Scored comparisons that the study shall collect, as `study plan` prints them; with less than 80 % of them nothing is tested."""
    anchor: str | None = None
    """The condition that scores 1000; without it the mean of all does."""


@dataclass(frozen=True)
class Claim:
    """`[[claim]]`: what the experimenter expects, written before the votes.

    `greater`: `a` is preferred to `b`. `order`: each of `items` is preferred to the next. `equivalent`: `a` and `b` differ by
    less than `margin_elo`. `noninferior`: `a` is behind `b` by less than `margin_elo`. `personal_match`: people prefer the
    images made for them to those made for others. `consistent_runs`: two steering runs for one person agree more than those
    for different people. Claims of one `family` are corrected for their number together (Holm).
    """

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
    """Its name on the report."""
    type: Literal["greater", "order", "equivalent", "noninferior", "personal_match", "consistent_runs"]
    """What it says (above)."""
    a: str | None = None
    """One condition, for `greater`, `equivalent` and `noninferior`."""
    b: str | None = None
    """The condition that it is compared with."""
    items: tuple[str, ...] = ()
    """The conditions of an `order`, the most preferred first."""
    margin_elo: Annotated[float, Field(gt=0)] | None = None
    """The margin of `equivalent` and `noninferior`, in Elo."""
    family: str = "main"
    """Claims of one family are corrected for their number together (Holm)."""


class AnalysisSettings(Protocol):
    """The part of study.toml that this room reads."""

    @property
    def experiment(self) -> ExperimentTable:
        """`[experiment]`."""
        ...

    @property
    def analysis(self) -> AnalysisTable:
        """`[analysis]`."""
        ...

    @property
    def exclusion(self) -> tuple[Exclusion, ...]:
        """Every `[[exclusion]]`, in the order in which they are applied."""
        ...

    @property
    def claim(self) -> tuple[Claim, ...]:
        """Every `[[claim]]`."""
        ...


def own_name(condition: str, *, several: bool) -> str:
    """Return what a targeted condition's images made for the participant are called; `several` conditions have targets."""
    return f"own ({condition})" if several else "own"


def others_name(condition: str, *, several: bool) -> str:
    """Return what a targeted condition's images made for somebody else are called; `several` conditions have targets."""
    return f"others ({condition})" if several else "others"


def compared_names(conditions: Sequence[tuple[str, bool]]) -> tuple[str, ...]:
    """Return the names that scores and claims go by, given each condition's name and whether it has targets.

    >>> compared_names([("initial", False), ("personal", True)])
    ('initial', 'own', 'others')
    """
    several = sum(targeted for _, targeted in conditions) > 1
    names: list[str] = []
    for name, targeted in conditions:
        names += [own_name(name, several=several), others_name(name, several=several)] if targeted else [name]
    return tuple(names)


def mistakes(settings: AnalysisSettings, *, conditions: Sequence[tuple[str, bool]]) -> Iterator[Mistake]:
    """Yield what is wrong between the tables although each is well-formed; `conditions` are (name, has targets)."""
    names = compared_names(conditions)
    for number, (name, targeted) in enumerate(conditions, start=1):
        if not targeted and names.count(name) > 1 and name in ("own", "others"):
            text = f'is "{name}", as the images of a condition with targets are called; give this condition another name'
            yield Mistake(f'[[condition]] {number} ("{name}")', "name", text)
    yield from exclusion_rules.mistakes(settings.exclusion)
    anchor = settings.analysis.anchor
    if anchor is not None and anchor not in names:
        yield Mistake("[analysis]", "anchor", f'is "{anchor}", {_why_unknown(anchor, names, conditions)}')
    first: dict[str, int] = {}
    for number, claim in enumerate(settings.claim, start=1):
        table = f'[[claim]] {number} ("{claim.id}")'
        if first.setdefault(claim.id, number) != number:
            yield Mistake(table, "id", f"is the id of [[claim]] {first[claim.id]} already; give every claim its own")
        yield from _mistakes_of_shape(claim, table)
        for key, name in _named(claim):
            if name not in names:
                yield Mistake(table, key, f'names "{name}", {_why_unknown(name, names, conditions)}')


_PAIRS = {
    "greater": "says that `a` is preferred to `b`",
    "equivalent": "says that `a` and `b` differ by less than `margin_elo`",
    "noninferior": "says that `a` is behind `b` by less than `margin_elo`",
}


def _mistakes_of_shape(claim: Claim, table: str) -> Iterator[Mistake]:
    """Yield what a claim of this type lacks, repeats, or has without reading it."""
    if claim.type in _PAIRS:
        yield from _mistakes_of_pair(claim, table)
    elif claim.type == "order":
        yield from _mistakes_of_order(claim, table)
    reads = {"greater": ("a", "b"), "order": ("items",), "equivalent": ("a", "b", "margin_elo"), "noninferior": ("a", "b", "margin_elo")}
    for key, value in (("a", claim.a), ("b", claim.b), ("items", claim.items or None), ("margin_elo", claim.margin_elo)):
        if value is not None and key not in reads.get(claim.type, ()):
            yield Mistake(table, key, f"is not read by {_with_article(claim.type)} claim; remove it{_ADVICE.get((claim.type, key), '')}")


_ADVICE = {
    ("greater", "items"): ', or write type = "order" for a whole ranking',
    ("order", "a"): ', or write type = "greater" to compare two conditions',
    ("order", "b"): ', or write type = "greater" to compare two conditions',
    ("greater", "margin_elo"): ', or write type = "noninferior" or "equivalent", which have a margin',
}


def _mistakes_of_pair(claim: Claim, table: str) -> Iterator[Mistake]:
    for key, name in (("a", claim.a), ("b", claim.b)):
        if name is None:
            yield Mistake(table, key, f"is missing; {_with_article(claim.type)} claim {_PAIRS[claim.type]}")
    if claim.a is not None and claim.a == claim.b:
        yield Mistake(table, "b", f'is "{claim.b}", and so is "a"; a claim compares two different conditions')
    if claim.type != "greater" and claim.margin_elo is None:
        text = f"is missing; {_with_article(claim.type)} claim {_PAIRS[claim.type]} (14 Elo are 52 % of choices)"
        yield Mistake(table, "margin_elo", text)


def _mistakes_of_order(claim: Claim, table: str) -> Iterator[Mistake]:
    if len(claim.items) < 2:
        yield Mistake(table, "items", f'has {len(claim.items)} names; an "order" claim needs at least two, the most preferred first')
    for name in sorted({name for name in claim.items if claim.items.count(name) > 1}):
        yield Mistake(table, "items", f'names "{name}" more than once; each condition has one place in an order')


def _with_article(name: str) -> str:
    return f'an "{name}"' if name[0] in "aeiou" else f'a "{name}"'


def _named(claim: Claim) -> Iterator[tuple[str, str]]:
    """Yield every name that a claim mentions, once, with its key."""
    if claim.a is not None:
        yield "a", claim.a
    if claim.b is not None:
        yield "b", claim.b
    for name in dict.fromkeys(claim.items):
        yield "items", name


def _why_unknown(name: str, names: tuple[str, ...], conditions: Sequence[tuple[str, bool]]) -> str:
    """Return why a claim cannot name `name`, and what it could name."""
    targeted = [condition for condition, has_targets in conditions if has_targets]
    if name in targeted:
        several = len(targeted) > 1
        own, others = own_name(name, several=several), others_name(name, several=several)
        return f'a condition with targets; name "{own}" (images made for the participant) or "{others}" instead'
    if name in ("own", "others") and not targeted:
        return f"which exists only where a condition has targets, and none has; expected one of: {', '.join(sorted(names))}"
    if name in ("own", "others"):
        which = [f'"{known}"' for known in names if known.startswith(f"{name} (")]
        return f"of which there is one for each condition with targets; say which: {' or '.join(which)}"
    return f"which no condition gives; {did_you_mean(name, names)}"
