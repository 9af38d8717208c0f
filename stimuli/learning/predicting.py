"""What a trained predictor and its rivals tell of held-out ratings: rows for `stimuli.predictions`, which the analysis measures."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stimuli.learning.training import Material
from stimuli.predictions import Predictions, joined
from stimuli.predictors.heldout import DRAWS, SHOTS, able_for, adapted, new_name
from stimuli.predictors.interface import Array, Codes, Fitted, Judgements
from stimuli.predictors.protocol import draws
from stimuli.progress import Report, silent
from stimuli.ratings.table import open_image
from stimuli.scorers import Scorer

POPULATION = "population"
KNOWN, NEW = ("val_seen", "test_seen"), ("val_unseen", "test_unseen")
# How many ratings of a new person are seen; the longer ones only where that leaves out nobody.
CONTEXTS = (0, 5, 10, SHOTS)
_LONGER = (20, 25)
_BATCH = 16


def predict(
    name: str, fitted: Fitted, known: Material, rivals: Mapping[str, Scorer], *, seed: int, report: Report = silent
) -> Predictions | None:
    """Return what the predictor `name`, the population and the `rivals` tell of every held-out split; None where there is none.

    People of the training are told as they are known; new ones after contexts of growing size, in ten random draws. One number
    for everybody, the population's or a rival's, is told once for each rating.
    """
    seen = [(split, _by_users_of(known.judgements(split), fitted, known)) for split in KNOWN]
    new = [(split, known.judgements(split)) for split in NEW]
    held_out = [(split, ratings) for split, ratings in (*seen, *new) if len(ratings)]
    if not held_out:
        return None
    images = np.unique(np.concatenate([ratings.image for _, ratings in held_out]))
    everywhere = {POPULATION: _population(fitted, known, images), **_scores(rivals, known, images, report)}
    parts = [
        _rows(model, split, known, ratings, values[ratings.image], np.nan)
        for split, ratings in held_out
        for model, values in everywhere.items()
    ]
    parts += [_of_known(name, split, fitted, known, ratings) for split, ratings in seen if len(ratings)]
    for split, ratings in new:
        parts += _of_new(name, split, fitted, known, ratings, seed=seed)
    return joined(*parts)


def _by_users_of(ratings: Judgements, fitted: Fitted, known: Material) -> Judgements:
    there = [code for code, user in enumerate(known.people.users) if user in fitted.users]
    rows = np.isin(ratings.user, there)
    return Judgements(ratings.user[rows], ratings.image[rows], ratings.rating[rows])


def _population(fitted: Fitted, known: Material, images: Codes) -> Array:
    """Return one prediction for everybody, NaN for images that nobody is asked about, shape (images,)."""
    values = np.full(len(known.looks), np.nan)
    values[images] = fitted.predict(known.looks.at(images), None).mean
    return values


def _scores(rivals: Mapping[str, Scorer], known: Material, images: Codes, report: Report) -> dict[str, Array]:
    found = {name: np.full(len(known.looks), np.nan) for name in rivals}
    for start in range(0, len(images) if rivals else 0, _BATCH):
        batch = images[start : start + _BATCH]
        names = [str(known.rated.images.index[image]) for image in batch.tolist()]
        opened = [image for name in names if isinstance(image := open_image(known.rated, name), Image.Image)]
        prompts = [str(known.rated.images.at[name, "prompt"] or "") for name in names]
        for name, scorer in rivals.items():
            direction = 1 if scorer.spec.higher_is_better else -1
            found[name][batch] = direction * scorer.score(opened, prompts)
        report("scoring", start + len(batch), len(images))
    return found


def _of_known(name: str, split: str, fitted: Fitted, known: Material, ratings: Judgements) -> Predictions:
    mean, deviation = np.empty(len(ratings)), np.empty(len(ratings))
    for user in np.unique(ratings.user).tolist():
        rows = ratings.user == user
        told = fitted.predict(known.looks.at(ratings.image[rows]), known.people.users[user])
        mean[rows], deviation[rows] = told.mean, told.standard_deviation
    return _rows(name, split, known, ratings, mean, deviation)


def _of_new(name: str, split: str, fitted: Fitted, known: Material, ratings: Judgements, *, seed: int) -> Iterator[Predictions]:
    contexts = _contexts(ratings)
    able, _ = able_for(ratings, longest=max(contexts))
    for draw in draws(ratings, able, longest=max(contexts), number=DRAWS, seed=seed):
        rows = draw.evaluated
        looks = known.looks.at(ratings.image[rows])
        told = Judgements(ratings.user[rows], ratings.image[rows], ratings.rating[rows])
        for context in contexts:
            knowing = adapted(fitted, known.looks, known.people, ratings, draw, context)
            found = knowing.predict(looks, new_name(known.people, draw))
            yield _rows(name, split, known, told, found.mean, found.standard_deviation, context=context, draw=draw.draw)


def _contexts(ratings: Judgements) -> Sequence[int]:
    able, _ = able_for(ratings, longest=SHOTS)
    return (*CONTEXTS, *(k for k in _LONGER if able_for(ratings, longest=k)[0] == able))


def _rows(
    model: str,
    split: str,
    known: Material,
    ratings: Judgements,
    mean: Array,
    deviation: Array | float,
    *,
    context: int = 0,
    draw: int = 0,
) -> Predictions:
    number = len(ratings)
    users, images = np.array(known.people.users, dtype=object), known.rated.images.index.astype(str).to_numpy(dtype=object)
    return Predictions(
        model=_all(model, number),
        split=_all(split, number),
        user=users[ratings.user],
        image=images[ratings.image],
        rating=ratings.rating,
        prediction=mean,
        standard_deviation=np.broadcast_to(np.asarray(deviation, dtype=np.float64), (number,)),
        context=np.full(number, context, dtype=np.int64),
        draw=np.full(number, draw, dtype=np.int64),
    )


def _all(text: str, number: int) -> NDArray[np.object_]:
    return np.full(number, text, dtype=object)
