"""Named tensors and one text in a safetensors file, written whole; the same content gives the same bytes."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from stimuli.experiment import ExperimentError, write_whole

# One key only: safetensors writes several in random order.
_KEY = "tastebench"


def write_tensors(path: Path, tensors: Mapping[str, Tensor], text: str) -> None:
    """Write tensors and a text that says what they are.

    Raises:
        ExperimentError: the package safetensors is missing, or the file cannot be written.
    """
    _required(path)
    from safetensors import torch as safe

    write_whole(path, safe.save({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, metadata={_KEY: text}))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], str]:
    """Return what `write_tensors` wrote.

    Raises:
        ExperimentError: the package safetensors is missing, or the file is missing, damaged or of another kind.
    """
    _required(path)
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise ExperimentError(f"{path}: no such file; train the paper's model first")
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_KEY)
            # Copied out of the mapping, so that the file may be replaced while the tensors live.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 - the file is no dictionary
    except (SafetensorError, OSError) as error:
        raise ExperimentError(f"{path}: damaged, or no safetensors file ({error}); train the paper's model again") from error
    if text is None:
        raise ExperimentError(f"{path}: a safetensors file that tastebench did not write; train the paper's model again")
    return tensors, text


def _required(path: Path) -> None:
    try:
        import safetensors  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise ExperimentError(
            f"{path}: files of the paper's model need the package safetensors; install it with `pip install 'tastebench[gpu]'`"
        ) from error
