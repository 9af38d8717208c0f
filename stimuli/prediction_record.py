"""How a predictions.parquet came about: stand-ins, where its images are, and how the paper's model matched new people."""

import dataclasses
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from stimuli.experiment import ExperimentError, write_whole
from stimuli.manifest import StandIn


@dataclass(frozen=True)
class Sharpness:
    """How sharply a model that takes new people for its nearest known users weighs these, after `context` ratings.

    `entropy` of the softmax weights in nats, the mean over people and draws; `uniform` is the entropy of equal weights.
    """

    model: str
    context: int
    entropy: float
    uniform: float


@dataclass(frozen=True)
class Matching:
    """How the paper's few-shot method told people apart.

    `cosines` are those of the profiles of known users, one for each two; `weights` the softmax weights of the neighbours of each
    new person, largest first, all of one length. The `centred` ones are of profiles of what is a person's own, to compare: ratings
    above what everybody gives an image and above the person's mean, in whitened features.
    """

    cosines: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]
    temperature: float
    context: int
    centred_cosines: tuple[float, ...] = ()
    centred_weights: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class PredictionRecord:
    """What the predictions do not say themselves. `provenance` holds the fields of `stimuli.provenance.Provenance`.

    `simulated` says that programs gave the ratings. `images` gives, by id, paths relative to the folder of the predictions; an
    image that is not in it is not shown. `rated_again` counts the ratings that are not told because the predictor was shown them: the
    same person rated the same image in the rating study.
    """

    simulated: bool
    stand_ins: tuple[StandIn, ...]
    images: dict[str, str] = field(default_factory=dict)
    sharpness: tuple[Sharpness, ...] = ()
    matching: Matching | None = None
    rated_again: int = 0
    provenance: dict[str, Any] = field(default_factory=dict)


def read_prediction_record(path: Path) -> PredictionRecord:
    """Return the record in a predictions.json.

    Raises:
        ExperimentError: the file is no such record, or holds a number that is not finite.
    """
    try:
        record = TypeAdapter(PredictionRecord).validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise ExperimentError(
            f"{path}: not a record of predictions of this version ({place}: {first['msg']}); `tastebench stimuli predict` makes it again"
        ) from error
    told = [number for one in record.sharpness for number in (one.entropy, one.uniform)]
    if record.matching:
        rows = (*record.matching.weights, *record.matching.centred_weights)
        told += [*record.matching.cosines, *record.matching.centred_cosines, *(weight for row in rows for weight in row)]
        if len({len(row) for row in rows}) > 1:
            raise ExperimentError(f"{path}: the softmax weights of new people have several lengths; expected as many for each")
    if not all(math.isfinite(number) for number in told):
        raise ExperimentError(f"{path}: holds a number that is not finite; `tastebench stimuli predict` makes it again")
    return record


def write_prediction_record(path: Path, record: PredictionRecord) -> None:
    """Write a predictions.json; every number in it is finite."""
    content = json.dumps(dataclasses.asdict(record), indent=2, ensure_ascii=False, allow_nan=False)
    write_whole(path, (content + "\n").encode())
