"""Rated-image data sets."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True)
class RatedData:
    """`[stimuli.ratings]`: whom the predictor learns from.

    `folder` holds a data set in PAMELA's layout (relative to the experiment). Without it, `raters` simulated people with
    known tastes rate `per_rater` each of `images` images that the generator renders.
    """

    folder: str | None = None
    raters: Annotated[int, Field(ge=4, le=1000)] = 24
    images: Annotated[int, Field(ge=20, le=100_000)] = 160
    per_rater: Annotated[int, Field(ge=10)] = 80
