"""Who took part: how many at each stage, how they came, whether they were people, and when they answered."""

from reports.flow import Left, Stage, flow
from reports.material import Material
from reports.methods.fact import NOT_REPORTED, Fact, Paragraph, kept, listed, many, quoted
from reports.sentences import sentence
from reports.settings import ReportSettings

_CAME = {
    "link": "by an open link",
    "invitation": "by signed personal invitations",
    "prolific": "through Prolific",
    "panel": "through a panel",
}


def people(material: Material, settings: ReportSettings | None) -> Paragraph | None:
    """Return who took part, None where nobody has."""
    if not material.results and not material.votes and not material.people:
        return None
    table = settings.report if settings else None
    return Paragraph(
        "Participants",
        kept(
            _kind(material),
            _came(material, settings),
            Fact(f"Recruitment: {sentence(table.recruitment)}", "study.toml [report] recruitment") if table and table.recruitment else None,
            Fact(f"Pay: {sentence(table.pay)}", "study.toml [report] pay") if table and table.pay else None,
            Fact(f"Ethics: {sentence(table.ethics)}", "study.toml [report] ethics") if table and table.ethics else None,
            *(_stages(flow(material.people, material.results))),
            _screening(settings),
            _when(material),
        ),
    )


def _kind(material: Material) -> Fact:
    who = material.answered
    if who.total is None or who.simulated is None:
        return Fact(f"Whether participants were people is {NOT_REPORTED}.", "results.json counts.simulated_participants")
    if who.simulated == 0:
        return Fact(f"{many(who.total, 'participant')} took part, all of them people.", "results.json counts, votes.parquet simulated")
    which = f"All {who.total:,}" if who.simulated == who.total else f"{who.simulated:,} of {who.total:,}"
    told = f"{which} participants who answered were simulated: programs that answer by known tastes, and no people."
    return Fact(told, "results.json counts.simulated_participants")


def _came(material: Material, settings: ReportSettings | None) -> Fact | None:
    who = material.participants
    # A program is sent by nobody.
    if not settings or (who.total and who.simulated == who.total):
        return None
    by = settings.study.recruitment.by
    places = f", for {many(settings.study.participants, 'place')}" if settings.study.participants else ""
    return Fact(f"They came {_CAME.get(by, by)}{places}.", "study.toml [study.recruitment] by, [study] participants")


def _stages(stages: tuple[Stage, ...]) -> list[Fact]:
    """Return a sentence on those who came, and one on each stage with votes."""
    came = [_came_to(stage) for stage in stages if stage.votes is None and stage.participants is not None]
    told = [Fact(f"{'; '.join(came)}.", "participants.parquet")] if came else []
    counted = [stage for stage in stages if stage.votes is not None]
    return told + [Fact(f"{_came_to(stage)}.", "results.json further.exclusions, counts") for stage in counted]


def _came_to(stage: Stage) -> str:
    words = f"{many(stage.participants or 0, 'participant')} {stage.what}" if stage.what != "analysed" else _analysed(stage)
    words += f" with {many(stage.votes, 'vote')}" if stage.votes is not None and stage.what != "analysed" else ""
    words += f" ({stage.note})" if stage.note else ""
    gone = [one for one in stage.left if one.participants or one.votes]
    words += f"; of these {listed([_left(one) for one in gone])}" if gone else ""
    idle = [f"“{one.why}”" for one in stage.left if one not in gone]
    return words + (f"; {'these rules' if len(idle) > 1 else 'this rule'} took out nobody and no vote: {listed(idle)}" if idle else "")


def _analysed(stage: Stage) -> str:
    return f"{many(stage.votes or 0, 'vote')} of {many(stage.participants or 0, 'participant')} entered the scores"


def _left(left: Left) -> str:
    if left.votes is None:
        return f"{left.participants:,} {left.why}"
    whose = f"{many(left.participants, 'participant')} with {many(left.votes, 'vote')}" if left.participants else many(left.votes, "vote")
    return f"{whose} did not go further ({left.why})"


def _screening(settings: ReportSettings | None) -> Fact | None:
    asked = [one for one in settings.question if one.accept] if settings else []
    if not asked:
        return None
    told = listed([f"{quoted(one.text)} (accepted: {listed([quoted(answer) for answer in one.accept])})" for one in asked])
    return Fact(f"Participants were screened by {told}.", "study.toml [[question]] accept")


def _when(material: Material) -> Fact | None:
    if material.experiment.bundle.is_file():
        return None  # a bundle counts time from its first vote
    times = sorted(vote.answered_at for vote in material.votes if vote.answered_at)
    if not times:
        return None
    return Fact(f"They answered from {times[0][:10]} to {times[-1][:10]}.", "votes.parquet answered_at")
