"""The page of a comparison: studies side by side, as one HTML file that needs nothing else, with its figure and tables as files."""

from pathlib import Path

import jinja2

from reports import latex, sentences, tables
from reports.compared_study import Study
from reports.comparison import Comparison
from reports.comparison_figure import charted, comparison_plot
from reports.comparison_tables import comparison_tables
from reports.drawing import rendered
from reports.inline_figures import inline
from reports.templating import environment
from stimuli.experiment import Experiment, ExperimentError, write_whole


def write(found: Comparison, to: Path) -> Path:
    """Write index.html, figures/ and tables/ into `to`, and return the path of index.html; equal studies give equal bytes.

    Raises:
        ExperimentError: `to` is an experiment, a file, or a folder with other things in it.
    """
    _require_room(to)
    made = comparison_tables(found)
    figure = rendered(comparison_plot(found))
    for suffix, content in (("svg", figure.svg), ("pdf", figure.pdf), ("png", figure.png)):
        write_whole(to / "figures" / f"differences.{suffix}", content)
    for table in made.values():
        write_whole(to / "tables" / f"{table.name}.csv", tables.as_csv(table))
        write_whole(to / "tables" / f"{table.name}.md", tables.as_markdown(table))
        write_whole(to / "tables" / f"{table.name}.tex", latex.as_latex(table))
    write_whole(to / "tables" / "preamble.tex", latex.PREAMBLE.encode())
    page = (
        _environment()
        .get_template("comparison.html")
        .render(
            title=title(found),
            found=found,
            summary=summary(found),
            banner=banner(found),
            holds_for=sentences.holds_for(found.scope),
            figures={"differences": inline("differences", figure, number=1)},
            tables=made,
            charted=len(charted(found)),
            hidden=_hidden(found),
        )
    )
    write_whole(to / "index.html", page.encode())
    return to / "index.html"


def title(found: Comparison) -> str:
    """Return which studies are compared."""
    names = [study.name for study in found.studies]
    return f"{', '.join(names[:-1])} and {names[-1]} compared"


def summary(found: Comparison) -> list[str]:
    """Return what came out, in sentences: verdicts that agree, differences that moved, and what they say together."""
    told = []
    judged = [claim.same for claim in found.claims if claim.same is not None]
    if judged:
        undecided = sum(claim.undecided for claim in found.claims)
        also = f", {undecided} of them undecided in each" if undecided else ""
        told.append(f"{sum(judged)} of {len(judged)} claims that several studies make came out the same{also}.")
    elif found.claims:
        told.append("No claim is made by more than one of these studies.")
    else:
        told.append("None of these studies makes a claim.")
    moved = [one for pair in found.differences for one in pair.changes if one.p_value <= 0.05]
    every = sum(len(pair.changes) for pair in found.differences)
    told.append(
        f"{len(moved)} of {every} changes between studies {'has' if len(moved) == 1 else 'have'} an interval without zero; by chance "
        "alone one in twenty would, as they are not corrected for their number."
    )
    told.append(
        "The studies were not combined (see below)."
        if found.why_not
        else "Weighted means of the studies stand below, with what they take for granted."
    )
    return told


def banner(found: Comparison) -> str | None:
    """Return which studies were judged by programs; None where all participants are people, as far as is known."""
    programs = [study for study in found.studies if study.simulated]
    if not programs:
        return None
    told = "; ".join(f"{study.name}: {study.simulated} of {study.results.counts.participants}" for study in programs)
    return f"Simulated participants, programs with known tastes ({told}). What rests on them is no finding about people."


def _hidden(found: Comparison) -> tuple[str, ...]:
    """Return the columns of the table of means that would stand empty on the page, or say what the text above it says."""
    if found.why_not:
        return ("mean_elo", "low", "high", "df", "why_not")
    return ("f", "f_df") if any(pair.why_not for pair in found.differences) else ("f", "f_df", "why_not")


def _environment() -> jinja2.Environment:
    made = environment()
    made.globals["origin"] = _origin
    return made


def _origin(study: Study) -> list[tuple[str, str]]:
    provenance = study.results.provenance
    commit = provenance.get("git_commit")
    return [
        ("Analysed at", str(provenance.get("made_at") or "not recorded")),
        ("Code", f"commit {commit}" if commit else "commit not recorded"),
        ("Settings", str(provenance.get("settings_sha256") or "no study.toml")),
        *((name, digest) for name, digest in study.inputs.items()),
    ]


def _require_room(to: Path) -> None:
    if to.is_file():
        raise ExperimentError(f"{to}: is a file; give a folder with --to")
    if Experiment(to).settings.exists() or Experiment(to).results.exists():
        raise ExperimentError(f"{to}: is a study itself, whose own report a comparison must not mix with; give another folder with --to")
    if to.is_dir() and any(to.iterdir()) and not (to / "tables" / "changes.csv").is_file():
        raise ExperimentError(f"{to}: holds other things than a comparison; give another folder with --to")
