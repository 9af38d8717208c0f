"""The settings of generators behind an HTTP address; the key comes from the environment, never from study.toml."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True)
class Hosted:
    """`[stimuli.hosted]`: the address of the service, its model, the name of the environment variable with the key, and its limits.

    `concurrency` is how many requests are on their way at once, `timeout` how many seconds one may take, `attempts` how often it is
    tried while the service is busy. The limits hold for each process of `[stimuli.workers]`.
    """

    address: str = "https://generativelanguage.googleapis.com"
    model: str = "gemini-2.5-flash-image"
    key_variable: str = "GEMINI_API_KEY"
    requests_per_minute: Annotated[float, Field(gt=0)] = 60.0
    attempts: Annotated[int, Field(ge=1, le=20)] = 6
    concurrency: Annotated[int, Field(ge=1, le=64)] = 4
    timeout: Annotated[float, Field(ge=1, le=3600)] = 120.0
