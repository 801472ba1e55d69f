"""The command line: exit codes, JSON for scripts, and refusals that name the argument or the variable."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from typer.testing import CliRunner, Result
from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.chain.wallet import Wallet
from workerpool_worker.cli import app as commands
from workerpool_worker.cli import leaving, stake, texts
from workerpool_worker.cli.pool_checks import PoolChecks
from workerpool_worker.composition import NAME as SERVICE
from workerpool_worker.domain.diagnosis.findings import Code, Finding, ok, problem, warning
from workerpool_worker.errors import CommandRefused, WorkerNotRunning
from workerpool_worker.settings import WorkerSettings

from services.worker.tests.harness.builders import WORKER

GOOD = ok("engine", "it answers")
WARNING = warning("disk", Code.SECRET_EXPOSED, "almost full", "Free space.")
PROBLEM = problem("disk", Code.DISK_FULL, "full", "Free space.")
WRONG_VERSION = problem("version", Code.WRONG_VERSION, "the pool requires 9.9.9", "Install it.")


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a worker whose scheduler and engine are away."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    monkeypatch.setenv("POOL_ADDRESS", WORKER)
    monkeypatch.setenv("IEXEC_CORE_URL", f"http://127.0.0.1:{port - GRPC_PORT_OFFSET}")
    monkeypatch.setenv("IEXEC_WORKER_BASE_DIR", str(tmp_path / "base"))
    monkeypatch.setenv("IEXEC_WORKER_WALLET_PATH", str(tmp_path / "wallet.json"))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")


def poolworker(*arguments: str) -> Result:
    return CliRunner().invoke(commands.app, arguments)


# --- unusable environments -------------------------------------------------------------------------

COMMANDS = [
    ("status",),
    ("stake", "1"),
    ("withdraw", "1"),
    ("drain",),
    ("stop",),
    ("clean",),
    ("update-check",),
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_every_command_names_each_variable_that_it_cannot_use(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POOL_ADDRESS")
    monkeypatch.setenv("IEXEC_WORKER_PORT", "many")
    answer = poolworker(*arguments)
    assert answer.exit_code == texts.EXIT_SETTINGS
    lines = answer.output.splitlines()
    assert lines[0] == "poolworker: unusable environment; correct these variables:"
    assert [line.split(": ")[1] for line in lines[1:]] == ["IEXEC_WORKER_PORT", "POOL_ADDRESS"]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_every_command_names_the_variables_of_a_certificate(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKERPOOL_TLS_CA", "/nowhere/ca.pem")
    answer = poolworker(*arguments)
    assert answer.exit_code == texts.EXIT_SETTINGS
    assert "/nowhere/ca.pem" in answer.output
    assert "WORKERPOOL_TLS_CERTIFICATE, _KEY, _CA" in answer.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("stake", "0"),
        ("stake", "many"),
        ("stake", "1e999999999"),
        ("withdraw", "0.0000000001"),
        ("stop", "--return-within", "soon"),
        ("stop", "--return-within", "P1Y"),
        ("stop", "--timeout", "nan"),
        ("stop", "--timeout", "-1"),
        ("drain", "--timeout", "inf"),
        ("drain", "--timeout", "nan"),
        ("status", "--days", "nan"),
        ("status", "--days", "inf"),
        ("status", "--days", "1e308"),
        ("status", "--days", "-1"),
        ("unknown",),
    ],
    ids=" ".join,
)
def test_an_unusable_argument_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    answer = poolworker(*arguments)
    assert (answer.exit_code, type(answer.exception)) == (texts.EXIT_SETTINGS, SystemExit)
    assert answer.output


# --- check -----------------------------------------------------------------------------------------


def test_check_names_a_missing_variable_as_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POOL_ADDRESS")
    answer = poolworker("check")
    assert answer.exit_code == texts.EXIT_SETTINGS
    first, second, last = answer.output.splitlines()
    assert first.startswith("PROBLEM  settings       POOL_ADDRESS: not set")
    assert first.endswith("[BAD_SETTING]")
    assert second.strip() == "-> Correct the variable, then run check again."
    assert last == "1 problem and 0 warnings; fix the problem."


def test_check_names_an_unusable_certificate_as_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKERPOOL_TLS_CA", "/nowhere/ca.pem")
    answer = poolworker("check", "--json")
    assert answer.exit_code == texts.EXIT_SETTINGS
    (finding,) = json.loads(answer.output)
    assert (finding["code"], finding["severity"]) == ("BAD_SETTING", "problem")
    assert "/nowhere/ca.pem" in finding["message"]
    assert "WORKERPOOL_TLS_" in finding["next_step"]


def test_check_checks_everything_and_fails_on_a_problem() -> None:
    answer = poolworker("check", "--json")
    assert answer.exit_code == texts.EXIT_FAILED
    found = json.loads(answer.output)
    assert all(
        each.keys() == {"subject", "severity", "message", "code", "why", "next_step"} for each in found
    )
    codes = {each["code"] for each in found}
    assert {"WALLET_UNUSABLE", "NO_ENGINE", "CORE_UNREACHABLE"} <= codes


@pytest.mark.parametrize(
    ("findings", "code"), [([GOOD], 0), ([GOOD, WARNING], 0), ([WARNING, PROBLEM], 1)], ids=str
)
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_only_a_problem_makes_check_fail(
    findings: list[Finding], code: int, form: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def examine(_settings: WorkerSettings, _version: str) -> list[Finding]:
        return findings

    monkeypatch.setattr(commands, "examine", examine)
    answer = poolworker("check", *form)
    assert answer.exit_code == code
    if form:
        assert [each["message"] for each in json.loads(answer.output)] == [each.message for each in findings]
    else:
        assert answer.output.splitlines()[-1] == texts.summary(findings)


def test_a_text_of_the_scheduler_cannot_control_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    async def examine(_settings: WorkerSettings, _version: str) -> list[Finding]:
        return [problem("admission", Code.NO_WORK, "no\nwork", "\x1b[2JAsk.")]

    monkeypatch.setattr(commands, "examine", examine)
    lines = CliRunner().invoke(commands.app, ["check"], color=True).output.splitlines()
    assert (len(lines), "\x1b" in "".join(lines)) == (3, False)
    assert lines[1].endswith("-> \\x1b[2JAsk.")


# --- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refusal", "code", "told"),
    [
        (WorkerNotRunning("no worker runs here"), texts.EXIT_NOT_RUNNING, "no worker runs here"),
        (CommandRefused("the chain\x1b[2J refuses"), texts.EXIT_FAILED, "the chain\\x1b[2J refuses"),
        (KeyboardInterrupt(), texts.EXIT_FAILED, "interrupted"),
    ],
    ids=["not running", "refused", "interrupted"],
)
def test_a_refusal_is_one_sentence_and_an_exit_code(
    refusal: BaseException, code: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def move(*_: Any, **__: Any) -> NoReturn:
        raise refusal

    def run(work: Any) -> Any:
        # An interrupt of the event loop reaches the command as asyncio.run raises it.
        try:
            work.send(None)
        finally:
            work.close()

    monkeypatch.setattr(stake, "move", move)
    if isinstance(refusal, KeyboardInterrupt):
        monkeypatch.setattr(asyncio, "run", run)
    answer = poolworker("stake", "1")
    assert (answer.exit_code, answer.output) == (code, f"poolworker: {told}\n")


@pytest.mark.parametrize("command", ["drain", "stop"])
def test_without_a_worker_there_is_none_to_stop(command: str) -> None:
    answer = poolworker(command)
    assert answer.exit_code == texts.EXIT_NOT_RUNNING
    assert "IEXEC_WORKER_BASE_DIR" in answer.output


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_status_without_a_worker_is_exit_code_3(form: tuple[str, ...]) -> None:
    answer = poolworker("status", *form)
    assert answer.exit_code == texts.EXIT_NOT_RUNNING, answer.output
    if form:
        document = json.loads(answer.output)
        assert (document["pid"], document["pool"]) == (None, WORKER)
        assert "no_work" in document


@pytest.mark.parametrize(
    ("given", "seconds"), [("0", 0.0), ("PT1M", 60.0), ("90.5", 90.5), ("P1D", 86_400.0), ("P2D", 86_400.0)]
)
def test_stop_announces_the_return_within_at_most_a_day(
    given: str, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[float] = []

    def stop(
        _: WorkerSettings, *, return_within_s: float, limit_s: float, say: Callable[[str], None]
    ) -> None:
        told.append(return_within_s)
        say("waiting")

    monkeypatch.setattr(leaving, "stop", stop)
    answer = poolworker("stop", "--return-within", given)
    assert (answer.exit_code, told) == (texts.EXIT_OK, [seconds])
    assert "The worker has stopped." in answer.output


def test_clean_needs_to_know_whose_containers_it_removes() -> None:
    answer = poolworker("clean")
    assert answer.exit_code == texts.EXIT_FAILED
    assert "wallet.json" in answer.output
    assert "IEXEC_WORKER_WALLET_PATH" in answer.output


def test_clean_without_an_engine_is_refused(tmp_path: Path) -> None:
    Wallet.create().write_keystore(tmp_path / "wallet.json", "another password", light=True)
    answer = poolworker("clean")
    assert answer.exit_code == texts.EXIT_FAILED
    assert "start Docker" in answer.output


# --- versions --------------------------------------------------------------------------------------


def test_update_check_without_a_scheduler_is_inconclusive() -> None:
    answer = poolworker("update-check")
    assert answer.exit_code == texts.EXIT_FAILED
    assert "[CORE_UNREACHABLE]" in answer.output


@pytest.mark.parametrize(
    ("findings", "code", "shown"),
    [
        ([GOOD, ok("version", "this is 9.1.0")], 0, ["this is 9.1.0"]),
        ([GOOD, PROBLEM, ok("version", "this is 9.1.0")], 1, ["full"]),
        ([GOOD, WRONG_VERSION], 4, ["requires 9.9.9"]),
        ([GOOD, PROBLEM, WRONG_VERSION], 4, ["full", "requires 9.9.9"]),
    ],
    ids=["right", "another pool", "wrong", "both"],
)
def test_update_check_distinguishes_a_wrong_version_from_other_problems(
    findings: list[Finding], code: int, shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scheduler(_self: object, _version: str) -> list[Finding]:
        return findings

    monkeypatch.setattr(PoolChecks, "scheduler", scheduler)
    answer = poolworker("update-check")
    assert answer.exit_code == code
    lines = [line for line in answer.output.splitlines() if "->" not in line]
    assert len(lines) == len(shown)
    assert all(part in line for part, line in zip(shown, lines, strict=True))


def test_version_shows_its_platform() -> None:
    told = poolworker("version").output.splitlines()
    assert [line.split()[0] for line in told] == ["poolworker", "protocol", "python", "system"]


# --- wallet ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["create", "show"])
def test_a_wallet_without_a_path_names_variable_and_option(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IEXEC_WORKER_WALLET_PATH")
    answer = poolworker("wallet", command)
    assert answer.exit_code == texts.EXIT_SETTINGS
    assert "IEXEC_WORKER_WALLET_PATH" in answer.output
    assert "--path" in answer.output


def test_a_password_is_not_prompted_for_without_a_terminal(tmp_path: Path) -> None:
    answer = poolworker("wallet", "create")
    assert answer.exit_code == texts.EXIT_SETTINGS
    assert "IEXEC_WORKER_WALLET_PASSWORD_FILE" in answer.output
    assert not (tmp_path / "wallet.json").exists()


def test_two_passwords_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "password").write_text("correct horse")
    monkeypatch.setenv("IEXEC_WORKER_WALLET_PASSWORD", "correct horse")
    monkeypatch.setenv("IEXEC_WORKER_WALLET_PASSWORD_FILE", str(tmp_path / "password"))
    answer = poolworker("wallet", "create")
    assert answer.exit_code == texts.EXIT_SETTINGS
    assert "set only one of" in answer.output


def test_the_option_overrides_the_variable(tmp_path: Path) -> None:
    wallet = Wallet.create()
    wallet.write_keystore(tmp_path / "other.json", "correct horse", light=True)
    answer = poolworker("wallet", "show", "--path", str(tmp_path / "other.json"))
    assert (answer.exit_code, answer.output.strip()) == (texts.EXIT_OK, wallet.address)


def test_a_missing_wallet_is_named() -> None:
    answer = poolworker("wallet", "show")
    assert answer.exit_code == texts.EXIT_FAILED
    assert "wallet.json names no address, or cannot be read" in answer.output


# --- run -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("set_before", "meant"), [(None, "PT0S"), ("PT15M", "PT15M")])
def test_run_leaves_for_good_unless_its_environment_says_otherwise(
    set_before: str | None, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = "WORKERPOOL_WORKER_RETURN_WITHIN"
    # Registers the variable, so that the value that the command sets ends with the test.
    monkeypatch.setenv(variable, set_before or "")
    if set_before is None:
        monkeypatch.delenv(variable)
    monkeypatch.setattr(sys, "argv", ["poolworker", "run"])
    seen: list[tuple[str, list[str]]] = []

    def run_service(*_: Any, **__: Any) -> NoReturn:
        seen.append((os.environ[variable], list(sys.argv)))
        raise SystemExit(0)

    monkeypatch.setattr(commands, "run_service", run_service)
    assert poolworker("run").exit_code == 0
    assert seen == [(meant, [SERVICE])]
