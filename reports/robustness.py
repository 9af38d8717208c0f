"""What might have made the numbers otherwise: the fit, sides, ties, exclusions, weighted participants, another model."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis.results import Balance, PairFit, Results, Side, TieModel
from analysis.run_record import RUNS
from analysis.triads import circular_triads, decided_triads
from reports.sentences import holds_for, per_cent
from reports.tables import Column, Table, count, decimals, percent, signed, small, whole
from reports.with_everybody import without_exclusions_tables

_WEIGHTS, _GEE, _HALVES = "rater weights", "GEE", "halves"
# A gap that is 0 whatever people choose misses it by rounding only.
_ROUNDING = 1e-6
# What has a table or a section of its own; anything else stands in the table of further findings.
SHOWN_ELSEWHERE = frozenset({"joint resamples", "exclusions", "quality", "agreement", RUNS, _WEIGHTS, _GEE, _HALVES})


def robustness_tables(results: Results) -> list[Table]:
    """Return the tables, those without rows left out."""
    made = (
        fit_table(results),
        balance_table(results.balance),
        tie_table(results.tie_models),
        *(without_exclusions_tables(results, results.without_exclusions) if results.without_exclusions else ()),
        weighted_table(results.further.get(_WEIGHTS) or {}),
        gee_table(results.further.get(_GEE) or {}),
        further_table({name: found for name, found in results.further.items() if name not in SHOWN_ELSEWHERE}),
    )
    return [table for table in made if table.rows]


def fit_table(results: Results) -> Table:
    """Return how often the first of each two conditions was preferred, how often the fit expects it, and the gap with its interval."""
    columns = (
        Column("a", "Condition"),
        Column("b", "against"),
        Column("votes", "Votes", count),
        Column("observed", "Observed", percent),
        Column("expected", "Expected", percent),
        *(Column(name, heading, _points) for name, heading in (("gap", "Gap (points)"), ("low", "from"), ("high", "to"))),
    )
    rows = tuple((one.a, one.b, one.votes, one.observed, one.expected, one.gap, one.low, one.high) for one in results.pair_fits)
    held = next((one.scope for one in results.pair_fits), "these")
    told = (
        "Goodness of fit: the share of votes that preferred the first condition (a tie counts half), the share that the fit expects from "
        f"one score a condition, and the gap in points with its {100 * (1 - results.alpha):g}\N{NO-BREAK SPACE}% interval for "
        f"{holds_for(held)}. The intervals are not corrected for their number, and the gaps of one condition hang together. A pair with "
        "few votes shows only a large gap, so an interval that holds 0 does not prove the fit"
    )
    return Table("pair_fits", columns, rows, told)


def fit_in_words(results: Results) -> list[str]:
    """Return how well one score a condition tells what was chosen, a sentence each; nothing where the results do not tell it."""
    bounded = [(one, one.low, one.high) for one in results.pair_fits if one.low is not None and one.high is not None]
    if not results.pair_fits:
        return []
    if not bounded:
        return [_why_not_told(results.pair_fits)]
    worst, low, high = max(bounded, key=lambda entry: abs(entry[0].gap))
    outside = sum(not below <= 0 <= above for _, below, above in bounded)
    return [
        f"The largest gap between what was chosen and what the fit expects is {_points(worst.gap)} points: {worst.a} was preferred to "
        f"{worst.b} in {percent(worst.observed)} of {count(worst.votes)} votes{_ties_halved(results)}, where "
        f"{percent(worst.expected)} are expected ({100 * (1 - results.alpha):g}\N{NO-BREAK SPACE}% interval of the gap {_points(low)} to "
        f"{_points(high)}).",
        f"Of {len(bounded)} such intervals, {outside} exclude{'s' if outside == 1 else ''} zero; were the fit right, about "
        f"{results.alpha * len(bounded):.1f} would by chance.",
        *_circles(results),
    ]


def _ties_halved(results: Results) -> str:
    return " (a tie is half a vote for either)" if results.counts.ties else ""


def _why_not_told(pairs: Sequence[PairFit]) -> str:
    """Return why no gap has an interval: it is 0 whatever people choose, or one participant or one prompt alone has the pair."""
    if all(abs(one.gap) < _ROUNDING for one in pairs):
        return "Each condition was compared along one path only, so that any choices would fit: goodness of fit cannot be told."
    return "Goodness of fit cannot be told: one participant, or one prompt, alone has each pair that could miss the fit."


def _circles(results: Results) -> list[str]:
    """Return how often choices ran in a circle: of all together between conditions, and of each participant between images."""
    names = sorted({name for one in results.pair_fits for name in (one.a, one.b)})
    wins = np.zeros((len(names), len(names)), dtype=np.int64)
    for one in results.pair_fits:
        places = names.index(one.a), names.index(one.b)
        wins[places if one.observed > 0.5 else places[::-1]] = one.observed != 0.5
    triads, circular = decided_triads(wins), circular_triads(wins)
    told = []
    if triads:
        noun = f"triad{'s' if triads > 1 else ''} of conditions"
        run = f"{circular} {'runs' if circular == 1 else 'run'} in a circle" if circular else "none runs in a circle"
        told.append(f"Of {triads:,} {noun}, by the majority of their votes, {run} (a over b, b over c, c over a).")
    within = ((results.further.get("quality") or {}).get("pooled") or {}).get("triads") or {}
    if within.get("of"):
        share = percent(within["circular"] / within["of"])
        told.append(
            f"Within participants, {share} of the triads of images at a prompt do, where coin flips would make 25\N{NO-BREAK SPACE}% do."
        )
    return told


def side_in_words(side: Side | None, left_share: float) -> str:
    """Return what standing on the left was worth, as a sentence."""
    told = f"The left image was chosen in {percent(left_share)} of the decided votes between two conditions"
    if side is None:
        return f"{told}; a term for the side was not fitted."
    return (
        f"{told}. In a fit with a term for the side, standing on the left is worth {signed(side.advantage_elo)} Elo (standard error "
        f"{whole(side.standard_error)}, p {_equals(side.p_value)}, each vote taken for an independent fact), and no difference moves by "
        f"more than {math.ceil(10 * side.largest_change_elo) / 10:.1f} Elo."
    )


def halves_in_words(results: Results) -> str:
    """Return whether a difference is another one in the second half of what people answered, as sentences; nothing where not tried."""
    found = results.further.get(_HALVES) or {}
    if found.get("refused"):
        return f"Whether differences change from the first to the second half of the votes cannot be told: {found['refused']}."
    if not found:
        return ""
    level = per_cent(1 - results.alpha)
    return (
        f"Practice and fatigue: {found['a']} minus {found['b']} is {signed(found['first_elo'])} Elo in the first half of each "
        f"participant’s votes and {signed(found['second_elo'])} in the second, a change of {signed(found['change_elo'])} ({level} "
        f"interval {signed(found['low'])} to {signed(found['high'])}, by a jackknife over participants, for other participants like "
        "these). An interval that holds 0 does not show that nothing changes."
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


def _points(share: float) -> str:
    """Return a difference of shares in points of a hundred, with its sign."""
    return f"{100 * share:+.1f}".replace("-", "\N{MINUS SIGN}")


def _equals(p: float) -> str:
    return small(p) if p < 0.001 else f"= {small(p)}"
