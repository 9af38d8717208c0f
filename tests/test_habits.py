"""What keeps the project in order from commit to commit: one version everywhere, release notes, the same two commands elsewhere."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()

_spec = importlib.util.spec_from_file_location("release_notes", ROOT / "docs" / "release_notes.py")
assert _spec
assert _spec.loader
release_notes = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(release_notes)


def test_the_version_is_the_same_in_package_citation_and_changelog() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    newest = re.search(r"^## (\S+)", CHANGELOG, re.MULTILINE)
    assert newest
    assert newest[1] == citation["version"] == PROJECT["version"]


def test_release_notes_are_the_section_of_that_version() -> None:
    changelog = "# Changelog\n\n## 0.2.0 (2026-12-01)\n\n- new\n\n## 0.1.0 (2026-11-01)\n\n- old\n"
    assert release_notes.notes(changelog, "v0.2.0") == "- new"
    assert release_notes.notes(changelog, "0.1.0") == "- old"


def test_a_version_without_a_section_or_a_date_is_not_released() -> None:
    with pytest.raises(ValueError, match=r"no section for 0\.3\.0; it has 0\.2\.0"):
        release_notes.notes("## 0.2.0 (2026-12-01)\n- new\n", "v0.3.0")
    with pytest.raises(ValueError, match=r"0\.2\.0 is still called unreleased; give it a date"):
        release_notes.notes("## 0.2.0 (unreleased)\n- new\n", "v0.2.0")


def test_the_workflow_runs_the_two_commands_of_the_readme() -> None:
    steps = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())["jobs"]["both-commands"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == ["make test", "make demo"]
    readme = (ROOT / "README.md").read_text()
    assert all(f"\n{command} " in readme for command in ("make test", "make demo"))


def test_every_hook_before_a_commit_is_a_check_of_make_test() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    makefile = (ROOT / "Makefile").read_text()
    for hook in hooks:
        tool = hook["entry"].split()[0].removeprefix(".venv/bin/")
        assert f"$(BIN)/{tool}" in makefile
