"""Packages from a lock file: what is there already is not installed again."""

import json
from pathlib import Path

import pytest
from workerpool_devnet.errors import PackagesError
from workerpool_devnet.packages import ensure_installed

PACKAGES = {"": {"name": "root"}, "node_modules/a": {"version": "1.0.0", "integrity": "sha512-x"}}


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a lock file, on a machine without npm."""
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    folder = tmp_path / "locked"
    folder.mkdir()
    (folder / "package-lock.json").write_text(json.dumps({"packages": PACKAGES}))
    return folder


def installed(target: Path, version: str) -> None:
    package = {"version": version, "integrity": "sha512-x"}
    (target / "node_modules" / "a").mkdir(parents=True)
    (target / "node_modules" / "a" / "main.js").touch()
    record = {"packages": {"node_modules/a": package}}
    (target / "node_modules" / ".package-lock.json").write_text(json.dumps(record))


def test_what_agrees_with_the_lock_file_is_not_installed_again(locked: Path, tmp_path: Path) -> None:
    installed(tmp_path / "target", "1.0.0")
    ensure_installed(locked, tmp_path / "target", ["a/main.js"], "packages")


@pytest.mark.parametrize(
    ("version", "needed"), [("0.9.0", "a/main.js"), ("1.0.0", "a/other.js")], ids=["version", "file"]
)
def test_another_version_or_a_missing_file_requires_npm(
    locked: Path, tmp_path: Path, version: str, needed: str
) -> None:
    installed(tmp_path / "target", version)
    with pytest.raises(PackagesError, match="npm was not found"):
        ensure_installed(locked, tmp_path / "target", [needed], "packages")
