"""What might have made the numbers otherwise: sides, ties, exclusions, weighted participants, another model."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from analysis.results import Balance, Results, Side, TieModel, WithoutExclusions
from analysis.run_record import RUNS
from reports.tables import Column, Table, count, decimals, percent, signed, small, whole

_WEIGHTS, _GEE = "rater weights", "GEE"
# What has a table or a section of its own; anything else stands in the table of further findings.
SHOWN_ELSEWHERE = frozenset({"joint resamples", "exclusions", "quality", "agreement", RUNS, _WEIGHTS, _GEE})


def robustness_tables(results: Results) -> list[Table]:
    """Return the tables, those without rows left out."""
    made = (
        balance_table(results.balance),
        tie_table(results.tie_models),
        *(without_exclusions_tables(results, results.without_exclusions) if results.without_exclusions else ()),
        weighted_table(results.further.get(_WEIGHTS) or {}),
        gee_table(results.further.get(_GEE) or {}),
        further_table({name: found for name, found in results.further.items() if name not in SHOWN_ELSEWHERE}),
    )
    return [table for table in made if table.rows]


def side_in_words(side: Side | None, left_share: float) -> str:
    """Return what standing on the left was worth, as a sentence."""
    told = f"The left image was chosen in {percent(left_share)} of the decided votes"
    if side is None:
        return f"{told}; a term for the side was not fitted."
    return (
        f"{told}. In a fit with a term for the side, standing on the left is worth {signed(side.advantage_elo)} Elo (standard error "
        f"{whole(side.standard_error)}, p {_equals(side.p_value)}, each vote taken for an independent fact), and no difference moves by "
        f"more than {math.ceil(10 * side.largest_change_elo) / 10:.1f} Elo."
    )


def balance_table(balance: Sequence[Balance]) -> Table:
    """Return how often the first of each two conditions stood on the left."""
    columns = (
        Column("a", "Condition"),
        Column("b", "against"),
        Column("a_left", "First on the left", count),
        Column("shown", "Shown together", count),
        Column("share", "Share", percent),
    )
    rows = tuple((one.a, one.b, one.a_left, one.shown, one.a_left / one.shown) for one in balance if one.shown)
    return Table("balance", columns, rows, "Sides as they were shown: how often the first condition stood on the left of the second")


def tie_table(models: Sequence[TieModel]) -> Table:
    """Return how far other ways to count ties move the chances."""
    columns = (
        Column("name", "Ties counted after"),
        Column("parameter", "Parameter", decimals(3)),
        Column("log_likelihood", "Log-likelihood", decimals(2)),
        Column("largest_change", "Largest change of a chance", percent),
    )
    rows = tuple((one.name, one.parameter, one.log_likelihood, one.largest_change) for one in models)
    told = "Ways to count ties: the first is that of the scores, and the last column how far any chance to be preferred is from it"
    return Table("tie_models", columns, rows, told)


def without_exclusions_tables(results: Results, everyone: WithoutExclusions) -> tuple[Table, ...]:
    """Return differences and verdicts with the exclusion rules and without."""
    with_rules = {(one.a, one.b): one for one in results.main_contrasts}
    columns = (
        Column("a", "Condition"),
        Column("b", "against"),
        *(Column(f"{name}_with", heading, signed) for name, heading in (("elo", "With the rules"), ("low", "from"), ("high", "to"))),
        *(Column(f"{name}_without", heading, signed) for name, heading in (("elo", "Everybody"), ("low", "from"), ("high", "to"))),
    )
    rows = tuple(
        (one.a, one.b, ruled.difference_elo, ruled.low, ruled.high, one.difference_elo, one.low, one.high)
        for one in everyone.contrasts
        if (ruled := with_rules.get((one.a, one.b)))
    )
    verdicts = tuple(
        (one.id, one.verdict, everyone.verdicts.get(one.id), "yes" if everyone.verdicts.get(one.id) == one.verdict else "no")
        for one in results.claims
        if one.id in everyone.verdicts
    )
    heads = (Column("claim", "Claim"), Column("with", "With the rules"), Column("without", "Everybody"), Column("same", "The same"))
    return (
        Table("without_exclusions", columns, rows, "Differences in Elo with the exclusion rules and with everybody’s votes"),
        Table("verdicts_without_exclusions", heads, verdicts, "Verdicts with the exclusion rules and with everybody’s votes"),
    )


def weighted_table(found: Mapping[str, Any]) -> Table:
    """Return scores with participants weighted by how well they agree with everybody's scale."""
    columns = (
        Column("condition", "Condition"),
        Column("unweighted_elo", "Counted alike", whole),
        Column("elo", "Weighted", whole),
        Column("change", "Change", signed),
    )
    scores = found.get("scores") or ()
    rows = tuple((one["condition"], one["unweighted_elo"], one["elo"], one["elo"] - one["unweighted_elo"]) for one in scores)
    weights = found.get("weights") or [0.0]
    told = f"Participants weighted from {min(weights):.2f} to {max(weights):.2f}. {found.get('caveat', '')}"
    return Table("weighted_raters", columns, rows, told)


def gee_table(found: Mapping[str, Any]) -> Table:
    """Return the log-odds of the secondary model, and that of the left side."""
    columns = (
        Column("condition", "Condition"),
        Column("log_odds", "Log-odds", decimals(3)),
        Column("standard_error", "Standard error", decimals(3)),
    )
    rows = [(one["condition"], one["log_odds"], one["standard_error"]) for one in found.get("conditions") or ()]
    if found:
        rows.append(("standing on the left", found["left"], found["left_standard_error"]))
    return Table("gee", columns, tuple(rows), str(found.get("caveat", "")))


def further_table(found: Mapping[str, Any]) -> Table:
    """Return whatever else the analysis found, one number or text a row."""
    columns = (Column("what", "What"), Column("value", "Found"))
    return Table("further", columns, tuple(flattened(found)), "Further findings of the analysis")


def flattened(found: Any, name: str = "") -> list[tuple[str, str]]:
    """Return every number and text in nested values with its path.

    >>> flattened({"a": {"b": 0.25, "c": [1, None]}})
    [('a b', '0.25'), ('a c 1', '1')]
    """
    if isinstance(found, Mapping):
        return [row for key, value in found.items() for row in flattened(value, f"{name} {key}".strip())]
    if isinstance(found, list | tuple):
        return [row for number, value in enumerate(found, start=1) for row in flattened(value, f"{name} {number}".strip())]
    if found is None:
        return []
    return [(name, f"{found:.4g}" if isinstance(found, float) else str(found))]


def _equals(p: float) -> str:
    return small(p) if p < 0.001 else f"= {small(p)}"
