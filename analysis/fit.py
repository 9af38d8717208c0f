"""From files to results.json: an experiment's votes, or those of any CSV, are checked, analysed and written down."""

import dataclasses
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shlex import quote

import numpy as np

from analysis.claims import Seal
from analysis.comparisons import Comparisons, from_votes, without
from analysis.config import AnalysisSettings, AnalysisTable
from analysis.csv_votes import Columns, read_csv
from analysis.exclusions import Remaining, apply_exclusions, sensitivity, without_exclusions
from analysis.findings import Context, fit
from analysis.other_tests import further_findings, other_tests
from analysis.practice_effects import practice_effect
from analysis.results import Results, write_results
from analysis.run_findings import run_findings
from analysis.verdicts import OtherTest
from analysis.vote_checks import check_votes
from stimuli.experiment import Experiment, ExperimentError, require
from stimuli.manifest import Stimulus, read_stimuli
from stimuli.provenance import describe
from stimuli.seeds import seed_for
from stimuli.steering_record import RunEmbedding, read_embeddings
from study.lock import read_lock, why_exploratory
from study.votes import Vote, read_votes

DEFAULT_SEED = 1
_DEFAULTS = AnalysisTable()
# Where only differences and verdicts are asked for.
_FEWEST_RESAMPLES = 100


def fit_experiment(
    experiment: Experiment, settings: AnalysisSettings, *, leave_out: Sequence[str] = (), regularise: bool = False, secondary: bool = False
) -> Results:
    """Return the results of an experiment's votes, and write them as its results.json.

    Raises:
        ExperimentError: there are no votes yet, or they do not put the conditions on one scale.
    """
    path = require(experiment.votes, made_by=f"tastebench study export {quote(str(experiment.folder))}")
    answered = read_votes(path)
    stimuli = read_stimuli(experiment.stimuli) if experiment.stimuli.is_file() else None
    check_votes(answered, stimuli)
    remaining = apply_exclusions(answered, settings.exclusion)
    _require_votes(answered, remaining)
    context = _context(experiment, settings, answered, remaining, stimuli or (), leave_out)
    results = fit(
        without(from_votes(remaining.votes), leave_out),
        claims=settings.claim,
        table=settings.analysis,
        rng=_generator(settings.experiment.seed),
        provenance=dataclasses.asdict(describe(settings=experiment.settings, seed=settings.experiment.seed, inputs=[path])),
        context=context,
        regularise=regularise,
        secondary=secondary,
    )
    if context.with_everyone is not None:
        comparisons = without_exclusions(answered).votes
        everyone = _fit_everyone(experiment, context.with_everyone, settings, context, comparisons, stimuli or (), regularise=regularise)
        results = replace(results, without_exclusions=sensitivity(results, everyone, remaining))
    write_results(experiment.results, results)
    return results


def _fit_everyone(
    experiment: Experiment,
    comparisons: Comparisons,
    settings: AnalysisSettings,
    context: Context,
    answered: Sequence[Vote],
    stimuli: Sequence[Stimulus],
    *,
    regularise: bool,
) -> Results | str:
    """Return the results as if there were no exclusion rules, or why there are none."""
    others = _others(experiment, settings, answered, stimuli)
    try:
        return fit(
            comparisons,
            claims=settings.claim,
            # Differences and verdicts come from the jackknife, so that the resamples may be few.
            table=replace(settings.analysis, resamples=_FEWEST_RESAMPLES),
            rng=_generator(settings.experiment.seed),
            provenance={},
            context=Context(context.seal, collected=context.collected, enrolled=context.enrolled, targets=context.targets, others=others),
            regularise=regularise,
        )
    except ExperimentError as error:
        return str(error)


def _context(
    experiment: Experiment,
    settings: AnalysisSettings,
    answered: Sequence[Vote],
    remaining: Remaining,
    stimuli: Sequence[Stimulus],
    leave_out: Sequence[str],
) -> Context:
    lock, first = read_lock(experiment), min((vote.answered_at for vote in answered), default=None)
    everyone = from_votes(whole := without_exclusions(answered).votes)
    return Context(
        Seal(why_exploratory(settings, lock, first_vote=first), lock.sha256 if lock else None),
        with_everyone=without(everyone, leave_out) if len(remaining.votes) < len(whole) else None,
        collected=len(everyone),
        excluded=len(remaining.excluded),
        enrolled=remaining.flow[0].participants,
        targets=any(vote.left_target is not None or vote.right_target is not None for vote in answered),
        others=_others(experiment, settings, remaining.votes, stimuli),
        further={
            "exclusions": [dataclasses.asdict(stage) for stage in remaining.flow],
            "halves": _halves(settings, remaining.votes, leave_out),
            **further_findings(answered, seed=settings.experiment.seed),
            **run_findings(stimuli, seed=settings.experiment.seed, alpha=settings.analysis.alpha, embeddings=_embeddings(experiment)),
        },
    )


def _halves(settings: AnalysisSettings, votes: Sequence[Vote], leave_out: Sequence[str]) -> dict[str, object] | None:
    """Return whether the first claim's difference is another one in the second half of the votes, in plain values."""
    found = practice_effect(votes, settings.claim, alpha=settings.analysis.alpha, leave_out=leave_out)
    if found is None:
        return None
    return {"refused": found} if isinstance(found, str) else dataclasses.asdict(found)


def _others(experiment: Experiment, settings: AnalysisSettings, votes: Sequence[Vote], stimuli: Sequence[Stimulus]) -> dict[str, OtherTest]:
    seed, alpha = settings.experiment.seed, settings.analysis.alpha
    return other_tests(settings.claim, votes=votes, stimuli=stimuli, seed=seed, alpha=alpha, embeddings=_embeddings(experiment))


def _embeddings(experiment: Experiment) -> Sequence[RunEmbedding]:
    return read_embeddings(experiment.run_embeddings) if experiment.run_embeddings.is_file() else ()


def fit_csv(
    path: Path,
    columns: Columns,
    *,
    out: Path,
    seed: int = DEFAULT_SEED,
    table: AnalysisTable = _DEFAULTS,
    leave_out: Sequence[str] = (),
    regularise: bool = False,
    secondary: bool = False,
) -> Results:
    """Return the results of the votes in a CSV file, and write them as results.json in the folder `out`.

    Raises:
        ExperimentError: the file cannot be understood, its votes do not put the items on one scale, or `out` is an experiment.
    """
    if Experiment(out).settings.exists():
        raise ExperimentError(f"{out}: is an experiment, whose results.json comes from its own votes; choose another folder")
    results = fit(
        without(read_csv(path, columns), leave_out),
        claims=(),
        table=table,
        rng=_generator(seed),
        provenance=dataclasses.asdict(describe(settings=None, seed=seed, inputs=[path])),
        regularise=regularise,
        secondary=secondary,
    )
    write_results(Experiment(out).results, results)
    return results


def _generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed_for(seed, "bootstrap of votes"))


def _require_votes(answered: Sequence[Vote], remaining: Remaining) -> None:
    if not answered:
        raise ExperimentError("there are no votes, so there is nothing to score; collect votes first")
    if not remaining.votes:
        raise ExperimentError(f"the exclusion rules leave none of {len(answered):,} votes; loosen [[exclusion]] in study.toml")
