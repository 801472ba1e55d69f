"""One wheel of the worker: complete, alone, and equal bytes from equal sources."""

import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from worker_release import source, wheel
from worker_release.source import BuildError

EPOCH = "1700000000"


def test_the_members_are_the_worker_and_the_libraries_that_it_imports() -> None:
    names = [member.project["name"] for member in wheel.members()]
    assert names == [
        "workerpool-kit",
        "workerpool-poco",
        "workerpool-protocol",
        "workerpool-transactions",
        "workerpool-worker",
    ]


def test_it_requires_packages_of_others_only() -> None:
    project = tomllib.loads(wheel.project_file(wheel.members()))["project"]
    assert [each for each in project["dependencies"] if each.startswith("workerpool")] == []
    assert {"aiohttp>=3.11", "coincurve>=21", "grpcio>=1.80", "docker>=7.1"} <= set(project["dependencies"])
    assert len(project["dependencies"]) == len(set(project["dependencies"]))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", EPOCH)
        return wheel.build(tmp_path_factory.mktemp("dist"))


def test_it_holds_every_package_and_the_licence(built: Path) -> None:
    assert built.name == f"workerpool_worker-{source.version()}-py3-none-any.whl"
    with zipfile.ZipFile(built) as archive:
        names = archive.namelist()
        metadata = next(name for name in names if name.endswith(".dist-info/METADATA"))
        headers = Parser().parsestr(archive.read(metadata).decode())
        scripts = archive.read(metadata.replace("METADATA", "entry_points.txt")).decode()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    packages = ("kit", "poco", "protocol", "transactions", "worker")
    assert tops == {"buf", *(f"workerpool_{each}" for each in packages)}
    assert {f"workerpool_{each}/py.typed" for each in packages} <= set(names)
    assert [name for name in names if "__pycache__" in name or name.endswith(".pyc")] == []
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert "poolworker = workerpool_worker.cli.app:main" in scripts
    assert headers["Version"] == source.version()
    assert [each for each in headers.get_all("Requires-Dist", []) if each.startswith("workerpool")] == []


def test_each_module_of_the_members_is_there(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        held = {name for name in archive.namelist() if name.endswith(".py")}
    expected = {
        str(Path(Path(package).name, path.relative_to(member.folder / package)))
        for member in wheel.members()
        for package in member.packages
        for path in (member.folder / package).rglob("*.py")
    }
    assert held == expected


def test_the_time_of_its_files_is_that_of_the_source(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(2023, 11, 14, 22, 13, 20)}


def test_equal_sources_make_equal_bytes(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", EPOCH)
    assert wheel.build(tmp_path).read_bytes() == built.read_bytes()


def test_the_time_is_that_of_the_last_commit_unless_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "17")
    assert source.epoch() == 17
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(BuildError, match="yesterday"):
        source.epoch()


def test_a_failed_step_shows_the_end_of_its_output() -> None:
    with pytest.raises(BuildError, match=r"sh failed with exit code 3:\nsaid"):
        source.run("sh", "-c", "echo said >&2; exit 3")
