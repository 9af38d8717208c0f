"""What the documentation tells people to type exists, and the reference of commands is the one that the program gives."""

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from printed_page import ROOT, commands
from typer.main import get_command

import tastebench

PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *(ROOT / room / "README.md" for room in ("stimuli", "study", "analysis", "reports"))]
)
# The changelog tells of commands as they were.
PAGES.remove(ROOT / "CHANGELOG.md")
# A page may name a group or a command and its options in passing; in a block for a shell everything must be there.
_IN_PASSING = re.compile(r"`(tastebench [^`]+)`")
_WORD = re.compile(r"[a-z][a-z-]*")

_spec = importlib.util.spec_from_file_location("write_commands", ROOT / "docs" / "write_commands.py")
assert _spec
assert _spec.loader
write_commands = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(write_commands)


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


def resolved(words: list[str]) -> tuple[Any, typer.Context, list[str]]:
    """Return the command that some words name, its context, and the words after it.

    Raises:
        AssertionError: there is no such command.
    """
    command: Any = get_command(tastebench.app)
    context = typer.Context(command, info_name="tastebench")
    rest = words[1:]
    while hasattr(command, "list_commands"):
        if not rest or not _WORD.fullmatch(rest[0]):
            break
        below = command.get_command(context, rest[0])
        assert below is not None, f"`{' '.join(words)}`: there is no command {rest[0]}"
        command, context, rest = below, typer.Context(below, info_name=rest[0], parent=context), rest[1:]
    return command, context, rest


def parse(line: str) -> None:
    """Parse a line for a shell as the program would, and run nothing."""
    words = shlex.split(line, comments=True)
    command, _, rest = resolved(words)
    assert not hasattr(command, "list_commands"), f"`{line}` names no command"
    try:
        command.make_context(words[-1], list(rest))
    except typer.TyperException as error:
        raise AssertionError(f"`{line}`: {error.format_message()}") from error


def typed(page: Path) -> list[str]:
    return [line for line in commands(page.read_text(encoding="utf-8")) if line.startswith("tastebench ")]


def in_passing(page: Path) -> Iterator[list[str]]:
    for found in _IN_PASSING.findall(page.read_text(encoding="utf-8")):
        yield found.replace("...", "").split()


@pytest.mark.parametrize("page", [page for page in PAGES if typed(page)], ids=page_id)
def test_every_command_in_a_block_for_a_shell_parses(page: Path) -> None:
    for line in typed(page):
        parse(line)


@pytest.mark.parametrize("page", [page for page in PAGES if any(in_passing(page))], ids=page_id)
def test_every_command_and_option_named_in_passing_exists(page: Path) -> None:
    for words in in_passing(page):
        command, context, rest = resolved(words)
        known = {name for one in command.get_params(context) for name in (*one.opts, *one.secondary_opts)}
        for option in (word for word in rest if word.startswith("-")):
            assert option in known, f"{page.name}: `{' '.join(words)}` has no option {option}"


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("tastebench study serv my-study", "no command serv"),
        ("tastebench study serve my-study --prot 8501", "--prot"),
        ("tastebench study serve", "folder"),
        ("tastebench study", "names no command"),
        ("tastebench analysis plan my-study --gap far", "far"),
    ],
)
def test_a_command_that_would_not_run_is_found(line: str, wrong: str) -> None:
    with pytest.raises(AssertionError, match=wrong):
        parse(line)


def test_the_reference_of_commands_is_current() -> None:
    written = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert written == write_commands.reference(tastebench.app), "docs/commands.md is not current; run: python docs/write_commands.py"


def test_the_reference_has_every_command_with_its_parameters_and_examples() -> None:
    reference = write_commands.reference(tastebench.app)
    for name, command in _all("tastebench", get_command(tastebench.app)):
        section = reference.split(f"# {name}\n", 1)[1].split("\n#", 1)[0]
        assert " ".join((command.help or "").split("\n\n")[0].split("Example")[0].split()) in " ".join(section.split())
        for one in command.params:
            assert one.name.upper() in section if one.param_type_name == "argument" else one.opts[0] in section
        assert ("Example" in (command.help or "")) == ("```sh" in section)


def _all(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Yield each command that does something, with its whole name."""
    if not hasattr(command, "commands"):
        yield name, command
        return
    for below, one in command.commands.items():
        yield from _all(f"{name} {below}", one)
