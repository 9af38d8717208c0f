"""Groups of people as targets: who belongs to one, and a predictor that knows the group as any one of them (PAMELA, figure 7)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated

import pandas as pd

from stimuli.experiment import ExperimentError
from stimuli.predictors.bayes import BayesTaste
from stimuli.predictors.demographics import COLUMNS, Coding, coding
from stimuli.predictors.interface import Fitted, Rows
from stimuli.studyfile import text_of

GroupName = Annotated[str, text_of(r"[A-Za-z0-9_-]{1,64}", expected="1 to 64 letters, digits, - and _")]


@dataclass(frozen=True)
class Group:
    """`[[group]]`: people who can be a target together, by what they said of themselves, or by name.

    Whoever is to match gave every answer that is named here.
    """

    name: GroupName
    """What `targets` call it."""
    gender: str | None = None
    """The answer that its people gave."""
    age: str | None = None
    """The band that its people are in, such as "25 to 34"."""
    nationality: str | None = None
    """The answer that its people gave."""
    members: tuple[str, ...] = ()
    """Its people by name, in place of answers."""

    @property
    def answers(self) -> dict[str, str]:
        """What its people said of themselves, by question."""
        said = {"age": self.age, "gender": self.gender, "nationality": self.nationality}
        return {name: answer for name, answer in said.items() if answer is not None}


@dataclass(frozen=True, eq=False)
class Gathered:
    """A group and the people whom the predictor knows of it; `profile` is what such people say of themselves, where that is read."""

    name: str
    members: tuple[str, ...]
    profile: Rows | None = None


def members(group: Group, users: pd.DataFrame, known: Collection[str]) -> tuple[str, ...]:
    """Return who of the `known` people belongs to a group, sorted; `users` is indexed by user, with age, gender and nationality.

    Raises:
        ExperimentError: an answer is none that anybody gave, a member is not known, or nobody matches.
    """
    if group.members:
        return _named(group, known)
    here = users[[str(user) in known for user in users.index]]
    for question, answer in group.answers.items():
        _require_answer(group, question, answer, here)
    wanted = Coding(tuple(f"{question}: {answer.strip().lower()}" for question, answer in group.answers.items()))
    rows = wanted.rows(here)
    fits = [] if rows is None else [bool(row.all()) for row in rows]
    found = tuple(sorted(str(user) for user, fit in zip(here.index, fits, strict=True) if fit))
    if not found:
        asked = ", ".join(f'{question} = "{answer}"' for question, answer in group.answers.items())
        raise ExperimentError(
            f'[[group]] "{group.name}": nobody of {len(here)} people whom the predictor knows matches {asked}; ask for less'
        )
    return found


def knowing(fitted: Fitted, groups: Sequence[Gathered]) -> Fitted:
    """Return a predictor that knows each group under its name: the mean taste of its members.

    The paper's model also reads the group's profile; in the default predictor answers are part of each member's taste.
    """
    for group in groups:
        fitted = fitted.average(group.name, group.members) if isinstance(fitted, BayesTaste) else _paper(fitted, group)
    return fitted


def _paper(fitted: Fitted, group: Gathered) -> Fitted:
    from stimuli.predictors.paper import PaperPredictor

    if not isinstance(fitted, PaperPredictor):
        raise ExperimentError(f'[[group]] "{group.name}": a {type(fitted).__name__} knows no groups; use predictor = "bayes" or "paper"')
    return fitted.average(group.name, group.members, demographics=group.profile)


def _named(group: Group, known: Collection[str]) -> tuple[str, ...]:
    strangers = [user for user in group.members if user not in known]
    if strangers:
        some = ", ".join(sorted(known)[:5])
        raise ExperimentError(
            f'[[group]] "{group.name}": the predictor knows no user "{strangers[0]}"; it knows {len(known)}, such as {some}. '
            "Name only people who rated"
        )
    return group.members


def _require_answer(group: Group, question: str, answer: str, users: pd.DataFrame) -> None:
    given = [
        text.removeprefix(f"{question}: ") for text in coding(users[_only(users, question)]).answers if text.startswith(f"{question}: ")
    ]
    if answer.strip().lower() not in given:
        exist = f"at least two gave each of: {', '.join(given)}" if given else f"no two of them gave the same answer to {question}"
        raise ExperimentError(f'[[group]] "{group.name}": nobody, or one person only, said {question} = "{answer}"; {exist}')


def _only(users: pd.DataFrame, question: str) -> list[str]:
    return [name for name in COLUMNS if name == question and name in users.columns]
