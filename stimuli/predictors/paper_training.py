"""Training of the fusion transformer: features stay in memory, an epoch is index lookups, and a stopped training goes on bit for bit."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stimuli.experiment import ExperimentError
from stimuli.predictors.interface import Array, Codes
from stimuli.predictors.paper_network import FusionNetwork, Inputs
from stimuli.predictors.paper_settings import PaperModel
from stimuli.predictors.paper_tensors import read_tensors, write_tensors
from stimuli.progress import Report, silent

_VERSION = "paper training 1"
_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


@dataclass(frozen=True)
class Epoch:
    """How training stood after an epoch: mean squared errors of standardised ratings. `loss` is with dropout, while weights moved.

    `validation` is on ratings kept aside, None where there are none.
    """

    number: int
    loss: float
    validation: float | None


Watch = Callable[[Epoch], None]


def unwatched(epoch: Epoch) -> None:
    """Tell nobody."""


@dataclass(frozen=True, eq=False)
class Scores:
    """Standardised ratings as columns of equal length: rows of people, rows of images, scores, and the data set that each is from."""

    user: Codes
    image: Codes
    score: Array
    source: Codes


@dataclass(frozen=True, eq=False)
class Resuming:
    """The file in which training keeps its state after each epoch, and a hash of all that it depends on."""

    path: Path
    fingerprint: str


def train(
    network: FusionNetwork,
    images: Inputs,
    people: Tensor | None,
    scores: Scores,
    settings: PaperModel,
    *,
    weights: tuple[float, ...],
    aside: Scores | None = None,
    seed: int,
    resuming: Resuming | None = None,
    report: Report = silent,
    watch: Watch = unwatched,
) -> tuple[Epoch, ...]:
    """Train the network in place and return what each epoch reached.

    `images` and `people` hold the features of all images and the demographics of all people on the network's device; `weights` are
    the shares of the data sets in an epoch. All randomness of an epoch comes from the seed and its number.

    Raises:
        ExperimentError: a loss is not finite, or the file to resume from belongs to another training.
    """
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True)
    history = _resumed(network, optimiser, resuming, settings.epochs)
    columns = _Columns.of(scores, images.image.device)
    for number in range(len(history) + 1, settings.epochs + 1):
        order = torch.from_numpy(epoch_order(scores.source, weights, np.random.default_rng([seed, number]))).to(images.image.device)
        noise = torch.Generator(images.image.device).manual_seed(_seed_of(seed, number))
        loss = _epoch(network, optimiser, _Read(images, people, columns), order, noise, settings, number, report)
        validation = None if aside is None else _error(network, images, people, aside)
        history = (*history, Epoch(number, loss, validation))
        if resuming is not None:
            _keep(resuming, network, optimiser, history)
        watch(history[-1])
    return history


def epoch_order(source: Codes, weights: tuple[float, ...], rng: np.random.Generator) -> Codes:
    """Return the rows of one epoch in order, about as many as there are ratings; data set i fills the share `weights[i]` of it.

    A data set too small for its share is gone through again and again, one too large is drawn from without replacement.
    """
    parts = []
    for number, weight in enumerate(np.asarray(weights) / np.sum(weights)):
        rows, wanted = np.flatnonzero(source == number), round(weight * len(source))
        times = -(-wanted // max(1, len(rows)))
        parts.append(np.concatenate([rows[:0], *(rng.permutation(rows) for _ in range(times))])[:wanted])
    return rng.permutation(np.concatenate(parts))


def told(network: FusionNetwork, inputs: Inputs, rows: int = 2048) -> Array:
    """Return the scores of prepared inputs, some rows at a time, shape (rows,)."""
    found = [np.zeros(0)]
    with torch.inference_mode():
        for start in range(0, len(inputs.image), rows):
            found.append(network(inputs.at(slice(start, start + rows))).double().cpu().numpy())
    return np.concatenate(found)


@dataclass(frozen=True, eq=False)
class _Columns:
    user: Tensor
    image: Tensor
    score: Tensor

    @classmethod
    def of(cls, scores: Scores, device: torch.device) -> "_Columns":
        score = torch.from_numpy(scores.score.astype(np.float32))
        return cls(*(column.to(device) for column in (torch.from_numpy(scores.user), torch.from_numpy(scores.image), score)))


@dataclass(frozen=True, eq=False)
class _Read:
    images: Inputs
    people: Tensor | None
    columns: _Columns

    def at(self, network: FusionNetwork, rows: Tensor) -> Inputs:
        """Return what the network reads for some ratings."""
        user = self.columns.user[rows]
        return replace(
            self.images.at(self.columns.image[rows]),
            demographics=None if self.people is None else self.people[user],
            user=None if network.table is None else network.table(user),
        )


def _epoch(
    network: FusionNetwork,
    optimiser: torch.optim.AdamW,
    read: _Read,
    order: Tensor,
    noise: torch.Generator,
    settings: PaperModel,
    number: int,
    report: Report,
) -> float:
    steps = -(-len(order) // settings.batch)
    total = torch.zeros((), device=order.device)
    for place in range(steps):
        rows = order[place * settings.batch : (place + 1) * settings.batch]
        step = (number - 1) * steps + place + 1
        optimiser.param_groups[0]["lr"] = settings.learning_rate * min(1.0, step / max(1, settings.warm_up))
        error = ((network(read.at(network, rows), noise) - read.columns.score[rows]) ** 2).mean()
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
        total += error.detach() * len(rows)
        report(f"epoch {number} of {settings.epochs}", place + 1, steps)
    loss = float(total) / len(order)
    if not np.isfinite(loss):
        raise ExperimentError(
            f"epoch {number}: the loss is {loss}; lower the learning rate ({settings.learning_rate:g}), or look for huge features"
        )
    return loss


def _error(network: FusionNetwork, images: Inputs, people: Tensor | None, aside: Scores) -> float:
    read = _Read(images, people, _Columns.of(aside, images.image.device))
    with torch.inference_mode():
        found = told(network, read.at(network, torch.arange(len(aside.score), device=images.image.device)))
    return float(((found - aside.score) ** 2).mean())


def _seed_of(seed: int, epoch: int) -> int:
    return int(np.random.default_rng([seed, epoch, 1]).integers(2**62))


def _keep(resuming: Resuming, network: FusionNetwork, optimiser: torch.optim.AdamW, history: tuple[Epoch, ...]) -> None:
    tensors = {f"weights.{name}": value for name, value in network.state_dict().items()}
    for name, parameter in network.named_parameters():
        tensors |= {f"{moment}.{name}": optimiser.state[parameter][moment] for moment in _MOMENTS}
    state = {"version": _VERSION, "fingerprint": resuming.fingerprint, "history": [asdict(epoch) for epoch in history]}
    write_tensors(resuming.path, tensors, json.dumps(state))


def _resumed(network: FusionNetwork, optimiser: torch.optim.AdamW, resuming: Resuming | None, epochs: int) -> tuple[Epoch, ...]:
    """Put network and optimiser where the file says training stood, and return its history; empty where there is no file."""
    if resuming is None or not resuming.path.is_file():
        return ()
    tensors, text = read_tensors(resuming.path)
    history = _history(resuming, text)
    if len(history) > epochs:
        raise ExperimentError(
            f"{resuming.path}: holds a training of {len(history)} epochs, and {epochs} were asked for; ask for more, or delete it"
        )
    try:
        network.load_state_dict(_under("weights", tensors))
        for name, parameter in network.named_parameters():
            optimiser.state[parameter] = {moment: tensors[f"{moment}.{name}"].to(parameter.device) for moment in _MOMENTS}
    except (RuntimeError, KeyError) as error:
        raise ExperimentError(f"{resuming.path}: its tensors are not those of this training; delete it to start anew") from error
    return history


def _history(resuming: Resuming, text: str) -> tuple[Epoch, ...]:
    try:
        state = json.loads(text)
        found, history = (state["version"], state["fingerprint"]), tuple(Epoch(**epoch) for epoch in state["history"])
    except (ValueError, KeyError, TypeError) as error:
        raise ExperimentError(f"{resuming.path}: not the state of a training; delete it to start anew") from error
    if found != (_VERSION, resuming.fingerprint):
        raise ExperimentError(
            f"{resuming.path}: belongs to a training on other ratings, features or settings; delete it to start anew, or give another file"
        )
    return history


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(f"{prefix}."): value for name, value in tensors.items() if name.startswith(f"{prefix}.")}
