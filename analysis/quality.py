"""How each participant judged: consistency, test-retest, catch trials, sides and times. It measures; `exclusions` decides.

Agreement with the others is reported and never a reason to exclude: a cut-off that catches the inattentive throws out honest people
whose taste few share.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from analysis.agreement import TIE, pair_of, preferred
from analysis.triads import Triads, pooled_triads, triads
from study.votes import Choice, Vote

SIDE_P, SIDE_SHARE = 1e-4, 0.8
_Tally = dict[tuple[str, str], dict[str, int]]


@dataclass(frozen=True)
class Share:
    """`hits` of `of`; there is no value where nothing was counted."""

    hits: int
    of: int

    @property
    def value(self) -> float | None:
        """The share, None of nothing."""
        return self.hits / self.of if self.of else None


@dataclass(frozen=True)
class Judge:
    """How one participant judged, or all of them together (`participant` is None, times and shares pooled over votes).

    `retest_swapped` and `retest_same_sides`: repeated pairs that got the same answer. Only the swapped ones tell taste from a
    preferred side. `left` is of the decided votes, `side_p` its two-sided exact binomial p against one half. `with_others` is how
    often the votes agree with the majority of the others, for information only.
    """

    participant: str | None
    votes: int
    ties: int
    triads: Triads
    retest_swapped: Share
    retest_same_sides: Share
    catch: Share
    left: Share
    side_p: float
    one_sided: bool
    fast: Share
    median_ms: float | None
    longest_run: int
    with_others: Share

    @property
    def lapse_rate(self) -> float | None:
        """The share of answers that are coin flips, from catch trials, of which flips fail half; None without catch trials."""
        passed = self.catch.value
        return None if passed is None else min(1.0, 2 * (1 - passed))


@dataclass(frozen=True)
class Quality:
    """Every participant's record, in alphabetical order, and all of them pooled."""

    participants: tuple[Judge, ...]
    pooled: Judge


def side_p_value(left: int, decided: int) -> float:
    """Return the two-sided exact binomial p of `left` of `decided` votes against one half; 1 without votes."""
    if not decided:
        return 1.0
    from scipy.stats import binomtest

    return float(binomtest(left, decided).pvalue)


def right_answers(votes: Sequence[Vote]) -> dict[str, Choice]:
    """Return what each catch trial asked for in words, by trial id."""
    return {vote.trial: vote.expected for vote in votes if vote.kind == "catch" and vote.expected is not None}


def judge_quality(votes: Sequence[Vote], *, min_ms: float = 0) -> Quality:
    """Return how each participant judged. Catch trials count in no other measure than their own, and repeats not among the triads.
    A vote in less than `min_ms` is fast."""
    right = right_answers(votes)
    plain: dict[str, list[Vote]] = defaultdict(list)
    caught: dict[str, list[Vote]] = defaultdict(list)
    for vote in sorted(votes, key=lambda vote: (vote.participant, vote.position)):
        (caught if vote.trial in right else plain)[vote.participant].append(vote)
    tally = _tally_by_pair(plain)
    names = sorted(plain.keys() | caught.keys())
    parts = [_measure(name, plain[name], caught[name], right, min_ms, tally) for name in names]
    return Quality(tuple(parts), _pooled(parts, [vote for name in names for vote in plain[name]]))


def _measure(name: str, votes: Sequence[Vote], caught: Sequence[Vote], right: Mapping[str, Choice], min_ms: float, tally: _Tally) -> Judge:
    decided = [vote for vote in votes if vote.choice != "tie"]
    left = Share(sum(vote.choice == "left" for vote in decided), len(decided))
    swapped, same = _retest(votes)
    return Judge(
        participant=name,
        votes=len(votes),
        ties=len(votes) - len(decided),
        triads=triads([vote for vote in votes if vote.kind == "comparison"]),
        retest_swapped=swapped,
        retest_same_sides=same,
        catch=Share(sum(vote.choice == right[vote.trial] for vote in caught), len(caught)),
        left=left,
        side_p=side_p_value(left.hits, left.of),
        one_sided=_one_sided(left),
        fast=Share(sum(vote.response_ms < min_ms for vote in votes), len(votes)),
        median_ms=_median_ms(votes),
        longest_run=max((len(list(run)) for side, run in groupby(vote.choice for vote in votes) if side != "tie"), default=0),
        with_others=_with_others(name, tally),
    )


def _one_sided(left: Share) -> bool:
    """Return whether a participant took one side both far more often than chance allows and in more than four fifths of votes."""
    larger = max(left.hits, left.of - left.hits)
    return left.of > 0 and larger / left.of > SIDE_SHARE and side_p_value(left.hits, left.of) < SIDE_P


def _pooled(parts: Sequence[Judge], votes: Sequence[Vote]) -> Judge:
    left = _sum(part.left for part in parts)
    return Judge(
        participant=None,
        votes=len(votes),
        ties=sum(part.ties for part in parts),
        triads=pooled_triads([part.triads for part in parts]),
        retest_swapped=_sum(part.retest_swapped for part in parts),
        retest_same_sides=_sum(part.retest_same_sides for part in parts),
        catch=_sum(part.catch for part in parts),
        left=left,
        side_p=side_p_value(left.hits, left.of),
        one_sided=_one_sided(left),
        fast=_sum(part.fast for part in parts),
        median_ms=_median_ms(votes),
        longest_run=max((part.longest_run for part in parts), default=0),
        with_others=_sum(part.with_others for part in parts),
    )


def _retest(votes: Sequence[Vote]) -> tuple[Share, Share]:
    """Return how many repeated pairs got the answer of their first time, with sides swapped and with the same sides."""
    first: dict[tuple[str, str], Vote] = {}
    hits, of = {True: 0, False: 0}, {True: 0, False: 0}
    for vote in votes:
        earlier = first.setdefault(pair_of(vote), vote)
        if earlier is not vote:
            swapped = earlier.left_stimulus != vote.left_stimulus
            of[swapped] += 1
            hits[swapped] += preferred(earlier) == preferred(vote)
    return Share(hits[True], of[True]), Share(hits[False], of[False])


def _tally_by_pair(votes: Mapping[str, Sequence[Vote]]) -> _Tally:
    """Return each participant's first decided preference about every pair of stimuli."""
    tally: _Tally = defaultdict(dict)
    for name, theirs in votes.items():
        for vote in theirs:
            if (choice := preferred(vote)) != TIE:
                tally[pair_of(vote)].setdefault(name, choice)
    return tally


def _with_others(name: str, tally: _Tally) -> Share:
    """Return how often a participant takes the side of the majority of the others, where there is a majority."""
    hits = of = 0
    for chosen in tally.values():
        if name in chosen:
            # First and second count -1 and +1, so that the sign of the sum is the majority.
            lead = sum(2 * choice - 1 for other, choice in chosen.items() if other != name)
            of += lead != 0
            hits += lead * (2 * chosen[name] - 1) > 0
    return Share(hits, of)


def _median_ms(votes: Sequence[Vote]) -> float | None:
    return float(np.median([vote.response_ms for vote in votes])) if votes else None


def _sum(shares: Iterable[Share]) -> Share:
    listed = list(shares)
    return Share(sum(share.hits for share in listed), sum(share.of for share in listed))
