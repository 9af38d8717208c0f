"""Studies side by side: the statistics of a change and of a mean, what is told beside them, and what is refused."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from finished_study import PEOPLE, Made, finished
from hypothesis import given
from hypothesis import strategies as st
from latex_read import require_whole
from typer.testing import CliRunner

from analysis.replication import Measured, change, combined, heterogeneity
from analysis.results import read_results, write_results
from reports import comparison_page
from reports.compared_study import read_all
from reports.comparison import Comparison, compare
from stimuli.experiment import Experiment, ExperimentError
from tastebench import app

OTHERS = tuple(f"{name}-2" for name in PEOPLE)
FEW = ("boat", "cat")
NEW_PROMPTS = ("barn", "moss", "tram")
errors = st.floats(1, 200)
studies = st.builds(Measured, st.floats(-300, 300), errors, st.one_of(st.none(), st.floats(1, 100)))


def test_a_change_is_welchs_t_test() -> None:
    # scipy.stats.ttest_ind(a, b, equal_var=False) is the second implementation.
    from scipy.stats import ttest_ind

    rng = np.random.default_rng(4)
    a, b = rng.normal(10, 30, 6), rng.normal(25, 60, 9)
    told = [Measured(float(x.mean()), float(x.std(ddof=1) / math.sqrt(len(x))), len(x) - 1) for x in (a, b)]
    found, expected = change(*told), ttest_ind(b, a, equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert (found.p_value, found.df) == pytest.approx((expected.pvalue, expected.df))
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_with_known_variances_mean_and_q_are_the_textbooks() -> None:
    from statsmodels.stats.meta_analysis import combine_effects

    effects, variances = np.array([9.5, 27.7, 36.7, 66.4, 46.2, 18.5]), np.array([330.0, 310.0, 500.0, 110.0, 430.0, 230.0])
    told = [Measured(effect, math.sqrt(variance)) for effect, variance in zip(effects.tolist(), variances.tolist(), strict=True)]
    mean, test, expected = combined(told), heterogeneity(told), combine_effects(effects, variances)
    assert (mean.difference, mean.standard_error) == pytest.approx((expected.mean_effect_fe, expected.sd_eff_w_fe))
    assert test.q == pytest.approx(expected.q)
    assert test.df is None
    assert test.p_value == pytest.approx(expected.test_homogeneity().pvalue)


def test_two_studies_worked_out_by_hand() -> None:
    # Weights 1/9 and 1/16, shares .64 and .36: mean .64 * 10 + .36 * 30, variance 144/25 (1 + 4 * .64 * .36 * (1/5 + 1/10)).
    told = [Measured(10, 3, 5), Measured(30, 4, 10)]
    mean, test = combined(told), heterogeneity(told)
    assert mean.difference == pytest.approx(17.2)
    assert mean.standard_error**2 == pytest.approx(5.76 * 1.27648)
    assert mean.df == pytest.approx(1 / (0.64**2 / 5 + 0.36**2 / 10))
    assert test.q == pytest.approx(20**2 / 25)


def test_welchs_test_of_several_studies_is_that_of_their_samples() -> None:
    from statsmodels.stats.oneway import anova_oneway

    rng = np.random.default_rng(5)
    samples = [rng.normal(mean, spread, size) for mean, spread, size in ((0, 10, 6), (12, 20, 8), (5, 5, 12))]
    told = [Measured(float(x.mean()), float(x.std(ddof=1) / math.sqrt(len(x))), len(x) - 1) for x in samples]
    expected = anova_oneway(samples, use_var="unequal", welch_correction=True)
    found = heterogeneity(told)
    assert (found.f, found.df, found.p_value) == pytest.approx((expected.statistic, expected.df_denom, expected.pvalue))


@given(studies, studies)
def test_for_two_studies_heterogeneity_is_the_test_of_their_change(one: Measured, other: Measured) -> None:
    assert heterogeneity([one, other]).p_value == pytest.approx(change(one, other).p_value, abs=1e-9)
    assert change(one, other).difference == pytest.approx(-change(other, one).difference)


@given(studies, studies)
def test_a_mean_lies_between_its_studies_and_is_never_surer_than_known_weights_allow(one: Measured, other: Measured) -> None:
    found = combined([one, other])
    assert min(one.difference, other.difference) - 1e-6 <= found.difference <= max(one.difference, other.difference) + 1e-6
    assert found.standard_error >= (one.standard_error**-2 + other.standard_error**-2) ** -0.5 - 1e-9


@pytest.mark.parametrize(("people", "spreads"), [((6, 6), (30.0, 30.0)), ((6, 30), (60.0, 20.0)), ((8, 20), (40.0, 80.0))])
def test_intervals_of_changes_and_means_hold_the_truth_as_often_as_they_say(people: tuple[int, int], spreads: tuple[float, float]) -> None:
    rng = np.random.default_rng(7)
    number = 1500
    drawn = [rng.normal(20, spread, (number, size)) for size, spread in zip(people, spreads, strict=True)]
    held = np.zeros(3)
    for each in zip(*drawn, strict=True):
        told = [Measured(float(x.mean()), float(x.std(ddof=1) / math.sqrt(len(x))), len(x) - 1) for x in each]
        moved, mean = change(*told), combined(told)
        usual = 1.96 / math.sqrt(sum(one.standard_error**-2 for one in told))
        held += (moved.low <= 0 <= moved.high, mean.low <= 20 <= mean.high, abs(mean.difference - 20) <= usual)
    change_share, mean_share, usual_share = held / number
    assert change_share == pytest.approx(0.95, abs=0.02)
    assert mean_share == pytest.approx(0.945, abs=0.025)
    # The textbook's interval takes the weights for known, and is too narrow.
    assert usual_share < mean_share - 0.01


@pytest.mark.parametrize("error", [0.0, math.nan, math.inf])
def test_a_study_without_a_standard_error_is_refused(error: float) -> None:
    with pytest.raises(ExperimentError, match="nothing says how far off it is"):
        change(Measured(1, 2), Measured(1, error))
    with pytest.raises(ExperimentError, match="give at least two"):
        combined([Measured(1, 2)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an original, a replication with new people and new prompts, and others that cannot be taken so."""
    made = {
        "first": Made(prompts=FEW, title="<b>Original</b>"),
        "again": Made(seed=2, people=OTHERS, prompts=NEW_PROMPTS),
        "overlap": Made(seed=3, prompts=FEW),
        "third": Made(seed=6, people=tuple(f"{name}-3" for name in PEOPLE), prompts=FEW),
        "asked": Made(seed=4, people=OTHERS, prompts=FEW, question="Which image is <i>sharper</i>?", simulated=True),
    }
    whole = tmp_path_factory.mktemp("studies")
    for name, study in made.items():
        finished(whole / name, study)
    return whole


def compared(folder: Path, *names: str, scope: str | None = None) -> Comparison:
    return compare(read_all([folder / name for name in names]), scope=scope)


def test_differences_are_matched_whichever_way_round_a_study_tells_them(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "third", tmp_path / "turned")
    path = tmp_path / "turned" / "results.json"
    results = read_results(path)
    turned = tuple(
        replace(one, a=one.b, b=one.a, difference_elo=-one.difference_elo, low=-one.high, high=-one.low) for one in results.contrasts
    )
    write_results(path, replace(results, contrasts=turned))
    plain = compared(folder, "first", "third").differences
    assert compare(read_all([folder / "first", tmp_path / "turned"])).differences == plain


def test_intervals_are_those_of_each_study_at_the_scope_of_the_first(folder: Path) -> None:
    found = compared(folder, "first", "again")
    assert found.scope == "participants"
    results = read_results(folder / "again" / "results.json")
    for pair in found.differences:
        told = next(one for one in results.main_contrasts if {one.a, one.b} == {pair.a, pair.b})
        sign = 1 if told.a == pair.a else -1
        assert sorted((sign * told.low, sign * told.high)) == pytest.approx([pair.found[1].low, pair.found[1].high])
        assert pair.changes[0].difference == pytest.approx(pair.found[1].difference - pair.found[0].difference)


def test_new_people_at_the_same_prompts_are_combined_and_shared_people_never(folder: Path) -> None:
    fresh = compared(folder, "first", "third")
    assert not fresh.why_not
    assert any(pair.mean for pair in fresh.differences)
    overlap = compared(folder, "first", "overlap")
    assert overlap.why_not == ("first and overlap share participants, so their errors are not independent",)
    assert all(pair.mean is None for pair in overlap.differences)
    assert "6 participants are in both first and overlap. Everything below takes the studies for independent" in overlap.cautions[0]


def for_new_prompts(folder: Path, into: Path) -> Path:
    """Return a folder with the same studies, whose differences for new people are said to hold for new prompts too."""
    shutil.copytree(folder, into)
    for path in into.glob("*/results.json"):
        results = read_results(path)
        wider = tuple(replace(one, scope="participants+prompts") for one in results.contrasts if one.scope == "participants")
        write_results(path, replace(results, contrasts=(*results.contrasts, *wider)))
    return into


def test_a_mean_speaks_about_the_same_prompts_or_about_new_ones(folder: Path, tmp_path: Path) -> None:
    wide = for_new_prompts(folder, tmp_path / "wide")
    same = compared(wide, "first", "third", scope="participants+prompts")
    assert any("share prompts" in reason for reason in same.why_not)
    assert any("share 2 prompts" in told for told in same.cautions)
    other = compared(folder, "first", "again", scope="participants")
    assert any("speaks about its own prompts" in reason for reason in other.why_not)
    assert any("may come from the prompts" in told for told in other.cautions)
    assert not compared(wide, "first", "again", scope="participants+prompts").why_not
    assert any("no one difference" in reason for reason in compared(folder, "first", "third", scope="these").why_not)


def test_what_was_not_the_same_is_told(folder: Path) -> None:
    found = compared(folder, "first", "asked")
    assert any("asked asked" in told and "Which image is <i>sharper</i>?" in told for told in found.apart)
    assert "people were asked different questions" in found.why_not
    assert "some participants are people and some are simulated" in found.why_not
    prompts = compared(folder, "first", "again").apart
    assert "The prompts: first has 2 and again 3, of which 0 are the same." in prompts


def test_studies_that_differ_by_more_than_chance_are_not_averaged(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "third", tmp_path / "far")
    path = tmp_path / "far" / "results.json"
    results = read_results(path)
    far = tuple(replace(one, difference_elo=one.difference_elo + 5000) for one in results.contrasts)
    write_results(path, replace(results, contrasts=far))
    found = compare(read_all([folder / "first", tmp_path / "far"]))
    assert all(pair.mean is None and "differ by more than chance" in (pair.why_not or "") for pair in found.differences)


def test_claims_are_matched_by_what_they_say(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "again", tmp_path / "renamed")
    for name in ("study.toml", "results.json"):
        path = tmp_path / "renamed" / name
        path.write_text(path.read_text().replace('"C1"', '"H7"').replace("INCONCLUSIVE", "SUPPORTED"))
    found = compare(read_all([folder / "first", tmp_path / "renamed"]))
    assert [claim.words for claim in found.claims] == ["own is preferred to others", "own > others > crisp (order of preference)"]
    assert all(all(claim.results) for claim in found.claims)


def test_nothing_in_common_names_what_each_study_has(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "again", tmp_path / "strange")
    path = tmp_path / "strange" / "results.json"
    content = path.read_text()
    for name in ("own", "others", "initial", "crisp"):
        content = content.replace(f'"{name}"', f'"{name} 2"')
    path.write_text(content)
    with pytest.raises(
        ExperimentError, match=r"no condition in common.*first has own.*strange has .*own 2.*Conditions are matched by name"
    ):
        compare(read_all([folder / "first", tmp_path / "strange"]))


def test_the_same_votes_are_no_second_study(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "first", tmp_path / "copy")
    with pytest.raises(ExperimentError, match="hold results of the same votes"):
        compare(read_all([folder / "first", tmp_path / "copy"]))
    with pytest.raises(ExperimentError, match="first: is given twice; give each study once"):
        compare(read_all([folder / "first", folder / "again", folder / "again" / ".." / "first"]))
    with pytest.raises(ExperimentError, match="one study cannot be compared with itself"):
        compare(read_all([folder / "first"]))


def test_a_scope_that_a_study_lacks_is_refused(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "again", tmp_path / "old")
    path = tmp_path / "old" / "results.json"
    content = json.loads(path.read_text())
    content["contrasts"] = [one | {"standard_error": None} for one in content["contrasts"]]
    path.write_text(json.dumps(content))
    with pytest.raises(ExperimentError, match=r"in common with a standard error at any scope: .*old has none"):
        compare(read_all([folder / "first", tmp_path / "old"]))
    with pytest.raises(ExperimentError, match='"people" is no scope; expected one of: participants\\+prompts'):
        compared(folder, "first", "again", scope="people")


def test_results_alone_can_be_compared_and_say_what_is_not_known(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    shutil.copy(folder / "again" / "results.json", tmp_path / "bare")
    found = compare(read_all([folder / "first", tmp_path / "bare"]))
    told = " ".join(found.cautions)
    assert "is not known: bare holds no votes.parquet" in told
    assert "bare has no study.toml" in told
    # Whose prompts nobody knows, that may be the same ones, or others: neither mean would be right.
    assert found.why_not == ("whether first and bare have the same prompts is not known",)
    assert found.claims[0].words == "own is preferred to others"


def test_the_page_stands_alone_shows_names_as_text_and_is_the_same_twice(folder: Path, tmp_path: Path) -> None:
    found = compared(folder, "first", "again", "asked")
    index = comparison_page.write(found, tmp_path / "told")
    html = index.read_text(encoding="utf-8")
    assert "http" not in html.replace("http-equiv", "")
    assert "&lt;b&gt;Original&lt;/b&gt;" in html
    assert "<i>sharper" not in html
    assert "Simulated participants" in html
    files = {path: path.read_bytes() for path in (tmp_path / "told").rglob("*") if path.is_file()}
    assert {path.suffix for path in files} == {".html", ".svg", ".pdf", ".png", ".csv", ".md", ".tex"}
    for path in (path for path in files if path.suffix == ".tex" and path.stem != "preamble"):
        require_whole(path.read_text(encoding="utf-8"))
    comparison_page.write(found, tmp_path / "told")
    assert all(path.read_bytes() == content for path, content in files.items())


def test_a_file_is_no_study(folder: Path) -> None:
    with pytest.raises(ExperimentError, match=r"results\.json: is a file; give the folder of a study"):
        read_all([folder / "first", folder / "first" / "results.json"])


def test_nobody_is_named_on_a_page_that_is_made_to_be_shown(folder: Path, tmp_path: Path) -> None:
    found = compared(folder, "first", "overlap", "again")
    comparison_page.write(found, tmp_path / "told")
    assert sum("are in both" in told for told in found.cautions) == 1
    for path in (path for path in (tmp_path / "told").rglob("*") if path.suffix in (".html", ".svg", ".csv", ".md", ".tex")):
        assert not [name for name in (*PEOPLE, *OTHERS) if name in path.read_text(encoding="utf-8")], path


def test_a_comparison_is_never_written_into_a_study_or_over_other_things(folder: Path, tmp_path: Path) -> None:
    found = compared(folder, "first", "again")
    with pytest.raises(ExperimentError, match="is a study itself"):
        comparison_page.write(found, Experiment(folder / "first").folder)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ExperimentError, match="holds other things than a comparison"):
        comparison_page.write(found, tmp_path)


def test_the_command_tells_in_sentences_and_writes_the_page(folder: Path, tmp_path: Path) -> None:
    to = tmp_path / "told"
    done = CliRunner().invoke(app, ["reports", "compare", str(folder / "first"), str(folder / "overlap"), "--to", str(to)])
    assert done.exit_code == 0, done.output
    told = " ".join(done.output.split())
    assert "of 2 claims that several studies make came out the same" in told
    assert "6 participants are in both" in told
    assert (to / "index.html").is_file()
