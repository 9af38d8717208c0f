"""FLUX.2 pipelines of the real classes with a handful of random weights, saved in the layout of the published ones."""

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLFlux2, FlowMatchEulerDiscreteScheduler, Flux2KleinPipeline, Flux2Pipeline, Flux2Transformer2DModel
from tiny_checkpoints import SPECIAL, WORDS
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import (
    Mistral3Config,
    Mistral3ForConditionalGeneration,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from stimuli import generators
from stimuli.generators import Rendering
from stimuli.generators.flux2 import Flux2
from stimuli.machine.hardware import Means

# One word of a chat is one token; the parts of a message come as text, or as a list of texts as FLUX.2-dev gives them.
_TEMPLATE = (
    "{% for message in messages %}<bos> {% if message.content is string %}{{ message.content }}{% else %}"
    "{% for part in message.content %}{{ part.text }} {% endfor %}{% endif %} <eos> {% endfor %}"
)
_WIDTH = 32
_SMALL = {"hidden_size": _WIDTH, "intermediate_size": 48, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16}


def made(name: str, folders: dict[str, Path], *, device: str = "cpu", **rendering: Any) -> Flux2:
    """Return the generator by name on these folders; dev in two steps, where nothing else is said."""
    asked: dict[str, Any] = {"size": 64, "steps": 2 if name == "flux2" else None} | rendering
    generator = generators.make(name, rendering=Rendering(**asked), means=Means(device, folders))
    assert isinstance(generator, Flux2)
    return generator


def dev(folder: Path, *, layers: int = 33) -> Path:
    """Save a FLUX.2-dev: a Mistral 3 of which 31 layers are read, and a transformer that is told the guidance."""
    torch.manual_seed(1)
    text = {"model_type": "mistral", "vocab_size": 40, "num_hidden_layers": layers, "max_position_embeddings": 1024, **_SMALL}
    vision = {"model_type": "pixtral", "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
              "head_dim": 8, "image_size": 28, "patch_size": 14}  # fmt: skip
    config = Mistral3Config(text_config=text, vision_config=vision, image_token_index=3, tie_word_embeddings=False)
    Flux2Pipeline(
        scheduler=_scheduler(), vae=_vae(), text_encoder=Mistral3ForConditionalGeneration(config).eval(), tokenizer=None,
        transformer=_transformer(guidance=True),
    ).save_pretrained(folder)  # fmt: skip
    _tokenizer(folder / "tokenizer", padding_side="left")
    # What a PixtralProcessor would have saved: it cannot be made without torchvision, and must not be needed.
    (folder / "tokenizer" / "processor_config.json").write_text(json.dumps({"processor_class": "PixtralProcessor", "patch_size": 14}))
    return _indexed(folder, "PixtralProcessor")


def klein(folder: Path, *, layers: int = 30, distilled: bool = True) -> Path:
    """Save a FLUX.2 Klein: a Qwen 3 of which 28 layers are read."""
    torch.manual_seed(2)
    config = Qwen3Config(vocab_size=40, num_hidden_layers=layers, max_position_embeddings=1024, tie_word_embeddings=True, **_SMALL)
    Flux2KleinPipeline(
        scheduler=_scheduler(), vae=_vae(), text_encoder=Qwen3ForCausalLM(config).eval(), tokenizer=None,
        transformer=_transformer(guidance=False), is_distilled=distilled,
    ).save_pretrained(folder)  # fmt: skip
    _tokenizer(folder / "tokenizer", padding_side="right")
    return _indexed(folder, "Qwen2TokenizerFast")


def _transformer(*, guidance: bool) -> Flux2Transformer2DModel:
    return Flux2Transformer2DModel(
        in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16, num_attention_heads=2, joint_attention_dim=3 * _WIDTH,
        timestep_guidance_channels=16, axes_dims_rope=(4, 4, 4, 4), guidance_embeds=guidance,
    )  # fmt: skip


def _vae() -> AutoencoderKLFlux2:
    return AutoencoderKLFlux2(
        block_out_channels=(8, 8, 8, 8), layers_per_block=1, latent_channels=4, norm_num_groups=4, sample_size=64
    )  # fmt: skip


def _scheduler() -> FlowMatchEulerDiscreteScheduler:
    return FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)


def _tokenizer(folder: Path, *, padding_side: str) -> None:
    vocabulary = {word: number for number, word in enumerate((*SPECIAL, *WORDS))}
    cutter = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    cutter.normalizer = normalizers.Lowercase()
    cutter.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(
        tokenizer_object=cutter, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>", bos_token="<bos>",
        padding_side=padding_side, chat_template=_TEMPLATE,
    ).save_pretrained(folder)  # fmt: skip


def _indexed(folder: Path, tokenizer: str) -> Path:
    path = folder / "model_index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tokenizer": ["transformers", tokenizer]}, indent=2))
    return folder


def real_klein(folder: Path) -> Path:
    """Save the published architecture of FLUX.2 Klein 4B at random weights in bf16, 15 GiB; its tokenizer stays the small one."""
    torch.manual_seed(3)
    config = Qwen3Config(
        vocab_size=151936, hidden_size=2560, intermediate_size=9728, num_hidden_layers=36, num_attention_heads=32,
        num_key_value_heads=8, head_dim=128, tie_word_embeddings=True,
    )  # fmt: skip
    with torch.device("cuda"):
        before = torch.get_default_dtype()
        torch.set_default_dtype(torch.bfloat16)
        try:
            transformer = Flux2Transformer2DModel(
                num_layers=5, num_single_layers=20, num_attention_heads=24, joint_attention_dim=3 * 2560, guidance_embeds=False
            )
            encoder, vae = Qwen3ForCausalLM(config), AutoencoderKLFlux2()
        finally:
            torch.set_default_dtype(before)
    Flux2KleinPipeline(
        scheduler=_scheduler(), vae=vae, text_encoder=encoder.eval(), tokenizer=None, transformer=transformer, is_distilled=True
    ).save_pretrained(folder)
    _tokenizer(folder / "tokenizer", padding_side="right")
    return _indexed(folder, "Qwen2TokenizerFast")
