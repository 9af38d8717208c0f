"""The catalogue: every text that a participant can see, in the study's language."""

import string
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from stimuli.experiment import ExperimentError
from stimuli.studyfile import did_you_mean

_TEXTS = Path(__file__).with_name("texts")
_REFERENCE = "en"


def languages() -> list[str]:
    """Return the languages that come with the toolkit."""
    return sorted(path.stem for path in _TEXTS.glob("*.toml"))


def texts(language: str, *, folder: Path) -> dict[str, str]:
    """Return all texts by key. `language` is one of `languages()`, or a TOML file named from the experiment's `folder`.

    Raises:
        ExperimentError: there is no such language or file, or the file lacks a text, has one too many, or asks to fill in
            something that the study does not know.
    """
    if language in languages():
        return dict(_shipped(language))
    path = folder / language
    if not path.is_file():
        raise ExperimentError(
            f'language "{language}": the toolkit ships {", ".join(languages())}, and there is no file {path}. '
            f"For another language copy {_TEXTS / _REFERENCE}.toml into {folder}, translate it, and name the copy"
        )
    return _checked(path, _read(path))


def fill(text: str, values: Mapping[str, object]) -> str:
    """Return the text with each {name} replaced.

    >>> fill("{n} of {total}", {"n": 3, "total": 40})
    '3 of 40'
    """
    return text.format_map(values)


@cache
def _shipped(language: str) -> Mapping[str, str]:
    path = _TEXTS / f"{language}.toml"
    return _checked(path, _read(path))


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise ExperimentError(f"{path}: not valid TOML: {error}; each line is a key, = and a text in quotes") from error
    except UnicodeDecodeError as error:
        raise ExperimentError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from error


def _checked(path: Path, found: dict[str, object]) -> dict[str, str]:
    """Return the texts, trimmed, if the file has just those of the reference; all its mistakes are reported at once."""
    reference = _read(_TEXTS / f"{_REFERENCE}.toml")
    mistakes = [f'"{key}" is no known text; {did_you_mean(key, reference)}' for key in found if key not in reference]
    for key, original in reference.items():
        mistakes += _mistakes(key, found.get(key), str(original))
    if mistakes:
        raise ExperimentError("\n".join(f"{path}: {mistake}" for mistake in mistakes))
    return {key: str(text).strip() for key, text in found.items()}


def _mistakes(key: str, text: object, original: str) -> list[str]:
    if text is None:
        return [f'"{key}" is missing; in English it is "{_short(original)}"']
    if not isinstance(text, str) or not text.strip():
        return [f'"{key}" is {"empty" if isinstance(text, str) else text}; expected a text in quotes']
    asked, known = _placeholders(text), _placeholders(original) or set()
    if asked is None:
        return [f'"{key}" has braces that are no {{name}}; a brace that is meant as such is written twice, {{{{ or }}}}']
    expected = f"only {' and '.join(f'{{{name}}}' for name in sorted(known))} can" if known else "nothing can"
    return [f'"{key}" asks for {{{name}}}; {expected} be filled in there' for name in sorted(asked - known)]


def _placeholders(text: str) -> set[str] | None:
    """Return the names in {braces}, None where the braces are no such names."""
    try:
        fields = [(name, form, conversion) for _, name, form, conversion in string.Formatter().parse(text) if name is not None]
    except ValueError:
        return None
    return {name for name, *_ in fields} if all(name.isidentifier() and not form and not how for name, form, how in fields) else None


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."
