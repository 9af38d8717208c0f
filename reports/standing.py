"""Where conditions stand: places, tiers, who is ahead of whom, differences at every scope, and the smallest detectable difference."""

from collections.abc import Sequence

from scipy.special import stdtrit

from analysis.results import Contrast, Refused, Results
from reports.tables import Column, Table, count, decimals, percent, signed, small, whole
from reports.win_rates import chance, tie_parameter

_POWER = 0.8
_WIDER_SCOPES = ("participants", "participants+prompts")
_SURER = "and with few of them seem surer than the intervals of the differences: where places and intervals disagree, trust the intervals"
# More degrees of freedom than any study has: the t distribution is the normal one then.
_NORMAL = 1e9


def standing_tables(results: Results) -> list[Table]:
    """Return the tables of where conditions stand, in the order in which a reader wants them; those without rows are left out."""
    made = (
        rank_table(results),
        ahead_table(results),
        scope_table(results),
        detectable_table(results.main_contrasts, alpha=results.alpha, ties=tie_parameter(results)),
        refused_table(results.refused),
    )
    return [table for table in made if table.rows]


def rank_table(results: Results) -> Table:
    """Return each condition's place with its interval, its tier, and how sure it is to be ahead of the next."""
    ranks, following = results.ranks, {(one.a, one.b): one.probability for one in results.ahead}
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
        f"Places in the ranking with {100 * (1 - results.alpha):g}\N{NO-BREAK SPACE}% intervals of the places, and tiers. "
        f"{tier_rule(results.alpha)} Tiers describe: they are not "
        "corrected for the number of conditions, two conditions of one tier may differ, and two tiers are no proof of a difference, "
        "which the claims test. The last column is in how many of the joint resamples a condition scores above the "
        f"next{_resampled(results)}"
    )
    return Table("ranks", columns, rows, told)


def tier_rule(alpha: float) -> str:
    """Return how tiers are made, as a sentence.

    >>> tier_rule(0.05)[-61:]
    '97.5\\xa0% of the joint resamples; that one begins the next tier.'
    """
    share = f"{100 * (1 - alpha / 2):g}\N{NO-BREAK SPACE}%"
    return (
        "A tier begins with the highest condition that is in none yet and goes on down the ranking until a condition that its first one "
        f"scores above in at least {share} of the joint resamples; that one begins the next tier."
    )


def _resampled(results: Results) -> str:
    """Return what the joint resamples do not take in, as the end of a sentence; nothing where they take in what the verdicts do."""
    kind = (results.further.get("joint resamples") or {}).get("kind")
    known = {
        "votes": "these draw single votes, as if each were an independent fact",
        "participants": f"these draw participants, {_SURER}",
        "participants+prompts": f"these draw participants and prompts, {_SURER}",
    }
    return f"; {known[kind]}" if kind in known else ""


def ahead_table(results: Results) -> Table:
    """Return for each two conditions in how many of the joint resamples the first scores above the second."""
    columns = (Column("a", "Condition"), Column("b", "against"), Column("probability", "Ahead in", percent))
    told = f"In how many of the joint resamples the first condition scores above the second; it is no p-value{_resampled(results)}"
    return Table("ahead", columns, tuple((one.a, one.b, one.probability) for one in results.ahead), told)


def scope_table(results: Results) -> Table:
    """Return every difference at every scope, with all that the analysis tells of it, and the scopes that it does not give."""
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
        for one in results.contrasts
    )
    told = (
        f"Every difference at every scope that the votes allow{_scopes_left_out(results.refused)}. The design effect is the variance over "
        "that of as many independent votes; p is of one difference and not corrected for their number; without df the interval is a normal "
        "one"
    )
    return Table("contrasts_by_scope", columns, rows, told)


def _scopes_left_out(refused: Sequence[Refused]) -> str:
    """Return which scopes are not given and why, as the end of a sentence."""
    found = [f"not at {one.what}: {one.reason}" for one in refused if one.what in _WIDER_SCOPES]
    return f" ({'; '.join(found)})" if found else ""


def detectable_table(contrasts: Sequence[Contrast], *, alpha: float, ties: float = 0.0) -> Table:
    """Return the least difference that a study like this one finds with 80 % power, for each difference whose standard error is known."""
    columns = (
        Column("a", "Condition"),
        Column("b", "against"),
        Column("found", "Found", signed),
        Column("detectable_elo", "Smallest detectable", whole),
        Column("chance", "as a chance", percent),
    )
    rows = []
    for one in contrasts:
        least = detectable(one)
        if least is not None:
            rows.append((one.a, one.b, one.difference_elo, least, chance(least, ties=ties)))
    told = (
        "Power, as the smallest detectable difference: the least true difference in Elo that a study with this design, these variances "
        "and this number of participants and prompts finds in 80 % of its repetitions, by a single two-sided test at level "
        f"{alpha:g}. It comes from the standard errors that this study estimates, and is as unsure as they are; the differences found do "
        "not enter, so it is no power after the fact of an effect that was seen"
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
