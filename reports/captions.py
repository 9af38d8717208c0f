"""The captions of figures and tables as the page prints them, so that the files beside it say the same."""

from dataclasses import dataclass
from html.parser import HTMLParser

_FIGURE, _TABLE = "caption-", "table-"


@dataclass(frozen=True)
class Captions:
    """The captions by name: of a figure its title and its words, of a table one text."""

    figures: dict[str, tuple[str, str]]
    tables: dict[str, str]


def captions(html: str) -> Captions:
    """Return all captions of a page; a figure's number is left out, since every paper counts anew."""
    reader = _Reader()
    reader.feed(html)
    figures = {name.removeprefix(_FIGURE): _titled(parts) for name, parts in reader.found.items() if name.startswith(_FIGURE)}
    tables = {
        name.removeprefix(_TABLE): _line("".join(words for words, _ in parts))
        for name, parts in reader.found.items()
        if name.startswith(_TABLE)
    }
    return Captions(figures, tables)


class _Reader(HTMLParser):
    """Collects what stands in elements whose id is a caption's: each text, and whether it is bold."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: dict[str, list[tuple[str, bool]]] = {}
        self._inside: tuple[str, str] | None = None
        self._bold = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        name = dict(attrs).get("id") or ""
        if tag in ("figcaption", "p") and name.startswith((_FIGURE, _TABLE)):
            self._inside = tag, name
            self.found[name] = []
        self._bold = self._bold or tag == "b"

    def handle_endtag(self, tag: str) -> None:
        if self._inside and tag == self._inside[0]:
            self._inside = None
        if tag == "b":
            self._bold = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[self._inside[1]].append((data, self._bold))


def _titled(parts: list[tuple[str, bool]]) -> tuple[str, str]:
    """Return the bold title behind the bold number, and the rest."""
    bold = [place for place, (_, is_bold) in enumerate(parts) if is_bold]
    # The first bold text is the number; a caption without a second one has no title.
    title = parts[bold[1]][0] if len(bold) > 1 else ""
    rest = [words for place, (words, _) in enumerate(parts) if place not in bold[:2]]
    return _line(title), _line("".join(rest))


def _line(words: str) -> str:
    return " ".join(part for part in words.replace("\N{NO-BREAK SPACE}", "\0").split() if part).replace("\0", "\N{NO-BREAK SPACE}")
