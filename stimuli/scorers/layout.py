"""Published files that a scorer reads one by one: where they lie on this machine, and whether every key in them is accounted for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stimuli.experiment import ExperimentError
from stimuli.machine.weights import Weights, loading

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Published:
    """Some files of one repository on the hub; a scorer often takes its tokeniser from another than its weights."""

    weights: Weights
    files: tuple[str, ...]


def located(parts: Sequence[Published], folder: Path | None) -> dict[str, Path]:
    """Return where each file lies: in the folder that was given, else in the hub's cache, filled where there is a network.

    Raises:
        ExperimentError: a file is not there; the text names its repository, its licence and the command that fetches it.
    """
    if folder is None:
        return {file: path for part in parts for file, path in _fetched(part).items()}
    lacking = [(part, file) for part in parts for file in part.files if not (folder / file).is_file()]
    if lacking:
        part, file = lacking[0]
        more = f" and lacks {len(lacking) - 1} more" if len(lacking) > 1 else ""
        commands = " and ".join(_command(part, folder) for part in dict.fromkeys(part for part, _ in lacking))
        raise ExperimentError(
            f"{part.weights.name}: {folder} has no {file} of {part.weights.repository}{more}; run {commands} where there is a network, "
            f"or leave the folder out to use the hub's own cache. Licence of {part.weights.repository}: {part.weights.licence}"
        )
    return {file: folder / file for part in parts for file in part.files}


def _fetched(part: Published) -> dict[str, Path]:
    weights = part.weights
    with loading(weights, weights.repository):
        from huggingface_hub import hf_hub_download

        return {file: Path(hf_hub_download(weights.repository, file, revision=weights.revision)) for file in part.files}


def _command(part: Published, folder: Path) -> str:
    return f"`hf download {part.weights.repository} {' '.join(part.files)} --local-dir {folder}`"


def account(file: Path, found: Mapping[str, Shape], expected: Mapping[str, Shape]) -> None:
    """Check that a checkpoint holds every expected key, no other, and each with the expected shape.

    Raises:
        ValueError: it does not; the text names the first key that is lacking, unknown or of another shape.
    """
    lacking, unknown = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    other = sorted(key for key in found.keys() & expected.keys() if found[key] != expected[key])
    wrong = [
        *([f"it lacks {len(lacking)} keys, the first being {lacking[0]}"] if lacking else []),
        *([f"it has {len(unknown)} keys too many, the first being {unknown[0]}"] if unknown else []),
        *([f"{len(other)} keys have another shape, the first being {other[0]} with {found[other[0]]}"] if other else []),
    ]
    if other:
        wrong[-1] += f" where {expected[other[0]]} was expected"
    if wrong:
        raise ValueError(f"{file.name} has not the published layout: {'; '.join(wrong)}")
