"""The local rewriter: a chat model through transformers, whose answer to an ask does not depend on what else is in the batch.

Sampling is the argmax of logits / temperature within the top-p nucleus plus Gumbel noise (Gumbel 1954), each row with its own stream,
so that greedy decoding draws from the model's distribution. A row then differs between batches only by the rounding of its logits:
in float32 by no token (tested), in bfloat16 where two tokens are nearly as likely.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stimuli.experiment import ExperimentError
from stimuli.machine.downloads import identity
from stimuli.machine.hardware import Means, device_named, precision_on
from stimuli.machine.weights import PUBLISHED, Weights, complete, loading, source_of
from stimuli.rewriters import Ask, RewriterSpec, Rewriting, Written
from stimuli.rewriters.instruction import TEMPLATE, Instruction, Message

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Chat:
    """A loaded chat model, what cuts texts for it, the tokens that end an answer, and how many tokens it can see (None: no limit)."""

    model: Any
    cut: Any
    ends: tuple[int, ...]
    context: int | None


class Local:
    """A chat model on this machine; it is loaded when it writes first, and left behind when the object is sent elsewhere."""

    def __init__(self, rewriting: Rewriting, *, instruction: str | None = None, means: Means | None = None) -> None:
        means = means or Means()
        self.weights = chat_weights(rewriting.model)
        self._rewriting, self._device, self._folder = rewriting, means.device, means.folder(self.weights.name)
        self._instruction = Instruction(TEMPLATE if instruction is None else instruction)
        settings = f"temperature={rewriting.temperature:g} top_p={rewriting.top_p:g} longest={rewriting.longest}"
        version = f"{identity(self.weights, self._folder)} {settings} instruction={self._instruction.version}"
        self.spec = RewriterSpec("local", version, stand_in=False)
        self._chat: Chat | None = None
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_chat", "_lock")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _chat=None, _lock=threading.Lock())

    def check(self) -> None:
        """Open the small files of the model, not its weights.

        Raises:
            ExperimentError: the model is not here, is gated, or is no chat model; or there is no such device.
        """
        device_named(self._device)
        _cutter(self.weights, self._folder)

    def write(self, asks: Sequence[Ask]) -> list[Written]:
        """Return one raw text for each.

        Raises:
            ExperimentError: the weights are not here, or a prompt and its history are longer than the model can read.
        """
        if not asks:
            return []
        # One at a time: threads that share a model would share its memory too.
        with self._lock:
            self._chat = self._chat or load(self.weights, self._folder, device=self._device)
            rows = [self._row(self._chat, ask) for ask in asks]
            return _answers(self._chat, rows, [ask.seed for ask in asks], self._rewriting)

    def _row(self, chat: Chat, ask: Ask) -> list[int]:
        """Return the tokens of an ask; a repair turn that is too long becomes a question of its own."""
        room = None if chat.context is None else chat.context - self._rewriting.longest
        row = _tokens(chat, self._instruction.conversation(ask))
        if room is not None and len(row) > room and ask.before is not None:
            row = _tokens(chat, self._instruction.conversation(Ask(ask.base_prompt, ask.history, ask.number, ask.seed)))
        if room is not None and len(row) > room:
            raise ExperimentError(
                f'the prompt "{ask.base_prompt[:60]}…" and what is told with it are {len(row)} tokens; {self.weights.repository} '
                f"reads {chat.context}, of which {self._rewriting.longest} are for its answer. Shorten the prompt, set a smaller "
                "[stimuli.steering] keep or [stimuli.rewriting] longest, or take a model that reads more"
            )
        return row


def chat_weights(model: str | None) -> Weights:
    """Return the weights of a chat model: the default's, or those of a repository, with a revision after an "@"."""
    default = PUBLISHED["local"]
    if model is None or model == default.repository:
        return default
    repository, _, revision = model.partition("@")
    licence = default.licence if repository == default.repository else "see its page"
    return Weights(default.name, repository, revision or "main", licence, gated=repository == default.repository, part="rewriter")


def load(weights: Weights, folder: Path | None, *, device: str) -> Chat:
    """Return a chat model, ready to write.

    Raises:
        ExperimentError: the weights are not here, or those of no chat model.
    """
    cut = _cutter(weights, folder)
    source, where = source_of(weights, folder), device_named(device)
    with loading(weights, source):
        from transformers import AutoModelForCausalLM, GenerationConfig

        revision: dict[str, Any] = {} if folder else {"revision": weights.revision}
        loader: Any = AutoModelForCausalLM.from_pretrained
        model, loaded = loader(source, dtype=precision_on(where), output_loading_info=True, **revision)
        complete(model, loaded)
    told = model.generation_config.eos_token_id
    ends = {cut.eos_token_id, *(told if isinstance(told, list) else [told])} - {None}
    # Other settings of a checkpoint, such as a penalty for repeats, would see the padding, and so the batch.
    plain: Any = GenerationConfig
    model.generation_config = plain(
        eos_token_id=sorted(ends) or None, pad_token_id=cut.pad_token_id, bos_token_id=cut.bos_token_id, do_sample=False
    )
    context = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return Chat(model.to(where).eval(), cut, tuple(sorted(ends)), context)


def _cutter(weights: Weights, folder: Path | None) -> Any:
    """Return the tokenizer of a chat model, which pads on the left so that every answer begins at the same place."""
    source = source_of(weights, folder)
    with loading(weights, source):
        from transformers import AutoTokenizer

        cut: Any = AutoTokenizer.from_pretrained(source, padding_side="left", **({} if folder else {"revision": weights.revision}))
    if not cut.chat_template:
        raise ExperimentError(
            f"{source}: has no chat template, so it is no chat model; name one that was trained for conversation, such as "
            f'an "Instruct" version, as [stimuli.rewriting] model'
        )
    if cut.pad_token is None:
        cut.pad_token = cut.eos_token
    return cut


def _tokens(chat: Chat, conversation: list[Message]) -> list[int]:
    # A model that thinks aloud would spend the answer's tokens on that; templates without the switch ignore it.
    given = chat.cut.apply_chat_template(conversation, add_generation_prompt=True, return_dict=True, enable_thinking=False)
    return list(given["input_ids"])


def _answers(chat: Chat, rows: list[list[int]], seeds: Sequence[int], rewriting: Rewriting) -> list[Written]:
    import torch

    given = chat.cut.pad({"input_ids": rows}, padding=True, return_tensors="pt").to(chat.model.device)
    with torch.inference_mode():
        written = chat.model.generate(
            input_ids=given["input_ids"],
            attention_mask=given["attention_mask"],
            max_new_tokens=rewriting.longest,
            logits_processor=_processors(rewriting, seeds, chat.model.device),
        )
    return [_answer(chat, row) for row in written[:, given["input_ids"].shape[1] :].tolist()]


def _answer(chat: Chat, row: list[int]) -> Written:
    """Return the text up to the first token that ends it; the rest of a row is padding."""
    end = next((place for place, token in enumerate(row) if token in chat.ends), None)
    text = chat.cut.decode(row[:end], skip_special_tokens=True)
    return Written(text, is_cut=end is None, tokens=len(row) if end is None else end + 1)


def _processors(rewriting: Rewriting, seeds: Sequence[int], device: "torch.device") -> Any:
    from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper

    if rewriting.temperature == 0:
        return LogitsProcessorList()
    steps: list[Any] = [TemperatureLogitsWarper(float(rewriting.temperature))]
    if rewriting.top_p < 1:
        steps.append(TopPLogitsWarper(rewriting.top_p))
    return LogitsProcessorList([*steps, row_noise(seeds, device)])


def row_noise(seeds: Sequence[int], device: "torch.device") -> Any:
    """Return a logits processor that adds Gumbel noise, each row's from a stream of its own."""
    import torch
    from transformers import LogitsProcessor

    class RowNoise(LogitsProcessor):
        def __init__(self) -> None:
            self._streams = [torch.Generator(device).manual_seed(seed) for seed in seeds]

        def __call__(self, input_ids: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":  # noqa: ARG002 - the protocol
            waits = torch.empty_like(scores)
            for row, stream in zip(waits, self._streams, strict=True):
                row.exponential_(generator=stream)
            # The logarithm of a wait of zero would make a token that is ruled out no number.
            return scores - waits.clamp_min(torch.finfo(scores.dtype).tiny).log()

    return RowNoise()
