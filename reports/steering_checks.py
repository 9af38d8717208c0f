"""Whether steering fooled its scorers: scores on fresh seeds and of held-out scorers, what the drift guard rejected, what looks hacked."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reports.material import Material
from reports.tables import Column, Table, count, percent
from stimuli.hacking import MOST, NOTICEABLE, Suspicion, suspicions
from stimuli.manifest import Step, Stimulus
from stimuli.steering_record import RescoredRow

# Flagged images on the page; the table holds all of them.
_PICTURED = 12


@dataclass(frozen=True)
class Flagged:
    """A flagged stimulus as the page shows it: its first image and its last, for whom, and why."""

    prompt: str
    made_for: str
    initial: str | None
    final: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Checks:
    """What the page says of the checks on steering; `tables` by name."""

    flagged: tuple[Flagged, ...]
    more: int
    sentence: str
    rule: str
    tables: dict[str, Table]


def checks(material: Material) -> Checks | None:
    """Return the checks on steering, None where nothing was steered or nothing checked."""
    if not material.rescored and not material.candidates:
        return None
    found = suspicions(material.stimuli, material.rescored, material.candidates)
    made = [rescored_table(material.stimuli, material.rescored), drift_table(material.steps)]
    made += [every_rescored_table(material.stimuli, material.rescored), suspicion_table(found)]
    first = {(step.prompt, step.condition, step.target_user, step.run): step.image for step in material.steps if not step.iteration}
    return Checks(
        flagged=tuple(_flagged(one, first) for one in found[:_PICTURED]),
        more=max(0, len(found) - _PICTURED),
        sentence=_sentence(material, len(found)),
        rule=(
            "Flagged is an image whose steering score rose although it does not rise on fresh seeds, or although a held-out scorer "
            f"fell by more than {NOTICEABLE:.0%} of its usual range; and one where the drift guard rejected more than {MOST:.0%} of the "
            "candidates that the scorer liked best. A flag is a reason to look at the image, and no verdict."
        ),
        tables={table.name: table for table in made if table.rows},
    )


def rescored_table(stimuli: Sequence[Stimulus], rows: Sequence[RescoredRow]) -> Table:
    """Return, for each condition and scorer, the mean scores of first and last images, as steering saw them and on fresh seeds."""
    condition = {row.stimulus: row.condition for row in stimuli}
    cells: dict[tuple[str, str, bool], list[RescoredRow]] = defaultdict(list)
    for row in rows:
        # Many people's scorers are one kind of scorer.
        cells[condition.get(row.stimulus, ""), row.scorer.split(":")[0], row.held_out].append(row)
    columns = (
        Column("condition", "Condition"),
        Column("scorer", "Scorer"),
        Column("role", "Role"),
        Column("stimuli", "Images", count),
        Column("initial", "First", _score),
        Column("shown", "Last", _score),
        Column("fresh_initial", "First, fresh", _score),
        Column("fresh", "Last, fresh", _score),
        Column("better", "Better", percent),
    )
    made = (
        (
            *(name, scorer, "held out" if held_out else "steered", len(some)),
            *(_mean([getattr(row, key) for row in some]) for key in ("initial", "shown", "fresh_initial", "fresh")),
            _mean([None if row.fresh_rise is None else float(row.fresh_rise > 0) for row in some]),
        )
        for (name, scorer, held_out), some in cells.items()
    )
    return Table("rescored_conditions", columns, tuple(made))


def every_rescored_table(stimuli: Sequence[Stimulus], rows: Sequence[RescoredRow]) -> Table:
    """Return the same for every image and scorer."""
    known = {row.stimulus: row for row in stimuli}
    columns = (
        Column("stimulus", "Image"),
        *(Column(name, name.replace("_", " ").capitalize()) for name in ("prompt", "condition", "target_user")),
        Column("run", "Run", count),
        *(Column(name, name.replace("_", " ").capitalize()) for name in ("scorer", "role")),
        *(Column(name, name.replace("_", " ").capitalize(), _score) for name in ("initial", "shown", "fresh_initial", "fresh")),
        Column("seeds", "Seeds", count),
    )
    made = (
        (
            *(row.stimulus, of.prompt, of.condition, of.target_user, of.run, row.scorer, "held out" if row.held_out else "steered"),
            *(row.initial, row.shown, row.fresh_initial, row.fresh, row.seeds),
        )
        for row in rows
        if (of := known.get(row.stimulus))
    )
    return Table("rescored", columns, tuple(made), "Every image’s scores as steering saw them and on fresh seeds")


def drift_table(steps: Sequence[Step]) -> Table:
    """Return how many candidates of each condition the drift guard rejected; nothing where it rejected none at all."""
    proposed: dict[str, int] = defaultdict(int)
    rejected: dict[str, int] = defaultdict(int)
    for step in steps:
        proposed[step.condition] += step.proposed
        rejected[step.condition] += step.rejected
    columns = (
        Column("condition", "Condition"),
        Column("candidates", "Candidates", count),
        Column("rejected", "Rejected", count),
        Column("share", "Share", percent),
    )
    rows = tuple((name, number, rejected[name], rejected[name] / number) for name, number in proposed.items() if number)
    return Table("drift", columns, rows if any(rejected.values()) else ())


def suspicion_table(found: Sequence[Suspicion]) -> Table:
    """Return every flagged image with its reasons."""
    columns = tuple(Column(name, name.replace("_", " ").capitalize()) for name in ("stimulus", "prompt", "condition", "target_user", "why"))
    rows = ((of.stimulus, of.prompt, of.condition, of.target_user, "; ".join(one.reasons)) for one in found if (of := one.stimulus))
    return Table("suspicions", columns, tuple(rows), "Images that are flagged, and why")


def _sentence(material: Material, flagged: int) -> str:
    steered = sum(row.scorer is not None for row in material.stimuli)
    held_out = list(dict.fromkeys(row.scorer for row in material.rescored if row.held_out))
    seeds = max((row.seeds for row in material.rescored), default=0)
    how = [f"on {seeds} fresh seeds" if seeds > 1 else "on a fresh seed"] if seeds else []
    how += [f"by {' and '.join(held_out)}, which steered nothing"] if held_out else []
    looked = f"Each end of a chain was scored again {', and '.join(how)}. " if how else ""
    if not flagged:
        return f"{looked}None of {steered} steered images is flagged."
    return f"{looked}{flagged} of {steered} steered images {'is' if flagged == 1 else 'are'} flagged."


def _flagged(one: Suspicion, first: dict[tuple[str, str, str | None, int], str]) -> Flagged:
    of = one.stimulus
    made_for = f"{of.condition} for {of.target_user}" if of.target_user else of.condition
    return Flagged(of.prompt, made_for, first.get((of.prompt, of.condition, of.target_user, of.run)), of.image, one.reasons)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _score(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.2f}"
