"""Votes written out by hand, with everything that a test does not care about filled in."""

import itertools

import numpy as np

from study.votes import Choice, Vote

_numbers = itertools.count()


def vote(
    participant: str,
    left: str,
    right: str,
    choice: Choice,
    *,
    position: int | None = None,
    prompt: str = "q",
    ms: float = 2000.0,
    targets: tuple[str | None, str | None] = (None, None),
    target_user: str | None = None,
    conditions: tuple[str, str] = ("one", "other"),
    expected: Choice | None = None,
    repeat: bool = False,
) -> Vote:
    """Return a vote of `participant` between the stimuli `left` and `right`; positions count up unless given.

    With `expected` it is the answer to a catch trial."""
    number = next(_numbers)
    return Vote(
        trial=f"t{number}",
        participant=participant,
        target_user=target_user,
        position=number if position is None else position,
        prompt=prompt,
        left_stimulus=left,
        right_stimulus=right,
        left_condition=conditions[0],
        right_condition=conditions[1],
        left_target=targets[0],
        right_target=targets[1],
        choice=choice,
        response_ms=ms,
        answered_at="2026-01-01T00:00:00+00:00",
        simulated=True,
        kind="catch" if expected else "repeat" if repeat else "comparison",
        expected=expected,
    )


def personal_block(users: int, *, own_effect: float, prompts: int = 18, seed: int = 1) -> list[Vote]:
    """Return the votes of users who judge all pairs of images made for users; own images gain `own_effect` logits."""
    rng = np.random.default_rng(seed)
    votes = []
    for judge, prompt in itertools.product(range(users), range(prompts)):
        for one, other in itertools.combinations(range(users), 2):
            gain = own_effect * ((one == judge) - (other == judge))
            left = rng.random() < 1 / (1 + np.exp(-gain))
            names = (f"u{one}", f"u{other}")
            votes.append(personal_vote(f"u{judge}", *names, "left" if left else "right", prompt=f"q{prompt}"))
    return votes


def personal_vote(judge: str, one: str, other: str, choice: str, *, prompt: str = "q", condition: str = "steered") -> Vote:
    """Return a vote of a target user between images made for two users."""
    stimuli = (f"{prompt}-{one}", f"{prompt}-{other}")
    return vote(judge, *stimuli, choice, prompt=prompt, targets=(one, other), target_user=judge, conditions=(condition, condition))  # type: ignore[arg-type]
