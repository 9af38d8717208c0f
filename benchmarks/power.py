"""Time and check the power calculation: the four known figures, and 1,000 studies of 30 people x 18 prompts x 184 votes.

OPENBLAS_NUM_THREADS=1 python benchmarks/power.py
"""

import time

import numpy as np

from analysis.power import Plan, Power, power
from analysis.simulated_studies import MODERATE

KNOWN = ((6, 468, 0.17), (20, 184, 0.39), (30, 468, 0.80), (60, 184, 0.91))


def measured(people: int, per_person: int, studies: int) -> tuple[Power, float]:
    """Return the power of own > others by 27 Elo at 18 prompts, and the CPU seconds it took."""
    began = time.process_time()
    plan = Plan(people, 18, per_person)
    found = power(plan, claim=("own", "others"), gap_elo=27, heterogeneity=MODERATE, rng=np.random.default_rng(1), studies=studies)
    return found, time.process_time() - began


def main() -> None:
    """Print the figures."""
    print("people  votes each  known  found  ± MC error  CPU s (10,000 studies)")
    for people, per_person, known in KNOWN:
        found, seconds = measured(people, per_person, 10_000)
        print(f"{people:6d}  {per_person:10d}  {known:5.2f}  {found.power:5.3f}  {found.monte_carlo_error:10.4f}  {seconds:5.1f}")
    _, seconds = measured(30, 184, 1000)
    print(f"1,000 studies of 30 people x 18 prompts x 184 votes: {seconds:.2f} CPU s (wanted: 60 s)")


if __name__ == "__main__":
    main()
