"""An experiment is a folder: study.toml and everything made from it. All paths come from here, and all files are written here."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from shlex import quote


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
    def utilities(self) -> Path:
        """How much each simulated rater truly likes each stimulus; absent where raters are people."""
        return self.folder / "simulated_utilities.parquet"

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
    def predictor(self) -> Path:
        """The fitted personalised predictor."""
        return self.work / "predictor.npz"

    @property
    def database(self) -> Path:
        """The SQLite file of the running study."""
        return self.folder / "study.sqlite"

    @property
    def lock(self) -> Path:
        """The hash of the claims and when they were locked (`study.lock.Lock`)."""
        return self.folder / "lock.json"

    @property
    def votes(self) -> Path:
        """One row per answered comparison (`study.votes.Vote`)."""
        return self.folder / "votes.parquet"

    @property
    def results(self) -> Path:
        """Scores, contrasts, claims and how they came about (`analysis.results.Results`)."""
        return self.folder / "results.json"

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


def write_whole(path: Path, content: bytes) -> None:
    """Write `content` to `path` so that a crash leaves either the old file or the new one, never a part.

    Raises:
        ExperimentError: the disk is full, or nobody may write there.
    """
    # A random name: two processes that write the same file must not share a temporary one.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                file.write(content)
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
