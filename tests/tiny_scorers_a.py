"""Checkpoints of HPSv3 and ImageReward with a handful of random weights, in the layout in which the real ones are published."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tiny_checkpoints import WORDS
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor
from transformers import PreTrainedTokenizerFast, Qwen2VLConfig

from stimuli.scorers import hpsv3_format, hpsv3_model, imagereward_model

MARKS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
TOWER = imagereward_model.Tower(width=32, layers=2, heads=4, patch=56)
# The values of the published file in its flat, old form, with the sizes cut down.
FLAT: dict[str, Any] = {
    "architectures": ["Qwen2VLForConditionalGeneration"], "attention_dropout": 0.0, "bos_token_id": 0, "eos_token_id": 2,
    "vision_start_token_id": 3, "vision_end_token_id": 4, "vision_token_id": 4, "image_token_id": 5, "video_token_id": 6,
    "hidden_act": "silu", "hidden_size": 48, "initializer_range": 0.02, "intermediate_size": 64, "max_position_embeddings": 32768,
    "max_window_layers": 2, "model_type": "qwen2_vl", "num_attention_heads": 4, "num_hidden_layers": 2, "num_key_value_heads": 2,
    "rms_norm_eps": 1e-06, "rope_theta": 1000000.0, "sliding_window": 32768, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
    "transformers_version": "4.41.2", "use_cache": True, "use_sliding_window": False, "vocab_size": 4096,
    "rope_scaling": {"type": "mrope", "mrope_section": [2, 2, 2]},
    "vision_config": {
        "depth": 2, "embed_dim": 32, "mlp_ratio": 4, "num_heads": 2, "in_chans": 3, "hidden_size": 48, "patch_size": 14,
        "spatial_merge_size": 2, "spatial_patch_size": 14, "temporal_patch_size": 2,
    },
}  # fmt: skip
MED: dict[str, Any] = {
    "architectures": ["BertModel"], "attention_probs_dropout_prob": 0.1, "hidden_act": "gelu", "hidden_dropout_prob": 0.1,
    "hidden_size": 24, "initializer_range": 0.02, "intermediate_size": 32, "layer_norm_eps": 1e-12, "max_position_embeddings": 64,
    "model_type": "bert", "num_attention_heads": 2, "num_hidden_layers": 2, "pad_token_id": 0, "type_vocab_size": 2,
    "vocab_size": 0, "encoder_width": 24, "add_cross_attention": True,
}  # fmt: skip


def hpsv3(folder: Path) -> Path:
    """Save HPSv3.safetensors beside the configuration and the tokeniser of its base model."""
    folder.mkdir(parents=True, exist_ok=True)
    split = pre_tokenizers.Whitespace()
    told = [word for word, _ in split.pre_tokenize_str(hpsv3_format.INSTRUCTION + hpsv3_format.AFTER)]
    vocabulary = {word: number for number, word in enumerate(dict.fromkeys((*MARKS, "<unk>", *WORDS, *told)))}
    cutter = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    cutter.pre_tokenizer = split
    tokens: Any = PreTrainedTokenizerFast(
        tokenizer_object=cutter, pad_token=MARKS[0], eos_token=MARKS[2], unk_token="<unk>", additional_special_tokens=list(MARKS)
    )
    tokens.save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps(FLAT))
    config: Any = Qwen2VLConfig.from_dict(FLAT)
    config.text_config.vocab_size = len(tokens) + 1
    tensors = weights(hpsv3_model.expected(config), 2)
    # As published: all of it in bfloat16 but the head.
    save_file(
        {key: tensor if key.startswith("rm_head.") else tensor.bfloat16() for key, tensor in tensors.items()}, folder / "HPSv3.safetensors"
    )
    return folder


def imagereward(folder: Path) -> Path:
    """Save ImageReward.pt beside med_config.json and BERT's vocabulary."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *"abcdefghijklmnopqrstuvwxyz,.")
    vocabulary = list(dict.fromkeys(words))
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True, "model_max_length": 512}))
    med = MED | {"vocab_size": len(vocabulary) + 2}
    (folder / "med_config.json").write_text(json.dumps(med))
    tensors = weights(imagereward_model.expected(med, TOWER), 6)
    tensors["blip.text_encoder.embeddings.position_ids"] = torch.arange(med["max_position_embeddings"]).expand(1, -1)
    torch.save(tensors, folder / "ImageReward.pt")
    return folder


def weights(shapes: dict[str, tuple[int, ...]], seed: int) -> dict[str, Tensor]:
    """Return random weights of these shapes, large enough that every part of the input shows in the score."""
    noise = torch.Generator().manual_seed(seed)
    return {key: _weight(key, shape, noise) for key, shape in shapes.items()}


def _weight(key: str, shape: tuple[int, ...], noise: torch.Generator) -> Tensor:
    drawn = torch.randn(shape, generator=noise)
    if "norm" in key.lower() or ".ln_q." in key:  # scales around one
        return 0.1 * drawn + (1.0 if key.endswith("weight") else 0.0)
    return drawn * (1.5 / shape[-1] ** 0.5) if len(shape) > 1 else 0.1 * drawn
