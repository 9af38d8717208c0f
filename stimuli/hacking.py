"""Which stimuli look as if steering had fooled its scorer rather than improved the image; a flag is a reason to look, no verdict."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from stimuli.manifest import Stimulus
from stimuli.steering_record import CandidateRow, RescoredRow

# A held-out scorer that falls by less than this share of its usual range may be noise, or a matter of taste.
NOTICEABLE = 0.1
# A chain that drifts now and then is searching; where most of what its scorer likes best has drifted, its scorer leads it away.
MOST = 0.5
# How many of a chain's candidates are what its scorer likes best: a tenth, but not fewer than three.
FAVOURITES = 0.1
_FEWEST = 3

_Key = tuple[str, str, str | None, int]


@dataclass(frozen=True)
class Suspicion:
    """A stimulus that looks hacked, and why, in words; each reason ends a sentence about it."""

    stimulus: Stimulus
    reasons: tuple[str, ...]


def suspicions(stimuli: Sequence[Stimulus], rescored: Iterable[RescoredRow], candidates: Iterable[CandidateRow]) -> list[Suspicion]:
    """Return the stimuli that look hacked, in the order of `stimuli`.

    A stimulus is flagged where the steering score rose and (1) does not rise on fresh seeds, or (2) a held-out scorer fell by more
    than a tenth of its usual range, on fresh seeds where there are some; and (3), whether the score rose or not, where the drift guard
    rejected more than half of the tenth of the chain's candidates that the steering scorer likes best.
    """
    rows: dict[str, list[RescoredRow]] = defaultdict(list)
    for row in rescored:
        rows[row.stimulus].append(row)
    tried: dict[_Key, list[CandidateRow]] = defaultdict(list)
    for one in candidates:
        if one.iteration:
            tried[one.prompt, one.condition, one.target_user, one.run].append(one)
    found = (
        (row, (*_by_scores(rows[row.stimulus]), *_by_drift(rows[row.stimulus], tried[row.prompt, row.condition, row.target_user, row.run])))
        for row in stimuli
    )
    return [Suspicion(row, reasons) for row, reasons in found if reasons]


def _by_scores(rows: Sequence[RescoredRow]) -> Iterator[str]:
    steering = next((row for row in rows if not row.held_out), None)
    if steering is None or steering.rise <= 0:
        return
    if steering.fresh_rise is not None and steering.fresh_rise <= 0:
        yield (
            f"{steering.scorer} rose from {_score(steering.initial)} to {_score(steering.shown)}, but on {_seeds(steering.seeds)} it goes "
            f"from {_score(steering.fresh_initial)} to {_score(steering.fresh)}: the gain was one image's luck"
        )
    for row in rows:
        rise = row.rise if row.fresh_rise is None else row.fresh_rise
        if row.held_out and rise < -NOTICEABLE * (row.high - row.low):
            first, last = (row.initial, row.shown) if row.fresh_rise is None else (row.fresh_initial, row.fresh)
            where = "" if row.fresh_rise is None else f" on {_seeds(row.seeds)}"
            yield (
                f"{steering.scorer} rose from {_score(steering.initial)} to {_score(steering.shown)}, but {row.scorer}, which steered "
                f"nothing, got worse{where}, from {_score(first)} to {_score(last)}"
            )


def _by_drift(rows: Sequence[RescoredRow], candidates: Sequence[CandidateRow]) -> Iterator[str]:
    steering = next((row for row in rows if not row.held_out), None)
    number = max(_FEWEST, round(FAVOURITES * len(candidates)))
    if steering is None or len(candidates) < number:
        return
    best = sorted(candidates, key=lambda one: -one.score if steering.higher_is_better else one.score)[:number]
    rejected = sum(one.rejected for one in best)
    if rejected > MOST * number:
        every = sum(one.rejected for one in candidates)
        yield (
            f"the drift guard rejected {rejected} of the {number} candidates that {steering.scorer} liked best ({every} of "
            f"{len(candidates)} in all): what scores highest no longer fits the base prompt"
        )


def _seeds(number: int) -> str:
    return "a fresh seed" if number == 1 else f"{number} fresh seeds"


def _score(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}" if abs(value) < 1 else f"{value:.2f}"
