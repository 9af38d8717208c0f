"""How every figure looks and is saved: one style, type that travels with the file, and the same bytes for the same figure."""

import io
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib as mpl
import seaborn as sns
from matplotlib.figure import Figure

INK = "#1f2328"
FAINT = "#8a9099"

# Okabe and Ito's colours for every kind of colour vision, without the yellow, which vanishes on white paper.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# As many shapes as a figure is likely to hold conditions: black-and-white print tells them apart by shape alone.
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "<", ">", "p", "h", "*")

# Inches: the widths that journals set figures at, of 89, 136 and 183 mm: a column, one and a half, and the page.
COLUMN, HALF_MORE, PAGE = 89 / 25.4, 136 / 25.4, 183 / 25.4

# Points, at the width at which a figure is printed. Journals ask for 5 to 8; below 7 few can read with ease.
TEXT_SIZE, SMALL_SIZE = 8.0, 7.0


_DOTS = 300


@dataclass(frozen=True)
class Mark:
    """How one condition is drawn wherever it appears."""

    colour: str
    marker: str


@dataclass(frozen=True)
class Rendered:
    """One finished figure: as SVG for the page, PDF for a paper, PNG (300 dots an inch) for slides; `width` is in inches."""

    svg: bytes
    pdf: bytes
    png: bytes
    width: float


def marks(conditions: Sequence[str]) -> dict[str, Mark]:
    """Return one mark a condition; no two are equal for up to 84 conditions.

    >>> marks(["own", "others"])["others"]
    Mark(colour='#D55E00', marker='s')
    """
    return {name: Mark(COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)]) for i, name in enumerate(conditions)}


def column_width(wanted: float) -> float:
    """Return the narrowest width of a column (inches) that holds a figure which wants `wanted` inches; a wider one keeps its own.

    >>> round(column_width(3.0) * 25.4), round(column_width(4.0) * 25.4), column_width(9.0)
    (89, 136, 9.0)
    """
    return next((width for width in (COLUMN, HALF_MORE, PAGE) if width >= wanted), wanted)


def wrapped(name: str, width: int) -> str:
    """Return `name` in lines of at most `width` characters, so that no name, however long, pushes a figure apart.

    >>> wrapped("a-condition-with-a-very-long-name", 16)
    'a-condition-\\nwith-a-very-\\nlong-name'
    """
    return "\n".join(textwrap.wrap(name, width)) or " "


def shortened(name: str, width: int) -> str:
    """Return `name` in at most `width` characters on one line: a longer one loses its middle, since names differ at their ends.

    >>> shortened("a-condition-with-a-very-long-name", 16), shortened("own", 16)
    ('a-condit…ng-name', 'own')
    """
    head = (width - 1) - (width - 1) // 2
    return name if len(name) <= width else f"{name[:head].rstrip()}\N{HORIZONTAL ELLIPSIS}{name[-((width - 1) // 2) :].lstrip()}"


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the style of these reports; matplotlib's settings are as before afterwards."""
    style = sns.axes_style("ticks") | {
        "font.family": ["DejaVu Sans"],  # comes with matplotlib, so a figure is the same on every machine
        "font.size": TEXT_SIZE,
        "axes.labelsize": TEXT_SIZE,
        "axes.titlesize": TEXT_SIZE,
        "xtick.labelsize": TEXT_SIZE - 0.5,
        "ytick.labelsize": TEXT_SIZE,
        "legend.fontsize": TEXT_SIZE - 0.5,
        "axes.linewidth": 0.7,
        "xtick.major.width": 0.7,
        "ytick.major.width": 0.7,
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "axes.edgecolor"), INK),
        "text.parse_math": False,  # a "$" in a name is a dollar
        "axes.unicode_minus": True,
        "svg.fonttype": "path",  # letters as outlines: no viewer's own font can move or clip a label; tables hold the text
        "svg.hashsalt": "tastebench",
        "pdf.fonttype": 42,  # whole TrueType fonts, which publishers accept and editors can edit
    }
    with mpl.rc_context(style), warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes; every name also stands as text in a table.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        yield


def rendered(figure: Figure) -> Rendered:
    """Return `figure` in its three formats, all laid out alike; equal figures give equal bytes."""
    with house_style():
        figure.set_dpi(_DOTS)  # at fewer dots an inch small letters are measured too narrow
        figure.draw_without_rendering()
    figure.set_layout_engine("none")  # laid out once: the formats measure text a little differently
    return Rendered(
        svg=_saved(figure, "svg", {"Date": None, "Creator": None, "Format": None, "Type": None}),
        pdf=_saved(figure, "pdf", {"CreationDate": None}),
        png=_saved(figure, "png", {}),
        width=float(figure.get_figwidth()),
    )


def _saved(figure: Figure, kind: str, metadata: dict[str, None]) -> bytes:
    buffer = io.BytesIO()
    with house_style():
        figure.savefig(buffer, format=kind, metadata=metadata, dpi=_DOTS, facecolor="white")
    return buffer.getvalue()
