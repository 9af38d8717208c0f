"""A verdict follows from the interval of the difference at the scope of the claim, and says for whom it holds."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from analysis.bradley_terry import ELO_PER_LOGIT
from analysis.claims import Evidence, Seal, judge
from analysis.comparisons import Cells
from analysis.config import Claim
from analysis.jackknife import Spread, spread
from analysis.preference import Model
from analysis.results import ClaimResult
from analysis.verdicts import Circumstances, OtherTest, Rules, Verdict, holm, needed, verdicts

GREATER = Claim("C1", "greater", a="own", b="others")
ORDER = Claim("C2", "order", items=("own", "others", "initial"))
SEEN = Circumstances(votes=1000)
ITEMS = ("own", "others", "initial")


def told(own: float, others: float, initial: float, *, spread: float = 10.0, people: int = 1000, prompts: int = 1000) -> Spread:
    """Return scores whose standard error is `spread` each by participant, half of that by prompt, in Elo."""
    strengths = np.array([[own, others, initial]]) / ELO_PER_LOGIT
    variance = np.eye(3)[None] * (spread / ELO_PER_LOGIT) ** 2
    chances = 1 / (1 + np.exp(strengths[:, None, :] - strengths[:, :, None]))
    return Spread(ITEMS, strengths, variance / 4, chances, people, prompts, variance, variance / 4, variance / 4)


def verdict(claim: Claim, of: Spread, rules: Rules | None = None, circumstances: Circumstances = SEEN) -> Verdict:
    (found,) = verdicts([claim], of, rules or Rules(), circumstances)
    return found


# The standard error of a difference is 10·sqrt(2) = 14.1 Elo, so that 27.7 is the bound of the 95 % interval.
@pytest.mark.parametrize(
    ("ahead", "expected"), [(40, "SUPPORTED"), (-40, "CONTRADICTED"), (27, "INCONCLUSIVE"), (-27, "INCONCLUSIVE"), (0, "INCONCLUSIVE")]
)
def test_the_interval_of_the_difference_decides(ahead: float, expected: str) -> None:
    assert verdict(GREATER, told(1000 + ahead, 1000, 1000)).kind == expected


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ((1080, 1040, 1000), "SUPPORTED"),
        ((1080, 1040, 1030), "INCONCLUSIVE"),
        ((1000, 1040, 1000), "CONTRADICTED"),
        ((1100, 1000, 1050), "CONTRADICTED"),
    ],
)
def test_an_order_needs_every_adjacent_step(scores: tuple[float, float, float], expected: str) -> None:
    assert verdict(ORDER, told(*scores)).kind == expected


def test_one_step_contradicts_an_order_only_with_alpha_shared_out_among_the_steps() -> None:
    # The 95 % interval of others minus initial lies below 0, the 97.5 % interval does not.
    of = told(1100, 1000, 1029.5)
    assert verdict(Claim("C3", "greater", a="others", b="initial"), of).kind == "CONTRADICTED"
    assert verdict(ORDER, of).kind == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("ahead", "smallest", "spread", "grade"),
    [(60, 14, 10, "meaningful"), (40, 14, 10, None), (8, 14, 2, "negligible"), (60, None, 10, None)],
)
def test_support_is_graded_by_the_smallest_effect(ahead: float, smallest: float | None, spread: float, grade: str | None) -> None:
    found = verdict(GREATER, told(1000 + ahead, 1000, 1000, spread=spread), Rules(smallest_effect=smallest))
    assert (found.kind, found.grade) == ("SUPPORTED", grade)


@pytest.mark.parametrize(
    ("ahead", "spread", "expected"), [(5, 5, "EQUIVALENT"), (5, 12, "INCONCLUSIVE"), (80, 10, "CONTRADICTED"), (-80, 10, "CONTRADICTED")]
)
def test_equivalence_needs_the_90_percent_interval_inside_the_margin(ahead: float, spread: float, expected: str) -> None:
    claim = Claim("C3", "equivalent", a="own", b="others", margin_elo=20)
    assert verdict(claim, told(1000 + ahead, 1000, 1000, spread=spread)).kind == expected


@pytest.mark.parametrize(("ahead", "expected"), [(0, "SUPPORTED"), (-15, "INCONCLUSIVE"), (-70, "CONTRADICTED")])
def test_noninferiority_is_tested_against_the_margin(ahead: float, expected: str) -> None:
    claim = Claim("C3", "noninferior", a="own", b="others", margin_elo=30)
    assert verdict(claim, told(1000 + ahead, 1000, 1000)).kind == expected


def test_a_difference_too_small_to_matter_is_called_equivalent_where_it_is_not_established() -> None:
    found = verdict(GREATER, told(1001, 1000, 1000, spread=3), Rules(smallest_effect=14))
    assert (found.kind, found.rule) == ("EQUIVALENT", "the 90 % interval of own minus others lies inside ±14 Elo")


def test_claims_of_one_family_share_the_error_rate_and_other_families_do_not() -> None:
    of = told(1035, 1000, 1001)  # p = .013 for the first claim alone
    more = [replace(GREATER, id=f"D{n}", a="others", b="initial") for n in range(4)]
    kinds = [found.kind for found in verdicts([GREATER, *more], of, Rules(), SEEN)]
    apart = [found.kind for found in verdicts([GREATER, *(replace(claim, family="other") for claim in more)], of, Rules(), SEEN)]
    assert (kinds[0], apart[0]) == ("INCONCLUSIVE", "SUPPORTED")


def test_support_and_the_adjusted_interval_agree() -> None:
    of = told(1042, 1000, 960)
    claims = [GREATER, replace(GREATER, id="C4", a="own", b="initial"), replace(GREATER, id="C5", a="initial", b="others")]
    for found in verdicts(claims, of, Rules(), SEEN):
        low, high = found.steps[0].interval(found.steps[0].adjusted_alpha)
        assert (found.p_adjusted is not None and found.p_adjusted <= 0.05) == (low > 0 or high < 0)


def test_holm_of_four_p_values() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@settings(max_examples=10, deadline=None)  # statsmodels collects garbage at every call
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1].tolist())


@pytest.mark.parametrize(
    ("circumstances", "of", "why"),
    [
        (SEEN, told(1, 2, 3, people=4), "needs at least 5 of each, and there are 4 participants"),
        (SEEN, told(1, 2, 3, people=4, prompts=3), "and there are 4 participants and 3 prompts"),
        (Circumstances(79, planned_votes=100), told(1, 2, 3), "79 scored votes came in, 79% of the 100 planned, below 80 %"),
        (Circumstances(90, enrolled=10, excluded=3), told(1, 2, 3), "3 of 10 participants were excluded, which is more than 20 %"),
        (Circumstances(90, regularised=True), told(1, 2, 3), "made-up half wins support no claim"),
        (Circumstances(90, refused={frozenset(("own", "others")): "own was on one side"}), told(1, 2, 3), "own was on one side"),
    ],
)
def test_what_makes_a_claim_untestable_is_said(circumstances: Circumstances, of: Spread, why: str) -> None:
    found = verdict(GREATER, of, circumstances=circumstances)
    assert found.kind == "NOT TESTABLE"
    assert why in found.rule


def test_a_narrower_scope_asks_for_fewer_clusters() -> None:
    assert verdict(GREATER, told(1090, 1000, 1000, people=20, prompts=2), Rules(scope="participants")).kind == "SUPPORTED"
    assert verdict(GREATER, told(1090, 1000, 1000, people=2, prompts=2), Rules(scope="these")).kind == "SUPPORTED"


def test_a_condition_that_nobody_saw_or_that_was_left_out_makes_a_claim_untestable() -> None:
    claim = Claim("C4", "greater", a="own", b="qalign")
    assert verdict(claim, told(1, 2, 3)).rule == "no vote compares qalign"
    assert verdict(claim, told(1, 2, 3), circumstances=Circumstances(9, left_out=("qalign",))).rule == "qalign was left out on request"


def test_another_analysis_tests_its_claims_within_the_family() -> None:
    match = Claim("M", "personal_match")
    found = verdicts([match], told(1, 2, 3), Rules(), SEEN, others={"M": OtherTest(1 / 720, "trace 3.4")})
    assert found[0].kind == "SUPPORTED"
    assert verdicts([match], told(1, 2, 3), Rules(), SEEN)[0].rule == "what it needs was not given to the analysis"
    refused = verdicts([match], told(1, 2, 3), Rules(), SEEN, others={"M": OtherTest(None, "", untestable="one user only")})
    assert (refused[0].kind, refused[0].rule) == ("NOT TESTABLE", "one user only")


def test_more_people_and_prompts_see_less() -> None:
    of = replace(told(1010, 1000, 1000, people=12, prompts=10), by_cell=np.zeros((1, 3, 3)))
    size = needed(of, "own", "others", Rules(), target=10)
    assert size.both is not None
    people, prompts = size.both
    assert prompts == pytest.approx(people * 10 / 12, abs=1)
    larger = told(1010, 1000, 1000, people=people, prompts=prompts, spread=10 * np.sqrt(12 / people))
    larger = replace(larger, by_cell=np.zeros((1, 3, 3)))
    assert needed(larger, "own", "others", Rules()).detectable == pytest.approx(10, rel=0.05)


def study(rng: np.random.Generator, lean: list[float]) -> Cells:
    """Return one participant per entry of `lean`, who prefers own to others so often; 8 prompts, 8 votes each."""
    participant, prompt = np.repeat(np.arange(len(lean)), 8), np.tile(np.arange(8), len(lean))
    none = np.zeros(len(participant), dtype=np.int64)
    wins = rng.binomial(8, np.array(lean)[participant])
    return Cells(("others", "own"), len(lean), 8, participant, prompt, none + 1, none, wins, 8 - wins, none)


def judged(cells: Cells, *, seal: Seal | None = None, claim: Claim = GREATER) -> ClaimResult:
    evidence = Evidence(
        cells,
        Model(),
        spread(cells, model=Model()),
        people=tuple(f"p{n}" for n in range(cells.participants)),
        questions=tuple(f"q{n}" for n in range(cells.prompts)),
    )
    (found,) = judge([claim], evidence, rules=Rules(smallest_effect=14), circumstances=SEEN, seal=seal or Seal(None, "abc"))
    return found


@pytest.mark.parametrize(
    ("lean", "claim", "words"),
    [
        ([0.8] * 8, GREATER, "The difference is shown to be larger than the smallest that matters (14 Elo)."),
        ([0.57] * 8, GREATER, "not shown to be as large as the smallest that matters (14 Elo): its corrected interval (95 %) begins"),
        ([0.57] * 8, replace(GREATER, type="noninferior", margin_elo=5.0), None),
        ([0.2] * 8, GREATER, None),
    ],
)  # fmt: skip
def test_a_supported_difference_is_compared_with_the_smallest_that_matters(lean: list[float], claim: Claim, words: str | None) -> None:
    found = judged(study(np.random.default_rng(3), lean), claim=claim)
    assert found.verdict.startswith("SUPPORTED") == (lean != [0.2] * 8)
    assert words in found.sentence if words else "that matters" not in found.sentence


def test_an_order_names_the_step_that_is_not_shown_to_matter() -> None:
    of = told(1090, 1040, 1000)
    cells = study(np.random.default_rng(1), [0.8] * 8)
    found = judge([ORDER], Evidence(cells, Model(), of), rules=Rules(smallest_effect=14), circumstances=SEEN, seal=Seal(None))[0]
    assert found.verdict.startswith("SUPPORTED")
    assert "Not every difference is shown to be as large as the smallest that matters (14 Elo)" in found.sentence
    assert "the corrected interval of others minus initial (97.5 %) begins at" in found.sentence
    assert (found.evidence["grade"], found.evidence["smallest_effect_elo"]) == (None, 14)


def test_the_share_in_a_sentence_is_said_to_be_the_fits() -> None:
    assert "so the fit expects own to be chosen in" in judged(study(np.random.default_rng(1), [0.8] * 8)).sentence


def test_a_verdict_that_everybody_carries_is_not_fragile() -> None:
    found = judged(study(np.random.default_rng(1), [0.8] * 8))
    assert found.verdict == "SUPPORTED (meaningful)"
    assert found.evidence["changing"] == []
    assert "For new participants and new prompts (from 8 participants and 8 prompts), the votes support" in found.sentence
    assert "EXPLORATORY" not in found.sentence and found.evidence["lock_sha256"] == "abc"


def test_a_verdict_that_one_participant_hinders_is_fragile_and_names_them() -> None:
    found = judged(study(np.random.default_rng(2), [0.68] * 9 + [0.02]))
    assert found.verdict == "INCONCLUSIVE, FRAGILE"
    assert "the verdict is another one without participant p9" in found.sentence
    assert "This is not evidence of no difference" in found.sentence and "(80 % power)" in found.sentence


def test_the_evidence_of_a_claim_is_whole() -> None:
    found = judged(study(np.random.default_rng(1), [0.8] * 8), seal=Seal("no lock"))
    assert found.verdict.endswith(", EXPLORATORY") and found.sentence.endswith("EXPLORATORY: no lock.")
    (step,) = found.evidence["steps"]
    assert set(step) >= {"difference_elo", "win_probability", "interval", "interval_adjusted", "p_value", "df", "design_effect"}
    low, high = step["leave_one_out"]
    assert low < step["difference_elo"] < high
    whole = max(step["sd_participants"] ** 2 + step["sd_prompts"] ** 2 - step["sd_cells"] ** 2, step["sd_participants"] ** 2)
    assert step["standard_error"] ** 2 == pytest.approx(max(whole, step["sd_prompts"] ** 2))


@pytest.mark.parametrize(
    ("claim", "ahead"),
    [
        (Claim("E", "equivalent", a="own", b="others", margin_elo=20), 50),
        (Claim("E", "noninferior", a="own", b="others", margin_elo=30), -60),
    ],
)
def test_many_claims_with_a_margin_are_contradicted_at_a_level_shared_out(claim: Claim, ahead: float) -> None:
    # 30 Elo beyond the margin are 2.1 standard errors: outside the 95 % interval, inside the one of ten claims.
    of = told(1000 + ahead, 1000, 1000)
    (alone,) = verdicts([claim], of, Rules(), SEEN)
    first, *_ = verdicts([replace(claim, id=f"E{n}") for n in range(10)], of, Rules(), SEEN)
    assert (alone.kind, first.kind) == ("CONTRADICTED", "INCONCLUSIVE")
    assert "the 95 % interval of own minus others, " in alone.rule and "lies wholly" in alone.rule
    assert "corrected interval (99.5 %) of own minus others, " in first.rule


def test_ten_true_claims_of_equivalence_at_their_margin_are_rarely_contradicted() -> None:
    rng = np.random.default_rng(5)
    claims = [Claim(f"E{n}", "equivalent", a="own", b="others", margin_elo=20) for n in range(10)]
    wrong = 0
    for _ in range(300):
        # Ten studies in one family: each claim with its own estimate at the margin, standard error 14.1.
        found = [verdicts(claims, told(1020 + 14.142 * error, 1000, 1000), Rules(), SEEN)[0].kind for error in rng.normal(size=10)]
        wrong += "CONTRADICTED" in found
    assert wrong / 300 <= 0.06


def test_a_noninferior_claim_behind_its_margin_is_never_supported() -> None:
    claim = Claim("N", "noninferior", a="own", b="others", margin_elo=30)
    ahead = [Claim(f"G{n}", "greater", a="own", b="initial") for n in range(3)]
    # Behind the margin by 2.2 standard errors, with claims beside it whose small p lets Holm's rule spend all of alpha on it.
    found = verdicts([claim, *ahead], told(1000 - 61, 1000, 0), Rules(), SEEN)[0]
    assert found.p_adjusted is not None and found.p_adjusted <= 0.05
    assert (found.kind, found.rule.split(",")[-1]) == ("INCONCLUSIVE", " holds -30 (adjusted p = 0.0286)")


def test_votes_are_compared_with_the_plan_before_exclusions_and_every_reason_is_named() -> None:
    def why(circumstances: Circumstances) -> str:
        found = verdict(GREATER, told(1090, 1000, 1000), circumstances=circumstances)
        return found.rule if found.kind == "NOT TESTABLE" else found.kind

    excluded = Circumstances(1132, collected=2712, planned_votes=2400, enrolled=12, excluded=6)
    assert why(excluded) == (
        "2,712 scored votes came in, and the exclusion rules left 1,132, 47% of the 2,400 planned, below 80 %; "
        "6 of 12 participants were excluded, which is more than 20 %"
    )
    assert why(Circumstances(2400, collected=2400, unscored=2640, planned_votes=5040)) == (
        "2,400 scored votes came in, 48% of the 5,040 planned, below 80 % "
        "(2,640 more compare two images of one name, which no score and no planned_votes counts)"
    )
    assert why(Circumstances(2000, collected=2712, planned_votes=2400)) == "SUPPORTED"
    assert "the exclusion rules and what was left out on request left 90" in why(
        Circumstances(90, collected=2712, planned_votes=2400, left_out=("crisp",))
    )


def sentence(claim: Claim, of: Spread, rules: Rules, *, others: dict[str, OtherTest] | None = None, more: tuple[Claim, ...] = ()) -> str:
    cells = study(np.random.default_rng(1), [0.8] * 8)
    evidence = Evidence(cells, Model(), of, targets=True)
    return judge([claim, *more], evidence, rules=rules, circumstances=SEEN, seal=Seal(None), others=others)[0].sentence


def test_a_claim_of_equivalence_is_supported_in_its_own_words_and_a_wide_margin_is_warned_of() -> None:
    claim = Claim("E", "equivalent", a="own", b="others", margin_elo=150)
    words = sentence(claim, told(1054, 1000, 1000), Rules(smallest_effect=14))
    assert "the votes support the claim that own and others differ by less than 150 Elo" in words
    assert "The margin (150 Elo) is wider than the smallest difference that matters (14 Elo)" in words
    assert "wider than" not in sentence(claim, told(1054, 1000, 1000), Rules(smallest_effect=150))
    assert verdict(claim, told(1054, 1000, 1000)).rule.endswith("lies inside ±150 Elo, and adjusted p = 9.72e-12 is at most 0.05")


def test_what_is_open_is_told_by_the_interval_that_decided() -> None:
    more = tuple(Claim(f"D{n}", "greater", a="others", b="initial") for n in range(3))
    words = sentence(GREATER, told(968, 1000, 1001), Rules(), more=more)
    assert "(95 % interval -59.8 to -4.2; corrected, 98.75 % interval -67.4 to +3.4)" in words
    (found, *_) = verdicts([GREATER, *more], told(968, 1000, 1001), Rules(), SEEN)
    assert found.rule == "the corrected interval (98.75 %) of own minus others, -67.4 to +3.4, holds 0 (adjusted p = 0.0955)"
    order = verdict(ORDER, told(1080, 1040, 1030))
    assert order.rule.startswith("adjusted p = 0.48, from the weakest step (others minus initial), is more than 0.05")


def test_an_open_claim_with_a_margin_is_no_evidence_either_way_round() -> None:
    equivalent = sentence(Claim("E", "equivalent", a="own", b="others", margin_elo=14), told(1030, 1000, 1000), Rules())
    assert "This is no evidence that they differ by less than 14 Elo, nor that they differ by more." in equivalent
    noninferior = sentence(Claim("N", "noninferior", a="own", b="others", margin_elo=14), told(990, 1000, 1000), Rules())
    assert "This is no evidence that own is behind by less than 14 Elo, nor that it is behind by more." in noninferior
    assert "no difference" not in equivalent + noninferior


def test_tests_by_relabelling_hold_for_these_people_and_runs_whatever_the_scope() -> None:
    match, runs = Claim("M", "personal_match"), Claim("R", "consistent_runs")
    of = told(1, 2, 3, people=6, prompts=8)
    words = sentence(match, of, Rules(), others={"M": OtherTest(1 / 720, "trace 3.4")})
    assert words.startswith("For these participants, these prompts and these images, not for new ones (from 6 participants and 8 prompts)")
    assert words.endswith("(FRAGILE) was not tried.")
    agreed = sentence(runs, of, Rules(), others={"R": OtherTest(None, "", untestable="one run a person")})
    assert agreed == (
        "For these steering runs, not for new ones, the runs cannot test the claim that two steering runs for one person agree more "
        "than runs for different people."
    )
    cells = study(np.random.default_rng(1), [0.8] * 8)
    (found,) = judge([match], Evidence(cells, Model(), of), rules=Rules(), circumstances=SEEN, seal=Seal(None))
    assert found.evidence["scope"] == "these"


@pytest.mark.parametrize(
    ("claim", "scope", "words"),
    [
        (GREATER, "participants", "an image made for them in the same way; the pool of others' images stays as it is."),
        (replace(GREATER, b="initial"), "participants", "an image made for them in the same way."),
        (GREATER, "participants+prompts", "the people whom others' images are made for stay the same."),
    ],
)
def test_what_a_new_participant_is_shown_is_said(claim: Claim, scope: str, words: str) -> None:
    of = told(1090, 1000, 1000)
    assert words in sentence(claim, of, Rules(scope=scope))  # type: ignore[arg-type]
    assert "new participant comes" not in sentence(claim, of, Rules(scope="these"))
    assert "new participant comes" not in sentence(replace(claim, a="others", b="initial"), of, Rules())


def test_people_and_prompts_that_change_a_verdict_are_counted_apart() -> None:
    found = judged(study(np.random.default_rng(0), [0.6] * 6))
    people = [name for name in found.evidence["changing"] if "participant" in name]
    prompts = [name for name in found.evidence["changing"] if "prompt" in name]
    assert len(people) > 3 and prompts
    named = ", ".join(name.removeprefix("without participant ") for name in people[:3])
    assert f"without any one of {len(people)} of the 6 participants ({named} and {len(people) - 3} more), or without" in found.sentence
