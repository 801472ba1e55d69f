"""One version for all packages, and what a release needs in the changelog."""

import shutil
from pathlib import Path

import pytest
import release

DATED = "## [Unreleased]\n\n## [1.2.3] - 2026-01-31\n"


def test_this_tree_could_be_released() -> None:
    assert release.problems() == []


def test_every_member_of_the_workspace_states_its_version() -> None:
    members = release.package_versions()
    assert {
        "pyproject.toml",
        "package.json",
        "libs/kit/pyproject.toml",
        "services/core/pyproject.toml",
    } <= set(members)
    assert len(set(members.values())) == 1


def test_a_client_states_its_version_as_its_language_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files = {
        "go/version.go": '// Version is that of the pool.\nconst Version = "1.2.3"\n',
        "typescript/package.json": '{"version": "1.2.4"}',
        "java/pom.xml": (
            '<project xmlns="http://maven.apache.org/POM/4.0.0"><dependencies><dependency><version>9</version>'
            "</dependency></dependencies><version>1.2.5</version></project>"
        ),
        "rust/version.go": "package client\n",
    }
    for name, text in files.items():
        path = tmp_path / "clients" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    monkeypatch.setattr(release, "ROOT", tmp_path)
    assert release.client_versions() == {
        "clients/go/version.go": "1.2.3",
        "clients/typescript/package.json": "1.2.4",
        "clients/java/pom.xml": "1.2.5",
        "clients/rust/version.go": "none",
    }


@pytest.mark.parametrize(
    ("changelog", "problem"),
    [
        (DATED, None),
        (DATED.replace("Unreleased", "1.2.4"), "no section `## [Unreleased]`"),
        (DATED.replace("1.2.3", "1.2.2"), "no section `## [1.2.3]"),
        (DATED.replace(" - 2026-01-31", ""), "has no date"),
    ],
)
def test_the_changelog_has_a_dated_section_for_the_version(changelog: str, problem: str | None) -> None:
    found = release.changelog_problems("1.2.3", changelog)
    assert (found == []) if problem is None else (problem in found[0])


def test_a_change_that_breaks_the_last_release_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("protos", "third_party"):
        shutil.copytree(release.ROOT / name, tmp_path / name)
    shutil.copy(release.ROOT / "buf.yaml", tmp_path)
    (tmp_path / ".venv").symlink_to(release.ROOT / ".venv")
    monkeypatch.setattr(release, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert release.main(["breaking"]) == 0
    changed = tmp_path / "protos/workerpool/core/v1/task.proto"
    changed.write_text(changed.read_text().replace("string deal_id = 2;", "uint64 deal_id = 2;"))
    assert release.main(["breaking"]) != 0
    assert "deal_id" in capfd.readouterr().out


def test_images_are_ordered_by_version_not_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(release, "ROOT", tmp_path)
    (tmp_path / release.RELEASED).mkdir(parents=True)
    for version in ("0.10.0", "0.9.0"):
        (tmp_path / release.RELEASED / f"{version}.binpb").touch()
    assert [path.stem for path in release.images()] == ["0.9.0", "0.10.0"]
