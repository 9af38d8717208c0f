"""The site of the documentation builds without warnings and loads nothing from elsewhere; its links lead somewhere, on a code host too."""

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from printed_page import ROOT

# What a page loads by itself, as against a link that a reader may follow.
_LOADS = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "video": "src"}
_LINK = re.compile(r"(?<!`)!?\[[^\]]*\]\(([^)\s]+)\)")


class Seen(HTMLParser):
    """What a page loads, where it links to, and the places in it that can be linked to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.ids.add(str(given["id"]))
        if (loaded := given.get(_LOADS.get(tag, ""))) and given.get("rel") not in ("prev", "next", "index", "search", "canonical"):
            self.loads.append(loaded)
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build = [
        Path(sys.executable).with_name("sphinx-build"),
        "-q",
        "-W",
        "--keep-going",
        "-c",
        "docs",
        "-d",
        folder / "read",
        ".",
        folder / "html",
    ]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "html"


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def test_every_readme_and_page_is_in_the_site_and_the_readme_is_its_front_door(site: Path) -> None:
    for source in (
        ROOT / "README.md",
        *ROOT.glob("docs/*.md"),
        *(ROOT / room / "README.md" for room in ("stimuli", "study", "analysis", "reports")),
    ):
        assert (site / source.relative_to(ROOT)).with_suffix(".html").is_file(), source
    assert (site / "index.html").read_bytes() == (site / "README.html").read_bytes()


def test_pages_load_only_what_lies_beside_them(site: Path) -> None:
    for page in pages(site):
        for loaded in Seen(page).loads:
            assert not re.match(r"(https?:)?//", loaded), f"{page.name} loads {loaded}"
            assert (page.parent / loaded.partition("?")[0]).exists(), f"{page.name} lacks {loaded}"
    for style in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", style.read_text(encoding="utf-8")), style


def test_links_within_the_site_lead_somewhere(site: Path) -> None:
    seen = {page.resolve(): Seen(page) for page in pages(site)}
    for page, found in seen.items():
        for link in found.links:
            if re.match(r"[a-z]+:", link):
                continue
            path, _, place = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), f"{page.name} links to {link}"
            assert not place or target not in seen or place in seen[target].ids, f"{page.name} links to {link}"


def test_pictures_of_the_readmes_are_in_the_site(site: Path) -> None:
    for name in re.findall(r"docs/pictures/([\w-]+\.png)", "".join(text for _, text in sources())):
        assert (site / "_images" / name).is_file(), name


def sources() -> Iterator[tuple[Path, str]]:
    for folder in ("", "docs", "stimuli", "study", "analysis", "reports", "benchmarks"):
        for page in sorted((ROOT / folder).glob("*.md")):
            yield page, page.read_text(encoding="utf-8")


def test_links_between_the_sources_lead_to_files_so_that_a_code_host_finds_them() -> None:
    for page, text in sources():
        for link in _LINK.findall(text):
            if not re.match(r"[a-z]+:|#", link):
                assert (page.parent / link.partition("#")[0]).exists(), f"{page.relative_to(ROOT)} links to {link}"
