"""Whether a difference is another one in the second half of what participants answered: practice, fatigue, or a change of mind."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.bradley_terry import ELO_PER_LOGIT, Array, NotConvergedError, are_identified
from analysis.comparisons import Comparisons, cells, from_votes, without
from analysis.config import Claim
from analysis.jackknife import FEWEST_CLUSTERS, Estimate, spread
from analysis.preference import Model, group_wins
from analysis.verdicts import claimed_names
from study.votes import Vote


@dataclass(frozen=True)
class PracticeEffect:
    """`a` minus `b` (Elo) in the first and the second half of each participant's votes, and how much more it is in the second.

    `low` and `high` bound that change, by a jackknife that takes one participant out of both halves.
    """

    a: str
    b: str
    first_elo: float
    second_elo: float
    change_elo: float
    low: float
    high: float
    participants: int


def practice_effect(
    votes: Sequence[Vote], claims: Sequence[Claim], *, alpha: float, leave_out: Sequence[str] = ()
) -> PracticeEffect | str | None:
    """Return the change of one difference between the halves, or why there is none to tell; None without a pair to look at.

    `votes` are those that are scored. The pair is the first of the first claim about scores, else own and others.
    """
    halves = tuple(without(from_votes(half), leave_out) for half in _halves(votes))
    pair = next(_pairs(claims, halves[0]), None)
    if pair is None:
        return None
    people = {half.participant.labels if half.participant else () for half in halves}
    if len(people) > 1:
        return "not every participant has votes that are scored in both halves"
    number = len(next(iter(people)))
    if number < FEWEST_CLUSTERS:
        return f"there are {number} participants, and a change between halves needs at least {FEWEST_CLUSTERS}"
    found = [_difference(half, *pair) for half in halves]
    if (reason := next((one for one in found if isinstance(one, str)), None)) is not None:
        return reason
    (first, first_without), (second, second_without) = (one for one in found if not isinstance(one, str))
    change, moved = second - first, second_without - first_without - (second - first)
    error = ((number - 1) / number * (moved**2).sum()) ** 0.5
    low, high = Estimate(change, error, first * 0 + number - 1).interval(alpha)
    return PracticeEffect(*pair, float(first), float(second), float(change), float(low), float(high), number)


def _halves(votes: Sequence[Vote]) -> tuple[list[Vote], list[Vote]]:
    """Return the first and the second half of each participant's votes, in the order in which they were given."""
    of: dict[str, list[Vote]] = defaultdict(list)
    for vote in sorted(votes, key=lambda vote: vote.position):
        of[vote.participant].append(vote)
    first = [vote for given in of.values() for vote in given[: len(given) // 2]]
    second = [vote for given in of.values() for vote in given[len(given) // 2 :]]
    return first, second


def _pairs(claims: Sequence[Claim], half: Comparisons) -> Iterator[tuple[str, str]]:
    named = [claimed_names(claim)[:2] for claim in claims]
    for pair in (*named, ("own", "others")):
        if len(pair) == 2 and {*pair} <= {*half.items}:
            yield pair[0], pair[1]


def _difference(half: Comparisons, a: str, b: str) -> tuple[Array, Array] | str:
    """Return the difference in Elo, a plain number, and that without each participant, shape (participants,); or why there is none."""
    counted = cells(half)
    whole = group_wins(counted, by="all")
    model = Model(davidson=bool(counted.ties.any() and are_identified(whole.decided)[0]))
    if not model.identified(whole)[0] or not {a, b} <= {*counted.items}:
        return "the votes of one half do not put all conditions on one scale"
    try:
        of = spread(counted, model=model)
    except NotConvergedError as error:
        return f"the fit of one half did not converge ({error})"
    if of.without_participant is None:
        return f"in one half, {of.refused['participants']}"
    one, other = of.items.index(a), of.items.index(b)
    moved = of.without_participant[0]
    return ELO_PER_LOGIT * (of.strengths[0, one] - of.strengths[0, other]), ELO_PER_LOGIT * (moved[:, one] - moved[:, other])
