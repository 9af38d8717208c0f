"""study.toml: every mistake at once, each with file, table, key and a hint."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from stimuli.experiment import ExperimentError
from stimuli.studyfile import ExperimentTable, Mistake, SettingsError, read, text_of


@dataclass(frozen=True)
class Inner:
    rounds: Annotated[int, Field(ge=1)] = 5
    weight: Annotated[float, Field(lt=2)] = 1.0


@dataclass(frozen=True)
class Outer:
    mode: Literal["all", "some"] = "all"
    inner: Inner = field(default_factory=Inner)


@dataclass(frozen=True)
class Item:
    id: Annotated[str, text_of(r"[a-z0-9-]+", expected="lower-case letters")]
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Whole:
    experiment: ExperimentTable
    outer: Outer = field(default_factory=Outer)
    item: tuple[Item, ...] = ()


def duplicates(settings: Whole) -> Iterator[Mistake]:
    seen: set[str] = set()
    for item in settings.item:
        if item.id in seen:
            yield Mistake("[[item]]", "id", f'"{item.id}" occurs twice')
        seen.add(item.id)


def complaints(folder: Path, text: str) -> list[str]:
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        read(path, Whole, also=duplicates)
    return [line.removeprefix(f"{path}: ") for line in str(caught.value).splitlines()]


def test_a_good_file_is_read_with_its_defaults(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text('[experiment]\ntitle = "T"\n[outer.inner]\nweight = 1\n[[item]]\nid = "a"\n')
    settings = read(path, Whole, also=duplicates)
    assert settings == Whole(ExperimentTable("T"), Outer(inner=Inner(weight=1.0)), (Item("a"),))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "[experiment] is missing; add it"),
        ("[experiment]\n", '[experiment] "title" is missing; add it'),
        ("[experiment]\ntitle = 3\n", '[experiment] "title" is 3; expected text in quotes'),
        ('[experiment]\ntitle = "T"\nseed = "1"\n', '[experiment] "seed" is "1"; expected a whole number, without quotes'),
        ('[experiment]\ntitle = "T"\nseed = 1.5\n', '[experiment] "seed" is 1.5; expected a whole number'),
        ('[experiment]\ntitle = "T"\nseed = -1\n', '[experiment] "seed" is -1; expected at least 0'),
        ('[experiment]\ntitle = "T"\nsed = 1\n', '[experiment] "sed" is no known key; did you mean "seed"?'),
        ('[experiment]\ntitle = "T"\n[otter]\n', '[otter] is no known table; did you mean "outer"?'),
        ('otter = 1\n[experiment]\ntitle = "T"\n', '"otter" is no known key; did you mean "outer"?'),
        ('[experiment]\ntitle = "T"\n[outer]\nmode = "non"\n', '[outer] "mode" is "non"; expected "all" or "some"'),
        ('[experiment]\ntitle = "T"\n[outer]\ninner = 3\n', '[outer] "inner" is 3; expected a table'),
        ('[experiment]\ntitle = "T"\n[outer.inner]\nrounds = 0\n', '[outer.inner] "rounds" is 0; expected at least 1'),
        ('[experiment]\ntitle = "T"\n[outer.inner]\nweight = inf\n', '[outer.inner] "weight" is Infinity; expected a finite number'),
        ('[experiment]\ntitle = "T"\n[outer.inner]\nweight = 2\n', '[outer.inner] "weight" is 2; expected less than 2'),
        ('[experiment]\ntitle = "T"\n[[item]]\nid = "A"\n', '[[item]] 1 ("A") "id" is "A"; expected lower-case letters'),
        (
            '[experiment]\ntitle = "T"\n[[item]]\nid = "a"\nwords = ["x", 2]\n',
            '[[item]] 1 ("a") "words" item 2 is 2; expected text in quotes',
        ),
        (
            '[experiment]\ntitle = "T"\n[item]\nid = "a"\n',
            '[item] is {"id": "a"}; expected a list in [square brackets]; a table that may occur several times is written [[table]]',
        ),
    ],
)
def test_each_mistake_says_where_what_and_what_to_do(tmp_path: Path, text: str, expected: str) -> None:
    assert complaints(tmp_path, text) == [expected]


def test_all_mistakes_come_at_once_also_those_between_tables(tmp_path: Path) -> None:
    found = complaints(
        tmp_path,
        '[experiment]\ntitel = "T"\n[outer]\nmode = "non"\n[[item]]\nid = "a"\n[[item]]\nid = "a"\n[[item]]\nid = 3\n[[item]]\n',
    )
    assert found == [
        '[experiment] "title" is missing; add it',
        '[experiment] "titel" is no known key; did you mean "title"?',
        '[outer] "mode" is "non"; expected "all" or "some"',
        '[[item]] 3 "id" is 3; expected text in quotes',
        '[[item]] 4 "id" is missing; add it',
        '[[item]] "id" "a" occurs twice',
    ]


def test_a_file_that_is_no_toml_says_the_line(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text("[experiment]\ntitle = no quotes\n")
    with pytest.raises(ExperimentError, match=r"study.toml: not valid TOML: .*line 2.*text belongs in quotes"):
        read(path, Whole, also=duplicates)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text('[experiment]\ntitle = "T"\n', encoding="utf-8-sig")
    assert read(path, Whole, also=duplicates).experiment.title == "T"


def test_a_file_in_another_encoding_says_so(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_bytes('[experiment]\ntitle = "Größe"\n'.encode("latin-1"))
    with pytest.raises(ExperimentError, match="not UTF-8 text"):
        read(path, Whole, also=duplicates)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "words", "mode", "inner", "x"]), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["experiment", "outer", "item", "other"]), _VALUES, max_size=4))
def test_whatever_the_file_holds_the_answer_is_settings_or_a_settings_error(
    tmp_path_factory: pytest.TempPathFactory, raw: dict[str, object]
) -> None:
    path = tmp_path_factory.mktemp("any") / "study.toml"
    path.write_text("\n".join(f"{key} = {_toml(value)}" for key, value in raw.items()), encoding="utf-8", newline="\n")
    try:
        assert isinstance(read(path, Whole, also=duplicates), Whole)
    except ExperimentError as error:
        assert str(path) in str(error)


def _toml(value: object) -> str:
    match value:
        case None:
            return '"none"'
        case bool():
            return str(value).lower()
        case str():
            return "".join(['"', *(f"\\U{ord(letter):08X}" for letter in value if not 0xD800 <= ord(letter) < 0xE000), '"'])
        case list():
            return f"[{', '.join(map(_toml, value))}]"
        case dict():
            return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
        case _:
            return str(value)
