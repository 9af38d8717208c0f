"""What the analysis found is all shown: places, power, evidence, sides, ties, exclusions, judges, groups, and whatever comes new."""

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from reported_experiment import ELO, example_results
from scipy.stats import t as student

from analysis.results import (
    Ahead,
    Balance,
    Between,
    ClaimResult,
    Contrast,
    Pooled,
    Rank,
    Refused,
    Results,
    Side,
    TieModel,
    WithoutExclusions,
)
from reports.claim_evidence import evidence_tables
from reports.groups import group_tables
from reports.quality import quality_in_words, quality_tables
from reports.robustness import further_table, robustness_tables, side_in_words
from reports.standing import detectable, standing_tables
from reports.tables import Table
from reports.vote_tables import vote_tables

NAMES = list(ELO)
SHARE = {"hits": 9, "of": 10}
NOTHING = {"hits": 0, "of": 0}


def judge(name: str | None, *, catch: dict[str, int] = SHARE, swapped: dict[str, int] = SHARE) -> dict[str, Any]:
    return {
        "participant": name,
        "votes": 40,
        "ties": 2,
        "triads": {"circular": 3, "of": 12},
        "retest_swapped": swapped,
        "retest_same_sides": NOTHING,
        "catch": catch,
        "left": {"hits": 19, "of": 38},
        "side_p": 0.9,
        "one_sided": False,
        "fast": NOTHING,
        "median_ms": 2600.0,
        "longest_run": 5,
        "with_others": {"hits": 24, "of": 38},
    }


def step() -> dict[str, Any]:
    return {
        "a": "own",
        "b": "others",
        "difference_elo": 26.6,
        "interval": [2.1, 52.1],
        "interval_adjusted": [-1.0, 54.0],
        "adjusted_level": 0.975,
        "p_value": 0.03,
        "df": 5.0,
        "standard_error": 9.7,
        "sd_participants": 9.0,
        "sd_prompts": 3.0,
        "sd_cells": 2.0,
        "design_effect": 3.25,
        "leave_one_out": [20.0, 31.5],
    }


def whole() -> Results:
    """Return results that hold something of everything."""
    results = example_results()
    contrasts = tuple(
        replace(one, standard_error=12.0, df=5.0, p_value=0.02, win_probability=0.54, design_effect=3.0) for one in results.contrasts
    )
    claims = (
        replace(
            results.claims[0],
            evidence={
                "type": "greater",
                "family": "main",
                "scope": "participants",
                "p_value": 0.03,
                "p_adjusted": 0.06,
                "steps": [step()],
                "changing": ["without participant rater-01", "without participant rater-05", "without prompt moss", "with everyone"],
            },
        ),
        ClaimResult(
            "C3", "People prefer theirs.", "SUPPORTED", "p", {"type": "personal_match", "steps": [], "trace": 3.5, "users": ["a", "b"]}
        ),
    )
    return replace(
        results,
        contrasts=contrasts,
        claims=claims,
        refused=(Refused("difference", "own stood on the left in 9 of 10", "own", "qalign"),),
        ranks=tuple(Rank(name, place, place, place + 1, 1 + place // 3) for place, name in enumerate(NAMES, start=1)),
        ahead=tuple(Ahead(a, b, 0.97) for a, b in combinations(NAMES, 2)),
        side=Side(-7.4, 8.0, 0.356, 0.144),
        balance=(Balance("own", "others", 260, 528),),
        tie_models=(TieModel("Davidson (1970)", 0.61, -201.7, 0.0), TieModel("half a win each", None, None, 0.0123)),
        pooled=tuple(
            Pooled(of, f"{of}-{n}", name, None if n else 990.0, 1000.0 + n, 30.0)
            for of in ("participant", "prompt")
            for n in (0, 1)
            for name in NAMES
        ),
        between=tuple(Between(of, name, 38.4) for of in ("participant", "prompt") for name in NAMES),
        without_exclusions=WithoutExclusions(1, 7, (Contrast("own", "others", 20.0, -3.0, 43.0, "these"),), {"C1": "INCONCLUSIVE"}),
        further={
            "joint resamples": {"kind": "participants", "drawn": 1000, "undecided": 2},
            "quality": {"participants": [judge("rater-01"), judge("rater-05")], "pooled": judge(None)},
            "agreement": {
                "alpha": 0.155,
                "low": 0.125,
                "high": 0.186,
                "kappa": None,
                "participants": 6,
                "pairs": 42,
                "resamples": 1000,
                "notes": [],
            },
            "rater weights": {
                "weights": [0.7, 0.9],
                "scores": [{"condition": "own", "elo": 1070.0, "unweighted_elo": 1065.0}],
                "caveat": "For comparison only.",
            },
            "GEE": {
                "conditions": [{"condition": "own", "log_odds": 0.4, "standard_error": 0.1}],
                "left": 0.02,
                "left_standard_error": 0.03,
                "caveat": "Not Elo.",
            },
            "a new analysis": {"nested": [1.25, {"deep": "found"}]},
        },
    )


def named(tables: list[Table]) -> dict[str, list[list[str]]]:
    return {table.name: table.shown for table in tables}


def test_every_number_of_the_results_is_in_some_table() -> None:
    tables = vote_tables(whole())
    assert set(tables) >= {
        *("scores", "contrasts", "pairs", "win_rates", "claims", "counts", "claim_tests", "claim_steps", "claim_numbers"),
        *("ranks", "ahead", "contrasts_by_scope", "detectable", "refused", "by_participant", "by_prompt", "between", "pooled"),
        *("judges", "agreement", "balance", "tie_models", "without_exclusions", "verdicts_without_exclusions"),
        *("weighted_raters", "gee", "further"),
    }
    assert all(table.rows for table in tables.values())
    assert all(len(row) == len(table.columns) for table in tables.values() for row in table.rows)


def test_results_that_tell_nothing_more_give_no_empty_tables() -> None:
    tables = vote_tables(example_results())
    assert not set(tables) & {
        "ranks",
        "ahead",
        "judges",
        "agreement",
        "balance",
        "tie_models",
        "pooled",
        "gee",
        "further",
        "claim_steps",
        "detectable",
    }


def test_places_tell_how_sure_each_is_to_be_ahead_of_the_next() -> None:
    rows = named(standing_tables(whole()))["ranks"]
    assert rows[0] == ["own", "1", "1", "2", "1", "97.0\N{NO-BREAK SPACE}%"]
    assert rows[-1][-1] == ""


@pytest.mark.parametrize(("df", "quantile"), [(5.0, student(5).ppf(0.8)), (None, 0.8416212)])
def test_detectable_is_what_a_study_of_this_size_finds_in_80_of_100(df: float | None, quantile: float) -> None:
    half = 12.0 * float(student(df).ppf(0.975)) if df else 12.0 * 1.959964
    contrast = Contrast("own", "others", 5.0, 5.0 - half, 5.0 + half, "participants", standard_error=12.0, df=df)
    assert detectable(contrast) == pytest.approx(half + quantile * 12.0, rel=1e-6)
    assert detectable(replace(contrast, standard_error=None)) is None


def test_evidence_says_what_changes_a_verdict_in_groups() -> None:
    tables = named(evidence_tables(whole().claims))
    assert tables["claim_tests"][0][-1] == "without participant rater-01, rater-05; without prompt moss; with everyone"
    assert tables["claim_tests"][1][-1] == "not tried"
    assert tables["claim_steps"][0][:9] == ["C1", "own", "others", "+27", "+2", "+52", "97.5\N{NO-BREAK SPACE}%", "−1", "+54"]
    assert ["C3", "trace", "3.5"] in tables["claim_numbers"]


def test_results_without_exclusions_stand_beside_those_with() -> None:
    tables = named(robustness_tables(whole()))
    assert tables["without_exclusions"] == [["own", "others", "+27", "+2", "+52", "+20", "−3", "+43"]]
    assert tables["verdicts_without_exclusions"] == [["C1", "SUPPORTED, EXPLORATORY", "INCONCLUSIVE", "no"]]


def test_the_side_is_told_with_what_it_moves() -> None:
    told = side_in_words(whole().side, 0.508)
    assert "chosen in 50.8\N{NO-BREAK SPACE}% of the decided votes" in told
    assert "worth −7 Elo (standard error 8, p = 0.356" in told
    assert "was not fitted" in side_in_words(None, 0.508)


def test_what_was_not_measured_is_said_and_has_no_column() -> None:
    results = whole()
    without = {"participants": [judge("a", catch=NOTHING, swapped=NOTHING)], "pooled": judge(None, catch=NOTHING, swapped=NOTHING)}
    results = replace(results, further=results.further | {"quality": without})
    told = " ".join(quality_in_words(results))
    assert "no catch trials, so nothing shows that participants read along" in told
    assert "nothing tells taste from chance within a person" in told
    (judges,) = [table for table in quality_tables(results) if table.name == "judges"]
    assert not {"catch", "retest_swapped", "retest_same_sides", "fast"} & {column.name for column in judges.columns}
    assert "9 of 10 catch trials were passed" in " ".join(quality_in_words(whole()))
    assert quality_in_words(example_results()) == ["NOT REPORTED: these results hold no record of how participants judged."]


def test_groups_have_a_row_each_and_raw_scores_stay_empty_where_there_are_none() -> None:
    tables = {table.name: table for table in group_tables(whole(), NAMES)}
    assert tables["by_participant"].shown == [["participant-0", *["1000"] * 5], ["participant-1", *["1001"] * 5]]
    assert tables["between"].shown[0] == ["own", "38", "38"]
    raw = {(row[1], row[3]) for row in tables["pooled"].rows}
    assert ("participant-0", 990.0) in raw
    assert ("participant-1", None) in raw


def test_an_analysis_that_is_new_is_shown_as_it_is() -> None:
    assert named(robustness_tables(whole()))["further"] == [["a new analysis nested 1", "1.25"], ["a new analysis nested 2 deep", "found"]]
    assert further_table({}).rows == ()
