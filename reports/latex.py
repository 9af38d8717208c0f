"""Writes what a report says as LaTeX: text that shows as it is, tables with booktabs' rules, figures with their captions."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from reports.latex_columns import LAYOUTS, laid_out
from reports.tables import Column, Table

# What LaTeX would take for a command, a ligature or another letter, and how it is written instead.
_WRITTEN = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}",
    # After \\ these would begin an option of it.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    "\N{NO-BREAK SPACE}": "~",
    "\N{MINUS SIGN}": "$-$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{LESS-THAN OR EQUAL TO}": r"$\leq$",
    "\N{GREATER-THAN OR EQUAL TO}": r"$\geq$",
    "\N{EN DASH}": r"\textendash{}",
    "\N{EM DASH}": r"\textemdash{}",
    "\N{LEFT DOUBLE QUOTATION MARK}": r"\textquotedblleft{}",
    "\N{RIGHT DOUBLE QUOTATION MARK}": r"\textquotedblright{}",
    "\N{LEFT SINGLE QUOTATION MARK}": r"\textquoteleft{}",
    "\N{RIGHT SINGLE QUOTATION MARK}": r"\textquoteright{}",
    "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}",
    "\N{MIDDLE DOT}": r"\textperiodcentered{}",
    "\N{RIGHTWARDS ARROW}": r"$\to$",
    "\N{ALMOST EQUAL TO}": r"$\approx$",
    "\N{NOT EQUAL TO}": r"$\neq$",
    "\N{INFINITY}": r"$\infty$",
    # What pdfLaTeX has no letters for, and what statistics are called.
    "\N{GREEK SMALL LETTER ALPHA}": r"$\alpha$",
    "\N{GREEK SMALL LETTER BETA}": r"$\beta$",
    "\N{GREEK SMALL LETTER GAMMA}": r"$\gamma$",
    "\N{GREEK SMALL LETTER DELTA}": r"$\delta$",
    "\N{GREEK SMALL LETTER EPSILON}": r"$\varepsilon$",
    "\N{GREEK SMALL LETTER ZETA}": r"$\zeta$",
    "\N{GREEK SMALL LETTER ETA}": r"$\eta$",
    "\N{GREEK SMALL LETTER THETA}": r"$\theta$",
    "\N{GREEK SMALL LETTER IOTA}": r"$\iota$",
    "\N{GREEK SMALL LETTER KAPPA}": r"$\kappa$",
    "\N{GREEK SMALL LETTER LAMDA}": r"$\lambda$",
    "\N{GREEK SMALL LETTER MU}": r"$\mu$",
    "\N{GREEK SMALL LETTER NU}": r"$\nu$",
    "\N{GREEK SMALL LETTER XI}": r"$\xi$",
    "\N{GREEK SMALL LETTER OMICRON}": r"$o$",
    "\N{GREEK SMALL LETTER PI}": r"$\pi$",
    "\N{GREEK SMALL LETTER RHO}": r"$\rho$",
    "\N{GREEK SMALL LETTER FINAL SIGMA}": r"$\varsigma$",
    "\N{GREEK SMALL LETTER SIGMA}": r"$\sigma$",
    "\N{GREEK SMALL LETTER TAU}": r"$\tau$",
    "\N{GREEK SMALL LETTER UPSILON}": r"$\upsilon$",
    "\N{GREEK SMALL LETTER PHI}": r"$\varphi$",
    "\N{GREEK SMALL LETTER CHI}": r"$\chi$",
    "\N{GREEK SMALL LETTER PSI}": r"$\psi$",
    "\N{GREEK SMALL LETTER OMEGA}": r"$\omega$",
    "\N{GREEK CAPITAL LETTER GAMMA}": r"$\Gamma$",
    "\N{GREEK CAPITAL LETTER DELTA}": r"$\Delta$",
    "\N{GREEK CAPITAL LETTER THETA}": r"$\Theta$",
    "\N{GREEK CAPITAL LETTER LAMDA}": r"$\Lambda$",
    "\N{GREEK CAPITAL LETTER XI}": r"$\Xi$",
    "\N{GREEK CAPITAL LETTER PI}": r"$\Pi$",
    "\N{GREEK CAPITAL LETTER SIGMA}": r"$\Sigma$",
    "\N{GREEK CAPITAL LETTER PHI}": r"$\Phi$",
    "\N{GREEK CAPITAL LETTER PSI}": r"$\Psi$",
    "\N{GREEK CAPITAL LETTER OMEGA}": r"$\Omega$",
}
_HEAD = "% Made by tastebench. Needs the packages in preamble.tex.\n"
PREAMBLE = r"""% What the tables, captions and methods of this report need. Names in scripts that pdfLaTeX lacks want LuaLaTeX or XeLaTeX.
\usepackage{iftex}
\ifPDFTeX
  \usepackage[T1]{fontenc}
  \usepackage{lmodern,textcomp}
\else
  \usepackage{fontspec}
\fi
\usepackage{array,booktabs,longtable,graphicx}
% Wide tables stand sideways.
\usepackage{rotating,pdflscape}
"""
# A longer table may run over pages.
_LONG_TABLE = 40


def escaped(text: str) -> str:
    r"""Return `text` as LaTeX that prints it letter for letter, on one line; control characters are left out.

    >>> escaped("a_b & 50% $x$ # {}~^\\")
    'a\\_b \\& 50\\% \\$x\\$ \\# \\{\\}\\textasciitilde{}\\textasciicircum{}\\textbackslash{}'
    """
    # Letters with their accents, which pdfLaTeX does not put together.
    line = re.sub(r"[ \t\r\n\f\v]+", " ", unicodedata.normalize("NFC", text))
    written = "".join(_WRITTEN.get(letter, letter) for letter in line if letter.isprintable() or letter in _WRITTEN)
    # Two hyphens or commas in a row would be a dash or a quotation mark.
    return re.sub(r"([-,])(?=\1)", r"\1{}", written)


def as_latex(table: Table) -> bytes:
    """Return the table as LaTeX (UTF-8), rounded as on the page; a long one may run over pages, and a wide one stands sideways."""
    shown = table.shown
    layout, columns = laid_out(table.columns, shown)
    head = " & ".join(_head(column, place.head) for column, place in zip(table.columns, columns, strict=True)) + r" \\"
    body = [" & ".join(_cell(cell, column) for cell, column in zip(row, table.columns, strict=True)) + r" \\" for row in shown]
    caption = f"\\caption{{{escaped(table.caption or table.name)}}}\\label{{tab:{_label(table.name)}}}"
    kinds = "".join(place.kind for place in columns)
    made = _long(kinds, caption, head, body) if len(body) > _LONG_TABLE else _floating(kinds, caption, head, body, layout.turned)
    if len(body) > _LONG_TABLE:
        made = ["\\begin{landscape}", *made, "\\end{landscape}"] if layout.turned else made
        made = ["\\begingroup", layout.size, *made, "\\endgroup"] if layout.size else made
    elif layout.size:
        made.insert(2, f"  {layout.size}")
    wide = ["% Wider than a page even sideways: leave columns out."] if layout == LAYOUTS[-1] else []
    return (_HEAD + "\n".join([*wide, *made]) + "\n").encode()


def _floating(kinds: str, caption: str, head: str, body: Sequence[str], turned: bool) -> list[str]:
    name, where = ("sidewaystable", "[p]") if turned else ("table", "[htbp]")
    return [
        f"\\begin{{{name}}}{where}",
        "  \\centering",
        f"  {caption}",
        f"  \\begin{{tabular}}{{{kinds}}}",
        *(f"  {line}" for line in ("\\toprule", head, "\\midrule", *body, "\\bottomrule")),
        "  \\end{tabular}",
        f"\\end{{{name}}}",
    ]


def _long(kinds: str, caption: str, head: str, body: Sequence[str]) -> list[str]:
    # The caption stands in the first head alone: in every head it would be numbered on every page.
    heads = (f"{caption} \\\\", "\\toprule", head, "\\midrule", "\\endfirsthead", "\\toprule", head, "\\midrule", "\\endhead")
    feet = ("\\bottomrule", "\\endfoot", "\\bottomrule", "\\endlastfoot")
    return [f"\\begin{{longtable}}{{{kinds}}}", *(f"  {line}" for line in (*heads, *feet, *body)), "\\end{longtable}"]


def paragraphs(parts: Sequence[tuple[str, str]]) -> bytes:
    """Return headed paragraphs as LaTeX (UTF-8)."""
    return (_HEAD + "\n\n".join(f"\\paragraph{{{escaped(head)}}}\n{escaped(text)}" for head, text in parts) + "\n").encode()


def figures(captions: Mapping[str, tuple[str, str]], widths: Mapping[str, float]) -> bytes:
    """Return each figure with its caption (title, words) as LaTeX (UTF-8); the files are in figures/, `widths` are in millimetres."""
    made = [
        "\n".join(
            (
                "\\begin{figure}[htbp]",
                "  \\centering",
                f"  \\includegraphics[width={_at_most_the_line(widths[name])}]{{figures/{name}.pdf}}",
                f"  \\caption{{\\textbf{{{escaped(title)}}} {escaped(words)}}}\\label{{fig:{_label(name)}}}",
                "\\end{figure}",
            )
        )
        for name, (title, words) in captions.items()
    ]
    return (
        _HEAD
        + "% LaTeX looks for figures/ beside the document; \\graphicspath{{report/}} tells it where else.\n"
        + "\n\n".join(made)
        + "\n"
    ).encode()


def document(inputs: Sequence[str]) -> bytes:
    r"""Return a document that sets all of `inputs`, files beside text/ named from there, to look at or to copy from (UTF-8)."""
    lines = (
        "% Made by tastebench: everything of this report that a paper may take over. Run pdflatex, or lualatex, in the folder text.",
        r"\documentclass{article}",
        r"\input{preamble}",
        r"\graphicspath{{../}}",
        r"\begin{document}",
        *(f"\\input{{{name}}}\n\\clearpage" for name in inputs),
        r"\end{document}",
    )
    return ("\n".join(lines) + "\n").encode()


def _at_most_the_line(millimetres: float) -> str:
    return f"\\ifdim{millimetres:.0f}mm>\\linewidth\\linewidth\\else{millimetres:.0f}mm\\fi"


def _head(column: Column, kind: str) -> str:
    return f"\\multicolumn{{1}}{{{kind}}}{{{escaped(column.heading)}}}"


def _cell(text: str, column: Column) -> str:
    # A plus sign stands in mathematics as the minus does, so that both have one width.
    return escaped(text).replace("+", "$+$", 1) if column.show and text.startswith("+") else escaped(text)


def _label(name: str) -> str:
    return name.replace("_", "-")
