"""The settings of generators behind an HTTP address; the key comes from the environment, never from study.toml."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True)
class Hosted:
    """`[stimuli.hosted]`: the service behind a hosted generator; the limits hold for each process of `[stimuli.workers]`."""

    address: str = "https://generativelanguage.googleapis.com"
    """The address of the service."""
    model: str = "gemini-2.5-flash-image"
    """Its model."""
    key_variable: str = "GEMINI_API_KEY"
    """The environment variable that holds the key; the key itself is never stored."""
    requests_per_minute: Annotated[float, Field(gt=0)] = 60.0
    """The most requests a minute."""
    attempts: Annotated[int, Field(ge=1, le=20)] = 6
    """How often a request is tried while the service is busy."""
    concurrency: Annotated[int, Field(ge=1, le=64)] = 4
    """Requests that are on their way at once."""
    timeout: Annotated[float, Field(ge=1, le=3600)] = 120.0
    """Seconds that one request may take."""
