"""Do people prefer the images made for them to those made for others? A permutation test on who the images were made for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import factorial

import numpy as np
from numpy.typing import NDArray

from study.votes import Vote

Array = NDArray[np.float64]

EXACT_UP_TO = 8
SAMPLED = 20_000


@dataclass(frozen=True)
class PersonalMatch:
    """The win rates `rates[p][t]` of images made for user t when user p judges, and the test of their diagonal.

    `trace` is the sum of the diagonal and `expected` its mean over all relabellings. `p_value` is the share of relabellings with
    a trace as large, `p_value_below` with one as small; `smallest_p` is the smallest that so few users allow. All are None where
    `not_testable` says why. `dropped` are the users without a vote in some cell, `other_votes` those outside the block.
    """

    users: tuple[str, ...]
    rates: tuple[tuple[float | None, ...], ...]
    trace: float | None
    expected: float | None
    p_value: float | None
    p_value_below: float | None
    smallest_p: float | None
    relabellings: int
    exact: bool
    dropped: tuple[str, ...]
    votes: int
    other_votes: int
    not_testable: str | None


@dataclass(frozen=True, eq=False)
class _Block:
    """Wins and appearances of images made for t (column) in the votes of user p (row), and how many votes they rest on."""

    users: tuple[str, ...]
    wins: Array
    shown: Array
    votes: int


def personal_match(votes: Sequence[Vote], *, rng: np.random.Generator, condition: str | None = None) -> PersonalMatch:
    """Return whether target users prefer the images made for them, within the comparisons of two personalised images.

    Both images have a target and are of one condition (`condition` picks it where several have targets). A tie is half a win.
    Under the null hypothesis whom an image was made for means nothing, so that every relabelling of the targets is as likely. All
    are tried for up to 8 users, 20,000 drawn ones for more. A user with an empty cell is dropped and named: filling the cell, or
    a trace over different cells for each relabelling, would make up a result.
    """
    block = _block(votes, condition)
    users, dropped = _complete(block)
    places = [block.users.index(user) for user in users]
    all_rates = np.divide(block.wins, block.shown, out=np.full_like(block.wins, np.nan), where=block.shown > 0)
    rates = all_rates[np.ix_(places, places)]
    reason = _why_not(block, users, dropped)
    if reason:
        shown = users or block.users
        return _untested(block, shown, all_rates if not users else rates, dropped, len(votes), reason)
    trace = float(np.trace(rates))
    traces, exact = _relabelled(rates, rng)
    # Equal traces differ in the last digits when they are summed in another order.
    above, below = int(np.sum(traces >= trace - 1e-9)), int(np.sum(traces <= trace + 1e-9))
    extra = 0 if exact else 1
    return PersonalMatch(
        users=users,
        rates=_listed(rates),
        trace=trace,
        expected=float(rates.sum() / len(users)),
        p_value=(above + extra) / (len(traces) + extra),
        p_value_below=(below + extra) / (len(traces) + extra),
        smallest_p=1 / factorial(len(users)) if exact else 1 / (SAMPLED + 1),
        relabellings=len(traces),
        exact=exact,
        dropped=dropped,
        votes=block.votes,
        other_votes=len(votes) - block.votes,
        not_testable=None,
    )


def _block(votes: Sequence[Vote], condition: str | None) -> _Block:
    inside = [vote for vote in votes if _is_personal(vote, condition)]
    judges = {vote.target_user for vote in inside if vote.target_user is not None}
    targets = {target for vote in inside for target in (vote.left_target, vote.right_target)}
    users = tuple(sorted(user for user in judges & targets if user is not None))
    place = {user: number for number, user in enumerate(users)}
    wins, shown = np.zeros((len(users), len(users))), np.zeros((len(users), len(users)))
    for vote, target, won in _sides(inside):
        if vote.target_user in place and target in place:
            cell = place[vote.target_user], place[target]
            shown[cell] += 1
            wins[cell] += won
    return _Block(users, wins, shown, sum(vote.target_user in place for vote in inside))


def _is_personal(vote: Vote, condition: str | None) -> bool:
    """Return whether a vote compares images of one condition that were made for two different users."""
    both = vote.left_target is not None and vote.right_target is not None and vote.left_target != vote.right_target
    return both and vote.left_condition == vote.right_condition and condition in (None, vote.left_condition)


def _sides(votes: Sequence[Vote]) -> Iterator[tuple[Vote, str | None, float]]:
    """Yield each side of each vote: whom its image was made for, and how much of a win it had."""
    won = {"left": 1.0, "tie": 0.5, "right": 0.0}
    for vote in votes:
        yield vote, vote.left_target, won[vote.choice]
        yield vote, vote.right_target, 1 - won[vote.choice]


def _complete(block: _Block) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the users without an empty cell among them, and those dropped for that: always the one with most empty cells."""
    kept, dropped = list(range(len(block.users))), []
    while kept:
        empty = block.shown[np.ix_(kept, kept)] == 0
        counts = empty.sum(axis=0) + empty.sum(axis=1)
        if not counts.any():
            break
        dropped.append(kept.pop(int(counts.argmax())))
    return tuple(block.users[place] for place in kept), tuple(sorted(block.users[place] for place in dropped))


def _why_not(block: _Block, users: Sequence[str], dropped: Sequence[str]) -> str | None:
    if not block.votes:
        return "no target user compared images made for two different users"
    if len(users) < 2:
        told = f", after dropping {', '.join(dropped)} for cells without a vote" if dropped else ""
        return f"the test needs two target users who judged each other's images; found {len(users)}{told}"
    return None


def _untested(block: _Block, users: tuple[str, ...], rates: Array, dropped: tuple[str, ...], votes: int, reason: str) -> PersonalMatch:
    return PersonalMatch(users, _listed(rates), None, None, None, None, None, 0, False, dropped, block.votes, votes - block.votes, reason)


def _relabelled(rates: Array, rng: np.random.Generator) -> tuple[Array, bool]:
    """Return the trace under every relabelling of the targets, or under drawn ones, and whether these are all."""
    size = len(rates)
    exact = size <= EXACT_UP_TO
    labels = np.array(list(permutations(range(size)))) if exact else rng.permuted(np.tile(np.arange(size), (SAMPLED, 1)), axis=1)
    traces: Array = rates[np.arange(size), labels].sum(axis=1)
    return traces, exact


def _listed(rates: Array) -> tuple[tuple[float | None, ...], ...]:
    return tuple(tuple(None if np.isnan(rate) else float(rate) for rate in row) for row in rates)
