"""What a study will take, as tables on a terminal."""

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from stimuli.planning import REWRITER, Cost, Plan
from stimuli.planning.pace import Pace
from stimuli.planning.rates import Rate
from stimuli.progress import left, pace


def sheet(plan: Plan, *, workers: int, measured: Pace | None) -> RenderableType:
    """Return what is to be shown of a plan."""
    return Group(_counts(plan), _costs(plan), "Each figure is from:", *_sources(plan), "", *_sums(plan, workers, measured))


def _counts(plan: Plan) -> Table:
    table = _table("What is made", "", "at the least", "at the most")
    rows: list[tuple[str, float, float]] = [
        ("chains of steering", plan.chains, plan.chains),
        ("iterations", plan.iterations.least, plan.iterations.most),
        ("images", plan.images.least, plan.images.most),
    ]
    if plan.rated_images:
        rows.append(("images of the simulated data set", plan.rated_images, plan.rated_images))
    for what, least, most in rows:
        table.add_row(what, f"{least:,}", f"{most:,}")
    table.add_row("disk, GiB", f"{plan.gib[0]:,.1f}", f"{plan.gib[1]:,.1f}")
    return table


def _costs(plan: Plan) -> Table:
    table = _table("What it takes of one GPU, one core or a service", "", "times", "each", "in all")
    for cost in plan.costs:
        least, most = (left(hours * 3600) for hours in cost.hours())
        once, span = ("?", "?") if cost.rate is None else (_once(cost.rate), least if least == most else f"{least} to {most}")
        table.add_row(f"{escape(cost.name)}{_is_tokens(cost)}", _range(cost.times.least, cost.times.most, "{:,.0f}"), once, span)
    return table


def _sources(plan: Plan) -> Iterator[str]:
    """Yield where each figure is from."""
    for cost in plan.costs:
        if cost.rate is not None:
            yield f"  {escape(cost.name)}: {escape(cost.rate.source)}"
        else:
            yield f"  {escape(cost.name)}: nobody knows; measure it, and put the seconds into \\[stimuli.rates]"


def _table(title: str, *columns: str) -> Table:
    table = Table(*columns, title=title, title_justify="left", title_style="bold", box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    for place, column in enumerate(table.columns):
        column.no_wrap = True
        column.justify = "right" if place else "left"
    return table


def _is_tokens(cost: Cost) -> str:
    return " (tokens)" if cost.part == REWRITER else ""


def _once(rate: Rate) -> str:
    seconds = rate.seconds
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def _sums(plan: Plan, workers: int, measured: Pace | None) -> Iterator[str]:
    gpu = plan.hours("GPU")
    if gpu[1]:
        yield f"GPU hours, by the figures above: {_range(*gpu, '{:,.2f}')}."
    least, most = (left(hours * 3600) for hours in plan.wall_hours(workers))
    span = least if least == most else f"{least} to {most}"
    yield f"By the clock with {workers} {'worker' if workers == 1 else 'workers'}: {span}, without loading weights and training."
    if measured is not None:
        ends = (plan.images.least, plan.images.most)
        all_of_it = dict.fromkeys(left((images + plan.rated_images) / measured.per_second) for images in ends)
        yield (
            f"Measured on this machine: {pace(measured.per_second)} over the last {measured.images:,} images, scores and all; so "
            f"{' to '.join(all_of_it)}, less what is done already."
        )
    if plan.unknown:
        yield f"Not in these hours, because nobody knows how long they take: {', '.join(map(escape, plan.unknown))}."
    if not plan.chains:
        yield "Nothing is steered." + (" The images of the simulated data set are for simulated raters only." if plan.rated_images else "")
        return
    yield "At the least: no rewording is ever better, so every chain stops by patience. At the most: none does, and no image is known yet."


def _range(least: float, most: float, form: str) -> str:
    low, high = form.format(least), form.format(most)
    return low if low == high else f"{low} to {high}"
