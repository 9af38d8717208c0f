"""The section on the predictor: its figures and tables show the results, keep the paper's numbers apart, and show names as text."""

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image
from predicted_ratings import everything, record, renamed
from reported_experiment import example_results, write_example
from test_page import Tags, built, words

from analysis.model_scores import Measuring
from analysis.predictor_findings import evaluate
from analysis.predictor_metrics import Estimate
from analysis.predictor_results import PredictorResults, write_predictor_results
from analysis.results import write_results
from reports import published
from reports.disagreement_figure import disagreement_figure
from reports.drawing import rendered
from reports.predictor_figures import context_curves, margin_curves, matching_figure
from reports.predictor_tables import own_tables
from reports.predictor_words import predictor_words
from reports.published_tables import published_tables
from reports.tables import as_csv
from stimuli.experiment import Experiment
from stimuli.prediction_record import Matching

MEASURING = Measuring(resamples=100, seed=3)
FIGURES = ("predictor_context", "predictor_disagreements", "predictor_margins", "predictor_matching")


@pytest.fixture(scope="module")
def results() -> PredictorResults:
    return evaluate(everything(), record(), measuring=MEASURING)


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory, results: PredictorResults) -> Experiment:
    return told(tmp_path_factory.mktemp("predicted"), results)


@pytest.fixture(scope="module")
def html(experiment: Experiment) -> str:
    return built(experiment)


def told(folder: Path, results: PredictorResults) -> Experiment:
    """Return an experiment with few results of votes, and these of predictors."""
    experiment = Experiment(folder)
    write_results(experiment.results, replace(example_results(), contrasts=(), pairs=(), scores=(), claims=()))
    write_predictor_results(experiment.predictor_results, results)
    for one in results.disagreements:
        for path in filter(None, one.paths):
            (folder / path).parent.mkdir(exist_ok=True)
            Image.new("RGB", (40, 30), (200, 80, 30)).save(folder / path)
    return experiment


def drawn(results: PredictorResults, folder: Path) -> dict[str, Figure]:
    matching = results.matching or Matching((), (), 0.1, 15)
    return {
        "margins": margin_curves(results.scores, results.margins),
        "context": context_curves(results.few_shot, results.scores, results.baseline),
        "matching": matching_figure(matching),
        "disagreements": disagreement_figure(results.disagreements, folder),
    }


def rows_of(results: PredictorResults, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(as_csv(own_tables(results)[name]).decode())))


# --- tables ---


def test_tables_hold_the_results_digit_for_digit(results: PredictorResults) -> None:
    for row, one in zip(rows_of(results, "predictor_scores"), results.scores, strict=True):
        of = one.metrics
        assert [float(row[key]) for key in ("srocc", "srocc_low", "srocc_high")] == [of.srocc.value, of.srocc.low, of.srocc.high]
        assert (float(row["plcc"]), float(row["accuracy_high"]), int(row["users"])) == (of.plcc.value, of.accuracy.high, one.users)
    for row, two in zip(rows_of(results, "predictor_ablations"), results.ablations, strict=True):
        assert tuple(float(row[f"gap_{metric}"]) for metric in ("srocc", "plcc", "accuracy")) == two.gaps
    for row, three in zip(rows_of(results, "predictor_few_shot"), results.few_shot, strict=True):
        assert (row["model"], int(row["context"]), float(row["srocc"])) == (three.model, three.context, three.metrics.srocc.value)
        assert row["neighbours"] == (str(three.cell.neighbours) if three.cell else "")
    for row, four in zip(rows_of(results, "predictor_diverging"), results.diverging, strict=True):
        assert (float(row["decision"]), int(row["quadruples"])) == (four.found.decision, four.found.quadruples)
    gains = [one.difference for one in results.scores if one.difference]
    assert [float(row["plcc"]) for row in rows_of(results, "predictor_differences")] == [one.plcc.value for one in gains]
    margins = [
        (one.model, margin, macro.value)
        for one in results.scores
        for margin, macro in zip(results.margins, one.macro, strict=True)
        if macro
    ]
    assert [(row["model"], float(row["margin"]), float(row["macro"])) for row in rows_of(results, "predictor_margins")] == margins


def test_the_papers_numbers_are_in_no_table_of_ones_own(results: PredictorResults) -> None:
    theirs = {cell for table in published_tables().values() for row in table.rows for cell in row if isinstance(cell, float)}
    ours = {cell for table in own_tables(results).values() for row in table.rows for cell in row if isinstance(cell, float)}
    assert theirs and not ours & theirs
    assert not set(own_tables(results)) & set(published_tables())


# --- figures ---


def test_margins_and_contexts_are_drawn_at_their_values(results: PredictorResults, tmp_path: Path) -> None:
    figures = drawn(results, tmp_path)
    lines = {line.get_color(): line for line in figures["margins"].axes[0].lines if len(line.get_xdata()) > 2}
    best = results.scores[0]
    assert [float(y) for y in lines["#0072B2"].get_ydata()] == [one.value for one in best.macro if one]
    # The first row is ours, the last the paper's, and none has lines of the other.
    panels = figures["context"].axes
    ours = [one.metrics.srocc.value for one in results.few_shot if one.model == "BayesTaste"]
    assert [float(y) for y in panels[0].lines[0].get_ydata()] == ours
    theirs = [list(map(float, line.get_ydata())) for line in panels[3].lines]
    assert theirs == [[row.srocc for row in published.FEW_SHOT if row.neighbours == k] for k in (1, 5, 10)]
    assert {line.get_color() for line in panels[3].lines}.isdisjoint({line.get_color() for line in panels[0].lines})
    assert published.label("Table 4") in {text.get_text().replace("\n", " ") for text in figures["context"].findobj(Text)}


def test_the_papers_profiles_stand_beside_centred_ones_where_those_are_known(results: PredictorResults) -> None:
    assert results.matching is not None
    paper, centred, weights = matching_figure(results.matching).axes
    assert (sum(bar.get_height() for bar in paper.patches), sum(bar.get_height() for bar in centred.patches)) == (3, 3)  # type: ignore[attr-defined]
    means = [list(map(float, line.get_ydata())) for line in weights.lines if line.get_marker() in ("o", "s")]
    np.testing.assert_allclose(means, [[0.205, 0.2, 0.2, 0.2, 0.195], [0.35, 0.25, 0.15, 0.15, 0.1]])
    alone = matching_figure(replace(results.matching, centred_cosines=(), centred_weights=()))
    assert len(alone.axes) == 2


@pytest.mark.parametrize("kind", ["margins", "context", "matching", "disagreements"])
def test_figures_are_whole_readable_and_the_same_each_time(results: PredictorResults, tmp_path: Path, kind: str) -> None:
    # A long name with signs that markup or mathematics would take for its own.
    attack = "<b>$x$ a-person-with-a-long-name"
    shown = replace(
        results,
        disagreements=tuple(
            replace(one, opinions=(replace(one.opinions[0], user=attack), one.opinions[1]), images=(attack, one.images[1]))
            for one in results.disagreements
        ),
        scores=tuple(replace(one, model=f"{attack} {one.model}") for one in results.scores),
    )
    first = rendered(drawn(shown, tmp_path)[kind])
    assert first == rendered(drawn(shown, tmp_path)[kind])
    pixels = np.asarray(Image.open(io.BytesIO(first.png)).convert("L"))
    assert all((edge == 255).all() for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])), "ink touches the edge"
    figure = drawn(shown, tmp_path)[kind]
    FigureCanvasAgg(figure).draw()
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    assert min(text.get_fontsize() for text in texts) >= 7
    assert not any(text.get_parse_math() for text in texts if "$" in text.get_text())


def test_a_picture_outside_the_experiment_is_never_shown(results: PredictorResults, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    (tmp_path / "study").mkdir()
    outside = tuple(replace(one, paths=("../secret.png", str(tmp_path / "secret.png"))) for one in results.disagreements)
    figure = disagreement_figure(outside, tmp_path / "study")
    assert not any(axes.images for axes in figure.axes)
    assert sum("not here" in text.get_text() for text in figure.findobj(Text)) == 2 * len(outside)


# --- the page ---


def test_the_section_is_there_with_its_figures_and_tables(experiment: Experiment, html: str, results: PredictorResults) -> None:
    assert '<h2 id="predictor">The predictor</h2>' in html
    assert sorted(path.stem for path in (experiment.report / "figures").glob("*.svg")) == list(FIGURES)
    made = {path.stem for path in (experiment.report / "tables").glob("*.csv")}
    assert made >= set(own_tables(results)) | set(published_tables())
    text = words(html)
    for label in ("Table 2", "Table 3", "Table 4", "section 7.1"):
        assert f"PAMELA, Maerten et al. 2026, {label}: other data, not comparable in level" in text
    best = results.scores[0]
    assert f"{best.model} has the highest mean rank correlation" in text and f"{best.metrics.srocc.value:.3f} over 7 people" in text


def test_stand_ins_and_simulated_raters_are_named(html: str) -> None:
    text = words(html)
    assert "The ratings are by simulated raters: programs whose tastes are known." in text
    assert "image-statistics as encoder, for SigLIP2 so400m" in text


def test_without_predictor_results_there_is_no_section(tmp_path: Path) -> None:
    experiment = Experiment(tmp_path)
    write_results(experiment.results, replace(example_results(), contrasts=(), pairs=(), scores=(), claims=()))
    html = built(experiment)
    assert "predictor" not in html.replace("predictor_", "") and "Maerten" not in html
    assert not list((experiment.report / "tables").glob("published*"))


def test_numbers_of_the_paper_stand_in_marked_blocks_only(html: str) -> None:
    outside = re.sub(r'<aside class="published".*?</aside>', "", html, flags=re.DOTALL)
    assert html.count('<aside class="published"') == 4
    assert "0.4514" in html and "0.4514" not in outside
    assert "61.44" in html and "61.44" not in outside


def test_an_unknown_origin_is_said_and_a_real_one_needs_no_warning(results: PredictorResults) -> None:
    unknown = predictor_words(replace(results, simulated=None, stand_ins=None)).warning
    assert unknown is not None and unknown.startswith("Not recorded: whether people gave these ratings")
    assert predictor_words(replace(results, simulated=False, stand_ins=())).warning is None


def test_words_say_where_the_data_leave_open_which_is_better_and_who_was_left_out(results: PredictorResults) -> None:
    best = results.scores[0]
    assert best.difference is not None
    open_still = replace(best.difference, srocc=Estimate(0.01, -0.02, 0.04, 7))
    words = predictor_words(replace(results, scores=(replace(best, difference=open_still, too_few=2, constant=1),)))
    assert "+0.010 (\N{MINUS SIGN}0.020 to +0.040, paired within people)" in words.lead[0]
    assert words.lead[0].endswith("The interval holds zero, so the data leave open which is better.")
    assert words.left_out == (f"Left out in {best.split}: 2 with fewer than five ratings and 1 who gave the same rating to all images.",)


def test_html_in_names_is_shown_as_text(tmp_path: Path) -> None:
    attack = '"><img src=x onerror=alert(1)><script>alert(1)</script>'
    predictions = renamed(everything(), user="u1", to=attack)
    predictions = replace(
        predictions,
        model=np.array([attack if model == "BayesTaste" else model for model in predictions.model], dtype=object),
        split=np.array([f"{split}{attack}" for split in predictions.split], dtype=object),
        image=np.array([f"{image}{attack}" for image in predictions.image], dtype=object),
    )
    # One context and no matching: names stand in tables, and figures hold no text anyway.
    predictions = predictions.where(predictions.context != 5)
    named = replace(record(), stand_ins=tuple(replace(part, name=attack) for part in record().stand_ins), images={}, matching=None)
    tags = Tags(built(told(tmp_path, evaluate(predictions, named, measuring=MEASURING))))
    assert not any(tag == "script" or "onerror" in attributes for tag, attributes in tags.seen)
    assert tags.text.count("<script>alert(1)</script>") > 10


def test_nothing_is_loaded_from_elsewhere_and_ids_are_unique(html: str) -> None:
    tags = Tags(html).seen
    assert "Changed since these numbers" not in html
    links = [value for _, attributes in tags for name, value in attributes.items() if name.endswith("href")]
    assert links and all(link.startswith(("#", "data:image/png;base64,")) for link in links)
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_same_results_give_the_same_page(experiment: Experiment, html: str) -> None:
    assert built(experiment) == html


def test_changed_predictions_are_named_in_a_finished_experiment(tmp_path: Path, results: PredictorResults) -> None:
    experiment = write_example(tmp_path, replace(example_results(), contrasts=(), pairs=()), size=16, prompts={"boat": "A boat."})
    few = replace(results, scores=results.scores[:1], few_shot=(), matching=None, disagreements=())
    write_predictor_results(experiment.predictor_results, replace(few, provenance={"inputs": {"predictions.parquet": "0" * 64}}))
    experiment.predictions.write_bytes(b"other")
    html = built(experiment)
    assert "Changed since these numbers were made: predictions.parquet" in words(html)
    headings = re.findall(r"<h2[^>]*>([^<]*)</h2>", html)
    assert headings[0] == "Summary" and headings[-1] == "Where this comes from"
    assert headings.index("The predictor") > headings.index("Images")
