"""Paths and preparation of a task's folders, and the tails of its logs."""

from pathlib import Path

import pytest
from workerpool_worker.adapters.files.task_files import TaskFiles
from workerpool_worker.domain.updates import LOG_TAIL_CHARACTERS


@pytest.fixture
def files(tmp_path: Path) -> TaskFiles:
    files = TaskFiles(tmp_path / "task")
    files.prepare_output()
    return files


def test_folders_are_laid_out_as_documented(files: TaskFiles) -> None:
    found = [
        path.relative_to(files.path).as_posix()
        for path in (files.input, files.iexec_out, files.archive, files.computed)
    ]
    assert found == ["input", "output/iexec_out", "output/iexec_out.zip", "output/computed.json"]


def test_preparing_the_output_removes_an_earlier_one_and_keeps_the_input(files: TaskFiles) -> None:
    (files.input / "data").touch()
    (files.iexec_out / "old").touch()
    files.prepare_output()
    assert (files.input / "data").exists()
    assert list(files.iexec_out.iterdir()) == []


def test_any_user_of_the_container_can_write_the_output(files: TaskFiles) -> None:
    assert files.iexec_out.stat().st_mode & 0o777 == 0o777


def test_tails_of_missing_logs_are_empty(files: TaskFiles) -> None:
    assert files.read_output_tails() == ("", "")


@pytest.mark.parametrize("character", ["x", "é", "\U0001f600"])
def test_tails_keep_the_last_characters(files: TaskFiles, character: str) -> None:
    files.stdout.write_text("begin" + character * LOG_TAIL_CHARACTERS)
    files.stderr.write_text("short")
    stdout, stderr = files.read_output_tails()
    assert stdout == character * LOG_TAIL_CHARACTERS
    assert stderr == "short"
