"""What an experiment's folder holds for a report, what it lacks, and what was changed after the analysis."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.predictor_results import PredictorResults, read_predictor_results
from analysis.results import Results, read_results
from stimuli.experiment import Experiment, ExperimentError
from stimuli.manifest import Step, StimuliRecord, Stimulus, first_runs, read_record, read_steps, read_stimuli
from stimuli.provenance import sha256
from stimuli.steering_record import CandidateRow, RescoredRow, read_candidates, read_rescored
from study.lock import Lock, read_lock
from study.reviews import Reviewed, read_reviews, summary
from study.votes import Participant, Vote, read_participants, read_votes


@dataclass(frozen=True)
class Missing:
    """A stage that left no file: what the report therefore cannot show, and the commands, in order, that make it."""

    file: str
    lacks: str
    commands: tuple[str, ...]


@dataclass(frozen=True)
class Participants:
    """How many took part, as far as the files tell, and how many of them are programs."""

    total: int | None
    simulated: int | None


@dataclass(frozen=True)
class Material:
    """Everything that a report is made of. A stage that has not run is None or empty, and is named in `missing`."""

    experiment: Experiment
    bare: bool
    """There is no study.toml, so no stage can run here."""
    results: Results | None
    votes: tuple[Vote, ...]
    stimuli: tuple[Stimulus, ...]
    steps: tuple[Step, ...]
    record: StimuliRecord | None
    reviewed: Reviewed
    """How many of the images a researcher looked at before people saw them."""
    missing: tuple[Missing, ...]
    changed: tuple[str, ...]
    """Files that the analysis read and that are different now."""
    rescored: tuple[RescoredRow, ...] = ()
    candidates: tuple[CandidateRow, ...] = ()
    predictor: PredictorResults | None = None
    predictor_changed: tuple[str, ...] = ()
    """Files that the predictor's numbers were made from and that are different now."""
    people: tuple[Participant, ...] = ()
    """Everybody who came, with how far they came."""
    lock: Lock | None = None

    @property
    def participants(self) -> Participants:
        """Who took part: from the results, or before there are any from the votes."""
        if self.results:
            return Participants(self.results.counts.participants, self.results.counts.simulated_participants)
        return self.answered

    @property
    def answered(self) -> Participants:
        """Who answered anything, excluded or not: from the votes, or where there are none from the results."""
        if self.results and not self.votes:
            return self.participants
        simulated = {vote.participant: vote.simulated for vote in self.votes}
        return Participants(len(simulated) or None, Counter(simulated.values())[True])


def gather(experiment: Experiment) -> Material:
    """Return what the folder holds; it need not have a study.toml if it has a results.json.

    Raises:
        ExperimentError: the folder does not exist, holds nothing to report, or holds a file that cannot be read.
    """
    if not experiment.folder.is_dir():
        raise ExperimentError(f"{experiment.folder}: no such folder; give the folder of an experiment, or one that holds a results.json")
    bare = not experiment.settings.is_file()
    if bare and not experiment.results.is_file():
        raise ExperimentError(
            f"{experiment.folder}: holds neither a study.toml nor a results.json, so there is nothing to report; "
            "`tastebench init` makes a new experiment"
        )
    results = read_results(experiment.results) if experiment.results.is_file() else None
    predictor = read_predictor_results(experiment.predictor_results) if experiment.predictor_results.is_file() else None
    stimuli = tuple(read_stimuli(experiment.stimuli)) if experiment.stimuli.is_file() else ()
    return Material(
        experiment=experiment,
        bare=bare,
        results=results,
        votes=tuple(read_votes(experiment.votes)) if experiment.votes.is_file() else (),
        stimuli=stimuli,
        steps=tuple(read_steps(experiment.steps)) if experiment.steps.is_file() else (),
        record=_record(experiment.stimuli_record) if experiment.stimuli_record.is_file() else None,
        reviewed=summary([stimulus.image_sha256 for stimulus in first_runs(stimuli)], read_reviews(experiment.reviews)),
        missing=tuple(_missing(experiment)),
        changed=tuple(_changed(experiment, results.provenance if results else {})),
        rescored=tuple(read_rescored(experiment.rescored)) if experiment.rescored.is_file() else (),
        candidates=tuple(read_candidates(experiment.candidates)) if experiment.candidates.is_file() else (),
        predictor=predictor,
        predictor_changed=tuple(_changed(experiment, predictor.provenance if predictor else {})),
        people=tuple(read_participants(experiment.participants)) if experiment.participants.is_file() else (),
        lock=read_lock(experiment),
    )


def _missing(experiment: Experiment) -> list[Missing]:
    """Return each stage without its file."""
    steer, export = "tastebench stimuli steer FOLDER", "tastebench study export FOLDER"
    asking = (export,) if experiment.database.is_file() else ("tastebench study serve FOLDER", export)
    stages = (
        (experiment.stimuli, "the images and how they were steered", (steer,)),
        (experiment.stimuli_record, "how the images were made and what was a stand-in", (steer,)),
        (experiment.votes, "what was chosen", asking),
        (experiment.results, "scores, differences and verdicts", ("tastebench analysis fit FOLDER",)),
    )
    # Where there are results, the votes have done their work.
    needed = [stage for stage in stages if not (stage[0] == experiment.votes and experiment.results.is_file())]
    return [Missing(path.name, lacks, commands) for path, lacks, commands in needed if not path.is_file()]


def _changed(experiment: Experiment, provenance: Mapping[str, Any]) -> list[str]:
    """Return the names of files that have another content than when an analysis of this provenance read them."""
    then = dict(provenance.get("inputs") or {})
    if provenance.get("settings_sha256"):
        then[experiment.settings.name] = provenance["settings_sha256"]
    here = {name: experiment.folder / Path(name).name for name in then}
    return [name for name, digest in sorted(then.items()) if here[name].is_file() and sha256(here[name]) != digest]


def _record(path: Path) -> StimuliRecord:
    try:
        return read_record(path)
    except (ValueError, KeyError, TypeError) as error:
        raise ExperimentError(f"{path}: not a record of stimuli of this version ({error}); make the stimuli again") from error
