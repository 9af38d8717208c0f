"""Circular triads: how often one participant prefers a to b, b to c and yet c to a (Kendall & Babington Smith 1940)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.agreement import FIRST, TIE, pair_of, preferred
from study.votes import Vote

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Triads:
    """How many of the decided triads run in a circle; coin flips would send a quarter of them round.

    The last two count circles in complete tournaments of three stimuli or more, and how many those could hold at most.
    """

    circular: int
    of: int
    tournaments: int
    circular_in_tournaments: int
    most_in_tournaments: int

    @property
    def zeta(self) -> float | None:
        """Kendall's coefficient over the complete tournaments: 1 without a circle, 0 with as many as fit; None without tournaments."""
        return 1 - self.circular_in_tournaments / self.most_in_tournaments if self.tournaments else None


def circular_triads(wins: Codes) -> int:
    """Return how many triads run in a circle; `wins[i, j]` is 1 where i was preferred to j, 0 where tied or never compared.

    In a complete tournament this is n(n-1)(2n-1)/12 - (sum of squared wins)/2.
    """
    # The closed walks of three steps count each circle once from each of its three corners.
    return _closed_walks(wins) // 3


def decided_triads(wins: Codes) -> int:
    """Return in how many triads all three pairs are decided; `wins` as in `circular_triads`."""
    # A triangle in the graph of decided pairs has six closed walks of three steps.
    return _closed_walks(wins + wins.T) // 6


def most_circular_triads(size: int) -> int:
    """Return the largest number of circular triads that `size` items allow: (n³ - n)/24 for odd n, (n³ - 4n)/24 for even n.

    >>> [most_circular_triads(size) for size in (3, 4, 5, 6)]
    [1, 2, 5, 8]
    """
    return (size**3 - size * (1 if size % 2 else 4)) // 24


def kendall_zeta(wins: Codes) -> float:
    """Return Kendall's coefficient of consistency of one complete tournament of at least three items."""
    return 1 - circular_triads(wins) / most_circular_triads(len(wins))


def triads(votes: Sequence[Vote]) -> Triads:
    """Return the triads of one participant, prompt by prompt; only the first judgement of a pair counts."""
    first: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    for vote in sorted(votes, key=lambda vote: vote.position):
        first[vote.prompt].setdefault(pair_of(vote), preferred(vote))
    return pooled_triads([_of_prompt(answers) for answers in first.values()])


def pooled_triads(parts: Iterable[Triads]) -> Triads:
    """Return the triads of several participants or prompts together."""
    listed = list(parts)
    return Triads(
        circular=sum(part.circular for part in listed),
        of=sum(part.of for part in listed),
        tournaments=sum(part.tournaments for part in listed),
        circular_in_tournaments=sum(part.circular_in_tournaments for part in listed),
        most_in_tournaments=sum(part.most_in_tournaments for part in listed),
    )


def _of_prompt(answers: dict[tuple[str, str], int]) -> Triads:
    items = {stimulus: place for place, stimulus in enumerate(sorted({stimulus for pair in answers for stimulus in pair}))}
    wins = np.zeros((len(items), len(items)), dtype=np.int64)
    for (one, other), answer in answers.items():
        if answer != TIE:
            places = items[one], items[other]
            wins[places if answer == FIRST else places[::-1]] = 1
    decided = wins + wins.T
    circular = circular_triads(wins)
    complete = len(items) >= 3 and int(decided.sum()) == len(items) * (len(items) - 1)
    triangles = decided_triads(wins)
    most = most_circular_triads(len(items)) if complete else 0
    return Triads(circular, triangles, int(complete), circular if complete else 0, most)


def _closed_walks(links: Codes) -> int:
    # In floating point, where products of matrices are fast, and exact for whole numbers of this size.
    real = links.astype(np.float64)
    return round(float(np.sum((real @ real) * real.T)))
