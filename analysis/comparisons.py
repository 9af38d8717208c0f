"""Votes become one table of comparisons in whole numbers: who compared which two items for which prompt, and which was preferred."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analysis.config import others_name, own_name
from stimuli.experiment import ExperimentError
from study.votes import Vote

Codes = NDArray[np.int64]

LEFT, TIE, RIGHT = 1, 0, -1
_OUTCOMES = {"left": LEFT, "tie": TIE, "right": RIGHT}


@dataclass(frozen=True, eq=False)
class Coded:
    """A column of labels as whole numbers: its entry k is `labels[codes[k]]`."""

    labels: tuple[str, ...]
    codes: Codes


@dataclass(frozen=True, eq=False)
class Comparisons:
    """One entry per comparison in each array.

    `left` and `right` are places in `items`, which is sorted; `outcome` is LEFT, RIGHT or TIE. `participant`, `prompt` and how
    many participants are simulated are None where the source does not tell them. `same_item` counts the votes between two
    images of one item, which are not among the comparisons because they say nothing about it; `left_out` names the items that
    were taken out on request.
    """

    items: tuple[str, ...]
    left: Codes
    right: Codes
    outcome: Codes
    participant: Coded | None
    prompt: Coded | None
    simulated_participants: int | None = None
    same_item: int = 0
    left_out: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.outcome)


@dataclass(frozen=True, eq=False)
class Cells:
    """Votes counted by participant, prompt, left item and right item: one entry per combination that occurs in each array.

    `left` and `right` are places in `items`. The counts have shape (cells,), or (studies, cells) where many studies share one
    design. Where the source does not tell who voted or about what, all votes are of participant 0 or about prompt 0.
    """

    items: tuple[str, ...]
    participants: int
    prompts: int
    participant: Codes
    prompt: Codes
    left: Codes
    right: Codes
    left_wins: Codes
    right_wins: Codes
    ties: Codes

    def with_counts(self, left_wins: Codes, right_wins: Codes, ties: Codes) -> "Cells":
        """Return the same cells with other counts."""
        return replace(self, left_wins=left_wins, right_wins=right_wins, ties=ties)

    def of_study(self, number: int) -> "Cells":
        """Return one of many studies."""
        return self.with_counts(self.left_wins[number], self.right_wins[number], self.ties[number])


def encode(labels: Sequence[str]) -> Coded:
    """Return a column of labels as whole numbers; the labels come back sorted, each once."""
    # Hashing all labels and sorting the few distinct ones takes a fraction of sorting all.
    found = pa.array(labels, pa.large_string()).dictionary_encode()
    return _sorted(found.dictionary.to_pylist(), found.indices.to_numpy().astype(np.int64))


def _sorted(labels: Sequence[str], codes: Codes) -> Coded:
    """Return the column with its labels sorted; labels that no entry uses are dropped."""
    used = np.flatnonzero(np.bincount(codes, minlength=len(labels)))
    order = sorted(used.tolist(), key=labels.__getitem__)
    place = np.zeros(len(labels), dtype=np.int64)
    place[order] = np.arange(len(order))
    return Coded(tuple(labels[code] for code in order), place[codes])


def tabulate(
    left: Sequence[str],
    right: Sequence[str],
    choices: Sequence[str],
    *,
    participants: Sequence[str] | None,
    prompts: Sequence[str] | None,
    simulated_participants: int | None = None,
) -> Comparisons:
    """Return the comparisons given as columns of text of equal length; a choice is left, right or tie."""
    both = encode([*left, *right])
    sides = both.codes.reshape(2, -1)
    table = Comparisons(
        items=both.labels,
        left=sides[0],
        right=sides[1],
        outcome=np.array([_OUTCOMES[choice] for choice in choices], dtype=np.int64),
        participant=None if participants is None else encode(participants),
        prompt=None if prompts is None else encode(prompts),
        simulated_participants=simulated_participants,
    )
    differ = table.left != table.right
    return replace(_select(table, differ), same_item=int(np.sum(~differ)))


def from_votes(votes: Sequence[Vote]) -> Comparisons:
    """Return the comparisons of a study; catch trials and repeats are not for scoring, and `exclusions` sets them aside.

    An image with a target is `own` when it was made for the participant who judges it, else `others`; where several
    conditions have targets, `own (NAME)` and `others (NAME)`.

    Raises:
        ExperimentError: two votes are of one trial, one is of a catch trial or a repeat, or a condition without targets is called
            like one of these.
    """
    _refuse_repeated_trials(votes)
    _refuse_unscored(votes)
    targeted = {vote.left_condition for vote in votes if vote.left_target is not None}
    targeted |= {vote.right_condition for vote in votes if vote.right_target is not None}
    several = len(targeted) > 1
    reserved = {name(condition, several=several) for condition in targeted for name in (own_name, others_name)}

    def item(condition: str, target: str | None, participant_is: str | None) -> str:
        if target is None:
            if condition in reserved:
                raise ExperimentError(f'the condition "{condition}" has no targets, but that is what images with targets are called')
            return condition
        return (own_name if target == participant_is else others_name)(condition, several=several)

    return tabulate(
        [item(vote.left_condition, vote.left_target, vote.target_user) for vote in votes],
        [item(vote.right_condition, vote.right_target, vote.target_user) for vote in votes],
        [vote.choice for vote in votes],
        participants=[vote.participant for vote in votes],
        prompts=[vote.prompt for vote in votes],
        simulated_participants=len({vote.participant for vote in votes if vote.simulated}),
    )


def without(comparisons: Comparisons, names: Iterable[str]) -> Comparisons:
    """Return the comparisons between the items that are not named.

    Raises:
        ExperimentError: a name is none of the items.
    """
    out = sorted(set(names))
    for name in out:
        if name not in comparisons.items:
            raise ExperimentError(f'cannot leave out "{name}": the votes compare {", ".join(comparisons.items)}')
    gone = [comparisons.items.index(name) for name in out]
    kept = _select(comparisons, ~(np.isin(comparisons.left, gone) | np.isin(comparisons.right, gone)))
    return replace(kept, left_out=(*comparisons.left_out, *out))


def cells(comparisons: Comparisons) -> Cells:
    """Return the votes counted by participant, prompt, left item and right item."""
    size, none = len(comparisons.items), np.zeros(len(comparisons), dtype=np.int64)
    who, about = comparisons.participant, comparisons.prompt
    prompts = 1 if about is None else len(about.labels)
    participant, prompt = none if who is None else who.codes, none if about is None else about.codes
    key = ((participant * prompts + prompt) * size + comparisons.left) * size + comparisons.right
    found, place = np.unique(key, return_inverse=True)
    counts = [np.bincount(place[comparisons.outcome == outcome], minlength=len(found)) for outcome in (LEFT, RIGHT, TIE)]
    rest, right = np.divmod(found, size)
    rest, left = np.divmod(rest, size)
    participant, prompt = np.divmod(rest, prompts)
    return Cells(comparisons.items, 1 if who is None else len(who.labels), prompts, participant, prompt, left, right, *counts)


def _select(table: Comparisons, keep: NDArray[np.bool_]) -> Comparisons:
    """Return the chosen comparisons; labels that no comparison uses any more are dropped."""
    both = _sorted(table.items, np.concatenate([table.left[keep], table.right[keep]]))
    sides = both.codes.reshape(2, -1)

    def part(column: Coded | None) -> Coded | None:
        return None if column is None else _sorted(column.labels, column.codes[keep])

    return replace(
        table,
        items=both.labels,
        left=sides[0],
        right=sides[1],
        outcome=table.outcome[keep],
        participant=part(table.participant),
        prompt=part(table.prompt),
    )


def _refuse_unscored(votes: Sequence[Vote]) -> None:
    for vote in votes:
        if vote.kind != "comparison":
            raise ExperimentError(f'trial "{vote.trial}" is a {vote.kind}, which is never scored; set it aside with `apply_exclusions`')


def _refuse_repeated_trials(votes: Sequence[Vote]) -> None:
    seen: set[str] = set()
    for number, vote in enumerate(votes, start=1):
        if vote.trial in seen:
            raise ExperimentError(f'vote {number} is of trial "{vote.trial}", which has a vote already; each trial is answered once')
        seen.add(vote.trial)
