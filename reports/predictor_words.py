"""What the report says of predictors in words: how far their numbers reach, and what was a stand-in."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.predictor_results import ModelScores, Opinion, PredictorResults
from reports import published
from stimuli.manifest import StandIn


@dataclass(frozen=True)
class PredictorWords:
    """The sentences of the section, and the headings of the paper's own blocks."""

    lead: tuple[str, ...]
    warning: str | None
    stand_ins: tuple[StandIn, ...] | None
    left_out: tuple[str, ...]
    interval: str
    examples: str
    labels: dict[str, str]


def predictor_words(results: PredictorResults) -> PredictorWords:
    """Return what the section says beside its figures and tables."""
    return PredictorWords(
        lead=tuple(_lead(split, results) for split in _splits(results.scores)),
        warning=_warning(results),
        stand_ins=results.stand_ins,
        left_out=(*(sentence for split in _splits(results.scores) if (sentence := _left_out(split, results.scores))), *_again(results)),
        interval=f"{100 * (1 - results.alpha):g} % intervals from {results.resamples:,} draws of the users",
        examples=_examples(results),
        labels={
            "models": published.label("Table 2"),
            "ablations": published.label("Table 3"),
            "few_shot": published.label("Table 4"),
            "diverging": published.label("section 7.1"),
        },
    )


def _splits(scores: Sequence[ModelScores]) -> list[str]:
    return list(dict.fromkeys(one.split for one in scores))


def _lead(split: str, results: PredictorResults) -> str:
    """Return who is ahead in a split, and whether its difference to the baseline is told from none."""
    here = [one for one in results.scores if one.split == split]
    best = here[0]
    shown = f" after {best.context} ratings of each person" if best.context else ""
    first = (
        f"In {split}{shown}, {best.model} has the highest mean rank correlation with a person’s own ratings: "
        f"{best.metrics.srocc.value:.3f} over {best.users} {'person' if best.users == 1 else 'people'}."
    )
    if not best.difference:
        return first
    ahead = best.difference.srocc
    kind = "The interval lies above zero" if ahead.low > 0 else "The interval holds zero, so the data leave open which is better"
    difference = f"{_gain(ahead.value)} ({_gain(ahead.low)} to {_gain(ahead.high)}, paired within people)"
    return f"{first} Its difference to {results.baseline} is {difference}. {kind}."


def _gain(number: float) -> str:
    return f"{number:+.3f}".replace("-", "\N{MINUS SIGN}")


def _warning(results: PredictorResults) -> str | None:
    """Return what keeps these numbers from being findings; None where nothing does."""
    if results.simulated is None:
        return "Not recorded: whether people gave these ratings, and what was a stand-in when the predictions were made."
    if results.simulated:
        return "The ratings are by simulated raters: programs whose tastes are known. These numbers are no finding about people."
    return None


def _left_out(split: str, scores: Sequence[ModelScores]) -> str | None:
    one = next(one for one in scores if one.split == split)
    parts = []
    if one.too_few:
        parts.append(f"{one.too_few} with fewer than five ratings")
    if one.constant:
        parts.append(f"{one.constant} who gave the same rating to all images")
    return f"Left out in {split}: {' and '.join(parts)}." if parts else None


def _again(results: PredictorResults) -> tuple[str, ...]:
    """Return why ratings are missing that the predictor was shown; nothing where none is."""
    number = results.rated_again
    return (f"Left out: {number:,} held-out ratings that the predictor knew from the rating study.",) if number else ()


def _examples(results: PredictorResults) -> str:
    """Return where the pictured disagreements come from, and how many the model ordered right for both."""
    shown = results.disagreements
    if not shown:
        return ""
    right = sum(all(_same_order(said) for said in one.opinions) for one in shown)
    told = f"both orders are predicted right in {right} of these {len(shown)} pairs"
    return f"Ratings in {shown[0].split}, predictions by {shown[0].model}; {told}."


def _same_order(said: Opinion) -> bool:
    """Return whether the predictions order the two images as the ratings do; equal predictions do not."""
    return (said.ratings[0] - said.ratings[1]) * (said.predictions[0] - said.predictions[1]) > 0
