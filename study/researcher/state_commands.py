"""The commands that close, pause and reopen a running study, from a terminal as the researcher's page does it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stimuli.experiment import Experiment, ExperimentError
from study.invocation import DatabaseUrl, Folder, Rating, arguments, database_url, opened
from study.researcher import switching

if TYPE_CHECKING:
    from study.storage.database import Database
    from study.storage.records import State, StudyRow

app = typer.Typer()


@app.command()
def close(
    context: typer.Context,
    folder: Folder,
    *,
    now: Annotated[bool, typer.Option("--now", help="Close it for good: whoever is still inside is stopped.")] = False,
    rating: Rating = False,
    database: DatabaseUrl = None,
    yes: Annotated[bool, typer.Option("--yes", help="With --now: do it without asking.")] = False,
) -> None:
    """Close the study: nobody new can start, and whoever is inside can finish. With --now it is closed for good.

    Whoever comes late reads that the study has ended; a panel gets the code `full` for them. Until --now you may take it back
    with `study reopen`. A study closed for good never opens again, because its scores may be seen from then on; only where
    [study] said `peeking = true` before it opened may it. A paused study goes on for those inside.
    The server goes on meanwhile, and so does the researcher's page, which has buttons for all of this.

    Example: `tastebench study close my-study`, and when everybody has finished: `tastebench study close --now my-study`
    """
    with _running(context, folder, rating=rating, given=database) as running:
        inside = running.inside()
        if now and not yes:
            typer.confirm(f"Close {running.name} for good? {inside} still inside will be stopped, and {running.afterwards}", abort=True)
        before = running.switch("closed" if now else "closing")
    about = arguments(folder, rating=rating, database=database)
    if now:
        typer.echo(f"Closed{'' if running.may_reopen else ' for good'}. Next: tastebench study export{about}")
        return
    if before == "paused":
        typer.echo("The pause is over for those inside.")
    typer.echo(f"Nobody new can start, and {inside} still inside can finish. Who is where: tastebench study status{about}")
    typer.echo(f"When nobody is inside any more: tastebench study close --now{about}")


@app.command()
def pause(context: typer.Context, folder: Folder, *, rating: Rating = False, database: DatabaseUrl = None) -> None:
    """Pause the study for everybody: pages wait, nothing is lost, and `study reopen` lets all go on.

    Example: `tastebench study pause my-study`
    """
    with _running(context, folder, rating=rating, given=database) as running:
        running.switch("paused")
    typer.echo(f"Paused. To go on: tastebench study reopen{arguments(folder, rating=rating, database=database)}")


@app.command()
def reopen(context: typer.Context, folder: Folder, *, rating: Rating = False, database: DatabaseUrl = None) -> None:
    """Open a study again that is paused, or that lets nobody new in.

    One that was closed for good stays closed, unless [study] said `peeking = true` before it opened.

    Example: `tastebench study reopen my-study`
    """
    with _running(context, folder, rating=rating, given=database) as running:
        running.switch("open")
    typer.echo("Open again: new participants may come, and those inside go on.")


@dataclass(frozen=True)
class _Running:
    """The study that a command is about: `study` as its `database` held it when the command began."""

    experiment: Experiment
    database: "Database"
    study: "StudyRow"

    @property
    def name(self) -> str:
        """Which study it is, as a person would say it."""
        kind = "rating study" if self.study.kind == "rating" else "comparison"
        return f"the {kind} of {self.experiment.folder.resolve()} in {self.database.place}"

    @property
    def may_reopen(self) -> bool:
        """Whether it may open again once it is closed for good."""
        return "open" in switching.steps("closed", peeking=switching.peeking_of(self.study))

    @property
    def afterwards(self) -> str:
        """What can follow closing for good."""
        return "`study reopen` can open it again, because its plan says peeking = true" if self.may_reopen else "it never opens again"

    def inside(self) -> str:
        """Return how many are inside, as words."""
        from study.storage.status import look

        with self.database.reading() as rows:
            return look(rows, place=self.database.place, at=_now()).inside

    def switch(self, wanted: "State") -> "State":
        """Bring the study into a state, and return that in which it was."""
        with self.database.writing() as rows:
            before = rows.study()
            if before and switching.switch(rows, wanted, at=_now()):
                return before.state
            reason = switching.refusal(rows.study(), wanted)
        raise ExperimentError(f"{self.database.place}: {reason}")


@contextmanager
def _running(context: typer.Context, folder: Path, *, rating: bool, given: str | None) -> Iterator[_Running]:
    """Give the experiment's study; that of another experiment, which an address may name by mistake, is refused."""
    from study.storage.existing import check_own, open_existing, study_in

    experiment, _ = opened(context, folder)
    made_by = f"tastebench study serve{arguments(folder, rating=rating, database=given)}"
    url = database_url(experiment, rating=rating, given=given)
    held = open_existing(url, made_by=made_by)
    try:
        with held.reading() as rows:
            study = study_in(rows, place=held.place, made_by=made_by, kind="rating" if rating else "comparison")
        check_own(study, experiment, url=url, place=held.place, made_by=made_by)
        yield _Running(experiment, held, study)
    finally:
        held.close()


def _now() -> datetime:
    return datetime.now(UTC)
