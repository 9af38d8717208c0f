"""The study.toml of a bundle: what was asked, made and claimed, under new names, without addresses, codes, keys and comments."""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path, PurePosixPath
from typing import Any

from reports.settings import ReportTable
from stimuli.experiment import Experiment
from study.catalogue import languages, texts

_ASKED = frozenset(
    ("question", "instructions", "consent", "thanks", "practice", "min_ms", "block", "participants", "per_participant", "repeats")
) | {"language", "recruitment", "seconds_per_trial", "hourly_pay", "currency"}
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
    "report": frozenset(field.name for field in fields(ReportTable)),
}
_HEAD = "# Made by `tastebench reports bundle`: what the analysis and the report read, under new names."
_LANGUAGE = "en"
# Whoever is meant by these is a person.
_PEOPLE = ("targets", "members")
# The tables that say how people are asked, and so in which language.
_ASKING = ("study", "rating")


def files(folder: Path, people: Mapping[str, str]) -> dict[str, bytes]:
    """Return study.toml for a bundle, and beside it the texts of a language of the study's own; `people` gives each person's new name."""
    asked = raw(Experiment(folder).settings)
    kept = {table: _whitelisted(content, _KEPT[table], people) for table, content in asked.items() if table in _KEPT}
    beside: dict[str, bytes] = {}
    for table in _ASKING:
        language = kept.get(table, {}).get("language", _LANGUAGE)
        if language not in languages():
            beside[f"{table}_texts.toml"] = _written(texts(language, folder=folder))
            language = f"{table}_texts.toml"
        # It is written down even where nobody chose it: a later version may have another default.
        kept[table] = kept.get(table, {}) | {"language": language}
    return {Experiment(folder).settings.name: _written(kept)} | beside


def _written(content: Mapping[str, Any]) -> bytes:
    return ("\n".join((_HEAD, *lines(content))) + "\n").encode()


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
    if key == "recruitment" and isinstance(value, dict):
        # How people came, without the panel's addresses, codes and keys.
        return {inner: name for inner, name in value.items() if inner == "by"}
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
