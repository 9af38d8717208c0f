"""Active onboarding: which image a new person should rate next, so that their taste becomes known soonest."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import numpy as np

from stimuli.experiment import Experiment, ExperimentError, write_whole
from stimuli.predictors.bayes import BayesTaste
from stimuli.predictors.interface import Array, Codes, Looks, Rows


def next_image(fitted: BayesTaste, candidates: Looks, rated: Codes, *, pool: Looks | None = None, demographics: Rows | None = None) -> int:
    """Return which of the candidates a new person should rate after those in `rated`; of equals the first.

    The one that leaves the least variance, averaged over the images of `pool` (the candidates unless given), in how far the person
    likes an image more than the average image of the pool: being harsh with all images alike changes no choice. In a normal model
    that does not depend on what the ratings were. Integrated variance: Cohn, Ghahramani & Jordan 1996, section 3.

    Raises:
        ExperimentError: all candidates are rated.
    """
    rows = fitted.features(candidates)[1]
    matters = _matters(rows if pool is None else fitted.features(pool)[1])
    covariance = _known(fitted.meet("", demographics=demographics).taste("").covariance, rows[rated], fitted.prior.noise)
    gain = _gain(rows, covariance, matters, fitted.prior.noise)
    gain[rated] = -np.inf
    best = int(gain.argmax())
    if not np.isfinite(gain[best]):
        raise ExperimentError(f"all {len(candidates)} candidates are rated already; end the onboarding, or bring more images")
    return best


def sequence(fitted: BayesTaste, candidates: Looks, number: int, *, pool: Looks | None = None, demographics: Rows | None = None) -> Codes:
    """Return the first `number` images that a new person should rate, in order."""
    if number > len(candidates):
        raise ExperimentError(f"asked for {number} images to rate of {len(candidates)}; ask for fewer, or bring more images")
    rows = fitted.features(candidates)[1]
    matters = _matters(rows if pool is None else fitted.features(pool)[1])
    covariance, noise = fitted.meet("", demographics=demographics).taste("").covariance, fitted.prior.noise
    chosen: list[int] = []
    for _ in range(number):
        gain = _gain(rows, covariance, matters, noise)
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
        covariance = _known(covariance, rows[chosen[-1:]], noise)
    return np.array(chosen, dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Onboarding:
    """Names the next image to rate: all that this takes, in a few numbers an image, so that a server can do it without the predictor.

    `rows` (images, k) are the features of tastes of the images in `names`, `covariance` (k, k) what is not known of a new person's
    taste, `noise` the variance of one rating. The variance is averaged over all images, whichever may still be shown.
    """

    names: tuple[str, ...]
    rows: Array
    covariance: Array
    noise: float

    def __call__(self, rated: Mapping[str, float], candidates: Sequence[str]) -> str:
        """Return the name of the image to rate next, of equals the first."""
        place = {name: number for number, name in enumerate(self.names)}
        unknown = sorted({*rated, *candidates} - place.keys())
        if unknown:
            raise ExperimentError(f'the images to choose from were made without "{unknown[0]}"; encode the images again')
        left = [name for name in candidates if name not in rated]
        if not left:
            raise ExperimentError(f"all {len(candidates)} candidates are rated already; end the onboarding, or bring more images")
        known = _known(self.covariance, self.rows[[place[name] for name in rated]], self.noise)
        gain = _gain(self.rows[[place[name] for name in left]], known, _matters(self.rows), self.noise)
        return left[int(gain.argmax())]


def chooser(fitted: BayesTaste, looks: Looks, names: Sequence[str], *, demographics: Rows | None = None) -> Onboarding:
    """Return what names the next image to rate, for a rating study that knows images by name; `names` are those of `looks`."""
    if len(set(names)) != len(looks):
        raise ExperimentError(f"expected one name for each of {len(looks)} images, found {len(set(names))} different ones")
    covariance = fitted.meet("", demographics=demographics).taste("").covariance
    return Onboarding(tuple(names), fitted.features(looks)[1], covariance, fitted.prior.noise)


def save(path: Path, onboarding: Onboarding) -> None:
    """Write what names the next image; equal ones give equal bytes."""
    buffer = io.BytesIO()
    names = np.array(onboarding.names, dtype=np.str_)
    np.savez(buffer, allow_pickle=False, names=names, rows=onboarding.rows, covariance=onboarding.covariance, noise=onboarding.noise)
    write_whole(path, buffer.getvalue())


def for_experiment(folder: Path) -> Onboarding:
    """Return what names the next image to rate in the experiment's rating study (TASTEBENCH_CHOOSER names this function).

    Raises:
        ExperimentError: no predictor was trained since the images to rate were chosen.
    """
    experiment = Experiment(folder)
    path = experiment.onboarding
    train = f"tastebench stimuli train {quote(str(folder))}"
    if not path.is_file():
        raise ExperimentError(
            f'{path}: no such file. [rating] has order = "active", and what a trained predictor says of the images to rate is in it: '
            f"run `tastebench stimuli pool {quote(str(folder))}` and then `{train}`"
        )
    try:
        # Read whole first: numpy leaves the file open where it is cut short.
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            return Onboarding(tuple(file["names"].tolist()), file["rows"], file["covariance"], float(file["noise"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ExperimentError(f"{path}: holds nothing to choose images by ({error}); run `{train}` again") from error


def _matters(rows: Array) -> Array:
    """Return the matrix whose product with a covariance has the mean variance of differences from the average image as its trace."""
    around = rows - rows.mean(axis=0)
    return np.asarray(around.T @ around / len(rows))


def _gain(rows: Array, covariance: Array, matters: Array, noise: float) -> Array:
    """Return by how much one rating of each image lowers the variance that matters, shape (images,)."""
    reach = rows @ covariance
    found: Array = np.einsum("ij,jk,ik->i", reach, matters, reach, optimize=True) / (noise + np.einsum("ij,ij->i", reach, rows))
    return found


def _known(covariance: Array, rows: Array, noise: float) -> Array:
    """Return a covariance after ratings of images with these features."""
    reach = covariance @ rows.T
    left: Array = covariance - reach @ np.linalg.solve(rows @ reach + noise * np.eye(len(rows)), reach.T)
    return left
