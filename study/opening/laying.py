"""Lays a study out in its database: a copy of its settings and images, so that nothing edited later changes what people see."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from shlex import quote

from stimuli.experiment import Experiment, ExperimentError
from study.catalogue import texts
from study.config import RatingTable, StudySettings, StudyTable
from study.design.pairs import contrasts_of
from study.design.schedule import rating_schedule_for, schedule_for
from study.opening.changes import changes, going_on
from study.opening.images import Shown, check_reviewed, images_of, pictures
from study.recruitment.secret import secret_of
from study.session import Chooser, Session, now
from study.session.running import Held, chooser_for, read, session_of, written
from study.storage.database import Database, open_database
from study.storage.records import StimulusRow, StudyKind, StudyRow


def open_study(
    experiment: Experiment,
    settings: StudySettings,
    *,
    kind: StudyKind = "comparison",
    url: str | Path | None = None,
    unreviewed: bool = False,
    people: bool = True,
    chooser: Chooser | None = None,
) -> Session:
    """Return the experiment's comparison or rating study, ready for participants, in the database at `url` (or its own SQLite file).

    While nothing is answered, changed images or settings simply replace the study. Later only what no answer depends on may
    change, such as how many places there are. Where `people` are to come, somebody must have looked through the images,
    unless [study], [rating] or `unreviewed` says otherwise.

    Raises:
        ExperimentError: there are no images; one is missing, damaged, not reviewed, or of another size than the others of its
            prompt; no schedule can be made; or the database holds another study, or votes given under other settings.
    """
    held, images = _held(experiment, settings, kind), images_of(experiment, settings.study if kind == "comparison" else settings.rating)
    wanted = StudyRow(kind, json.loads(json.dumps(written(held))), _digest(images), created_at=now())
    _check_schedule(held, images)
    if people and not unreviewed and not held.table.unreviewed:
        check_reviewed(experiment, images)
    database = open_database(url if url is not None else experiment.database if kind == "comparison" else experiment.rating_database)
    try:
        _settle(experiment, database, wanted, held, images)
        with database.reading() as rows:
            study = rows.study()
        if study is None:
            raise ExperimentError(f"{database.place}: somebody emptied it meanwhile; run this again")
        return session_of(database, kind, read(study), chooser=chooser or chooser_for(held))
    except BaseException:
        database.close()
        raise


def _held(experiment: Experiment, settings: StudySettings, kind: StudyKind) -> Held:
    # The experiment's title says what it hopes to find, so the study does not even hold it.
    table: StudyTable | RatingTable = settings.study if kind == "comparison" else settings.rating
    words = texts(table.language, folder=experiment.folder)
    own = {"question": table.question, "consent": table.consent, "instructions": table.instructions, "thanks": table.thanks}
    return Held(
        seed=settings.experiment.seed,
        table=table,
        questions=tuple(settings.question),
        texts=words | {key: text if text is not None else words[f"{kind}_{key}"] for key, text in own.items()},
        secret=secret_of(experiment),
        contrasts=contrasts_of(settings.claim) if isinstance(table, StudyTable) and table.pairs == "claims" else None,
        folder=experiment.folder.resolve(),
    )


def _digest(images: Sequence[Shown]) -> str:
    rows = sorted(json.dumps(asdict(shown.row)) for shown in images)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def _check_schedule(held: Held, images: Sequence[Shown]) -> None:
    """Refuse now, not when the first participant comes, whatever no schedule can be made of."""
    if isinstance(held.table, StudyTable):
        _check_comparison(held, held.table, [shown.row for shown in images])
    else:
        rating_schedule_for(0, [(shown.row.stimulus, shown.row.prompt) for shown in images], seed=held.seed, table=held.table)


def _check_comparison(held: Held, table: StudyTable, stimuli: Sequence[StimulusRow]) -> None:
    """Raise where there is nothing to compare for anybody: neither for a stranger nor for any of the target users."""
    problems = []
    for who in (None, *sorted({row.target_user for row in stimuli if row.target_user})):
        try:
            schedule_for(0, stimuli, seed=held.seed, table=table, contrasts=held.contrasts, target_user=who)
        except ExperimentError as problem:
            problems.append(problem)
        else:
            return
    raise problems[0]


def _settle(experiment: Experiment, database: Database, wanted: StudyRow, held: Held, images: Sequence[Shown]) -> None:
    """Make the database hold just this study; one with votes of another is refused."""
    with database.reading() as rows:
        there, votes = rows.study(), rows.count_votes()
    if there is not None and there.kind != wanted.kind:
        raise ExperimentError(
            f"{database.place}: holds a {there.kind} study, and one database holds one study; give another for the {wanted.kind} "
            "study with --database"
        )
    changed = [] if there is None else changes(there, wanted)
    if changed and votes:
        raise ExperimentError(_refusal(experiment, database, wanted, votes, changed))
    if there is None or changed:
        _lay_out(database, wanted, images)
    else:
        with database.writing() as rows:
            rows.set_settings(going_on(there, held) if votes else wanted.settings)


def _refusal(experiment: Experiment, database: Database, wanted: StudyRow, votes: int, changed: Sequence[str]) -> str:
    option, written = (" --rating", experiment.rated) if wanted.kind == "rating" else ("", experiment.votes)
    return (
        f"{database.place} holds {votes} {'answer' if votes == 1 else 'answers'} given before {' and '.join(changed)} changed, and "
        "answers of two studies are never mixed. Either undo the change, or close the old study: "
        f"`tastebench study export{option} {quote(str(experiment.folder))}`, then move {database.place} and {written.name} to another "
        "place, and run this again"
    )


def _lay_out(database: Database, wanted: StudyRow, images: Sequence[Shown]) -> None:
    made = pictures(images, same_size=wanted.kind == "comparison")
    with database.writing() as rows:
        # What is stored from here on would go with the old study, although its participant was told that it is kept.
        rows.hold_answers()
        if rows.count_votes():
            raise ExperimentError(f"{database.place} just received answers; run this again")
        rows.lay_out(wanted, made, [shown.row for shown in images])
