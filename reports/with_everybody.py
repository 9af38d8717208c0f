"""What the exclusion rules took out, and what the numbers are with everybody's votes."""

from analysis.results import Results, WithoutExclusions
from reports.flow import set_aside
from reports.tables import Column, Table, count, signed


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


def exclusions_in_words(results: Results) -> str:
    """Return what the exclusion rules took out, and what was set aside besides, as sentences."""
    recorded, everyone = results.further.get("exclusions") or [], results.without_exclusions
    if not recorded and not everyone:
        return "Whether votes were excluded before the analysis is not recorded here."
    rules = [stage for stage in recorded[1:] if not set_aside(stage)]
    apart = sum(stage["votes_dropped"] for stage in recorded if set_aside(stage))
    beside = f" {count(apart)} more were catch trials or repeats, which enter no score." if apart else ""
    if not everyone:
        return "No exclusion rule took out any vote." if rules or not recorded else "There was no exclusion rule."
    if not recorded:
        return f"The exclusion rules took out {count(everyone.participants)} participants altogether; their votes are not counted here."
    people = sum(len(stage["excluded"]) for stage in rules)
    votes = sum(stage["votes_dropped"] for stage in rules)
    return (
        f"The exclusion rules took out {people} of {recorded[0]['participants']} participants altogether, and {count(votes)} of "
        f"{count(recorded[0]['votes'])} answers.{beside}"
    )
