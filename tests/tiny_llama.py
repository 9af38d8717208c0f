"""A Llama with a handful of random weights, a chat template and a tokenizer of whole words, saved as published chat models are."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

SPECIAL = ("<pad>", "<bos>", "<eos>", "<unk>", "<user>", "<assistant>")
WORDS = (*"0123456789.,:()", *(f"word{number}" for number in range(75)))
TEMPLATE = (
    "<bos>{% for message in messages %}<{{ message['role'] }}> {{ message['content'] }} <eos>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def llama(folder: Path, *, chat: bool = True, context: int = 2048, ending: float = 1.0, seed: int = 5) -> Path:
    """Save a chat model; the greater `ending`, the likelier it ends an answer early."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(SPECIAL) + len(WORDS), hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=context, pad_token_id=None, bos_token_id=1, eos_token_id=2, initializer_range=0.4,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        model.lm_head.weight[2] *= ending
    # As published ones do, it says how it wants to be sampled; top_k and the penalty would make rows depend on their batch.
    model.generation_config = GenerationConfig(
        do_sample=True, temperature=0.6, top_p=0.9, top_k=20, repetition_penalty=1.3, bos_token_id=1, eos_token_id=[2]
    )
    model.save_pretrained(folder)
    vocabulary = {word: number for number, word in enumerate((*SPECIAL, *WORDS))}
    cutter = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    cutter.pre_tokenizer = pre_tokenizers.Whitespace()
    cut = PreTrainedTokenizerFast(
        tokenizer_object=cutter,
        eos_token="<eos>",
        bos_token="<bos>",
        unk_token="<unk>",
        additional_special_tokens=["<user>", "<assistant>"],
    )
    if chat:
        cut.chat_template = TEMPLATE
    cut.save_pretrained(folder)
    return folder
