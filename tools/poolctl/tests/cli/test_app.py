"""The command line as its user meets it: help that teaches, exit codes, errors without tracebacks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from poolctl.cli.app import app
from poolctl.cli.version import own_version
from poolctl.errors import EXIT_CODES, EXIT_NOT_FOUND, EXIT_UNREACHABLE, EXIT_USAGE
from workerpool_devnet.processes.ports import free_service_ports

RUNNER = CliRunner()


def commands() -> list[list[str]]:
    """Return the words of every command."""
    found: list[list[str]] = []
    for name, command in app.commands.items():
        inner = getattr(command, "commands", {})
        found += [[name, each] for each in inner] or [[name]]
        if getattr(command, "invoke_without_command", False):
            found.append([name])
    return found


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_explains_itself_with_an_example(words: list[str]) -> None:
    result = RUNNER.invoke(app, [*words, "--help"])
    assert result.exit_code == 0
    assert "Example" in result.output
    assert f"poolctl {' '.join(words)}" in result.output or "--pool-dir" in result.output


def test_the_help_documents_every_exit_code() -> None:
    text = " ".join(RUNNER.invoke(app, ["--help"]).output.split())
    for code, meaning in EXIT_CODES.items():
        assert f"{code} {meaning}" in text


def test_the_version_is_printed() -> None:
    assert RUNNER.invoke(app, ["--version"]).output == f"poolctl {own_version()}\n"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--core-url", "nowhere", "status"], EXIT_USAGE, "IEXEC_CORE_URL: expected a URL"),
        (["--pool-dir", "/no/such/folder", "status"], EXIT_USAGE, "is not a folder"),
        (["--core-url", "nowhere", "doctor"], EXIT_USAGE, "IEXEC_CORE_URL: expected a URL"),
        (["tasks", "--deal", "0x1"], EXIT_USAGE, "--deal: expected 0x and 64"),
        (["tasks", "--status", "SLEEPING"], EXIT_USAGE, "SLEEPING is not a status"),
        (["tx", "--state", "LOST"], EXIT_USAGE, "LOST is not a state"),
        (["worker", "drain", "w", "--for", "soon"], EXIT_USAGE, "--for: expected an ISO-8601 duration"),
        (["orders", "list", "--tag", "gpu"], EXIT_USAGE, "--tag: expected a hexadecimal number"),
        (["init", "--chain", "bellecour"], EXIT_USAGE, "needs a public name"),
        (["init", "--description", "x"], EXIT_USAGE, "not set: CHAIN_ID"),
        (["init", "--description", "x", "--stake", "much"], EXIT_USAGE, "--stake: 'much' is not an amount"),
        (["no-such-command"], EXIT_USAGE, "No such command"),
    ],
)
def test_a_wrong_argument_is_named(
    arguments: list[str], code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = RUNNER.invoke(app, arguments)
    assert result.exit_code == code
    assert words in result.output
    assert "Traceback" not in result.output


TASK_ID, WALLET = "0x" + "ab" * 32, "0x" + "ab" * 20
ASK_CORE = [
    *(["status"], ["workers"], ["tasks"], ["top", "--count", "1"]),
    *(["why", TASK_ID], ["task", "show", TASK_ID], ["worker", "show", WALLET]),
]


@pytest.mark.parametrize("words", ASK_CORE, ids=" ".join)
def test_a_core_that_is_away_is_named_with_cause_and_next_step(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url = f"http://127.0.0.1:{free_service_ports().http}"
    result = RUNNER.invoke(app, ["--core-url", url, *words])
    assert result.exit_code == EXIT_UNREACHABLE
    assert f"core at {url} does not answer" in result.output
    assert "connection refused" in result.output
    assert "to do: start it" in result.output


def test_an_unknown_log_names_those_that_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "core.log").write_text("one\x1b[2J\n")
    monkeypatch.setenv("POOLCTL_SERVICE_LOGS", str(tmp_path))
    result = RUNNER.invoke(app, ["logs", "adapter"])
    assert (result.exit_code, "choose from: core" in result.output) == (EXIT_NOT_FOUND, True)
    assert RUNNER.invoke(app, ["logs", "core"]).output == "one\\x1b[2J\n"


def test_the_options_before_a_command_become_settings(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PROD_CORE_HOST=127.0.0.1\n")
    result = RUNNER.invoke(app, ["--pool-dir", str(tmp_path), "status"])
    assert result.exit_code == EXIT_UNREACHABLE
    assert "core at http://127.0.0.1:7001" in result.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_its_completion(shell: str) -> None:
    environment = {"PATH": os.environ["PATH"], "_POOLCTL_COMPLETE": f"{shell}_source", "HOME": "/nonexistent"}
    command = [str(Path(sys.executable).with_name("poolctl"))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert "poolctl" in done.stdout
    assert "Traceback" not in done.stderr
    printed = RUNNER.invoke(app, ["completion", shell])
    assert printed.output.strip() == done.stdout.strip()
