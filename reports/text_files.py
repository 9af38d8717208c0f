"""What a paper takes over as text: methods and captions, as Markdown and as LaTeX, and every table in three formats."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from reports import latex
from reports.captions import captions
from reports.drawing import Rendered
from reports.methods import Paragraph, as_markdown
from reports.tables import Table, as_csv, literal
from reports.tables import as_markdown as table_as_markdown
from stimuli.experiment import write_whole

_MILLIMETRES = 25.4


def write_texts(folder: Path, paragraphs: Sequence[Paragraph], figures: Mapping[str, Rendered], *, html: str) -> None:
    """Write methods and the figures' captions, which are those of the page `html`, as .md and .tex into `folder`.

    preamble.tex there names the packages that LaTeX needs, and all.tex sets everything, with the tables in ../tables.
    """
    if paragraphs:
        write_whole(folder / "methods.md", as_markdown(paragraphs))
        write_whole(folder / "methods.tex", latex.paragraphs([(one.heading, one.words) for one in paragraphs]))
    told = {name: caption for name, caption in captions(html).figures.items() if name in figures}
    if told:
        lines = [f"**{literal(title)}** {literal(words)} (`figures/{name}.pdf`)" for name, (title, words) in told.items()]
        write_whole(folder / "captions.md", ("\n\n".join(lines) + "\n").encode())
        widths = {name: figure.width * _MILLIMETRES for name, figure in figures.items()}
        write_whole(folder / "captions.tex", latex.figures(told, widths))
    tables = [name for name in captions(html).tables if (folder.parent / "tables" / f"{name}.tex").is_file()]
    inputs = [*(["methods"] if paragraphs else []), *(["captions"] if told else []), *(f"../tables/{name}" for name in tables)]
    write_whole(folder / "preamble.tex", latex.PREAMBLE.encode())
    write_whole(folder / "all.tex", latex.document(inputs))


def write_tables(folder: Path, tables: Mapping[str, Table], *, html: str) -> None:
    """Write each table as CSV, Markdown and LaTeX into `folder`, under the caption that the page `html` gives it."""
    said = captions(html).tables
    for table in tables.values():
        told = replace(table, caption=said.get(table.name) or table.caption)
        write_whole(folder / f"{table.name}.csv", as_csv(told))
        write_whole(folder / f"{table.name}.md", table_as_markdown(told))
        write_whole(folder / f"{table.name}.tex", latex.as_latex(told))
