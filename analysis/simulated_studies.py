"""Studies that never took place: people with tastes judge images, so that an analysis can be tried where the truth is known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.bradley_terry import ELO_PER_LOGIT, Array, strengths_of_many
from analysis.comparisons import Cells, Codes
from stimuli.experiment import ExperimentError

OWN, OTHERS = "own", "others"
_LAPSE_A, _LAPSE_B = 1.0, 19.0
_SIDE_MEAN, _SIDE_SD = 0.1, 0.2
# Gauss-Hermite nodes: 40 leave no error that counts at standard deviations below 3 logits.
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(40)


@dataclass(frozen=True)
class Heterogeneity:
    """How much people, prompts and images differ: standard deviations in logits of what is added to a condition's mean.

    `participant_condition`: a person's liking of a condition (own and others are one condition here); `own_effect`: how much
    more or less a person gains from images made for them; `prompt_condition`: how well a condition does at a prompt;
    `prompt_image`: how well one image turned out; `participant_prompt_image`: one person's liking of one image, kept when it
    is judged again. `people` is False where nobody leans to a side or answers without looking.
    """

    participant_condition: float
    own_effect: float
    prompt_condition: float
    prompt_image: float
    participant_prompt_image: float
    people: bool = True


NONE = Heterogeneity(0.0, 0.0, 0.0, 0.0, 0.0, people=False)
LOW = Heterogeneity(0.20, 0.10, 0.20, 0.40, 0.60)
MODERATE = Heterogeneity(0.35, 0.25, 0.40, 0.70, 1.00)
HIGH = Heterogeneity(0.60, 0.50, 0.70, 1.0, 1.2)
LEVELS = {"none": NONE, "low": LOW, "moderate": MODERATE, "high": HIGH}


@dataclass(frozen=True, eq=False)
class Design:
    """Who is shown which two images: one entry per trial in each array, trials of one cell next to each other.

    An image is a place among those that a participant sees at a prompt: one per condition, except that `others` has several
    (the images made for the next participants, in a circle). `condition_of[image]` is the place of its condition in `items`.
    `target_of[participant, image]` is whom the image was made for, -1 where for nobody.
    `cells` has the participant, prompt, left and right condition of each cell, all its counts being 0; `starts` tells at which
    trial each cell begins.
    """

    items: tuple[str, ...]
    participant: Codes
    prompt: Codes
    left: Codes
    right: Codes
    condition_of: Codes
    target_of: Codes
    cells: Cells
    starts: Codes


def design(
    conditions: Sequence[str],
    *,
    participants: int,
    prompts: int,
    per_person: int | None = None,
    rng: np.random.Generator,
    pairs: Sequence[tuple[str, str]] | None = None,
    others: int = 5,
) -> Design:
    """Return a design in which each participant judges `per_person` of all comparisons, drawn without repeats; all if None.

    All comparisons are those of every two images at each prompt, except two of `others`; `pairs` keeps those between certain
    conditions only. Where `per_person` is more than there are, all are judged as often as fits and the rest once more.
    Each comparison is shown with either image on the left at random.

    Raises:
        ExperimentError: `pairs` names an unknown condition, or there is nothing to compare.
    """
    items = tuple(sorted(conditions))
    condition_of, target_of = _images(items, participants, others)
    one, two = np.triu_indices(len(condition_of), 1)
    kept = condition_of[one] != condition_of[two]
    if pairs is not None:
        kept &= _among(condition_of[one], condition_of[two], items, pairs)
    one, two = one[kept], two[kept]
    if not len(one) or participants < 1 or prompts < 1:
        raise ExperimentError("a study to simulate needs participants, prompts and two conditions to compare; found none of one of them")
    every = len(one) * prompts
    wanted = every if per_person is None else per_person
    chosen = np.concatenate([_chosen(every, wanted, rng) for _ in range(participants)])
    participant = np.repeat(np.arange(participants), wanted)
    prompt, pair = chosen // len(one), chosen % len(one)
    turned = rng.random(len(pair)) < 0.5
    left, right = np.where(turned, two[pair], one[pair]), np.where(turned, one[pair], two[pair])
    return _in_cells(items, participants, prompts, (participant, prompt, left, right), condition_of, target_of)


def _images(items: tuple[str, ...], participants: int, others: int) -> tuple[Codes, Codes]:
    """Return the condition of each image a participant sees at a prompt, and for whom it was made."""
    others = min(others, participants - 1) if OWN in items else others
    counts = [others if item == OTHERS else 1 for item in items]
    condition_of = np.repeat(np.arange(len(items)), counts)
    target_of = np.full((participants, len(condition_of)), -1, dtype=np.int64)
    people = np.arange(participants)
    if OWN in items:
        target_of[:, condition_of == items.index(OWN)] = people[:, None]
    if OTHERS in items:
        target_of[:, condition_of == items.index(OTHERS)] = (people[:, None] + 1 + np.arange(others)) % participants
    return condition_of, target_of


def _among(one: Codes, two: Codes, items: tuple[str, ...], pairs: Sequence[tuple[str, str]]) -> NDArray[np.bool_]:
    unknown = sorted({name for pair in pairs for name in pair} - set(items))
    if unknown:
        raise ExperimentError(f'no condition is called "{unknown[0]}"; expected one of: {", ".join(items)}')
    wanted = {frozenset((items.index(a), items.index(b))) for a, b in pairs}
    return np.array([frozenset((a, b)) in wanted for a, b in zip(one.tolist(), two.tolist(), strict=True)], dtype=bool)


def _chosen(every: int, wanted: int, rng: np.random.Generator) -> Codes:
    whole, rest = divmod(wanted, every)
    return np.concatenate([np.tile(np.arange(every), whole), rng.permutation(every)[:rest]])


def _in_cells(
    items: tuple[str, ...],
    participants: int,
    prompts: int,
    trials: tuple[Codes, Codes, Codes, Codes],
    condition_of: Codes,
    target_of: Codes,
) -> Design:
    participant, prompt, left, right = trials
    size = len(items)
    key = ((participant * prompts + prompt) * size + condition_of[left]) * size + condition_of[right]
    order = np.argsort(key, kind="stable")
    _, starts = np.unique(key[order], return_index=True)
    first = order[starts]
    none = np.zeros(len(first), dtype=np.int64)
    cells = Cells(
        items=items,
        participants=participants,
        prompts=prompts,
        participant=participant[first],
        prompt=prompt[first],
        left=condition_of[left][first],
        right=condition_of[right][first],
        left_wins=none,
        right_wins=none,
        ties=none,
    )
    return Design(items, participant[order], prompt[order], left[order], right[order], condition_of, target_of, cells, starts)


def simulate(
    study: Design, means: Array, heterogeneity: Heterogeneity, rng: np.random.Generator, *, studies: int, per_block: int | None = None
) -> Cells:
    """Return the cells of many simulated studies: counts have shape (studies, cells), everything else is the design's.

    `means` are the conditions' mean utilities in logits, in the order of `study.items`; `calibrated` finds those that give
    wished Elo scores. Each study has new people, new prompts and new images.
    """
    block = per_block or max(1, 4_000_000 // max(len(study.left), study.target_of.size * study.cells.prompts))
    drawn = [_left_wins(study, means, heterogeneity, rng, min(block, studies - done)) for done in range(0, studies, block)]
    left_wins = np.concatenate(drawn)
    shown = np.diff(np.append(study.starts, len(study.left)))
    return study.cells.with_counts(left_wins, shown - left_wins, np.zeros_like(left_wins))


def _left_wins(study: Design, means: Array, spread: Heterogeneity, rng: np.random.Generator, studies: int) -> Codes:
    """Return how often the left image won in each cell, shape (studies, cells)."""
    participants, prompts = study.cells.participants, study.cells.prompts
    utility = _utilities(study, means, spread, rng, studies)
    images = len(study.condition_of)
    seat = (study.participant * prompts + study.prompt) * images
    ahead = utility[:, seat + study.left] - utility[:, seat + study.right]
    if spread.people:
        ahead += rng.normal(_SIDE_MEAN, _SIDE_SD, (studies, participants))[:, study.participant]
    chance = 1 / (1 + np.exp(-ahead))
    if spread.people:
        lapse = rng.beta(_LAPSE_A, _LAPSE_B, (studies, participants))[:, study.participant]
        chance += lapse * (0.5 - chance)
    chosen = rng.random(chance.shape) < chance
    wins: Codes = np.add.reduceat(chosen, study.starts, axis=1, dtype=np.int64)
    return wins


def _utilities(study: Design, means: Array, spread: Heterogeneity, rng: np.random.Generator, studies: int) -> Array:
    """Return the utility of each image for each participant at each prompt, shape (studies, participants x prompts x images)."""
    participants, prompts = study.cells.participants, study.cells.prompts
    items, condition = study.items, study.condition_of
    # Own and others are one condition: steering toward a person, which a person or a prompt may suit more or less.
    source = np.where(condition == _place(items, OTHERS), _place(items, OWN), condition) if OWN in items else condition
    shape = (studies, participants, prompts, len(condition))
    utility = rng.normal(0, 1, shape) * spread.participant_prompt_image
    utility += means[condition]
    utility += (rng.normal(0, spread.participant_condition, (studies, participants, len(items)))[:, :, source])[:, :, None, :]
    utility += (rng.normal(0, spread.prompt_condition, (studies, prompts, len(items)))[:, :, source])[:, None, :, :]
    utility += _image_effects(study, spread, rng, studies)
    own = rng.normal(0, spread.own_effect, (studies, participants))
    utility += own[:, :, None, None] * (condition == _place(items, OWN))
    return utility.reshape(studies, -1)


def _image_effects(study: Design, spread: Heterogeneity, rng: np.random.Generator, studies: int) -> Array:
    """Return how well each image turned out, the same for all who see it, shape (studies, participants, prompts, images)."""
    images = len(study.condition_of)
    which = np.where(study.target_of >= 0, images + study.target_of, np.arange(images))
    effects = rng.normal(0, spread.prompt_image, (studies, study.cells.prompts, images + study.cells.participants))
    found: Array = effects[:, :, which].transpose(0, 2, 1, 3)
    return found


def _place(items: tuple[str, ...], name: str) -> int:
    return items.index(name) if name in items else -1


def calibrated(study: Design, elo: dict[str, float], heterogeneity: Heterogeneity, *, tolerance: float = 1e-8) -> Array:
    """Return the mean utilities (logits) for which the Bradley-Terry fit of infinitely many people and prompts has these Elo gaps.

    Differences between people and images flatten the scale that choices show, so that means in logits are further apart than
    the fit. The expected share of wins is a one-dimensional normal integral, done by Gauss-Hermite quadrature.

    Raises:
        ExperimentError: `elo` does not name every condition once.
    """
    if set(elo) != set(study.items):
        raise ExperimentError(f"wished scores are for {', '.join(sorted(elo))}, but the conditions are {', '.join(study.items)}")
    wished = np.array([elo[item] for item in study.items]) / ELO_PER_LOGIT
    wished -= wished.mean()
    shown = shown_pairs(study)
    means = wished.copy()
    for _ in range(200):
        wins = shown * expected_shares(study, means, heterogeneity)
        found = strengths_of_many(wins[None], start=wished, tolerance=1e-11)[0]
        miss: Array = wished - found
        means += miss * 1.2
        if np.abs(miss).max() < tolerance:
            return means
    raise ExperimentError("no mean utilities give these scores; are they more than a thousand Elo apart?")


def shown_pairs(study: Design) -> Array:
    """Return how often each two conditions are compared, symmetric, shape (items, items)."""
    size = len(study.items)
    codes = study.condition_of[study.left] * size + study.condition_of[study.right]
    counted = np.bincount(codes, minlength=size * size).reshape(size, size).astype(float)
    both: Array = counted + counted.T
    return both


def _spreads(items: tuple[str, ...], of: Heterogeneity) -> Array:
    """Return the standard deviation of the difference in utility between images of each two conditions."""
    own, others = _place(items, OWN), _place(items, OTHERS)
    apart = 2 * (of.participant_condition**2 + of.prompt_condition**2 + of.prompt_image**2 + of.participant_prompt_image**2)
    variance = np.full((len(items), len(items)), apart)
    if own >= 0:
        variance[own] += of.own_effect**2
        variance[:, own] += of.own_effect**2
        if others >= 0:
            shared = 2 * (of.participant_condition**2 + of.prompt_condition**2)
            variance[own, others] -= shared
            variance[others, own] -= shared
    if of.people:
        variance += _SIDE_SD**2
    deviation: Array = np.sqrt(variance)
    return deviation


def expected_shares(study: Design, means: Array, heterogeneity: Heterogeneity) -> Array:
    """Return how often the row is preferred to the column in the long run, either one on the left as often, shape (items, items)."""
    gap, spread = means[:, None] - means[None, :], _spreads(study.items, heterogeneity)
    side = _SIDE_MEAN if heterogeneity.people else 0.0
    lapse = _LAPSE_A / (_LAPSE_A + _LAPSE_B) if heterogeneity.people else 0.0
    drawn = gap[..., None] + spread[..., None] * _NODES
    either: Array = (1 / (1 + np.exp(-(drawn + side))) + 1 / (1 + np.exp(-(drawn - side)))) / 2
    share: Array = either @ (_WEIGHTS / _WEIGHTS.sum()) * (1 - lapse) + lapse / 2
    return share
