"""An experiment is a folder: study.toml and everything made from it. All paths come from here, and all files are written here."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import BinaryIO


class ExperimentError(Exception):
    """Something the experimenter can put right; the text says what was found, what was expected and what to do."""


@dataclass(frozen=True)
class Experiment:
    """The folder of one experiment and the name of each file in it."""

    folder: Path

    @property
    def settings(self) -> Path:
        """The one file a person writes; all others are made from it."""
        return self.folder / "study.toml"

    @property
    def stimuli(self) -> Path:
        """One row per image that people may see (`stimuli.manifest.Stimulus`)."""
        return self.folder / "stimuli.parquet"

    @property
    def steps(self) -> Path:
        """One row per iteration of steering (`stimuli.manifest.Step`)."""
        return self.folder / "steps.parquet"

    @property
    def candidates(self) -> Path:
        """One row per prompt that steering tried (`stimuli.steering_record.CandidateRow`)."""
        return self.folder / "candidates.parquet"

    @property
    def rescored(self) -> Path:
        """How each steered image's prompt does with fresh seeds and held-out scorers (`stimuli.steering_record.RescoredRow`)."""
        return self.folder / "rescored.parquet"

    @property
    def run_embeddings(self) -> Path:
        """The stimuli of several independent runs as numbers (`stimuli.steering_record.RunEmbedding`); absent with one run."""
        return self.folder / "run_embeddings.parquet"

    @property
    def utilities(self) -> Path:
        """How much each simulated rater truly likes each stimulus; absent where raters are people."""
        return self.folder / "simulated_utilities.parquet"

    @property
    def rating_utilities(self) -> Path:
        """How much each simulated rater truly likes each of the `rating_images`; absent where raters are people."""
        return self.folder / "rating_utilities.parquet"

    @property
    def stimuli_record(self) -> Path:
        """How the stimuli came about: provenance and stand-ins, as JSON."""
        return self.folder / "stimuli.json"

    @property
    def images(self) -> Path:
        """The copies that people see: no metadata, named by meaningless ids."""
        return self.folder / "images"

    @property
    def work(self) -> Path:
        """What steering keeps to be able to resume; nothing in it is shown to participants."""
        return self.folder / "work"

    @property
    def ratings(self) -> Path:
        """The simulated rated-image data set, in PAMELA's file layout."""
        return self.work / "ratings"

    @property
    def features(self) -> Path:
        """What encoders have computed, a folder for each."""
        return self.work / "features"

    @property
    def predictor(self) -> Path:
        """The fitted personalised predictor."""
        return self.work / "predictor.npz"

    @property
    def small_copies(self) -> Path:
        """The small copies of images that the last report showed, so that the next need not make them again."""
        return self.work / "small_copies.zip"

    @property
    def onboarding(self) -> Path:
        """What a server needs to choose the image that a new person rates next."""
        return self.work / "onboarding.npz"

    @property
    def database(self) -> Path:
        """The SQLite file of the running comparison."""
        return self.folder / "study.sqlite"

    @property
    def rating_database(self) -> Path:
        """The SQLite file of the running rating study."""
        return self.folder / "rating.sqlite"

    @property
    def rating_images(self) -> Path:
        """One row per image that people may be asked to rate (`stimuli.manifest.RatingImage`)."""
        return self.folder / "rating_images.parquet"

    @property
    def rating_pictures(self) -> Path:
        """The copies of the `rating_images` that people see: no metadata, named by meaningless ids."""
        return self.folder / "rating_images"

    @property
    def secret(self) -> Path:
        """The random key that invitations are signed with and pseudonyms come from; whoever reads it can forge both."""
        return self.folder / "study.key"

    @property
    def password(self) -> Path:
        """The hash of the password of the researcher's page; absent while that page is off."""
        return self.folder / "researcher.json"

    @property
    def reviews(self) -> Path:
        """What a researcher said of each image before people saw it (`study.reviews.Review`)."""
        return self.folder / "reviews.json"

    @property
    def lock(self) -> Path:
        """The hash of the claims and when they were locked (`study.lock.Lock`)."""
        return self.folder / "lock.json"

    @property
    def votes(self) -> Path:
        """One row per answered comparison (`study.votes.Vote`)."""
        return self.folder / "votes.parquet"

    @property
    def rated(self) -> Path:
        """One row per rating that participants gave (`study.rated.GivenRating`)."""
        return self.folder / "ratings.parquet"

    @property
    def participants(self) -> Path:
        """One row per participant: how far they came, and what they replied to the questions (`study.votes.Participant`)."""
        return self.folder / "participants.parquet"

    @property
    def rating_participants(self) -> Path:
        """One row per participant of the rating study; the comparison has its own."""
        return self.folder / "rating_participants.parquet"

    @property
    def results(self) -> Path:
        """Scores, contrasts, claims and how they came about (`analysis.results.Results`)."""
        return self.folder / "results.json"

    @property
    def predictions(self) -> Path:
        """One row per rating that a predictor told (`stimuli.predictions`)."""
        return self.folder / "predictions.parquet"

    @property
    def prediction_record(self) -> Path:
        """How the predictions came about (`stimuli.prediction_record.PredictionRecord`)."""
        return self.folder / "predictions.json"

    @property
    def predictor_results(self) -> Path:
        """How well predictors tell ratings (`analysis.predictor_results.PredictorResults`)."""
        return self.folder / "predictor.json"

    @property
    def bundle(self) -> Path:
        """What a reproduction bundle holds, with hashes; there only where this folder is an unpacked one."""
        return self.folder / "bundle.json"

    @property
    def report(self) -> Path:
        """The folder of the finished report."""
        return self.folder / "report"


def open_experiment(folder: Path) -> Experiment:
    """Return the experiment in `folder`.

    Raises:
        ExperimentError: the folder or its study.toml does not exist.
    """
    experiment = Experiment(folder)
    if folder.is_file():
        raise ExperimentError(f"{folder}: is a file; give the folder of the experiment, {folder.parent}")
    if not folder.is_dir():
        raise ExperimentError(f"{folder}: no such folder; `tastebench init {quote(str(folder))}` makes a new experiment there")
    if not experiment.settings.is_file():
        raise ExperimentError(
            f"{experiment.settings}: no such file; an experiment is a folder with a study.toml, and `tastebench init` writes one"
        )
    return experiment


def require(path: Path, *, made_by: str) -> Path:
    """Return `path` if it exists; else raise an `ExperimentError` that names the command which makes it."""
    if not path.exists():
        raise ExperimentError(f"{path}: no such file; `{made_by}` makes it")
    return path


def write_whole(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Write `content` to `path` so that a crash leaves either the old file or the new one, never a part.

    `mode` is the file's from its first byte on, less what the system's mask takes away; 0o600 keeps it from other users.

    Raises:
        ExperimentError: the disk is full, or nobody may write there.
    """
    with written_whole(path, mode=mode) as file:
        file.write(content)


@contextmanager
def written_whole(path: Path, *, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Give a file to write to, which stands at `path` once it is whole; a crash or an exception leaves what was there before.

    Raises:
        ExperimentError: the disk is full, or nobody may write there.
    """
    # A random name: two processes that write the same file must not share a temporary one.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.touch(mode=mode, exist_ok=False)
            with temporary.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ExperimentError(
            f"{path}: cannot be written ({error.strerror}); make room or give leave to write in {path.parent}, then run this again: "
            "what is done is kept"
        ) from error
