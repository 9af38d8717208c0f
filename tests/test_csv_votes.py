"""Any table of votes is read, and unclear data is refused with the line that is unclear."""

import re
from pathlib import Path

import pytest

from analysis.comparisons import cells
from analysis.csv_votes import Columns, read_csv
from analysis.preference import group_wins
from stimuli.experiment import ExperimentError

COLUMNS = Columns("left", "right", "choice", "who", "scene")
HEADER = "left,right,choice,who,scene\n"


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "votes.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_both_ways_to_write_a_choice_mean_the_same(tmp_path: Path) -> None:
    rows = "x,y,left,p1,s1\nx,y, A ,p1,s1\nx,y,RIGHT,p2,s1\nx,y,b,p2,s2\nx,y,Tie,p3,s2\n"
    table = read_csv(written(tmp_path, HEADER + rows), COLUMNS)
    counted = group_wins(cells(table), by="all")
    assert counted.decided[0].tolist() == [[0, 2], [2, 0]]
    assert counted.tied[0].tolist() == [[0, 1], [1, 0]]
    assert table.participant is not None
    assert table.prompt is not None
    assert (table.participant.labels, table.prompt.labels) == (("p1", "p2", "p3"), ("s1", "s2"))


def test_other_columns_quotes_blank_lines_and_a_byte_order_mark_do_no_harm(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbfright,note,"left",choice\r\ny,"a, b",x,left\r\n\r\ny,,x,right\r\n'
    table = read_csv(written(tmp_path, content), Columns("left", "right", "choice"))
    assert (len(table), table.items, table.participant, table.prompt) == (2, ("x", "y"), None, None)


def test_a_choice_may_be_the_name_of_the_item_that_was_chosen(tmp_path: Path) -> None:
    by_side = read_csv(written(tmp_path, HEADER + "x,y,left,p,s\nx,y,right,p,s\nx,y,right,p,s\ny,x,right,p,s\nx,y,tie,p,s\n"), COLUMNS)
    by_name = read_csv(written(tmp_path, HEADER + "x,y,x,p,s\nx,y,y,p,s\nx,y,y,p,s\ny,x,x,p,s\nx,y,tie,p,s\n"), COLUMNS)
    for table in (by_side, by_name):
        counted = group_wins(cells(table), by="all")
        assert counted.decided[0].tolist() == [[0, 2], [2, 0]]
        assert counted.tied[0].tolist() == [[0, 1], [1, 0]]


def test_items_that_differ_in_capitals_only_are_not_counted_as_two(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + "Ours,base,left,p,s\nbase,ours,left,p,s\n")
    with pytest.raises(
        ExperimentError, match='has the items "Ours" and "ours", which differ in capitals only and would count as two; write them'
    ):
        read_csv(path, COLUMNS)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "votes.csv: the file is empty; expected a header row"),
        (HEADER, "votes.csv: has a header row but no comparisons"),
        (
            "left,right,chioce,who,scene\nx,y,left,p,s\n",
            'has no column "choice" (--choice); the columns are: left, right, chioce, who, scene; did you mean "chioce"?',
        ),
        (
            "left,right,choice,scene\nx,y,left,s\n",
            'has no column "who" (--participant); the columns are: left, right, choice, scene; '
            "leave --participant out if no column tells it",
        ),
        ("left;right;choice;who;scene\nx;y;left;p;s\n", 'found one column, left;right;choice;who;scene; its parts are separated by ";"'),
        ("left\tright\tchoice\nx\ty\tleft\n", "its parts are separated by tabs. Save the file with commas instead"),
        ("left,right,choice,who,who,scene\nx,y,left,p,q,s\n", 'has more than one column "who"; rename all but the one that --participant'),
        (
            HEADER + "x,y,left,p,s\nx,y,lft,p,s\nx,y,1,p,s\n",
            'line 3 has the choice "lft", expected left, right or tie (or a, b or tie), or the name of one of the two items '
            "(2 such lines): x,y,lft,p,s",
        ),
        (HEADER + "x,y,left,p,s\nx,,left,p,s\n", 'line 3 has no value in the column "right" (the only such line): x,,left,p,s'),
        (HEADER + "x,y,left,NaN,s\n", 'line 2 has no value ("NaN") in the column "who" (the only such line): x,y,left,NaN,s'),
        (HEADER + "x,y,left,p,s\nx,x,left,p,s\n", 'line 3 compares "x" with itself (the only such line): x,x,left,p,s'),
        (HEADER + "x,y,left,p\n", "line 2 has 4 cells, expected 5 as in the header (the only such line): x,y,left,p"),
        (HEADER.encode() + b"x,y,left,p,s\nx,caf\xe9,left,p,s\n", "line 3 is not UTF-8 text: x,caf\N{REPLACEMENT CHARACTER},left,p,s"),
        (HEADER + 'x,y,left,p,s\nx,"y"z,left,p,s\n', "line 3 is not CSV"),
        (HEADER + 'x,"y,left,p,s\n', "is not CSV"),
    ],
)
def test_unclear_data_is_refused_with_its_line(tmp_path: Path, content: str | bytes, expected: str) -> None:
    with pytest.raises(ExperimentError, match=re.escape(expected)):
        read_csv(written(tmp_path, content), COLUMNS)


def test_every_kind_of_mistake_is_told_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + "x,x,left,p,s\nx,y,neither,p,s\nx,y,left,,s\nx,y,left,p,s\n")
    with pytest.raises(ExperimentError) as caught:
        read_csv(path, COLUMNS)
    told = str(caught.value).splitlines()
    assert [line.split(": ")[1].split(" ")[:2] for line in told[:3]] == [["line", "2"], ["line", "3"], ["line", "4"]]
    assert told[3] == "Mend or remove these lines; none was left out silently"


def test_a_line_is_counted_in_the_file_also_after_a_cell_with_a_line_break(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + '"x",y,left,p,"two\nlines"\n\nx,y,no,p,s\n')
    with pytest.raises(ExperimentError, match='line 5 has the choice "no"'):
        read_csv(path, COLUMNS)


def test_one_column_cannot_play_two_parts(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match='--left and --right both name the column "left"'):
        read_csv(written(tmp_path, HEADER + "x,y,left,p,s\n"), Columns("left", "left", "choice"))


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"nowhere\.csv: no such file; expected a CSV file"):
        read_csv(tmp_path / "nowhere.csv", COLUMNS)
    with pytest.raises(ExperimentError, match="is a folder; expected a CSV file"):
        read_csv(tmp_path, COLUMNS)


def test_a_choice_that_is_also_the_name_of_an_item_is_refused_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("one,two,winner\nB,A,A\nA,B,A\n")
    with pytest.raises(ExperimentError, match=r'"A" is a choice and the name of an item too.*write the choices as left, right and tie'):
        read_csv(path, Columns("one", "two", "winner"))
