"""Read prompts out of the text a rewriter wrote, in whatever form it wrote them; and drop what was there before."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stimuli.rewriters.json_answers import json_prompts

# The encoders of image generators read some 300 words. What is longer is a model that rambled, and cutting it makes another prompt.
LONGEST_PROMPT = 4_000

_LABEL = r"(?:(?:new\s+)?(?:prompt|variation|variant|version|option|rewrite)\s*(?:no\.?|number)?\s*[#:]?\s*)"
# An item starts with "1." "1)" "1:" "(1)" "[1]" "1 -" "**1.**" "Prompt 1:" "### Prompt 1"; its text may start on the next line.
_NUMBERED = re.compile(
    rf"""^\s*(?:[#>]+\s+)?[*_]{{0,3}}
    (?:
        {_LABEL}\d{{1,3}}\s*(?:[*_]{{1,3}}\s*$|$|[.):–—-][*_]{{0,3}}\s*)
      | [#]?\(?\d{{1,3}}\\?[.):、．][*_]{{0,3}}(?=\s|$|[^\W\d]|["'“‘«*])\s*
      | \[\d{{1,3}}\][*_]{{0,3}}\s+
      | \d{{1,3}}\s+[–—-]\s+
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_BULLETED = re.compile(r"^\s*[-*+•–·‣◦]\s+")
_RULE = re.compile(r"^\s*(?:[-*_=~]\s*){3,}$")
_LAYERS = 20  # Of quotes, marks and labels around a prompt; endless text may have thousands.
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "`": "`", "「": "」"}
_BOLD = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_NUMBER = r"~?[+-]?\d+(?:\.\d+)?(?:\s*/\s*\d+)?"
_SCORE = rf"(?:\w+\s+)?score(?:\s+of)?\s*[:=]?\s*{_NUMBER}"
_SCORE_BEFORE = re.compile(rf"^(?:[(\[]\s*{_SCORE}\s*[)\]]\s*[:–—-]?|score\s*[:=]?\s*{_NUMBER}\s*[:–—-])\s+", re.IGNORECASE)
_SCORE_AFTER = re.compile(rf"\s*(?:[(\[]\s*{_SCORE}\s*[)\]]|[|;–—-]\s*{_SCORE})\s*\.?$", re.IGNORECASE)
_THINKING = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)|\A.*</(?:think|thinking|reasoning)>", re.DOTALL | re.IGNORECASE)
_CANNOT = (
    r"\b(?:I|we)(?:['’]m|['’]re|\s+am|\s+are)?\s+"
    r"(?:(?:must|have\s+to)\s+decline|(?:can(?:not|['’]t|\s+not)|won['’]t|will\s+not|unable\s+to|not\s+able\s+to|not\s+comfortable)\b[^.\n]{0,30}?"
    r"\b(?:help|assist|fulfil+|comply|creat\w+|generat\w+|provid\w+|writ\w+|produc\w+|depict\w*|do|continu\w+|engag\w+)\b)"
)
_REFUSAL = re.compile(_CANNOT, re.IGNORECASE)
_REFUSING_ITEM = re.compile(
    rf"(?:(?:(?:I['’]m|I\s+am)\s+)?sorry|I\s+apologi[sz]e|unfortunately)?\W{{0,3}}(?:but\s+)?{_CANNOT}", re.IGNORECASE
)


@dataclass(frozen=True)
class Answer:
    """The prompts of an answer; `trouble` is "empty", "refusal", "cut", "too long", "no list", or None."""

    prompts: tuple[str, ...]
    trouble: str | None


def read(text: str, *, is_cut: bool = False) -> Answer:
    """Return what an answer holds; where it was cut, without the item it was cut in.

    A refusal is an English sentence such as "I cannot help with that" before a list, instead of one, or as an item of it.
    Items of more than `LONGEST_PROMPT` characters are left out.
    """
    said = unthought(text).replace("```", "\n```")
    before, found = json_prompts(said)
    if not found:
        before, found = _listed(said, is_cut=is_cut)
    items = [item for item in map(_clean, found) if any(map(str.isalpha, item))]
    willing = [] if _REFUSAL.search(before) else [item for item in items if not _REFUSING_ITEM.match(item)]
    prompts = tuple(item for item in willing if len(item) <= LONGEST_PROMPT)
    if not said.strip():
        return Answer((), "cut" if is_cut else "empty")
    if not willing and _REFUSAL.search(said[:500]):
        return Answer((), "refusal")
    if is_cut:
        return Answer(prompts, "cut")
    if len(prompts) < len(willing):
        return Answer(prompts, "too long")
    return Answer(prompts, None if prompts else "no list")


def parse(text: str, *, is_cut: bool = False) -> list[str]:
    """Return the prompts of an answer in order, each on one line without its number, bullet, quotes, bold marks and score.

    Where lines are numbered, only numbers start an item, so bullets and bare lines below one belong to it. A blank line ends
    an item. Under a heading ("### Prompt 1: Dusk") the prompt is what follows. Lines before the first item are no item.

    >>> parse('Here you are:\\n1. "A cat, at dusk"\\n2) A cat\\n   in neon light')
    ['A cat, at dusk', 'A cat in neon light']
    """
    return list(read(text, is_cut=is_cut).prompts)


def unthought(text: str) -> str:
    """Return the text without what a model wrote down while it thought; a thought that does not end is all there is.

    >>> unthought("<think>A cat? 1. No.</think>1. A dog")
    '1. A dog'
    """
    return _THINKING.sub("", text)


def storable(text: str) -> str:
    """Return the text without halves of characters, which a model may write and no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


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
    """Return letters, marks and numbers; the marks because they are the vowels of some scripts."""
    plain = unicodedata.normalize("NFKC", prompt).casefold()
    return " ".join("".join(letter if unicodedata.category(letter)[0] in "LMN" else " " for letter in plain).split())


@dataclass
class _Item:
    """An item while its lines are gathered: its title if it has one, and its paragraphs; a blank line ends a paragraph."""

    title: str
    parts: list[list[str]]

    @property
    def text(self) -> str:
        """The first paragraph; what comes after a blank line is talk about the prompt."""
        return " ".join(self.parts[0]).strip()


def _listed(text: str, *, is_cut: bool) -> tuple[str, list[str]]:
    """Return what stands before the first item, and the items of a numbered list, or else of a bulleted one."""
    lines = text.splitlines()
    start = _NUMBERED if any(_NUMBERED.match(line) for line in lines) else _BULLETED
    before: list[str] = []
    items: list[_Item] = []
    for line in lines:
        is_blank = not line.strip() or bool(_RULE.match(line)) or line.lstrip().startswith("```")
        if not is_blank and (match := start.match(line)):
            # Bold marks that open before the number, as in "**1. Dusk:** a cat", close in the text.
            said = "**" * (match.group().count("**") % 2) + line[match.end() :]
            items.append(_Item(said, [[]]) if _is_title(line, said) else _Item("", [[said]]))
        elif not items:
            before.append(line)
        elif not is_blank:
            items[-1].parts[-1].append(line)
        elif items[-1].text:  # A number or a title alone on its line still waits for its text.
            items[-1].parts.append([])
    # Where some items are titles alone, so is the last one, and what follows it is talk.
    titles = any(item.title and not item.text for item in items[:-1])
    if items and is_cut and not titles and len(items[-1].parts) == 1:
        items.pop()
    return "\n".join(before), [item.title if titles and item.title else item.text or item.title for item in items]


def _is_title(line: str, said: str) -> bool:
    """Tell whether an item's line is marked as a heading, and short: then the prompt is what stands under it."""
    marked = line.strip()
    return 0 < len(said.strip()) <= 80 and (marked.startswith("#") or (marked.startswith("**") and marked.endswith("**")))


def _clean(item: str) -> str:
    text = "".join(" " if unicodedata.category(letter) == "Cc" else letter for letter in storable(item))
    for _ in range(_LAYERS):
        before, text = text, _undressed(" ".join(text.split()))
        if text == before:
            break
    return " ".join(text.split())


def _undressed(text: str) -> str:
    """Return the text less one layer of what is no part of a prompt."""
    text = _SCORE_AFTER.sub("", _SCORE_BEFORE.sub("", text))
    text = _BOLD.sub(r"\2", text)
    text = re.sub(r"^(?:[-*•]\s+|(?:new\s+)?prompt\s*:\s+)", "", text, flags=re.IGNORECASE)
    inner = text.removesuffix(",")
    if len(inner) > 1 and _QUOTES.get(inner[0]) == inner[-1] and inner[0] not in inner[1:-1]:
        text = inner[1:-1]
    return text.strip()
