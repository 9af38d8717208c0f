"""Every table that the votes give, in the order in which a reader meets them."""

from analysis.results import Results
from reports import tables
from reports.claim_evidence import evidence_tables
from reports.groups import group_tables
from reports.quality import quality_tables
from reports.robustness import robustness_tables
from reports.standing import standing_tables
from reports.win_rates import ranking, win_rates


def vote_tables(results: Results) -> dict[str, tables.Table]:
    """Return the tables that have rows, by name."""
    conditions = ranking(results.scores)
    made = [
        tables.score_table(results.scores),
        tables.contrast_table(results.main_contrasts),
        tables.pair_table(results.pairs),
        tables.win_table(win_rates(results.pairs, conditions)),
        tables.claim_table(results.claims),
        tables.count_table(results.counts),
        *evidence_tables(results.claims),
        *standing_tables(results),
        *group_tables(results, conditions),
        *quality_tables(results),
        *robustness_tables(results),
    ]
    return {table.name: table for table in made if table.rows}
