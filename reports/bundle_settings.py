"""The study.toml of a bundle: what was asked, made and claimed, under new names, without addresses, codes, keys and comments."""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

_ASKED = frozenset(
    ("question", "instructions", "consent", "thanks", "practice", "min_ms", "block", "participants", "per_participant", "repeats")
) | {"seconds_per_trial", "hourly_pay", "currency"}
# Every key that goes into a bundle; what is not named here stays at home. None: all keys of the table.
_KEPT: dict[str, frozenset[str] | None] = {
    "experiment": frozenset({"title", "seed"}),
    "stimuli": frozenset(
        ("generator", "rewriter", "encoder", "text_encoder", "predictor", "size", "steps", "guidance", "steering", "image_set")
    ),
    "prompt": frozenset({"id", "text"}),
    "condition": frozenset({"name", "scorer", "targets", "targets_from", "images"}),
    "group": frozenset({"name", "gender", "age", "nationality", "members"}),
    "study": _ASKED | {"pairs", "others", "tie", "catch", "simulation"},
    "rating": _ASKED | {"images", "order"},
    "question": None,
    "analysis": None,
    "exclusion": None,
    "claim": None,
}
# Whoever is meant by these is a person.
_PEOPLE = ("targets", "members")


def settings(path: Path, people: Mapping[str, str]) -> bytes:
    """Return study.toml for a bundle, as TOML; `people` gives the new name of each person."""
    kept = {table: _whitelisted(content, _KEPT[table], people) for table, content in raw(path).items() if table in _KEPT}
    head = "# Made by `tastebench reports bundle`: what the analysis and the report read, under new names.\n"
    return (head + "\n".join(lines(kept)) + "\n").encode()


def raw(path: Path) -> dict[str, Any]:
    """Return study.toml as it stands."""
    return tomllib.loads(path.read_text(encoding="utf-8-sig"))


def _whitelisted(content: Any, keys: frozenset[str] | None, people: Mapping[str, str]) -> Any:
    if isinstance(content, list):
        return [_whitelisted(entry, keys, people) for entry in content]
    return {key: _renamed(key, value, people) for key, value in content.items() if keys is None or key in keys}


def _renamed(key: str, value: Any, people: Mapping[str, str]) -> Any:
    if key in _PEOPLE:
        return sorted(people.get(name, name) for name in value)
    # A folder's name may be somebody's; the prompt's place in the file name is what tells how images were matched.
    return PurePosixPath(value).name if key == "images" and isinstance(value, str) else value


def lines(content: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Yield the lines of TOML tables: plain values first, then tables and lists of tables."""
    inner = {key: value for key, value in content.items() if _is_table(value)}
    yield from (f"{_key(key)} = {_value(value)}" for key, value in content.items() if key not in inner)
    for key, value in inner.items():
        name = f"{above}{_key(key)}"
        for entry in value if isinstance(value, list) else [value]:
            yield f"\n[[{name}]]" if isinstance(value, list) else f"\n[{name}]"
            yield from lines(entry, f"{name}.")


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value))


def _key(key: str) -> str:
    return key if key and all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in key) else _value(key)


def _value(value: Any) -> str:
    """Return a plain value as TOML writes it."""
    if isinstance(value, str):
        # JSON escapes all that TOML's basic strings want escaped, but the delete character.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Sequence):
        return f"[{', '.join(_value(entry) for entry in value)}]"
    return str(value)
