"""Write docs/commands.md, the reference of the command line, from the commands themselves: `python docs/write_commands.py`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

import tastebench

PAGE = Path(__file__).with_name("commands.md")
_HEAD = """# Commands

<!-- Written by docs/write_commands.py from the commands themselves; change their help, not this page. -->

What each command does, takes and writes. `tastebench COMMAND --help` shows the same in a terminal."""
# An example in a command's help: after the word, to the end of the paragraph.
_EXAMPLE = re.compile(r"\s*\bExamples?: (.+?)(?=\n\n|\Z)", re.DOTALL)


def reference(app: typer.Typer) -> str:
    """Return the reference of all commands of an app as Markdown, one heading for each."""
    whole = get_command(app)
    blocks = [_HEAD, *_described("tastebench", whole, level=1)]
    return "\n\n".join(blocks) + "\n"


def _described(name: str, command: Any, *, level: int) -> Iterator[str]:
    context = typer.Context(command, info_name=name)
    help_, examples = split_examples(command.help or "")
    if level > 1:
        yield f"{'#' * level} {name}"
    yield help_
    # A group is described by its commands; that each has --help is said once, at the top.
    names = command.list_commands(context) if hasattr(command, "list_commands") else []
    if not names:
        yield f"```text\n{' '.join([name, *_usage(command, context)])}\n```"
        parameters = [_line(*record) for one in command.get_params(context) if (record := one.get_help_record(context))]
        if parameters := [line for line in parameters if not line.startswith("- `--help`")]:
            yield "\n".join(parameters)
    if examples:
        yield "\n".join(["```sh", *examples, "```"])
    for below in names:
        yield from _described(f"{name} {below}", command.get_command(context, below), level=level + 1)


def _usage(command: Any, context: typer.Context) -> list[str]:
    """Return the arguments in their order, in brackets where they may be left out, and whether there are options."""
    pieces = []
    for one in command.get_params(context):
        if one.param_type_name == "argument":
            name = one.name.upper() + ("..." if one.nargs == -1 else "")
            pieces.append(name if one.required else f"[{name}]")
    return [*pieces, *(["[OPTIONS]"] if len(command.get_params(context)) > len(pieces) + 1 else [])]


def _line(names: str, help_: str) -> str:
    # Typer writes `name <type>` and `help  [default: ...; required]`.
    said, _, more = help_.partition("  [") if "  [" in help_ else ("", "", help_[1:]) if help_.startswith("[") else (help_, "", "")
    told = " ".join(part for part in (said.rstrip().removesuffix("."), f"({more.removesuffix(']')})" if more else "") if part)
    return f"- `{names}`: {told}" if told else f"- `{names}`"


def split_examples(help_: str) -> tuple[str, list[str]]:
    """Return a command's help without its examples, and the examples as lines for a shell.

    >>> split_examples("Make it. Example: `make it`, then `run it`")
    ('Make it.', ['make it', 'run it'])
    >>> split_examples("Examples: tastebench a b. For more: tastebench a c")
    ('', ['tastebench a b', 'tastebench a c'])
    """
    examples = [command for found in _EXAMPLE.findall(help_) for command in _commands(" ".join(found.split()))]
    return _EXAMPLE.sub("", help_).strip(), examples


def _commands(text: str) -> list[str]:
    if "`" in text:
        return re.findall(r"`([^`]+)`", text)
    # Without marks a command ends where the next begins, less the words between them.
    parts = re.split(r"(?=\btastebench )", text)
    return [re.sub(r"(, (or|then)|\. [A-Z][^:]*:)?\s*$", "", part).rstrip(".") for part in parts if part]


if __name__ == "__main__":
    PAGE.write_text(reference(tastebench.app), encoding="utf-8")
