"""Files are written whole or not at all, and commands that are printed can be pasted."""

from pathlib import Path

import pytest

from stimuli.experiment import ExperimentError, open_experiment, write_whole


def test_a_file_is_replaced_whole_and_nothing_else_is_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_a_place_that_cannot_be_written_names_the_file_and_what_to_do_and_keeps_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "in the way").write_bytes(b"old")
    with pytest.raises(ExperimentError, match=r"in the way/file: cannot be written \(.*\); make room .* what is done is kept"):
        write_whole(tmp_path / "in the way" / "file", b"new")
    assert (tmp_path / "in the way").read_bytes() == b"old"


def test_a_command_in_an_error_can_be_pasted_even_where_the_folder_has_blanks(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"`tastebench init '.*my study'`"):
        open_experiment(tmp_path / "my study")
