"""The schedule of one participant: what they see, trial by trial; the same again from the same seed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from stimuli.experiment import ExperimentError
from study.config import RatingTable, StudyTable
from study.design.order import Item, mixed, spread
from study.design.pairs import Contrast, Judged, Pair, names_seen, pairs_for
from study.design.sides import arms_of, on_sides
from study.design.slots import Share, share
from study.design.trial import Kind, Side, Trial
from study.design.weaving import Part, in_stretches, layout, woven

# What separates the random numbers for sides, for the order and for the shares of an incomplete design.
_SIDES, _ORDER, _SHARES = 1, 2, 4


@dataclass(frozen=True)
class _Image:
    """An image to rate."""

    image: str
    prompt: str

    @property
    def images(self) -> tuple[str, ...]:
        return (self.image,)


def schedule_for(
    slot: int, stimuli: Sequence[Judged], *, seed: int, table: StudyTable, contrasts: frozenset[Contrast] | None, target_user: str | None
) -> tuple[Trial, ...]:
    """Return the trials of the participant in place `slot` (from 0), in the order they are shown.

    Practice comes first, then each pair of the design once (PAMELA, section 6.1, compares all), with catch trials and repeats
    woven in. Sides are balanced within the participant, and what is compared over the blocks. Participants 2k and 2k + 1 are
    twins: where both are asked the same pairs, each pair that one sees left-right the other sees right-left, so that over the two
    the sides are exactly balanced. In an incomplete design the twin is the next participant who is asked the same pairs
    (`slots.share`). The paper names no rule for sides or order; this one is ours.

    Raises:
        ExperimentError: no schedule can be made of these stimuli and settings.
    """
    every = pairs_for(stimuli, table=table, contrasts=contrasts, target_user=target_user, turn=slot // 2, seed=seed)
    pairs, own = _share_of(slot, every, table, seed)
    # Who sees one of the others sees another one at each prompt, so that sides are balanced over them all.
    names = names_seen(stimuli, target_user)
    arms = arms_of(stimuli, names=names if table.others == "one" else None)
    placed = on_sides(pairs, arms, np.random.default_rng([seed, _SIDES, own.twins]))
    if own.mirrored:
        placed = [pair.swapped for pair in placed]
    return _comparisons(placed, names, table, np.random.default_rng([seed, _ORDER, slot]))


def rating_schedule_for(slot: int, images: Sequence[tuple[str, str]], *, seed: int, table: RatingTable) -> tuple[Trial, ...]:
    """Return the trials of a rating study for the participant in place `slot`; `images` are (id, prompt) of all that may be rated.

    Practice comes first, on images that this participant is not asked later where there are enough; then the participant's
    share of the images in random order, some of them once more. Over the participants each image is rated as often as any other,
    give or take one.

    Raises:
        ExperimentError: there are too few images.
    """
    if table.per_participant > len(images):
        raise ExperimentError(
            f"study.toml: [rating] per_participant is {table.per_participant}, but there are {len(images)} images to rate; "
            f"write per_participant = {len(images)}, or make more images"
            if images
            else "there are no images to rate; `tastebench stimuli pool` makes them"
        )
    rng = np.random.default_rng([seed, _ORDER, slot])
    own = share(slot, of=len(images), size=table.per_participant)
    known = [_Image(*image) for image in sorted(images)]
    line = spread(known, lambda image: image.prompt, np.random.default_rng([seed, _SHARES, own.series]))
    mine = [line[part] for part in own.parts]
    others = [image for part, image in enumerate(line) if part not in own.parts]
    practice = _practice(others or mine, table.practice, rng)
    parts = layout(len(mine), repeats=table.repeats, catch=0, table="[rating]", rng=rng)
    even = spread(mine, lambda image: image.prompt, rng)
    ordered = in_stretches(even, parts, block=table.block, rng=rng, after=practice[-1] if practice else None)
    shown = woven(ordered, parts, again=lambda image: image, table="[rating]", rng=rng)
    return (
        *(Trial("practice", 0, image.prompt, image.image) for image in practice),
        *(Trial("repeat" if part == "repeat" else "rating", _block(position, table.block), image.prompt, image.image)
          for position, (part, image) in enumerate(zip(parts, shown, strict=True))),
    )  # fmt: skip


def _share_of(slot: int, pairs: Sequence[Pair], table: StudyTable, seed: int) -> tuple[Sequence[Pair], Share]:
    """Return the pairs that this participant is asked, and whose twin they are."""
    if table.pairs != "incomplete" or table.per_participant is None:
        return pairs, Share(0, tuple(range(len(pairs))), twins=slot // 2, mirrored=slot % 2 == 1)
    if table.per_participant > len(pairs):
        raise ExperimentError(
            f"study.toml: [study] per_participant is {table.per_participant}, but there are only {len(pairs)} pairs to compare; "
            'write a smaller number, or pairs = "all" without per_participant'
        )
    own = share(slot, of=len(pairs), size=table.per_participant)
    line = spread(pairs, _conditions, np.random.default_rng([seed, _SHARES, own.series]))
    return [line[part] for part in own.parts], own


def _conditions(pair: Pair) -> tuple[str, ...]:
    return tuple(sorted((pair.left.condition, pair.right.condition)))


def _comparisons(placed: Sequence[Pair], names: dict[str, str], table: StudyTable, rng: np.random.Generator) -> tuple[Trial, ...]:
    def contrast(pair: Pair) -> frozenset[str]:
        return frozenset(names[image] for image in pair.images)

    even = spread(placed, contrast, rng)
    # Practice shows what comes last in the trials, when it is least in mind.
    practice = [_either_way(pair, rng) for pair in _practice(even, table.practice, rng)]
    parts = layout(len(placed), repeats=table.repeats, catch=table.catch, table="[study]", rng=rng)
    ordered = in_stretches(even, parts, block=table.block, rng=rng, after=practice[-1] if practice else None)
    shown = woven(ordered, parts, again=lambda pair: pair.swapped, table="[study]", rng=rng)
    return (
        *(_trial("practice", 0, pair) for pair in practice),
        *_with_catch_trials(parts, shown, table, rng),
    )


def _with_catch_trials(parts: Sequence[Part], shown: Sequence[Pair], table: StudyTable, rng: np.random.Generator) -> Iterable[Trial]:
    sides: list[Side] = ["left", "right"] * (table.catch // 2 + 1)
    begin = int(rng.integers(2))
    expected = iter([sides[begin + index] for index in rng.permutation(table.catch)])
    for position, (part, pair) in enumerate(zip(parts, shown, strict=True)):
        block = _block(position, table.block)
        if part == "catch":
            yield _trial("catch", block, _either_way(pair, rng), next(expected))
        else:
            yield _trial("repeat" if part == "repeat" else "comparison", block, pair)


def _practice(line: Sequence[Item], count: int, rng: np.random.Generator) -> list[Item]:
    """Return `count` of the last things in line, mixed; some of them again where there are fewer."""
    if not count:
        return []
    last = mixed(line[-5 * count :], rng, after=None)
    return mixed([last[index % len(last)] for index in range(count)], rng, after=None)


def _either_way(pair: Pair, rng: np.random.Generator) -> Pair:
    return pair.swapped if rng.integers(2) else pair


def _trial(kind: Kind, block: int, pair: Pair, expected: Side | None = None) -> Trial:
    return Trial(kind, block, pair.prompt, pair.left.stimulus, pair.right.stimulus, expected)


def _block(position: int, size: int) -> int:
    return position // size if size else 0
