"""The server rewriter: a chat model behind an OpenAI-compatible address (vLLM, SGLang, llama.cpp, `transformers serve`, hosted ones)."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from stimuli.experiment import ExperimentError
from stimuli.remote import RefusedError, Remote
from stimuli.rewriters import Ask, RewriterSpec, Rewriting, Written
from stimuli.rewriters.instruction import TEMPLATE, Instruction

_AT_ONCE = 16
_PATH = "/chat/completions"
# How servers refuse a model that they do not have.
_UNKNOWN_MODEL = (400, 404, 422)
# Some servers keep seeds in a signed number of 32 bits.
_SEEDS = 2**31


class Server:
    """A chat model at an address. Its spec names model, settings and instruction; the address may change in the middle of a run."""

    def __init__(self, rewriting: Rewriting, *, instruction: str | None = None, attempts: int = 6, wait: float = 1.0) -> None:
        if not rewriting.model:
            raise ExperimentError('rewriter = "server" needs the name of a model there; add model = "…" to [stimuli.rewriting]')
        self._rewriting, self._model = rewriting, rewriting.model
        self._instruction = Instruction(TEMPLATE if instruction is None else instruction)
        self._remote = Remote(rewriting.address, rewriting.key_variable, attempts=attempts, wait=wait)
        settings = f"temperature={rewriting.temperature:g} top_p={rewriting.top_p:g} longest={rewriting.longest}"
        version = f"{rewriting.model} {settings} instruction={self._instruction.version}"
        self.spec = RewriterSpec("server", version, stand_in=False)

    def check(self) -> None:
        """Look whether a server is there that takes the key and has the model; it need not tell its models.

        Some servers take any name, and some know a model by more names than they list. So a model that is not listed is asked
        for one token, which settles it before any work.

        Raises:
            ExperimentError: the key is missing or wrong, no server answers, or it has no such model.
        """
        try:
            offered = self._models(self._remote.get("/models", attempts=1))
        except RefusedError as error:
            if error.status in (401, 403):
                raise
            return
        if offered:
            self._ask_for_one_token(offered)

    def _ask_for_one_token(self, offered: str) -> None:
        said = [{"role": "user", "content": "Hello"}]
        try:
            self._remote.post(_PATH, {"model": self._model, "messages": said, "max_tokens": 1})
        except RefusedError as error:
            if error.status in _UNKNOWN_MODEL:
                raise RefusedError(_sentences(str(error), offered), error.status) from None

    def write(self, asks: Sequence[Ask]) -> list[Written]:
        """Return one raw text for each; several are asked for at once.

        Raises:
            ExperimentError: the server, its key or its model is not there, or it does not answer as such servers do.
        """
        if not asks:
            return []
        with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(asks)), thread_name_prefix="rewriter") as pool:
            waiting = [pool.submit(self._written, ask) for ask in asks]
            try:
                return [answer.result() for answer in waiting]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _written(self, ask: Ask) -> Written:
        request = {
            "model": self._model,
            "messages": self._instruction.conversation(ask),
            "temperature": self._rewriting.temperature,
            "top_p": self._rewriting.top_p,
            "max_tokens": self._rewriting.longest,
            "seed": ask.seed % _SEEDS,
        }
        try:
            answer = self._remote.post(_PATH, request)
        except RefusedError as error:
            asked = f'It was asked to reword "{ask.base_prompt[:60]}"' if error.status in (400, 413, 422) else ""
            offered = self._offered() if error.status in _UNKNOWN_MODEL else ""
            raise RefusedError(_sentences(str(error), asked, offered), error.status) from None
        return self._read(answer)

    def _read(self, answer: dict[str, Any]) -> Written:
        try:
            [choice, *_] = answer["choices"]
            message, reason = choice["message"], choice.get("finish_reason")
            if reason != "content_filter" and not message.keys() & {"content", "refusal", "reasoning_content"}:
                raise KeyError("content")
            text = _text(message.get("content") or message.get("refusal") or "")
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self._remote.complaint(_PATH, "choices[0].message.content was expected", answer) from None
        usage = answer.get("usage")
        tokens = usage.get("completion_tokens") if isinstance(usage, dict) else None
        return Written(text, is_cut=reason == "length", tokens=tokens if isinstance(tokens, int) else None)

    def _offered(self) -> str:
        try:
            return self._models(self._remote.get("/models", attempts=1))
        except ExperimentError:
            return ""

    def _models(self, told: dict[str, Any]) -> str:
        """Return a sentence on what models a server tells of; nothing where it tells of none, or of this one."""
        offered = told.get("data")
        entries = offered if isinstance(offered, list) else []
        names = [str(entry["id"]) for entry in entries if isinstance(entry, dict) and "id" in entry]
        if not names or self._model in names:
            return ""
        shown = ", ".join(f'"{name}"' for name in names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
        return f'The server offers {shown}, and no "{self._model}": correct [stimuli.rewriting] model'


def _sentences(*said: str) -> str:
    """Return sentences as one text; the last may lack its full stop."""
    *before, last = [one for one in said if one]
    return "".join(f"{one} " if one.endswith("?") else f"{one}. " for one in before) + last


def _text(content: object) -> str:
    """Return the text of a message, which some servers give in parts.

    Raises:
        TypeError: it is no text.
    """
    if isinstance(content, list):
        return "".join(part["text"] for part in content if part.get("type") == "text")
    if not isinstance(content, str):
        raise TypeError
    return content
