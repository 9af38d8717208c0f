"""The offline rewriter: it keeps the base prompt word for word and adds, changes or drops phrases of a fixed vocabulary after it."""

from collections.abc import Mapping, Sequence

import numpy as np

from stimuli.rewriters import Ask, RewriterSpec, Written
from stimuli.vocabulary import AXES

Look = Mapping[str, str]  # The phrase chosen on each axis; axes without one are absent.


class Vocabulary:
    """A stand-in for a language model: a random walk over looks, starting from the best prompt so far."""

    spec = RewriterSpec(name="vocabulary", version="1", stand_in=True)

    def write(self, asks: Sequence[Ask]) -> list[Written]:
        """Return numbered lines for each, every one the base prompt with another look; all differ where the vocabulary allows."""
        return [Written(_lines(ask)) for ask in asks]


def _lines(ask: Ask) -> str:
    rng = np.random.default_rng(ask.seed)
    best = max(ask.history, key=lambda tried: tried.score).prompt if ask.history else ask.base_prompt
    start = look_of(ask.base_prompt, best)
    known = {tried.prompt for tried in ask.history}
    lines: list[str] = []
    for _ in range(20 * ask.number):
        prompt = dressed(ask.base_prompt, _moved(start, rng))
        if prompt not in known:
            known.add(prompt)
            lines.append(f"{len(lines) + 1}. {prompt}")
        if len(lines) == ask.number:
            break
    return "\n".join(lines)


def dressed(base_prompt: str, look: Look) -> str:
    """Return the base prompt, word for word, followed by the phrases of a look.

    >>> dressed("A cat.", {"light": "moonlight", "camera": "close-up"})
    'A cat. Moonlight, close-up.'
    >>> dressed("a cat", {"light": "moonlight"})
    'a cat, moonlight'
    """
    phrases = ", ".join(look[axis] for axis in AXES if axis in look)
    if not phrases:
        return base_prompt
    if base_prompt.rstrip().endswith((".", "!", "?")):
        return f"{base_prompt} {phrases[0].upper()}{phrases[1:]}."
    return f"{base_prompt}, {phrases}"


def look_of(base_prompt: str, prompt: str) -> dict[str, str]:
    """Return the look that `dressed` gave a prompt; words that are none of ours are no part of it."""
    after = prompt.removeprefix(base_prompt).strip(" .,").casefold()
    phrases = {phrase.strip() for phrase in after.split(",")}
    return {axis: phrase for axis, known in AXES.items() for phrase in known if phrase in phrases}


def _moved(look: Look, rng: np.random.Generator) -> dict[str, str]:
    """Return a look that differs from `look` on one to three axes: mostly a phrase added or changed, sometimes one dropped."""
    moved = dict(look)
    axes = list(AXES)
    for index in rng.choice(len(axes), size=int(rng.integers(1, 4)), replace=False):
        axis = axes[int(index)]
        others = [phrase for phrase in AXES[axis] if phrase != look.get(axis)]
        if axis in moved and rng.random() < 0.3:
            del moved[axis]
        else:
            moved[axis] = others[int(rng.integers(len(others)))]
    return moved
