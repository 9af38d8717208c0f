"""Published weights by name: where they come from, under which licence, and what to do when they are not here."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stimuli.experiment import ExperimentError


@dataclass(frozen=True)
class Weights:
    """One published model: its repository on the Hugging Face hub, the revision that was meant, and the licence its users accept."""

    name: str
    repository: str
    revision: str
    licence: str
    gated: bool = False
    gib: float | None = None
    part: str = "encoder"


# Sizes are of the parameters as they are loaded (bf16, HPSv3's head in fp32); None where nobody has measured it.
PUBLISHED = {
    weights.name: weights
    for weights in (
        Weights("flux2", "black-forest-labs/FLUX.2-dev", "main", "FLUX Non-Commercial License", gated=True, gib=104.9, part="generator"),
        Weights("flux2-klein", "black-forest-labs/FLUX.2-klein-4B", "main", "Apache-2.0", gib=14.9, part="generator"),
        Weights("local", "meta-llama/Llama-3.1-8B-Instruct", "main", "Llama 3.1 Community", gated=True, gib=15.0, part="rewriter"),
        Weights("hpsv3", "MizzenAI/HPSv3", "main", "Apache-2.0 (its code: MIT)", gib=14.4, part="scorer"),
        Weights("qalign", "q-future/one-align", "main", "not verified (code: MIT; made from LLaMA 2)", gib=15.3, part="scorer"),
        Weights("deqa", "zhiyuanyou/DeQA-Score-Mix3", "main", "not verified (code: MIT; made from LLaMA 2)", gib=15.3, part="scorer"),
        Weights("imagereward", "THUDM/ImageReward", "main", "Apache-2.0", gib=1.7, part="scorer"),
        Weights("laion", "openai/clip-vit-large-patch14", "main", "not verified (CLIP's code: MIT)", gib=0.8, part="scorer"),
        Weights("pickscore", "yuvalkirstain/PickScore_v1", "main", "none stated", gib=1.8, part="scorer"),
        Weights("siglip2-so400m", "google/siglip2-so400m-patch14-384", "main", "Apache-2.0", gib=2.1),
        Weights("siglip2-base", "google/siglip2-base-patch16-224", "main", "Apache-2.0", gib=0.7),
        Weights("nemotron-8b", "nvidia/llama-embed-nemotron-8b", "main", "NVIDIA non-commercial, and Llama 3.1's licence", gated=True),
        Weights("minilm", "sentence-transformers/all-MiniLM-L6-v2", "main", "Apache-2.0"),
    )
}


def source_of(weights: Weights, folder: Path | None) -> str:
    """Return what a loader takes: the folder that was given, else the repository.

    Raises:
        ExperimentError: the folder is not there or holds no configuration of a model.
    """
    if folder is None:
        return weights.repository
    if not (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
        raise ExperimentError(
            f"{folder}: holds no weights of {weights.name} (no config.json); give the folder into which "
            f"`hf download {weights.repository}` wrote, or leave it out to use the hub's own cache"
        )
    return str(folder)


@contextmanager
def loading(weights: Weights, source: str) -> Iterator[None]:
    """Turn what loaders raise into one sentence: what is lacking, the licence to accept, the command to run.

    Raises:
        ExperimentError: a package is missing, or the weights are missing, gated, damaged or of another architecture.
        torch.cuda.OutOfMemoryError: they do not fit on the card.
    """
    try:
        import transformers.utils.logging

        with quietly(transformers.utils.logging):
            yield
    except ImportError as error:
        raise ExperimentError(f"{weights.name}: needs the package {error.name}; install it with `pip install 'tastebench[gpu]'`") from error
    except _loading_errors() as error:
        if type(error).__name__ == "OutOfMemoryError":
            raise  # CUDA's: the weights are here, and too much is on the card; who loads them knows what to do.
        raise ExperimentError(f"{weights.name}: {_what_to_do(weights, source, error)}") from error


def complete(model: Any, loaded: Mapping[str, Any]) -> Any:
    """Return the model if its checkpoint held every weight; loaders otherwise fill gaps with random numbers.

    Raises:
        ValueError: the checkpoint lacks weights.
    """
    missing = sorted(loaded["missing_keys"])
    if missing:
        raise ValueError(f"it lacks {len(missing)} weights of {type(model).__name__}, the first being {missing[0]}")
    return model


@contextmanager
def quietly(log: Any) -> Iterator[None]:
    """Keep transformers or diffusers, whose module for logging this is, from drawing bars and from telling what was left out on purpose.

    A process that draws such a bar makes a lock for it, which is left behind where the process is ended.
    """
    level, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(level)
        if bars:
            log.enable_progress_bar()


def _loading_errors() -> tuple[type[Exception], ...]:
    """Return what loaders raise; safetensors' own error is no kind of any other."""
    usual = (OSError, ValueError, KeyError, RuntimeError)
    try:
        from safetensors import SafetensorError
    except ImportError:
        return usual
    return (*usual, SafetensorError)


def _what_to_do(weights: Weights, source: str, error: Exception) -> str:
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if source != weights.repository:
        return f"the weights in {source} cannot be loaded ({first}); download them again: hf download {weights.repository}"
    accept = (
        f"accept its licence ({weights.licence}) on the page of {weights.repository} and log in (hf auth login), then "
        if weights.gated
        else ""
    )
    return (
        f"the weights {weights.repository} are not on this machine and cannot be fetched ({first}); {accept}"
        f"run `hf download {weights.repository}` where there is a network. Licence: {weights.licence}"
    )
