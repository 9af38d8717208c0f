"""How Sphinx builds the site: from the READMEs where they stand, so that the source folder is the root of the repository."""

import tomllib
from pathlib import Path

from sphinx.application import Sphinx

_ROOT = Path(__file__).parents[1]
_PROJECT = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = "tastebench"
author = "The tastebench authors"
version = release = _PROJECT["version"]
language = "en-GB"

extensions = ["myst_parser"]
root_doc = "README"
# Named one by one: a researcher's own experiments and a virtual environment may stand in the same folder.
include_patterns = ["*.md", "benchmarks/*.md", "docs/*.md", "stimuli/*.md", "study/*.md", "analysis/*.md", "reports/*.md", "examples/**.md"]
exclude_patterns = ["docs/_build"]
myst_heading_anchors = 4

html_theme = "furo"
html_title = f"tastebench {release}"
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
# Removed lines in red and added ones in green.
pygments_style = "default"
html_static_path = ["_static"]
html_css_files = ["site.css"]

# The left column. It is added here because a code host would show it in the README as a list of file names.
_CONTENTS = """

```{toctree}
:hidden:
:caption: Start

docs/tutorial
docs/own-images
docs/running-a-study
docs/interpreting-verdicts
docs/from-the-paper
```

```{toctree}
:hidden:
:caption: The four rooms

stimuli: make the images <stimuli/README>
study: ask people <study/README>
analysis: answer <analysis/README>
reports: tell <reports/README>
```

```{toctree}
:hidden:
:caption: Look up

docs/settings
docs/commands
docs/words
stimuli/DATA
docs/attacks
benchmarks/README
CHANGELOG
CONTRIBUTING
```
"""


def _add_contents(_app: Sphinx, docname: str, source: list[str]) -> None:
    if docname == root_doc:
        source[0] += _CONTENTS


def _write_front_door(app: Sphinx, error: Exception | None) -> None:
    """A web server looks for index.html, and the README is what should be there."""
    if error is None and app.builder.format == "html":
        (Path(app.outdir) / "index.html").write_bytes((Path(app.outdir) / f"{root_doc}.html").read_bytes())


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the contents and the front door to the build."""
    app.connect("source-read", _add_contents)
    app.connect("build-finished", _write_front_door)
    return {"parallel_read_safe": True}
