"""What the pages of docs/ state as facts is what the code does, and the map of the paper has all of it."""

import re
from typing import get_args

import pytest
from printed_page import ROOT, fences

from analysis import claims, config, jackknife, verdicts
from analysis.bradley_terry import win_probability
from analysis.exclusion_rules import Rule
from analysis.jackknife import SCOPES

DOCS = {page.stem: page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md"))}
VERDICTS = DOCS["interpreting-verdicts"]
PAPER = DOCS["from-the-paper"]


def rows(text: str) -> list[list[str]]:
    """Return the cells of all rows of all tables, heads included."""
    lines = [line for line in text.splitlines() if line.startswith("|") and not set(line) <= set("|- ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_verdict_and_stamp_is_explained() -> None:
    explained = {cell for row in rows(VERDICTS) for cell in row[:1]}
    kinds = (verdicts.SUPPORTED, verdicts.CONTRADICTED, verdicts.EQUIVALENT, verdicts.INCONCLUSIVE, verdicts.NOT_TESTABLE)
    grades = (f"({verdicts.MEANINGFUL})", f"({verdicts.NEGLIGIBLE})")
    assert {f"`{word}`" for word in (*kinds, *grades, claims.FRAGILE, claims.EXPLORATORY)} <= explained


def test_every_scope_and_every_type_of_claim_is_explained() -> None:
    explained = {cell for row in rows(VERDICTS) for cell in row[:1]}
    assert {f"`{scope}`" for scope in SCOPES} <= explained
    types = get_args(config.Claim.__dataclass_fields__["type"].type)
    assert [name for name in types if f"`{name}`" not in VERDICTS and f'"{name}"' not in VERDICTS] == ["greater", "order"]
    assert "An order holds only if" in VERDICTS


def test_the_limits_of_what_can_be_tested_are_those_of_the_code() -> None:
    assert f"at least **{jackknife.FEWEST_CLUSTERS} participants**" in VERDICTS
    assert f"at least **{verdicts.LEAST_OF_PLANNED:.0%}** of them".replace("%", " %") in VERDICTS
    assert f"At most **{verdicts.MOST_EXCLUDED:.0%}** of participants".replace("%", " %") in VERDICTS


def test_the_table_of_elo_differences_is_what_the_model_says() -> None:
    found = [row for row in rows(VERDICTS) if row[0].isdigit()]
    assert len(found) > 5
    for elo, odds, share in found:
        chance = win_probability(float(elo))
        assert float(odds) == pytest.approx(chance / (1 - chance), abs=0.005)
        assert float(share.removesuffix(" %")) == pytest.approx(100 * chance, abs=0.05)


@pytest.mark.parametrize("page", ["interpreting-verdicts", "tutorial", "own-images"])
def test_quoted_differences_and_shares_of_choices_fit_each_other(page: str) -> None:
    text = re.sub(r"[\s>]+", " ", DOCS[page])
    found = re.findall(r"is ([+-]\d+\.\d) Elo \(95 % interval [^)]+\), so the fit expects \w+ to be chosen in (\d+\.\d) %", text)
    found += re.findall(r"by (\d+\.\d) Elo, in an expected (\d+\.\d) % of comparisons", text)
    assert found
    for elo, share in found:
        assert 100 * win_probability(float(elo)) == pytest.approx(float(share), abs=0.1)


def test_the_exclusion_rules_of_the_guide_exist() -> None:
    named = re.findall(r'^rule = "(\w+)"', "".join(fence.text for fence in fences(DOCS["running-a-study"])), re.MULTILINE)
    assert named
    assert set(named) <= set(get_args(Rule))


@pytest.mark.parametrize(("what", "last"), [("Fig.", 16), ("Table", 4)])
def test_every_figure_and_table_of_the_paper_has_a_row(what: str, last: int) -> None:
    named = [int(found[1]) for row in rows(PAPER) if (found := re.match(rf"{re.escape(what)} (\d+),", row[0]))]
    assert named == list(range(1, last + 1))


def test_every_section_of_the_paper_has_a_row() -> None:
    named = {found[1] for row in rows(PAPER) if (found := re.match(r"(?:Section|Appendix) ([\d.AB]+)", row[0]))}
    assert named == {"1", "2", "3.1", "3.2", "4", "5", "6.1", "6.2", "7.1", "7.2", "8", "A.1", "A.2", "B.1", "B.2"}


def test_every_row_of_the_map_has_a_state_that_is_explained() -> None:
    states = {row[0].strip("*") for row in rows(PAPER) if row[0].startswith("**")}
    assert states == {"own data", "needs weights", "needs their data", "not built"}
    for row in (row for row in rows(PAPER) if re.match(r"Section|Appendix|Table|Fig\.", row[0])):
        assert any(state.split()[-1] in row[2] for state in states) or row[0].startswith(("Section 8", "Fig. 15", "Fig. 16")), row


def test_every_file_that_the_map_names_exists() -> None:
    named = re.findall(r"`((?:stimuli|study|analysis|reports|examples)/[\w./-]+)`", PAPER)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
