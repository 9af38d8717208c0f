"""FLUX.2 (Black Forest Labs 2025) behind the protocol of generators: FLUX.2-dev as "flux2", FLUX.2 Klein as "flux2-klein"."""

import importlib.util
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from stimuli.experiment import ExperimentError
from stimuli.generators import GeneratorSpec, Rendering, UnpaintableError
from stimuli.generators import flux2_pipeline as pipelines
from stimuli.generators.memory import AUTO, SIZES, Plan, plan_for
from stimuli.machine import downloads
from stimuli.machine.hardware import Means, device_named
from stimuli.machine.weights import PUBLISHED

# Sides of an image are whole numbers of latent patches.
_SIDE = 16
# Embeddings of prompts are kept in the computer's memory, 15 MiB for each of FLUX.2-dev.
_KEPT = 64
_PACKAGES = ("diffusers", "transformers", "accelerate", "safetensors")


class Flux2:
    """FLUX.2 by name; light until it renders first, and again after pickling.

    Each image has its own noise, drawn on the CPU because that gives the same numbers on every kind of device; each prompt is
    encoded alone. So an image does not depend on its companions in a batch, apart from rounding.
    """

    def __init__(self, name: str, *, rendering: Rendering, means: Means | None = None) -> None:
        self._name, self._rendering, self._means = name, rendering, means or Means()
        model = pipelines.MODELS[name]
        self._steps = model.steps if rendering.steps is None else rendering.steps
        self._guidance = model.guidance if rendering.guidance is None else rendering.guidance
        # By what the study says and not by what this machine has: images made here and by a worker elsewhere have one key.
        self._precision = "float32" if self._means.device == "cpu" else "bfloat16"
        self._plan = plan_for(name, rendering.memory, self._card() if rendering.memory == AUTO else None)
        self.spec = GeneratorSpec(
            name=name,
            version=self._version(),
            stand_in=False,
            settings={
                "size": rendering.size,
                "steps": self._steps,
                "guidance": self._guidance,
                "weights": self._plan.weights,
                "precision": self._precision,
                "cache": "none",
            },
        )
        self._pipeline: Any = None
        self._embeddings: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def beside(self) -> float:
        """How many GiB the other models of the study take on the same card."""
        return self._rendering.beside

    def check(self) -> None:
        """Look whether it can render, without loading weights.

        Raises:
            ExperimentError: packages, weights or a GPU are missing, or a setting is not for this model.
        """
        self._check_settings()
        self._check_packages()
        if self._means.device != "auto":
            device_named(self._means.device)
        self._check_room(self._card())
        parts = pipelines.index(self._name, self._found())
        downloads.check(PUBLISHED[self._name], self._found())
        self._check_distilled(parts)

    def render(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        """Return one RGB image for each prompt and its seed.

        Raises:
            ExperimentError: the weights cannot be loaded, or a prompt is longer than the model reads.
            torch.cuda.OutOfMemoryError: the batch is too large for the card; what it took is free again.
        """
        import torch

        if not prompts:
            return []
        with self._lock:
            pipeline = self._ready()
            for prompt in prompts:
                self._check_length(pipeline, prompt)
            try:
                return self._painted(pipeline, prompts, seeds)
            except torch.cuda.OutOfMemoryError as error:
                said = str(error)
            # Here the frames that held the batch are gone, so that its memory can be given back before others hear of it.
            pipeline.maybe_free_model_hooks()
            torch.cuda.empty_cache()
        raise torch.cuda.OutOfMemoryError(said)

    def _painted(self, pipeline: Any, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        import numpy as np
        import torch

        device = pipeline._execution_device
        given: dict[str, Any] = {"prompt_embeds": torch.cat([self._embedded(pipeline, prompt) for prompt in prompts]).to(device)}
        if self._steered_away(pipeline):
            given["negative_prompt_embeds"] = self._embedded(pipeline, "").to(device).repeat(len(prompts), 1, 1)
        side = self._rendering.size
        made = pipeline(
            **given,
            height=side,
            width=side,
            num_inference_steps=self._steps,
            guidance_scale=self._guidance,
            generator=[torch.Generator("cpu").manual_seed(seed) for seed, _ in zip(seeds, prompts, strict=True)],
            output_type="np",
        ).images
        if not np.isfinite(made).all():
            raise ExperimentError(
                f"{self._name}: what it rendered is no picture (some pixels are no numbers); its weights may be damaged or rounded too "
                f"coarsely: run `{downloads.command(PUBLISHED[self._name])}` again, or choose a larger preset in [stimuli] memory"
            )
        pictures: list[Image.Image] = pipeline.image_processor.numpy_to_pil(made)
        return pictures

    def _steered_away(self, pipeline: Any) -> bool:
        """Return whether the model renders each image twice, with and without its prompt: Klein does before it is distilled."""
        return self._name == "flux2-klein" and self._guidance > 1 and not pipeline.config.is_distilled

    def _embedded(self, pipeline: Any, prompt: str) -> Any:
        """Return the embedding of a prompt, shape (1, tokens, width), encoded alone and kept for other seeds."""
        import torch

        if prompt not in self._embeddings:
            with torch.no_grad():
                self._embeddings[prompt] = pipeline.encode_prompt(prompt=prompt)[0].cpu()
            while len(self._embeddings) > _KEPT:
                self._embeddings.popitem(last=False)
        self._embeddings.move_to_end(prompt)
        return self._embeddings[prompt]

    def _ready(self) -> Any:
        if self._pipeline is None:
            import torch

            self.check()
            precision: torch.dtype = getattr(torch, self._precision)
            device = device_named(self._means.device)
            plan = self._placed(device)
            self._pipeline = pipelines.load(self._name, self._found(), plan=plan, device=device, precision=precision)
        return self._pipeline

    def _placed(self, device: Any) -> Plan:
        """Return the plan for the device that is here: with "auto" parts take turns where the card is small, whoever made the spec.

        Raises:
            ExperimentError: the card is too small for weights that are as coarse as the spec says.
        """
        if self._rendering.memory != AUTO or device.type != "cuda":
            return self._plan
        card = self._card()
        fitting = plan_for(self._name, AUTO, card, beside=self._rendering.beside)
        if fitting.weights not in ("whole", self._plan.weights):
            raise ExperimentError(
                f"{self._name}: this machine's card has {card:.0f} GiB and needs rounded weights, but the work was begun on a machine with "
                'another card or none; write the preset into [stimuli], such as memory = "24gb", so that all machines render alike'
            )
        return Plan(self._plan.weights, fitting.offload)

    def _card(self) -> float | None:
        """Return the GiB of the card that it would render on, None where there is none."""
        if self._means.device == "cpu":
            return None
        import torch

        if not torch.cuda.is_available():
            return None
        return float(torch.cuda.get_device_properties(device_named(self._means.device)).total_memory / 2**30)

    def _version(self) -> str:
        return downloads.identity(PUBLISHED[self._name], self._means.folder(self._name))

    def _found(self) -> Path:
        weights, folder = PUBLISHED[self._name], self._means.folder(self._name)
        return downloads.place(weights, folder) or downloads.check(weights, folder)

    def _check_settings(self) -> None:
        if (size := self._rendering.size) % _SIDE:
            below = size - size % _SIDE
            raise ExperimentError(
                f"{self._name}: [stimuli] size is {size}, and FLUX.2 makes images whose sides are multiples of {_SIDE}; "
                f"write {below} or {below + _SIDE}"
            )

    def _check_packages(self) -> None:
        missing = [package for package in _PACKAGES if importlib.util.find_spec(package) is None]
        if missing:
            raise ExperimentError(f"{self._name}: needs {', '.join(missing)}; install with `pip install 'tastebench[gpu]'`")
        if self._plan.weights == "nf4" and importlib.util.find_spec("bitsandbytes") is None:
            raise ExperimentError(
                f'{self._name}: memory = "{self._rendering.memory}" rounds its weights to 4 bits here, for which the package bitsandbytes '
                'is missing; run `pip install bitsandbytes`, or use generator = "flux2-klein", which needs no rounding'
            )

    def _check_room(self, card: float | None) -> None:
        """Raise an `ExperimentError` where the other models of the study leave too little of the card for even one image at a time."""
        beside = self._rendering.beside
        if card is None or not beside:
            return
        plan = plan_for(self._name, self._rendering.memory, card, beside=beside)
        if (need := plan.card(SIZES[self._name], batch=1)) + beside > card:
            raise ExperimentError(
                f"{self._name}: takes {need:.0f} GiB of the card's {card:.0f} as it is held now, and the other models of the study need "
                f"{beside:.0f} GiB beside it; choose a smaller preset in [stimuli] memory or fewer scorers, or put the rewriter behind a "
                'server (rewriter = "server") that has a card of its own; `tastebench doctor` lists what fits'
            )

    def _check_distilled(self, parts: dict[str, Any]) -> None:
        if self._name != "flux2-klein":
            return
        if parts.get("is_distilled") and self._guidance != pipelines.MODELS[self._name].guidance:
            raise ExperimentError(
                f"{self._name}: [stimuli] guidance is {self._guidance:g}, which this distilled model ignores; leave the key out"
            )
        if not parts.get("is_distilled") and None in (self._rendering.steps, self._rendering.guidance):
            raise ExperimentError(
                f"{self._name}: the weights are of a Klein that is not distilled, which needs more than 4 steps; write steps = 50 and "
                "guidance = 4.0 in [stimuli]"
            )

    def _check_length(self, pipeline: Any, prompt: str) -> None:
        found = pipelines.tokens(pipeline, prompt) if prompt not in self._embeddings else 0
        if found > pipelines.LONGEST:
            raise UnpaintableError(
                f"{self._name}: a prompt has {len(prompt.split())} words, which is {found} tokens with what FLUX.2 says around it, and "
                f'{pipelines.LONGEST} is what it reads; shorten it. It begins "{prompt[:80]}"'
            )

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if key not in ("_pipeline", "_embeddings", "_lock")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._pipeline, self._embeddings, self._lock = None, OrderedDict(), threading.Lock()
