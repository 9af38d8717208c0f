"""What the verdicts rest on: the numbers of every step of every claim, and what would change a verdict."""

from collections.abc import Sequence

from analysis.results import ClaimResult
from reports.robustness import flattened
from reports.sentences import per_cent
from reports.tables import Column, Table, decimals, signed, small

_OF_STEPS = (
    "steps",
    "changing",
    "verdict",
    "rule",
    "lock_sha256",
    "type",
    "family",
    "scope",
    "p_value",
    "p_adjusted",
    "grade",
    "smallest_effect_elo",
    "participants",
    "prompts",
)


def evidence_tables(claims: Sequence[ClaimResult], *, excluded: bool) -> list[Table]:
    """Return the numbers of the claims, of their steps, and of tests that are no differences; those without rows are left out.

    `excluded` is whether exclusion rules took out any vote, so that the verdicts were tried without the rules too.
    """
    return [table for table in (claim_tests(claims, excluded=excluded), step_table(claims), other_table(claims)) if table.rows]


def claim_tests(claims: Sequence[ClaimResult], *, excluded: bool) -> Table:
    """Return each claim's p-value before and after correction, its family, and what would change the verdict."""
    columns = (
        Column("claim", "Claim"),
        Column("type", "Type"),
        Column("family", "Family"),
        Column("scope", "Scope"),
        Column("p_value", "p", small),
        Column("p_adjusted", "p after Holm", small),
        Column("changing", "The verdict is another one"),
    )
    rows = tuple(
        (
            one.id,
            *(one.evidence.get(key) for key in ("type", "family", "scope", "p_value", "p_adjusted")),
            _changing(one),
        )
        for one in claims
        if one.evidence
    )
    rules = "and so are the exclusion rules" if excluded else "while no exclusion rule took out any vote"
    told = f"The tests behind the verdicts, and which participants or prompts the verdict hangs on: each is left out once, {rules}"
    return Table("claim_tests", columns, rows, told)


def _changing(claim: ClaimResult) -> str:
    if not claim.evidence.get("steps"):
        return "not tried"
    changing = claim.evidence.get("changing") or ()
    parts = []
    for kind in ("without participant ", "without prompt "):
        names = [one.removeprefix(kind) for one in changing if one.startswith(kind)]
        parts += [f"{kind}{', '.join(names)}"] if names else []
    parts += [one for one in changing if not one.startswith("without p")]
    return "; ".join(parts) or "in no case"


def step_table(claims: Sequence[ClaimResult]) -> Table:
    """Return the numbers of every difference that a claim is made of."""
    columns = (
        Column("claim", "Claim"),
        Column("a", "Condition"),
        Column("b", "against"),
        Column("difference_elo", "Difference", signed),
        *(Column(name, heading, signed) for name, heading in (("low", "from"), ("high", "to"))),
        Column("adjusted_level", "Corrected level", per_cent),
        *(Column(name, heading, signed) for name, heading in (("adjusted_low", "from"), ("adjusted_high", "to"))),
        Column("p_value", "p", small),
        Column("df", "df", decimals(1)),
        *(
            Column(name, heading, decimals(1))
            for name, heading in (
                ("standard_error", "Standard error"),
                ("sd_participants", "by participants"),
                ("sd_prompts", "by prompts"),
                ("sd_cells", "by both"),
                ("design_effect", "Design effect"),
            )
        ),
        *(Column(name, heading, signed) for name, heading in (("least", "Leaving one out, from"), ("most", "to"))),
    )
    rows = tuple(
        (
            *(one.id, step["a"], step["b"], step["difference_elo"], *step["interval"], step["adjusted_level"], *step["interval_adjusted"]),
            *(step["p_value"], step["df"], step["standard_error"]),
            *(step["sd_participants"], step["sd_prompts"], step["sd_cells"], step["design_effect"]),
            *(step["leave_one_out"] or (None, None)),
        )
        for one in claims
        for step in one.evidence.get("steps") or ()
    )
    told = (
        "The differences behind the claims, in Elo: the interval of each, the interval at the corrected level, where its standard error "
        "comes from, and how far it moves when one participant or one prompt is left out. The corrected interval tells whether the claim "
        "is contradicted (it lies wholly on the wrong side) and whether support is meaningful (it lies wholly above the smallest "
        f"difference that matters); support itself rests on the p-value after Holm{_of_orders(claims)}"
    )
    return Table("claim_steps", columns, rows, told)


def _of_orders(claims: Sequence[ClaimResult]) -> str:
    """Return why the steps of an order have wider intervals than its test; nothing where no claim is an order."""
    if not any(one.evidence.get("type") == "order" and one.evidence.get("steps") for one in claims):
        return ""
    return (
        ". One step alone contradicts an order, so its steps share out the error rate and their intervals are wider; support needs "
        "every step, so that an order can be supported although the corrected interval of a step holds 0"
    )


def other_table(claims: Sequence[ClaimResult]) -> Table:
    """Return the numbers of tests that no difference of scores decides, one a row."""
    columns = (Column("claim", "Claim"), Column("what", "What"), Column("value", "Found"))
    rows = tuple(
        (one.id, name, value)
        for one in claims
        for name, value in flattened({key: found for key, found in one.evidence.items() if key not in _OF_STEPS})
    )
    return Table("claim_numbers", columns, rows, "The numbers behind claims that no difference of scores decides")
