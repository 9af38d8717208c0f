"""Every text a participant can see has its place in the catalogue, and a translation that does not fit is refused in words."""

import re
import string
import tomllib
from pathlib import Path

import pytest

from stimuli.experiment import ExperimentError
from study import catalogue
from study.catalogue import fill, languages, texts

ENGLISH = Path(catalogue.__file__).with_name("texts") / "en.toml"
SCREENS = ENGLISH.parent.parent / "screens"


def translated(folder: Path, change: dict[str, str | None]) -> Path:
    """Write a language file that is the English one but for `change`; None takes a text out."""
    lines = {**tomllib.loads(ENGLISH.read_text(encoding="utf-8")), "language": "cy"} | change
    path = folder / "welsh.toml"
    path.write_text("\n".join(f"{key} = {_quoted(text)}" for key, text in lines.items() if text is not None), encoding="utf-8")
    return path


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_english_and_german_are_shipped_and_have_the_same_texts() -> None:
    assert languages() == ["de", "en"]
    english, german = (texts(language, folder=Path()) for language in ("en", "de"))
    assert list(german) == list(english)
    assert {key: placeholders(text) for key, text in german.items()} == {key: placeholders(text) for key, text in english.items()}
    # A text that was never translated would be the same; these are the same in both languages.
    assert {key for key in english if english[key] == german[key]} == {"rating_spoken"}


def test_every_text_is_used_and_every_used_text_is_there() -> None:
    written = "\n".join(
        path.read_text(encoding="utf-8") for path in [*SCREENS.glob("*.py"), *SCREENS.glob("*.js"), SCREENS.parent / "app.py"]
    )
    made_of_pieces = re.compile(
        r"(comparison|rating)_.*|catch_.*|enter_number.*|.*_(title|text)|upper_image|lower_image|bad|poor|fair|good|excellent"
    )
    unused = [key for key in texts("en", folder=Path()) if not re.search(rf"\b{key}\b", written) and not made_of_pieces.fullmatch(key)]
    assert unused == []
    asked = set(re.findall(r'texts\["(\w+)"\]', written)) | set(re.findall(r"words\.(\w+)", written))
    # The study's own texts come under these names.
    assert asked - set(texts("en", folder=Path())) == {"question", "consent", "instructions", "thanks"}


def test_a_language_file_of_ones_own_is_read_from_the_experiment(tmp_path: Path) -> None:
    translated(tmp_path, {"left": "Chwith", "progress": "{total}: {n}"})
    welsh = texts("welsh.toml", folder=tmp_path)
    assert (welsh["language"], welsh["left"]) == ("cy", "Chwith")
    assert fill(welsh["progress"], {"n": 3, "total": 40}) == "40: 3"


def test_all_mistakes_of_a_language_file_are_reported_at_once_with_what_to_do(tmp_path: Path) -> None:
    path = translated(
        tmp_path, {"left": None, "rigth": "De", "progress": "{number} of {total}", "bad": " ", "tie": "{0.real}", "start": "}"}
    )
    with pytest.raises(ExperimentError) as refused:
        texts("welsh.toml", folder=tmp_path)
    assert str(refused.value).splitlines() == [
        f'{path}: "rigth" is no known text; did you mean "right"?',
        f'{path}: "start" has braces that are no {{name}}; a brace that is meant as such is written twice, {{{{ or }}}}',
        f'{path}: "left" is missing; in English it is "Left"',
        f'{path}: "tie" has braces that are no {{name}}; a brace that is meant as such is written twice, {{{{ or }}}}',
        f'{path}: "bad" is empty; expected a text in quotes',
        f'{path}: "progress" asks for {{number}}; only {{n}} and {{total}} can be filled in there',
    ]


def test_a_text_that_is_no_text_and_a_file_that_is_no_toml_are_refused(tmp_path: Path) -> None:
    path = translated(tmp_path, {})
    path.write_text(path.read_text(encoding="utf-8").replace('left = "Left"', "left = 3"), encoding="utf-8")
    with pytest.raises(ExperimentError, match='"left" is 3; expected a text in quotes'):
        texts("welsh.toml", folder=tmp_path)
    path.write_text("left = Left", encoding="utf-8")
    with pytest.raises(ExperimentError, match=r"not valid TOML: .*; each line is a key, = and a text in quotes"):
        texts("welsh.toml", folder=tmp_path)
    path.write_bytes(b'left = "\xff"')
    with pytest.raises(ExperimentError, match="not UTF-8 text"):
        texts("welsh.toml", folder=tmp_path)


def test_an_unknown_language_says_which_there_are_and_how_to_add_one(tmp_path: Path) -> None:
    with pytest.raises(
        ExperimentError, match=r'language "fr": the toolkit ships de, en, and there is no file .*fr\. For another language copy'
    ):
        texts("fr", folder=tmp_path)
