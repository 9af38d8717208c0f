"""How long fits, resamples and jackknives take, in CPU seconds with one BLAS thread, beside other libraries where they are installed.

Run: python benchmarks/bradley_terry.py
"""

import os

os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), "1"))

import resource
import time
import warnings
from collections.abc import Callable

import numpy as np

from analysis.bradley_terry import ELO_PER_LOGIT, Array, strengths_of_many
from analysis.comparisons import Cells, Codes, Comparisons, cells, encode
from analysis.jackknife import spread
from analysis.preference import Model, group_wins
from analysis.resampling import Kind, bootstrap

# A library gets win matrices, shape (fits, items, items), and returns log-strengths, shape (fits, items).
Library = Callable[[Array], Array]


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


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of some work, all threads together."""
    start = time.process_time()
    work()
    return time.process_time() - start


def timed(what: str, work: Callable[[], object], *, repeats: int = 1) -> float:
    """Print and return the least CPU time of some repeats."""
    spent = min(cpu_seconds(work) for _ in range(repeats))
    print(f"{what:<64}{1000 * spent:>12,.1f} ms")
    return spent


def fit_and_bootstrap(counted: Cells, kind: Kind, resamples: int) -> None:
    """Fit, then resample and fit again."""
    at = Model().fit(group_wins(counted, by="all"), start=np.zeros(len(counted.items))).strengths[0]
    bootstrap(counted, model=Model(), observed=at, kind=kind, resamples=resamples, rng=np.random.default_rng(1))


def win_matrix(table: Comparisons) -> Array:
    """Return how often the row beat the column, from integer codes."""
    size = len(table.items)
    won = table.outcome > 0
    key = np.where(won, table.left, table.right) * np.int64(size) + np.where(won, table.right, table.left)
    return np.bincount(key, minlength=size * size).reshape(size, size).astype(float)


def one_fit(wins: Array) -> None:
    """Fit once, from the log odds of all wins."""
    strengths_of_many(wins[None], start=np.log((wins.sum(axis=1) + 0.5) / (wins.sum(axis=0) + 0.5)))


def drawn_again(wins: Array, resamples: int) -> Array:
    """Return the resampled win matrices that `bootstrap` draws with this seed (below its limit for large studies)."""
    places = np.flatnonzero(wins)
    counts = wins.flat[places]
    found = np.zeros((resamples, wins.size))
    found[:, places] = np.random.default_rng(1).multinomial(int(counts.sum()), counts / counts.sum(), size=resamples)
    return found.reshape(resamples, *wins.shape)


def by_tastebench(many: Array) -> Array:
    """Fit by batched Newton steps, all resamples at once."""
    return strengths_of_many(many, start=np.zeros(many.shape[-1]), tolerance=1e-7)


def by_choix(many: Array) -> Array:
    """Fit by choix, dense, one after the other."""
    import choix

    return np.array([choix.ilsr_pairwise_dense(wins) for wins in many])


def by_evalica(many: Array) -> Array:
    """Fit by evalica: every kind of outcome once, weighted by how often it was drawn; its steps are repeated until they converge."""
    import evalica
    import pandas as pd

    winner, loser = np.nonzero(many.sum(axis=0))
    names, first = pd.Index(range(many.shape[-1])), [evalica.Winner.X] * len(winner)
    one, other = winner.tolist(), loser.tolist()

    def fitted(wins: Array) -> Array:
        counts = wins[winner, loser].tolist()
        scores = evalica.bradley_terry(one, other, first, index=names, weights=counts, tolerance=1e-8, limit=10_000).scores
        return np.log(scores.sort_index().to_numpy())

    return np.array([fitted(wins) for wins in many])


def by_scikit_learn(many: Array) -> Array:
    """Fit by scikit-learn's logistic regression on every kind of outcome, weighted, without penalty and intercept."""
    from scipy.sparse import csr_array
    from sklearn.linear_model import LogisticRegression

    winner, loser = np.nonzero(many.sum(axis=0))
    rows, one = np.arange(len(winner)), np.ones(len(winner))
    # Each outcome stands there the other way round too, since a classifier wants both classes.
    signs = np.concatenate([one, -one, -one, one])
    places = (np.concatenate([rows, rows, rows + len(rows), rows + len(rows)]), np.concatenate([winner, loser, winner, loser]))
    design, label = csr_array((signs, places), (2 * len(rows), many.shape[-1])), np.repeat([1, 0], len(rows))

    def fitted(wins: Array) -> Array:
        weights = np.tile(wins[winner, loser], 2)
        model = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-6, max_iter=1000)
        return model.fit(design, label, sample_weight=weights).coef_[0]

    return np.array([fitted(wins) for wins in many])


def by_arena_rank(many: Array) -> Array:
    """Fit by arena-rank with its own function for one bootstrap sample, one after the other; each seems to be compiled anew."""
    import jax.numpy as jnp
    from arena_rank.models.bradley_terry import BradleyTerry, fit_single_bootstrap_sample
    from arena_rank.utils.data_utils import PairDataset

    winner, loser = np.nonzero(many.sum(axis=0))
    ones = jnp.ones(len(winner))
    names = [str(code) for code in range(many.shape[-1])]
    data = PairDataset(names, jnp.column_stack([winner, loser]), ones, ones, ones, ones)
    model = BradleyTerry(many.shape[-1])
    counts = [jnp.asarray(wins[winner, loser]) for wins in many]
    return np.array([fit_single_bootstrap_sample(drawn, model, data)["ratings"] for drawn in counts])


LIBRARIES: dict[str, Library] = {
    "choix": by_choix,
    "evalica": by_evalica,
    "scikit-learn": by_scikit_learn,
    "arena-rank": by_arena_rank,
}
# How many resamples of a slow library are fitted.
SLOW = {"arena-rank": 5}
NEEDS = {"arena-rank": "; it pins another numpy, see benchmarks/README.md"}


def compare(wins: Array, resamples: int, ours: float, *, tried: int | None = None) -> None:
    """Print for each library the CPU time of the same resamples, drawn and fitted, beside ours, and how far its fits are off.

    With `tried`, at most that many resamples are fitted and the time is scaled up to all of them.
    """
    most = resamples if tried is None else tried
    drawing = cpu_seconds(lambda: drawn_again(wins, most)) / most if resamples > 1 else 0.0
    many = drawn_again(wins, most) if resamples > 1 else wins[None]
    expected = by_tastebench(many)
    for name, library in LIBRARIES.items():
        number = min(most, SLOW.get(name, most))
        try:
            library(many[:1])  # imports, which are not part of the comparison
            start = time.process_time()
            found = library(many[:number])
            spent = ((time.process_time() - start) / number + drawing) * resamples
        except ModuleNotFoundError:
            print(f"  {name:<62}not installed{NEEDS.get(name, '; pip install -c constraints.txt -e .[bench]')}")
            continue
        off = ELO_PER_LOGIT * np.abs(found - found.mean(axis=1, keepdims=True) - expected[:number]).max()
        scaled = f"; {number} of {resamples:,} fitted, time scaled up" if number < resamples else ""
        print(f"  {name:<62}{1000 * spent:>12,.1f} ms  {spent / ours:>8,.1f} x ours, within {off:.2g} Elo{scaled}", flush=True)


def small(rng: np.random.Generator) -> None:
    """Print the table of a study."""
    table = votes(5, 7650, 6, 18, rng)
    print("7,650 votes, 5 conditions, 6 people, 18 prompts, 1,000 resamples, from integer codes (wanted: 10 ms)")
    by_pair, counted = whole(table), cells(table)
    ours = timed("  fit and bootstrap of votes", lambda: fit_and_bootstrap(by_pair, "votes", 1000), repeats=20)
    timed("  the same with counting", lambda: fit_and_bootstrap(whole(table), "votes", 1000), repeats=20)
    timed("  fit and bootstrap of participants", lambda: fit_and_bootstrap(counted, "participants", 1000), repeats=20)
    timed("  fit and bootstrap of participants and prompts", lambda: fit_and_bootstrap(counted, "participants+prompts", 1000), repeats=20)
    timed("  counting into cells", lambda: cells(table), repeats=20)
    timed("  two-way jackknife", lambda: spread(counted, model=Model()), repeats=20)
    compare(win_matrix(table), 1000, ours)


def large(rng: np.random.Generator) -> None:
    """Print the table of a leaderboard."""
    table = votes(200, 1_000_000, 100, 1, rng)
    print("1,000,000 votes, 200 conditions, 100 people, 1,000 resamples (wanted: 3 s; participants 1 s)")
    counted, by_person = whole(table), cells(table)
    ours = timed("  fit and bootstrap of votes, counted", lambda: fit_and_bootstrap(counted, "votes", 1000), repeats=3)
    timed("  fit and bootstrap of participants, counted", lambda: fit_and_bootstrap(by_person, "participants", 1000), repeats=3)
    compare(win_matrix(table), 1000, ours, tried=20)


def huge(rng: np.random.Generator) -> None:
    """Print the table of one very large fit."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    table = votes(1000, 10_000_000, 2, 1, rng)
    print("10,000,000 votes, 1,000 conditions, one fit (wanted: 0.2 s)")
    timed("  count and one fit, from integer codes", lambda: one_fit(win_matrix(table)), repeats=3)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"  largest memory {after:.2f} GiB, votes included (before them {before:.2f} GiB; wanted: below 2 GB)")
    wins = win_matrix(table)
    ours = timed("  one fit, counted", lambda: one_fit(wins), repeats=3)
    compare(wins, 1, ours)
    names = [table.items[code] for code in table.left.tolist()]
    timed("  one column of 10,000,000 names to integer codes", lambda: encode(names), repeats=3)


def main() -> None:
    """Print the tables."""
    # Libraries warn of their own futures; a table has no use for that.
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(1)
    small(rng)
    large(rng)
    huge(rng)


if __name__ == "__main__":
    main()
