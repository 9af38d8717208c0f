"""Votes are checked before they are counted: each mistake is told with the first vote that has it and how many have."""

import math
from collections.abc import Callable, Sequence

from stimuli.experiment import ExperimentError
from stimuli.manifest import Stimulus
from study.votes import Vote


def check_votes(votes: Sequence[Vote], stimuli: Sequence[Stimulus] | None) -> None:
    """Pass if the votes can be what people answered about these stimuli; `stimuli` is None where they are not at hand.

    Raises:
        ExperimentError: some votes have no participant or prompt, compare an image with itself, have a time that is no number,
            were given twice, or are about images that the stimuli do not have or describe otherwise.
    """
    known = None if stimuli is None else {stimulus.stimulus: stimulus for stimulus in stimuli}
    seen: set[str] = set()
    first: dict[str, str] = {}
    many: dict[str, int] = {}
    for number, vote in enumerate(votes, start=1):
        for kind, text in _mistakes(vote, seen, known):
            first.setdefault(kind, f'vote {number} (trial "{vote.trial}") {text}')
            many[kind] = many.get(kind, 0) + 1
        seen.add(vote.trial)
    if first:
        told = [f"{text} ({'the only such vote' if many[kind] == 1 else f'{many[kind]:,} such votes'})" for kind, text in first.items()]
        raise ExperimentError("\n".join([*told, "Export the votes again, or mend them; none was left out silently"]))


def _mistakes(vote: Vote, seen: set[str], known: dict[str, Stimulus] | None) -> list[tuple[str, str]]:
    checks: tuple[tuple[str, Callable[[], str | None]], ...] = (
        ("twice", lambda: "is of a trial which has a vote already; each trial is answered once" if vote.trial in seen else None),
        ("participant", lambda: None if vote.participant.strip() else "names no participant"),
        ("prompt", lambda: None if vote.prompt.strip() else "names no prompt"),
        ("itself", lambda: f'compares "{vote.left_stimulus}" with itself' if vote.left_stimulus == vote.right_stimulus else None),
        ("time", lambda: None if _is_time(vote.response_ms) else f"took {vote.response_ms} ms, which is no time"),
        ("left", lambda: _unlike(vote, vote.left_stimulus, vote.left_condition, vote.left_target, known)),
        ("right", lambda: _unlike(vote, vote.right_stimulus, vote.right_condition, vote.right_target, known)),
    )
    return [(kind, text) for kind, check in checks if (text := check())]


def _is_time(response_ms: float) -> bool:
    return math.isfinite(response_ms) and response_ms >= 0


def _unlike(vote: Vote, stimulus: str, condition: str, target: str | None, known: dict[str, Stimulus] | None) -> str | None:
    """Return in what the vote's image differs from the stimulus of that name, if in anything."""
    if known is None:
        return None
    if stimulus not in known:
        return f'is about the stimulus "{stimulus}", which the stimuli do not have'
    made = known[stimulus]
    for what, told, true in (
        ("condition", condition, made.condition),
        ("prompt", vote.prompt, made.prompt),
        ("target", target, made.target_user),
    ):
        if told != true:
            return f'says that the {what} of "{stimulus}" is "{told}", but it was made with "{true}"'
    return None
