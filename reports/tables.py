"""The tables of a report: the same rows as CSV with every digit, as Markdown, and on the page."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from analysis.results import ClaimResult, Contrast, Counts, Pair, Score
from reports.win_rates import WinRates, chance

Value = str | int | float | None


@dataclass(frozen=True)
class Column:
    """`name` heads it in CSV, `heading` elsewhere; `show` writes a value for a reader, or is None for text."""

    name: str
    heading: str
    show: Callable[[int | float], str] | None = None


@dataclass(frozen=True)
class Table:
    """Rows under columns; `name` is the file name, `caption` says what they are. The first column names the row."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    caption: str = ""

    @property
    def shown(self) -> list[list[str]]:
        """Every cell as a reader sees it; an empty text where there is no value."""
        return [[_shown(value, column) for value, column in zip(row, self.columns, strict=True)] for row in self.rows]


def count(number: float) -> str:
    """Return a whole number with its thousands apart.

    >>> count(15300)
    '15,300'
    """
    return f"{number:,.0f}"


def whole(number: float) -> str:
    """Return a number without decimals, as Elo is read.

    >>> whole(1064.7)
    '1065'
    """
    return f"{number:.0f}"


def signed(number: float) -> str:
    """Return a difference without decimals, always with its sign.

    >>> signed(-3.2), signed(27)
    ('−3', '+27')
    """
    return f"{number:+.0f}".replace("-", "\N{MINUS SIGN}")


def percent(share: float) -> str:
    """Return a share as a percentage.

    >>> percent(0.5388)
    '53.9\\xa0%'
    """
    return f"{share * 100:.1f}\N{NO-BREAK SPACE}%"


def decimals(places: int) -> Callable[[int | float], str]:
    """Return what writes a number with so many decimals and a true minus.

    >>> decimals(2)(-0.125)
    '−0.12'
    """
    return lambda number: f"{number:.{places}f}".replace("-", "\N{MINUS SIGN}")


def small(p: float) -> str:
    """Return a p-value as it is printed: three decimals, and a bound below them.

    >>> small(0.0452), small(5e-6)
    ('0.045', '< 0.001')
    """
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"


def score_table(scores: Sequence[Score]) -> Table:
    """Return the scores, highest first, with their intervals."""
    columns = (
        Column("condition", "Condition"),
        Column("elo", "Elo", whole),
        Column("low", "from", whole),
        Column("high", "to", whole),
        Column("votes", "Votes", count),
    )
    ranked = sorted(scores, key=lambda score: (-score.elo, score.condition))
    told = "Scores (Elo) with their intervals, and the votes that each condition was in"
    if all(score.scope_low is None or score.scope in (None, "these") for score in ranked):
        return Table("scores", columns, tuple((s.condition, s.elo, s.low, s.high, s.votes) for s in ranked), told)
    wider = (Column("scope_low", "Second interval, from", whole), Column("scope_high", "to", whole), Column("scope", "Its scope"))
    rows = tuple((s.condition, s.elo, s.low, s.high, s.votes, s.scope_low, s.scope_high, s.scope) for s in ranked)
    return Table("scores", (*columns, *wider), rows, told)


def contrast_table(contrasts: Sequence[Contrast], *, ties: float = 0.0) -> Table:
    """Return the differences with their intervals, in Elo and as the chance that the first is preferred.

    `ties` is the parameter of the fit with ties; of a tie's chance half counts for each.
    """
    columns = (
        Column("a", "Condition"),
        Column("b", "against"),
        Column("difference_elo", "Difference", signed),
        Column("low", "from", signed),
        Column("high", "to", signed),
        Column("chance", "Chance preferred", percent),
        Column("chance_low", "from", percent),
        Column("chance_high", "to", percent),
        Column("p_value", "p", small),
        Column("design_effect", "Design effect", decimals(1)),
        Column("scope", "Holds for"),
    )
    rows = (
        (
            *(c.a, c.b, c.difference_elo, c.low, c.high),
            *(chance(points, ties=ties) for points in (c.difference_elo, c.low, c.high)),
            *(c.p_value, c.design_effect, c.scope),
        )
        for c in contrasts
    )
    return Table(
        "contrasts", columns, tuple(rows), "Differences in Elo, and the same as the chance that the condition is preferred to the other"
    )


def pair_table(pairs: Sequence[Pair]) -> Table:
    """Return the votes of each pair of conditions: how many for either, ties, and the first's share with ties counted half."""
    columns = (
        Column("a", "Condition"),
        Column("b", "against"),
        Column("wins_a", "Preferred the first", count),
        Column("wins_b", "Preferred the second", count),
        Column("ties", "Ties", count),
        Column("share_a", "Share of the first", percent),
    )
    rows = tuple((p.a, p.b, p.wins_a, p.wins_b, p.ties, _share(p)) for p in pairs)
    return Table("pairs", columns, rows, "Votes for each pair of conditions")


def win_table(rates: WinRates) -> Table:
    """Return the square of shares: how often the row was preferred to the column."""
    shares, comparisons = rates.shares, rates.comparisons
    columns = (Column("preferred", "Preferred"), *(Column(name, name, percent) for name in rates.conditions))
    rows = tuple(
        (name, *(float(shares[row, column]) if comparisons[row, column] else None for column in range(len(rates.conditions))))
        for row, name in enumerate(rates.conditions)
    )
    return Table(
        "win_rates", columns, rows, "How often the row was preferred to the column, of the comparisons of both; a tie counts half for each"
    )


def claim_table(claims: Sequence[ClaimResult]) -> Table:
    """Return the verdicts in words."""
    columns = (Column("id", "Claim"), Column("verdict", "Verdict"), Column("sentence", "In words"), Column("reason", "Why"))
    return Table(
        "claims", columns, tuple((c.id, c.verdict, c.sentence, c.reason) for c in claims), "The claims with their verdicts, in words"
    )


def count_table(counts: Counts) -> Table:
    """Return what the scores rest on; what is not known is left out."""
    columns = (Column("quantity", "What"), Column("value", "How many", _count_or_share))
    rows: tuple[tuple[str, Value], ...] = (
        ("participants", counts.participants),
        ("of them simulated", counts.simulated_participants),
        ("prompts", counts.prompts),
        ("votes", counts.votes),
        ("of them ties", counts.ties),
        ("votes between two images of one condition, which say nothing about scores", counts.same_condition),
        ("conditions left out on request", ", ".join(counts.left_out) or None),
        ("share of these votes, ties not counted, that chose the left image", float(counts.left_share)),
        ("resamples", counts.resamples),
        ("of them undecided, in no interval", counts.undecided_resamples),
    )
    return Table("counts", columns, tuple(row for row in rows if row[1] is not None), "What the scores rest on")


def as_csv(table: Table) -> bytes:
    """Return the table as CSV (UTF-8): every digit, one heading row, an empty cell where there is no value."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([column.name for column in table.columns])
    writer.writerows(table.rows)
    return buffer.getvalue().encode()


def as_markdown(table: Table) -> bytes:
    """Return the table as Markdown (UTF-8), rounded as on the page; names show as they are, not as markup."""
    rules = ["---:" if column.show else "---" for column in table.columns]
    lines = [[literal(column.heading) for column in table.columns], rules, *([literal(cell) for cell in row] for row in table.shown)]
    caption = f"{literal(table.caption)}\n\n" if table.caption else ""
    return (caption + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n").encode()


def _shown(value: Value, column: Column) -> str:
    if value is None:
        return ""
    return column.show(value) if column.show and not isinstance(value, str) else str(value)


def _count_or_share(number: int | float) -> str:
    return percent(number) if isinstance(number, float) else count(number)


def _share(pair: Pair) -> float | None:
    total = pair.wins_a + pair.wins_b + pair.ties
    return (pair.wins_a + pair.ties / 2) / total if total else None


def literal(text: str) -> str:
    """Return `text` so that Markdown shows it as it is, on one line.

    >>> literal("a_b & <i>")
    'a\\\\_b & \\\\<i\\\\>'
    """
    for mark in "\\`*_{}[]<>#|":
        text = text.replace(mark, "\\" + mark)
    return " ".join(text.split("\n"))
