"""Print the section of CHANGELOG.md about one version: the notes of its release."""

import re
import sys
from pathlib import Path


def notes(changelog: str, version: str) -> str:
    """Return what the changelog says of `version` (with or without a leading v), without its heading.

    Raises:
        ValueError: it has no such section, or that section is still called unreleased.
    """
    wanted = version.removeprefix("v")
    heads = list(re.finditer(r"^## (\S+)(.*)$", changelog, re.MULTILINE))
    for head, after in zip(heads, [*heads[1:], None], strict=True):
        if head[1] == wanted:
            if "unreleased" in head[2]:
                raise ValueError(f"CHANGELOG.md: {wanted} is still called unreleased; give it a date")
            return changelog[head.end() : after.start() if after else None].strip()
    raise ValueError(f"CHANGELOG.md: no section for {wanted}; it has {', '.join(head[1] for head in heads)}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Which version? Run: python docs/release_notes.py v0.1.0")
    try:
        sys.stdout.write(notes(Path("CHANGELOG.md").read_text(encoding="utf-8"), sys.argv[1]) + "\n")
    except ValueError as error:
        sys.exit(str(error))
