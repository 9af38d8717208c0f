"""How predictors do on people they never saw: inputs left out one by one (the paper's Table 3), and by what was shown (Table 4)."""

from collections.abc import Mapping

import numpy as np

from analysis.fair_rows import by_place, compared, measured
from analysis.model_names import FULL, cell, is_ablation
from analysis.model_scores import Measuring, averaged, metrics
from analysis.predictor_metrics import by_user, few_shot
from analysis.predictor_results import Ablation, FewShot, Metrics
from stimuli.prediction_record import PredictionRecord, Sharpness
from stimuli.predictions import Predictions

# PAMELA's names: test_unseen is about new people and test_seen about known ones.
_UNSEEN, _SEEN = "unseen", "seen"


def ablations(splits: Mapping[str, Predictions], *, context: int, measuring: Measuring) -> tuple[Ablation, ...]:
    """Return the rows of Table 3 that are in a split of seen and in that of unseen users, the model with all inputs first."""
    found = []
    for unseen in splits:
        seen = unseen.replace(_UNSEEN, _SEEN)
        if _UNSEEN not in unseen or seen not in splits:
            continue
        known, new = (_each(splits[split], split, context, measuring) for split in (seen, unseen))
        both = sorted(known.keys() & new.keys(), key=lambda model: (model != FULL, model))
        found += [Ablation(model, seen, unseen, new[model][0], known[model][1], new[model][1]) for model in both]
    return tuple(found)


def few_shots(predictions: Predictions, record: PredictionRecord | None, *, measuring: Measuring) -> tuple[FewShot, ...]:
    """Return each model of one split after each number of ratings of new people; only models that were shown some."""
    sharpness = {(one.model, one.context): one for one in record.sharpness} if record else {}
    contexts: dict[str, set[int]] = {}
    for model, context, _ in by_place(predictions):
        contexts.setdefault(model, set()).add(context)
    return tuple(
        row
        for model, shown in contexts.items()
        if max(shown) > 0 and not is_ablation(model)
        for row in _by_context(predictions.where(predictions.model == model), model, sharpness, measuring)
    )


def _each(rows: Predictions, split: str, context: int, measuring: Measuring) -> dict[str, tuple[int, Metrics]]:
    rows = rows.where(np.array([is_ablation(model) for model in rows.model.tolist()], dtype=bool))
    if not len(rows):
        return {}
    fair = compared(rows, split=split, context=context)
    return {
        model: (fair.context[model], metrics(averaged([by_user(block) for block in blocks]), measuring))
        for model, blocks in fair.draws.items()
    }


def _by_context(rows: Predictions, model: str, sharpness: Mapping[tuple[str, int], Sharpness], measuring: Measuring) -> list[FewShot]:
    who = measured(list(by_place(rows).values()))
    found = few_shot(who.rows(rows), resamples=measuring.resamples, alpha=measuring.alpha, rng=measuring.rng)
    return [
        FewShot(
            model=model,
            split=str(rows.split[0]),
            context=row.context,
            metrics=Metrics(row.srocc, row.plcc, next(one for one in row.macro if one is not None)),
            draws=row.draws,
            draw_sd=row.draw_sd if row.draws > 1 else None,
            cell=cell(model),
            entropy=sharpness[model, row.context].entropy if (model, row.context) in sharpness else None,
            uniform=sharpness[model, row.context].uniform if (model, row.context) in sharpness else None,
        )
        for row in found
    ]
