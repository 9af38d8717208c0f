"""How conditions do with each participant and at each prompt: tables of the scores, raw and drawn toward everybody's."""

from collections.abc import Sequence

from analysis.results import Between, Pooled, Results
from reports.tables import Column, Table, Value, whole

_OF = {"participant": "each participant", "prompt": "each prompt"}


def group_tables(results: Results, conditions: Sequence[str]) -> list[Table]:
    """Return a table of scores for participants and one for prompts, how far they differ, and all numbers; without rows left out."""
    made = (
        *(wide_table(results.pooled, of, conditions) for of in _OF),
        between_table(results.between, conditions),
        long_table(results.pooled),
    )
    return [table for table in made if table.rows]


def wide_table(pooled: Sequence[Pooled], of: str, conditions: Sequence[str]) -> Table:
    """Return a row for each participant or prompt and a column for each condition."""
    scores = {(one.name, one.condition): one.elo for one in pooled if one.of == of}
    names = sorted({name for name, _ in scores})
    columns = (Column(of, of.capitalize()), *(Column(name, name, whole) for name in conditions))
    rows = tuple((name, *(scores.get((name, condition)) for condition in conditions)) for name in names)
    told = f"Scores (Elo) with {_OF[of]}, estimated together with everybody’s, which steadies the few votes behind each"
    return Table(f"by_{of}", columns, rows, told)


def between_table(between: Sequence[Between], conditions: Sequence[str]) -> Table:
    """Return how far scores differ between participants and between prompts."""
    found = {(one.of, one.condition): one.sd_elo for one in between}
    known = [of for of in _OF if any(one.of == of for one in between)]
    columns = (Column("condition", "Condition"), *(Column(of, f"Between {of}s", whole) for of in known))
    rows: tuple[tuple[Value, ...], ...] = tuple((name, *(found.get((of, name)) for of in known)) for name in conditions) if known else ()
    told = (
        "How far a condition’s score differs from one participant, or one prompt, to the next: estimated standard deviations in Elo, "
        "of scores whose mean is 1000: one condition that varies much gives all others some of it, so small ones may come from that alone"
    )
    return Table("between", columns, rows, told)


def long_table(pooled: Sequence[Pooled]) -> Table:
    """Return every score of a participant or a prompt: raw, drawn toward everybody's, and its standard error."""
    columns = (
        Column("of", "Of"),
        Column("name", "Name"),
        Column("condition", "Condition"),
        Column("raw_elo", "Raw", whole),
        Column("elo", "Drawn together", whole),
        Column("standard_error", "Standard error", whole),
    )
    rows = tuple((one.of, one.name, one.condition, one.raw_elo, one.elo, one.standard_error) for one in pooled)
    return Table("pooled", columns, rows, "Scores of every participant and every prompt: raw, and estimated together with everybody’s")
