"""How many people a study needs for its claims: the fewest with which 80 % of simulated studies support a true claim."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.config import Claim
from analysis.jackknife import Scope
from analysis.power import Plan, Power, power
from analysis.simulated_studies import Heterogeneity
from stimuli.progress import Report, silent

PEOPLE = (5, 6, 8, 10, 12, 16, 20, 25, 30, 40, 50, 60, 80, 100, 130, 160, 200)
WANTED = 0.8


@dataclass(frozen=True)
class Need:
    """What one claim needs: the power at the fewest people of `PEOPLE` that suffice (`enough`), else at the most tried; None where
    `reason` says why it was not simulated."""

    claim: str
    enough: bool
    at: Power | None
    reason: str | None = None


def people_needed(
    claim: Claim,
    plan: Plan,
    *,
    gap_elo: float,
    conditions: Sequence[str],
    heterogeneity: Heterogeneity,
    rng: np.random.Generator,
    alpha: float = 0.05,
    scope: Scope = "participants+prompts",
    studies: int = 400,
    report: Report = silent,
) -> Need:
    """Return how many people a claim needs if each of its conditions is truly `gap_elo` ahead of the next.

    The number of people in `plan` is not read. Power grows with people, so `PEOPLE` is searched by halving.
    """
    names = claim.items if claim.type == "order" else tuple(name for name in (claim.a, claim.b) if name is not None)
    if claim.type not in ("greater", "order") or len(names) < 2:
        return Need(claim.id, False, None, f'no power is simulated for claims of type "{claim.type}"')
    found: dict[int, Power] = {}

    def reaches(people: int) -> bool:
        report(f"claim {claim.id}", len(found), len(PEOPLE).bit_length() + 1)
        found[people] = power(
            replace(plan, people=people),
            claim=names,
            gap_elo=gap_elo,
            heterogeneity=heterogeneity,
            rng=rng,
            conditions=conditions,
            alpha=alpha,
            scope=scope,
            studies=studies,
        )
        return found[people].power >= WANTED

    low, high = 0, len(PEOPLE)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(PEOPLE[middle]) else (middle + 1, high)
    report(f"claim {claim.id}", len(PEOPLE).bit_length() + 1, len(PEOPLE).bit_length() + 1)
    enough = low < len(PEOPLE)
    return Need(claim.id, enough, found[PEOPLE[low]] if enough else found[PEOPLE[-1]])
