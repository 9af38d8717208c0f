"""How well people judged, and how far they agree: catch trials, repeats, sides, times, circular choices, Krippendorff's alpha."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from analysis.results import Results
from reports.tables import Column, Table, Value, count, decimals, percent, small

_ALL = "all together"
_HALF = "50\N{NO-BREAK SPACE}%"
_LEVEL = "95\N{NO-BREAK SPACE}%"
_BEFORE_RULES = "Votes that exclusion rules took out of the scores count here. "
# What measures of the judges count and scores do not.
_ALSO = ", also those between two images of one condition"


def quality_tables(results: Results) -> list[Table]:
    """Return the tables of the judges and of their agreement; those without rows are left out."""
    mixed = results.counts.same_condition > 0
    made = (
        judge_table(results.further.get("quality") or {}, one_condition=mixed),
        agreement_table(results.further.get("agreement") or {}, one_condition=mixed, excluded=results.without_exclusions is not None),
    )
    return [table for table in made if table.rows]


def judge_table(quality: Mapping[str, Any], *, one_condition: bool = False) -> Table:
    """Return how each participant judged, and all of them together in the last row; empty cells where nothing was counted.

    `one_condition`: some votes are between two images of one condition, which enter no score.
    """
    columns = (
        Column("participant", "Participant"),
        Column("votes", "Votes", count),
        Column("ties", "Ties", count),
        Column("left", "Left", percent),
        Column("side_p", "p of the side", small),
        Column("one_sided", "One-sided"),
        Column("median_ms", "Median time (ms)", count),
        Column("fast", "Fast", percent),
        Column("longest_run", "Longest run on a side", count),
        Column("catch", "Catch trials passed", percent),
        Column("retest_swapped", "Repeats alike, sides swapped", percent),
        Column("retest_same_sides", "Repeats alike, same sides", percent),
        Column("circular", "Circular triads", percent),
        Column("with_others", "With the majority", percent),
    )
    judges = [*(quality.get("participants") or ()), *([quality["pooled"]] if quality.get("pooled") else ())]
    also = _ALSO if one_condition else ""
    told = (
        f"How each participant judged. Votes, sides and times are of all comparisons and repeats{also}; left is the share of those that "
        "were no tie. Catch trials say in words which side to take; "
        "repeats ask a pair again; a triad is circular where a is preferred to b, b to c and c to a. With the majority is how often an "
        f"answer is that of most others who judged the same pair of images, where most of them agree{_of_ties(quality)}; it is told for "
        "information and is no reason to exclude anybody"
    )
    return _without_empty(Table("judges", columns, tuple(_judge(judge) for judge in judges), told))


def _of_ties(quality: Mapping[str, Any]) -> str:
    """Return what coin flips would give there: a tie is with nobody."""
    pooled = quality.get("pooled") or {}
    ties, votes = pooled.get("ties") or 0, pooled.get("votes") or 0
    if not ties:
        return f" (coin flips: {_HALF})"
    return f" (coin flips that are ties as often as these answers: {percent((1 - ties / votes) / 2)}, since no difference is with nobody)"


def _without_empty(table: Table) -> Table:
    """Return the table without the columns that hold nothing: what was not measured is said in words."""
    kept = [place for place in range(len(table.columns)) if any(row[place] is not None for row in table.rows)]
    rows = tuple(tuple(row[place] for place in kept) for row in table.rows)
    return replace(table, columns=tuple(table.columns[place] for place in kept), rows=rows)


def _judge(judge: Mapping[str, Any]) -> tuple[Value, ...]:
    return (
        judge.get("participant") or _ALL,
        judge["votes"],
        judge["ties"],
        _share(judge["left"]),
        judge["side_p"],
        "yes" if judge["one_sided"] else "no",
        judge["median_ms"],
        # The analysis counts no answer as fast unless it was told below which time one is.
        _share(judge["fast"]) or None,
        judge["longest_run"],
        _share(judge["catch"]),
        _share(judge["retest_swapped"]),
        _share(judge["retest_same_sides"]),
        judge["triads"]["circular"] / judge["triads"]["of"] if judge["triads"]["of"] else None,
        _share(judge["with_others"]),
    )


def agreement_table(found: Mapping[str, Any], *, one_condition: bool = False, excluded: bool = False) -> Table:
    """Return the agreement between people about the same pairs of images; `one_condition` as for `judge_table`.

    `excluded`: exclusion rules took out votes, which count here nevertheless.
    """
    columns = (
        Column("measure", "Measure"),
        Column("value", "Value", decimals(3)),
        Column("low", "from", decimals(3)),
        Column("high", "to", decimals(3)),
        Column("participants", "Participants", count),
        Column("pairs", "Pairs", count),
    )
    of = found.get("participants"), found.get("pairs")
    rows: list[tuple[Value, ...]] = []
    if found.get("alpha") is not None:
        rows.append(("Krippendorff’s alpha", found["alpha"], found["low"], found["high"], *of))
    if found.get("kappa") is not None:
        rows.append(("Fleiss’ kappa", found["kappa"], None, None, *of))
    told = (
        f"Agreement about the same pairs of images{_ALSO if one_condition else ''}: 1 where people always agree, 0 at chance. "
        f"{_BEFORE_RULES if excluded else ''}Which image was preferred is a nominal answer, and no difference is an answer of its own. "
        f"The {_LEVEL} interval of alpha is over {found.get('resamples', 0):,} resamples of the participants (percentiles)"
    )
    return Table("agreement", columns, tuple(rows), told)


def quality_in_words(results: Results) -> list[str]:
    """Return what was measured of all participants together, a sentence each; what the study did not measure is said to be missing."""
    pooled = (results.further.get("quality") or {}).get("pooled")
    if not pooled:
        return ["NOT REPORTED: these results hold no record of how participants judged."]
    also = _ALSO if results.counts.same_condition else ""
    base = f"all {count(pooled['votes'])} comparisons and repeats{also}"
    told = [f"The median answer took {pooled['median_ms'] / 1000:.1f} s ({base})."] if pooled.get("median_ms") else []
    told.append(_counted(pooled["catch"], "catch trials were passed", "no catch trials, so nothing shows that participants read along"))
    told.append(
        _counted(
            pooled["retest_swapped"],
            "pairs that were asked again with sides swapped got the same answer",
            "no pairs asked twice, so nothing tells taste from chance within a person",
            beside=_by_coin(pooled),
        )
    )
    told += _agreement_in_words(results, also)
    return told


def _agreement_in_words(results: Results, also: str) -> list[str]:
    found = results.further.get("agreement") or {}
    notes = [_note(str(note)) for note in found.get("notes") or ()]
    if found.get("alpha") is None:
        return notes
    bounds = (
        f"; {_LEVEL} interval {found['low']:.2f} to {found['high']:.2f}, participants resampled" if found.get("low") is not None else ""
    )
    pairs = f", over {count(found['pairs'])} pairs of images{also}" if found.get("pairs") else ""
    ties = " No difference counts as an answer of its own." if results.counts.ties else ""
    rules = f" {_BEFORE_RULES.strip()}" if results.without_exclusions else ""
    alpha = f"Krippendorff’s alpha is {found['alpha']:.2f} (for nominal answers{bounds}){pairs}.{ties}{rules}"
    return [alpha, *notes, _taste_or_noise(results)]


def _note(note: str) -> str:
    """Return why a measure is missing, as a reader of the report wants it: without what to do."""
    if note.startswith("Fleiss' kappa needs"):
        return "Fleiss’ kappa is not given: it asks that as many people judged each pair of images as each other."
    return f"{note.partition('; collect more votes')[0].rstrip('.')}."


def _taste_or_noise(results: Results) -> str:
    pooled = (results.further.get("quality") or {}).get("pooled") or {}
    again = pooled.get("retest_swapped") or {"of": 0}
    if not again["of"]:
        return "Low agreement is taste or noise, which only repeats would tell apart."
    share = percent(again["hits"] / again["of"])
    return f"Low agreement is taste or noise: the less people agree with themselves (here in {share} of repeats), the more of it is noise."


def _counted(share: Mapping[str, int], what: str, without: str, *, beside: str = "") -> str:
    if not share["of"]:
        return f"The study had {without}."
    return f"{share['hits']:,} of {share['of']:,} {what} ({percent(share['hits'] / share['of'])}{beside})."


def _by_coin(pooled: Mapping[str, Any]) -> str:
    """Return how often two coin flips would be alike, with as many ties as these answers have."""
    tie = (pooled.get("ties") or 0) / pooled["votes"] if pooled.get("votes") else 0.0
    return f"; coin flips{' with as many ties' if tie else ''} would give {percent(tie**2 + (1 - tie) ** 2 / 2)}"


def _share(share: Mapping[str, int]) -> float | None:
    return share["hits"] / share["of"] if share["of"] else None
