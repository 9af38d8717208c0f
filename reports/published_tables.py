"""The paper's numbers as tables, each of its own: none of them holds a number of one's own."""

from reports import published
from reports.predictor_tables import SEEN_UNSEEN
from reports.tables import Column, Table, count


def published_tables() -> dict[str, Table]:
    """Return the paper's numbers by name, each in a table of its own."""
    made = (published_models(), published_ablations(), published_few_shot(), published_diverging())
    return {table.name: table for table in made}


def published_models() -> Table:
    """Return the paper's Table 2."""
    columns = (
        Column("model", "Reward model"),
        Column("user_srocc", "User SROCC", _printed),
        Column("average_srocc", "Avg SROCC", _printed),
        Column("user_plcc", "User PLCC", _printed),
        Column("average_plcc", "Avg PLCC", _printed),
        Column("user_accuracy", "User accuracy", _printed),
        Column("average_accuracy", "Avg accuracy", _printed),
    )
    rows = tuple(
        (m.name, m.user_srocc, m.average_srocc, m.user_plcc, m.average_plcc, m.user_accuracy, m.average_accuracy) for m in published.MODELS
    )
    return Table("published_table_2", columns, rows)


def published_ablations() -> Table:
    """Return the paper's Table 3."""
    rows = tuple((row.name, *row.seen, *row.unseen, *(row.gap or (None, None, None))) for row in published.ABLATIONS)
    columns = (Column("model", "Config"), *(Column(one.name, one.heading, _printed) for one in SEEN_UNSEEN))
    return Table("published_table_3", columns, rows)


def published_few_shot() -> Table:
    """Return the paper's Table 4."""
    columns = (
        Column("context", "Images"),
        Column("neighbours", "K", count),
        Column("srocc", "SROCC", _printed),
        Column("plcc", "PLCC", _printed),
        Column("accuracy", "Accuracy", _printed),
    )
    rows = tuple((str(row.images), row.neighbours, row.srocc, row.plcc, row.accuracy) for row in published.FEW_SHOT)
    return Table("published_table_4", columns, rows)


def published_diverging() -> Table:
    """Return what the paper's section 7.1 says of diverging pairs."""
    columns = (
        Column("users", "Users"),
        Column("share", "Told right", lambda number: f"{100 * number:.2f}\N{NO-BREAK SPACE}%"),
        Column("pairs", "Preferences, about", count),
    )
    return Table("published_diverging", columns, tuple((row.users, row.share, row.pairs) for row in published.DIVERGING))


def _printed(number: float) -> str:
    """Return a number with the four decimals that the paper prints."""
    return f"{number:.4f}".replace("-", "\N{MINUS SIGN}")
