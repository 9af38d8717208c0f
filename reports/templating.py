"""How a page is filled from its template: everything that is put in is text, and a name that is missing is an error."""

from pathlib import Path

import jinja2

from reports import sentences


def environment() -> jinja2.Environment:
    """Return what loads the templates of this room, with the filters that all pages use."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["verdict_kind"] = sentences.verdict_kind
    made.filters["sentence"] = sentences.sentence
    return made
