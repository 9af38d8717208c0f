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
    PairFit,
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
from reports.robustness import fit_in_words, further_table, robustness_tables, side_in_words
from reports.sentences import lead, not_shown_to_matter
from reports.standing import detectable, standing_tables
from reports.tables import Table
from reports.vote_tables import vote_tables
from reports.with_everybody import exclusions_in_words

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
        pair_fits=(
            PairFit("own", "others", 528, 0.583, 0.593, -0.01, -0.025, 0.005, "participants"),
            PairFit("own", "initial", 48, 0.69, 0.6, 0.09, 0.02, 0.16, "participants"),
            PairFit("initial", "others", 40, 0.55, 0.55, 0.0, None, None, "participants"),
        ),
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
        *("judges", "agreement", "pair_fits", "balance", "tie_models", "without_exclusions", "verdicts_without_exclusions"),
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
    tables = named(evidence_tables(whole().claims, excluded=True))
    assert tables["claim_tests"][0][-1] == "without participant rater-01, rater-05; without prompt moss; with everyone"
    assert tables["claim_tests"][1][-1] == "not tried"
    assert tables["claim_steps"][0][:9] == ["C1", "own", "others", "+27", "+2", "+52", "97.5\N{NO-BREAK SPACE}%", "−1", "+54"]
    assert ["C3", "trace", "3.5"] in tables["claim_numbers"]


def captions(tables: list[Table]) -> dict[str, str]:
    return {table.name: table.caption for table in tables}


def test_captions_of_the_evidence_say_what_was_tried_and_what_the_corrected_interval_decides() -> None:
    claims = whole().claims
    tried, untried = (captions(evidence_tables(claims, excluded=excluded)) for excluded in (True, False))
    assert "and so are the exclusion rules" in tried["claim_tests"]
    assert "no exclusion rule took out any vote" in untried["claim_tests"]
    assert "support itself rests on the p-value after Holm" in tried["claim_steps"]
    assert "contradicts an order" not in tried["claim_steps"]
    order = (replace(claims[0], evidence=claims[0].evidence | {"type": "order"}),)
    assert "One step alone contradicts an order" in captions(evidence_tables(order, excluded=True))["claim_steps"]


def test_tiers_and_what_could_be_seen_say_what_they_are_and_are_not() -> None:
    told = captions(standing_tables(replace(whole(), alpha=0.1)))
    assert "scores above in at least 95\N{NO-BREAK SPACE}% of the joint resamples; that one begins the next tier" in told["ranks"]
    assert "not corrected" in told["ranks"] and "no proof of a difference" in told["ranks"]
    assert "with 90\N{NO-BREAK SPACE}% intervals of the places" in told["ranks"]
    assert "smallest detectable difference" in told["detectable"] and "at level 0.1." in told["detectable"]
    assert "no power after the fact" in told["detectable"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("participants", "these draw participants, and"),
        ("participants+prompts", "these draw participants and prompts, and"),
        ("votes", None),
    ],
)
def test_places_from_few_groups_are_said_to_seem_surer_than_the_intervals(kind: str, words: str | None) -> None:
    told = captions(standing_tables(replace(whole(), further=whole().further | {"joint resamples": {"kind": kind}})))
    for name in ("ranks", "ahead"):
        assert (f"{words} with few of them seem surer than the intervals" in told[name]) if words else "surer" not in told[name]


def test_a_scope_that_is_not_given_is_named_with_its_reason() -> None:
    told = captions(standing_tables(replace(whole(), refused=(Refused("participants+prompts", "there are 4 prompts"),))))
    assert "that the votes allow (not at participants+prompts: there are 4 prompts)." in told["contrasts_by_scope"]
    assert "that the votes allow." in captions(standing_tables(replace(whole(), refused=())))["contrasts_by_scope"]


def test_the_fit_is_told_pair_by_pair_and_its_largest_gap_in_words() -> None:
    found = named(robustness_tables(whole()))["pair_fits"]
    assert found[1] == ["own", "initial", "48", "69.0\N{NO-BREAK SPACE}%", "60.0\N{NO-BREAK SPACE}%", "+9.0", "+2.0", "+16.0"]
    assert found[2][-2:] == ["", ""]
    words = " ".join(fit_in_words(whole()))
    assert "+9.0 points: own was preferred to initial in 69.0\N{NO-BREAK SPACE}% of 48 votes" in words
    assert "Of 2 such intervals, 1 excludes zero; were the fit right, about 0.1 would by chance." in words
    assert "Of 1 triads" not in words and "Of 1 triad of conditions" in words and "none runs in a circle" in words
    assert "Within participants, 25.0\N{NO-BREAK SPACE}% of the triads" in words
    assert fit_in_words(example_results()) == []


def test_a_circle_of_majorities_is_counted_and_a_fit_that_cannot_miss_is_said_to_be_one() -> None:
    results = whole()
    turned = replace(results.pair_fits[2], observed=0.4)
    circle = (results.pair_fits[0], replace(turned, a="others", b="initial", observed=0.7), replace(results.pair_fits[1], observed=0.3))
    assert "1 runs in a circle" in " ".join(fit_in_words(replace(results, pair_fits=circle)))
    alone = replace(results.pair_fits[0], low=None, high=None)
    (told,) = fit_in_words(replace(results, pair_fits=(alone,)))
    assert told == "Goodness of fit cannot be told: one participant, or one prompt, alone has each pair that could miss the fit."
    (told,) = fit_in_words(replace(results, pair_fits=(replace(alone, gap=1e-17),)))
    assert told == "Each condition was compared along one path only, so that any choices would fit: goodness of fit cannot be told."


@pytest.mark.parametrize(
    ("grade", "kind", "told"), [(None, "greater", True), ("meaningful", "greater", False), (None, "noninferior", False)]
)
def test_a_supported_claim_that_is_not_shown_to_matter_is_named(grade: str | None, kind: str, told: bool) -> None:
    evidence = {"type": kind, "grade": grade, "smallest_effect_elo": 14.0}
    results = replace(whole(), claims=(ClaimResult("C1", "", "SUPPORTED, FRAGILE", "", evidence),))
    said = "C1 is supported, yet not shown to be as large as the smallest difference that matters (14 Elo)."
    assert not_shown_to_matter(results) == (said if told else None)


def test_the_lead_counts_ties_as_the_fit_does() -> None:
    results = whole()
    ranked = sorted(results.scores, key=lambda score: -score.elo)
    contrast = Contrast(ranked[0].condition, ranked[-1].condition, 100.0, 0.0, 1.0, "these", win_probability=0.61)
    tied = replace(results, contrasts=(contrast,), counts=replace(results.counts, ties=5))
    assert "preferred in 61\N{NO-BREAK SPACE}% of the comparisons between the two, half of the ties counted in" in str(lead(tied))


def test_results_without_exclusions_stand_beside_those_with() -> None:
    tables = named(robustness_tables(whole()))
    assert tables["without_exclusions"] == [["own", "others", "+27", "+2", "+52", "+20", "−3", "+43"]]
    assert tables["verdicts_without_exclusions"] == [["C1", "SUPPORTED, EXPLORATORY", "INCONCLUSIVE", "no"]]


def test_the_side_is_told_with_what_it_moves() -> None:
    told = side_in_words(whole().side, 0.508)
    assert "chosen in 50.8\N{NO-BREAK SPACE}% of the decided votes between two conditions" in told
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


def test_measures_of_judges_name_the_votes_that_scores_leave_out() -> None:
    also = "also those between two images of one condition"
    for same_condition, told in ((120, True), (0, False)):
        results = replace(whole(), counts=replace(whole().counts, same_condition=same_condition))
        assert [also in words for words in quality_in_words(results) if "median answer" in words or "alpha is" in words] == [told, told]
        assert [also in table.caption for table in quality_tables(results)] == [told, told]


def agreeing(**found: Any) -> str:
    results = whole()
    agreement = {"alpha": 0.2, "low": 0.1, "high": 0.3, "kappa": None, "participants": 9, "pairs": 30, "resamples": 100} | found
    return " ".join(quality_in_words(replace(results, further=results.further | {"agreement": agreement})))


def test_a_missing_kappa_is_told_in_words_and_not_as_an_error() -> None:
    note = (
        "Fleiss' kappa needs the same number of judgements, at least two, for every unit; found between 2 and 9. Use Krippendorff's alpha"
    )
    told = agreeing(notes=[note])
    assert "Fleiss’ kappa is not given: it asks that as many people judged each pair of images as each other." in told
    assert "needs the same number" not in told and "Use " not in told


def test_alpha_says_how_ties_count_and_that_excluded_people_are_in_it() -> None:
    told = agreeing()
    assert "alpha is 0.20 (for nominal answers; 95\N{NO-BREAK SPACE}% interval 0.10 to 0.30, participants resampled)" in told
    assert "No difference counts as an answer of its own." in told
    assert "Votes that exclusion rules took out of the scores count here." in told


def test_repeats_that_were_asked_are_what_tells_taste_from_noise() -> None:
    told = agreeing()
    assert "only repeats" not in told
    assert "(here in 90.0\N{NO-BREAK SPACE}% of repeats)" in told
    # 2 of 40 are ties: 0.05 squared and half of 0.95 squared.
    assert "(90.0\N{NO-BREAK SPACE}%; coin flips with as many ties would give 45.4\N{NO-BREAK SPACE}%)" in told


def test_what_rules_took_out_is_told_apart_from_what_was_set_aside() -> None:
    results, everyone = whole(), whole().without_exclusions
    stages = [
        {"what": "answered", "participants": 8, "votes": 134, "excluded": [], "votes_dropped": 0},
        {"what": "a rule", "participants": 7, "votes": 124, "excluded": ["u1"], "votes_dropped": 10},
        {"what": "repeats set aside", "participants": 7, "votes": 110, "excluded": [], "votes_dropped": 14},
    ]
    with_rules = replace(results, further={"exclusions": stages})
    assert exclusions_in_words(with_rules) == (
        "The exclusion rules took out 1 of 8 participants altogether, and 10 of 134 answers. "
        "14 more were catch trials or repeats, which enter no score."
    )
    assert everyone is not None
    idle = replace(with_rules, without_exclusions=None)
    assert exclusions_in_words(idle) == "No exclusion rule took out any vote."
    none = replace(idle, further={"exclusions": [stages[0], stages[2]]})
    assert exclusions_in_words(none) == "There was no exclusion rule."
    assert "is not recorded here" in exclusions_in_words(replace(idle, further={}))


def test_results_without_quality_say_so() -> None:
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
