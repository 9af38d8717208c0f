"""Writes what a report says as LaTeX: text that shows as it is, tables with booktabs' rules, figures with their captions."""

import re
from collections.abc import Mapping, Sequence

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
}
_HEAD = (
    "% Made by tastebench. Needs \\usepackage{booktabs,longtable}, \\usepackage[T1]{fontenc} and \\usepackage{textcomp};\n"
    "% names in scripts that pdfLaTeX lacks want XeLaTeX or LuaLaTeX.\n"
)
# A column of longer texts gets a width of its own, in which they are broken; a longer table may run over pages.
_LONG_TEXT, _LONG_TABLE = 36, 40


def escaped(text: str) -> str:
    r"""Return `text` as LaTeX that prints it letter for letter, on one line; control characters are left out.

    >>> escaped("a_b & 50% $x$ # {}~^\\")
    'a\\_b \\& 50\\% \\$x\\$ \\# \\{\\}\\textasciitilde{}\\textasciicircum{}\\textbackslash{}'
    """
    line = re.sub(r"[ \t\r\n\f\v]+", " ", text)
    written = "".join(_WRITTEN.get(letter, letter) for letter in line if letter.isprintable() or letter in _WRITTEN)
    # Two hyphens or commas in a row would be a dash or a quotation mark.
    return re.sub(r"([-,])(?=\1)", r"\1{}", written)


def as_latex(table: Table) -> bytes:
    """Return the table as LaTeX (UTF-8), rounded as on the page; a long one may run over several pages."""
    shown = table.shown
    heads = [_head(column) for column in table.columns]
    lines = [
        " & ".join(heads),
        *(" & ".join(_cell(cell, column) for cell, column in zip(row, table.columns, strict=True)) for row in shown),
    ]
    body = [f"  {line} \\\\" for line in lines]
    caption, kinds = escaped(table.caption or table.name), _kinds(table.columns, shown)
    label = f"\\label{{tab:{_label(table.name)}}}"
    if len(shown) > _LONG_TABLE:
        made = [
            f"\\begin{{longtable}}{{{kinds}}}",
            f"  \\caption{{{caption}}}{label} \\\\",
            *("  \\toprule", body[0], "  \\midrule", "  \\endhead", *body[1:], "  \\bottomrule"),
            "\\end{longtable}",
        ]
    else:
        made = [
            "\\begin{table}[htbp]",
            "  \\centering",
            f"  \\caption{{{caption}}}{label}",
            f"  \\begin{{tabular}}{{{kinds}}}",
            *("  \\toprule", body[0], "  \\midrule", *body[1:], "  \\bottomrule"),
            "  \\end{tabular}",
            "\\end{table}",
        ]
    return (_HEAD + "\n".join(made) + "\n").encode()


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
                f"  \\includegraphics[width={widths[name]:.0f}mm]{{figures/{name}.pdf}}",
                f"  \\caption{{\\textbf{{{escaped(title)}}} {escaped(words)}}}\\label{{fig:{_label(name)}}}",
                "\\end{figure}",
            )
        )
        for name, (title, words) in captions.items()
    ]
    return ("% Made by tastebench. Needs \\usepackage{graphicx}.\n" + "\n\n".join(made) + "\n").encode()


def _kinds(columns: Sequence[Column], shown: Sequence[Sequence[str]]) -> str:
    """Return the columns' alignment: numbers to the right, texts to the left, long texts broken within shares of the line."""
    longest = [max((len(row[place]) for row in shown), default=0) for place in range(len(columns))]
    wide = [place for place, column in enumerate(columns) if not column.show and longest[place] > _LONG_TEXT]
    share = 0.8 / max(1, len(wide)) * (0.6 if len(columns) > len(wide) + 3 else 1)
    return "".join("r" if column.show else f"p{{{share:.2f}\\linewidth}}" if place in wide else "l" for place, column in enumerate(columns))


def _head(column: Column) -> str:
    return f"\\multicolumn{{1}}{{r}}{{{escaped(column.heading)}}}" if column.show else escaped(column.heading)


def _cell(text: str, column: Column) -> str:
    # A plus sign stands in mathematics as the minus does, so that both have one width.
    return escaped(text).replace("+", "$+$", 1) if column.show and text.startswith("+") else escaped(text)


def _label(name: str) -> str:
    return name.replace("_", "-")
