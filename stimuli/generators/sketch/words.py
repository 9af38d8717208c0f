"""Finding known words and phrases in a text, in the order in which they are written."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

_WORD = re.compile(r"[a-z]+")
_PLURALS = (("ies", "y"), ("ves", "f"), ("ves", "fe"), ("es", ""), ("s", ""))


@dataclass(frozen=True)
class Lexicon:
    """What each known phrase means; phrases are tuples of lower-case words."""

    meanings: Mapping[tuple[str, ...], str]
    known: frozenset[str]
    longest: int


def lexicon(phrases: Mapping[str, str | Iterable[str]]) -> Lexicon:
    """Return a lexicon of `phrases`: each meaning with its phrases, separated by commas or as a list.

    A hyphen counts as a space, so "wide-angle" and "wide angle" are one phrase.
    """
    meanings: dict[tuple[str, ...], str] = {}
    for meaning, spelled in phrases.items():
        for phrase in spelled.split(",") if isinstance(spelled, str) else spelled:
            meanings[tuple(_WORD.findall(phrase.lower()))] = meaning
    return Lexicon(
        meanings=meanings,
        known=frozenset(word for phrase in meanings for word in phrase),
        longest=max(len(phrase) for phrase in meanings),
    )


def mentions(text: str, known: Lexicon) -> list[str]:
    """Return the meanings of the phrases in `text` in reading order, repeats included.

    Only whole words match, in any case and in the singular or plural; where several phrases begin at one word, the longest is meant.

    >>> mentions("Vines on bookshelves; a CATALOGUE", lexicon({"vine": "vine", "shelf": "bookshelf, shelf", "cat": "cat"}))
    ['vine', 'shelf']
    """
    words = [_singular(word, known.known) for word in _WORD.findall(text.lower())]
    return list(_matches(words, known))


def _matches(words: list[str], known: Lexicon) -> Iterator[str]:
    at = 0
    while at < len(words):
        step = 1
        if words[at] in known.known:
            for length in range(min(known.longest, len(words) - at), 0, -1):
                meaning = known.meanings.get(tuple(words[at : at + length]))
                if meaning is not None:
                    yield meaning
                    step = length
                    break
        at += step


def _singular(word: str, known: frozenset[str]) -> str:
    if word in known or not word.endswith("s"):
        return word
    candidates = (word[: -len(ending)] + single for ending, single in _PLURALS if word.endswith(ending))
    return next((candidate for candidate in candidates if candidate in known), word)
