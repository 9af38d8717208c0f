"""Loads a FLUX.2 pipeline from the layout in which it is published, without what making images does not need."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stimuli.experiment import ExperimentError
from stimuli.generators.memory import SIZES, Plan
from stimuli.machine.weights import PUBLISHED, complete, loading, quietly


@dataclass(frozen=True)
class Model:
    """One kind of FLUX.2: its classes in diffusers and transformers, the layers of the encoder of texts, its own steps and guidance.

    `layers` is one more than the last state that the pipeline reads: the state after the last layer of all would be normalised.
    """

    pipeline: str
    encoder: str
    layers: int
    steps: int
    guidance: float


MODELS = {
    "flux2": Model("Flux2Pipeline", "Mistral3ForConditionalGeneration", 31, 50, 4.0),
    "flux2-klein": Model("Flux2KleinPipeline", "Qwen3ForCausalLM", 28, 4, 1.0),
}
# Tokens of a prompt that the pipelines read, the words around it in the chat included.
LONGEST = 512


def index(name: str, folder: Path) -> dict[str, Any]:
    """Return the list of a pipeline's parts, which must be of this model.

    Raises:
        ExperimentError: the folder holds no pipeline, another one, or not all of its parts.
    """
    path, expected = folder / "model_index.json", MODELS[name].pipeline
    if not path.is_file():
        raise ExperimentError(f"{name}: {folder} holds no {path.name}, so no pipeline of diffusers; expected a folder like {_source(name)}")
    try:
        parts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ExperimentError(f"{name}: {path} cannot be read ({error}); download it again: hf download {_source(name)}") from error
    if (found := parts.get("_class_name")) != expected:
        fitting = next((other for other, model in MODELS.items() if model.pipeline == found), None)
        instead = f'; write generator = "{fitting}"' if fitting else f"; give the folder of {_source(name)}"
        raise ExperimentError(f"{name}: {folder} holds a {found}, and a {expected} was expected{instead}")
    missing = [part for part in ("scheduler", "text_encoder", "tokenizer", "transformer", "vae") if not (folder / part).is_dir()]
    if missing:
        raise ExperimentError(f"{name}: {folder} lacks {', '.join(missing)}; download it again: hf download {_source(name)}")
    return parts


def load(name: str, folder: Path, *, plan: Plan, device: Any, precision: Any) -> Any:
    """Return a pipeline that is ready to render on a device.

    Raises:
        ExperimentError: the weights are damaged or of another architecture, or the card is too small for this plan.
    """
    parts = index(name, folder)
    with loading(PUBLISHED[name], str(folder)), _fitting(name, plan, device):
        import diffusers.utils.logging

        with quietly(diffusers.utils.logging):
            return _assembled(name, folder, plan, device, precision, is_distilled=bool(parts.get("is_distilled")))


def _assembled(name: str, folder: Path, plan: Plan, device: Any, precision: Any, *, is_distilled: bool) -> Any:
    import diffusers
    from transformers import AutoTokenizer

    where = None if plan.offload or plan.weights == "fp8" else {"": device}
    transformer = _network(diffusers.Flux2Transformer2DModel, folder / "transformer", plan, where, precision)
    if plan.weights == "fp8":
        import torch

        transformer.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=precision)
    scheduler: Any = diffusers.FlowMatchEulerDiscreteScheduler
    loaded = {
        "scheduler": scheduler.from_pretrained(folder / "scheduler"),
        "vae": _network(diffusers.AutoencoderKLFlux2, folder / "vae", Plan(), where, precision),
        "text_encoder": _encoder(MODELS[name], folder / "text_encoder", plan, where, precision),
        # FLUX.2-dev names a processor of images here, which needs torchvision and is not needed for prompts.
        "tokenizer": AutoTokenizer.from_pretrained(folder / "tokenizer"),
        "transformer": transformer,
    }
    distilled = {"is_distilled": is_distilled} if name == "flux2-klein" else {}
    pipeline = getattr(diffusers, MODELS[name].pipeline)(**loaded, **distilled)
    pipeline.set_progress_bar_config(disable=True)
    if plan.offload and device.type == "cuda":
        pipeline.enable_model_cpu_offload(device=device)
    elif where is None and plan.weights != "nf4":
        pipeline.to(device)
    return pipeline


def tokens(pipeline: Any, prompt: str) -> int:
    """Return how many tokens a prompt has, in the chat in which the pipeline shows it to its encoder of texts."""
    said: list[dict[str, Any]] = [{"role": "user", "content": prompt}]
    if message := getattr(pipeline, "system_message", None):
        said = [{"role": role, "content": [{"type": "text", "text": text}]} for role, text in (("system", message), ("user", prompt))]
        return len(pipeline.tokenizer.apply_chat_template(said, tokenize=True, return_dict=True)["input_ids"])
    asked = {"add_generation_prompt": True, "enable_thinking": False}
    return len(pipeline.tokenizer.apply_chat_template(said, tokenize=True, return_dict=True, **asked)["input_ids"])


def _network(kind: Any, folder: Path, plan: Plan, where: Any, precision: Any) -> Any:
    """Return a network of diffusers whose checkpoint held every weight."""
    options: dict[str, Any] = {"dtype": precision, "device_map": where, "output_loading_info": True}
    if plan.weights == "nf4":
        from diffusers import BitsAndBytesConfig

        options |= {"quantization_config": _four_bits(BitsAndBytesConfig, precision), "device_map": None}
    try:
        network, found = kind.from_pretrained(folder, **options)
    except NotImplementedError as error:
        # What the checkpoint lacks stays without memory, and cannot be moved to a device.
        raise ValueError(f"it lacks weights of {kind.__name__}") from error
    return complete(network, found).eval()


def _encoder(model: Model, folder: Path, plan: Plan, where: Any, precision: Any) -> Any:
    """Return the encoder of texts without what no prompt embedding depends on: its last layers, its eyes, and its words."""
    import torch
    import transformers

    config = transformers.AutoConfig.from_pretrained(folder)
    texts = config.get_text_config()
    if texts.num_hidden_layers < model.layers:
        raise ValueError(f"its encoder of texts has {texts.num_hidden_layers} layers, and at least {model.layers} were expected")
    texts.num_hidden_layers = model.layers
    if getattr(texts, "layer_types", None):
        texts.layer_types = texts.layer_types[: model.layers]
    if getattr(config, "vision_config", None) is not None:
        config.vision_config.num_hidden_layers = 0
    options: dict[str, Any] = {"config": config, "dtype": precision, "device_map": where, "output_loading_info": True}
    if plan.weights == "nf4":
        options |= {"quantization_config": _four_bits(transformers.BitsAndBytesConfig, precision), "device_map": None}
    encoder, found = getattr(transformers, model.encoder).from_pretrained(folder, **options)
    complete(encoder, found).lm_head = torch.nn.Identity()
    return encoder.eval()


def _four_bits(config: Any, precision: Any) -> Any:
    return config(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=precision)


@contextmanager
def _fitting(name: str, plan: Plan, device: Any) -> Iterator[None]:
    """Turn a lack of memory while loading into what can be done: a smaller batch, which workers try, would not help here.

    Raises:
        ExperimentError: the weights do not fit on the card.
    """
    import torch

    try:
        yield
        return
    except torch.cuda.OutOfMemoryError:
        pass
    torch.cuda.empty_cache()
    free, total = (count / 2**30 for count in torch.cuda.mem_get_info(device))
    raise ExperimentError(
        f"{name}: its weights do not fit on the card, of which {free:.1f} of {total:.1f} GiB are free; it needs "
        f"{plan.card(SIZES[name], batch=1):.1f} GiB as it is held now. Choose a smaller preset in [stimuli] memory, or give other parts "
        "another card; `tastebench doctor` lists what fits"
    )


def _source(name: str) -> str:
    return PUBLISHED[name].repository
