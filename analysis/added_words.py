"""What steering added to a base prompt: its content words, and how alike two sets of them are. English only."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from math import log

# Words that carry grammar and no content. The list decides what counts as added, so it is short and stands here.
_FUNCTION_WORDS = """\
a about across against all along am among an and another any are around as at be been before behind being below beneath beside between
beyond both but by can could did do does down during each either every few for from had has have he her here his how i if in into is it
its like many may me might more most much my near no nor not of off on once onto or other our out over own per she should since so some
such than that the their them then there these they this those through throughout to too toward towards under until up upon very via
was we were what when where which while who whose will with within without would you your"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
# What prompts say of being prompts; a study may declare its own.
BOILERPLATE = ("photograph", "shot", "captured", "using")
_WORD = re.compile(r"[a-z0-9]+(?:[-'][a-z0-9]+)*")


def words(text: str) -> list[str]:
    """Return the words of a text in order, in lower case and without accents; a hyphenated word is one word.

    >>> words("A low-angle shot: the café’s cold GRAY stone.")
    ['a', 'low-angle', 'shot', 'the', "cafe's", 'cold', 'gray', 'stone']
    """
    plain = unicodedata.normalize("NFKD", text.replace("’", "'"))
    return _WORD.findall("".join(mark for mark in plain if not unicodedata.combining(mark)).lower())


@cache
def stem(word: str) -> str:
    """Return the stem of an English word (Porter2, by the Snowball project).

    >>> stem("lights"), stem("mystical")
    ('light', 'mystic')
    """
    import snowballstemmer

    found: str = snowballstemmer.stemmer("english").stemWord(word.removesuffix("'s"))
    return found


def added_words(prompt: str, *, base: str, boilerplate: Iterable[str] = BOILERPLATE) -> frozenset[str]:
    """Return the stems of the content words that `prompt` has and `base` has not, without the declared boilerplate."""
    known = {stem(word) for text in (base, *boilerplate) for word in words(text)}
    return frozenset(stem(word) for word in words(prompt) if word not in FUNCTION_WORDS) - known


def jaccard(one: frozenset[str], other: frozenset[str], weights: Mapping[str, float] | None = None) -> float:
    """Return the shared weight over the joint weight of two sets, each word weighing 1 unless told; 0 where neither has any."""
    joint = _weight(one | other, weights)
    return _weight(one & other, weights) / joint if joint else 0.0


def rarity(sets: Sequence[frozenset[str]]) -> dict[str, float]:
    """Return the weight of each word, ln((1 + n) / (1 + count)) + 1 over the n sets: rare words weigh more."""
    counts: dict[str, int] = {}
    for words_ in sets:
        for word in words_:
            counts[word] = counts.get(word, 0) + 1
    return {word: log((1 + len(sets)) / (1 + count)) + 1 for word, count in counts.items()}


def _weight(of: frozenset[str], weights: Mapping[str, float] | None) -> float:
    # Sorted, since sums of fractions in the changing order of a set differ in their last digits.
    return float(len(of)) if weights is None else sum(weights[word] for word in sorted(of))
