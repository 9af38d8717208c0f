"""Models are compared on the same people and ratings: in each draw of what was shown, the ratings that all of them tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.predictor_metrics import FEWEST
from stimuli.experiment import ExperimentError
from stimuli.predictions import Predictions

Place = tuple[str, int, int]


@dataclass(frozen=True)
class Measured:
    """Whose ratings can be measured in every draw, and who was left out: fewer than five ratings, or all ratings the same."""

    users: tuple[str, ...]
    too_few: tuple[str, ...]
    constant: tuple[str, ...]

    def rows(self, predictions: Predictions) -> Predictions:
        """Return the rows of those who can be measured."""
        return predictions.where(np.isin(predictions.user.astype(str), np.array(self.users, dtype=str)))


@dataclass(frozen=True, eq=False)
class Compared:
    """The models of one split on the same ratings: for each, after how many ratings of a person, and its rows in each draw."""

    split: str
    context: Mapping[str, int]
    draws: Mapping[str, tuple[Predictions, ...]]
    measured: Measured


def compared(predictions: Predictions, *, split: str, context: int) -> Compared:
    """Return the models of one split at `context`, or at their longest where they have no such context, on the same ratings.

    A model that knows people already, or treats all alike, has one block of rows: of these, each draw takes what the others tell.

    Raises:
        ExperimentError: the models tell different ratings, or nobody can be measured.
    """
    blocks = by_place(predictions)
    chosen = {model: _chosen([k for name, k, _ in blocks if name == model], context) for model, _, _ in blocks}
    of = {model: {draw: block for (name, k, draw), block in blocks.items() if (name, k) == (model, chosen[model])} for model in chosen}
    drawn = [model for model in chosen if chosen[model] or len(of[model]) > 1]
    wanted = _told_by_all([of[model] for model in drawn or list(chosen)[:1]])
    told = {
        model: tuple(_aligned(model, split, draw, each, keys, exact=not drawn) for draw, keys in wanted.items())
        for model in chosen
        for each in [of[model] if model in drawn else dict.fromkeys(wanted, next(iter(of[model].values())))]
    }
    who = measured(next(iter(told.values())))
    return Compared(split, chosen, {model: tuple(who.rows(block) for block in each) for model, each in told.items()}, who)


def by_place(predictions: Predictions) -> dict[Place, Predictions]:
    """Return the rows of each model, context and draw."""
    if not len(predictions):
        return {}
    names, model = np.unique(predictions.model.astype(str), return_inverse=True)
    order = np.lexsort((predictions.draw, predictions.context, model))
    keys = np.column_stack([model, predictions.context, predictions.draw])[order]
    starts = np.flatnonzero(np.r_[True, (keys[1:] != keys[:-1]).any(axis=1)])
    return {
        (str(names[keys[start][0]]), int(keys[start][1]), int(keys[start][2])): predictions.where(rows)
        for start, rows in zip(starts, np.split(order, starts[1:]), strict=True)
    }


def measured(draws: Sequence[Predictions]) -> Measured:
    """Return whose ratings can be measured in each of these draws.

    Raises:
        ExperimentError: nobody's.
    """
    few: set[str] = set()
    constant: set[str] = set()
    everyone = sorted({str(user) for block in draws for user in block.user})
    for block in draws:
        names, user = np.unique(block.user.astype(str), return_inverse=True)
        counts = np.bincount(user, minlength=len(names))
        least, most = np.full(len(names), np.inf), np.full(len(names), -np.inf)
        np.minimum.at(least, user, block.rating)
        np.maximum.at(most, user, block.rating)
        few |= set(names[counts < FEWEST].tolist()) | (set(everyone) - set(names.tolist()))
        constant |= set(names[least == most].tolist())
    fine = tuple(user for user in everyone if user not in few | constant)
    if not fine:
        raise ExperimentError(
            f"no user can be measured: {len(few)} have fewer than {FEWEST} ratings and {len(constant - few)} gave the same rating to all"
        )
    return Measured(fine, tuple(sorted(few)), tuple(sorted(constant - few)))


def _chosen(contexts: Sequence[int], wanted: int) -> int:
    return wanted if wanted in contexts else max(contexts)


def _told_by_all(models: Sequence[Mapping[int, Predictions]]) -> dict[int, list[tuple[str, str]]]:
    """Return the ratings, as user and image, that all these models tell in each draw of any.

    Whoever was shown more ratings has fewer left to tell; models can be compared on what none of them was shown.
    """
    told: dict[int, list[set[tuple[str, str]]]] = {}
    for blocks in models:
        for draw, block in blocks.items():
            told.setdefault(draw, []).append(set(zip(block.user.tolist(), block.image.tolist(), strict=True)))
    return {draw: sorted(set.intersection(*each)) for draw, each in sorted(told.items())}


def _aligned(
    model: str, split: str, draw: int, blocks: Mapping[int, Predictions], keys: Sequence[tuple[str, str]], *, exact: bool
) -> Predictions:
    """Return the rows of a draw that belong to `keys`; `exact` allows no others."""
    block, wanted = blocks.get(draw), set(keys)
    belongs = [key in wanted for key in zip(block.user.tolist(), block.image.tolist(), strict=True)] if block else []
    both = sum(belongs)
    if block is None or both < len(keys) or (exact and len(belongs) > both):
        raise ExperimentError(
            f'"{model}" in "{split}", draw {draw}: tells {len(belongs):,} ratings, {both:,} of the {len(keys):,} of other models; '
            "predict the same ratings with every model that is compared, in the same draws"
        )
    return block.where(np.array(belongs, dtype=bool))
