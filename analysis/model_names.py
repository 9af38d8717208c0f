"""What models are called in predictions says what they are: a row of Table 3, a cell of Table 4, or a model of its own."""

import re
from dataclasses import dataclass

# Table 3: the model with all inputs, and the same with some left out ("no text").
FULL = "full model"
_LEFT_OUT = "no "
_CELL = re.compile(r"(?:(?P<model>.+), )?K = (?P<neighbours>\d+), τ = (?P<temperature>\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Cell:
    """A cell of Table 4: how many known users a new person is taken for, and at which temperature."""

    neighbours: int
    temperature: float


def is_ablation(model: str) -> bool:
    """Return whether a model is a row of Table 3.

    >>> is_ablation("no text"), is_ablation("full model"), is_ablation("population")
    (True, True, False)
    """
    return model == FULL or model.startswith(_LEFT_OUT)


def cell(model: str) -> Cell | None:
    """Return which cell of Table 4 a model is, None where it is none.

    >>> cell("K = 5, τ = 0.1")
    Cell(neighbours=5, temperature=0.1)
    """
    found = _CELL.fullmatch(model)
    return Cell(int(found["neighbours"]), float(found["temperature"])) if found else None


def stands_alone(model: str) -> bool:
    """Return whether a model is neither, so that it is compared with others.

    >>> stands_alone("population"), stands_alone("K = 1, τ = 0.05")
    (True, False)
    """
    return not is_ablation(model) and cell(model) is None
