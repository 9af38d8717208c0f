"""What people said of themselves, as numbers: bands of age, and one column for each other answer that several people gave."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from stimuli.predictors.interface import Rows

COLUMNS = ("age", "gender", "nationality")

_BANDS = (18, 25, 35, 45, 55, 65)
# An answer that nobody else gave says nothing about anybody else.
_FEWEST = 2


@dataclass(frozen=True)
class Coding:
    """The columns of the numbers: each is 1 for whoever gave that answer ("gender: female", "age: 25 to 34"), else 0."""

    answers: tuple[str, ...]

    def rows(self, users: pd.DataFrame) -> Rows | None:
        """Return the numbers of some users, shape (users, answers); None where there is no answer to code."""
        if not self.answers:
            return None
        given = [_answers(row) for row in users.to_dict("records")]
        return np.array([[answer in said for answer in self.answers] for said in given], dtype=np.float32).reshape(-1, len(self.answers))


def coding(users: pd.DataFrame) -> Coding:
    """Return the coding of what these users said; answers of one person only get no column, whoever gave them is 0 throughout."""
    counts = pd.Series([answer for row in users.to_dict("records") for answer in _answers(row)], dtype=object).value_counts()
    return Coding(tuple(sorted(str(answer) for answer in counts.index[counts >= _FEWEST])))


def _answers(row: dict[Any, Any]) -> set[str]:
    return {f"{name}: {said}" for name in COLUMNS if (said := _said(name, row.get(name)))}


def _said(name: str, value: Any) -> str | None:
    """Return an answer as text, an age as its band; None for whoever did not say."""
    if value is None or pd.isna(value) or not str(value).strip():
        return None
    if name == "age" and isinstance(value, int | float):
        return _band(value)
    return str(value).strip().lower()


def _band(age: float) -> str:
    """Return the band of an age.

    >>> [_band(age) for age in (17, 18, 34, 70)]
    ['under 18', '18 to 24', '25 to 34', '65 and over']
    """
    place = int(np.searchsorted(_BANDS, age, side="right"))
    if place == 0:
        return f"under {_BANDS[0]}"
    return f"{_BANDS[place - 1]} to {_BANDS[place] - 1}" if place < len(_BANDS) else f"{_BANDS[-1]} and over"
