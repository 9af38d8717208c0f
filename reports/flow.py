"""The flow of participants: who came, who consented, who answered, whose votes are analysed, and why others are not among them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.results import Results
from reports.tables import Column, Table, count
from study.votes import Participant


@dataclass(frozen=True)
class Left:
    """Those who do not come to the next stage, and why; `votes` are theirs, where votes are counted."""

    why: str
    participants: int
    votes: int | None = None


@dataclass(frozen=True)
class Stage:
    """How many came to a stage, with how many votes where there are any, and who did not come further. `note` is about the stage."""

    what: str
    participants: int | None
    votes: int | None = None
    note: str = ""
    left: tuple[Left, ...] = ()


def flow(people: Sequence[Participant], results: Results | None) -> tuple[Stage, ...]:
    """Return the stages, the first to come first; nothing where neither participants nor exclusions were recorded."""
    before, after = _recruited(people), _analysed(results) if results else ()
    if before and after and before[-1].participants == after[0].participants:
        # Both count those who answered: the first knows how far they came, the second with how many votes.
        joint = Stage(before[-1].what, after[0].participants, after[0].votes, before[-1].note, after[0].left)
        return (*before[:-1], joint, *after[1:])
    return (*before, *after)


def flow_table(stages: Sequence[Stage]) -> Table:
    """Return the flow with a row for each stage and one for each reason to leave between two."""
    columns = (
        Column("stage", "Stage"),
        Column("participants", "Participants", count),
        Column("votes", "Votes", count),
        Column("note", "Of them"),
    )
    rows: list[tuple[str, int | None, int | None, str]] = []
    for stage in stages:
        rows.append((stage.what, stage.participants, stage.votes, stage.note))
        rows += [(f"not further: {left.why}", left.participants, left.votes, "") for left in stage.left]
    return Table("participants", columns, tuple(rows), "Participants at every stage, and why some did not come to the next")


def set_aside(stage: Mapping[str, Any]) -> bool:
    """Return whether a stage of the analysis takes out a kind of trial that enters no score, and is no exclusion rule."""
    return str(stage["what"]).endswith("set aside")


def _recruited(people: Sequence[Participant]) -> tuple[Stage, ...]:
    """Return the stages that the study itself records, up to those who answered something."""
    if not people:
        return ()
    ended = Counter(person.status for person in people)
    consented = [person for person in people if person.consented_at]
    answered = [person for person in consented if person.answered]
    silent = Counter(person.status for person in consented if not person.answered)
    finished = sum(person.status == "finished" for person in answered)
    gone = len(people) - len(consented) - ended["declined"]
    return (
        Stage("opened the study", len(people), left=_those(("did not consent", ended["declined"]), ("left before consenting", gone))),
        Stage(
            "consented",
            len(consented),
            left=_those(
                ("screened out by a question", silent["screened out"]),
                ("found the study full", silent["full"]),
                ("left before the first answer", len(consented) - len(answered) - silent["screened out"] - silent["full"]),
            ),
        ),
        Stage("answered", len(answered), note=_how_far(finished, len(answered))),
    )


def _analysed(results: Results) -> tuple[Stage, ...]:
    """Return the stages that the analysis records, from the answers on."""
    recorded, counts = results.further.get("exclusions") or [], results.counts
    if not recorded:
        return ()
    first, last = recorded[0], recorded[-1]
    # A rule that met nobody stands here too: that it was there is part of what was done.
    left = [
        Left(stage["what"], len(stage["excluded"]), stage["votes_dropped"])
        for stage in recorded[1:]
        if stage["votes_dropped"] or not set_aside(stage)
    ]
    kept = counts.votes + counts.same_condition
    if counts.same_condition:
        left.append(Left("votes between two images of one condition, which say nothing about scores", 0, counts.same_condition))
    if counts.left_out and last["votes"] > kept:
        left.append(Left(f"votes about {', '.join(counts.left_out)}, left out on request", 0, last["votes"] - kept))
    people = last["participants"] if counts.participants is None else counts.participants
    if people < last["participants"]:
        left.append(Left("no vote of theirs compares two conditions", last["participants"] - people, 0))
    return (
        Stage("answered", first["participants"], first["votes"], left=tuple(left)),
        Stage("analysed", people, counts.votes),
    )


def _those(*left: tuple[str, int]) -> tuple[Left, ...]:
    return tuple(Left(why, number) for why, number in left if number)


def _how_far(finished: int, answered: int) -> str:
    if finished == answered:
        return f"all {finished:,} finished"
    return f"{finished:,} finished; {answered - finished:,} left before the end, and what they answered counts"
