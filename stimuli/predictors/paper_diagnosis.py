"""Why the paper's profiles find no kindred taste: cosines and softmax weights, beside those of profiles of what is a person's own.

Ratings are all positive, so a mean of image features weighted by them is nearly the average image that somebody was shown. A profile
of what is left of ratings after everybody's liking and the person's leaning, in whitened features, holds taste. Needs no torch.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from stimuli.experiment import ExperimentError, write_whole
from stimuli.prediction_record import Matching
from stimuli.predictors.components import components
from stimuli.predictors.interface import Array, Codes, Judgements, Looks, Rows
from stimuli.predictors.paper_fewshot import Neighbours, nearest, profile, profiles, unit
from stimuli.predictors.protocol import FewShot

_COMPONENTS = 32


@dataclass(frozen=True)
class Profiles:
    """One kind of profile. `between` are the cosines of all pairs of training users, `weights` the softmax weights of each newcomer.

    `entropy` is the mean of the weights' over newcomers and `uniform` that of equal weights, both in nats. `same_groups` is the weight
    of neighbours who rated the same groups of images (as art, photo) as the newcomer. `kinship` is the rank correlation, over training
    users and averaged over newcomers, of the cosine with the likeness of tastes; None where true tastes are not known.
    """

    name: str
    between: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]
    entropy: float
    uniform: float
    same_groups: float
    kinship: float | None


@dataclass(frozen=True)
class Diagnosis:
    """The paper's profiles and centred ones, for newcomers with `context` ratings; `by_chance` is `same_groups` of random neighbours."""

    context: int
    neighbours: int
    temperature: float
    newcomers: int
    by_chance: float
    paper: Profiles
    centred: Profiles


def diagnosis(
    looks: Looks,
    known: Judgements,
    new: Judgements,
    shots: Sequence[FewShot],
    expected: Array,
    *,
    context: int = 15,
    neighbours: int = 5,
    temperature: float = 0.1,
    likeness: Array | None = None,
) -> Diagnosis:
    """Return how both kinds of profiles match newcomers with users of the training.

    `shots` are draws from the ratings `new`; `expected` (images,) is what an average person rates each image; `likeness`
    (people, people) is how alike tastes truly are, which only simulated people can tell.
    """
    users, code = np.unique(known.user, return_inverse=True)
    again = Judgements(code, known.image, known.rating)
    own = components(looks.image[np.unique(known.image)], _COMPONENTS).of(looks.image)
    groups = np.array(looks.group)
    of_known = [frozenset(groups[known.image[known.user == user]].tolist()) for user in users.tolist()]
    seen = [shot.context(context) for shot in shots]
    of_new = [frozenset(groups[new.image[rows]].tolist()) for rows in seen]
    same = np.array([[mine == theirs for theirs in of_known] for mine in of_new], dtype=np.float64)
    alike = None if likeness is None else likeness[np.array([shot.user for shot in shots])[:, None], users]
    both = []
    for name, of_users, of_newcomers in (
        ("paper", _paper(looks.image, again, len(users)), [profile(looks.image[new.image[rows]], new.rating[rows]) for rows in seen]),
        ("centred", _centred(own, again, expected, len(users)), [_one_centred(own, new, expected, rows) for rows in seen]),
    ):
        found = [nearest(person, of_users, len(users), temperature).user for person in of_newcomers]
        near = [nearest(person, of_users, neighbours, temperature) for person in of_newcomers]
        kinship = None if alike is None else _kinship(found, alike)
        both.append(_profiles(name, of_users, near, same, kinship))
    number = len({shot.user for shot in shots})
    return Diagnosis(context, neighbours, temperature, number, float(same.mean()), *both)


def matching(found: Diagnosis) -> Matching:
    """Return what the record of predictions keeps of a diagnosis: both kinds of profiles, one draw or several a person."""
    own, centred = found.paper, found.centred
    return Matching(own.between, own.weights, found.temperature, found.context, centred.between, centred.weights)


def write_diagnosis(path: Path, found: Diagnosis) -> None:
    """Write a diagnosis as JSON; six digits tell the figure all there is."""
    write_whole(path, (json.dumps(_rounded(asdict(found)), indent=2) + "\n").encode())


def read_diagnosis(path: Path) -> Diagnosis:
    """Return what `write_diagnosis` wrote.

    Raises:
        ExperimentError: no such file, or no diagnosis in it.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        kinds = {name: _read(content[name]) for name in ("paper", "centred")}
        return Diagnosis(**{field.name: kinds.get(field.name, content[field.name]) for field in fields(Diagnosis)})
    except FileNotFoundError as error:
        raise ExperimentError(f"{path}: no such file; make it with the predictor's benchmark") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ExperimentError(f"{path}: not a diagnosis of profiles ({error}); make it again") from error


def _read(content: dict[str, object]) -> Profiles:
    weights, between = content["weights"], content["between"]
    if not isinstance(weights, list) or not isinstance(between, list):
        raise TypeError("weights and cosines are lists")
    return Profiles(**content | {"weights": tuple(tuple(row) for row in weights), "between": tuple(between)})  # type: ignore[arg-type]


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(part) for part in value]
    return round(value, 6) if isinstance(value, float) else value


def _paper(image: Rows, known: Judgements, users: int) -> Array:
    return profiles(image, known.user, known.image, known.rating, users)


def _centred(own: Rows, known: Judgements, expected: Array, users: int) -> Array:
    return np.array([_one_centred(own, known, expected, np.flatnonzero(known.user == user)) for user in range(users)])


def _one_centred(own: Rows, ratings: Judgements, expected: Array, rows: Codes) -> Array:
    """Return the mean of whitened features weighted by what ratings are above what was expected and above the person's own mean."""
    left = ratings.rating[rows] - expected[ratings.image[rows]]
    mean: Array = (left - left.mean()) @ own[ratings.image[rows]] / len(rows)
    return mean


def _profiles(name: str, of_users: Array, near: Sequence[Neighbours], same: Array, kinship: float | None) -> Profiles:
    directions = unit(of_users)
    between = (directions @ directions.T)[np.triu_indices(len(directions), 1)]
    return Profiles(
        name=name,
        between=tuple(between.tolist()),
        weights=tuple(tuple(one.weight.tolist()) for one in near),
        entropy=float(np.mean([one.entropy for one in near])),
        uniform=float(np.log(len(near[0].weight))),
        same_groups=float(np.mean([one.weight @ row[one.user] for one, row in zip(near, same, strict=True)])),
        kinship=kinship,
    )


def _kinship(order: Sequence[Codes], alike: Array) -> float:
    """Return the mean rank correlation of nearness with likeness; `order` lists users from the nearest to the farthest."""
    found = []
    for users, row in zip(order, alike, strict=True):
        near = np.empty(len(users))
        near[users] = -np.arange(len(users))
        found.append(np.corrcoef(near, np.argsort(np.argsort(row)))[0, 1])
    return float(np.mean(found))
