"""Writes what participants gave: votes.parquet or ratings.parquet, and participants.parquet, the hand-overs to later rooms."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shlex import quote
from typing import cast

from stimuli.experiment import Experiment, ExperimentError
from study.rated import GivenRating, write_ratings
from study.storage.existing import open_existing, study_in
from study.storage.records import ParticipantRow, RatingRow, StudyKind, VoteRow
from study.storage.rows import Rows
from study.votes import Choice, Participant, Vote, VoteKind, write_participants, write_votes


@dataclass(frozen=True)
class Exported:
    """What was written where; of `votes` and `ratings` one is empty, by the kind of study."""

    answers_file: Path
    participants_file: Path
    votes: tuple[Vote, ...]
    ratings: tuple[GivenRating, ...]
    participants: tuple[Participant, ...]


def run(experiment: Experiment, *, url: str | Path, kind: StudyKind) -> Exported:
    """Write every answered trial of the study at `url` but practice, and a row for each participant; it may go on meanwhile.

    Participants stand under the ids they have in the study, which for people from a panel are pseudonyms.

    Raises:
        ExperimentError: there is no study yet, it is of the other kind, or nobody has answered anything.
    """
    made_by = f"tastebench study serve{' --rating' if kind == 'rating' else ''} {quote(str(experiment.folder))}"
    database = open_existing(url, made_by=made_by)
    try:
        with database.reading() as rows:
            study_in(rows, place=database.place, made_by=made_by, kind=kind)
            votes = tuple(_vote(row) for row in rows.votes()) if kind == "comparison" else ()
            ratings = tuple(_rating(row) for row in rows.ratings()) if kind == "rating" else ()
            answered = Counter(vote.participant for vote in votes) + Counter(rating.participant for rating in ratings)
            participants = tuple(_participants(rows, answered))
    finally:
        database.close()
    if not votes and not ratings:
        asked = "answered a comparison" if kind == "comparison" else "rated an image"
        raise ExperimentError(f"{database.place}: nobody has {asked} yet, so there is nothing to export")
    return _write(experiment, votes, ratings, participants)


def _write(
    experiment: Experiment, votes: tuple[Vote, ...], ratings: tuple[GivenRating, ...], participants: tuple[Participant, ...]
) -> Exported:
    if ratings:
        written = Exported(experiment.rated, experiment.rating_participants, votes, ratings, participants)
        write_ratings(written.answers_file, ratings)
    else:
        written = Exported(experiment.votes, experiment.participants, votes, ratings, participants)
        write_votes(written.answers_file, votes)
    write_participants(written.participants_file, participants)
    return written


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
        answered_at=_written(row.answered_at),
        simulated=row.simulated,
        kind=cast("VoteKind", row.kind),
        expected=cast("Choice | None", row.expected),
        block=row.block,
        device=row.device,
        blurs=row.blurs,
        viewport=row.viewport,
    )


def _rating(row: RatingRow) -> GivenRating:
    return GivenRating(
        trial=f"{row.participant}/{row.position}",
        participant=row.participant,
        position=row.position,
        image=row.image,
        prompt=row.prompt,
        rating=row.rating,
        repeat=row.kind == "repeat",
        response_ms=row.response_ms,
        rated_at=_written(row.answered_at),
        device=row.device,
        blurs=row.blurs,
        viewport=row.viewport,
        simulated=row.simulated,
    )


def _participants(rows: Rows, answered: Counter[str]) -> list[Participant]:
    replies = rows.all_replies()
    return [_participant(person, answered[person.id], replies.get(person.id, {})) for person in rows.people()]


def _participant(person: ParticipantRow, answered: int, replies: dict[str, str]) -> Participant:
    return Participant(
        participant=person.id,
        target_user=person.target_user,
        simulated=person.simulated,
        status=person.ended or "unfinished",
        slot=person.slot,
        consented_at=_written(person.consented_at) if person.consented_at else None,
        finished_at=_written(person.ended_at) if person.ended == "finished" and person.ended_at else None,
        answered=answered,
        replies=json.dumps(replies, ensure_ascii=False, sort_keys=True),
    )


def _written(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
