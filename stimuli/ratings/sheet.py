"""A rated data set as a person reads it: a few short tables on one screen."""

from collections.abc import Iterable, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from stimuli.ratings.describe import Description, Disputed, Retest, Spread, Theme
from stimuli.ratings.reliability import Interval, Reliability
from stimuli.ratings.skipped import Skipped, told
from stimuli.ratings.targets import Liking, Proposal, Target
from stimuli.ratings.verify import Check

# Fig. 2 of the PAMELA paper has 21 themes.
_MOST = 40
_INTERVALS = "k is the typical number of ratings of an image; in brackets 95 % intervals over images."


def show_description(console: Console, found: Description) -> None:
    """Print what a data set holds and how far people agree in it."""
    section(console, "What it holds", _size(found))
    if len(found.splits) > 1:
        section(console, "Splits", _splits(found))
    for heading, themes in (("Themes", found.groups), ("Styles", found.styles)):
        if themes:
            section(console, heading, *_themes(themes))
    section(console, "How far people agree about an image", *_agreement(found))
    show_skipped(console, found.skipped)


def show_skipped(console: Console, skipped: Sequence[Skipped]) -> None:
    """Print what was not taken as it stands, or nothing where there is nothing."""
    if skipped:
        section(console, "Not taken as it stands", *(Text(f"• {told(entry)}") for entry in skipped))


def show_targets(console: Console, proposal: Proposal) -> None:
    """Print who is proposed as target users, why, and what to write into study.toml."""
    section(console, "Proposed target users, most different first", _targets(proposal))
    if any(target.likes or target.dislikes for target in proposal.targets):
        section(console, "What each likes more, and less, than other people do (points of the scale)", _likings(proposal.targets))
    names = ", ".join(f'"{target.user}"' for target in proposal.targets)
    section(console, "For study.toml", Text(f"targets = [{names}]"))
    left_out = f"{proposal.few} with too few ratings and {proposal.unclear} without a clear taste of their own were left out."
    console.print(Text(f"\nChosen among {proposal.considered} people; {left_out}", style="dim"))


def show_counts(console: Console, heading: str, counts: Iterable[Check]) -> None:
    """Print how many ratings, people and images each split holds, and what was expected where that is another number."""
    by_split: dict[str, dict[str, Check]] = {}
    for check in counts:
        by_split.setdefault(check.part, {})[check.what] = check
    table = _table("split", *next(iter(by_split.values())))
    for split, checks in by_split.items():
        table.add_row(split, *(_count(check) for check in checks.values()))
    section(console, heading, table)


def show_checks(console: Console, heading: str, checks: Iterable[Check]) -> None:
    """Print each question, what was found, and what was expected where something was."""
    table = _table("", "found", "expected", "")
    for check in checks:
        verdict = Text("") if check.expected is None else Text("ok", style="green") if check.right else Text("WRONG", style="bold red")
        table.add_row(check.what, check.found, check.expected or "", verdict)
    section(console, heading, table)


def section(console: Console, heading: str, *parts: RenderableType) -> None:
    """Print a heading and what belongs under it."""
    console.print()
    console.print(Text(heading, style="bold"))
    console.print(Padding(Group(*parts), (0, 0, 0, 2)))


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column(first, overflow="fold")
    for heading in others:
        table.add_column(heading, justify="right", overflow="fold")
    return table


def _count(check: Check) -> Text:
    if not check.right:
        return Text(f"{check.found}, not {check.expected}", style="bold red")
    return Text(check.found, style="" if check.expected is None else "green")


def _size(found: Description) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_row("ratings", f"{found.ratings:,}, {found.mean:.2f} on average (standard deviation {found.standard_deviation:.2f})")
    table.add_row("images", f"{found.images:,}, each rated by {_range(found.per_image)} people")
    table.add_row("people", f"{found.users:,}, who rated {_range(found.per_user)} images each")
    return table


def _range(spread: Spread) -> str:
    if spread.least == spread.most:
        return f"{spread.least:,.0f}"
    return f"{spread.least:,.0f} to {spread.most:,.0f} ({spread.mean:,.1f} on average)"


def _splits(found: Description) -> Table:
    table = _table("split", "ratings", "people", "images")
    for split, *numbers in found.splits:
        table.add_row(split, *(f"{number:,}" for number in numbers))
    return table


def _themes(themes: Sequence[Theme]) -> list[RenderableType]:
    table = _table("", "images", "ratings", "mean", "sd")
    kind = None
    for theme in themes[:_MOST]:
        if theme.kind != kind:
            table.add_row(Text(theme.kind or "of no type", style="italic"))
            kind = theme.kind
        table.add_row(f"  {theme.name}", f"{theme.images:,}", f"{theme.ratings:,}", f"{theme.mean:.2f}", f"{theme.standard_deviation:.2f}")
    return [table, Text(f"and {len(themes) - _MOST} more", style="dim")] if len(themes) > _MOST else [table]


def _agreement(found: Description) -> list[RenderableType]:
    if found.reliability is None:
        parts: list[RenderableType] = [Text("Nothing can be said: no two people rated the same image, or all ratings are equal.")]
    else:
        parts = [_reliability(found.reliability, found.by_type), Text(_INTERVALS, style="dim")]
    if found.disagreement is not None:
        spread = found.disagreement
        parts.append(
            Text(
                f"\nPeople differ by {spread.mean:.2f} points about an image (standard deviation; {spread.least:.2f} to {spread.most:.2f})."
            )
        )
        parts.append(_disputed(found.disputed, found.agreed))
    if found.retest is not None:
        parts.append(Text(f"\n{_retest(found.retest)}"))
    return parts


def _reliability(overall: Reliability, by_type: Sequence[tuple[str, Reliability]]) -> Table:
    table = _table("", "one rating, ICC(1)", "the mean, ICC(k)", "k", "images")
    for name, one in (("all images", overall), *((f"within {kind}", one) for kind, one in by_type)):
        values = _between(one.single, one.single_interval), _between(one.average, one.average_interval)
        table.add_row(name, *values, f"{one.raters:.1f}", f"{one.images:,}")
    return table


def _between(value: float, interval: Interval | None) -> str:
    return f"{value:.2f}" if interval is None else f"{value:.2f} ({interval.low:.2f} to {interval.high:.2f})"


def _disputed(disputed: Sequence[Disputed], agreed: Sequence[Disputed]) -> Table:
    table = _table("", "image", "mean", "sd", "ratings")
    for name, images in (("most disputed", disputed[:3]), ("most agreed on", agreed[:3])):
        for number, image in enumerate(images):
            row = (image.image, f"{image.mean:.2f}", f"{image.standard_deviation:.2f}", f"{image.ratings}")
            table.add_row("" if number else name, *row)
    return table


def _retest(found: Retest) -> str:
    told = "" if found.correlation is None else f" and the two correlate {found.correlation:.2f}"
    return f"Asked again, people repeat themselves within {found.error:.2f} points{told} ({found.pairs:,} repeated ratings)."


def _targets(proposal: Proposal) -> Table:
    table = _table("user", "ratings", "sd", "most like", "correlation", "images both rated")
    for target in proposal.targets:
        near = target.nearest
        why = (near.user, f"{near.correlation:+.2f}", f"{near.images:,}") if near else ("–", "", "")
        table.add_row(target.user, f"{target.ratings:,}", f"{target.standard_deviation:.2f}", *why)
    return table


def _likings(targets: Sequence[Target]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for heading in ("user", "more", "less"):
        table.add_column(heading, overflow="fold")
    for target in targets:
        table.add_row(target.user, *("\n".join(map(_liking, entries)) or "–" for entries in (target.likes, target.dislikes)))
    return table


def _liking(entry: Liking) -> str:
    return f"{entry.points:+.2f} {entry.group} ({entry.images})"
