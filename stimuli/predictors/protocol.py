"""How new people are tested: which of their ratings a predictor may see, and which it must tell."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stimuli.experiment import ExperimentError
from stimuli.predictors.interface import Codes, Judgements


@dataclass(frozen=True, eq=False)
class FewShot:
    """One draw for one person, as rows of the ratings: `order` is what they rate one after the other, `evaluated` is never seen.

    The context of k ratings is the first k of `order`, so contexts are nested and what is evaluated is the same for all k.
    """

    user: int
    draw: int
    order: Codes
    evaluated: Codes

    def context(self, k: int) -> Codes:
        """Return the first k rows."""
        if k > len(self.order):
            raise ExperimentError(f"asked for a context of {k} ratings of a draw made for {len(self.order)}; draw more")
        return self.order[:k]


def draws(judgements: Judgements, users: Sequence[int], *, longest: int, number: int, fewest: int = 5, seed: int) -> list[FewShot]:
    """Return `number` draws for each person, with contexts up to `longest`; people with fewer than `fewest` ratings left are an error.

    The draw of a person depends on the seed and the person only.
    """
    found = []
    for user in users:
        rows = np.flatnonzero(judgements.user == user)
        if len(rows) < longest + fewest:
            raise ExperimentError(
                f"user {user} has {len(rows)} ratings; a context of {longest} and {fewest} to evaluate need {longest + fewest}. "
                "Shorten the context or leave the user out"
            )
        for draw in range(number):
            order = np.random.default_rng([seed, user, draw]).permutation(rows)
            found.append(FewShot(user, draw, order[:longest], np.sort(order[longest:])))
    return found
