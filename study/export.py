"""Writes the votes of the running study as votes.parquet, the hand-over to the analysis."""

from shlex import quote
from typing import cast

from stimuli.experiment import Experiment, ExperimentError, require
from study.database import open_database
from study.tables import VoteRow
from study.votes import Choice, Vote, write_votes


def run(experiment: Experiment) -> list[Vote]:
    """Write every answered comparison to the experiment's votes.parquet, and return the votes; the study may go on meanwhile.

    Raises:
        ExperimentError: there is no study yet, or nobody has answered a comparison.
    """
    database = open_database(require(experiment.database, made_by=f"tastebench study serve {quote(str(experiment.folder))}"))
    with database.reading() as rows:
        votes = [_vote(row) for row in rows.votes()]
    database.close()
    if not votes:
        raise ExperimentError(f"{experiment.database}: nobody has answered a comparison yet, so there are no votes to export")
    write_votes(experiment.votes, votes)
    return votes


def _vote(row: VoteRow) -> Vote:
    return Vote(
        trial=f"{row.participant}/{row.position}",
        participant=row.participant,
        target_user=row.target_user,
        position=row.position,
        prompt=row.prompt,
        left_stimulus=row.left_stimulus,
        right_stimulus=row.right_stimulus,
        left_condition=row.left_condition,
        right_condition=row.right_condition,
        left_target=row.left_target,
        right_target=row.right_target,
        choice=cast("Choice", row.choice),
        response_ms=row.response_ms,
        answered_at=row.answered_at.isoformat(timespec="milliseconds"),
        simulated=row.simulated,
    )
