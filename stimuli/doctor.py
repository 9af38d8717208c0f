"""What this machine offers for making stimuli, what fits on its graphics card, and what to do about each lack."""

import importlib.util
import os
import platform
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from stimuli.machine import downloads
from stimuli.machine.weights import PUBLISHED, Weights


@dataclass(frozen=True)
class Finding:
    """One line of `tastebench doctor`: `state` is "ready", "optional" (not there, and not needed offline) or "lacking"."""

    part: str
    state: Literal["ready", "optional", "lacking"]
    found: str
    advice: str = ""


_EXTRAS = {
    "gpu": ("diffusers", "transformers", "accelerate", "safetensors", "sentence_transformers", "sentencepiece"),
    "cluster": ("ray",),
    "postgres": ("psycopg",),
}
_WHAT_FOR = {
    "gpu": "models on this machine: FLUX.2, a chat model, the published scorers and encoders",
    "cluster": "steering on several machines",
    "postgres": "a study whose answers go to PostgreSQL",
}


def findings(*, folder: Path) -> list[Finding]:
    """Return what is here: Python, packages, extras, GPU and what fits on it, weights, and room on the disk of `folder`."""
    card = _card()
    return [
        _python(),
        _toolkit(),
        *map(_extra, _EXTRAS),
        _gpu(card),
        *(fits(card[1], waiting=_computer_memory()) if card else _no_card()),
        *(weights_here(weights) for weights in PUBLISHED.values()),
        _disk(folder),
    ]


def fits(card: float, *, waiting: float | None = None, published: Mapping[str, Weights] = PUBLISHED) -> list[Finding]:
    """Return, for each generator and preset, whether it fits a card of so many GiB, and which other parts then fit beside it.

    `waiting` is the GiB of the computer's own memory, where parts wait for their turn.
    """
    # The tables of presets stand beside the generators, whose package loads an image library.
    from stimuli.generators.memory import PRESETS, SIZES, preset_for

    chosen, found = preset_for(card), []
    for name, size in SIZES.items():
        for preset in PRESETS.values():
            plan = preset.plans[name]
            need, one = plan.card(size), plan.card(size, batch=1)
            if one > card or (chosen and preset.least > chosen.least):
                continue
            held = {"whole": "as published", "fp8": "rounded to 8 bits", "nf4": "rounded to 4 bits (needs bitsandbytes)"}[plan.weights]
            turns = ", parts take turns" if plan.offload else ", all of it stays on the card"
            batch = f"{need:.0f} of {card:.0f} GiB" if need <= card else f"{one:.0f} of {card:.0f} GiB, one image at a time"
            auto = ' (what "auto" is here)' if preset is chosen else ""
            lack = plan.waiting(size) - waiting if waiting is not None else 0.0
            short = f"needs {plan.waiting(size):.0f} GiB of the computer's own memory, which has {waiting:.0f}; " if lack > 0 else ""
            found.append(
                Finding(
                    f'{name}, memory = "{preset.name}"{auto}',
                    "optional" if lack > 0 else "ready",
                    f"{held}{turns}: {batch}",
                    short + _beside(card - min(need, card), published),
                )
            )
    return found or [Finding("FLUX.2", "optional", f"fits no card of {card:.0f} GiB", 'use generator = "sketch", or a hosted one')]


def _beside(left: float, published: Mapping[str, Weights]) -> str:
    """Return which rewriters, scorers and encoders fit together into what is left, first come first served."""
    together, apart = [], []
    for weights in published.values():
        if weights.part == "generator" or weights.gib is None:
            continue
        if weights.gib <= left:
            together.append(f"{weights.name} ({weights.gib:.1f})")
            left -= weights.gib
        else:
            apart.append(f"{weights.name} ({weights.gib:.1f})")
    fit = f"beside it fit together, in GiB: {', '.join(together)}" if together else "no other model fits beside it"
    return fit + (f"; not also {', '.join(apart)}" if apart else "")


def _no_card() -> Iterator[Finding]:
    from stimuli.generators.memory import PRESETS, SIZES

    for name, size in SIZES.items():
        fit = ", ".join(f'{plan.card(size):.0f} GiB with "{preset.name}"' for preset in PRESETS.values() if (plan := preset.plans[name]))
        yield Finding(name, "optional", "needs a GPU", f"of the card it takes, by [stimuli] memory: {fit}")


def weights_here(weights: Weights, folder: Path | None = None) -> Finding:
    """Return whether published weights are on this machine and whole; if not, their size, their licence and the command."""
    part, place = f"{weights.part} {weights.name}", downloads.place(weights, folder)
    size = f"{weights.gib:.1f} GiB. " if weights.gib is not None else ""
    advice = f"{size}{downloads.terms(weights)}. {downloads.command(weights)}"
    if place is None:
        return Finding(part, "optional", f"no {weights.repository}" + (" (gated)" if weights.gated else ""), advice)
    if fault := downloads.fault_in(place):
        return Finding(part, "optional", f"{weights.repository} is not whole: {fault}", advice)
    return Finding(part, "ready", f"{weights.repository} in {place}")


def _python() -> Finding:
    return Finding("Python", "ready", platform.python_version())


def _toolkit() -> Finding:
    return Finding("tastebench", "ready", metadata.version("tastebench"))


def _extra(name: str) -> Finding:
    missing = [package for package in _EXTRAS[name] if importlib.util.find_spec(package) is None]
    if missing:
        advice = f"for {_WHAT_FOR[name]}: pip install --editable '.[{name}]'"
        return Finding(f"extra [{name}]", "optional", f"without {', '.join(missing)}", advice)
    return Finding(f"extra [{name}]", "ready", ", ".join(_EXTRAS[name]))


def _card() -> tuple[str, float] | None:
    """Return the name and the GiB of the first GPU, None where PyTorch sees none."""
    import torch

    if not torch.cuda.is_available():
        return None
    card = torch.cuda.get_device_properties(0)
    return card.name, card.total_memory / 2**30


def _gpu(card: tuple[str, float] | None) -> Finding:
    if card is None:
        return Finding("GPU", "optional", "none that PyTorch can use", 'the offline painter needs none: generator = "sketch"')
    import torch

    return Finding("GPU", "ready", f"{torch.cuda.device_count()} × {card[0]}, {card[1]:.0f} GiB")


def _computer_memory() -> float | None:
    """Return the GiB of the computer's own memory, None where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    except (AttributeError, ValueError, OSError):
        return None


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free / 2**30
    if free < 1:
        return Finding("disk", "lacking", f"{free:.2f} GiB free at {folder}", "make room: a quickstart needs about 0.2 GiB")
    return Finding("disk", "ready", f"{free:.0f} GiB free at {folder}")
