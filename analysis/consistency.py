"""Do independent steering runs for one user end closer to each other than to those for other users? Relabelling the runs tells."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.added_words import BOILERPLATE, added_words, jaccard, rarity
from analysis.relabelling import Array, Relabelled, relabel
from analysis.run_guards import NearDuplicate, SteeredRun, equal_seeds, exclusive_keywords, is_truncated, near_duplicates
from stimuli.experiment import ExperimentError
from stimuli.manifest import Stimulus

WORDS, RARE_WORDS, PROMPTS, IMAGES = "added words", "added words, rare ones weighing more", "prompt embeddings", "image embeddings"


@dataclass(frozen=True, eq=False)
class Steered:
    """Steering runs, and where known the embeddings of their final prompts and images: one row per run, shape (runs, dimensions)."""

    runs: tuple[SteeredRun, ...]
    prompt_embeddings: Array | None = None
    image_embeddings: Array | None = None


@dataclass(frozen=True)
class UserAgreement:
    """The mean similarity of a user's runs to each other (`within`) and to the runs of others (`between`), at the same base prompt."""

    user: str
    within: float
    between: float


@dataclass(frozen=True)
class ViewAgreement:
    """How alike the runs are in one view of them. `without_copies` is the test repeated without near-duplicates, where there are any.

    `floor` is what the placebo reaches: its difference, or the upper 1 - alpha quantile of its relabellings where that is more.
    """

    view: str
    users: tuple[UserAgreement, ...]
    test: Relabelled
    without_copies: Relabelled | None
    floor: float | None

    @property
    def p_value(self) -> float | None:
        """The p of the claim: of the joint relabelling, the larger of with and without near-duplicates; None where not testable."""
        tests = [self.test] if self.without_copies is None else [self.test, self.without_copies]
        known = [test.p_joint for test in tests if test.p_joint is not None]
        return max(known) if len(known) == len(tests) else None

    def is_user_specific(self, alpha: float) -> bool | None:
        """Return whether the runs agree more than chance and more than the placebo's; None without a placebo or a test."""
        if self.floor is None or self.p_value is None or self.test.difference is None:
            return None
        return self.p_value <= alpha and self.test.difference > self.floor


@dataclass(frozen=True)
class RunAgreement:
    """The agreement of runs in each view, and everything that can feign it.

    `dropped_prompts` lack two runs of some user. `seeds_favour_own`: equal image seeds are more frequent within users than between.
    `exclusive` are the stems in all runs of a (user, prompt) and in no run of another.
    """

    prompts: tuple[str, ...]
    dropped_prompts: tuple[str, ...]
    runs_each: int
    views: tuple[ViewAgreement, ...]
    near_duplicates: tuple[NearDuplicate, ...]
    truncated: tuple[SteeredRun, ...]
    equal_seeds: tuple[tuple[SteeredRun, SteeredRun], ...]
    seeds_favour_own: bool
    exclusive: dict[tuple[str, str], tuple[str, ...]]
    not_testable: str | None

    def view(self, name: str) -> ViewAgreement:
        """Return the agreement in one view.

        Raises:
            ExperimentError: there is no such view.
        """
        for view in self.views:
            if view.view == name:
                return view
        raise ExperimentError(f'no view is called "{name}"; expected one of: {", ".join(view.view for view in self.views)}')


@dataclass(frozen=True, eq=False)
class _Grid:
    """The place in the runs of each (prompt, user, run), shape (prompts, users, runs)."""

    prompts: tuple[str, ...]
    users: tuple[str, ...]
    places: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
    dropped: tuple[str, ...]


def steered_runs(stimuli: Iterable[Stimulus], *, condition: str) -> tuple[SteeredRun, ...]:
    """Return the runs of one condition with targets, in the order of the stimuli."""
    return tuple(
        SteeredRun(row.target_user, row.prompt, row.run, row.base_prompt, row.final_prompt, row.seed)
        for row in stimuli
        if row.condition == condition and row.target_user is not None
    )


def consistent_runs(
    steered: Steered,
    *,
    rng: np.random.Generator,
    alpha: float = 0.05,
    boilerplate: Sequence[str] = BOILERPLATE,
    placebo: Steered | None = None,
) -> RunAgreement:
    """Return how far independent runs of a user agree, at the same base prompt, beyond runs of other users.

    The paper (section 7) shows runs that agree; here run labels are exchanged between users, jointly over prompts (users'
    labels keep together) and independently for each prompt. `placebo` is a second set of runs, steered by a shuffled scorer.
    Only prompts with at least two runs of every user count; of further runs, as many as every user has.

    Raises:
        ExperimentError: a run occurs twice, or embeddings do not match the runs.
    """
    _check(steered)
    grid = _grid(steered.runs)
    copies = near_duplicates(steered.runs, boilerplate=boilerplate)
    seeds = equal_seeds(steered.runs)
    views = _views(steered, grid, copies, rng, boilerplate, alpha)
    floors = {} if placebo is None else _floors(placebo, rng, boilerplate, alpha)
    tests = [view.test for view in views]
    return RunAgreement(
        prompts=grid.prompts,
        dropped_prompts=grid.dropped,
        runs_each=grid.places.shape[2],
        views=tuple(ViewAgreement(view.view, view.users, view.test, view.without_copies, floors.get(view.view)) for view in views),
        near_duplicates=copies,
        truncated=tuple(run for run in steered.runs if is_truncated(run.final_prompt)),
        equal_seeds=seeds,
        seeds_favour_own=_favour_own(seeds, steered.runs),
        exclusive=exclusive_keywords(steered.runs, boilerplate=boilerplate),
        not_testable=tests[0].not_testable if tests else "no base prompt has two runs of each of at least two users",
    )


def similarities(view: str, steered: Steered, places: Sequence[int], *, boilerplate: Sequence[str] = BOILERPLATE) -> Array:
    """Return how alike some runs at one base prompt are in a view, shape (runs, runs).

    Embeddings are centred over these runs first, so that what all have in common, the base prompt, counts for nothing.
    """
    if view in (PROMPTS, IMAGES):
        embeddings = steered.prompt_embeddings if view == PROMPTS else steered.image_embeddings
        return _cosines(np.asarray(embeddings, dtype=np.float64)[list(places)])
    everything = [added_words(run.final_prompt, base=run.base_prompt, boilerplate=boilerplate) for run in steered.runs]
    weights = rarity(everything) if view == RARE_WORDS else None
    here = [everything[place] for place in places]
    return np.array([[jaccard(one, other, weights) for other in here] for one in here])


def _check(steered: Steered) -> None:
    seen: set[tuple[str, str, int]] = set()
    for run in steered.runs:
        key = run.user, run.prompt, run.run
        if key in seen:
            raise ExperimentError(
                f'run {run.run} of user "{run.user}" at prompt "{run.prompt}" occurs twice; give every run its own number'
            )
        seen.add(key)
    for name, rows in ((PROMPTS, steered.prompt_embeddings), (IMAGES, steered.image_embeddings)):
        if rows is not None and (rows.ndim != 2 or len(rows) != len(steered.runs) or not np.all(np.isfinite(rows))):
            raise ExperimentError(
                f"the {name} have shape {rows.shape}; expected one row of finite numbers for each of {len(steered.runs)} runs"
            )


def _grid(runs: Sequence[SteeredRun]) -> _Grid:
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place in sorted(range(len(runs)), key=lambda place: runs[place].run):
        found[runs[place].prompt, runs[place].user].append(place)
    prompts, users = sorted({run.prompt for run in runs}), sorted({run.user for run in runs})
    kept = [prompt for prompt in prompts if all(len(found[prompt, user]) >= 2 for user in users)]
    each = min((len(found[prompt, user]) for prompt in kept for user in users), default=0)
    places = np.array([[found[prompt, user][:each] for user in users] for prompt in kept], dtype=np.int64)
    dropped = tuple(prompt for prompt in prompts if prompt not in kept)
    return _Grid(tuple(kept), tuple(users), places.reshape(len(kept), len(users), each), dropped)


def _views(
    steered: Steered,
    grid: _Grid,
    copies: Sequence[NearDuplicate],
    rng: np.random.Generator,
    boilerplate: Sequence[str],
    alpha: float,
) -> list[ViewAgreement]:
    if not grid.prompts or len(grid.users) < 2:
        return []
    names = [WORDS, RARE_WORDS]
    names += [PROMPTS] if steered.prompt_embeddings is not None else []
    names += [IMAGES] if steered.image_embeddings is not None else []
    masked = _copied(steered.runs, grid, copies)
    views = []
    for name in names:
        alike = np.stack([similarities(name, steered, cell.ravel().tolist(), boilerplate=boilerplate) for cell in grid.places])
        alike = alike.reshape(-1, *grid.places.shape[1:], *grid.places.shape[1:])
        repeated = relabel(np.where(masked, np.nan, alike), rng=rng, alpha=alpha) if masked.any() else None
        views.append(ViewAgreement(name, _by_user(alike, grid.users), relabel(alike, rng=rng, alpha=alpha), repeated, None))
    return views


def _floors(placebo: Steered, rng: np.random.Generator, boilerplate: Sequence[str], alpha: float) -> dict[str, float]:
    _check(placebo)
    tests = {view.view: view.test for view in _views(placebo, _grid(placebo.runs), (), rng, boilerplate, alpha)}
    return {
        name: max(test.difference, test.upper_quantile)
        for name, test in tests.items()
        if test.difference is not None and test.upper_quantile is not None
    }


def _copied(runs: Sequence[SteeredRun], grid: _Grid, copies: Sequence[NearDuplicate]) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Return which pairs are near-duplicates, in the shape of the similarities."""
    shape = grid.places.shape
    at = {index: runs[int(number)] for index, number in np.ndenumerate(grid.places)}
    place = {(run.prompt, run.user, run.run): index for index, run in at.items()}
    masked = np.zeros((*shape, *shape[1:]), dtype=np.bool_)
    for copy in copies:
        one = place.get((copy.one.prompt, copy.one.user, copy.one.run))
        other = place.get((copy.other.prompt, copy.other.user, copy.other.run))
        if one is not None and other is not None:
            masked[(*one, *other[1:])] = masked[(*other, *one[1:])] = True
    return masked


def _by_user(alike: Array, users: Sequence[str]) -> tuple[UserAgreement, ...]:
    each = alike.shape[2]
    apart = ~np.eye(each, dtype=np.bool_)
    found = []
    for number, user in enumerate(users):
        others = [place for place in range(len(users)) if place != number]
        within, between = alike[:, number, :, number, :][:, apart], alike[:, number][:, :, others]
        found.append(UserAgreement(user, float(within.mean()), float(between.mean())))
    return tuple(found)


def _cosines(rows: Array) -> Array:
    centred = rows - rows.mean(axis=0)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = np.divide(centred, length, out=np.zeros_like(centred), where=length > 1e-12)
    found: Array = unit @ unit.T
    return found


def _favour_own(seeds: Sequence[tuple[SteeredRun, SteeredRun]], runs: Sequence[SteeredRun]) -> bool:
    """Return whether equal seeds are more frequent between two runs of a user than between runs of two users."""
    own = sum(one.user == other.user for one, other in seeds)
    by_prompt: dict[str, list[str]] = defaultdict(list)
    for run in runs:
        by_prompt[run.prompt].append(run.user)
    pairs = sum(len(users) * (len(users) - 1) // 2 for users in by_prompt.values())
    own_pairs = sum(users.count(user) * (users.count(user) - 1) // 2 for users in by_prompt.values() for user in set(users))
    return own * max(1, pairs - own_pairs) > (len(seeds) - own) * max(1, own_pairs)
