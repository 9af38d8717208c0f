"""What is told of predictors equals the metrics, compares equal ratings only, and survives the way through its file."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import typer
from predicted_ratings import SHOTS, everything, made, record, shown
from typer.testing import CliRunner

from analysis.config import AnalysisTable
from analysis.disagreements import disagreements
from analysis.diverging_pairs import diverging
from analysis.fair_rows import by_place, compared
from analysis.model_scores import Measuring
from analysis.predictor_commands import predictor_command
from analysis.predictor_findings import evaluate
from analysis.predictor_metrics import by_image, by_user, coverage, few_shot, paired, summary
from analysis.predictor_results import ModelScores, PredictorResults, read_predictor_results, write_predictor_results
from reports.predictor_words import predictor_words
from stimuli.experiment import Experiment, ExperimentError
from stimuli.prediction_record import PredictionRecord, read_prediction_record, write_prediction_record
from stimuli.predictions import Predictions, joined, write_predictions
from stimuli.studyfile import ExperimentTable

MEASURING = Measuring(resamples=200, seed=3)


@pytest.fixture(scope="module")
def results() -> PredictorResults:
    return evaluate(everything(), record(), measuring=MEASURING)


def of(results: PredictorResults, model: str, split: str) -> ModelScores:
    (found,) = [one for one in results.scores if (one.model, one.split) == (model, split)]
    return found


def rows(model: str, split: str, *, context: int = 0, draw: int = 0) -> Predictions:
    return by_place(everything().of(model=model, split=split))[model, context, draw]


def test_scores_of_seen_people_equal_the_metrics(results: PredictorResults) -> None:
    found, mine = of(results, "BayesTaste", "test_seen"), rows("BayesTaste", "test_seen")
    expected = summary(by_user(mine), resamples=200, rng=MEASURING.rng)
    assert (found.metrics.srocc, found.metrics.plcc, found.macro, found.micro) == (
        expected.srocc,
        expected.plcc,
        expected.macro,
        expected.micro,
    )
    assert (found.users, found.ratings, found.context, found.draws) == (expected.users, expected.rows, 0, 1)
    images = by_image(mine, raters=set(mine.user))
    assert found.image_level is not None
    assert (found.image_level.srocc, found.image_level.images, found.image_level.raters) == (images.srocc, images.images, 7)
    assert [held.share for held in found.coverage] == coverage(mine).tolist()
    theirs = by_user(rows("population", "test_seen"))
    expected_gain = paired(by_user(mine), theirs, lambda one: one.plcc, resamples=200, rng=MEASURING.rng)
    assert found.difference is not None
    assert found.difference.plcc == expected_gain
    assert of(results, "population", "test_seen").difference is None
    assert of(results, "population", "test_seen").coverage == ()


def test_new_people_score_alike_in_both_tables_and_as_the_metrics_say(results: PredictorResults) -> None:
    found = of(results, "BayesTaste", "test_unseen")
    (row,) = [one for one in results.few_shot if (one.model, one.context) == ("BayesTaste", 15)]
    expected = few_shot(everything().of(model="BayesTaste", split="test_unseen"), resamples=200, rng=MEASURING.rng)[-1]
    assert found.metrics == row.metrics
    assert (row.metrics.srocc, row.metrics.plcc, row.metrics.accuracy) == (expected.srocc, expected.plcc, expected.macro[0])
    assert (row.draws, row.draw_sd, found.draws) == (SHOTS, expected.draw_sd, SHOTS)


def test_a_model_without_draws_is_measured_on_the_ratings_of_each_draw(results: PredictorResults) -> None:
    found = of(results, "population", "test_unseen")
    assert (found.context, found.draws) == (0, SHOTS)
    everybody = rows("population", "test_unseen")
    each = []
    for draw in range(SHOTS):
        kept = set(rows("BayesTaste", "test_unseen", context=15, draw=draw).image)
        each.append(by_user(everybody.where(np.array([image in kept for image in everybody.image]))).srocc)
    assert found.metrics.srocc.value == pytest.approx(np.mean(each))


def test_the_gap_is_seen_less_unseen_and_the_full_model_stands_first(results: PredictorResults) -> None:
    assert [one.model for one in results.ablations] == ["full model", "no text"]
    for one in results.ablations:
        seen = by_user(rows(one.model, "test_seen")).srocc.mean()
        unseen = few_shot(everything().of(model=one.model, split="test_unseen"), rng=MEASURING.rng)[0].srocc.value
        assert one.gaps[0] == pytest.approx(seen - unseen)
        assert (one.seen_split, one.unseen_split, one.context) == ("test_seen", "test_unseen", 15)
    assert not {one.model for one in results.scores} & {"full model", "no text", "K = 5, τ = 0.1"}


def test_the_grid_knows_its_cells_and_how_sharp_their_weights_are(results: PredictorResults) -> None:
    cells = {(one.cell.neighbours, one.cell.temperature, one.context): one for one in results.few_shot if one.cell}
    assert set(cells) == {(k, t, context) for k, t in ((1, 0.1), (5, 0.1), (5, 0.2)) for context in (5, 15)}
    assert (cells[5, 0.1, 15].entropy, cells[5, 0.1, 15].uniform) == (1.608, 1.6094)
    assert cells[5, 0.2, 15].entropy is None


def test_diverging_pairs_are_means_over_draws(results: PredictorResults) -> None:
    found = {(one.model, one.split): one for one in results.diverging}
    seen = found["BayesTaste", "test_seen"].found
    assert seen == diverging(rows("BayesTaste", "test_seen"))
    each = [diverging(rows("BayesTaste", "test_unseen", context=15, draw=draw)) for draw in range(SHOTS)]
    assert found["BayesTaste", "test_unseen"].found.decision == pytest.approx(np.mean([one.decision for one in each]))
    assert found["population", "test_seen"].found.decision == 0.5


def test_examples_are_the_strongest_disagreement_and_use_nobody_twice(results: PredictorResults) -> None:
    mine = rows("BayesTaste", "test_seen")
    table = {(user, image): rating for user, image, rating in zip(mine.user, mine.image, mine.rating, strict=True)}
    users, images = sorted(set(mine.user)), sorted(set(mine.image))
    strongest = max(
        min(table[x, a] - table[x, b], table[y, b] - table[y, a]) for x in users for y in users for a in images for b in images if x != y
    )
    first = results.disagreements[0].opinions
    assert min(first[0].ratings[0] - first[0].ratings[1], first[1].ratings[1] - first[1].ratings[0]) == pytest.approx(strongest)
    shown_users = [said.user for one in results.disagreements for said in one.opinions]
    shown_images = [image for one in results.disagreements for image in one.images]
    assert len(shown_users) == len(set(shown_users)) and len(shown_images) == len(set(shown_images))
    assert results.disagreements[0].paths[0] == f"work/{results.disagreements[0].images[0]}.png"


def test_examples_do_not_depend_on_predictions() -> None:
    mine = rows("BayesTaste", "test_seen")
    worse = dataclasses.replace(mine, prediction=-mine.prediction)
    assert [one.images for one in disagreements(worse)] == [one.images for one in disagreements(mine)]


def test_people_who_agree_give_no_example() -> None:
    one = made("m", "test_seen", noise=0, users=("a",))
    same = joined(one, dataclasses.replace(one, user=np.full(len(one), "b", dtype=object)))
    assert disagreements(same) == ()


def test_users_without_enough_ratings_in_any_draw_are_counted_and_left_out_for_all() -> None:
    predictions = everything()
    few = np.isin(predictions.user.astype(str), ["u3"]) & ~np.isin(predictions.image.astype(str), [f"i{n}" for n in range(6)])
    results = evaluate(predictions.where(~few), measuring=MEASURING)
    assert {(one.split, one.users, one.too_few) for one in results.scores} == {("test_seen", 7, 0), ("test_unseen", 6, 1)}
    flat = dataclasses.replace(predictions, rating=np.where(predictions.user == "u2", 3.0, predictions.rating))
    assert {(one.users, one.constant) for one in evaluate(flat, measuring=MEASURING).scores} == {(6, 1)}


def test_models_on_different_ratings_are_refused() -> None:
    one, other = made("one", "test_seen", noise=0.1), made("other", "test_seen", noise=0.1)
    with pytest.raises(
        ExperimentError, match=r'"other" in "test_seen", draw 0: tells 167 ratings, 167 of the 168 of other models; predict'
    ):
        evaluate(joined(one, other.where(np.arange(len(other)) > 0)), measuring=MEASURING)
    everybody = made("population", "test_unseen", noise=0.1, draw=-1)
    with pytest.raises(ExperimentError, match=r'"population" in "test_unseen", draw 0: .* in the same draws'):
        evaluate(joined(shown("m", noise=0.1), everybody.where(everybody.image != "i1")), measuring=MEASURING)


def test_models_that_were_shown_more_are_compared_on_what_nobody_was_shown() -> None:
    few, many = shown("few", noise=0.2, contexts=(15,)), shown("many", noise=0.3, contexts=(15,))
    fair = compared(joined(few, many.where(many.image != "i4")), split="test_unseen", context=15)
    assert all("i4" not in block.image for blocks in fair.draws.values() for block in blocks)


def test_an_unknown_baseline_and_no_predictions_are_errors() -> None:
    with pytest.raises(ExperimentError, match='no predictions of a baseline "LAION"; there are those of BayesTaste, K = 1'):
        evaluate(everything(), baseline="LAION", measuring=MEASURING)
    with pytest.raises(ExperimentError, match="there are no predictions, so there is nothing to measure"):
        evaluate(everything().where(np.zeros(0, dtype=np.intp)), measuring=MEASURING)


def test_results_survive_their_file(tmp_path: Path, results: PredictorResults) -> None:
    path = tmp_path / "predictor.json"
    write_predictor_results(path, results)
    assert read_predictor_results(path) == results


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{}", "validation error"),
        ("nothing", "Expecting value"),
        ('{"alpha": NaN}', "holds NaN, which is no number"),
        (None, "no such file"),
    ],
)
def test_a_file_that_holds_no_results_is_one_clear_sentence(tmp_path: Path, content: str | None, told: str) -> None:
    path = tmp_path / "predictor.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(ExperimentError, match=told) as caught:
        read_predictor_results(path)
    assert "tastebench analysis predictor` makes it" in str(caught.value)


def test_a_record_survives_its_file_and_complains_of_damage(tmp_path: Path) -> None:
    path = tmp_path / "predictions.json"
    write_prediction_record(path, record())
    assert read_prediction_record(path) == record()
    path.write_text('{"simulated": "perhaps"}', encoding="utf-8")
    with pytest.raises(ExperimentError, match=r"predictions\.json: not a record of predictions of this version \(simulated: "):
        read_prediction_record(path)
    uneven = dataclasses.replace(record(), matching=dataclasses.replace(record().matching, weights=((0.5, 0.5), (1.0,))))  # type: ignore[type-var]
    write_prediction_record(path, uneven)
    with pytest.raises(ExperimentError, match="weights of new people have several lengths"):
        read_prediction_record(path)


# --- the command ---


@dataclass(frozen=True)
class Settings:
    analysis: AnalysisTable = field(default_factory=AnalysisTable)
    experiment: ExperimentTable = field(default_factory=lambda: ExperimentTable("Does it work?", seed=7))


def run(folder: Path, *arguments: str) -> str:
    app = typer.Typer()
    app.command()(predictor_command)
    opener = lambda path: (Experiment(path), Settings())  # noqa: E731
    result = CliRunner().invoke(app, [str(folder), "--resamples", "100", *arguments], obj=opener, env={"COLUMNS": "200"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def test_the_command_measures_and_writes(tmp_path: Path) -> None:
    experiment = Experiment(tmp_path)
    write_predictions(experiment.predictions, everything())
    write_prediction_record(experiment.prediction_record, record())
    told = run(tmp_path)
    assert "simulated raters: these numbers are no finding about people" in told
    found = read_predictor_results(experiment.predictor_results)
    best = of(found, "BayesTaste", "test_seen")
    assert f"{best.metrics.srocc.value:.3f} [{best.metrics.srocc.low:.2f}, {best.metrics.srocc.high:.2f}]" in told
    assert f"{found.diverging[0].found.quadruples:,} diverging pairs" in told
    assert set(found.provenance["inputs"]) == {"predictions.parquet", "predictions.json"}
    run(tmp_path)
    again = read_predictor_results(experiment.predictor_results)
    assert dataclasses.replace(again, provenance={}) == dataclasses.replace(found, provenance={})


def test_ratings_that_the_predictor_was_shown_are_counted(tmp_path: Path) -> None:
    experiment = Experiment(tmp_path)
    write_predictions(experiment.predictions, everything())
    write_prediction_record(experiment.prediction_record, dataclasses.replace(record(), rated_again=1234))
    assert "1,234 held-out ratings that the predictor knew from the rating study are left out." in run(tmp_path)
    words = predictor_words(read_predictor_results(experiment.predictor_results))
    assert words.left_out[-1] == "Left out: 1,234 held-out ratings that the predictor knew from the rating study."


def test_predictions_without_a_record_leave_open_who_rated(tmp_path: Path) -> None:
    elsewhere = tmp_path / "told.parquet"
    write_predictions(elsewhere, made("m", "test_seen", noise=0.2))
    run(tmp_path, "--predictions", str(elsewhere))
    found = read_predictor_results(Experiment(tmp_path).predictor_results)
    assert (found.simulated, found.stand_ins, found.baseline) == (None, None, None)
    with pytest.raises(ExperimentError, match=r"predictions\.parquet: no such file"):
        run(tmp_path)


def test_a_record_of_real_ratings_is_told_as_such() -> None:
    assert evaluate(made("m", "test_seen", noise=0.2), PredictionRecord(False, ()), measuring=MEASURING).simulated is False
