"""study.toml is read here, once: every mistake in it is reported at the same time, with file, table, key and a hint."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True)
class Mistake:
    """One thing wrong in study.toml: `table` as a person writes it ("[stimuli.steering]", "[[prompt]] 2"), the key, what is wrong."""

    table: str
    key: str | None
    text: str


@dataclass(frozen=True)
class ExperimentTable:
    """`[experiment]`: what it is called, and the seed that all chance in it comes from."""

    title: str
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 1
