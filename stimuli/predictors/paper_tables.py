"""What the paper's Tables 3 and 4 ask of its model: inputs left out one by one, and a grid over how new people are matched.

Predictions come back, to be measured by `analysis.predictor_metrics`; nothing is measured here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from stimuli.experiment import ExperimentError
from stimuli.prediction_record import Sharpness
from stimuli.predictions import Predictions, joined
from stimuli.predictors import paper
from stimuli.predictors.heldout import FEWEST, able_for
from stimuli.predictors.interface import Codes, Fitted, Judgements, Looks, People, Prediction
from stimuli.predictors.paper import PaperPredictor
from stimuli.predictors.paper_settings import PaperModel
from stimuli.predictors.protocol import FewShot, draws
from stimuli.progress import Report, silent

# The rows of Table 3, with the flags that make each.
ABLATIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "full model": (),
        "no text": ("no_text",),
        "no demographics": ("no_demographics",),
        "no metadata": ("no_metadata",),
        "no demographics or metadata": ("no_demographics", "no_metadata"),
        "no user": ("no_user",),
    }
)
# Section A.2 of the paper.
CONTEXTS = (5, 10, 15, 20, 25)
NEIGHBOURS = (1, 5, 10)
TEMPERATURES = (0.05, 0.1, 0.2)


@dataclass(frozen=True, eq=False)
class RatedSplits:
    """A rated data set cut into splits: `images` are the names of the rows of `looks`, `splits` hold ratings by split."""

    images: Sequence[str]
    looks: Looks
    people: People
    splits: Mapping[str, Judgements]

    def of(self, split: str) -> Judgements:
        """Return the ratings of a split.

        Raises:
            ExperimentError: there is none of that name.
        """
        if split not in self.splits:
            raise ExperimentError(f'the data set has no split "{split}"; it has {", ".join(self.splits)}')
        return self.splits[split]


@dataclass(frozen=True, eq=False)
class Grid:
    """The predictions of all cells of Table 4, evaluated on the same ratings, and how sharply each cell weighs neighbours.

    A model is called "K = 5, τ = 0.1" by its neighbours and temperature; the size of the context is a column of the predictions.
    """

    sharpness: tuple[Sharpness, ...]
    predictions: Predictions


def ablate(
    data: RatedSplits,
    settings: PaperModel | None = None,
    *,
    names: Sequence[str] = tuple(ABLATIONS),
    seen: str = "test_seen",
    unseen: str = "test_unseen",
    context: int = 15,
    number: int = 10,
    seed: int,
    device: str = "auto",
    resume: Path | None = None,
    report: Report = silent,
) -> Predictions:
    """Train one model for each row of Table 3, and return what each tells of seen users and, `number` times, of new ones.

    New people are shown by `context` ratings; the draws are the same for all rows. `resume` is a folder for unfinished trainings.

    Raises:
        ExperimentError: no such ablation or split, or no new person has enough ratings.
    """
    settings = settings or PaperModel()
    unknown = [name for name in names if name not in ABLATIONS]
    if unknown:
        raise ExperimentError(f'no ablation "{unknown[0]}"; there are {", ".join(ABLATIONS)}')
    shots = shots_of(data, unseen, longest=context, number=number, seed=seed)
    found = []
    for done, name in enumerate(names):
        report("ablations", done, len(names))
        fitted = paper.fit(
            data.looks,
            data.people,
            data.of("train"),
            replace(settings, **dict.fromkeys(ABLATIONS[name], True)),
            seed=seed,
            device=device,
            resume=None if resume is None else resume / f"{name.replace(' ', '-')}.safetensors",
            report=report,
        )
        found += [told_of_known(data, fitted, name, seen), *(told_of_new(data, fitted, name, unseen, shot, context) for shot in shots)]
    report("ablations", len(names), len(names))
    return joined(*found)


def grid(
    data: RatedSplits,
    predictor: PaperPredictor,
    *,
    contexts: Sequence[int] = CONTEXTS,
    neighbours: Sequence[int] = NEIGHBOURS,
    temperatures: Sequence[float] = TEMPERATURES,
    split: str = "val_unseen",
    number: int = 10,
    seed: int,
    report: Report = silent,
) -> Grid:
    """Return what a trained model tells of new people for every size of context, number of neighbours and temperature.

    The paper chose its cell on the test users that it reports; `val_unseen` is the split to choose on.

    Raises:
        ExperimentError: no new person has enough ratings for the largest context.
    """
    shots = shots_of(data, split, longest=max(contexts), number=number, seed=seed)
    cells, found = [], []
    ways = [(most, temperature) for most in neighbours for temperature in temperatures]
    for done, (most, temperature) in enumerate(ways):
        name = f"K = {most}, τ = {temperature:g}"
        matched = replace(predictor, settings=replace(predictor.settings, neighbours=most, temperature=temperature))
        for context in contexts:
            entropies = [_entropy(data, matched, split, shot, context) for shot in shots]
            uniform = float(np.log(min(most, len(predictor.known.users))))
            cells.append(Sharpness(name, context, float(np.mean(entropies)), uniform))
            found += [told_of_new(data, matched, name, split, shot, context) for shot in shots]
        report("grid", done + 1, len(ways))
    return Grid(tuple(cells), joined(*found))


def told_of_known(data: RatedSplits, fitted: Fitted, name: str, split: str) -> Predictions:
    """Return what a predictor tells of the ratings of a split by the people it knows; others are left out.

    Raises:
        ExperimentError: it knows nobody there.
    """
    ratings, found = data.of(split), []
    for user in np.unique(ratings.user).tolist():
        if data.people.users[user] in fitted.users:
            rows = np.flatnonzero(ratings.user == user)
            told = fitted.predict(data.looks.at(ratings.image[rows]), data.people.users[user])
            found.append(_predictions(data, name, split, rows, told, context=0, draw=0))
    if not found:
        raise ExperimentError(f'the split "{split}" has no ratings by people of the training; name the split of seen users')
    return joined(*found)


def told_of_new(data: RatedSplits, fitted: Fitted, name: str, split: str, shot: FewShot, context: int) -> Predictions:
    """Return what a predictor tells of one new person after some ratings of theirs."""
    ratings, seen = data.of(split), shot.context(context)
    said = None if data.people.demographics is None else data.people.demographics[shot.user]
    adapted = fitted.adapt("new", data.looks.at(ratings.image[seen]), ratings.rating[seen], demographics=said)
    told = adapted.predict(data.looks.at(ratings.image[shot.evaluated]), "new")
    return _predictions(data, name, split, shot.evaluated, told, context=context, draw=shot.draw)


def shots_of(data: RatedSplits, split: str, *, longest: int, number: int, seed: int) -> list[FewShot]:
    """Return draws of the ratings that new people are shown by; people with fewer than `longest` and five to tell are left out.

    Raises:
        ExperimentError: nobody has rated that many.
    """
    ratings = data.of(split)
    able, left_out = able_for(ratings, longest=longest)
    if not able:
        raise ExperimentError(
            f'the split "{split}" has {left_out} people, none with {longest} ratings to be shown by and {FEWEST} more to tell; '
            "name another split, or take smaller contexts"
        )
    return draws(ratings, able, longest=longest, number=number, seed=seed)


def _entropy(data: RatedSplits, predictor: PaperPredictor, split: str, shot: FewShot, context: int) -> float:
    ratings, seen = data.of(split), shot.context(context)
    return predictor.neighbours(data.looks.at(ratings.image[seen]), ratings.rating[seen]).entropy


def _predictions(data: RatedSplits, name: str, split: str, rows: Codes, told: Prediction, *, context: int, draw: int) -> Predictions:
    ratings = data.of(split)
    return Predictions(
        model=np.full(len(rows), name, dtype=object),
        split=np.full(len(rows), split, dtype=object),
        user=np.array([data.people.users[user] for user in ratings.user[rows].tolist()], dtype=object),
        image=np.array([data.images[image] for image in ratings.image[rows].tolist()], dtype=object),
        rating=ratings.rating[rows],
        prediction=told.mean,
        standard_deviation=told.standard_deviation,
        context=np.full(len(rows), context, dtype=np.int64),
        draw=np.full(len(rows), draw, dtype=np.int64),
    )
