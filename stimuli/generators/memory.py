"""What a generator takes of a graphics card: presets by card, what of the generator stays on it, and what that leaves for others."""

from dataclasses import dataclass, replace
from typing import Literal

from stimuli.experiment import ExperimentError
from stimuli.studyfile import did_you_mean

Rounded = Literal["whole", "fp8", "nf4"]
AUTO = "auto"


@dataclass(frozen=True)
class Part:
    """One network: its parameters, and how many of them a coarser format rounds (the matrices of its layers)."""

    parameters: int
    rounded: int

    def gib(self, weights: Rounded) -> float:
        """Return the memory of its weights in GiB."""
        bits = self.rounded * _BITS[weights] + (self.parameters - self.rounded) * _BITS["whole"]
        return bits / 8 / 2**30


# NF4 keeps 4 bits a weight and 32 more for every 64 weights (Dettmers et al. 2023, without their second quantisation).
_BITS: dict[Rounded, float] = {"whole": 16, "fp8": 8, "nf4": 4.5}


@dataclass(frozen=True)
class Size:
    """A whole generator; `work` is what one image of 512 by 512 pixels needs beside the weights, in GiB."""

    transformer: Part
    encoder: Part
    decoder: Part
    work: float


# Counted on the meta device from diffusers' own defaults (FLUX.2-dev's transformer, the autoencoder), from transformers' defaults
# of Mistral 3 (31 of 40 layers, without eyes and without what predicts words), and for Klein from the sizes that its published
# checkpoint has: 5 + 20 blocks of 24 heads, and Qwen3-4B (28 of 36 layers). `work` is reckoned from the largest layers and rounded
# up; nobody has measured it.
SIZES = {
    "flux2": Size(Part(32_223_281_152, 32_223_264_768), Part(17_935_770_624, 17_263_755_264), Part(84_046_115, 0), work=0.75),
    "flux2-klein": Size(Part(3_875_544_576, 3_875_536_896), Part(3_215_021_568, 2_825_912_320), Part(84_046_115, 0), work=0.5),
}
# How many images are rendered at once; workers halve it where memory runs out.
BATCH = 8
# GiB that other models take beside their weights for what they compute; assumed.
_WORK = 8.0


@dataclass(frozen=True)
class Plan:
    """How a generator is held: the format of its weights (which changes images), and whether its parts take turns on the card."""

    weights: Rounded = "whole"
    offload: bool = False

    def card(self, size: Size, *, batch: int = BATCH, side: int = 512) -> float:
        """Return the most GiB that it holds of the card while it renders a batch of images of `side` pixels."""
        parts = [size.transformer.gib(self.weights), self._encoder(size), size.decoder.gib("whole")]
        return (max(parts) if self.offload else sum(parts)) + size.work * batch * (side / 512) ** 2

    def waiting(self, size: Size) -> float:
        """Return the GiB of the computer's own memory that it needs, where its parts take turns."""
        return size.transformer.gib(self.weights) + self._encoder(size) + size.decoder.gib("whole") if self.offload else 0.0

    def _encoder(self, size: Size) -> float:
        # fp8 is a format of storage that diffusers knows for its own models; the encoder of texts stays as it is.
        return size.encoder.gib("nf4" if self.weights == "nf4" else "whole")


@dataclass(frozen=True)
class Preset:
    """`memory` of study.toml: the card it is made for, by the least GiB such a card has, and how each generator is held on it."""

    name: str
    least: float
    plans: dict[str, Plan]


PRESETS = {
    preset.name: preset
    for preset in (
        Preset("141gb", 132.0, {"flux2": Plan(), "flux2-klein": Plan()}),
        Preset("80gb", 74.0, {"flux2": Plan(offload=True), "flux2-klein": Plan()}),
        Preset("48gb", 44.0, {"flux2": Plan("fp8", offload=True), "flux2-klein": Plan()}),
        Preset("24gb", 21.5, {"flux2": Plan("nf4", offload=True), "flux2-klein": Plan(offload=True)}),
    )
}
NAMES = (AUTO, *PRESETS)


def preset_for(card: float) -> Preset | None:
    """Return the preset of a card with this many GiB, None for one that is smaller than all.

    >>> preset_for(139.8).name, preset_for(94.0).name, preset_for(23.5).name
    ('141gb', '80gb', '24gb')
    """
    return next((preset for preset in PRESETS.values() if card >= preset.least), None)


def plan_for(generator: str, memory: str, card: float | None, *, beside: float = 0.0) -> Plan:
    """Return how a generator is held by the name of a preset; "auto" goes by the GiB of this machine's card, None where it has none.

    Where it would leave less than `beside` GiB to other models, "auto" lets its parts take turns too. That changes no image; what
    does, the format of the weights, goes by the card alone, or a study with one scorer more would have other images.
    Without a card nothing is rounded: a machine that only hands out the work must not decide for those that do it.

    Raises:
        ExperimentError: no preset has this name, or the card is smaller than all of them.
    """
    if memory == AUTO and card is None:
        return Plan()
    preset = preset_for(card) if memory == AUTO and card is not None else PRESETS.get(memory)
    if preset is not None:
        plan = preset.plans[generator]
        crowded = memory == AUTO and card is not None and beside > 0 and plan.card(SIZES[generator]) + beside + _WORK > card
        return replace(plan, offload=plan.offload or crowded)
    if memory != AUTO:
        raise ExperimentError(f'memory = "{memory}" is no preset; {did_you_mean(memory, NAMES)}')
    smallest = PRESETS["24gb"].plans[generator].card(SIZES[generator], batch=1)
    raise ExperimentError(
        f"{generator}: the card has {card:.0f} GiB, less than any preset is made for; for one image at a time it needs about "
        f'{smallest:.0f} GiB: write memory = "24gb" to try, or use generator = "sketch" or a hosted one'
    )
