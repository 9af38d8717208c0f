"""Votes from elsewhere: any CSV file with one comparison a row becomes the same table of comparisons; unclear data is refused."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from analysis.comparisons import Comparisons, tabulate
from stimuli.experiment import ExperimentError
from stimuli.studyfile import did_you_mean

_CHOICES = {"left": "left", "a": "left", "right": "right", "b": "right", "tie": "tie"}
# How spreadsheets, pandas and R write a value that is not there.
_MISSING = frozenset({"", "nan", "NaN", "NA", "N/A", "null", "NULL", "<NA>"})
_SHOWN = 160


@dataclass(frozen=True)
class Columns:
    """Which column of the CSV holds what; None where the file does not tell it."""

    left: str
    right: str
    choice: str
    participant: str | None = None
    prompt: str | None = None

    @property
    def asked(self) -> dict[str, str]:
        """The name of each column that is wanted, by its role."""
        roles = {role: getattr(self, role) for role in ("left", "right", "choice", "participant", "prompt")}
        return {role: name for role, name in roles.items() if name is not None}


@dataclass(frozen=True)
class _Row:
    """One row: the number of its (last) line, from 1, and its cells without the blanks around them."""

    line: int
    cells: tuple[str, ...]

    def __str__(self) -> str:
        text = ",".join(self.cells)
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def read_csv(path: Path, columns: Columns) -> Comparisons:
    """Return the comparisons in a CSV file (UTF-8, commas, one header row).

    A choice is left, right or tie, or a, b or tie, in capitals or not, or the name of the item that was chosen. Blanks around a cell do
    not count; other columns are not read.

    Raises:
        ExperimentError: the file lacks a column, or a row cannot be understood; the text quotes the first such row and counts them.
    """
    rows = list(_rows(_text(path), path))
    if not rows:
        raise ExperimentError(f"{path}: the file is empty; expected a header row and one comparison a row")
    header, *body = rows
    places = _places(header, columns, path)
    if not body:
        raise ExperimentError(f"{path}: has a header row but no comparisons; expected one a row below it")
    _refuse_unclear(path, header, body, places)
    values = {role: [row.cells[place] for row in body] for role, place in places.items()}
    _refuse_ambiguous(path, values)
    return tabulate(
        values["left"],
        values["right"],
        [_side(choice, left) for choice, left in zip(values["choice"], values["left"], strict=True)],
        participants=values.get("participant"),
        prompts=values.get("prompt"),
    )


def _side(choice: str, left: str) -> str:
    """Return the side of a choice that is a side, a tie, or the name of the item that was chosen."""
    return _CHOICES.get(choice.lower()) or ("left" if choice == left else "right")


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ExperimentError(f"{path}: no such file; expected a CSV file with one comparison a row") from error
    except IsADirectoryError as error:
        raise ExperimentError(f"{path}: is a folder; expected a CSV file with one comparison a row") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        shown = content.splitlines()[line - 1][:_SHOWN].decode("utf-8", errors="replace")
        raise ExperimentError(f"{path}: line {line} is not UTF-8 text: {shown}\nSave the file as CSV UTF-8 and try again") from error


def _rows(text: str, path: Path) -> Iterator[_Row]:
    """Yield the rows that are not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            row = _Row(reader.line_num, tuple(cell.strip() for cell in cells))
            if any(row.cells):
                yield row
    except csv.Error as error:
        line = reader.line_num
        shown = text.splitlines()[line - 1][:_SHOWN]
        raise ExperimentError(f"{path}: line {line} is not CSV ({error}): {shown}") from error


def _places(header: _Row, columns: Columns, path: Path) -> dict[str, int]:
    """Return the place of each wanted column in the header, by its role."""
    found = ", ".join(header.cells)
    separator = next((mark for mark in (";", "\t", "|") if mark in header.cells[0]), None)
    if len(header.cells) == 1 and separator:
        mark = "tabs" if separator == "\t" else f'"{separator}"'
        raise ExperimentError(f"{path}: found one column, {found}; its parts are separated by {mark}. Save the file with commas instead")
    role_of: dict[str, str] = {}
    for role, name in columns.asked.items():
        if header.cells.count(name) > 1:
            raise ExperimentError(f'{path}: has more than one column "{name}"; rename all but the one that --{role} means')
        if name not in header.cells:
            hint = f"; {near}" if (near := did_you_mean(name, header.cells)).startswith("did") else ""
            also = f"; leave --{role} out if no column tells it" if role in ("participant", "prompt") else ""
            raise ExperimentError(f'{path}: has no column "{name}" (--{role}); the columns are: {found}{hint}{also}')
        if name in role_of:
            raise ExperimentError(f'{path}: --{role_of[name]} and --{role} both name the column "{name}"; each needs its own')
        role_of[name] = role
    return {role: header.cells.index(name) for name, role in role_of.items()}


def _refuse_unclear(path: Path, header: _Row, body: list[_Row], places: dict[str, int]) -> None:
    """Raise one error that tells every kind of mistake in the rows: the first row that has it, and how many have."""
    first: dict[str, tuple[_Row, str]] = {}
    many: dict[str, int] = {}
    for row in body:
        found = _mistake(row, header, places)
        if found:
            kind, text = found
            first.setdefault(kind, (row, text))
            many[kind] = many.get(kind, 0) + 1
    if first:
        told = [f"{path}: line {row.line} {text} ({_lines(many[kind])}): {row}" for kind, (row, text) in first.items()]
        raise ExperimentError("\n".join([*told, "Mend or remove these lines; none was left out silently"]))


def _refuse_ambiguous(path: Path, values: dict[str, list[str]]) -> None:
    """Raise where two items differ in capitals only, or a choice is a side and an item as well: "A" may be the item A, or the side a."""
    items: dict[str, str] = {}
    for item in sorted({*values["left"], *values["right"]}):
        if items.setdefault(item.lower(), item) != item:
            raise ExperimentError(
                f'{path}: has the items "{items[item.lower()]}" and "{item}", which differ in capitals only and would count as two; '
                "write them alike if they are one, or rename one of them"
            )
    doubtful = sorted(set(values["choice"]), key=str.lower)
    both = [choice for choice in doubtful if choice.lower() in items and choice.lower() in _CHOICES]
    if both:
        raise ExperimentError(
            f'{path}: "{both[0]}" is a choice and the name of an item too, so it can mean a side or an item; '
            "write the choices as left, right and tie (whichever side the winner was on), or rename the items"
        )


def _mistake(row: _Row, header: _Row, places: dict[str, int]) -> tuple[str, str] | None:
    """Return the kind of mistake in a row and what is wrong, or None."""
    if len(row.cells) != len(header.cells):
        return "cells", f"has {len(row.cells)} cells, expected {len(header.cells)} as in the header"
    for role, place in places.items():
        if row.cells[place] in _MISSING:
            written = f' ("{row.cells[place]}")' if row.cells[place] else ""
            return f"missing {role}", f'has no value{written} in the column "{header.cells[place]}"'
    choice = row.cells[places["choice"]]
    if choice.lower() not in _CHOICES and choice not in (row.cells[places["left"]], row.cells[places["right"]]):
        return "choice", f'has the choice "{choice}", expected left, right or tie (or a, b or tie), or the name of one of the two items'
    if row.cells[places["left"]] == row.cells[places["right"]]:
        return "same", f'compares "{row.cells[places["left"]]}" with itself'
    return None


def _lines(count: int) -> str:
    return "the only such line" if count == 1 else f"{count:,} such lines"
