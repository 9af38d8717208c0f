"""Every table that the votes give, in the order in which a reader meets them."""

from dataclasses import replace

from analysis.results import Results
from reports import tables
from reports.claim_evidence import evidence_tables
from reports.groups import group_tables
from reports.quality import quality_tables
from reports.robustness import robustness_tables
from reports.sentences import of_differences, of_scores
from reports.standing import standing_tables
from reports.win_rates import ranking, tie_parameter, win_rates


def vote_tables(results: Results) -> dict[str, tables.Table]:
    """Return the tables that have rows, by name."""
    conditions = ranking(results.scores)
    made = [
        replace(tables.score_table(results.scores), caption=of_scores(results)),
        replace(tables.contrast_table(results.main_contrasts, ties=tie_parameter(results)), caption=of_differences(results)),
        tables.pair_table(results.pairs),
        tables.win_table(win_rates(results.pairs, conditions)),
        tables.claim_table(results.claims),
        tables.count_table(results.counts),
        *evidence_tables(results.claims, excluded=results.without_exclusions is not None),
        *standing_tables(results),
        *group_tables(results, conditions),
        *quality_tables(results),
        *robustness_tables(results),
    ]
    return {table.name: table for table in made if table.rows}
