"""How long fits, resamples and jackknives take, in CPU seconds with one BLAS thread, beside other libraries where they are installed.

Run: OPENBLAS_NUM_THREADS=1 python benchmarks/bradley_terry.py
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import resource
import time
from collections.abc import Callable

import numpy as np

from analysis.bradley_terry import strengths_of_many
from analysis.comparisons import Cells, Codes, Comparisons, cells, encode
from analysis.jackknife import spread
from analysis.preference import Model, group_wins
from analysis.resampling import bootstrap


def votes(conditions: int, count: int, people: int, prompts: int, rng: np.random.Generator) -> Comparisons:
    """Return votes as integer codes, of people about prompts, every two conditions compared as often."""
    truth = rng.normal(0, 0.5, conditions)
    left = rng.integers(0, conditions, count)
    right = (left + rng.integers(1, conditions, count)) % conditions
    outcome = np.where(rng.random(count) < 1 / (1 + np.exp(truth[right] - truth[left])), 1, -1)

    def column(number: int) -> "tuple[tuple[str, ...], Codes]":
        return tuple(f"{code:04d}" for code in range(number)), rng.integers(0, number, count)

    coded = [type(encode(["a"]))(*column(number)) for number in (people, prompts)]
    return Comparisons(tuple(f"c{code:04d}" for code in range(conditions)), left, right, outcome, *coded)


def whole(table: Comparisons) -> Cells:
    """Return the votes counted without regard to people and prompts."""
    return cells(Comparisons(table.items, table.left, table.right, table.outcome, None, None))


def timed(what: str, work: Callable[[], object], *, repeats: int = 1) -> None:
    """Print the least CPU time of some repeats."""
    spent = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    print(f"{what:<64}{1000 * min(spent):>12,.1f} ms")


def fit_and_bootstrap(counted: Cells, kind: str, resamples: int) -> None:
    """Fit, then resample and fit again."""
    at = Model().fit(group_wins(counted, by="all"), start=np.zeros(len(counted.items))).strengths[0]
    bootstrap(counted, model=Model(), observed=at, kind=kind, resamples=resamples, rng=np.random.default_rng(1))  # type: ignore[arg-type]


def one_fit(table: Comparisons) -> None:
    """Count the votes and fit once, from integer codes."""
    size = len(table.items)
    won = table.outcome > 0
    key = np.where(won, table.left, table.right) * np.int64(size) + np.where(won, table.right, table.left)
    wins = np.bincount(key, minlength=size * size).reshape(size, size).astype(float)
    lost = wins.sum(axis=0) + 0.5
    strengths_of_many(wins[None], start=np.log((wins.sum(axis=1) + 0.5) / lost))


def choix_loop(table: Comparisons, resamples: int) -> None:
    """The same resamples by choix, dense, one after the other."""
    import choix

    wins = group_wins(whole(table), by="all").decided[0]
    places = np.flatnonzero(wins)
    counts = wins.flat[places]
    drawn = np.random.default_rng(1).multinomial(int(counts.sum()), counts / counts.sum(), size=resamples)
    for row in drawn:
        again = np.zeros_like(wins)
        again.flat[places] = row
        choix.ilsr_pairwise_dense(again)


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(1)
    small = votes(5, 7650, 6, 18, rng)
    print("7,650 votes, 5 conditions, 6 people, 18 prompts, 1,000 resamples, from integer codes")
    timed("  fit and bootstrap of votes", lambda: fit_and_bootstrap(whole(small), "votes", 1000), repeats=20)
    counted = cells(small)
    timed("  fit and bootstrap of participants", lambda: fit_and_bootstrap(counted, "participants", 1000), repeats=20)
    timed("  fit and bootstrap of participants and prompts", lambda: fit_and_bootstrap(counted, "participants+prompts", 1000), repeats=20)
    timed("  counting into cells", lambda: cells(small), repeats=20)
    timed("  two-way jackknife", lambda: spread(counted, model=Model()), repeats=20)
    timed("  choix, dense, in a loop", lambda: choix_loop(small, 1000))
    large = votes(200, 1_000_000, 100, 1, rng)
    print("1,000,000 votes, 200 conditions, 100 people, 1,000 resamples")
    timed("  fit and bootstrap of votes", lambda: fit_and_bootstrap(whole(large), "votes", 1000))
    by_person = cells(large)
    timed("  fit and bootstrap of participants, counted", lambda: fit_and_bootstrap(by_person, "participants", 1000))
    timed("  choix, dense, in a loop", lambda: choix_loop(large, 1000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    huge = votes(1000, 10_000_000, 2, 1, rng)
    print("10,000,000 votes, 1,000 conditions")
    timed("  count and one fit", lambda: one_fit(huge), repeats=3)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"  largest memory {after:.2f} GiB, votes included (before them {before:.2f} GiB)")


if __name__ == "__main__":
    main()
