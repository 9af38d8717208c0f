"""Reads LaTeX as strictly as a compiler would, as far as this project writes it: what it would stop at is an error here."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

# Everything that may stand in the files; a command that is not here is a slip, or a name that was not escaped.
KNOWN = frozenset(
    (
        *[
            "begin",
            "end",
            "caption",
            "label",
            "centering",
            "textbf",
            "paragraph",
            "includegraphics",
            "multicolumn",
            "linewidth",
            "ifdim",
            "else",
            "fi",
            "input",
            "documentclass",
        ],
        *[
            "toprule",
            "midrule",
            "bottomrule",
            "endfirsthead",
            "endhead",
            "endfoot",
            "endlastfoot",
            "raggedright",
            "raggedleft",
            "arraybackslash",
        ],
        *["footnotesize", "tiny", "setlength", "tabcolsep", "begingroup", "endgroup", "graphicspath", "clearpage"],
        *[
            "textbackslash",
            "textasciitilde",
            "textasciicircum",
            "textless",
            "textgreater",
            "textbar",
            "textquotedbl",
            "textasciigrave",
            "textquotesingle",
        ],
        *[
            "textendash",
            "textemdash",
            "textquotedblleft",
            "textquotedblright",
            "textquoteleft",
            "textquoteright",
            "textperiodcentered",
            "ldots",
        ],
        *[
            "times",
            "pm",
            "leq",
            "geq",
            "to",
            "approx",
            "neq",
            "infty",
            "alpha",
            "beta",
            "gamma",
            "delta",
            "varepsilon",
            "zeta",
            "eta",
            "theta",
            "iota",
            "kappa",
            "lambda",
            "mu",
            "nu",
            "xi",
            "pi",
            "rho",
        ],
        *[
            "varsigma",
            "sigma",
            "tau",
            "upsilon",
            "varphi",
            "chi",
            "psi",
            "omega",
            "Gamma",
            "Delta",
            "Theta",
            "Lambda",
            "Xi",
            "Pi",
            "Sigma",
            "Phi",
            "Psi",
            "Omega",
        ],
    )
)
TOKEN = re.compile(r"\\[A-Za-z]+|\\.|%[^\n]*\n|.", re.DOTALL)
_OPENED = re.compile(r"\\(begin|end)\{([a-z]+\*?)\}")
_FILE = re.compile(r"(\\(?:includegraphics\[[^\]]*\]|input|graphicspath)\{)[^{}\n]*")
_TABLE = re.compile(r"\\begin\{(?:tabular|longtable)\}(?P<rest>.*?)\\end\{(?:tabular|longtable)\}", re.DOTALL)


@dataclass(frozen=True)
class Read:
    """The table in a file: how many `columns` it says it has, and the cells of each row."""

    columns: int
    rows: tuple[tuple[str, ...], ...]


def require_whole(tex: str) -> None:
    """Raise an `AssertionError` where braces, environments, conditions or mathematics stay open, or where a character is no text."""
    depth, mathematics, conditions = 0, False, 0
    for token in TOKEN.findall(_FILE.sub(r"\1", tex)):
        if token.startswith("\\") and token[1:].isalpha():
            assert token[1:] in KNOWN, f"{token} is no command that this project writes"
            conditions += {"\\ifdim": 1, "\\fi": -1}.get(token, 0)
        elif token in "{}":
            depth += 1 if token == "{" else -1
            assert depth >= 0, "a brace is closed that was not opened"
        elif token == "$":
            mathematics = not mathematics
        elif token == "\n":
            assert not mathematics, "mathematics runs over the end of a line"
        elif token in "#^_":
            raise AssertionError(f"{token} stands bare")
        elif not token.startswith(("%", "\\")):
            assert mathematics or is_letter(token), f"pdfLaTeX has no {unicodedata.name(token, repr(token))}"
    assert (depth, mathematics, conditions) == (0, False, 0), "something is left open"
    opened: list[str] = []
    for what, name in _OPENED.findall(tex):
        if what == "begin":
            opened.append(name)
        else:
            assert opened and opened.pop() == name, f"{name} ends and was not the last to begin"
    assert not opened


def is_letter(character: str) -> bool:
    """Return whether pdfLaTeX prints a character as it is, with T1 fonts: ASCII, Latin-1 and most of Latin Extended-A."""
    return character == "\n" or " " <= character <= "~" or "\u00a1" <= character <= "\u017f"


def tables(tex: str) -> Iterator[Read]:
    """Yield each table, read row by row; `require_whole` comes first."""
    for found in _TABLE.finditer(tex):
        spec, body = braced(found["rest"])
        body = re.sub(r"\\caption.*\\\\\n", "", body, count=1)
        body = re.sub(r"\\(?:top|mid|bottom)rule|\\end(?:firsthead|head|foot|lastfoot)", "", body)
        *rows, rest = split(body, "\\\\")
        assert not rest.strip(), f"{rest!r} stands behind the last row"
        yield Read(width(spec), tuple(tuple(split(row, "&")) for row in rows))


def width(spec: str) -> int:
    """Return how many columns a specification has: letters, widths in braces, and what comes before a column."""
    while "{" in spec:
        place = spec.index("{")
        _, rest = braced(spec[place:])
        spec = spec[:place] + rest
    kinds = spec.replace(">", "")
    assert set(kinds) <= set("lrp"), f"{kinds} holds other columns than this project writes"
    return len(kinds)


def braced(tex: str) -> tuple[str, str]:
    """Return what stands in the braces that `tex` begins with, and what comes behind them."""
    assert tex.startswith("{"), tex[:20]
    depth, at = 0, 0
    for token in TOKEN.findall(tex):
        depth += {"{": 1, "}": -1}.get(token, 0)
        at += len(token)
        if not depth:
            return tex[1 : at - 1], tex[at:]
    raise AssertionError("a brace stays open")


def split(tex: str, by: str) -> list[str]:
    """Return the parts of `tex` between each `by` that stands in no braces."""
    parts, depth = [""], 0
    for token in TOKEN.findall(tex):
        depth += {"{": 1, "}": -1}.get(token, 0)
        if token == by and not depth:
            parts.append("")
        else:
            parts[-1] += token
    return parts
