"""The lists of an image set: read from study.toml and from text files, and checked all at once."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stimuli import generators
from stimuli.imagesets import PLACES, Domain, ImageSet
from stimuli.studyfile import Mistake

_SET = "[stimuli.image_set]"


@dataclass(frozen=True)
class Entry:
    """A style or a content: what it is called, and its words in a prompt."""

    name: str
    words: str


def styles(domain: Domain, folder: Path) -> tuple[Entry, ...]:
    """Return the styles of a domain in their order; a file that is not there has none."""
    return _entries(domain.styles, domain.styles_file, folder)


def contents(domain: Domain, folder: Path) -> tuple[Entry, ...]:
    """Return the contents of a domain in their order; a file that is not there has none."""
    return _entries(domain.contents, domain.contents_file, folder)


def mistakes(wanted: ImageSet, folder: Path) -> Iterator[Mistake]:
    """Yield what is wrong with an image set; one that nobody described is not wrong."""
    if wanted == ImageSet():
        return
    if not wanted.domain:
        yield Mistake("[[stimuli.image_set.domain]]", None, "is missing; add at least one, with a name, styles and contents")
    yield from _generators(wanted.generators)
    names = Counter(domain.name for domain in wanted.domain)
    for number, domain in enumerate(wanted.domain, start=1):
        place = f'[[stimuli.image_set.domain]] {number} ("{domain.name}")'
        if names[domain.name] > 1:
            yield Mistake(place, "name", f'is "{domain.name}", which another domain has; give each its own')
        yield from _list(place, "styles", domain.styles, domain.styles_file, folder)
        yield from _list(place, "contents", domain.contents, domain.contents_file, folder)
        yield from _template(place if domain.template else _SET, domain.template or wanted.template)
    yield from _number(wanted, folder)


def _entries(listed: Sequence[str], file: str | None, folder: Path) -> tuple[Entry, ...]:
    return tuple(_entry(text) for text in (*listed, *_lines(file, folder)))


def _lines(file: str | None, folder: Path) -> list[str]:
    if file is None or not (folder / file).is_file():
        return []
    lines = (folder / file).read_text(encoding="utf-8-sig").splitlines()
    return [line for line in map(str.strip, lines) if line and not line.startswith("#")]


def _entry(text: str) -> Entry:
    """Return an entry of a list.

    >>> _entry("harbours | A small harbour at low tide")
    Entry(name='harbours', words='A small harbour at low tide')
    >>> _entry("oil painting")
    Entry(name='oil painting', words='oil painting')
    """
    name, bar, words = (part.strip() for part in text.partition("|"))
    return Entry(name, words if bar else name)


def _generators(names: Sequence[str]) -> Iterator[Mistake]:
    for place, name in enumerate(names):
        if complaint := generators.SHELF.complaint(name):
            yield Mistake(_SET, "generators", complaint)
        elif name in names[:place]:
            yield Mistake(_SET, "generators", f'names "{name}" more than once; name each generator once')


def _list(place: str, key: str, listed: Sequence[str], file: str | None, folder: Path) -> Iterator[Mistake]:
    if file is not None and not (folder / file).is_file():
        yield Mistake(place, f"{key}_file", f'is "{file}", and {folder / file} is no file; put the list there, one entry a line')
        return
    try:
        found = _entries(listed, file, folder)
    except UnicodeDecodeError as error:
        yield Mistake(place, f"{key}_file", f'is "{file}", which is no UTF-8 text (byte {error.start}); save it as UTF-8')
        return
    if not found:
        yield Mistake(place, key, f"is an empty list; add at least one, or name a file with {key}_file")
    for entry in found:
        if not entry.name or not entry.words:
            yield Mistake(place, key, f'holds an entry without {"words" if entry.name else "a name"}; write "name | words", or only words')
    for words, count in Counter(entry.words.casefold() for entry in found).items():
        if count > 1:
            yield Mistake(place, key, f'holds "{words}" {count} times; leave one')


def _template(place: str, template: str) -> Iterator[Mistake]:
    missing = [part for part in PLACES if part not in template]
    if missing:
        yield Mistake(place, "template", f'is "{template}" and lacks {" and ".join(missing)}; write them where the words belong')


def _number(wanted: ImageSet, folder: Path) -> Iterator[Mistake]:
    try:
        cells = sum(len(styles(domain, folder)) * len(contents(domain, folder)) for domain in wanted.domain)
    except UnicodeDecodeError:
        return
    if wanted.number is None:
        yield Mistake(_SET, "number", f"is missing; there are {cells} pairs of a style and a content, so {cells} or a multiple of it")
    elif wanted.number < cells:
        yield Mistake(
            _SET,
            "number",
            f"is {wanted.number}, but there are {cells} pairs of a style and a content; raise it to at least {cells}, or shorten the lists",
        )
