"""What the whole design comes to, before anybody is asked: trials, minutes, money, and how often what is compared with what."""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from stimuli.experiment import ExperimentError
from study.config import Procedure, RatingTable, StudyTable
from study.design.pairs import Contrast, Judged, names_seen, pairs_for, target_users
from study.design.remarks import may_come, own_first, remarks
from study.design.schedule import rating_schedule_for, schedule_for
from study.design.trial import Kind, Trial

Thing = TypeVar("Thing", bound=Hashable)
Pairs = Literal["all", "informative", "claims", "incomplete"]

# How many people a plan is for where neither study.toml nor the stimuli tell.
_SOME = 10


@dataclass(frozen=True)
class Seat:
    """One place in the study: the target user who is assumed to take it, None for anybody else, and what they see."""

    slot: int
    target_user: str | None
    trials: tuple[Trial, ...]

    def count(self, kind: Kind) -> int:
        """Return how many trials of this kind they have."""
        return sum(trial.kind == kind for trial in self.trials)


@dataclass(frozen=True)
class Price:
    """What answering takes: `minutes` and, where an hourly pay is stated, money."""

    minutes: float
    pay: float | None


@dataclass(frozen=True)
class Mode:
    """What one choice of `pairs` comes to: votes of one participant (least, most), of all, and the price; or why it cannot be."""

    pairs: Pairs
    each: tuple[int, int] | None
    votes: int
    longest: Price | None
    all: Price | None
    why_not: str = ""


@dataclass(frozen=True)
class Sides:
    """How often images of one name are on each side in all, and how far one participant's lean at most."""

    name: str
    left: int
    right: int
    largest_lean: int


@dataclass(frozen=True)
class Asked:
    """How often one thing (a pair of images, an image) is asked over all participants: how many are, of how many, least and most."""

    asked: int
    possible: int
    least: int
    most: int


@dataclass(frozen=True)
class Plan:
    """A comparison before launch. `coverage` counts votes by the two names compared; `notes` are what to think about first."""

    seats: tuple[Seat, ...]
    names: tuple[str, ...]
    coverage: Mapping[Contrast, int]
    sides: tuple[Sides, ...]
    pairs: Asked
    modes: tuple[Mode, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class RatingPlan:
    """A rating study before launch. `images` tells how often each image is rated for the first time."""

    seats: tuple[Seat, ...]
    images: Asked


def plan_comparison(
    stimuli: Sequence[Judged], *, seed: int, table: StudyTable, contrasts: frozenset[Contrast] | None, participants: int | None
) -> Plan:
    """Return the plan for so many participants; the first of them are taken to be the target users.

    Without a number it is for `table.participants`, else for all target users, else for ten.

    Raises:
        ExperimentError: no schedule can be made.
    """
    targets = [target for target in target_users(stimuli) if may_come(target, table.recruitment)]
    number = participants or table.participants or len(targets) or _SOME
    people = [targets[slot] if slot < len(targets) else None for slot in range(number)]
    seats = tuple(
        Seat(slot, who, schedule_for(slot, stimuli, seed=seed, table=table, contrasts=contrasts, target_user=who))
        for slot, who in enumerate(people)
    )
    names = {who: names_seen(stimuli, who) for who in set(people)}
    coverage = Counter(frozenset(two) for seat in seats for two in _compared(seat, names[seat.target_user]))
    pairs = _pairs_asked(stimuli, seats, seed, table, contrasts)
    modes = tuple(_mode(mode, stimuli, people, seed, table, contrasts) for mode in _modes(table))
    return Plan(
        seats=seats,
        names=tuple(sorted({name for seen in names.values() for name in seen.values()}, key=own_first)),
        coverage=coverage,
        sides=_sides(seats, names),
        pairs=pairs,
        modes=modes,
        notes=tuple(remarks(target_users(stimuli), people, table=table, contrasts=contrasts, coverage=coverage, pairs=pairs.possible)),
    )


def plan_rating(images: Sequence[tuple[str, str]], *, seed: int, table: RatingTable, participants: int | None) -> RatingPlan:
    """Return the plan of a rating study for so many participants, else `table.participants`, else ten.

    Raises:
        ExperimentError: there are too few images.
    """
    number = participants or table.participants or _SOME
    seats = tuple(Seat(slot, None, rating_schedule_for(slot, images, seed=seed, table=table)) for slot in range(number))
    rated = Counter(trial.left for seat in seats for trial in seat.trials if trial.kind == "rating")
    return RatingPlan(seats, _asked(rated, [image for image, _ in images]))


def price(trials: int, table: Procedure) -> Price:
    """Return what so many trials take, at `seconds_per_trial` and `hourly_pay`; consent, instructions and breaks are not in it."""
    hours = trials * table.seconds_per_trial / 3600
    return Price(60 * hours, None if table.hourly_pay is None else hours * table.hourly_pay)


def _compared(seat: Seat, names: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Yield the names on the left and on the right of each comparison."""
    return ((names[trial.left], names[str(trial.right)]) for trial in seat.trials if trial.kind == "comparison")


def _sides(seats: Sequence[Seat], names: Mapping[str | None, Mapping[str, str]]) -> tuple[Sides, ...]:
    left: Counter[str] = Counter()
    right: Counter[str] = Counter()
    largest: Counter[str] = Counter()
    for seat in seats:
        lean: Counter[str] = Counter()
        for one, other in _compared(seat, names[seat.target_user]):
            left[one] += 1
            right[other] += 1
            lean[one] += 1
            lean[other] -= 1
        for name, difference in lean.items():
            largest[name] = max(largest[name], abs(difference))
    return tuple(Sides(name, left[name], right[name], largest[name]) for name in sorted(largest, key=own_first))


def _pairs_asked(
    stimuli: Sequence[Judged], seats: Sequence[Seat], seed: int, table: StudyTable, contrasts: frozenset[Contrast] | None
) -> Asked:
    possible = {
        frozenset(pair.images)
        for seat in seats
        for pair in pairs_for(stimuli, table=table, contrasts=contrasts, target_user=seat.target_user, turn=seat.slot // 2, seed=seed)
    }
    asked = Counter(frozenset((trial.left, str(trial.right))) for seat in seats for trial in seat.trials if trial.kind == "comparison")
    return _asked(asked, possible)


def _asked(counts: Counter[Thing], possible: Collection[Thing]) -> Asked:
    times = [counts[one] for one in possible]
    return Asked(sum(time > 0 for time in times), len(times), min(times), max(times))


# --- What each choice costs ---


def _modes(table: StudyTable) -> tuple[Pairs, ...]:
    return ("all", "informative", "claims", "incomplete") if table.pairs == "incomplete" else ("all", "informative", "claims")


def _mode(
    mode: Pairs,
    stimuli: Sequence[Judged],
    people: Sequence[str | None],
    seed: int,
    table: StudyTable,
    contrasts: frozenset[Contrast] | None,
) -> Mode:
    other = replace(table, pairs=mode)
    try:
        each = {who: len(pairs_for(stimuli, table=other, contrasts=contrasts, target_user=who, turn=0, seed=seed)) for who in set(people)}
    except ExperimentError as error:
        return Mode(mode, None, 0, None, None, why_not=str(error))
    if mode == "incomplete" and table.per_participant is not None:
        each = dict.fromkeys(each, table.per_participant)
    votes = sum(each[who] for who in people)
    further = table.practice + table.repeats + table.catch
    return Mode(
        mode,
        (min(each.values()), max(each.values())),
        votes,
        price(max(each.values()) + further, table),
        price(votes + further * len(people), table),
    )
