"""Checkpoints of the real classes with a handful of random weights, saved in their published layouts."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import (
    BertConfig,
    BertModel,
    LlamaConfig,
    LlamaModel,
    PreTrainedTokenizerFast,
    Siglip2Config,
    Siglip2ImageProcessorPil,
    Siglip2Model,
    SiglipConfig,
    SiglipImageProcessorPil,
    SiglipModel,
)

WORDS = ("a", "the", "red", "blue", "boat", "house", "lake", "garden", "bold", "on", "with", "of", "in", "light", "dark", "old", "green")
SPECIAL = ("<pad>", "<eos>", "<bos>", "<unk>")


def tokenizer(folder: Path, **kinds: str) -> None:
    """Save a tokenizer of whole words in small letters."""
    vocabulary = {word: number for number, word in enumerate((*SPECIAL, *WORDS))}
    cutter = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    cutter.normalizer = normalizers.Lowercase()
    cutter.pre_tokenizer = pre_tokenizers.Whitespace()
    names = {"pad_token": "<pad>", "eos_token": "<eos>", "unk_token": "<unk>", "bos_token": "<bos>"} | kinds
    PreTrainedTokenizerFast(tokenizer_object=cutter, **names).save_pretrained(folder)


def siglip(folder: Path) -> Path:
    """Save a SigLIP of fixed resolution (28 pixels), the class that SigLIP 2's so400m checkpoints load as."""
    torch.manual_seed(1)
    small = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = small | {"vocab_size": 40, "max_position_embeddings": 64, "projection_size": 32, "bos_token_id": 2, "eos_token_id": 1}
    config = SiglipConfig(text_config=text | {"pad_token_id": 0}, vision_config=small | {"image_size": 28, "patch_size": 14})
    SiglipModel(config).save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 28, "width": 28}).save_pretrained(folder)
    tokenizer(folder)
    return folder


def siglip_naflex(folder: Path) -> Path:
    """Save a SigLIP 2 with flexible resolution."""
    torch.manual_seed(2)
    small = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = small | {"vocab_size": 40, "max_position_embeddings": 64, "projection_size": 32, "bos_token_id": 2, "eos_token_id": 1}
    config = Siglip2Config(text_config=text | {"pad_token_id": 0}, vision_config=small | {"num_patches": 16, "patch_size": 14})
    Siglip2Model(config).save_pretrained(folder)
    Siglip2ImageProcessorPil(patch_size=14, max_num_patches=16).save_pretrained(folder)
    tokenizer(folder)
    return folder


def nemotron(folder: Path) -> Path:
    """Save a Llama without a head, as llama-embed-nemotron-8b is."""
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=40, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2,
        max_position_embeddings=64, pad_token_id=0, bos_token_id=2, eos_token_id=1,
    )  # fmt: skip
    LlamaModel(config).save_pretrained(folder)
    tokenizer(folder)
    return folder


def minilm(folder: Path) -> Path:
    """Save a sentence-transformers model: a small BERT and mean pooling."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    torch.manual_seed(4)
    bert = folder.with_name(f"{folder.name}-bert")
    config = BertConfig(
        vocab_size=40, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=64
    )
    BertModel(config).save_pretrained(bert)
    tokenizer(bert)
    body = Transformer(str(bert))
    SentenceTransformer(modules=[body, Pooling(32)], device="cpu").save(str(folder))
    return folder
