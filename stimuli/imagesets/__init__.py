"""Image sets for a rating study: styles crossed with contents, rendered by several generators in equal shares."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from stimuli.imagesets.likeness import BITS

PLACES = ("{content}", "{style}")


@dataclass(frozen=True)
class Domain:
    """`[[stimuli.image_set.domain]]`: styles and contents that are crossed with each other, such as those of art.

    An entry of either is "name | words": the words go into the prompt, the name is what the entry is called in the ratings (the style,
    or the theme); without "|" the words are their own name. The two files, relative to the experiment, hold one entry a line, and what
    begins with # is no entry; they come after those in study.toml.
    """

    name: Annotated[str, Field(min_length=1, max_length=40)]
    styles: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()
    styles_file: str | None = None
    contents_file: str | None = None
    template: str | None = None


@dataclass(frozen=True)
class ImageSet:
    """`[stimuli.image_set]`: the images that people will rate before there is any predictor.

    `number` images are shared out evenly over every pair of a style and a content, and over the `generators` (none: the one of the
    study). `template` joins the words of the pair to a prompt. Of two images whose hashes differ in `alike` or fewer of 64 bits the
    later is dropped and rendered with its next seed, up to `tries` times.
    """

    number: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    generators: tuple[str, ...] = ()
    template: str = "{content}, {style}"
    alike: Annotated[int, Field(ge=0, lt=BITS)] = 3
    tries: Annotated[int, Field(ge=1, le=100)] = 8
    domain: tuple[Domain, ...] = ()
