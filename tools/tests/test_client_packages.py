"""Which files of a client are generated, and which of them are stale."""

from pathlib import Path

import client_packages
import pytest

TEMPLATE = "version: v2\nplugins:\n  - {local: x, out: clients/go/gen}\n  - {local: y, out: clients/go/gen}\n"


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A repository with a client whose code is generated, and one without."""
    monkeypatch.setattr(client_packages, "ROOT", tmp_path)
    monkeypatch.setattr(client_packages, "CLIENTS", tmp_path / "clients")
    for name in ("go", "python"):
        (tmp_path / "clients" / name).mkdir(parents=True)
        install = tmp_path / "clients" / name / "install"
        install.write_text(f"#!/bin/sh\ntouch clients/{name}/installed\n")
        install.chmod(0o755)
    (tmp_path / "clients/go/buf.gen.yaml").write_text(TEMPLATE)
    (tmp_path / "clients/notes").mkdir()
    return tmp_path


def write(folder: Path, **files: str) -> None:
    """Write generated files of the client below a folder."""
    for name, text in files.items():
        path = folder / "clients/go/gen" / f"{name}.go"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.usefixtures("repository")
def test_each_folder_with_an_install_is_a_client() -> None:
    assert client_packages.languages() == ["go", "python"]
    assert client_packages.generated_languages() == ["go"]
    assert client_packages.outputs("go") == [Path("clients/go/gen")]


def test_changed_missing_and_former_files_are_named(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(repository, same="a", changed="b", former="c")
    monkeypatch.setattr(
        client_packages, "generate", lambda _, target: write(target, same="a", changed="B", missing="d")
    )
    stale = [f"clients/go/gen/{name}.go" for name in ("changed", "former", "missing")]
    assert client_packages.differences("go") == stale
    assert client_packages.main(["check"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"{path} is out of date: run `make clients`" for path in stale
    ]


def test_current_code_passes(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(repository, same="a")
    monkeypatch.setattr(client_packages, "generate", lambda _, target: write(target, same="a"))
    assert client_packages.main(["check", "go"]) == 0


def test_every_client_is_installed_and_a_failure_is_named(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert client_packages.main(["install"]) == 0
    assert all((repository / "clients" / name / "installed").exists() for name in ("go", "python"))
    (repository / "clients/go/install").write_text("#!/bin/sh\nexit 3\n")
    assert client_packages.main(["install"]) == 1
    assert "the clients in go are not installed" in capsys.readouterr().err


def test_an_unknown_command_shows_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert client_packages.main(["build"]) == 2
    assert "client_packages.py generate" in capsys.readouterr().err
