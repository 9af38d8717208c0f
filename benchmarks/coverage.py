"""How often nominal 95 % intervals hold the truth for new people and new prompts, and how often nothing is called something.

Run: OPENBLAS_NUM_THREADS=1 python benchmarks/coverage.py [studies]
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from itertools import pairwise

import numpy as np

from analysis import simulated_studies as simulated
from analysis.bradley_terry import Array, strengths_of_many
from analysis.goodness_of_fit import gaps
from analysis.jackknife import estimate, spread
from analysis.preference import Model, group_wins
from analysis.resampling import Kind, bootstrap

ELO = {"own": 143.0, "others": 116.0, "initial": 94.0, "hpsv3": 37.0, "qalign": 0.0}
NAMES = tuple(ELO)
GAPS = -np.diff(np.array(list(ELO.values())))
RESAMPLES = 400


def main(studies: int) -> None:
    """Print the tables."""
    print(f"{studies} studies a row, 18 prompts; coverage in % of own-others, others-initial, initial-hpsv3, hpsv3-qalign")
    for level, people, each in (("moderate", 6, 1275), ("moderate", 30, 184), ("moderate", 100, 184), ("none", 6, 468)):
        print(f"{level} heterogeneity, {people} people x {each} votes")
        for name, covered in coverage(level, people, each, studies).items():
            print(f"  {name:<50}" + " ".join(f"{100 * share:5.1f}" for share in covered))
    print("Gaps between observed and expected shares, all ten pairs: coverage in % of the true gap, mean and least; largest bias in points")
    for level, people, each in (("none", 6, 1275), ("moderate", 6, 1275), ("moderate", 30, 184), ("moderate", 100, 184)):
        print(f"  {level} heterogeneity, {people} people x {each} votes: {gap_coverage(level, people, each, studies)}")
    print("True differences of zero, 6 people: share of studies whose 95 % interval excludes zero (first contrast, any of ten with Holm)")
    print("  ", false_findings(studies))


def simulated_spread(level: str, people: int, each: int, studies: int, elo: dict[str, float]) -> tuple[object, ...]:
    """Return simulated cells, their spread, and the places of the conditions in order."""
    rng = np.random.default_rng([people, each])
    kind = simulated.LEVELS[level]
    design = simulated.design(list(elo), participants=people, prompts=18, per_person=each, rng=rng)
    many = simulated.simulate(design, simulated.calibrated(design, elo, kind), kind, rng, studies=studies)
    return many, spread(many, model=Model()), np.array([design.items.index(name) for name in elo])


def coverage(level: str, people: int, each: int, studies: int) -> dict[str, Array]:
    """Return the share of studies whose interval holds the truth, by method."""
    many, of, places = simulated_spread(level, people, each, studies, ELO)
    found = {}
    for scope in ("these", "participants", "participants+prompts"):
        low, high = estimate(of, places[:-1], places[1:], scope).interval(0.05)  # type: ignore[arg-type,index]
        found[f"standard error, scope {scope}"] = ((low <= GAPS) & (high >= GAPS)).mean(axis=0)
    kinds: tuple[Kind, ...] = ("votes", "participants", "participants+prompts")
    for kind in kinds:
        found[f"bootstrap of {kind}, percentile"] = np.mean(
            [bootstrap_covers(many.of_study(number), kind, number) for number in range(min(studies, 300))],  # type: ignore[attr-defined]
            axis=0,
        )
    return found


def bootstrap_covers(cells: object, kind: Kind, seed: int) -> Array:
    """Return for each adjacent difference whether its percentile interval holds the truth."""
    at = Model().fit(group_wins(cells, by="all"), start=np.zeros(len(NAMES))).strengths[0]  # type: ignore[arg-type]
    votes = bootstrap(cells, model=Model(), observed=at, kind=kind, resamples=RESAMPLES, rng=np.random.default_rng(seed))  # type: ignore[arg-type]
    draws = np.stack([votes.difference_draws(a, b) for a, b in pairwise(NAMES)])
    low, high = np.quantile(draws, [0.025, 0.975], axis=1)
    covered: Array = (low <= GAPS) & (high >= GAPS)
    return covered


def gap_coverage(level: str, people: int, each: int, studies: int) -> str:
    """Return how often intervals of the goodness of fit hold the gap that infinitely many people and prompts would show."""
    rng = np.random.default_rng([people, each, 1])
    kind = simulated.LEVELS[level]
    design = simulated.design(NAMES, participants=people, prompts=18, per_person=each, rng=rng)
    means = simulated.calibrated(design, ELO, kind)
    many = simulated.simulate(design, means, kind, rng, studies=studies)
    fits = Model().fit(group_wins(many, by="all"), start=np.zeros(len(NAMES)))
    found = gaps(many, spread(many, model=Model(), fits=fits), model=Model(), fits=fits, scope="participants+prompts")
    true = true_gaps(design, means, kind)[found.one, found.other]
    low, high = found.estimate.interval(0.05)
    covered = 100 * ((low <= true) & (true <= high)).mean(axis=0)
    bias = 100 * np.abs((found.estimate.difference - true).mean(axis=0)).max()
    return f"{covered.mean():.1f}, {covered.min():.1f}; {bias:.2f}"


def true_gaps(design: simulated.Design, means: Array, kind: simulated.Heterogeneity) -> Array:
    """Return the true share of each row against each column less what the fit of all people and prompts expects."""
    share = simulated.expected_shares(design, means, kind)
    at = strengths_of_many((simulated.shown_pairs(design) * share)[None], start=np.zeros(len(means)), tolerance=1e-11)[0]
    gap: Array = share - 1 / (1 + np.exp(at[None, :] - at[:, None]))
    return gap


def false_findings(studies: int) -> str:
    """Return how often a difference of zero is found, alone and as any of ten with Holm's correction."""
    _, of, places = simulated_spread("moderate", 6, 468, studies, dict.fromkeys(ELO, 1000.0))
    one, other = np.triu_indices(len(NAMES), 1)
    p_values = estimate(of, places[one], places[other], "participants+prompts").p_value()  # type: ignore[arg-type,index]
    # The smallest of ten p-values is the first that Holm's rule tests, against alpha / 10.
    return f"{100 * np.mean(p_values[:, 0] <= 0.05):.1f} %, {100 * np.mean(p_values.min(axis=1) <= 0.005):.1f} %"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
