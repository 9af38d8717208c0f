"""LaTeX: whatever people called things prints letter for letter, and every table is one that LaTeX can set."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from latex_read import Read, is_letter, require_whole, tables

from reports.latex import PREAMBLE, as_latex, document, escaped, figures, paragraphs
from reports.latex_columns import LAYOUTS, laid_out
from reports.tables import Column, Table, decimals, signed

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
    r"$\approx$": "≈",
    r"$\neq$": "≠",
    r"$\infty$": "∞",
    r"$\tau$": "τ",
    r"$\Delta$": "Δ",
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
    assert printed(_without_greek(escaped(text))) == re.sub(" +", " ", _without_greek(unicodedata.normalize("NFC", text)))


def _without_greek(text: str) -> str:
    """Return a text with one letter for each Greek one: their names are tested one by one."""
    return re.sub(r"\$\\?(?:[vV]?[A-Za-z]+|o)\$", lambda found: found[0] if found[0] in PRINTS else "τ", re.sub("[Α-Ωα-ω]", "τ", text))


def test_lines_and_control_characters_do_not_end_a_row() -> None:
    assert escaped("a\n\nb\tc\x00\x1b") == "a b c"


TEXTS = st.lists(st.sampled_from([*"_%&#${}~^\\<>“”–−×≥é|[]*\"'`,-ab \n\tτ", "e\u0301"]), max_size=60).map("".join)


def the_table(tex: str) -> Read:
    require_whole(tex)
    (found,) = tables(tex)
    return found


@given(st.lists(st.tuples(TEXTS, st.floats(-1e4, 1e4), TEXTS), max_size=50), TEXTS, TEXTS)
def test_whatever_a_table_holds_latex_can_set_it(rows: list[tuple[str, float, str]], heading: str, caption: str) -> None:
    columns = (Column("a", heading), Column("elo", "Elo [x] & y", signed), Column("why", "Why"))
    found = the_table(as_latex(Table("made_up", columns, tuple(rows), caption)).decode())
    heads = 2 if len(rows) > 40 else 1
    assert found.columns == 3
    assert len(found.rows) == heads + len(rows)
    assert all(len(row) == 3 for row in found.rows)
    for row, cells in zip(rows, found.rows[heads:], strict=True):
        assert [printed(_without_greek(cells[place].strip())) for place in (0, 2)] == [
            printed(_without_greek(escaped(row[place]))).strip() for place in (0, 2)
        ]
        assert re.fullmatch(r"(?:\$[-+]\$)?\d+", cells[1].strip())


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=4))
def test_whatever_is_said_latex_can_set_it(parts: list[tuple[str, str]]) -> None:
    require_whole(paragraphs(parts).decode())
    told = {f"figure_{'abcd'[number]}": part for number, part in enumerate(parts)}
    require_whole(figures(told, dict.fromkeys(told, 183.0)).decode())


def test_the_reader_notices_what_latex_would_stop_at() -> None:
    for wrong in ("a_b", "50% {", "$x\n$", "\\foo", "}{", "\\begin{table}", "−3", "e\u0301", "日", "\\ifdim1pt>2pt"):
        with pytest.raises(AssertionError):
            require_whole(wrong)
    with pytest.raises(AssertionError, match="behind the last row"):
        list(tables("\\begin{tabular}{lr}\n a & b\n\\end{tabular}"))


def test_every_greek_letter_has_its_name() -> None:
    for letter in "αβγδεζηθικλμνξοπρςστυφχψωΓΔΘΛΞΠΣΦΨΩ":
        require_whole(escaped(letter))
    assert escaped("K = 5, τ = 0.1 (Δ ≈ 0)") == r"K = 5, $\tau$ = 0.1 ($\Delta$ $\approx$ 0)"


def test_accents_are_put_on_their_letters() -> None:
    assert escaped("Zoe\u0308") == "Zoë"
    assert is_letter("ë")


@pytest.mark.parametrize("rows", [3, 90])
def test_a_long_table_has_its_caption_once_and_its_head_on_every_page(rows: int) -> None:
    columns = (Column("a", HOSTILE), Column("elo", "[x] & y", signed), Column("why", "Why"))
    tex = as_latex(Table("made_up", columns, tuple((HOSTILE, 3.2 - i, "[word] " * 12) for i in range(rows)), HOSTILE)).decode()
    found, long = the_table(tex), rows > 40
    assert len(found.rows) == rows + 1 + long
    assert ("longtable" in tex.split("\n", 2)[2]) == long
    assert tex.count("\\caption{") == tex.count("\\label{tab:made-up}") == 1
    if long:
        firsthead, head = tex.index("\\endfirsthead"), tex.index("\\endhead")
        assert tex.index("\\caption{") < firsthead < head < tex.index("\\endfoot") < tex.index("\\endlastfoot")
        assert tex[:firsthead].count("\\toprule") == tex[firsthead:head].count("\\toprule") == 1
    assert f"\\caption{{{escaped(HOSTILE)}}}" in tex
    # What follows the end of a row must not be taken for its option.
    assert not re.search(r"\\\\\s*[\[*]|(?:rule|head|foot)\s*[\[*]", tex)


def test_a_wide_table_is_set_smaller_and_then_sideways_and_never_wider_than_the_line() -> None:
    seen = []
    for number in (2, 5, 12, 24, 60):
        columns = (
            Column("name", "Condition"),
            *(Column(f"n{n}", "Mean over users", decimals(3)) for n in range(number)),
            Column("why", "Why"),
        )
        rows = (("some condition", *(-0.125 * n for n in range(number)), "a reason that takes many words to be told " * 3),)
        layout, places = laid_out(columns, Table("t", columns, rows).shown)
        seen.append(layout)
        shares = [float(share) for place in places for share in re.findall(r"p\{([\d.]+)", place.kind)]
        assert sum(shares) < 1
        tex = as_latex(Table("t", columns, rows)).decode()
        assert len(the_table(tex).rows[0]) == number + 2
        assert ("sidewaystable" in tex) == layout.turned
        assert ("Wider than a page" in tex) == (number == 60)
    assert seen == list(LAYOUTS)
    assert "\\begin{landscape}" in as_latex(Table("t", columns, rows * 50)).decode()


def test_headings_of_narrow_numbers_are_broken_between_words() -> None:
    columns = (Column("a", "Condition"), Column("low", "Holding for more, from", signed))
    _, (text, number) = laid_out(columns, [["own", "+3"]])
    assert (text.kind, number.kind) == ("l", "r")
    many = (columns[0], *([columns[1]] * 9))
    _, (_, number, *_) = laid_out(many, [["own", *(["+3"] * 9)]])
    assert number.kind == "r"
    assert re.fullmatch(r">\{\\raggedleft\\arraybackslash\}p\{0\.\d+\\linewidth\}", number.head)


def test_plus_and_minus_are_both_mathematics() -> None:
    table = Table("t", (Column("a", "A"), Column("d", "D", signed)), (("x", 3), ("y", -3)))
    assert [row[1].strip() for row in the_table(as_latex(table).decode()).rows[1:]] == ["$+$3", "$-$3"]


def test_figures_and_paragraphs_carry_escaped_words() -> None:
    assert f"\\paragraph{{{escaped(HOSTILE)}}}\n{escaped(HOSTILE)}" in paragraphs([(HOSTILE, HOSTILE)]).decode()
    tex = figures({"win_rates": (HOSTILE, HOSTILE)}, {"win_rates": 89.0}).decode()
    # As wide as it was drawn, unless the line is narrower.
    assert r"width=\ifdim89mm>\linewidth\linewidth\else89mm\fi]{figures/win_rates.pdf}" in tex
    assert "\\label{fig:win-rates}" in tex


def test_every_package_that_the_files_need_is_in_the_preamble() -> None:
    for package in ("array", "booktabs", "longtable", "graphicx", "rotating", "pdflscape", "textcomp"):
        assert re.search(rf"\\usepackage\{{(?:\w+,)*{package}\b", PREAMBLE), package
    whole = document(["methods", "../tables/scores"]).decode()
    require_whole(whole)
    assert whole.index("\\input{preamble}") < whole.index("\\begin{document}") < whole.index("\\input{../tables/scores}")
