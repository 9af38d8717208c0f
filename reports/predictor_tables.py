"""The tables of predictors: one's own numbers, and the paper's in tables of their own."""

from collections.abc import Callable, Iterator, Sequence

from analysis.predictor_metrics import Estimate
from analysis.predictor_results import ModelScores, PredictorResults
from reports.tables import Column, Table, Value, count, percent


def share(number: float) -> str:
    """Return a correlation or a share with three decimals.

    >>> share(0.45137), share(-0.0251)
    ('0.451', '−0.025')
    """
    return f"{number:.3f}".replace("-", "\N{MINUS SIGN}")


def gain(number: float) -> str:
    """Return a difference of those, always with its sign.

    >>> gain(0.0213)
    '+0.021'
    """
    return f"{number:+.3f}".replace("-", "\N{MINUS SIGN}")


def own_tables(results: PredictorResults) -> dict[str, Table]:
    """Return the tables of one's own predictors by name; those without rows are left out."""
    made = (
        score_table(results.scores),
        difference_table(results.scores, results.baseline),
        image_table(results.scores),
        margin_table(results),
        ablation_table(results),
        few_shot_table(results),
        diverging_table(results),
        disagreement_table(results),
        coverage_table(results.scores),
    )
    return {table.name: table for table in made if table.rows}


def score_table(scores: Sequence[ModelScores]) -> Table:
    """Return Table 2: each model in each split, with intervals over users and who was left out."""
    columns = (
        Column("model", "Model"),
        Column("split", "Split"),
        Column("context", "Ratings seen", count),
        *_spread("srocc", "SROCC"),
        *_spread("plcc", "PLCC"),
        *_spread("accuracy", "Accuracy"),
        Column("users", "Users", count),
        Column("ratings", "Ratings", count),
        Column("draws", "Draws", count),
        Column("too_few", "Left out: few ratings", count),
        Column("constant", "Left out: one rating for all", count),
    )
    rows = (
        (
            *(one.model, one.split, one.context),
            *(*_parts(one.metrics.srocc), *_parts(one.metrics.plcc), *_parts(one.metrics.accuracy)),
            *(one.users, one.ratings, one.draws, one.too_few, one.constant),
        )
        for one in scores
    )
    return Table("predictor_scores", columns, tuple(rows))


def difference_table(scores: Sequence[ModelScores], baseline: str | None) -> Table:
    """Return how far each model is ahead of the baseline, paired within users."""
    columns = (
        Column("model", "Model"),
        Column("baseline", "less"),
        Column("split", "Split"),
        *_spread("srocc", "SROCC", gain),
        *_spread("plcc", "PLCC", gain),
        *_spread("accuracy", "Accuracy", gain),
        Column("users", "Users", count),
    )
    rows = (
        (
            *(one.model, baseline, one.split),
            *(*_parts(of.srocc), *_parts(of.plcc), *_parts(of.accuracy), of.srocc.users),
        )
        for one in scores
        if (of := one.difference)
    )
    return Table("predictor_differences", columns, tuple(rows))


def image_table(scores: Sequence[ModelScores]) -> Table:
    """Return how well mean predictions tell mean ratings (the paper's "Avg" columns), and over how many raters."""
    columns = (
        Column("model", "Model"),
        Column("split", "Split"),
        Column("srocc", "SROCC", share),
        Column("plcc", "PLCC", share),
        Column("accuracy", "Accuracy", share),
        Column("images", "Images", count),
        Column("raters", "Raters", count),
    )
    rows = ((one.model, one.split, of.srocc, of.plcc, of.accuracy, of.images, of.raters) for one in scores if (of := one.image_level))
    return Table("predictor_images", columns, tuple(rows))


def margin_table(results: PredictorResults) -> Table:
    """Return the accuracy by margin: as the mean over users (macro) with its interval, and over all pairs (micro)."""
    columns = (
        Column("model", "Model"),
        Column("split", "Split"),
        Column("margin", "Margin", lambda number: f"{number:g}"),
        *_spread("macro", "Mean over users"),
        Column("micro", "Over all pairs", share),
        Column("users", "Users", count),
    )
    rows = (
        (one.model, one.split, margin, *_parts(macro), micro.value if micro else None, macro.users)
        for one in results.scores
        for margin, macro, micro in zip(results.margins, one.macro, one.micro, strict=True)
        if macro
    )
    return Table("predictor_margins", columns, tuple(rows))


def ablation_table(results: PredictorResults) -> Table:
    """Return Table 3: inputs left out, on seen and unseen users, with the generalisation gap."""
    rows = tuple(
        (
            *(one.model, one.context),
            *(one.seen.srocc.value, one.seen.plcc.value, one.seen.accuracy.value),
            *(one.unseen.srocc.value, one.unseen.plcc.value, one.unseen.accuracy.value),
            *one.gaps,
        )
        for one in results.ablations
    )
    return Table("predictor_ablations", (Column("model", "Inputs"), Column("context", "Ratings seen", count), *SEEN_UNSEEN), rows)


def few_shot_table(results: PredictorResults) -> Table:
    """Return Table 4: new people by how many of their ratings were seen, and for the paper's model by how they were matched."""
    columns = (
        Column("model", "Model"),
        Column("split", "Split"),
        Column("context", "Ratings seen", count),
        Column("neighbours", "K", count),
        Column("temperature", "τ", lambda number: f"{number:g}"),
        *_spread("srocc", "SROCC"),
        Column("plcc", "PLCC", share),
        Column("accuracy", "Accuracy", share),
        Column("draw_sd", "SD of draws", share),
        Column("draws", "Draws", count),
        Column("entropy", "Entropy of weights", share),
        Column("uniform", "of equal weights", share),
    )
    rows = (
        (
            *(one.model, one.split, one.context),
            *((one.cell.neighbours, one.cell.temperature) if one.cell else (None, None)),
            *(*_parts(one.metrics.srocc), one.metrics.plcc.value, one.metrics.accuracy.value),
            *(one.draw_sd, one.draws, one.entropy, one.uniform),
        )
        for one in results.few_shot
    )
    return Table("predictor_few_shot", columns, tuple(rows))


def diverging_table(results: PredictorResults) -> Table:
    """Return how models do where two people order two images oppositely, with all three ways to count such pairs."""
    columns = (
        Column("model", "Model"),
        Column("split", "Split"),
        *_spread("decision", "Decisions right", percent),
        *_spread("joint", "Both right", percent),
        Column("quadruples", "User pairs × image pairs", count),
        Column("image_pairs", "Image pairs", count),
        Column("decisions", "Decisions", count),
        Column("users", "Users", count),
    )
    rows = (
        (
            *(one.model, one.split),
            *(found.decision, *(found.decision_interval or (None, None)), found.joint, *(found.joint_interval or (None, None))),
            *(found.quadruples, found.image_pairs, found.decisions, found.users),
        )
        for one in results.diverging
        if (found := one.found).quadruples
    )
    return Table("predictor_diverging", columns, tuple(rows))


def disagreement_table(results: PredictorResults) -> Table:
    """Return the pictured pairs in numbers."""
    columns = (
        Column("pair", "Pair"),
        Column("user", "User"),
        Column("image_a", "Image A"),
        Column("image_b", "Image B"),
        Column("rating_a", "Rated A", share),
        Column("rating_b", "Rated B", share),
        Column("prediction_a", "Predicted A", share),
        Column("prediction_b", "Predicted B", share),
    )
    rows = tuple(
        (str(place), said.user, *one.images, *said.ratings, *said.predictions)
        for place, one in enumerate(results.disagreements, start=1)
        for said in one.opinions
    )
    return Table("predictor_disagreements", columns, rows)


def coverage_table(scores: Sequence[ModelScores]) -> Table:
    """Return how often the intervals of models that have them hold a rating."""
    levels = sorted({held.level for one in scores for held in one.coverage})
    columns = (
        Column("model", "Model"),
        Column("split", "Split"),
        *(Column(f"held_{100 * level:g}", f"{100 * level:g}\N{NO-BREAK SPACE}% intervals", percent) for level in levels),
    )
    rows: Iterator[tuple[Value, ...]] = ((one.model, one.split, *(held.share for held in one.coverage)) for one in scores if one.coverage)
    return Table("predictor_coverage", columns, tuple(rows))


SEEN_UNSEEN = (
    Column("seen_srocc", "Seen SROCC", share),
    Column("seen_plcc", "Seen PLCC", share),
    Column("seen_accuracy", "Seen accuracy", share),
    Column("unseen_srocc", "Unseen SROCC", share),
    Column("unseen_plcc", "Unseen PLCC", share),
    Column("unseen_accuracy", "Unseen accuracy", share),
    Column("gap_srocc", "Gap SROCC", gain),
    Column("gap_plcc", "Gap PLCC", gain),
    Column("gap_accuracy", "Gap accuracy", gain),
)


def _spread(name: str, heading: str, show: Callable[[int | float], str] = share) -> tuple[Column, Column, Column]:
    """Return the columns of a value and its interval."""
    return Column(name, heading, show), Column(f"{name}_low", "from", show), Column(f"{name}_high", "to", show)


def _parts(one: Estimate) -> tuple[Value, Value, Value]:
    return one.value, one.low, one.high
