"""A claim that cannot be judged is a mistake in study.toml, told before anybody votes."""

from dataclasses import dataclass, field

import pytest

from analysis.config import AnalysisTable, Claim, compared_names, mistakes
from analysis.exclusion_rules import Exclusion
from stimuli.studyfile import ExperimentTable, Mistake

CONDITIONS = [("initial", False), ("hpsv3", False), ("personal", True)]
UNTARGETED = CONDITIONS[:2]
SEVERAL = [*CONDITIONS, ("portrait", True)]


@dataclass(frozen=True)
class Settings:
    """The part of study.toml that the analysis reads."""

    claim: tuple[Claim, ...]
    experiment: ExperimentTable = field(default_factory=lambda: ExperimentTable("A test"))
    analysis: AnalysisTable = field(default_factory=AnalysisTable)
    exclusion: tuple[Exclusion, ...] = ()


def found(*claims: Claim, conditions: list[tuple[str, bool]] = CONDITIONS) -> list[Mistake]:
    return list(mistakes(Settings(claims), conditions=conditions))


def test_claims_about_what_the_conditions_give_are_in_order() -> None:
    assert found(Claim("C1", "greater", a="own", b="others"), Claim("C2", "order", items=("own", "initial", "hpsv3"))) == []
    assert found(Claim("C1", "greater", a="own (portrait)", b="others (personal)"), conditions=SEVERAL) == []


@pytest.mark.parametrize(
    ("claim", "key", "text"),
    [
        (Claim("C1", "greater", a="own"), "b", 'is missing; a "greater" claim says that `a` is preferred to `b`'),
        (Claim("C1", "greater", a="own", b="own"), "b", 'is "own", and so is "a"; a claim compares two different conditions'),
        (Claim("C1", "greater", a="own", b="others", items=("own",)), "items", 'is not read by a "greater" claim; remove it, or write'),
        (Claim("C1", "order", items=("own",)), "items", 'has 1 names; an "order" claim needs at least two, the most preferred first'),
        (Claim("C1", "order", items=("own", "initial", "own")), "items", 'names "own" more than once; each condition has one place'),
        (Claim("C1", "order", a="own", items=("own", "initial")), "a", 'is not read by an "order" claim; remove it, or write'),
        (Claim("C1", "greater", a="own", b="intial"), "b", 'names "intial", which no condition gives; did you mean "initial"?'),
        (
            Claim("C1", "greater", a="own", b="zzz"),
            "b",
            'names "zzz", which no condition gives; expected one of: hpsv3, initial, others, own',
        ),
        (Claim("C1", "greater", a="personal", b="others"), "a", 'names "personal", a condition with targets; name "own" (images made for'),
    ],
)
def test_a_claim_that_cannot_be_judged_is_a_mistake(claim: Claim, key: str, text: str) -> None:
    (mistake,) = found(claim)
    assert (mistake.table, mistake.key) == ('[[claim]] 1 ("C1")', key)
    assert mistake.text.startswith(text)


def test_own_and_others_exist_only_where_a_condition_has_targets() -> None:
    (mistake,) = found(Claim("C1", "greater", a="own", b="initial"), conditions=UNTARGETED)
    assert mistake.text == 'names "own", which exists only where a condition has targets, and none has; expected one of: hpsv3, initial'


def test_where_several_conditions_have_targets_a_claim_says_which() -> None:
    (mistake,) = found(Claim("C1", "greater", a="portrait", b="initial"), conditions=SEVERAL)
    assert 'name "own (portrait)" (images made for the participant) or "others (portrait)" instead' in mistake.text
    (mistake,) = found(Claim("C1", "greater", a="own", b="initial"), conditions=SEVERAL)
    expected = 'names "own", of which there is one for each condition with targets; say which: "own (personal)" or "own (portrait)"'
    assert mistake.text == expected


def test_every_claim_needs_its_own_id() -> None:
    (mistake,) = found(Claim("C1", "greater", a="own", b="others"), Claim("C1", "greater", a="own", b="initial"))
    assert mistake == Mistake('[[claim]] 2 ("C1")', "id", "is the id of [[claim]] 1 already; give every claim its own")


def test_a_condition_cannot_take_the_name_of_targeted_images() -> None:
    (mistake,) = found(conditions=[("own", False), ("personal", True)])
    assert (mistake.table, mistake.key) == ('[[condition]] 1 ("own")', "name")
    assert mistake.text == 'is "own", as the images of a condition with targets are called; give this condition another name'
    assert found(conditions=[("own", False), ("initial", False)]) == []


def test_all_mistakes_are_told_at_once() -> None:
    assert len(found(Claim("C1", "greater", a="x", b="x"), Claim("C1", "order"))) == 5


def test_scores_go_by_these_names() -> None:
    assert compared_names(SEVERAL) == (
        "initial",
        "hpsv3",
        "own (personal)",
        "others (personal)",
        "own (portrait)",
        "others (portrait)",
    )


def test_claims_with_a_margin_need_one_and_others_read_none() -> None:
    assert (
        found(Claim("C1", "equivalent", a="own", b="others", margin_elo=14), Claim("C2", "noninferior", a="own", b="initial", margin_elo=5))
        == []
    )
    (lacking,) = found(Claim("C1", "equivalent", a="own", b="others"))
    assert (lacking.key, lacking.text) == (
        "margin_elo",
        'is missing; an "equivalent" claim says that `a` and `b` differ by less than `margin_elo` (14 Elo are 52 % of choices)',
    )
    (unread,) = found(Claim("C1", "greater", a="own", b="others", margin_elo=14))
    assert unread.text.startswith('is not read by a "greater" claim; remove it, or write type = "noninferior"')


def test_claims_that_other_analyses_test_name_no_conditions() -> None:
    assert found(Claim("C1", "personal_match"), Claim("C2", "consistent_runs")) == []
    (unread,) = found(Claim("C1", "personal_match", a="own"))
    assert unread.text == 'is not read by a "personal_match" claim; remove it'
