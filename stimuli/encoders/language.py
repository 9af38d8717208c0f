"""Text encoders for what describes an image or a person: a large decoder made bidirectional, and a small sentence model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stimuli.encoders.interface import EncoderSpec, Rows
from stimuli.machine.hardware import device_named, precision_on
from stimuli.machine.weights import Weights, complete, loading, source_of

_BATCH = 16
_LONGEST = 512


class MeanPooled:
    """A Llama trained to embed texts (NVIDIA's llama-embed-nemotron-8b): every token sees every other; rows are means over tokens.

    Loaded as a plain `LlamaModel` with `is_causal` off: the code that came with the weights is silently causal on padded batches.
    Texts are padded on the left; padding is neither seen nor counted. Rows have length one.
    """

    def __init__(self, weights: Weights, folder: Path | None = None, *, device: str = "auto") -> None:
        source, where = source_of(weights, folder), device_named(device)
        with loading(weights, source):
            from transformers import AutoConfig, AutoTokenizer, LlamaModel

            revision: dict[str, Any] = {} if folder else {"revision": weights.revision}
            config = AutoConfig.from_pretrained(source, **revision)
            config.is_causal = False
            loader: Any = LlamaModel.from_pretrained
            model, loaded = loader(source, config=config, dtype=precision_on(where), output_loading_info=True, **revision)
            self._model: Any = complete(model, loaded).to(where).eval()
            self._cut: Any = AutoTokenizer.from_pretrained(source, padding_side="left", **revision)
        if self._cut.pad_token is None:
            self._cut.pad_token = self._cut.eos_token
        version = f"{weights.repository}@{folder.name if folder else weights.revision} {precision_on(where)} bidirectional mean"
        self.spec = EncoderSpec(weights.name, version, stand_in=False, width=int(config.hidden_size))

    def encode(self, texts: Sequence[str]) -> Rows:
        """Return features, shape (texts, width)."""
        import torch

        rows = [np.zeros((0, self.spec.width), dtype=np.float32)]
        with torch.inference_mode():
            for start in range(0, len(texts), _BATCH):
                batch = list(texts[start : start + _BATCH])
                cut = self._cut(batch, padding=True, truncation=True, max_length=_LONGEST, return_tensors="pt").to(self._model.device)
                states = self._model(input_ids=cut["input_ids"], attention_mask=cut["attention_mask"]).last_hidden_state.float()
                seen = cut["attention_mask"].unsqueeze(-1).float()
                means = (states * seen).sum(dim=1) / seen.sum(dim=1).clamp(min=1)
                rows.append((means / means.norm(dim=-1, keepdim=True)).cpu().numpy())
        return np.concatenate(rows)


class SentenceModel:
    """A model of the sentence-transformers library, such as all-MiniLM-L6-v2; rows have length one."""

    def __init__(self, weights: Weights, folder: Path | None = None, *, device: str = "auto") -> None:
        source, where = source_of(weights, folder), device_named(device)
        with loading(weights, source):
            from sentence_transformers import SentenceTransformer

            self._model = SentenceTransformer(source, device=str(where), revision=None if folder else weights.revision)
        version = f"{weights.repository}@{folder.name if folder else weights.revision}"
        width = self._model.get_embedding_dimension() or 0
        self.spec = EncoderSpec(weights.name, version, stand_in=False, width=width)

    def encode(self, texts: Sequence[str]) -> Rows:
        """Return features, shape (texts, width)."""
        if not texts:
            return np.zeros((0, self.spec.width), dtype=np.float32)
        rows = self._model.encode(list(texts), batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(rows, dtype=np.float32)
