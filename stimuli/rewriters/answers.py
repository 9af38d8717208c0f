"""Read prompts out of the text a rewriter wrote: numbered lines, bullets, quotes, wrapped lines; and drop what was there before."""

import re
from collections.abc import Iterable, Sequence

# An item starts with "1." "1)" "1:" "(1)" "**1.**" "Prompt 1:" or a bullet; its text may also start on the next line.
_NUMBERED = re.compile(r"^\s*(?:[*_]{0,2})(?:prompt\s+|#)?\(?\d{1,3}[.):](?:[*_]{0,2})(?:\s+|$)", re.IGNORECASE)
_BULLETED = re.compile(r"^\s*[-*•–]\s+")
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "`": "`"}


def parse(text: str) -> list[str]:
    """Return the items of a list in order, each on one line without its number, bullet, quotes and bold marks.

    Where lines are numbered, only numbers start an item, so bullets and bare lines below one belong to it. A blank line ends
    an item. Lines before the first item are no item.

    >>> parse('Here you are:\\n1. "A cat, at dusk"\\n2) A cat\\n   in neon light')
    ['A cat, at dusk', 'A cat in neon light']
    """
    lines = text.splitlines()
    start = _NUMBERED if any(_NUMBERED.match(line) for line in lines) else _BULLETED
    items: list[list[str]] = []
    is_open = False
    for line in lines:
        if match := start.match(line):
            items.append([line[match.end() :]])
            is_open = True
        elif not line.strip():
            # A number alone on its line still waits for its text.
            is_open = is_open and not "".join(items[-1]).strip()
        elif is_open:
            items[-1].append(line)
    return [item for item in map(_clean, items) if item]


def fresh(prompts: Iterable[str], *, known: Sequence[str]) -> list[str]:
    """Return the prompts that differ from `known` and from each other by more than case, spaces and punctuation, in order.

    >>> fresh(["A cat.", "a CAT", "A dog"], known=["the dog"])
    ['A cat.', 'A dog']
    """
    seen = {_key(prompt) for prompt in known}
    kept = []
    for prompt in prompts:
        key = _key(prompt)
        if key and key not in seen:
            seen.add(key)
            kept.append(prompt)
    return kept


def _key(prompt: str) -> str:
    return " ".join(re.findall(r"\w+", prompt.casefold()))


def _clean(lines: list[str]) -> str:
    text = " ".join(" ".join(lines).split())
    if text.startswith("**") and text.endswith("**"):
        text = text[2:-2].strip()
    if len(text) > 1 and _QUOTES.get(text[0]) == text[-1] and text[0] not in text[1:-1]:
        text = text[1:-1].strip()
    return text
