"""Read prompts out of JSON, alone or in the middle of a text, whole or cut off."""

import json
import re
from collections.abc import Iterator
from typing import Any

# The names under which models put a prompt that stands beside other fields, such as a score or a title.
_NAMES = ("prompt", "text", "description", "content", "variation", "value")
_OPENING = re.compile(r'^[ \t]*(?=[\[{]\s*["\[{])', re.MULTILINE)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NAMED = re.compile(r'"(?:' + "|".join(_NAMES) + r')"\s*:\s*("(?:[^"\\]|\\.)*")', re.DOTALL | re.IGNORECASE)
_COLON = re.compile(r"\s*:")
_NUMBER = re.compile(r"^\s*\(?\d{1,3}[.):]\s+")


def json_prompts(text: str) -> tuple[str, list[str]]:
    """Return what stands before the first JSON array or object that begins a line, and the prompts in it and in those after it.

    Where JSON was cut off, the strings that are whole. None are found where a bracket begins something else.
    """
    openings = list(_OPENING.finditer(text))
    if not openings:
        return text, []
    try:
        found = list(_decoded(text, [match.end() for match in openings]))
    except RecursionError:
        found = []
    found = found or _salvaged(text[openings[0].end() :])
    return text[: openings[0].start()], [_NUMBER.sub("", prompt) for prompt in found]


def _decoded(text: str, starts: list[int]) -> Iterator[str]:
    decoder = json.JSONDecoder(strict=False)
    after = 0
    for start in starts:
        if start < after:
            continue
        try:
            value, after = decoder.raw_decode(text, start)
        except ValueError:
            # What cannot be decoded here ends the search: brackets inside it would be taken for wholes.
            return
        yield from _prompts_in(value)


def _prompts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _prompts_in(part)
    elif isinstance(value, dict):
        named = [part for key, part in value.items() if key.casefold() in _NAMES and isinstance(part, str)]
        nested = [part for part in value.values() if isinstance(part, list | dict)]
        numbered = [part for key, part in value.items() if re.search(r"\d", key) and isinstance(part, str)]
        for part in named[:1] or nested or numbered:
            yield from _prompts_in(part)


def _salvaged(text: str) -> list[str]:
    """Return the whole strings of an array that does not end, or those under a known name of objects that do not."""
    if named := _NAMED.findall(text):
        return [_unescaped(string) for string in named]
    strings = (match for match in _STRING.finditer(text) if not _COLON.match(text, match.end()))
    return [_unescaped(match.group()) for match in strings]


def _unescaped(string: str) -> str:
    try:
        return str(json.loads(string, strict=False))
    except ValueError:
        return string[1:-1]
