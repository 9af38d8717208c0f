"""How alike independent runs of steering end, whether or not a claim asks: what the report draws."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.consistency import RunAgreement, ViewAgreement, consistent_runs
from analysis.other_tests import PLACEBO, runs_of
from analysis.run_record import RUNS, ExclusiveWords, RunsRecord, RunsView, UserRuns
from stimuli.manifest import Stimulus
from stimuli.seeds import seed_for
from stimuli.steering_record import RunEmbedding


def run_findings(stimuli: Sequence[Stimulus], *, seed: int, alpha: float, embeddings: Sequence[RunEmbedding] = ()) -> dict[str, Any]:
    """Return, in plain values for results.json, the agreement of runs in each condition with targets; nothing where each ran once.

    A condition steered by a placebo is the floor of the others where there is just one.
    """
    with_targets = {row.condition: row.scorer for row in stimuli if row.target_user is not None}
    runs = Counter((row.condition, row.target_user, row.prompt) for row in stimuli)
    repeated = {condition for (condition, _, _), number in runs.items() if number > 1}
    targeted = sorted(name for name, scorer in with_targets.items() if scorer != PLACEBO and name in repeated)
    placebos = sorted(name for name, scorer in with_targets.items() if scorer == PLACEBO)
    floor = runs_of(stimuli, condition=placebos[0], embeddings=embeddings) if len(placebos) == 1 else None
    found = []
    for name in targeted:
        rng = np.random.default_rng(seed_for(seed, "agreement of runs", name))
        steered = runs_of(stimuli, condition=name, embeddings=embeddings)
        found.append(dataclasses.asdict(_record(name, consistent_runs(steered, rng=rng, alpha=alpha, placebo=floor))))
    return {RUNS: found} if found else {}


def _record(condition: str, found: RunAgreement) -> RunsRecord:
    return RunsRecord(
        condition=condition,
        prompts=found.prompts,
        dropped_prompts=found.dropped_prompts,
        runs_each=found.runs_each,
        views=tuple(_view(view) for view in found.views),
        exclusive=tuple(ExclusiveWords(user, prompt, stems) for (user, prompt), stems in sorted(found.exclusive.items())),
        near_duplicates=len(found.near_duplicates),
        truncated=len(found.truncated),
        equal_seeds=len(found.equal_seeds),
        seeds_favour_own=found.seeds_favour_own,
        not_testable=found.not_testable,
    )


def _view(of: ViewAgreement) -> RunsView:
    return RunsView(
        view=of.view,
        users=tuple(UserRuns(user.user, user.within, user.between) for user in of.users),
        difference=of.test.difference,
        relabelled=of.test.relabelled,
        p_value=of.p_value,
        smallest_p=of.test.smallest_joint,
        floor=of.floor,
        not_testable=of.test.not_testable,
    )
