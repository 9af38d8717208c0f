"""What analysis/ hands to reports/ about predictors: the numbers of the paper's Tables 2 to 4 and Figures 10 to 12, for one's own data."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from pydantic import TypeAdapter

from analysis.diverging_pairs import Diverging
from analysis.model_names import Cell
from analysis.predictor_metrics import Estimate
from analysis.results import plain
from stimuli.experiment import ExperimentError, write_whole
from stimuli.manifest import StandIn
from stimuli.prediction_record import Matching


@dataclass(frozen=True)
class Metrics:
    """Means over users of rank correlation, linear correlation and pairwise accuracy (every pair with two different ratings)."""

    srocc: Estimate
    plcc: Estimate
    accuracy: Estimate


@dataclass(frozen=True)
class ImageLevel:
    """How well a model's mean predictions tell the mean ratings by `raters` users; means over draws. Accuracy: None without pairs."""

    srocc: float
    plcc: float
    accuracy: float | None
    images: int
    raters: int


@dataclass(frozen=True)
class Held:
    """The share of ratings that lie in a model's intervals of a stated `level`."""

    level: float
    share: float


@dataclass(frozen=True)
class ModelScores:
    """One model in one split, after `context` ratings of each person (0: none was needed), the mean over `draws` of these.

    All models of a split are measured on the same users and ratings. `macro` accuracy is the mean over users and `micro` over all
    their pairs, one for each margin of the results, None without such pairs. `too_few` and `constant` count users who cannot be
    measured. `difference` is to the baseline, paired within users, and None for the baseline itself.
    """

    model: str
    split: str
    context: int
    draws: int
    metrics: Metrics
    macro: tuple[Estimate | None, ...]
    micro: tuple[Estimate | None, ...]
    users: int
    ratings: int
    too_few: int
    constant: int
    difference: Metrics | None = None
    image_level: ImageLevel | None = None
    coverage: tuple[Held, ...] = ()


@dataclass(frozen=True)
class Ablation:
    """A model with inputs left out, on seen and on unseen users; `seen` less `unseen` is the generalisation gap."""

    model: str
    seen_split: str
    unseen_split: str
    context: int
    seen: Metrics
    unseen: Metrics

    @property
    def gaps(self) -> tuple[float, float, float]:
        """The gap in rank correlation, linear correlation and accuracy."""
        return (
            self.seen.srocc.value - self.unseen.srocc.value,
            self.seen.plcc.value - self.unseen.plcc.value,
            self.seen.accuracy.value - self.unseen.accuracy.value,
        )


@dataclass(frozen=True)
class FewShot:
    """A model on new people after `context` ratings. `draw_sd` says how far one draw of these moves the mean SROCC; None of one draw.

    `cell` says how the paper's model matches new people; `entropy` is that of its softmax weights and `uniform` that of equal ones.
    """

    model: str
    split: str
    context: int
    metrics: Metrics
    draws: int
    draw_sd: float | None
    cell: Cell | None = None
    entropy: float | None = None
    uniform: float | None = None


@dataclass(frozen=True)
class DivergingScores:
    """A model on the pairs of images that two people order oppositely; counts and shares are means over draws."""

    model: str
    split: str
    draws: int
    found: Diverging


@dataclass(frozen=True)
class Opinion:
    """What one user said of two images, and what a model expected."""

    user: str
    ratings: tuple[float, float]
    predictions: tuple[float, float]


@dataclass(frozen=True)
class Disagreement:
    """Two images that two users order oppositely; `paths` are in the experiment's folder, None where an image is not known there."""

    model: str
    split: str
    images: tuple[str, str]
    paths: tuple[str | None, str | None]
    opinions: tuple[Opinion, Opinion]


@dataclass(frozen=True)
class PredictorResults:
    """Everything a report tells about predictors. `provenance` holds the fields of `stimuli.provenance.Provenance`.

    `simulated` and `stand_ins` are None where nothing was recorded about how the predictions came about. Intervals are at 1 - alpha,
    over users drawn again; those of diverging pairs leave one user out at a time. `rated_again` counts the ratings that are not
    told because the predictor was shown them in the rating study.
    """

    margins: tuple[float, ...]
    scores: tuple[ModelScores, ...]
    baseline: str | None
    alpha: float
    resamples: int
    ablations: tuple[Ablation, ...] = ()
    few_shot: tuple[FewShot, ...] = ()
    diverging: tuple[DivergingScores, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    matching: Matching | None = None
    simulated: bool | None = None
    stand_ins: tuple[StandIn, ...] | None = None
    rated_again: int = 0
    provenance: dict[str, Any] = field(default_factory=dict)


def write_predictor_results(path: Path, results: PredictorResults) -> None:
    """Write predictor.json; every number in it is finite."""
    content = json.dumps(plain(dataclasses.asdict(results)), indent=2, ensure_ascii=False, allow_nan=False)
    write_whole(path, (content + "\n").encode())


def read_predictor_results(path: Path) -> PredictorResults:
    """Return the results in a predictor.json.

    Raises:
        ExperimentError: the file is no predictor.json of this version.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
        return TypeAdapter(PredictorResults).validate_python(content)
    except FileNotFoundError as error:
        raise ExperimentError(f"{path}: no such file; `tastebench analysis predictor` makes it") from error
    except ValueError as error:  # pydantic's and JSON's errors are among these
        what = str(error).splitlines()[0]
        raise ExperimentError(
            f"{path}: not a predictor.json of this version ({what}); `tastebench analysis predictor` makes it again"
        ) from error


def _refuse(number: str) -> NoReturn:
    raise ValueError(f"holds {number}, which is no number")
