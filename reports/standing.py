"""Where conditions stand: ranks, tiers, who is ahead of whom, differences at every scope, and the least difference such a study sees."""

from collections.abc import Sequence

from scipy.special import stdtrit

from analysis.results import Ahead, Contrast, Rank, Refused, Results
from reports.tables import Column, Table, count, decimals, percent, signed, small, whole
from reports.win_rates import chance

_POWER = 0.8
# More degrees of freedom than any study has: the t distribution is the normal one then.
_NORMAL = 1e9


def standing_tables(results: Results) -> list[Table]:
    """Return the tables of where conditions stand, in the order in which a reader wants them; those without rows are left out."""
    made = (
        rank_table(results.ranks, results.ahead),
        ahead_table(results.ahead),
        scope_table(results.contrasts),
        detectable_table(results.main_contrasts),
        refused_table(results.refused),
    )
    return [table for table in made if table.rows]


def rank_table(ranks: Sequence[Rank], ahead: Sequence[Ahead]) -> Table:
    """Return each condition's place with its interval, its tier, and how sure it is to be ahead of the next."""
    following = {(one.a, one.b): one.probability for one in ahead}
    columns = (
        Column("condition", "Condition"),
        Column("rank", "Place", count),
        Column("low", "from", count),
        Column("high", "to", count),
        Column("tier", "Tier", count),
        Column("ahead_of_next", "Ahead of the next", percent),
    )
    after = [*(one.condition for one in ranks[1:]), ""]
    rows = tuple(
        (one.condition, one.rank, one.low, one.high, one.tier, following.get((one.condition, below)))
        for one, below in zip(ranks, after, strict=False)
    )
    told = (
        "Places in the ranking with the intervals of the places, and tiers: conditions of one tier are not told apart. "
        "The last column is in how many of the joint resamples a condition scores above the next"
    )
    return Table("ranks", columns, rows, told)


def ahead_table(ahead: Sequence[Ahead]) -> Table:
    """Return for each two conditions in how many of the joint resamples the first scores above the second."""
    columns = (Column("a", "Condition"), Column("b", "against"), Column("probability", "Ahead in", percent))
    told = "In how many of the joint resamples the first condition scores above the second; it is no p-value"
    return Table("ahead", columns, tuple((one.a, one.b, one.probability) for one in ahead), told)


def scope_table(contrasts: Sequence[Contrast]) -> Table:
    """Return every difference at every scope, with all that the analysis tells of it."""
    columns = (
        Column("a", "Condition"),
        Column("b", "against"),
        Column("scope", "Holds for"),
        Column("difference_elo", "Difference", signed),
        Column("low", "from", signed),
        Column("high", "to", signed),
        Column("standard_error", "Standard error", decimals(1)),
        Column("df", "df", decimals(1)),
        Column("p_value", "p", small),
        Column("win_probability", "Chance preferred", percent),
        Column("design_effect", "Design effect", decimals(1)),
    )
    rows = tuple(
        (
            *(one.a, one.b, one.scope, one.difference_elo, one.low, one.high),
            *(one.standard_error, one.df, one.p_value, one.win_probability, one.design_effect),
        )
        for one in contrasts
    )
    told = (
        "Every difference at every scope that the votes allow. The design effect is the variance over that of as many independent "
        "votes; p is of one difference and not corrected for their number; without df the interval is a normal one"
    )
    return Table("contrasts_by_scope", columns, rows, told)


def detectable_table(contrasts: Sequence[Contrast]) -> Table:
    """Return the least difference that a study like this one finds with 80 % power, for each difference whose standard error is known."""
    columns = (
        Column("a", "Condition"),
        Column("b", "against"),
        Column("found", "Found", signed),
        Column("detectable_elo", "Detectable", whole),
        Column("chance", "as a chance", percent),
    )
    rows = []
    for one in contrasts:
        least = detectable(one)
        if least is not None:
            rows.append((one.a, one.b, one.difference_elo, least, chance(least)))
    told = (
        "Power achieved: the least true difference in Elo that a study with this design, these variances and this number of participants "
        "and prompts finds in 80 % of its repetitions, by a single two-sided test"
    )
    return Table("detectable", columns, tuple(rows), told)


def detectable(contrast: Contrast) -> float | None:
    """Return (t of the interval + t of 80 %) times the standard error, in Elo; None where the standard error is not known."""
    if not contrast.standard_error:
        return None
    half = (contrast.high - contrast.low) / 2
    return half + float(stdtrit(contrast.df or _NORMAL, _POWER)) * contrast.standard_error


def refused_table(refused: Sequence[Refused]) -> Table:
    """Return what the analysis does not give, and why."""
    columns = (Column("what", "Not given"), Column("a", "Condition"), Column("b", "against"), Column("reason", "Why"))
    rows = tuple((one.what, one.a, one.b, one.reason) for one in refused)
    return Table("refused", columns, rows, "What the analysis does not give, and why")
