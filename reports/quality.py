"""How well people judged, and how far they agree: catch trials, repeats, sides, times, circular choices, Krippendorff's alpha."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from analysis.results import Results
from reports.tables import Column, Table, Value, count, decimals, percent, small

_ALL = "all together"


def quality_tables(results: Results) -> list[Table]:
    """Return the tables of the judges and of their agreement; those without rows are left out."""
    made = (judge_table(results.further.get("quality") or {}), agreement_table(results.further.get("agreement") or {}))
    return [table for table in made if table.rows]


def judge_table(quality: Mapping[str, Any]) -> Table:
    """Return how each participant judged, and all of them together in the last row; empty cells where nothing was counted."""
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
    told = (
        "How each participant judged. Catch trials say in words which side to take; repeats ask a pair again; a triad is circular where "
        "a is preferred to b, b to c and c to a. Agreement with the majority is told for information and is no reason to exclude anybody"
    )
    return _without_empty(Table("judges", columns, tuple(_judge(judge) for judge in judges), told))


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


def agreement_table(found: Mapping[str, Any]) -> Table:
    """Return the agreement between people about the same pairs of images."""
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
        f"Agreement about the same pairs of images: 1 where people always agree, 0 at chance. The interval is over "
        f"{found.get('resamples', 0):,} resamples of the participants"
    )
    return Table("agreement", columns, tuple(rows), told)


def quality_in_words(results: Results) -> list[str]:
    """Return what was measured of all participants together, a sentence each; what the study did not measure is said to be missing."""
    pooled = (results.further.get("quality") or {}).get("pooled")
    if not pooled:
        return ["NOT REPORTED: these results hold no record of how participants judged."]
    told = [f"The median answer took {pooled['median_ms'] / 1000:.1f} s."] if pooled.get("median_ms") else []
    told.append(_counted(pooled["catch"], "catch trials were passed", "no catch trials, so nothing shows that participants read along"))
    told.append(
        _counted(
            pooled["retest_swapped"],
            "pairs that were asked again with sides swapped got the same answer",
            "no pairs asked twice, so nothing tells taste from chance within a person",
        )
    )
    told += _agreement_in_words(results.further.get("agreement") or {})
    return told


def _agreement_in_words(found: Mapping[str, Any]) -> list[str]:
    notes = [f"{str(note).rstrip('.')}." for note in found.get("notes") or ()]
    if found.get("alpha") is None:
        return notes
    interval = f" (95\N{NO-BREAK SPACE}% interval {found['low']:.2f} to {found['high']:.2f})" if found.get("low") is not None else ""
    alpha = f"Krippendorff’s alpha is {found['alpha']:.2f}{interval}: low agreement is taste or noise, which only repeats tell apart."
    return [alpha, *notes]


def _counted(share: Mapping[str, int], what: str, without: str) -> str:
    if not share["of"]:
        return f"The study had {without}."
    return f"{share['hits']:,} of {share['of']:,} {what} ({percent(share['hits'] / share['of'])})."


def _share(share: Mapping[str, int]) -> float | None:
    return share["hits"] / share["of"] if share["of"] else None
