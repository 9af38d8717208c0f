"""What results.json tells about independent runs of steering: how alike they end, and which words mark a user's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

RUNS = "runs"


@dataclass(frozen=True)
class UserRuns:
    """The mean similarity of a user's runs to each other (`within`) and to those of other users (`between`) at the same base prompt."""

    user: str
    within: float
    between: float


@dataclass(frozen=True)
class RunsView:
    """One way to see how alike runs are. `difference` is the mean within users less that between users.

    `relabelled` are quantiles, at even steps from the least to the most, of the differences when runs are given to users at
    random. `p_value` and `smallest_p` are of that test, None where there is none; `floor` is what a placebo's runs reach.
    """

    view: str
    users: tuple[UserRuns, ...]
    difference: float | None
    relabelled: tuple[float, ...]
    p_value: float | None
    smallest_p: float
    floor: float | None
    not_testable: str | None


@dataclass(frozen=True)
class ExclusiveWords:
    """The stems of the added words that all runs of a user at a base prompt have, and no run of another user there."""

    user: str
    prompt: str
    stems: tuple[str, ...]


@dataclass(frozen=True)
class RunsRecord:
    """The runs of one condition. `near_duplicates`, `truncated` and `equal_seeds` count what can feign an agreement.

    `prompts` were compared; `dropped_prompts` lack two runs of some user.
    """

    condition: str
    prompts: tuple[str, ...]
    dropped_prompts: tuple[str, ...]
    runs_each: int
    views: tuple[RunsView, ...]
    exclusive: tuple[ExclusiveWords, ...]
    near_duplicates: int
    truncated: int
    equal_seeds: int
    seeds_favour_own: bool
    not_testable: str | None

    def words_of(self, user: str, prompt: str) -> tuple[str, ...]:
        """Return the stems that mark this user's runs at this base prompt; none where nothing does."""
        return next((one.stems for one in self.exclusive if (one.user, one.prompt) == (user, prompt)), ())


def read_runs(further: Mapping[str, Any]) -> tuple[RunsRecord, ...]:
    """Return the records in the further findings of a results.json, one a condition; none in results that have none.

    Raises:
        TypeError, KeyError: they are not of this version.
    """
    return tuple(_record(entry) for entry in further.get(RUNS) or ())


def _record(entry: Mapping[str, Any]) -> RunsRecord:
    whole = dict(entry)
    whole["views"] = tuple(_view(view) for view in entry["views"])
    whole["exclusive"] = tuple(ExclusiveWords(one["user"], one["prompt"], tuple(one["stems"])) for one in entry["exclusive"])
    whole |= {name: tuple(entry[name]) for name in ("prompts", "dropped_prompts")}
    return RunsRecord(**whole)


def _view(entry: Mapping[str, Any]) -> RunsView:
    users = tuple(UserRuns(**user) for user in entry["users"])
    return RunsView(**(dict(entry) | {"users": users, "relabelled": tuple(entry["relabelled"])}))
