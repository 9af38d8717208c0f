"""One study as a comparison with others reads it: its results, its settings, and who judged what where that is known."""

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from analysis.results import Results, read_results
from stimuli.experiment import Experiment, ExperimentError, require
from stimuli.manifest import read_stimuli
from study.votes import read_votes


@dataclass(frozen=True)
class Study:
    """`settings` is study.toml as it stands, empty without one. `participants` and `prompts` are None where no file tells them.

    `prompts` holds the words of each prompt by its id, None where only the id is known. `anonymised`: the participants' ids were
    made for a bundle and say nothing about who they are.
    """

    name: str
    folder: Path
    results: Results
    settings: Mapping[str, Any]
    participants: frozenset[str] | None
    prompts: Mapping[str, str | None] | None
    anonymised: bool = False

    @property
    def title(self) -> str | None:
        """The title in study.toml."""
        title = self.settings.get("experiment", {}).get("title")
        return None if title is None else str(title)

    @property
    def question(self) -> str | None:
        """What people were asked: the study's own words, else which standard question; None without study.toml."""
        if not self.settings:
            return None
        asked = self.settings.get("study", {})
        return str(asked.get("question") or f"the standard question ({asked.get('language', 'en')})")

    @property
    def inputs(self) -> Mapping[str, str]:
        """The SHA-256 of each file of votes that the results were made from, by its name."""
        return dict(self.results.provenance.get("inputs") or {})

    @property
    def simulated(self) -> int | None:
        """How many participants are programs."""
        return self.results.counts.simulated_participants


def read_all(folders: Sequence[Path]) -> tuple[Study, ...]:
    """Return the study in each folder, called by the folder's name, or by its path where two have one name.

    Raises:
        ExperimentError: a folder has no results, or a file in it cannot be read.
    """
    names = Counter(folder.resolve().name for folder in folders)
    return tuple(_read(folder, folder.resolve().name if names[folder.resolve().name] == 1 else str(folder)) for folder in folders)


def _read(folder: Path, name: str) -> Study:
    if folder.is_file():
        raise ExperimentError(f"{folder}: is a file; give the folder of a study that has been analysed")
    if not folder.is_dir():
        raise ExperimentError(f"{folder}: no such folder; give the folders of two studies that have been analysed")
    experiment = Experiment(folder)
    results = read_results(require(experiment.results, made_by=f"tastebench analysis fit {quote(str(folder))}"))
    votes = read_votes(experiment.votes) if experiment.votes.is_file() else None
    judged = None if votes is None else {vote.prompt for vote in votes}
    words = {row.prompt: row.base_prompt for row in read_stimuli(experiment.stimuli)} if experiment.stimuli.is_file() else {}
    return Study(
        name=name,
        folder=folder,
        results=results,
        settings=_settings(experiment.settings),
        participants=None if votes is None else frozenset(vote.participant for vote in votes),
        prompts={prompt: words.get(prompt) for prompt in sorted(judged)} if judged is not None else words or None,
        anonymised=experiment.bundle.is_file(),
    )


def _settings(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ExperimentError(f"{path}: cannot be read ({error}); `tastebench check` says what is wrong with it") from error
