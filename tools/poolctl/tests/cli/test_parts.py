"""The parts of the commands that decide something themselves."""

import asyncio
import json
from pathlib import Path

import click
import pytest
from poolctl.cli import chain, completion, init, live, pool, setup, support, tasks, workers
from poolctl.cli.session import Session, call, fail, first, now, run
from poolctl.domain.diagnosis.findings import Code, problem
from poolctl.errors import EXIT_INTERRUPTED, EXIT_REFUSED, Refused
from poolctl.folder import POOL_DIR


def test_every_part_adds_its_commands() -> None:
    app = click.Group()
    for part in (chain, completion, init, live, pool, setup, support, tasks, workers):
        part.register(app)
    assert {
        "status",
        "top",
        "doctor",
        "debug",
        "logs",
        "tx",
        "tasks",
        "why",
        "workers",
        "init",
    } <= app.commands.keys()


def test_a_failure_ends_with_cause_next_step_and_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(click.exceptions.Exit) as ended:
        fail(Refused("core says\nno\x1b[2J", "set the password"))
    assert ended.value.exit_code == EXIT_REFUSED
    assert (
        capsys.readouterr().err
        == "poolctl: core says\npoolctl: no\\x1b[2J\npoolctl: to do: set the password\n"
    )


def test_a_truncated_list_is_reported_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert first([1, 2], 2, "task") == [1, 2]
    assert capsys.readouterr().err == ""
    assert first([1, 2, 3], 2, "task") == [1, 2]
    told = "poolctl: these are 2 tasks, and there are more: --limit sets how many are listed\n"
    assert capsys.readouterr().err == told


def test_an_interrupt_ends_silently() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    async def interrupt_loop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(click.exceptions.Exit) as ended:
        call(interrupt)
    assert ended.value.exit_code == EXIT_INTERRUPTED
    with pytest.raises(click.exceptions.Exit) as ended:
        run(interrupt_loop())
    assert ended.value.exit_code == EXIT_INTERRUPTED


def test_the_folder_is_that_of_the_flag_or_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(POOL_DIR, "/elsewhere")
    assert Session().folder == Path("/elsewhere")
    assert Session({POOL_DIR: str(tmp_path)}).folder == tmp_path


def test_doctor_and_debug_see_env_environment_and_flags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("PROD_A=file\nPROD_B=file\nOTHER=file\n")
    monkeypatch.setenv("PROD_B", "environment")
    monkeypatch.setenv("UNRELATED_PASSWORD", "x")
    found = setup.variables_of(Session({POOL_DIR: str(tmp_path)}))
    assert (found["PROD_A"], found["PROD_B"], found["OTHER"]) == ("file", "environment", "file")
    assert "UNRELATED_PASSWORD" not in found


def test_findings_are_a_document_for_programs() -> None:
    document = setup.document_of([problem("disk", Code.DISK_FULL, "full", "why", "do")])
    assert json.loads(json.dumps(document))[0] == {
        "subject": "disk",
        "severity": "problem",
        "message": "full",
        "code": "DISK_FULL",
        "why": "why",
        "next_step": "do",
    }


def test_top_refreshes_the_given_number_of_times() -> None:
    looks: list[float] = []

    async def look() -> None:
        looks.append(now())

    asyncio.run(live._repeat(look, 0.01, 2))
    assert len(looks) == 2


@pytest.mark.parametrize(("text", "nrlc"), [("0", 0), ("0.0", 0), ("", 0), ("1.5", 1_500_000_000)])
def test_amounts_of_init_are_rlc(text: str, nrlc: int) -> None:
    assert init._nrlc("--stake", text) == nrlc


def test_a_log_line_cannot_control_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    support.print_line("a\x1b[2Jb")
    assert capsys.readouterr().out == "a\\x1b[2Jb\n"
