"""The commands about rated data sets: what is in one, whom to steer for, is it what was published, and what people may rate next."""

from collections.abc import Callable, Mapping
from pathlib import Path
from shlex import quote
from typing import Annotated, cast

import typer
from rich.console import Console

from stimuli import production, ratings
from stimuli.config import StimuliSettings
from stimuli.experiment import Experiment, ExperimentError, require
from stimuli.progress import shown
from stimuli.ratings import Layout, Rated, describe, lapis, own, sheet, splits, targets, verify
from stimuli.ratings import table as tables

app = typer.Typer(help="Look at rated images.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="The experiment: a folder with a study.toml.", show_default=False)]
DataSet = Annotated[Path, typer.Argument(help="The data set: a folder in a published layout.", show_default=False)]
Data = Annotated[Path | None, typer.Option(help="A data set instead of the one that study.toml names.", show_default=False)]
InLayout = Annotated[
    Layout | None, typer.Option(help="Its layout; own is a rating study made with this toolkit.", show_default="that of study.toml")
]
OfDataSet = Annotated[Layout, typer.Option(help="Its layout; own is a rating study made with this toolkit.")]
Seed = Annotated[int, typer.Option(help="Another seed, another split.", min=0)]
ValImages = Annotated[float, typer.Option("--val", help="Share of images for validation.", min=0, max=0.9)]
TestImages = Annotated[float, typer.Option("--test", help="Share of images for test.", min=0, max=0.9)]
ValUsers = Annotated[float, typer.Option(help="Share of people set aside for validation.", min=0, max=0.9)]
TestUsers = Annotated[float, typer.Option(help="Share of people set aside for test.", min=0, max=0.9)]
Fold = Annotated[int | None, typer.Option(help="LAPIS only: the people of this published fold are for test.", min=1, show_default=False)]

_SHARES = splits.Shares()


@app.command("describe")
def describe_command(ctx: typer.Context, folder: Folder, *, data: Data = None, layout: InLayout = None) -> None:
    """Say what a rated data set holds and how far people agree in it.

    Images, people, ratings, themes, reliability (ICC), the most disputed images, and what could not be taken as it stands.
    Without --data it is the data set that study.toml names, or the simulated one.

    Examples: tastebench stimuli describe my-study. For your own rating study: tastebench stimuli describe my-study --layout own
    """
    rated = _rated(ctx, folder, data, layout)
    rated = rated.without(tables.missing_files(rated))
    console = Console(soft_wrap=False)
    _head(console, rated)
    sheet.show_description(console, describe.describe(rated))


@app.command("targets")
def targets_command(
    ctx: typer.Context,
    folder: Folder,
    *,
    number: Annotated[int, typer.Option("--number", "-n", help="How many target users.", min=1)] = 6,
    fewest: Annotated[int, typer.Option(help="Who rated fewer images is left out.", min=5)] = 30,
    data: Data = None,
    layout: InLayout = None,
) -> None:
    """Propose target users: people with many ratings whose tastes differ as much as possible.

    Example: tastebench stimuli targets my-study -n 6
    """
    rated = _rated(ctx, folder, data, layout)
    console = Console(soft_wrap=False)
    _head(console, rated)
    sheet.show_targets(console, targets.propose(rated, number, fewest=fewest))


@app.command("verify")
def verify_command(
    folder: DataSet,
    *,
    layout: OfDataSet = "pamela",
    published: Annotated[bool, typer.Option("--published", help="Compare with the numbers in the data set's paper.")] = False,
    images: Annotated[bool, typer.Option("--images", help="Open every image, which takes minutes for thousands.")] = False,
) -> None:
    """Check a data set: its numbers, what leaks between its splits, and its images. What is wrong ends with exit status 2.

    Example: tastebench stimuli verify ~/data/PAMELA --published
    """
    # What was published is not what a splits.json makes of it.
    rated = ratings.as_published(folder, layout=layout) if published else ratings.read(folder, layout=layout)
    if published and layout not in verify.PUBLISHED:
        raise ExperimentError(f'--published: nothing is published about the layout "{layout}"; there is {", ".join(verify.PUBLISHED)}')
    numbers = verify.counts(rated, verify.PUBLISHED[layout] if published else None)
    leaks = verify.leakage(rated)
    with shown(Console(stderr=True)) as report:
        unreadable = production.unreadable_images(rated, report=report) if images else tables.missing_files(rated)
    console = Console(soft_wrap=False)
    _head(console, rated)
    sheet.show_counts(console, "Numbers", numbers)
    sheet.show_checks(console, "Leakage between splits", leaks)
    sheet.show_skipped(console, rated.without(unreadable).report)
    checks = [check for check in (*numbers, *leaks) if check.expected is not None]
    wrong = [" ".join(filter(None, (check.part, check.what))) for check in checks if not check.right]
    if wrong:
        some = ", ".join(wrong[:5]) + (" and others" if len(wrong) > 5 else "")
        raise ExperimentError(f"{folder}: {len(wrong)} of {len(checks)} checks went wrong: {some}")
    typer.echo(f"\nAll {len(checks)} checks are right.")


@app.command("split")
def split_command(
    folder: DataSet,
    *,
    layout: OfDataSet = "pamela",
    seed: Seed = 1,
    val: ValImages = _SHARES.val,
    test: TestImages = _SHARES.test,
    val_users: ValUsers = _SHARES.val_users,
    test_users: TestUsers = _SHARES.test_users,
    fold: Fold = None,
) -> None:
    """Divide a data set into parts to learn from and parts to be measured on, from a seed, with hashes.

    What comes out is splits.json in its folder. Whatever reads the data set from then on uses it instead of the published split;
    delete it to go back. With --fold, images stay as LAPIS's authors divided them and the people of their fold are for test; only
    people for validation are drawn, from the others.

    Examples: tastebench stimuli split ~/data/PAMELA --seed 1, or tastebench stimuli split ~/data/LAPIS --layout lapis --fold 1
    """
    rated = ratings.as_published(folder, layout=layout)
    if fold is None:
        split = splits.draw(rated, seed=seed, shares=splits.Shares(val, test, val_users, test_users))
    else:
        _check_fold(layout, {"--val": val != _SHARES.val, "--test": test != _SHARES.test, "--test-users": test_users != _SHARES.test_users})
        split = splits.of_fold(rated, lapis.people_of_fold(folder, fold), fold, seed=seed, val_users=val_users)
    path = splits.write(folder, split)
    divided = splits.applied(rated)
    console = Console(soft_wrap=False)
    _head(console, divided)
    sheet.show_counts(console, f"Split from seed {seed}" + (f" and fold {fold}" if fold else ""), verify.counts(divided))
    sheet.show_skipped(console, divided.report)
    hashes = ", ".join(f"{name} {digest[:12]}" for name, digest in split.sha256.items())
    typer.echo(f"\n{path}: SHA-256 of the pairs of user and image: {hashes}")


@app.command("export-ratings")
def export_ratings(
    ctx: typer.Context,
    folder: Folder,
    *,
    to: Annotated[Path, typer.Option(help="A new folder for the data set.", show_default=False)],
) -> None:
    """Write a finished rating study as a data set in PAMELA's layout, for others to learn from.

    Ratings stand as they were given, under the study's pseudonyms; of the replies only age, gender and nationality go along.
    Look through them before you share the folder.

    Example: tastebench stimuli export-ratings my-study --to my-ratings
    """
    experiment, _ = _opened(ctx, folder)
    done = own.export(experiment, to)
    who = "simulated raters, which the folder says" if done.simulated else "people"
    typer.echo(f"{done.folder}: {done.ratings:,} ratings of {done.images:,} images by {done.people:,} {who}.")
    sheet.show_skipped(Console(soft_wrap=False), done.skipped)
    typer.echo(f"Next: tastebench stimuli verify {quote(str(to))}")


@app.command("pool")
def pool_command(
    ctx: typer.Context,
    folder: Folder,
    *,
    images: Annotated[int, typer.Option(help="How many images people may be asked to rate.", min=2)] = production.POOL,
) -> None:
    """Choose the images of a rating study from the rated images, spread over what they show.

    What comes out is rating_images/, copies without metadata under meaningless names, and rating_images.parquet. Simulated
    ratings are made first where they are missing; of simulated raters, rating_utilities.parquet says what they truly like.

    Example: tastebench stimuli pool my-study --images 100
    """
    experiment, settings = _opened(ctx, folder)
    with shown(Console(stderr=True)) as report:
        pool = production.make_pool(experiment, settings, number=images, report=report)
    typer.echo(f"{experiment.rating_images}: {len(pool.images)} images to rate.")
    if len(pool.images) < images:
        typer.echo(f"{images} were asked for; the data set has no more that can be read.")
    for entry in pool.unreadable:
        typer.echo(f"Passed over: {entry.reason}")
    typer.echo(f"Next: tastebench study plan --rating {quote(str(folder))}")


def _opened(ctx: typer.Context, folder: Path) -> tuple[Experiment, StimuliSettings]:
    return cast("Callable[[Path], tuple[Experiment, StimuliSettings]]", ctx.obj)(folder)


def _rated(ctx: typer.Context, folder: Path, data: Path | None, layout: Layout | None) -> Rated:
    """Return the data set that was asked for, or the one in use."""
    if data is not None:
        return ratings.read(data, layout=layout or "pamela")
    if layout == "own":
        return ratings.read(folder, layout="own")
    experiment, settings = _opened(ctx, folder)
    known = settings.stimuli.ratings
    if layout is not None and layout != known.layout:
        raise ExperimentError(f'--layout: is "{layout}", and study.toml says "{known.layout}"; name the data set too, with --data')
    if known.folder is not None:
        return ratings.read(experiment.folder / known.folder, layout=known.layout)
    require(experiment.ratings, made_by=f"tastebench stimuli ratings {quote(str(folder))}")
    return ratings.read(experiment.ratings)


def _check_fold(layout: Layout, given: Mapping[str, bool]) -> None:
    """Raise an `ExperimentError` where a fold is asked for with what it cannot go with."""
    if layout != "lapis":
        raise ExperimentError(f'--fold: only LAPIS has published folds of people, and --layout is "{layout}"; leave --fold away')
    for option, is_given in given.items():
        if is_given:
            raise ExperimentError(f"{option}: the fold says who and what is for test; leave {option} or --fold away")


def _head(console: Console, rated: Rated) -> None:
    kind = " (SIMULATED: no person rated anything)" if rated.simulated else ""
    console.print(f"{rated.folder}{kind}", highlight=False, markup=False, soft_wrap=True)
