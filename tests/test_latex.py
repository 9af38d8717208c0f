"""LaTeX: whatever people called things prints letter for letter, and every table is one that LaTeX can set."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.latex import as_latex, escaped, figures, paragraphs
from reports.tables import Column, Table, signed

HOSTILE = r"a_b & 50% $x$ # {}~^\ "
# What each command that an escaped text may hold prints.
PRINTS = {
    r"\textbackslash{}": "\\",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    r"\textless{}": "<",
    r"\textgreater{}": ">",
    r"\textbar{}": "|",
    r"\textquotedbl{}": '"',
    r"\textasciigrave{}": "`",
    r"\textquotesingle{}": "'",
    r"\textendash{}": "–",
    r"\textemdash{}": "—",
    r"\textquotedblleft{}": "“",
    r"\textquotedblright{}": "”",
    r"\textquoteleft{}": "‘",
    r"\textquoteright{}": "’",
    r"\textperiodcentered{}": "·",
    r"\ldots{}": "…",
    "$-$": "\N{MINUS SIGN}",
    r"$\times$": "×",
    r"$\pm$": "±",
    r"$\leq$": "≤",
    r"$\geq$": "≥",
    r"$\to$": "→",
    "{[}": "[",
    "{]}": "]",
    "{*}": "*",
    "-{}": "-",
    ",{}": ",",
    "~": "\N{NO-BREAK SPACE}",
    **{rf"\{mark}": mark for mark in "{}$&%#_"},
}
TOKEN = re.compile(
    "|".join(re.escape(command) for command in sorted(PRINTS, key=len, reverse=True)) + r"|[^\\{}$&%#_^~<>|\"`\[\]*]", re.DOTALL
)


def printed(tex: str) -> str:
    """Return what LaTeX prints for `tex`; anything that it could take for more than text is an error."""
    at, found = 0, []
    while at < len(tex):
        token = TOKEN.match(tex, at)
        assert token, f"not text at {tex[at:]!r}"
        found.append(PRINTS.get(token[0], token[0]))
        at = token.end()
    assert not re.search(r"--|,,", re.sub(r"-\{\}|,\{\}", "\0", tex)), "two hyphens would be a dash"
    return "".join(found)


@pytest.mark.parametrize(
    "text", [HOSTILE, "--- ,, -- ``''", "[0] *", r"\input{/etc/passwd}", "−3 × 4 ± “a”…", "$$ %% ~~ ^^M", "a\\\\[2em]b"]
)
def test_hostile_text_prints_as_it_is(text: str) -> None:
    assert printed(escaped(text)) == text


@given(st.text(st.characters(exclude_categories=("C", "Zl", "Zp", "Zs")) | st.sampled_from("\\{}$&%#_^~<>|\"`'[]*-, ")))
def test_any_text_prints_as_it_is(text: str) -> None:
    assert printed(escaped(text)) == re.sub(" +", " ", text)


def test_lines_and_control_characters_do_not_end_a_row() -> None:
    assert escaped("a\n\nb\tc\x00\x1b") == "a b c"


def rows_of(tex: str) -> list[str]:
    """Return the rows of a table: what stands between its rules, without the ends of rows."""
    body = tex[tex.index("\\toprule") : tex.index("\\bottomrule")]
    return [line.strip().removesuffix(" \\\\") for line in body.splitlines() if line.endswith("\\\\")]


def cells_of(row: str) -> list[str]:
    return re.split(r"(?<!\\)&", row)


@pytest.mark.parametrize("rows", [3, 90])
def test_every_row_has_as_many_cells_as_columns_and_numbers_stand_to_the_right(rows: int) -> None:
    columns = (Column("a", HOSTILE), Column("elo", "[x] & y", signed), Column("why", "Why"))
    table = Table("made_up", columns, tuple((HOSTILE, 3.2 - i, "[word] " * 12) for i in range(rows)), HOSTILE)
    tex = as_latex(table).decode()
    assert len(rows_of(tex)) == rows + 1
    assert all(len(cells_of(row)) == 3 for row in rows_of(tex))
    kinds = re.search(r"\\begin\{(?:tabular|longtable)\}\{(.*)\}$", tex, re.MULTILINE)
    assert kinds and re.fullmatch(r"lrp\{0\.\d+\\linewidth\}", kinds[1])
    assert ("longtable" in tex.split("\n", 2)[2]) == (rows > 40)
    assert tex.count("\\begin{") == tex.count("\\end{")
    assert all(tex.count(rule) == 1 for rule in ("\\toprule", "\\midrule", "\\bottomrule"))
    assert f"\\caption{{{escaped(HOSTILE)}}}" in tex
    # What follows the end of a row must not be taken for its option.
    assert not re.search(r"\\\\\s*[\[*]|\\midrule\s*[\[*]", tex)


def test_plus_and_minus_are_both_mathematics() -> None:
    table = Table("t", (Column("a", "A"), Column("d", "D", signed)), (("x", 3), ("y", -3)))
    assert [cells_of(row)[1].strip() for row in rows_of(as_latex(table).decode())[1:]] == ["$+$3", "$-$3"]


def test_figures_and_paragraphs_carry_escaped_words() -> None:
    assert f"\\paragraph{{{escaped(HOSTILE)}}}\n{escaped(HOSTILE)}" in paragraphs([(HOSTILE, HOSTILE)]).decode()
    tex = figures({"win_rates": (HOSTILE, HOSTILE)}, {"win_rates": 89.0}).decode()
    assert "width=89mm]{figures/win_rates.pdf}" in tex
    assert "\\label{fig:win-rates}" in tex
