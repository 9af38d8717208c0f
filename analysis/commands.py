"""The commands of `tastebench analysis`: score the votes of an experiment or of any CSV file, and show the verdicts."""

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise, zip_longest
from pathlib import Path
from shlex import quote
from typing import Annotated, Any, cast

import typer
from rich.console import Console
from rich.table import Table

from analysis.config import AnalysisSettings, AnalysisTable
from analysis.csv_votes import Columns
from analysis.fit import DEFAULT_SEED, fit_csv, fit_experiment
from analysis.power_commands import plan_command, power_command
from analysis.predictor_commands import predictor_command
from analysis.results import ClaimResult, Results, WithoutExclusions, read_results
from stimuli.experiment import Experiment, ExperimentError, require
from stimuli.provenance import sha256

app = typer.Typer(
    help="Answer: Bradley-Terry scores on the Elo scale with intervals, and the verdicts on the claims. Runs on any laptop.",
    no_args_is_help=True,
)

_PATH = "An experiment folder, or a CSV file with one comparison a row."
_RESAMPLES = AnalysisTable().resamples
_WHAT_THE_INTERVAL_IS_NOT = """\
It holds for these participants and these prompts. The same few people judged the same few prompts again and again, so for new people \
or new prompts it is too narrow. Whether two conditions differ is told by the interval of their difference, not by whether their own \
intervals overlap."""
_OF_WHOM = {
    "these": "for these participants and these prompts (standard error of the model)",
    "participants": "for new participants and these prompts (jackknife over participants, t distribution)",
    "participants+prompts": "for new participants and new prompts (two-way jackknife, t distribution)",
}
app.command("power")(power_command)
app.command("plan")(plan_command)
app.command("predictor")(predictor_command)


@app.command()
def fit(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help=_PATH, show_default=False)],
    *,
    left: Annotated[str | None, typer.Option(help="CSV: column with the left (first) item.")] = None,
    right: Annotated[str | None, typer.Option(help="CSV: column with the right (second) item.")] = None,
    choice: Annotated[str | None, typer.Option(help="CSV: column with left/right/tie, a/b/tie, or the name of the item chosen.")] = None,
    participant: Annotated[str | None, typer.Option(help="CSV, where known: column with who chose.")] = None,
    prompt: Annotated[str | None, typer.Option(help="CSV, where known: column with what the images show.")] = None,
    out: Annotated[Path | None, typer.Option(help="CSV: folder for results.json.")] = None,
    resamples: Annotated[int | None, typer.Option(min=100, max=100_000, help=f"CSV: bootstrap resamples; else {_RESAMPLES}.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help=f"CSV: seed of the resamples; else {DEFAULT_SEED}.")] = None,
    anchor: Annotated[str | None, typer.Option(help="CSV: the item that scores 1000; else the mean of all does.")] = None,
    without: Annotated[list[str] | None, typer.Option(help="Leave out this condition; may be given several times.")] = None,
    regularise: Annotated[
        bool, typer.Option(help="Add half a win each way between every two conditions: finite scores for any votes, no verdict.")
    ] = False,
    secondary: Annotated[
        bool, typer.Option(help="Also fit a logistic GEE, and scores with raters weighted by agreement, into results.json.")
    ] = False,
) -> None:
    """Score the votes: how much each condition is preferred, with intervals, all differences, and the verdicts on the claims.

    An experiment's votes.parquet becomes its results.json; resamples, error rate, anchor and seed come from its study.toml.
    Where its [[exclusion]] rules removed votes, differences and verdicts are told without these rules too.
    Any CSV file (UTF-8, commas, a header row) becomes a results.json in the folder --out.

    Example: `tastebench analysis fit my-study`

    Example: `tastebench analysis fit votes.csv --left left --right right --choice answer --participant who --prompt scene --out scores`
    """
    columns = {"left": left, "right": right, "choice": choice, "participant": participant, "prompt": prompt}
    leave_out = without or []
    if path.is_dir():
        _refuse_csv_options(path, {**columns, "out": out, "resamples": resamples, "seed": seed, "anchor": anchor})
        experiment, settings = _opened(ctx, path)
        _show(fit_experiment(experiment, settings, leave_out=leave_out, regularise=regularise, secondary=secondary), experiment.results)
        typer.echo(f"Next: tastebench reports build {quote(str(path))}")
        return
    _require_csv_options(path, {"left": left, "right": right, "choice": choice, "out": out})
    results = fit_csv(
        path,
        Columns(left or "", right or "", choice or "", participant, prompt),
        out=out or Path(),
        seed=DEFAULT_SEED if seed is None else seed,
        table=AnalysisTable(resamples=resamples or _RESAMPLES, anchor=anchor),
        leave_out=leave_out,
        regularise=regularise,
        secondary=secondary,
    )
    _show(results, Experiment(out or Path()).results)


@app.command()
def claims(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The experiment: a folder with a study.toml.", show_default=False)],
) -> None:
    """Show the verdict on each claim of study.toml, in words, from results.json.

    SUPPORTED, CONTRADICTED, EQUIVALENT, INCONCLUSIVE or NOT TESTABLE: the interval of the difference decides, at the scope of
    [analysis]: by default for new participants and new prompts. FRAGILE: leaving out one participant, one prompt or the
    exclusions changes it. EXPLORATORY: the claims were not locked before the first vote (tastebench study lock).

    Example: `tastebench analysis claims my-study`
    """
    experiment, _ = _opened(ctx, folder)
    results = read_results(require(experiment.results, made_by=f"tastebench analysis fit {quote(str(folder))}"))
    for name in _changed_since(experiment, results):
        typer.echo(f"{name} changed after these results were made; to renew them: tastebench analysis fit {quote(str(folder))}")
    if results.claims:
        _console().print(_claim_table(results.claims))
    else:
        typer.echo("No claims: write what you expect as [[claim]] tables in study.toml, then run: tastebench analysis fit")


def _opened(ctx: typer.Context, folder: Path) -> tuple[Experiment, AnalysisSettings]:
    return cast("Callable[[Path], tuple[Experiment, AnalysisSettings]]", ctx.obj)(folder)


def _console() -> Console:
    # Names of conditions are text, also where they hold [brackets].
    return Console(markup=False, highlight=False)


def _refuse_csv_options(path: Path, options: Mapping[str, object]) -> None:
    given = [f"--{name}" for name, value in options.items() if value is not None]
    if given:
        raise ExperimentError(
            f"{path}: is an experiment folder, for which {', '.join(given)} cannot be given; its study.toml and votes.parquet tell it"
        )


def _require_csv_options(path: Path, options: Mapping[str, object]) -> None:
    if not path.exists() and path.suffix.lower() != ".csv":
        raise ExperimentError(f"{path}: no such folder or file; expected an experiment folder or a CSV file")
    missing = [f"--{name}" for name, value in options.items() if value is None]
    if missing:
        raise ExperimentError(f"{path}: is read as a CSV file, for which {', '.join(missing)} must be given; see --help for an example")


def _show(results: Results, written: Path) -> None:
    """Print scores, what they rest on, verdicts, what the intervals are, and where it all is."""
    console = _console()
    console.print(_score_table(results))
    console.print("", *_count_lines(results), sep="\n")
    if results.claims:
        console.print()
        console.print(_claim_table(results.claims))
    if results.without_exclusions is not None:
        console.print("", *_exclusion_lines(results, results.without_exclusions), sep="\n")
    weighted = results.further.get("rater weights", {})
    if weighted.get("scores"):
        console.print("", *_weighted_lines(weighted), sep="\n")
    console.print(f"\nInterval: {results.interval}. {_WHAT_THE_INTERVAL_IS_NOT}")
    if results.main_contrasts:
        console.print(f"Differences: {_OF_WHOM[results.main_contrasts[0].scope]}. They are not corrected for their number; claims are.\n")
    typer.echo(f"Written: {written}")


def _score_table(results: Results) -> Table:
    """Return the scores, highest first, and how far each is ahead of the next."""
    table = Table(box=None, pad_edge=False)
    table.add_column("condition")
    for heading in ("Elo", "from", "to", "votes", "ahead of next", "from", "to"):
        table.add_column(heading, justify="right", no_wrap=True)
    ahead = {(contrast.a, contrast.b): contrast for contrast in results.main_contrasts}
    for score, following in zip_longest(results.scores, results.scores[1:]):
        step = ahead.get((score.condition, following.condition)) if following else None
        lead = (f"{step.difference_elo:.1f}", f"{step.low:.1f}", f"{step.high:.1f}") if step else ()
        table.add_row(score.condition, f"{score.elo:.1f}", f"{score.low:.1f}", f"{score.high:.1f}", f"{score.votes:,}", *lead)
    return table


def _claim_table(found: tuple[ClaimResult, ...]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 1, 0))
    for heading in ("claim", "verdict", "in words"):
        table.add_column(heading, overflow="fold")
    for claim in found:
        table.add_row(claim.id, claim.verdict.replace(", ", ",\n"), f"{claim.sentence} Why: {claim.reason}.")
    return table


def _weighted_lines(weighted: Mapping[str, Any]) -> Iterator[str]:
    """Yield the scores with raters weighted, and what they are not."""
    yield "With raters weighted by agreement (Elo; unweighted, ties halved alike):"
    for score in weighted["scores"]:
        yield f"  {score['condition']}: {score['elo']:.1f} ({score['unweighted_elo']:.1f})"
    yield weighted["caveat"]


def _exclusion_lines(results: Results, everyone: WithoutExclusions) -> Iterator[str]:
    """Yield what the differences of neighbours and the verdicts would be had no rule removed anybody."""
    yield f"Without exclusions ({everyone.participants:,} participants and {everyone.votes:,} votes more):"
    if everyone.refused is not None:
        yield f"  no scores: {everyone.refused}"
    there = {(one.a, one.b): one for one in everyone.contrasts}
    main = {(one.a, one.b): one for one in results.main_contrasts}
    for pair in pairwise(score.condition for score in results.scores):
        if pair in main and pair in there:
            one = there[pair]
            told = f"{one.difference_elo:+.1f} Elo ({one.low:+.1f} to {one.high:+.1f})"
            yield f"  {one.a} minus {one.b}: {told}, with them {main[pair].difference_elo:+.1f}"
    for claim in results.claims:
        if claim.id in everyone.verdicts:
            same = "the same" if everyone.verdicts[claim.id] == claim.verdict else f"with them {claim.verdict}"
            yield f"  {claim.id}: {everyone.verdicts[claim.id]} ({same})"


def _count_lines(results: Results) -> Iterator[str]:
    counts = results.counts
    if results.regularised:
        yield "REGULARISED: half a made-up win each way between every two conditions; these numbers support no claim"
    yield f"{counts.votes:,} votes, {counts.ties:,} of them ties; {results.model}"
    yield f"{100 * counts.left_share:.1f} % of the decided votes chose the left side"
    if counts.participants is not None:
        simulated = f", {counts.simulated_participants:,} of them simulated" if counts.simulated_participants else ""
        yield f"{counts.participants:,} participants{simulated}"
    if counts.prompts is not None:
        yield f"{counts.prompts:,} prompts"
    if counts.same_condition:
        yield f"{counts.same_condition:,} more votes compare two images of one condition and say nothing about the scores"
    if counts.left_out:
        yield f"left out on request: {', '.join(counts.left_out)}"
    if counts.undecided_resamples:
        yield f"{counts.undecided_resamples:,} of {counts.resamples:,} resamples did not identify every score and are in no interval"
    if results.side:
        side = results.side
        yield f"the left side is worth {side.advantage_elo:+.1f} ± {side.standard_error:.1f} Elo (p = {side.p_value:.2g})"
    for model in results.tie_models[1:]:
        yield f"with ties after {model.name}, a win probability moves by {model.largest_change:.3f} at most"
    for one in results.refused:
        which = f"{one.a} minus {one.b}" if one.a else one.what
        yield f"not given: {which}: {one.reason}"


def _changed_since(experiment: Experiment, results: Results) -> Iterator[str]:
    """Yield the name of each input that is no longer what the results were made from."""
    made_from = {**results.provenance.get("inputs", {}), experiment.settings.name: results.provenance.get("settings_sha256")}
    for path in (experiment.settings, experiment.votes):
        if path.is_file() and made_from.get(path.name) != sha256(path):
            yield path.name
