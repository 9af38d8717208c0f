"""The paper's numbers are the paper's: each row of them stands in its text."""

import re
from pathlib import Path

import pytest

from reports import published
from reports.published_tables import published_tables

PAPER = Path(__file__).parents[2] / "shared" / "paper" / "pamela_paper.txt"


@pytest.fixture(scope="module")
def lines() -> list[str]:
    if not PAPER.is_file():
        pytest.skip("the paper's text is not here")
    return PAPER.read_text(encoding="utf-8").splitlines()


def printed(numbers: tuple[float, ...]) -> str:
    return " ".join(f"{number:.4f}" for number in numbers)


def rows_after(lines: list[str], heading: str, form: str) -> list[str]:
    """Return the lines of this form between a table's caption and the next 40 lines."""
    start = next(n for n, line in enumerate(lines) if line.strip().startswith(heading))
    return [line.strip() for line in lines[start : start + 40] if re.fullmatch(form, line.strip())]


def test_table_2_is_the_papers(lines: list[str]) -> None:
    found = rows_after(lines, "Table 2:", r".*[a-zA-Z)\]](?: 0\.\d{4}){6}")
    assert len(found) == len(published.MODELS)
    for line, row in zip(found, published.MODELS, strict=True):
        numbers = (row.user_srocc, row.average_srocc, row.user_plcc, row.average_plcc, row.user_accuracy, row.average_accuracy)
        assert line.endswith(printed(numbers))
        assert line.replace("∃", "E").startswith(row.name)


def test_table_3_is_the_papers(lines: list[str]) -> None:
    found = rows_after(lines, "Table 3:", r"(?:Full|No) .*\d{4}.*")
    expected = [
        f"{row.name} {printed(row.seen)} {printed(row.unseen)} {printed(row.gap) if row.gap else 'NA (<0) NA (<0) NA (<0)'}"
        for row in published.ABLATIONS
    ]
    assert found == expected


def test_table_4_is_the_papers(lines: list[str]) -> None:
    found = rows_after(lines, "Table 4:", r"\d+ \d+(?: 0\.\d{4}){3}")
    assert found == [f"{row.images} {row.neighbours} {printed((row.srocc, row.plcc, row.accuracy))}" for row in published.FEW_SHOT]


def test_diverging_pairs_are_the_papers(lines: list[str]) -> None:
    text = " ".join(lines)
    seen, unseen = published.DIVERGING
    assert (
        f"correctly predicts {100 * seen.share:.2f}% of these complex, diverging pairs for seen users, and {100 * unseen.share:.2f}%"
        in text
    )
    assert f"across {unseen.pairs:,} unseen and {seen.pairs:,} seen pairwise preferences" in text


def test_gaps_are_seen_less_unseen() -> None:
    for row in published.ABLATIONS:
        gaps = [seen - unseen for seen, unseen in zip(row.seen, row.unseen, strict=True)]
        # The paper subtracts before it rounds.
        assert max(gaps) < 0 if row.gap is None else gaps == pytest.approx(row.gap, abs=1.5e-4)


def test_every_published_table_keeps_four_decimals() -> None:
    shown = published_tables()["published_table_4"].shown
    assert shown[5] == ["15", "5", "0.4514", "0.4722", "0.6631"]
    assert published_tables()["published_diverging"].shown[0] == ["seen", "61.44\N{NO-BREAK SPACE}%", "71,700"]
