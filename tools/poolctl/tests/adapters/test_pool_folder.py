"""The pool's folder: `.env` as compose reads it, and files that only their owner can read."""

import os
from pathlib import Path

import pytest
from poolctl.adapters.pool_folder import exposed, read_env, write_private
from poolctl.errors import UnusableSettings


def test_an_env_file_is_read_as_compose_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTSIDE", "host")
    file = tmp_path / ".env"
    file.write_text("# comment\nA=1\nexport B='two words'\nC=\nD=${A}-x\nE=http://${OUTSIDE}:1\n")
    assert read_env(file) == {"A": "1", "B": "two words", "D": "1-x", "E": "http://host:1"}


def test_no_file_has_no_variables(tmp_path: Path) -> None:
    assert read_env(tmp_path / ".env") == {}


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=\xff\xfe")
    with pytest.raises(UnusableSettings, match="not UTF-8"):
        read_env(tmp_path / ".env")


def test_a_private_file_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "password"
    write_private(path, "one")
    write_private(path, "two")
    assert path.read_text() == "two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == ["password"]


def test_exposed_files_are_found(tmp_path: Path) -> None:
    for name, mode in (("open", 0o644), ("closed", 0o600)):
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(mode)
    paths = {name: tmp_path / name for name in ("open", "closed", "absent")}
    assert exposed(paths) == {str(tmp_path / "open"): "0644"}
