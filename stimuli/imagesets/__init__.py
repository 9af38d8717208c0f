"""Image sets for a rating study: styles crossed with contents, rendered by several generators in equal shares."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from stimuli.imagesets.likeness import BITS

PLACES = ("{content}", "{style}")


@dataclass(frozen=True)
class Domain:
    """`[[stimuli.image_set.domain]]`: styles and contents that are crossed with each other, such as those of art.

    An entry without "|" is its own name. In the two files what begins with # is no entry; they come after those in study.toml.
    """

    name: Annotated[str, Field(min_length=1, max_length=40)]
    """What it is called in the ratings."""
    styles: tuple[str, ...] = ()
    """How images look, each "name | words": the words make the prompt, the name is the style in the ratings."""
    contents: tuple[str, ...] = ()
    """What images show, each "name | words": the words make the prompt, the name is the theme in the ratings."""
    styles_file: str | None = None
    """A file with further styles, one a line, relative to the experiment."""
    contents_file: str | None = None
    """A file with further contents, one a line, relative to the experiment."""
    template: str | None = None
    """Its own way of joining words to a prompt."""


@dataclass(frozen=True)
class ImageSet:
    """`[stimuli.image_set]`: the images that people will rate before there is any predictor."""

    number: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Images in all, shared out evenly over every pair of a style and a content; an image set needs it."""
    generators: tuple[str, ...] = ()
    """Who renders them, in equal shares; none: the study's generator."""
    template: str = "{content}, {style}"
    """How the words of a pair are joined to a prompt."""
    alike: Annotated[int, Field(ge=0, lt=BITS)] = 3
    """Of two images whose hashes differ in so many of 64 bits or fewer, the later is made anew."""
    tries: Annotated[int, Field(ge=1, le=100)] = 8
    """How often an image is made anew before it is left out."""
    domain: tuple[Domain, ...] = ()
