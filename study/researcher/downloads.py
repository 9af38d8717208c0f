"""What the researcher's page lets download: everything once outcomes may be seen, before that only who took part and when."""

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from stimuli.experiment import Experiment
from study.storage.records import RatingRow, StudyKind, VoteRow
from study.storage.rows import Rows

_PERSON = ("participant", "simulated", "status", "consented_at", "begun_at", "last_seen_at", "ended_at", "answered", "replies")
_ANSWER = ("participant", "simulated", "position", "kind", "response_ms", "device", "blurs", "viewport", "answered_at")


def everything(url: str, kind: StudyKind) -> bytes:
    """Return a zip of what `tastebench study export` writes: each answer with its images and conditions, and each participant.

    Raises:
        ExperimentError: nobody has answered anything yet.
    """
    # The table library is large, and most visits of the page need no file.
    from study.storage import export

    with TemporaryDirectory() as folder:
        written = export.run(Experiment(Path(folder)), url=url, kind=kind)
        return _zip({path.name: path.read_bytes() for path in (written.answers_file, written.participants_file)})


def without_outcomes(rows: Rows, kind: StudyKind) -> bytes:
    """Return a zip of two tables: each participant's way, and when and how fast each answer came; no image, condition or choice."""
    people = [
        {
            "participant": each.participant.id,
            "simulated": each.participant.simulated,
            "status": each.participant.ended or "unfinished",
            "consented_at": _time(each.participant.consented_at),
            "begun_at": _time(each.participant.begun_at),
            "last_seen_at": _time(each.participant.seen_at),
            "ended_at": _time(each.participant.ended_at),
            "answered": each.answered,
            "replies": json.dumps(each.replies, ensure_ascii=False, sort_keys=True),
        }
        for each in rows.standings()
    ]
    given: Sequence[VoteRow | RatingRow] = rows.votes() if kind == "comparison" else rows.ratings()
    answers = [{name: getattr(row, name) for name in _ANSWER} | {"answered_at": _time(row.answered_at)} for row in given]
    return _zip({"participants.csv": _table(_PERSON, people), "times.csv": _table(_ANSWER, answers)})


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(row[name]) for name in columns] for row in rows)
    return text.getvalue().encode()


def _cell(value: object) -> object:
    # A spreadsheet would run a text that begins like a formula, and participants may write what they like.
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _time(at: datetime | None) -> str:
    return at.isoformat(timespec="milliseconds") if at else ""


def _zip(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()
