"""The paper's tables by command: rows come beside those of the experiment, once, and the analysis takes them for what they are."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from learnable_made import data_set
from typer.testing import CliRunner

from analysis.model_names import cell, is_ablation
from analysis.model_scores import Measuring
from analysis.predictor_commands import measure
from stimuli import learning, ratings
from stimuli.commands import predictor as predictor_commands
from stimuli.config import Condition, Prompt, StimuliTable
from stimuli.experiment import Experiment, ExperimentError
from stimuli.learning.training import material
from stimuli.prediction_record import PredictionRecord, read_prediction_record, write_prediction_record
from stimuli.predictions import Predictions, read_predictions, write_predictions
from stimuli.predictors import paper, paper_files
from stimuli.predictors.paper_settings import PaperModel
from stimuli.predictors.paper_tables import ABLATIONS
from stimuli.provenance import sha256
from stimuli.ratings import Rated, RatedData
from stimuli.studyfile import ExperimentTable

TINY = PaperModel(width=16, heads=2, hidden=16, epochs=1)


@dataclass(frozen=True)
class Settings:
    experiment: ExperimentTable = field(default_factory=lambda: ExperimentTable("Tiny", 3))
    stimuli: StimuliTable = field(
        default_factory=lambda: StimuliTable(size=64, text_encoder="word-hash", device="cpu", ratings=RatedData(folder="data"))
    )
    prompt: tuple[Prompt, ...] = (Prompt("boat", "A sailing boat on a lake."),)
    condition: tuple[Condition, ...] = (Condition("initial"), Condition("colourful", scorer="colourful"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """Return an experiment with a rated data set and a few told ratings, to which both commands then add."""
    experiment = Experiment(tmp_path_factory.mktemp("tables"))
    experiment.settings.write_text("# The settings of this test are given as objects.\n")
    written(experiment.folder / "data", data_set(experiment.folder / "data"))
    few = {"model": ["population"] * 6, "split": ["val_seen"] * 6, "user": ["u00"] * 6, "image": [f"i05{number}" for number in range(6)]}
    write_predictions(
        experiment.predictions,
        Predictions(
            **{name: np.array(column, dtype=object) for name, column in few.items()},
            rating=np.arange(6) / 2 + 1,
            prediction=np.arange(6) / 3 + 1,
            standard_deviation=np.full(6, np.nan),
            context=np.zeros(6, dtype=np.int64),
            draw=np.zeros(6, dtype=np.int64),
        ),
    )
    write_prediction_record(experiment.prediction_record, PredictionRecord(True, (), provenance={"inputs": {}, "seed": 3}))
    return experiment


def written(folder: Path, rated: Rated) -> None:
    """Write a data set in PAMELA's layout."""
    splits: dict[str, list[dict[str, object]]] = {}
    for rating in rated.ratings.itertuples():
        image = rated.images.loc[str(rating.image)]
        splits.setdefault(str(rating.split), []).append(
            {
                "participant_id": rating.user,
                "image_id": rating.image,
                "image_path": image["path"],
                "original_score": rating.rating,
                "image_metadata": {"prompt": image["prompt"], "group": image["group"], "style": None, "type": image["type"]},
                "user_demographics": {"age": 30, "gender": "female", "nationality": "Utopia"},
            }
        )
    ratings.write(folder, splits)


def run(experiment: Experiment, *words: str) -> str:
    result = CliRunner().invoke(
        predictor_commands.app,
        [words[0], str(experiment.folder), *words[1:]],
        obj=lambda _: (experiment, Settings()),
        catch_exceptions=False,
    )
    assert result.exit_code == 0, result.output
    return result.stdout


def test_ablations_come_beside_the_other_rows_once_and_are_measured_as_table_3(made: Experiment) -> None:
    said = run(made, "ablate", "--epochs", "1", "--width", "16", "--draws", "2")
    assert "predictions by 6 models added: full model, no demographics" in said
    told = read_predictions(made.predictions)
    assert set(told.model) == {"population", *ABLATIONS}
    assert all(is_ablation(model) for model in ABLATIONS)
    predictor_commands.add_ablations(made, Settings(), replace(TINY, hidden=64, heads=4), number=2)
    assert len(read_predictions(made.predictions)) == len(told)
    record = read_prediction_record(made.prediction_record)
    assert record.provenance == {"inputs": {"predictions.parquet": sha256(made.predictions)}, "seed": 3}
    found = measure(made, context=15, baseline=None, measuring=Measuring(100, 0.05, 1))
    assert next(row.model for row in found.ablations) == "full model"
    assert {row.model for row in found.ablations} == set(ABLATIONS)


def test_the_grid_needs_the_papers_model_and_then_tells_how_alike_profiles_are(made: Experiment) -> None:
    with pytest.raises(ExperimentError, match=r'paper\.safetensors: no such file; `tastebench stimuli train` with predictor = "paper" in'):
        predictor_commands.add_grid(made, Settings(), split="test_unseen")
    kind, known = read(made)
    fitted = paper.fit(known.looks, known.people, known.judgements("train"), TINY, seed=kind.seed, device="cpu")
    paper_files.save(kind.file(made.predictor), fitted)
    before = len(read_predictions(made.predictions))
    said = run(made, "grid", "--split", "test_unseen", "--draws", "2")
    assert "predictions by 9 models added: K = 1, τ = 0.05" in said
    told, record = read_predictions(made.predictions), read_prediction_record(made.prediction_record)
    cells = {model for model in told.model if cell(model)}
    assert len(cells) == 9
    assert len(told) > before
    assert {(one.model, one.context) for one in record.sharpness} == {(model, k) for model in cells for k in (5, 10, 15, 20, 25)}
    assert record.matching is not None
    assert record.matching.context == 15
    assert min(record.matching.cosines) > 0.8
    assert {len(row) for row in record.matching.weights} == {5}
    again = predictor_commands.add_grid(made, Settings(), split="test_unseen", number=2)
    assert len(read_predictions(made.predictions)) == len(told)
    assert set(again.model) == cells


def read(experiment: Experiment):  # type: ignore[no-untyped-def] - what the commands themselves read
    return predictor_commands._read(experiment, Settings(), lambda *_: None)


def test_a_split_of_known_users_or_of_nobody_is_refused(made: Experiment) -> None:
    kind, known = read(made)
    paper_files.save(kind.file(made.predictor), paper.fit(known.looks, known.people, known.judgements("train"), TINY, seed=1, device="cpu"))
    with pytest.raises(ExperimentError, match='the data set has no split "val_unseen"; it has test_seen, test_unseen, train, val_seen'):
        predictor_commands.add_grid(made, Settings())
    with pytest.raises(ExperimentError, match=r'the split "val_seen" has 12 people, none with 15 ratings to be shown by and 5 more'):
        predictor_commands.add_grid(made, Settings(), split="val_seen")


def test_without_predictions_to_add_to_the_command_that_makes_them_is_named(tmp_path: Path) -> None:
    missing = r"predictions\.parquet: no such file; `tastebench stimuli predict` makes it"
    with pytest.raises(ExperimentError, match=missing):
        predictor_commands.add_ablations(Experiment(tmp_path), Settings(), TINY)
    with pytest.raises(ExperimentError, match=missing):
        predictor_commands.add_grid(Experiment(tmp_path), Settings())


def test_the_papers_model_reads_what_it_would_in_a_study_of_its_own(made: Experiment) -> None:
    own = replace(Settings(), stimuli=replace(Settings().stimuli, predictor="paper"))
    data = ratings.read(made.folder / "data")
    alone = material(learning.task(made, own, learning.sight(made, own.stimuli), data))
    _, known = read(made)
    for name in ("image", "prompt", "metadata"):
        np.testing.assert_array_equal(getattr(known.looks, name), getattr(alone.looks, name))
    np.testing.assert_array_equal(known.people.demographics, alone.people.demographics)
