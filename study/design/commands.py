"""The command that prints the design before launch: `tastebench study plan`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.console import Console
from rich.text import Text

from stimuli.experiment import Experiment, ExperimentError, write_whole
from study.config import Procedure, StudySettings
from study.design import sheet
from study.design.images import images_to_see, stimuli_of
from study.design.next_command import next_command
from study.design.pairs import Judged, contrasts_of, names_seen
from study.design.plan import Seat, plan_comparison, plan_rating
from study.invocation import Folder, Rating, opened
from study.lock import LockedSettings
from study.reviews import read_reviews

app = typer.Typer(no_args_is_help=True)

Participants = Annotated[int | None, typer.Option(min=1, max=10_000, help="For how many; default: participants in study.toml.")]
Slot = Annotated[int | None, typer.Option("--schedule", min=0, help="Also print the schedule of this place, from 0.", metavar="N")]
Csv = Annotated[Path | None, typer.Option("--csv", help="Write the schedules of all places to this CSV file.", show_default=False)]


@app.command()
def plan(
    context: typer.Context, folder: Folder, *, participants: Participants = None, rating: Rating = False, slot: Slot = None, out: Csv = None
) -> None:
    """Show the design before launch: trials, minutes, money, what is compared with what, and on which sides.

    Takes study.toml and stimuli.parquet (with --rating the images to rate), without what the review removed, and touches no
    database. The schedules are those that participants get: they follow from the seed in study.toml. The plan gives the first
    places to the target users; the study gives them to people as they come. It also says which planned_votes to write into
    [analysis]: the comparisons that are scored, by which a study that stopped early is known.

    Example: `tastebench study plan my-study --participants 30 --schedule 0 --csv schedules.csv`
    """
    experiment, settings = opened(context, folder)
    console = Console()
    show = _show_rating if rating else _show_comparison
    seats, stimuli = show(console, experiment, settings, participants)
    if slot is not None:
        _show_one(console, slot, seats, stimuli)
    if out is not None:
        names = {seat.slot: names_seen(stimuli, seat.target_user) for seat in seats}
        write_whole(out, sheet.schedules_csv(seats, names).encode())
        typer.echo(f"\n{out}: {sum(len(seat.trials) for seat in seats)} trials of {len(seats)} participants")
    typer.echo(f"\nNext: {next_command(experiment, settings, rating=rating)}")


def _show_comparison(
    console: Console, experiment: Experiment, settings: StudySettings, participants: int | None
) -> tuple[Sequence[Seat], Sequence[Judged]]:
    removed = _removed(experiment)
    stimuli = [each for each in stimuli_of(experiment) if each.image_sha256 not in removed]
    made = plan_comparison(
        stimuli,
        seed=settings.experiment.seed,
        table=settings.study,
        contrasts=contrasts_of(settings.claim),
        participants=participants,
    )
    _show_head(console, "The comparison", experiment, settings.study)
    sheet.show_comparison(console, made, settings.study)
    sheet.show_planned_votes(console, made, written=cast("LockedSettings", settings).analysis.planned_votes)
    return made.seats, stimuli


def _show_rating(
    console: Console, experiment: Experiment, settings: StudySettings, participants: int | None
) -> tuple[Sequence[Seat], Sequence[Judged]]:
    removed = _removed(experiment)
    images = [(image, prompt) for image, prompt, sha256 in images_to_see(experiment, settings, rating=True) if sha256 not in removed]
    made = plan_rating(images, seed=settings.experiment.seed, table=settings.rating, participants=participants)
    _show_head(console, "The rating study", experiment, settings.rating)
    sheet.show_rating(console, made, settings.rating)
    return made.seats, ()


def _show_head(console: Console, what: str, experiment: Experiment, table: Procedure) -> None:
    blocks = f"blocks of {table.block} trials" if table.block else "no breaks"
    console.print(Text.assemble((f"{what} in {experiment.folder}", "bold"), (f" · {blocks}", "dim")))


def _show_one(console: Console, slot: int, seats: Sequence[Seat], stimuli: Sequence[Judged]) -> None:
    if slot >= len(seats):
        raise ExperimentError(
            f"--schedule {slot}: the plan has {len(seats)} places, 0 to {len(seats) - 1}; give one of them, or more --participants"
        )
    names = names_seen(stimuli, seats[slot].target_user)
    whose = {each.stimulus: f" ({each.target_user})" for each in stimuli if each.target_user not in (None, seats[slot].target_user)}
    sheet.show_schedule(console, seats[slot], {image: name + whose.get(image, "") for image, name in names.items()})


def _removed(experiment: Experiment) -> set[str]:
    return {review.sha256 for review in read_reviews(experiment.reviews).values() if review.verdict == "removed"}
