"""The lock shows whether claims came before the votes and stayed as they were."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from analysis.config import AnalysisTable, Claim
from analysis.exclusion_rules import Exclusion
from stimuli.experiment import Experiment, ExperimentError
from study.lock import lock, read_lock, why_exploratory

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Settings:
    analysis: AnalysisTable = field(default_factory=lambda: AnalysisTable(smallest_effect_elo=14))
    exclusion: tuple[Exclusion, ...] = ()
    claim: tuple[Claim, ...] = (Claim("C1", "greater", a="own", b="others"), Claim("C2", "greater", a="own", b="initial"))


def test_claims_locked_before_the_first_vote_are_not_exploratory(tmp_path: Path) -> None:
    made = lock(Experiment(tmp_path), Settings(), now=NOON)
    assert read_lock(Experiment(tmp_path)) == made
    assert why_exploratory(Settings(), made, first_vote="2026-03-01T12:00:01+00:00") is None


def test_without_a_lock_or_with_a_late_one_verdicts_are_exploratory(tmp_path: Path) -> None:
    made = lock(Experiment(tmp_path), Settings(), now=NOON)
    assert why_exploratory(Settings(), None, first_vote="2026-03-01T12:00:01+00:00") == (
        "nothing shows that the claim was written before the votes were seen"
    )
    late = why_exploratory(Settings(), made, first_vote="2026-03-01T11:59:59+00:00")
    assert late == "the claims were locked at 2026-03-01T12:00:00+00:00, not before the first vote"


@pytest.mark.parametrize(
    "other",
    [
        Settings(claim=(Settings().claim[0],)),
        Settings(claim=(Settings().claim[0], replace(Settings().claim[1], b="others"))),
        Settings(analysis=AnalysisTable(smallest_effect_elo=10)),
        Settings(exclusion=(Exclusion("fast_votes", limit=300),)),
        Settings(analysis=AnalysisTable(smallest_effect_elo=14, scope="these")),
    ],
)
def test_a_change_after_locking_shows_and_is_not_locked_again(tmp_path: Path, other: Settings) -> None:
    made = lock(Experiment(tmp_path), Settings(), now=NOON)
    assert "changed after they were locked" in str(why_exploratory(other, made, first_vote="2026-03-02T00:00:00+00:00"))
    with pytest.raises(ExperimentError, match="locks other claims, since 2026-03-01T12:00:00"):
        lock(Experiment(tmp_path), other, now=NOON)


def test_an_edited_time_shows(tmp_path: Path) -> None:
    made = lock(Experiment(tmp_path), Settings(), now=NOON)
    earlier = replace(made, locked_at="2026-01-01T00:00:00+00:00")
    assert "changed after" in str(why_exploratory(Settings(), earlier, first_vote="2026-02-01T00:00:00+00:00"))


def test_the_order_of_claims_does_not_matter_and_locking_again_keeps_the_time(tmp_path: Path) -> None:
    made = lock(Experiment(tmp_path), Settings(), now=NOON)
    assert lock(Experiment(tmp_path), Settings(claim=Settings().claim[::-1]), now=datetime(2027, 1, 1, tzinfo=UTC)) == made


def test_what_cannot_be_locked_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"has no \[\[claim\]\], so there is nothing to lock"):
        lock(Experiment(tmp_path), Settings(claim=()), now=NOON)
    with pytest.raises(ExperimentError, match='has no "smallest_effect_elo", which locked claims need'):
        lock(Experiment(tmp_path), Settings(analysis=AnalysisTable()), now=NOON)
    (tmp_path / "lock.json").write_text("{}")
    with pytest.raises(ExperimentError, match="is no lock of this version"):
        read_lock(Experiment(tmp_path))
