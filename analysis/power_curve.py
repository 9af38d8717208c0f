"""The curve of a power calculation: power against people, one line for each number of prompts and of votes a person."""

from collections.abc import Sequence
from pathlib import Path

from analysis.power import Power
from stimuli.experiment import ExperimentError

KINDS = (".png", ".svg")


def require_drawable(path: Path) -> None:
    """Pass if a curve can be written to this name.

    Raises:
        ExperimentError: it ends in neither .png nor .svg.
    """
    if path.suffix.lower() not in KINDS:
        raise ExperimentError(f"{path}: a curve is written as {' or '.join(KINDS)}; give a name that ends so")


def draw_power(found: Sequence[Power], path: Path, *, title: str) -> None:
    """Write the curve to a .png or .svg file; bars are two Monte Carlo standard errors, and 80 % is marked."""
    require_drawable(path)
    # The drawing library takes a second to import, which only this needs.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for prompts, per_person in sorted({(row.plan.prompts, row.plan.per_person or 0) for row in found}):
        line = sorted(
            (row for row in found if (row.plan.prompts, row.plan.per_person or 0) == (prompts, per_person)), key=lambda row: row.plan.people
        )
        label = f"{prompts} prompts, {per_person or 'all'} votes a person"
        people, errors = [row.plan.people for row in line], [2 * row.monte_carlo_error for row in line]
        axes.errorbar(people, [row.power for row in line], yerr=errors, marker="o", capsize=3, label=label)
    axes.axhline(0.8, color="0.6", linestyle="--", linewidth=1)
    axes.set(xlabel="people", ylabel="power", ylim=(0, 1.02), title=title)
    axes.legend(frameon=False, loc="lower right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
