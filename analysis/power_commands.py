"""The commands that plan a study: `tastebench analysis power` and `tastebench analysis plan`."""

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from pathlib import Path
from shlex import quote
from typing import Annotated, Literal, Protocol, cast

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from analysis.comparisons import Comparisons, from_votes
from analysis.config import AnalysisSettings, compared_names
from analysis.csv_votes import Columns, read_csv
from analysis.pilot import heterogeneity_of
from analysis.planning import PEOPLE, WANTED, Need, people_needed
from analysis.power import PUBLISHED, Plan, Power, parse_claim, power
from analysis.power_curve import draw_power, require_drawable
from analysis.simulated_studies import LEVELS, Heterogeneity
from stimuli.experiment import Experiment, ExperimentError, require
from stimuli.progress import shown
from stimuli.seeds import seed_for
from study.votes import read_votes

_PILOT = Columns("left_condition", "right_condition", "choice", "participant", "prompt")
_STEPS = 5
_WHAT_IT_ASSUMES = """\
Simulated with the analysis that will judge the study: two-sided test of every adjacent difference by the jackknife{scope}. \
The gap is that of all prompts such a study could have; the few that it has may show more or less of it, and are drawn anew for each \
simulated study. {differ}"""


class Planned(AnalysisSettings, Protocol):
    """What of study.toml a plan reads beside the analysis."""

    @property
    def prompt(self) -> Sequence[object]:
        """Every `[[prompt]]`."""
        ...

    @property
    def condition(self) -> "Sequence[PlannedCondition]":
        """Every `[[condition]]`."""
        ...


class PlannedCondition(Protocol):
    """A condition's name and for whom it has images."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def targets(self) -> tuple[str, ...]:
        """The users whom it is steered for."""
        ...


def power_command(
    people: Annotated[str, typer.Option(help="How many people: 20, or 20,40, or 20:60 (five even steps), or 20:60:5.")] = "20:100",
    prompts: Annotated[str, typer.Option(help="How many base prompts, likewise.")] = "18",
    per_person: Annotated[str, typer.Option(help="Comparisons a person, likewise, or: all.")] = "184",
    *,
    gap: Annotated[float, typer.Option(help="How far each is truly ahead of the next, in Elo (27 is 53.9 % of choices).")] = 27.0,
    claim: Annotated[str, typer.Option(help='What shall be shown: "own > others", or a longer order.')] = "own > others",
    conditions: Annotated[str, typer.Option(help="All conditions of the study, with commas.")] = ",".join(PUBLISHED),
    heterogeneity: Annotated[
        str,
        typer.Option(help="How much people and prompts differ: none, low, moderate, high, or a pilot: its folder or CSV file of votes."),
    ] = "moderate",
    design: Annotated[Literal["all", "claims"], typer.Option(help="Compare all conditions, or only the neighbours in the claim.")] = "all",
    alpha: Annotated[float, typer.Option(min=0.0001, max=0.5, help="Error rate of the two-sided test.")] = 0.05,
    studies: Annotated[int, typer.Option(min=50, max=100_000, help="Simulated studies for each line.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the simulation.")] = 1,
    curve: Annotated[Path | None, typer.Option(help="Draw power against people to this .png or .svg file.")] = None,
) -> None:
    """Say how likely a planned study is to support a claim that is true, before anybody is asked. It reads no study.toml.

    For a study.toml, its conditions and its scope there is `tastebench analysis plan`. Here each line simulates many studies and
    analyses them as `tastebench analysis fit` does, for new people and new prompts. The table gives the power with its Monte Carlo
    error, the difference found in 80 % of such studies (MDD), how often a significant difference has the wrong sign (type S) and by
    how much it exaggerates (type M).

    A pilot is the folder of an experiment with exported votes, or a CSV file with the columns participant, prompt,
    left_condition, right_condition and choice. Three people and three prompts are the least, and tell it coarsely.

    Example: `tastebench analysis power --people 20:100 --prompts 18,40 --per-person 90,184 --gap 27 --claim "own > others"`
    """
    if curve is not None:
        require_drawable(curve)
    names, chain = tuple(name.strip() for name in conditions.split(",")), parse_claim(claim)
    rng = np.random.default_rng(seed_for(seed, "power"))
    spread = _heterogeneity(heterogeneity, rng)
    plans = [Plan(*sizes, pairs=design) for sizes in product(counts(people), counts(prompts), _per_person(per_person))]
    found = []
    with shown(Console(stderr=True)) as report:
        for done, plan in enumerate(plans):
            report("plans", done, len(plans))
            found.append(
                power(plan, claim=chain, gap_elo=gap, heterogeneity=spread, rng=rng, conditions=names, alpha=alpha, studies=studies)
            )
        report("plans", len(plans), len(plans))
    console = Console(markup=False, highlight=False)
    console.print(f"{claim}, each {gap:g} Elo ahead of the next; {studies:,} studies a line, heterogeneity {heterogeneity}\n")
    console.print(_power_table(found))
    console.print("\n" + _WHAT_IT_ASSUMES.format(scope=", for new people and new prompts", differ=_how_they_differ(heterogeneity)))
    if curve is not None:
        draw_power(found, curve, title=f"{claim}, {gap:g} Elo, {heterogeneity}")
        typer.echo(f"Written: {curve}")


def plan_command(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The experiment: a folder with a study.toml.", show_default=False)],
    *,
    gap: Annotated[float | None, typer.Option(help="The true difference in Elo; else smallest_effect_elo of study.toml.")] = None,
    per_person: Annotated[int | None, typer.Option(min=1, help="Comparisons a person; else all there are.")] = None,
    heterogeneity: Annotated[
        str, typer.Option(help="none, low, moderate, high, or a pilot: its folder or CSV file of votes.")
    ] = "moderate",
    studies: Annotated[int, typer.Option(min=50, max=100_000, help="Simulated studies for each step.")] = 400,
) -> None:
    """Say how many people a study.toml needs for each of its claims.

    That many people, each judging the study's prompts, let 80 % of simulated studies support the claim if it is true by the gap.
    Where an image is made for one person, everybody is taken to have images of their own and as many of others as there are now.

    A pilot of three to five people is too small for any verdict about new people, and is not meant for one: it tells how much
    people and prompts differ. After `tastebench study export pilot`, name its folder.

    Example: `tastebench analysis plan my-study --gap 27`. With a pilot: `tastebench analysis plan my-study --heterogeneity pilot`
    """
    experiment, settings = cast("Callable[[Path], tuple[Experiment, Planned]]", ctx.obj)(folder)
    size = gap if gap is not None else settings.analysis.smallest_effect_elo
    if size is None:
        raise ExperimentError(
            f"{experiment.settings}: [analysis] has no smallest_effect_elo, so it is not known what difference to plan for; "
            "add it, or give --gap (27 Elo are 53.9 % of choices)"
        )
    rng = np.random.default_rng(seed_for(settings.experiment.seed, "plan"))
    spread = _heterogeneity(heterogeneity, rng)
    needs = _needs(settings, size, per_person, spread, rng, studies)
    console = Console(markup=False, highlight=False)
    console.print(f"{len(settings.prompt)} prompts, a true difference of {size:g} Elo, heterogeneity {heterogeneity}\n")
    console.print(_need_table(needs))
    console.print(
        "\n"
        + _WHAT_IT_ASSUMES.format(scope=f' at scope "{settings.analysis.scope}", each claim alone', differ=_how_they_differ(heterogeneity))
    )
    if any(not need.enough and need.at for need in needs):
        narrower = ", or claim less than new prompts" if settings.analysis.scope == "participants+prompts" else ""
        console.print(f"Where even many people do not suffice, the prompts limit the study: add prompts{narrower}.")
    if heterogeneity in LEVELS:
        typer.echo(
            f"With the votes of a pilot, from a folder of its own: tastebench analysis plan {quote(str(folder))} --heterogeneity PILOT"
        )
    made = experiment.stimuli.is_file()
    typer.echo(f"Next: tastebench {'study' if made else 'stimuli'} plan {quote(str(folder))}")


def counts(text: str) -> tuple[int, ...]:
    """Return the numbers that a person writes as 20, as 20,40, as 20:100 (five even steps) or as 20:100:10.

    >>> counts("18,40"), counts("20:100"), counts("20:50:15")
    ((18, 40), (20, 40, 60, 80, 100), (20, 35, 50))

    Raises:
        ExperimentError: it is none of these.
    """
    try:
        return tuple(dict.fromkeys(number for part in text.split(",") for number in _range(part)))
    except ValueError as error:
        raise ExperimentError(
            f'"{text}" is not understood; expected whole numbers such as 20, or 20,40, or 20:100, or 20:100:10'
        ) from error


def _range(text: str) -> Iterable[int]:
    first, *rest = (int(part) for part in text.split(":"))
    if first < 1 or len(rest) > 2 or (rest and rest[0] < first):
        raise ValueError(text)
    if not rest:
        return (first,)
    if len(rest) == 2:
        return range(first, rest[0] + 1, rest[1])
    return (round(step) for step in np.linspace(first, rest[0], _STEPS).tolist())


def _per_person(text: str) -> tuple[int | None, ...]:
    return (None,) if text.strip() == "all" else counts(text)


def _heterogeneity(text: str, rng: np.random.Generator) -> Heterogeneity:
    if text in LEVELS:
        return LEVELS[text]
    pilot = _pilot(Path(text))
    if pilot.simulated_participants and pilot.participant is not None:
        typer.echo(
            f"WARNING: {pilot.simulated_participants} of the {len(pilot.participant.labels)} participants of {text} are simulated. "
            "A rehearsal is no pilot: programs cannot tell how much people differ. Take the votes of people, or low, moderate or high.",
            err=True,
        )
    return heterogeneity_of(pilot, rng=rng)


def _how_they_differ(heterogeneity: str) -> str:
    if heterogeneity in LEVELS:
        return f"How much people and prompts differ is assumed ({heterogeneity}); votes of a pilot study tell it better."
    told = f"How much people and prompts differ is as in the pilot {heterogeneity}, which tells it the coarser the smaller it is."
    if Path(heterogeneity).is_dir():
        told += " Its catch trials and repeats are left out; its [[exclusion]] rules are not applied."
    return told


def _pilot(path: Path) -> Comparisons:
    """Return the votes of a pilot: those of an experiment's folder, catch trials and repeats apart, or those of a CSV file."""
    if path.is_dir():
        exported = require(Experiment(path).votes, made_by=f"tastebench study export {quote(str(path))}")
        return from_votes([vote for vote in read_votes(exported) if vote.kind == "comparison"])
    if not path.is_file():
        raise ExperimentError(
            f'heterogeneity "{path}" is no level, no folder and no file; expected one of {", ".join(LEVELS)}, the folder of a pilot after '
            "`tastebench study export`, or a CSV file of its votes"
        )
    return read_csv(path, _PILOT)


def _needs(
    settings: Planned, gap: float, per_person: int | None, spread: Heterogeneity, rng: np.random.Generator, studies: int
) -> list[Need]:
    if not settings.claim:
        raise ExperimentError("study.toml has no [[claim]], so there is nothing to plan for; write down what you expect first")
    names = compared_names([(condition.name, bool(condition.targets)) for condition in settings.condition])
    targets = max((len(condition.targets) for condition in settings.condition), default=0)
    plan = Plan(0, len(settings.prompt), per_person, others=max(1, targets - 1))
    with shown(Console(stderr=True)) as report:
        return [
            people_needed(
                claim,
                plan,
                gap_elo=gap,
                conditions=names,
                heterogeneity=spread,
                rng=rng,
                alpha=settings.analysis.alpha,
                scope=settings.analysis.scope,
                studies=studies,
                report=report,
            )
            for claim in settings.claim
        ]


def _power_table(found: Sequence[Power]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("people", "prompts", "votes each", "power", "± MC error", "MDD", "type S", "type M"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in found:
        table.add_row(
            str(row.plan.people),
            str(row.plan.prompts),
            str(row.plan.per_person or "all"),
            f"{row.power:.2f}",
            f"{row.monte_carlo_error:.3f}",
            "–" if row.minimum_detectable is None else f"{row.minimum_detectable:.0f} Elo",
            "–" if row.type_s is None else f"{100 * row.type_s:.1f} %",
            "–" if row.type_m is None else f"{row.type_m:.2f}",
        )
    return table


def _need_table(needs: Sequence[Need]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("claim", f"people for {100 * WANTED:.0f} %", "power there", "MDD"):
        table.add_column(heading, no_wrap=heading != f"people for {100 * WANTED:.0f} %")
    for need in needs:
        if need.at is None:
            table.add_row(need.claim, need.reason or "", "–", "–")
            continue
        people = str(need.at.plan.people) if need.enough else f"more than {PEOPLE[-1]}"
        detectable = "–" if need.at.minimum_detectable is None else f"{need.at.minimum_detectable:.0f} Elo"
        table.add_row(need.claim, people, f"{need.at.power:.2f} ± {need.at.monte_carlo_error:.2f}", detectable)
    return table
