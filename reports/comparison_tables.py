"""The tables of a comparison of studies: facts, scores, differences, their changes, what studies say together, verdicts."""

from collections.abc import Iterator

from reports.compared_study import Study
from reports.comparison import ComparedClaim, Comparison, kind_of
from reports.sentences import holds_for
from reports.tables import Column, Table, Value, count, signed, whole
from reports.win_rates import ranking


def comparison_tables(found: Comparison) -> dict[str, Table]:
    """Return the tables that have rows, by name."""
    made = (
        study_table(found),
        score_table(found),
        difference_table(found),
        change_table(found),
        together_table(found),
        claim_table(found),
    )
    return {table.name: table for table in made if table.rows}


def study_table(found: Comparison) -> Table:
    """Return what each study is, a column for each."""
    columns = (Column("what", "What"), *(Column(study.name, study.name) for study in found.studies))
    rows = zip(*(_facts(study) for study in found.studies), strict=True)
    return Table("studies", columns, tuple((facts[0][0], *(value for _, value in facts)) for facts in rows), "What each study is")


def score_table(found: Comparison) -> Table:
    """Return every condition's score in each study, those in common first."""
    columns = (
        Column("condition", "Condition"),
        Column("study", "Study"),
        Column("elo", "Elo", whole),
        Column("low", "from", whole),
        Column("high", "to", whole),
        Column("votes", "Votes", count),
    )
    rest = dict.fromkeys(name for only in found.only for name in only)
    rows = [
        (condition, study.name, score.elo, score.low, score.high, score.votes)
        for condition in (*found.common, *rest)
        for study in found.studies
        for score in study.results.scores
        if score.condition == condition
    ]
    return Table("scores", columns, tuple(rows), "Scores (Elo) of each condition in each study")


def difference_table(found: Comparison) -> Table:
    """Return every difference in each study, with its interval."""
    columns = (
        Column("difference", "Difference"),
        Column("study", "Study"),
        Column("difference_elo", "Elo", signed),
        Column("low", "from", signed),
        Column("high", "to", signed),
        Column("standard_error", "Standard error", _tenth),
        Column("df", "df", _tenth),
    )
    rows = (
        (_named(pair.a, pair.b), study.name, one.difference, one.low, one.high, one.standard_error, one.df)
        for pair in found.differences
        for study, one in zip(found.studies, pair.found, strict=True)
    )
    return Table("differences", columns, tuple(rows), "Every difference in each study, with its 95 % interval")


def change_table(found: Comparison) -> Table:
    """Return how far each later study's differences are from the first one's."""
    columns = (
        Column("difference", "Difference"),
        Column("study", "Study"),
        Column("against", "minus"),
        Column("change_elo", "Change", signed),
        Column("low", "from", signed),
        Column("high", "to", signed),
        Column("df", "df", _tenth),
        Column("p_value", "p", p_value),
    )
    first, *later = found.studies
    rows = (
        (_named(pair.a, pair.b), study.name, first.name, one.difference, one.low, one.high, one.df, one.p_value)
        for pair in found.differences
        for study, one in zip(later, pair.changes, strict=True)
    )
    return Table("changes", columns, tuple(rows), "How far each difference moved from one study to the other, with 95 % intervals")


def together_table(found: Comparison) -> Table:
    """Return what all studies say together about each difference, and whether they differ more than chance would let them."""
    columns = (
        Column("difference", "Difference"),
        Column("mean_elo", "Weighted mean", signed),
        Column("low", "from", signed),
        Column("high", "to", signed),
        Column("df", "df", _tenth),
        Column("q", "Q", _tenth),
        Column("f", "F", _tenth),
        Column("f_df", "df of F", _tenth),
        Column("p_heterogeneity", "p", p_value),
        Column("why_not", "Not combined because"),
    )
    rows: list[tuple[Value, ...]] = []
    for pair in found.differences:
        mean, test = pair.mean, pair.heterogeneity
        told = (mean.difference, mean.low, mean.high, mean.df) if mean else (None, None, None, None)
        rows.append((_named(pair.a, pair.b), *told, test.q, test.f, test.df, test.p_value, pair.why_not))
    return Table(
        "together",
        columns,
        tuple(rows),
        "Weighted means, and whether the studies differ more than chance would let them (Cochran’s Q, tested as Welch’s F)",
    )


def claim_table(found: Comparison) -> Table:
    """Return the verdict on each claim in each study, and whether they are of one kind."""
    columns = (
        Column("claim", "Claim"),
        *(Column(study.name, study.name) for study in found.studies),
        Column("same", "Came out the same"),
    )
    rows = tuple(
        (claim.words, *(result.verdict if result else "not claimed" for result in claim.results), _same(claim)) for claim in found.claims
    )
    return Table("claims", columns, rows, "The verdict on each claim in each study")


def p_value(number: float) -> str:
    """Return a p-value as it is printed.

    >>> p_value(0.0412), p_value(0.00002)
    ('0.041', '< 0.001')
    """
    return "< 0.001" if number < 0.001 else f"{number:.3f}"


def _same(claim: ComparedClaim) -> str:
    if claim.same is None:
        return "claimed in one study only"
    kinds = dict.fromkeys(kind_of(result.verdict) for result in claim.results if result)
    if claim.undecided:
        return "yes: undecided in each"
    return "yes" if claim.same else f"no: {', '.join(kinds)}"


def _facts(study: Study) -> list[tuple[str, Value]]:
    return list(_told(study))


def _told(study: Study) -> Iterator[tuple[str, Value]]:
    counts = study.results.counts
    yield "title", study.title or "no study.toml"
    yield "participants", _number(counts.participants)
    yield "of them simulated", _number(counts.simulated_participants)
    yield "prompts", _number(counts.prompts)
    yield "votes", count(counts.votes)
    yield "conditions", ", ".join(ranking(study.results.scores))
    yield "question", study.question or "not known"
    yield "verdicts hold for", holds_for(study.results.scope)
    yield "analysed at", str(study.results.provenance.get("made_at") or "not recorded")


def _number(number: int | None) -> str:
    return "not known" if number is None else count(number)


def _named(a: str, b: str) -> str:
    return f"{a} \N{MINUS SIGN} {b}"


def _tenth(number: float) -> str:
    return f"{number:.1f}"
