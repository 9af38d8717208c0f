"""study.toml is read here, once: every mistake in it is reported at the same time, with file, table, key and a hint."""

import copy
import dataclasses
import difflib
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError, with_config
from pydantic_core import ErrorDetails, PydanticCustomError

from stimuli.experiment import ExperimentError

Root = TypeVar("Root")


@dataclass(frozen=True)
class Mistake:
    """One thing wrong in study.toml: `table` as a person writes it ("[stimuli.steering]", "[[prompt]] 2", "" for the
    top of the file), the key, and what is wrong with it, what was expected, what to do."""

    table: str
    key: str | None
    text: str


class SettingsError(ExperimentError):
    """study.toml holds mistakes; the text lists all of them, one a line."""

    def __init__(self, path: Path, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(_line(path, mistake) for mistake in mistakes))


@dataclass(frozen=True)
class ExperimentTable:
    """`[experiment]`: what it is called, and the seed that all chance in it comes from."""

    title: str
    """What the study is called, on the report and in commands."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 1
    """Where all chance in the experiment comes from; the same seed gives the same images and schedules."""


def text_of(pattern: str, *, expected: str) -> AfterValidator:
    """Return a check for text that fully matches `pattern`; `expected` says in words what that is."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise PydanticCustomError("text_of", "{expected}", {"expected": expected})
        return text

    return AfterValidator(check)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint that ends a sentence: the known word that comes nearest, else all of them.

    >>> did_you_mean("scorrer", ["scorer", "targets"])
    'did you mean "scorer"?'
    >>> did_you_mean("zebra", ["scorer", "targets"])
    'expected one of: scorer, targets'
    """
    known = sorted(set(known))
    near = difflib.get_close_matches(word, known, n=1)
    return f'did you mean "{near[0]}"?' if near else f"expected one of: {', '.join(known)}"


def read(path: Path, root: type[Root], *, also: Callable[[Root], Iterable[Mistake]]) -> Root:
    """Return the study.toml at `path` as the frozen dataclass `root`, whose fields are the top-level tables.

    Unknown keys and wrong types are refused at every depth; `also` yields what is wrong between tables.

    Raises:
        SettingsError: the file holds mistakes; all of them are in the text.
        ExperimentError: the file is no TOML.
    """
    raw = _parse(path)
    adapter = TypeAdapter(with_config(ConfigDict(extra="forbid", strict=True, allow_inf_nan=False))(root))
    try:
        settings: Root = adapter.validate_json(json.dumps(raw, default=str))
    except ValidationError as error:
        found = [_mistake(details, raw, root) for details in error.errors()]
        raise SettingsError(path, [*found, *_further(raw, error, adapter, also)]) from None
    found = list(also(settings))
    if found:
        raise SettingsError(path, found)
    return settings


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise ExperimentError(f"{path}: not valid TOML: {error}; text belongs in quotes, tables in [brackets]") from error
    except UnicodeDecodeError as error:
        raise ExperimentError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from error


def _line(path: Path, mistake: Mistake) -> str:
    place = " ".join(part for part in (mistake.table, f'"{mistake.key}"' if mistake.key else "") if part)
    return f"{path}: {place} {mistake.text}"


def _further(
    raw: dict[str, Any], error: ValidationError, adapter: TypeAdapter[Root], also: Callable[[Root], Iterable[Mistake]]
) -> list[Mistake]:
    """Return what is wrong between tables once each ill-formed value is taken out, or nothing where that leaves no whole file."""
    mended = copy.deepcopy(raw)
    for round_ in range(3):
        for number, details in enumerate(error.errors()):
            # A required text gets a name nobody uses, so that it is not taken for a duplicate of another.
            _mend(mended, details, stand_in=f"unnamed-{round_}-{number}")
        try:
            return list(also(adapter.validate_json(json.dumps(mended, default=str))))
        except ValidationError as remaining:
            error = remaining
    return []


def _mend(raw: dict[str, Any], details: ErrorDetails, *, stand_in: str) -> None:
    *way, last = details["loc"]
    place: Any = raw
    for step in way:
        # A whole table may be missing; lists are never too short, since their positions come from the file.
        place = place.setdefault(step, {}) if isinstance(place, dict) else place[step]
    if details["type"] == "missing":
        place[last] = stand_in
    elif isinstance(place, list):
        # Positions of later mistakes in the same list must stay true, so nothing is removed from a list.
        place[int(last)] = stand_in
    else:
        place.pop(last, None)


def _mistake(details: ErrorDetails, raw: dict[str, Any], root: type) -> Mistake:
    table, key, item = _place(details["loc"], raw)
    found = _value(details["input"])
    where = f"item {item} is {found}" if item else f"is {found}"
    context = details.get("ctx", {})
    match details["type"]:
        case "unexpected_keyword_argument":
            kind = "key" if key else "table"
            return Mistake(table, key, f"is no known {kind}; {did_you_mean(str(details['loc'][-1]), _keys(details['loc'], root))}")
        case "missing":
            return Mistake(table, key, "is missing; add it")
        case "text_of" | "literal_error":
            expected = context["expected"].replace("'", '"')
            return Mistake(table, key, f"{where}; expected {expected}")
        case "greater_than_equal":
            return Mistake(table, key, f"{where}; expected at least {_bound(context['ge'])}")
        case "greater_than":
            return Mistake(table, key, f"{where}; expected more than {_bound(context['gt'])}")
        case "less_than_equal":
            return Mistake(table, key, f"{where}; expected at most {_bound(context['le'])}")
        case "less_than":
            return Mistake(table, key, f"{where}; expected less than {_bound(context['lt'])}")
        case "string_too_short":
            return Mistake(table, key, f"{where}; expected at least {context['min_length']} character")
        case "string_too_long":
            return Mistake(table, key, f"is {len(details['input'])} characters long; expected at most {context['max_length']}")
        case kind:
            quotes = ", without quotes" if kind in ("int_type", "float_type") and isinstance(details["input"], str) else ""
            return Mistake(table, key, f"{where}; expected {_KINDS.get(kind, details['msg'])}{quotes}")


_KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "tuple_type": "a list in [square brackets]; a table that may occur several times is written [[table]]",
    "dataclass_type": "a table",
}


def _place(location: tuple[int | str, ...], raw: dict[str, Any]) -> tuple[str, str | None, int | None]:
    """Return the table as a person writes it, the key, and the number (from 1) of the item where the key holds a list."""
    top = str(location[0])
    if len(location) == 1:
        return ("", top, None) if not isinstance(raw.get(top, {}), dict | list) else (_bracketed(top, raw.get(top)), None, None)
    if isinstance(location[1], int):
        return _numbered(location, raw)
    tables = [str(step) for step in location if isinstance(step, str)]
    item = location[-1] + 1 if isinstance(location[-1], int) else None
    return f"[{'.'.join(tables[:-1])}]", tables[-1], item


def _numbered(location: tuple[int | str, ...], raw: dict[str, Any]) -> tuple[str, str | None, int | None]:
    """Return the place of a mistake in one of several tables of the same name, which is called by its number and its name."""
    top, number, *rest = location
    entry = raw[str(top)][number]
    name = next((entry[key] for key in ("id", "name") if isinstance(entry, dict) and isinstance(entry.get(key), str)), None)
    table = f"[[{top}]] {int(number) + 1}" + (f' ("{name}")' if name else "")
    item = rest[-1] + 1 if rest and isinstance(rest[-1], int) else None
    return table, str(rest[0]) if rest else None, item


def _bracketed(name: str, value: object) -> str:
    return f"[[{name}]]" if isinstance(value, list) else f"[{name}]"


def _value(value: object) -> str:
    """Return a value as it stands in TOML, cut short."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _bound(limit: float) -> str:
    return str(int(limit)) if limit == int(limit) else str(limit)


def _keys(location: tuple[int | str, ...], root: type) -> list[str]:
    """Return the keys that the table at `location` may have."""
    owner: Any = root
    for step in location[:-1]:
        if isinstance(step, str):
            owner = get_type_hints(owner)[step]
        owner = next((part for part in (owner, *get_args(owner)) if dataclasses.is_dataclass(part)), owner)
    return [field.name for field in dataclasses.fields(owner)]
