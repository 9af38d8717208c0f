"""What can make steering runs look alike without any taste behind it: copied text, cut-off prompts, equal seeds, common keywords."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from analysis.added_words import BOILERPLATE, FUNCTION_WORDS, added_words, jaccard, stem, words

LONGEST_RUN, LARGEST_JACCARD = 12, 0.7


@dataclass(frozen=True)
class SteeredRun:
    """The outcome of one steering run: the prompt it ended with for one user and one base prompt. `seed` is that of its image."""

    user: str
    prompt: str
    run: int
    base_prompt: str
    final_prompt: str
    seed: int | None = None


@dataclass(frozen=True)
class NearDuplicate:
    """Two final prompts that are nearly copies: `shared_run` words in a row of which `beyond_base` are not the base prompt's."""

    one: SteeredRun
    other: SteeredRun
    shared_run: int
    beyond_base: int
    jaccard: float


@dataclass(frozen=True)
class KeywordClaim:
    """Whether keywords mark a user's runs: `exclusive` when all runs of the user have them and no run of another does."""

    user: str
    prompt: str
    keywords: str
    in_own: int
    own_runs: int
    in_others: int
    other_runs: int

    @property
    def exclusive(self) -> bool:
        """Whether the keywords are in every run of the user, at least two, and in no run of another."""
        return self.own_runs > 1 and self.in_own == self.own_runs and self.in_others == 0


def shared_run(one: Sequence[str], other: Sequence[str], *, base: Sequence[str] = ()) -> tuple[int, int]:
    """Return how long the longest common run of words is, and how much of a common run at most is not a stretch of `base`."""
    runs = [one[end - length : end] for end, length in _common_runs(one, other)]
    longest = max((len(run) for run in runs), default=0)
    beyond = max((len(run) - max((length for _, length in _common_runs(run, base)), default=0) for run in runs), default=0)
    return longest, beyond


def near_duplicates(runs: Sequence[SteeredRun], *, boilerplate: Sequence[str] = BOILERPLATE) -> tuple[NearDuplicate, ...]:
    """Return each two runs at one base prompt that share more than 12 words in a row beyond it, or have Jaccard above .7."""
    told = {run: words(run.final_prompt) for run in runs}
    added = {run: added_words(run.final_prompt, base=run.base_prompt, boilerplate=boilerplate) for run in runs}
    found = []
    for one, other in _pairs(runs):
        length, beyond = shared_run(told[one], told[other], base=words(one.base_prompt))
        alike = jaccard(added[one], added[other])
        if beyond > LONGEST_RUN or alike > LARGEST_JACCARD:
            found.append(NearDuplicate(one, other, length, beyond, alike))
    return tuple(found)


def is_truncated(prompt: str) -> bool:
    """Return whether a prompt seems cut off: it stops at a word or a mark that must go on.

    >>> is_truncated("A lighthouse at dusk, with the"), is_truncated("A lighthouse at dusk")
    (True, False)
    """
    told = words(prompt)
    end = prompt.rstrip()[-1:]
    return not told or end in ",;:-–—([&/" or (end.isalnum() and told[-1] in FUNCTION_WORDS)


def equal_seeds(runs: Sequence[SteeredRun]) -> tuple[tuple[SteeredRun, SteeredRun], ...]:
    """Return each two runs at one base prompt whose images grew from the same noise, which makes images alike by itself."""
    return tuple((one, other) for one, other in _pairs(runs) if one.seed is not None and one.seed == other.seed)


def keyword_claim(runs: Sequence[SteeredRun], *, user: str, prompt: str, keywords: str) -> KeywordClaim:
    """Return in how many runs of a user, and of the others, at one base prompt all of `keywords` occur (by their stems)."""
    wanted = {stem(word) for word in words(keywords) if word not in FUNCTION_WORDS}
    here = [run for run in runs if run.prompt == prompt]
    has = {run: wanted <= {stem(word) for word in words(run.final_prompt)} for run in here}
    own, others = [has[run] for run in here if run.user == user], [has[run] for run in here if run.user != user]
    return KeywordClaim(user, prompt, keywords, sum(own), len(own), sum(others), len(others))


def exclusive_keywords(runs: Sequence[SteeredRun], *, boilerplate: Sequence[str] = BOILERPLATE) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return, for each (user, prompt), the stems of added words that are in all runs of the user and in no run of another."""
    added = {run: added_words(run.final_prompt, base=run.base_prompt, boilerplate=boilerplate) for run in runs}
    found = {}
    for user, prompt in sorted({(run.user, run.prompt) for run in runs}):
        here = [run for run in runs if run.prompt == prompt]
        own = [added[run] for run in here if run.user == user]
        others = frozenset().union(*(added[run] for run in here if run.user != user))
        found[user, prompt] = tuple(sorted(frozenset.intersection(*own) - others)) if len(own) > 1 else ()
    return found


def _pairs(runs: Sequence[SteeredRun]) -> Iterator[tuple[SteeredRun, SteeredRun]]:
    ordered = sorted(runs, key=lambda run: (run.prompt, run.user, run.run))
    return ((one, other) for one, other in combinations(ordered, 2) if one.prompt == other.prompt)


def _common_runs(one: Sequence[str], other: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the end (in `one`) and the length of each common run of words that goes on no further."""
    places: dict[str, list[int]] = {}
    for place, word in enumerate(other):
        places.setdefault(word, []).append(place)
    open_: dict[int, int] = {}
    for end, word in enumerate(one):
        longer = {place: open_.get(place - 1, 0) + 1 for place in places.get(word, ())}
        yield from ((end, length) for place, length in open_.items() if place + 1 not in longer)
        open_ = longer
    yield from ((len(one), length) for length in open_.values())
