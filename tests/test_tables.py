"""The tables: every number is the one in the results, and text stays text."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reported_experiment import ELO, example_results

from analysis.results import Pair, Score, TieModel
from analysis.ties import davidson_chances
from reports import tables
from reports.vote_tables import vote_tables
from reports.win_rates import chance, ranking, win_rates


def rows_of(table: tables.Table) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(tables.as_csv(table).decode())))


def test_csv_scores_are_the_results_digit_for_digit() -> None:
    scores = example_results().scores
    rows = rows_of(tables.score_table(scores))
    read = [Score(row["condition"], float(row["elo"]), float(row["low"]), float(row["high"]), int(row["votes"])) for row in rows]
    assert read == sorted(scores, key=lambda score: -score.elo)


@given(st.floats(-4000, 4000), st.floats(-4000, 4000))
def test_csv_numbers_survive_the_way_there_and_back(elo: float, low: float) -> None:
    (row,) = rows_of(tables.score_table([Score("own", elo, low, low, 3)]))
    assert (float(row["elo"]), float(row["low"])) == (elo, low)


def test_contrasts_carry_the_results_and_their_chance() -> None:
    contrasts = example_results().contrasts
    rows = rows_of(tables.contrast_table(contrasts))
    assert [(r["a"], r["b"], float(r["difference_elo"]), float(r["low"]), float(r["high"]), r["scope"]) for r in rows] == [
        (c.a, c.b, c.difference_elo, c.low, c.high, c.scope) for c in contrasts
    ]
    assert float(rows[0]["chance"]) == pytest.approx(chance(contrasts[0].difference_elo))


# The specification of statistics: 27 Elo = .5388, 22 = .5316, 57 = .5813, 143 = .6949.
@pytest.mark.parametrize(("points", "share"), [(27, 0.5388), (22, 0.5316), (57, 0.5813), (143, 0.6949), (0, 0.5)])
def test_chance_follows_from_the_elo_scale(points: float, share: float) -> None:
    assert chance(points) == pytest.approx(share, abs=5e-5)
    assert chance(-points) == pytest.approx(1 - share, abs=5e-5)


@given(st.floats(-800, 800), st.floats(0.01, 3))
def test_with_ties_a_chance_is_that_of_the_fit_with_half_of_the_ties(points: float, nu: float) -> None:
    strengths = np.array([[points / (400 / np.log(10)), 0.0]])
    fitted, _ = davidson_chances(strengths, np.log([nu]))
    assert chance(points, ties=nu) == pytest.approx(fitted[0, 0, 1])


def test_every_table_tells_one_chance_where_there_were_ties() -> None:
    results = replace(example_results(), tie_models=(TieModel("Davidson (1970)", 0.4, None, 0.0),))
    contrasts = tuple(replace(one, standard_error=12.0) for one in results.contrasts)
    made = vote_tables(replace(results, contrasts=contrasts))
    shares = {name: rows_of(made[name])[0] for name in ("contrasts", "detectable")}
    assert float(shares["contrasts"]["chance"]) == pytest.approx(chance(contrasts[0].difference_elo, ties=0.4))
    assert float(shares["detectable"]["chance"]) == pytest.approx(chance(float(shares["detectable"]["detectable_elo"]), ties=0.4))
    assert results.counts.ties and "half of the chance of a tie counted in" in made["contrasts"].caption


def test_captions_name_level_kind_and_for_whom() -> None:
    results = replace(example_results(), alpha=0.1)
    made = vote_tables(results)
    assert "The 90\N{NO-BREAK SPACE}% intervals hold for these participants and these prompts" in made["contrasts"].caption
    assert results.interval in made["scores"].caption
    wider = tuple(replace(one, scope_low=one.low - 9, scope_high=one.high + 9, scope="participants") for one in results.scores)
    told = vote_tables(replace(results, scores=wider))["scores"].caption
    assert "Second interval: 90\N{NO-BREAK SPACE}%, by the jackknife over participants, for other participants like these" in told


def test_an_interval_for_nobody_else_is_not_said_to_hold_for_more() -> None:
    same = tuple(replace(one, scope_low=one.low, scope_high=one.high, scope="these") for one in example_results().scores)
    assert [column.name for column in tables.score_table(same).columns] == ["condition", "elo", "low", "high", "votes"]


def test_pairs_and_win_rates_agree() -> None:
    results = example_results()
    square = {row["preferred"]: row for row in rows_of(tables.win_table(win_rates(results.pairs, ranking(results.scores))))}
    for row in rows_of(tables.pair_table(results.pairs)):
        assert float(square[row["a"]][row["b"]]) == pytest.approx(float(row["share_a"]))
        assert float(square[row["b"]][row["a"]]) == pytest.approx(1 - float(row["share_a"]))
    assert all(square[name][name] == "" for name in ELO)


def test_counts_say_what_is_known_and_leave_out_what_is_not() -> None:
    results = example_results()
    told = dict(tables.count_table(results.counts).shown)
    assert told["votes"] == "7,120" and told["participants"] == "6" and told["of them simulated"] == "6"
    assert told["share of these votes, ties not counted, that chose the left image"] == "50.8\N{NO-BREAK SPACE}%"
    assert told["of them undecided, in no interval"] == "3"
    assert "conditions left out on request" not in told
    unknown = replace(results.counts, participants=None, prompts=None, left_out=("hpsv3", "qalign"))
    told = dict(tables.count_table(unknown).shown)
    assert "participants" not in told and "prompts" not in told
    assert told["conditions left out on request"] == "hpsv3, qalign"


def test_a_pair_without_votes_has_no_share() -> None:
    assert tables.pair_table([Pair("own", "others", 0, 0, 0)]).shown[0][-1] == ""


def test_markdown_shows_names_literally_and_one_row_a_line() -> None:
    hostile = "a|b *bold* <img src=x>\nnext"
    text = tables.as_markdown(tables.score_table([Score(hostile, 1000.4, 990, 1010, 1500)])).decode()
    assert text.splitlines()[-1] == "| a\\|b \\*bold\\* \\<img src=x\\> next | 1000 | 990 | 1010 | 1,500 |"


def test_markdown_has_as_many_cells_in_each_line() -> None:
    results = example_results()
    for table in (tables.score_table(results.scores), tables.claim_table(results.claims), tables.contrast_table(results.contrasts)):
        lines = [line for line in tables.as_markdown(table).decode().splitlines() if line.startswith("|")]
        assert len(lines) == len(table.rows) + 2
        assert {line.count("|") for line in lines} == {len(table.columns) + 1}
