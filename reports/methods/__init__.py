"""The methods of a study in words, from what was recorded: every sentence names the field that it was read from."""

from collections.abc import Sequence

from reports.material import Material
from reports.methods.asking import asking, question
from reports.methods.fact import NOT_REPORTED, Fact, Paragraph
from reports.methods.images import images
from reports.methods.numbers import numbers
from reports.methods.people import people
from reports.settings import ReportSettings
from reports.tables import Column, Table, literal

__all__ = ["NOT_REPORTED", "Fact", "Paragraph", "as_markdown", "methods", "question", "source_table"]


def methods(material: Material, settings: ReportSettings | None) -> tuple[Paragraph, ...]:
    """Return the paragraphs that there is something to say in; what nothing records is not said."""
    made = (images(material, settings), people(material, settings), asking(material, settings), numbers(material, settings))
    return tuple(paragraph for paragraph in made if paragraph is not None and paragraph.facts)


def as_markdown(paragraphs: Sequence[Paragraph]) -> bytes:
    """Return the paragraphs as Markdown (UTF-8); names show as they are."""
    return ("\n\n".join(f"**{one.heading}.** {literal(one.words)}" for one in paragraphs) + "\n").encode()


def source_table(paragraphs: Sequence[Paragraph]) -> Table:
    """Return every sentence with the file and field that it was read from."""
    columns = (Column("part", "Part"), Column("sentence", "Sentence"), Column("source", "Read from"))
    rows = tuple((one.heading, fact.words, fact.source) for one in paragraphs for fact in one.facts)
    return Table("methods_sources", columns, rows, "Where each sentence of the methods comes from")
