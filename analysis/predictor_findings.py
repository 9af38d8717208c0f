"""From predictions to everything that a report tells of predictors."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analysis.disagreements import disagreements
from analysis.fair_rows import Compared, compared
from analysis.model_names import stands_alone
from analysis.model_scores import Measuring, diverging_scores, model_scores
from analysis.new_people import ablations, few_shots
from analysis.predictor_metrics import MARGINS
from analysis.predictor_results import Disagreement, DivergingScores, FewShot, ModelScores, PredictorResults
from stimuli.experiment import ExperimentError
from stimuli.prediction_record import PredictionRecord
from stimuli.predictions import Predictions
from stimuli.progress import Report, silent

# The paper shows 15 ratings of a new person (section 4).
CONTEXT = 15
BASELINE = "population"
_DEFAULT = Measuring()


def evaluate(
    predictions: Predictions,
    record: PredictionRecord | None = None,
    *,
    context: int = CONTEXT,
    baseline: str | None = None,
    measuring: Measuring = _DEFAULT,
    report: Report = silent,
) -> PredictorResults:
    """Return what the predictions say of their models; without a `baseline`, "population" is one where it is among them.

    Raises:
        ExperimentError: models tell different ratings, nobody can be measured, or the baseline is not among the models.
    """
    names, split_of = np.unique(predictions.split.astype(str), return_inverse=True)
    splits = {str(name): predictions.where(split_of == place) for place, name in enumerate(names)}
    baseline = _baseline(predictions, baseline)
    scores: list[ModelScores] = []
    diverging: list[DivergingScores] = []
    shots: list[FewShot] = []
    shown: tuple[Disagreement, ...] = ()
    most = 0
    for done, (split, rows) in enumerate(splits.items()):
        report("splits", done, len(splits))
        shots += few_shots(rows, record, measuring=measuring)
        alone = rows.where(np.array([stands_alone(model) for model in rows.model.tolist()], dtype=bool))
        if not len(alone):
            continue
        fair = compared(alone, split=split, context=context)
        scores += model_scores(fair, baseline=baseline, measuring=measuring)
        here = [diverging_scores(fair, model, measuring=measuring) for model in fair.draws]
        diverging += here
        # Examples come from the split where people disagree most often.
        if here[0].found.quadruples > most:
            most, shown = here[0].found.quadruples, disagreements(fair.draws[_best(scores, fair, baseline)][0])
    report("splits", len(splits), len(splits))
    return PredictorResults(
        margins=MARGINS,
        scores=tuple(scores),
        baseline=baseline,
        alpha=measuring.alpha,
        resamples=measuring.resamples,
        ablations=ablations(splits, context=context, measuring=measuring),
        few_shot=tuple(shots),
        diverging=tuple(diverging),
        disagreements=tuple(_placed(one, record) for one in shown),
        matching=record.matching if record else None,
        simulated=record.simulated if record else None,
        stand_ins=record.stand_ins if record else None,
        rated_again=record.rated_again if record else 0,
    )


def _baseline(predictions: Predictions, asked: str | None) -> str | None:
    there = sorted(set(predictions.model.tolist()))
    if not there:
        raise ExperimentError("there are no predictions, so there is nothing to measure; `tastebench stimuli predict` makes them")
    if asked is not None and asked not in there:
        raise ExperimentError(f'no predictions of a baseline "{asked}"; there are those of {", ".join(there)}')
    return asked if asked is not None else BASELINE if BASELINE in there else None


def _best(scores: Sequence[ModelScores], fair: Compared, baseline: str | None) -> str:
    """Return the model of a split with the highest mean rank correlation; the baseline only where it is alone."""
    here = [one.model for one in scores if one.split == fair.split]
    return next((model for model in here if model != baseline), here[0])


def _placed(one: Disagreement, record: PredictionRecord | None) -> Disagreement:
    """Return a disagreement with the paths of its images, as far as they are recorded."""
    images = record.images if record else {}
    return replace(one, paths=(images.get(one.images[0]), images.get(one.images[1])))
