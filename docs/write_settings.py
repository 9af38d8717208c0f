"""Write docs/settings.md, the reference of study.toml, from the tables that `tastebench check` reads: `python docs/write_settings.py`."""

import dataclasses
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

import tastebench
from analysis.exclusion_rules import LIMITS, Exclusion, Rule
from stimuli import encoders, generators, predictors, rewriters, scorers

PAGE = Path(__file__).with_name("settings.md")
_HEAD = """# Settings

<!-- Written by docs/write_settings.py from the tables in the code; change their descriptions there, not this page. -->

Every key that `study.toml` may have. `tastebench check FOLDER` names what is wrong in yours, all of it at once. A heading in
[single brackets] is a table that stands there once; one in [[double brackets]] may stand there several times. Only what is marked
*required* must be there; a whole table may be left out. [Words](words.md) explains the terms."""
# Names of parts are known by the shelves that hold them, not by the types of the keys.
_PARTS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("StimuliTable", "generator"): generators.SHELF.here,
    ("StimuliTable", "rewriter"): rewriters.SHELF.here,
    ("StimuliTable", "encoder"): encoders.SHELF.here,
    ("StimuliTable", "text_encoder"): encoders.TEXT_SHELF.here,
    ("StimuliTable", "predictor"): predictors.SHELF.here,
    ("Condition", "scorer"): (*scorers.SHELF.here, "external:NAME"),
}
_KINDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "null": ""}


def reference(root: type = tastebench.StudyToml) -> str:
    """Return the reference of all tables below `root` as Markdown, one heading for each."""
    blocks = [_HEAD]
    for table in tables(root):
        blocks += [f"## {heading(table)}", *_prose(table), "\n".join(_rows(table))]
        if table is Exclusion:
            blocks.append("\n".join(_limits()))
    return "\n\n".join(blocks) + "\n"


def tables(root: type) -> Iterator[type]:
    """Yield every table below `root` once, each before the tables inside it; what two tables share comes before both."""
    seen: set[type] = {root}

    def below(owner: type) -> Iterator[type]:
        for hint in get_type_hints(owner).values():
            for found in _dataclasses_in(hint):
                for table in (*(base for base in reversed(found.__mro__[1:]) if dataclasses.is_dataclass(base)), found):
                    if table not in seen:
                        seen.add(table)
                        yield table
                        yield from below(table)

    yield from below(root)


def described(table: type) -> dict[str, dict[str, Any]]:
    """Return what is known of each of a table's own keys: its JSON schema, with "required", and "expected" where a check has words."""
    # The configuration stands on a table made for this: on the table itself it would change how study.toml is read.
    around = dataclasses.make_dataclass("Around", [("table", table)])
    whole = TypeAdapter(with_config(ConfigDict(use_attribute_docstrings=True))(around)).json_schema()
    schema = whole["$defs"][table.__name__]
    hints = get_type_hints(table, include_extras=True)
    return {
        name: schema["properties"][name] | {"required": name in schema.get("required", ()), "expected": _expected(hints[name])}
        for name in table.__annotations__
    }


def _dataclasses_in(hint: Any) -> Iterator[type]:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        yield hint
    for part in get_args(hint):
        yield from _dataclasses_in(part)


def heading(table: type) -> str:
    """Return what a table is called in study.toml, as its description begins."""
    return re.match(r"`[^`]+`(?: and `[^`]+`)?", inspect.getdoc(table) or "")[0]


def _prose(table: type) -> Iterator[str]:
    """Yield the paragraphs of a table's description, the first without the name that is its heading."""
    first, *more = (inspect.getdoc(table) or "").split("\n\n")
    said = first.partition(": ")[2]
    yield said[0].upper() + said[1:]
    yield from more


def _rows(table: type) -> Iterator[str]:
    yield "| key | what it says | takes | left out |"
    yield "|---|---|---|---|"
    for name, known in described(table).items():
        if not is_table(known):
            cells = (f"`{name}`", known.get("description", ""), _takes(table, name, known), _default(known))
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _limits() -> Iterator[str]:
    yield "| rule | its `limit` |"
    yield "|---|---|"
    for rule in get_args(Rule):
        yield f"| `{rule}` | {LIMITS[rule][0] if rule in LIMITS else 'it has none'} |"


def is_table(known: Mapping[str, Any]) -> bool:
    """Whether a key is a table with a heading of its own."""
    return any(
        "$ref" in place for place in (known, known.get("items", {}), known.get("additionalProperties", {})) if isinstance(place, dict)
    )


def _takes(table: type, name: str, known: Mapping[str, Any]) -> str:
    """Return in words what a key takes; a name of a part is one of those on its shelf."""
    if names := _PARTS.get((table.__name__, name)):
        return ", ".join(f"`{each}`" for each in names)
    told = [_kind(known)] if "anyOf" not in known else [_kind(each) for each in known["anyOf"] if each != {"type": "null"}]
    return f"{' or '.join(told)}{': ' + known['expected'] if known['expected'] else ''}"


def _kind(schema: Mapping[str, Any]) -> str:
    """Return in words what a value must be."""
    if values := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return ", ".join(f'`"{value}"`' for value in values)
    if schema["type"] == "array":
        return f"list of {_kind(schema['items'])}"
    if schema["type"] == "object":
        return f"table of names, each with a {_kind(schema['additionalProperties'])}"
    limits = [words.format(schema[key]) for key, words in _BOUNDS.items() if key in schema]
    # A text is never asked to be longer than one letter, which everybody expects.
    return " ".join([_KINDS[schema["type"]], " and ".join(limits)]).strip()


_BOUNDS: Mapping[str, str] = {
    "minimum": "at least {:,}",
    "exclusiveMinimum": "more than {:,}",
    "maximum": "at most {:,}",
    "exclusiveMaximum": "less than {:,}",
    "maxLength": "of at most {:,} characters",
    "pattern": "that matches `{}`",
}


def _default(known: Mapping[str, Any]) -> str:
    if known["required"]:
        return "*required*"
    default = known.get("default")
    return "–" if default in (None, [], {}) else f"`{json.dumps(default, ensure_ascii=False)}`"


def _expected(hint: Any) -> str:
    """Return what a check by pattern says it expects, by showing it a value that no pattern takes."""
    for value in ("\0", ["\0"]):
        try:
            TypeAdapter(hint).validate_python(value)
        except ValidationError as error:
            for found in error.errors():
                if found["type"] == "text_of":
                    return str(found["ctx"]["expected"])
    return ""


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
