"""The exclusion rules that study.toml may hold: what each is, what its limit means, and how it reads in a flow of counts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from stimuli.studyfile import Mistake

Rule = Literal["fast_votes", "few_votes", "failed_catch", "one_sided", "fast_participant", "same_side_run", "retest"]
# What `limit` means for each rule, and the largest it may be; one_sided has none.
LIMITS: dict[str, tuple[str, float]] = {
    "fast_votes": ("milliseconds below which an answer is dropped", 60_000),
    "few_votes": ("the fewest votes a participant may have", 1_000_000),
    "failed_catch": ("the largest share of catch trials that may be failed", 1),
    "fast_participant": ("the largest share of answers faster than `ms`", 1),
    "same_side_run": ("the longest run of answers on one side", 1_000_000),
    "retest": ("the smallest share of repeated pairs (sides swapped) that must get the same answer", 1),
}


@dataclass(frozen=True)
class Exclusion:
    """`[[exclusion]]`: one rule; they are applied in the order in which they stand.

    There is no rule about agreement with the others, on purpose: it would throw out honest people with a taste of their own.
    """

    rule: Rule
    """What is excluded."""
    limit: Annotated[float, Field(ge=0)] | None = None
    """The rule's limit, in its own unit (below)."""
    ms: Annotated[float, Field(gt=0)] | None = None
    """Milliseconds below which an answer is fast, for the rule `fast_participant`."""


def mistakes(rules: Sequence[Exclusion]) -> Iterator[Mistake]:
    """Yield what is wrong with rules that are well-formed: a limit missing, too large, or given where none is read."""
    for number, rule in enumerate(rules, start=1):
        table = f'[[exclusion]] {number} ("{rule.rule}")'
        if rule.rule not in LIMITS:
            if rule.limit is not None:
                yield Mistake(table, "limit", f'is not read by the rule "{rule.rule}"; remove it')
        elif rule.limit is None:
            yield Mistake(table, "limit", f"is missing; it is {LIMITS[rule.rule][0]}")
        elif rule.limit > LIMITS[rule.rule][1]:
            what, most = LIMITS[rule.rule]
            yield Mistake(table, "limit", f"is {rule.limit:g}; expected at most {most:g}: it is {what}")
        if rule.rule == "fast_participant" and rule.ms is None:
            yield Mistake(table, "ms", "is missing; it says below how many milliseconds an answer is fast")
        if rule.rule != "fast_participant" and rule.ms is not None:
            yield Mistake(table, "ms", 'is read by the rule "fast_participant" only; remove it')


def in_words(rule: Exclusion) -> str:
    """Return what a rule does, as a line of the flow of counts."""
    limit = rule.limit or 0
    return {
        "fast_votes": f"answers faster than {limit:g} ms dropped",
        "few_votes": f"participants with fewer than {limit:g} votes excluded",
        "failed_catch": f"participants who failed more than {100 * limit:g} % of catch trials excluded",
        "one_sided": "participants who took one side in more than 80 % of votes (exact binomial p < 0.0001) excluded",
        "fast_participant": f"participants with more than {100 * limit:g} % of answers faster than {rule.ms or 0:g} ms excluded",
        "same_side_run": f"participants with more than {limit:g} answers in a row on one side excluded",
        "retest": f"participants who repeated fewer than {100 * limit:g} % of answers when sides were swapped excluded",
    }[rule.rule]
