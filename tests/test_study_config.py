"""[study], [rating] and [[question]] of study.toml: what is well-formed and yet cannot be meant is told before anybody is asked."""

from dataclasses import replace
from pathlib import Path

import pytest
from study_fixtures import Settings

from stimuli.studyfile import Mistake
from study.config import Question, StudyTable, mistakes

CHOICE = Question("use", "Do you use it?", when="before", options=("yes", "no"), accept=("yes",), quota={"no": 3})
SCALE = Question("art", "How often?", type="scale", ends=("never", "daily"))
NUMBER = Question("age", "How old?", type="number", least=18, most=99)
TEXT = Question("note", "Anything else?", type="text")


def found(*questions: Question, **keys: object) -> list[Mistake]:
    return list(mistakes(Settings(study=StudyTable(**keys), question=questions), folder=Path()))  # type: ignore[arg-type]


def test_questions_of_every_type_are_in_order() -> None:
    assert found(CHOICE, SCALE, NUMBER, TEXT, pairs="incomplete", per_participant=9) == []


@pytest.mark.parametrize(
    ("question", "key", "text"),
    [
        (replace(CHOICE, options=("yes",), quota={}), "options", "has 1 entries; a question to choose from needs at least two"),
        (replace(SCALE, ends=("never",)), "ends", "has 1 entries; a scale needs two texts, one for each end"),
        (replace(CHOICE, when="after"), "when", 'is "after"; only a question asked "before" the images can screen people or have quotas'),
        (replace(TEXT, when="before", accept=("x",)), "type", 'is "text"; only a "choice" can screen people or have quotas'),
        (replace(CHOICE, accept=("yse",)), "accept", 'names "yse", which is not among the options'),
        (replace(CHOICE, quota={"never": 3}), "quota", 'names "never", which is not among the options'),
        (replace(TEXT, options=("yes", "no")), "options", 'is not read by a "text"; remove it, or write type = "choice"'),
        (replace(NUMBER, ends=("low", "high")), "ends", 'is not read by a "number"; remove it, or write type = "scale"'),
        (replace(SCALE, most=7), "most", 'is not read by a "scale"; remove it, or write type = "number"'),
        (
            replace(CHOICE, options=("yes", "no", "no")),
            "options",
            'has "no" more than once; nobody could tell which was meant, so write each option once',
        ),
        (replace(NUMBER, least=100), "least", "is 100, more than most = 99, so no number would do; swap them"),
    ],
)
def test_a_question_that_nobody_could_answer_as_meant_is_a_mistake(question: Question, key: str, text: str) -> None:
    assert found(question) == [Mistake(f'[[question]] 1 ("{question.id}")', key, text)]


def test_two_questions_of_one_id_are_a_mistake_of_both() -> None:
    assert [mistake.key for mistake in found(CHOICE, replace(NUMBER, id="use"))] == ["id", "id"]


def test_how_many_pairs_each_judges_is_said_where_that_is_a_choice_and_nowhere_else() -> None:
    (missing,) = found(pairs="incomplete")
    assert missing.text == 'is missing; pairs = "incomplete" needs to know how many pairs each participant judges'
    (idle,) = found(per_participant=9)
    assert idle.text == 'is set, but pairs = "all" shows all of them; write pairs = "incomplete"'


def test_a_language_that_is_nowhere_is_told_before_the_study_is_served() -> None:
    (mistake,) = found(language="fr.toml")
    assert mistake == Mistake("[study]", "language", 'is "fr.toml"; expected de or en, or the name of a file of texts in .')
    assert found(language="de") == []
