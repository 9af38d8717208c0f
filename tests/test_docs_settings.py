"""The reference of study.toml is the one that the tables in the code give, and every key in it is described."""

import dataclasses
import importlib.util
import re
from pathlib import Path

import pytest
from printed_page import ROOT

import tastebench
from stimuli.experiment import ExperimentError

_spec = importlib.util.spec_from_file_location("write_settings", ROOT / "docs" / "write_settings.py")
assert _spec
assert _spec.loader
write_settings = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(write_settings)

TABLES = list(write_settings.tables(tastebench.StudyToml))


def test_the_reference_of_settings_is_current() -> None:
    written = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == write_settings.reference(), "docs/settings.md is not current; run: python docs/write_settings.py"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_every_key_is_described_in_one_sentence_beside_it_in_the_code(table: type) -> None:
    for name, known in write_settings.described(table).items():
        if not write_settings.is_table(known):
            assert re.fullmatch(r"[^\n]+\.", known.get("description", "")), (
                f"{table.__name__}.{name} needs a docstring of one line below it"
            )


def test_every_table_that_check_knows_has_a_heading_and_every_key_a_row() -> None:
    page = write_settings.reference()
    names = {name for table in TABLES for name in write_settings.described(table)}
    assert {field.name for field in dataclasses.fields(tastebench.StudyToml)} <= set(re.findall(r"^## `\[+(\w+)", page, re.MULTILINE))
    assert {"candidates", "hourly_pay", "smallest_effect_elo", "margin_elo", "ethics"} <= names
    for table in TABLES:
        section = page.split(f"## {write_settings.heading(table)}\n", 1)[1].split("\n## ", 1)[0]
        for name, known in write_settings.described(table).items():
            assert write_settings.is_table(known) or f"\n| `{name}` | " in section, f"{table.__name__}.{name}"


@pytest.mark.parametrize(
    ("heading", "row"),
    [
        ("`[stimuli]`", "| `size` | Side of an image, in pixels. | whole number at least 64 and at most 2,048 | `256` |"),
        ("`[[claim]]`", "| `id` | Its name on the report. | text that matches `^[A-Za-z0-9_-]{1,40}$` | *required* |"),
        ("`[stimuli.ratings]`", '| `layout` | How the files in `folder` are laid out. | `"pamela"`, `"lapis"`, `"para"` | `"pamela"` |'),
    ],
)
def test_a_row_says_what_a_key_takes_and_what_holds_without_it(heading: str, row: str) -> None:
    assert row in write_settings.reference().split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0].splitlines()


def test_writing_the_reference_does_not_change_how_study_toml_is_read(tmp_path: Path) -> None:
    write_settings.reference()
    (tmp_path / "study.toml").write_text('[experiment]\ntitle = "t"\n[stimuli]\nsiez = 3\n', encoding="utf-8")
    with pytest.raises(ExperimentError, match='"siez" is no known key; did you mean "size"'):
        tastebench.settle(tmp_path)
