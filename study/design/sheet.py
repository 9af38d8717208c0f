"""The plan as a person reads it: a few short tables on one screen, or a file with a row for each trial."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from study.config import Procedure, StudyTable
from study.design.plan import Mode, Plan, Price, RatingPlan, Seat, price
from study.design.trial import Kind

_KINDS: tuple[Kind, ...] = ("practice", "comparison", "rating", "repeat", "catch")
# The matrix of so many names still fits on a screen.
_MATRIX = 8
# Below this a minute's tenths say something.
_FEW_MINUTES = 10
_PLURAL: dict[Kind, str] = {
    "practice": "practice",
    "comparison": "comparisons",
    "rating": "ratings",
    "repeat": "repeats",
    "catch": "catch trials",
}


def show_comparison(console: Console, plan: Plan, table: StudyTable) -> None:
    """Print the plan of a comparison."""
    votes = sum(seat.count("comparison") for seat in plan.seats)
    _section(console, "Each participant", _each(plan.seats, table))
    _section(console, "The study", _totals(plan.seats, votes, "votes", table))
    _section(console, f'What each choice of "pairs" costs ({len(plan.seats)} participants)', _modes(plan.modes, table))
    _section(console, "How often what is compared with what (votes)", _coverage(plan), Text(_pairs_told(plan), style="dim"))
    _section(console, "Sides", _sides(plan))
    if plan.notes:
        _section(console, "Before launch", *(Text(f"• {note}") for note in plan.notes))


def show_planned_votes(console: Console, plan: Plan, *, written: int | None) -> None:
    """Print the line for [analysis] that says how many votes shall come: those that are scored; `written` is what stands there."""
    scored = sum(count for names, count in plan.coverage.items() if len(names) > 1)
    # Who is no target user has fewer scored comparisons than one who is.
    alike = len({seat.target_user is None for seat in plan.seats}) == 1
    unscored, people = sum(plan.coverage.values()) - scored, len(plan.seats)
    each = (
        f"{people} participants × {scored // people:,}" if scored % people == 0 and alike else f"{people} participants, together {scored:,}"
    )
    told = f"{each} comparisons that are scored."
    if unscored:
        told += f" {_unscored(plan)} So it is less than the {scored + unscored:,} votes above."
    stands = "stands in [analysis] of study.toml" if written == scored else "goes into [analysis] of study.toml, before the lock"
    if written not in (None, scored):
        stands += f"; {written:,} stands there now"
    section = (Text(f"planned_votes = {scored}", style="bold"), Text(f"{told} The line {stands}.", style="dim"))
    _section(console, "For study.toml", *section)


def _unscored(plan: Plan) -> str:
    """Return which comparisons no score counts, and what they are for."""
    same = {next(iter(names)): count for names, count in plan.coverage.items() if len(names) == 1 and count}
    named = ", ".join(f"{count:,} of two images of {name}" for name, count in same.items())
    return f"Not among them: {named}; both bear one name, so no score counts them, and only a claim of personal match reads them."


def show_rating(console: Console, plan: RatingPlan, table: Procedure) -> None:
    """Print the plan of a rating study."""
    ratings = sum(seat.count("rating") for seat in plan.seats)
    _section(console, "Each participant", _each(plan.seats, table))
    _section(console, "The study", _totals(plan.seats, ratings, "ratings", table))
    told = (
        f"{plan.images.asked:,} of {plan.images.possible:,} images are rated, by {_range(plan.images.least, plan.images.most)} people each."
    )
    _section(console, "Images", Text(told))


def show_schedule(console: Console, seat: Seat, labels: Mapping[str, str]) -> None:
    """Print the schedule of one seat; `labels` says by image what stands for it, else its id does."""
    rows = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("trial", "block", "kind", "prompt", "left", "right"):
        # The prompt of a rating is its whole text, of which the beginning will do.
        width = 28 if heading == "prompt" else None
        rows.add_column(heading, justify="right" if heading in ("trial", "block") else "left", max_width=width, no_wrap=heading == "prompt")
    for number, trial in enumerate(seat.trials, start=1):
        kind = f"catch: {trial.expected}" if trial.expected else trial.kind
        block = "–" if trial.kind == "practice" else str(trial.block + 1)
        shown = [labels.get(image, image) for image in (trial.left, trial.right) if image is not None]
        rows.add_row(str(number), block, kind, trial.prompt, *shown, style="dim" if trial.kind == "practice" else "")
    who = f"target user {seat.target_user}" if seat.target_user else "anybody who is no target user"
    _section(console, f"The schedule of place {seat.slot}, for {who}" if labels else f"The schedule of place {seat.slot}", rows)


def schedules_csv(seats: Sequence[Seat], names: Mapping[int, Mapping[str, str]]) -> str:
    """Return one row for each trial of each seat, as CSV; `names` are by slot and image."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("slot", "target_user", "trial", "kind", "block", "prompt", "left", "right", "left_name", "right_name", "expected"))
    for seat in seats:
        known = names.get(seat.slot, {})
        for number, trial in enumerate(seat.trials):
            right = trial.right or ""
            called = known.get(trial.left, ""), known.get(right, "")
            writer.writerow(
                (
                    seat.slot,
                    seat.target_user or "",
                    number,
                    trial.kind,
                    trial.block,
                    trial.prompt,
                    trial.left,
                    right,
                    *called,
                    trial.expected or "",
                )
            )
    return text.getvalue()


def _section(console: Console, heading: str, *parts: RenderableType) -> None:
    console.print()
    console.print(Text(heading, style="bold"))
    console.print(Padding(Group(*parts), (0, 0, 0, 2)))


def _numbers(*headings: str) -> Table:
    """Return an empty table whose first column holds words and whose others hold numbers."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left", overflow="fold")
    return table


def _range(least: float, most: float, digits: int = 0) -> str:
    low, high = f"{least:,.{digits}f}", f"{most:,.{digits}f}"
    return low if low == high else f"{low} to {high}"


def _money(found: Price | None, table: Procedure) -> str:
    return "–" if found is None or found.pay is None else f"{found.pay:,.2f} {table.currency}"


def _each(seats: Sequence[Seat], table: Procedure) -> Table:
    """Return what one participant does, a column for each kind of participant."""
    targets = [seat for seat in seats if seat.target_user is not None]
    others = [seat for seat in seats if seat.target_user is None]
    groups = [(name, some) for name, some in (("a target user", targets), ("anybody else" if targets else "each", others)) if some]
    rows = _numbers("", *(name for name, _ in groups))
    for kind in _KINDS:
        if any(seat.count(kind) for seat in seats):
            rows.add_row(_PLURAL[kind], *(_counted(seat.count(kind) for seat in some) for _, some in groups))
    trials = [[len(seat.trials) for seat in some] for _, some in groups]
    rows.add_row("trials in all", *(_counted(some) for some in trials))
    rows.add_row("blocks", *(_counted(seat.trials[-1].block + 1 for seat in some) for _, some in groups))
    minutes = [(price(min(some), table).minutes, price(max(some), table).minutes) for some in trials]
    rows.add_row("minutes", *(_minutes(least, most) for least, most in minutes))
    if table.hourly_pay is not None:
        rows.add_row("pay, at most", *(_money(price(max(some), table), table) for some in trials))
    return rows


def _minutes(least: float, most: float) -> str:
    return _range(least, most, digits=1 if most < _FEW_MINUTES else 0)


def _long(minutes: float) -> str:
    """Return a length of time in words: whole minutes below two hours."""
    return f"{max(1, round(minutes)):,} minute{'s' * (round(minutes) > 1)}" if minutes < 120 else f"{minutes / 60:,.1f} hours"


def _counted(counts: Iterable[int]) -> str:
    found = list(counts)
    return _range(min(found), max(found))


def _totals(seats: Sequence[Seat], answers: int, what: str, table: Procedure) -> Group:
    targets = sum(seat.target_user is not None for seat in seats)
    whole = price(sum(len(seat.trials) for seat in seats), table)
    who = f", {targets} of them target users" if targets else ""
    paid = f", {_money(whole, table)} at {table.hourly_pay:,.2f} an hour" if table.hourly_pay is not None else ""
    enough = " `tastebench analysis plan` says whether that is enough to support the claims." if what == "votes" else ""
    counted = f"At {table.seconds_per_trial:g} seconds a trial; consent, instructions, questions, breaks and a panel's fee are not counted."
    advice = "" if table.hourly_pay is not None else " Set hourly_pay to see what it costs."
    return Group(
        Text(f"{len(seats)} participants{who}: {answers:,} {what} in {_long(whole.minutes)} of answering{paid}.{enough}"),
        Text(counted + advice, style="dim"),
    )


def _modes(modes: Sequence[Mode], table: StudyTable) -> Group:
    paid = table.hourly_pay is not None
    rows = _numbers("pairs", "comparisons", "minutes", "votes in all", *(["pay in all"] if paid else []), "")
    for mode in modes:
        chosen = mode.pairs == table.pairs
        cells = ["–"] * (4 if paid else 3)
        if mode.each and mode.longest:
            longest = mode.longest.minutes
            cells = [_range(*mode.each), _minutes(longest, longest), f"{mode.votes:,}", *([_money(mode.all, table)] if paid else [])]
        rows.add_row(mode.pairs, *cells, "← this study" if chosen else "", style="bold" if chosen else "")
    reasons = [Text(f"{mode.pairs}: not possible. {mode.why_not}", style="dim") for mode in modes if mode.why_not]
    return Group(rows, *reasons)


def _coverage(plan: Plan) -> Table:
    """Return the votes for each two names: the upper half of the matrix, or its extremes where it would not fit on a screen."""
    if len(plan.names) > _MATRIX:
        return _extremes(plan)
    rows = _numbers("", *plan.names)
    for number, one in enumerate(plan.names):
        counts = [plan.coverage.get(frozenset((one, other)), 0) for other in plan.names[number:]]
        rows.add_row(one, *[""] * number, *(f"{count:,}" if count else "·" for count in counts))
    return rows


def _extremes(plan: Plan) -> Table:
    rows = _numbers("", "votes", "fewest", "most", "")
    for one in plan.names:
        counts = {other: plan.coverage.get(frozenset((one, other)), 0) for other in plan.names if other != one}
        fewest, most = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
        told = f"fewest with {fewest}, most with {most}" if counts[fewest] < counts[most] else "as often with each"
        rows.add_row(one, f"{sum(counts.values()):,}", f"{counts[fewest]:,}", f"{counts[most]:,}", told)
    return rows


def _pairs_told(plan: Plan) -> str:
    pairs = plan.pairs
    unasked = "" if pairs.asked == pairs.possible else " More participants, or more comparisons each, reach the rest."
    told = f"{pairs.asked:,} of {pairs.possible:,} pairs of images are asked, {_range(pairs.least, pairs.most)} times each.{unasked}"
    if "own" in plan.names and _votes(plan, "others") > _votes(plan, "own"):
        told += " others has more votes than own, because a prompt has one image of one's own and several made for others."
    return told


def _votes(plan: Plan, name: str) -> int:
    return sum(count for names, count in plan.coverage.items() if name in names)


def _sides(plan: Plan) -> Table:
    rows = _numbers("", "left", "right", "largest lean of one participant")
    for side in plan.sides:
        rows.add_row(side.name, f"{side.left:,}", f"{side.right:,}", str(side.largest_lean))
    return rows
