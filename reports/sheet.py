"""The image sheet: for each base prompt, every chain from its first image to its last."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from stimuli.manifest import OWN_IMAGE, Step, Stimulus

# More images than this in a row cannot be compared at a glance; longer chains show iterations evenly apart.
_MOST_COLUMNS = 6


@dataclass(frozen=True)
class Cell:
    """The best image after one iteration; `unchanged` says that nothing better was found since the cell before."""

    iteration: int
    image: str
    score: float | None
    unchanged: bool
    final: bool


@dataclass(frozen=True)
class Row:
    """One chain, or one image that was not steered; `cells` has one entry a column, None where the chain had stopped."""

    condition: str
    target_user: str | None
    run: int
    scorer: str | None
    cells: tuple[Cell | None, ...]
    final_prompt: str
    is_own: bool = False
    """The researcher's own image, which no prompt made."""


@dataclass(frozen=True)
class Sheet:
    """All rows of one base prompt; `columns` are iterations, 0 for the image of the base prompt."""

    prompt: str
    base_prompt: str
    columns: tuple[int, ...]
    rows: tuple[Row, ...]


Chain = tuple[str, str, str | None, int]


def sheets(stimuli: Sequence[Stimulus], steps: Sequence[Step]) -> list[Sheet]:
    """Return one sheet for each base prompt; prompts and rows stand in the order of `stimuli`."""
    chains: dict[Chain, list[Step]] = {}
    for step in sorted(steps, key=lambda step: step.iteration):
        chains.setdefault((step.prompt, step.condition, step.target_user, step.run), []).append(step)
    by_prompt: dict[str, list[Stimulus]] = {}
    for stimulus in stimuli:
        by_prompt.setdefault(stimulus.prompt, []).append(stimulus)
    return [_sheet(group, chains) for group in by_prompt.values()]


def images_by_importance(shown: Sequence[Sheet]) -> list[str]:
    """Return the name of every image in `shown`, once for each use: the final ones, then the first ones, then the rest."""
    cells = [cell for sheet in shown for row in sheet.rows for cell in row.cells if cell]
    return [cell.image for cell in sorted(cells, key=lambda cell: 0 if cell.final else 1 if cell.iteration == 0 else 2)]


def _sheet(stimuli: Sequence[Stimulus], chains: dict[Chain, list[Step]]) -> Sheet:
    cells = [_cells(s, chains.get((s.prompt, s.condition, s.target_user, s.run), [])) for s in stimuli]
    columns = _columns(max(row[-1].iteration for row in cells))
    rows = (
        Row(s.condition, s.target_user, s.run, s.scorer, _placed(row, columns), s.final_prompt, s.generator == OWN_IMAGE)
        for s, row in zip(stimuli, cells, strict=True)
    )
    return Sheet(stimuli[0].prompt, stimuli[0].base_prompt, columns, tuple(rows))


def _cells(stimulus: Stimulus, steps: Sequence[Step]) -> list[Cell]:
    """Return the chain's cells; the last shows the stimulus's own image, which is what people saw and is kept longest."""
    if not steps:
        return [Cell(stimulus.iteration, stimulus.image, stimulus.score, unchanged=False, final=True)]
    cells = []
    for step, before in zip(steps, (None, *steps), strict=False):
        same = before is not None and (step.best_prompt, step.best_score) == (before.best_prompt, before.best_score)
        cells.append(Cell(step.iteration, step.image, step.best_score, unchanged=same, final=False))
    return [*cells[:-1], dataclasses.replace(cells[-1], image=stimulus.image, final=True)]


def _columns(longest: int) -> tuple[int, ...]:
    """Return the iterations that are shown: all, or the first, the last and others evenly between."""
    if longest < _MOST_COLUMNS:
        return tuple(range(longest + 1))
    return tuple(round(longest * place / (_MOST_COLUMNS - 1)) for place in range(_MOST_COLUMNS))


def _placed(cells: Sequence[Cell], columns: Sequence[int]) -> tuple[Cell | None, ...]:
    placed: list[Cell | None] = []
    for before, column in zip((-1, *columns), columns, strict=False):
        due = [cell for cell in cells if before < cell.iteration <= column]
        placed.append(dataclasses.replace(due[-1], unchanged=all(cell.unchanged for cell in due)) if due else None)
    return tuple(placed)
