"""Figures as they stand inside a page: SVG among HTML, with ids of their own and letters that stay readable."""

import re
from dataclasses import dataclass

from markupsafe import Markup

from reports.drawing import Rendered

_CSS_PIXELS = 96
# Of what may be its most on the page; the text is narrower than that.
_WIDE = 800
# How far a figure may shrink and grow on the page, where it is read from further away than on paper.
_LEAST, _MOST = 0.85, 1.5


@dataclass(frozen=True)
class InlineFigure:
    """An SVG that can stand in HTML beside others; widths in CSS pixels keep its letters between readable and loud."""

    number: int
    svg: Markup
    least: int
    most: int

    @property
    def wide(self) -> bool:
        """Whether it holds panels side by side, whose letters would be too small at the width of the text."""
        return self.most > _WIDE


def inline(name: str, figure: Rendered, *, number: int) -> InlineFigure:
    """Return `figure` for use inside a page as Figure `number`: without XML preamble and size, and with ids that no other figure has."""
    svg = figure.svg.decode()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<svg[^>]*?(viewBox=\"[^\"]*\")[^>]*>", rf'<svg \1 role="img" aria-labelledby="caption-{name}">', svg, count=1)
    svg = re.sub(r'(<image\b[^>]*?) id="[^"]*"', r"\g<1>", svg)  # two equal pictures have one id, which nothing refers to
    svg = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r"\s*<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<style[^>]*>[^<]*</style>", "", svg)  # it speaks of every element; page.css says it for figures only
    natural = figure.width * _CSS_PIXELS
    return InlineFigure(number, Markup(svg), round(natural * _LEAST), round(natural * _MOST))
