"""The steering loop: propose, generate, score, keep the best, repeat."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True)
class Steering:
    """`[stimuli.steering]`: the loop of PAMELA, section 5, after MILS (arXiv 2501.18096); the defaults are the paper's.

    Each iteration proposes `candidates` rewritten prompts and keeps the `keep` best so far as context for the next;
    it stops after `iterations`, or after `patience` iterations in a row without a better score.
    """

    candidates: Annotated[int, Field(ge=1, le=200)] = 20
    iterations: Annotated[int, Field(ge=1, le=100)] = 5
    patience: Annotated[int, Field(ge=1)] = 2
    keep: Annotated[int, Field(ge=1)] = 1
