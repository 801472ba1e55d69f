"""The command `poolworker`: one function per command, which delegates, prints, and sets the exit code."""

import asyncio
import json
import math
import os
import platform
import sys
import time
from collections.abc import Callable, Coroutine, Iterable
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from workerpool_kit import logs
from workerpool_kit.process import help_text, run_service
from workerpool_kit.protocol_version import PROTOCOL_VERSION
from workerpool_kit.settings.environment import SettingsError, load
from workerpool_kit.settings.types import parse_duration
from workerpool_kit.text.printable import printable
from workerpool_kit.tls.material import TlsError
from workerpool_poco.protocol.encoding.amounts import parse_rlc, rlc

from workerpool_worker.cli import leaving, leftovers, stake, texts
from workerpool_worker.cli import status as status_command
from workerpool_worker.cli import wallet as wallets
from workerpool_worker.cli.check import examine
from workerpool_worker.cli.environment import NAME, enter, own_version
from workerpool_worker.cli.local_checks import stored_address, wallet_finding
from workerpool_worker.cli.pool_checks import PoolChecks
from workerpool_worker.composition import ABOUT, serve
from workerpool_worker.composition import NAME as SERVICE
from workerpool_worker.domain.diagnosis.findings import Code, Finding, Severity, has_problem, problem
from workerpool_worker.domain.diagnosis.status_report import lines, why_no_work
from workerpool_worker.errors import CommandRefused, WorkerNotRunning
from workerpool_worker.settings import WorkerSettings

T = TypeVar("T")
_RETURN_WITHIN, _LEAVES = "WORKERPOOL_WORKER_RETURN_WITHIN", "PT0S"
_LONGEST_S, _MAX_DAYS = 86_400.0, 36_500.0

app = typer.Typer(
    name=NAME,
    help=texts.ABOUT,
    epilog=texts.EXIT_CODES,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
wallet_app = typer.Typer(help="Create a wallet, or show one.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(wallet_app, name="wallet")


def _finite(value: float | None) -> float | None:
    """Refuse what Python reads as a number and no clock reaches."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter("give a finite number")
    return value


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, for scripts.")]


def _fail(code: int, *problems: str) -> NoReturn:
    for each in problems:
        typer.echo(f"{NAME}: {printable(each)}", err=True)
    raise typer.Exit(code)


def _print(text_lines: Iterable[str]) -> None:
    for line in text_lines:
        typer.echo(printable(line))


def _settings() -> WorkerSettings:
    try:
        return enter()
    except SettingsError as error:
        _fail(texts.EXIT_SETTINGS, "unusable environment; correct these variables:", *error.problems)
    except TlsError as error:
        _fail(texts.EXIT_SETTINGS, f"{error} (WORKERPOOL_TLS_CERTIFICATE, _KEY, _CA, _CLIENT_CA)")


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run the work of a command; a refusal ends the command with its sentence."""
    try:
        return asyncio.run(work)
    except WorkerNotRunning as refused:
        _fail(texts.EXIT_NOT_RUNNING, refused.message)
    except CommandRefused as refused:
        _fail(texts.EXIT_FAILED, refused.message)
    except KeyboardInterrupt:
        _fail(texts.EXIT_FAILED, "interrupted")


def _call(work: Callable[[], T]) -> T:
    """Run blocking work of a command; a refusal ends the command with its sentence."""
    try:
        return work()
    except WorkerNotRunning as refused:
        _fail(texts.EXIT_NOT_RUNNING, refused.message)
    except CommandRefused as refused:
        _fail(texts.EXIT_FAILED, refused.message)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{NAME} {own_version()}")
        raise typer.Exit


@app.callback()
def about(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options of all commands."""


def _show_settings(wanted: bool) -> None:
    if wanted:
        typer.echo(help_text(WorkerSettings, f"{NAME} run", f"{ABOUT}\n{run.__doc__}"))
        raise typer.Exit


@app.command(add_help_option=False)
def run(
    _help: Annotated[
        bool, typer.Option("--help", "-h", callback=_show_settings, is_eager=True, help="List the settings.")
    ] = False,
) -> None:
    """Run the worker in the foreground until a signal ends it; --help lists every setting.

    SIGTERM and SIGINT make it leave for good, unless WORKERPOOL_WORKER_RETURN_WITHIN says when it is back: it finishes
    transactions and uploads within WORKERPOOL_WORKER_STOP_TIMEOUT and hands its other tasks over. SIGUSR1 drains it.
    """
    os.environ.setdefault(_RETURN_WITHIN, _LEAVES)
    sys.argv = [SERVICE]
    run_service(WorkerSettings, serve, name=SERVICE, about=ABOUT)


@app.command()
def check(as_json: AsJson = False) -> None:
    """Find what keeps this host from working, and how to fix it. Changes nothing.

    Checks settings, wallet, base folder, disk, container engine, clock, scheduler, whitelist, version, node, stake,
    gas and result proxy within 30 s. Exit code 0: the host can work. 1: a problem was found.
    """
    logs.configure(NAME, "ERROR")
    try:
        findings = _run(examine(enter(), own_version()))
        code = texts.EXIT_FAILED if has_problem(findings) else texts.EXIT_OK
    except SettingsError as error:
        findings = [
            problem("settings", Code.BAD_SETTING, each, "Correct the variable, then run check again.")
            for each in error.problems
        ]
        code = texts.EXIT_SETTINGS
    except TlsError as error:
        findings = [
            problem("settings", Code.BAD_SETTING, str(error), "Correct the WORKERPOOL_TLS_ variables.")
        ]
        code = texts.EXIT_SETTINGS
    if as_json:
        typer.echo(json.dumps([each.document() for each in findings], indent=2))
    else:
        _print(texts.finding_lines(findings))
        typer.echo(texts.summary(findings))
    raise typer.Exit(code)


@app.command()
def status(
    days: Annotated[
        float,
        typer.Option(
            min=0,
            max=_MAX_DAYS,
            callback=_finite,
            help="Days for which earnings are summed up, as far as 3 s of reading allow.",
        ),
    ] = 7.0,
    as_json: AsJson = False,
) -> None:
    """Show what the worker does and earns, and why it gets no work, within ten seconds.

    Reads the journal and the health of the worker of this host, the scheduler and the chain. Exit code 3: no worker
    runs here.
    """
    report = _run(status_command.read_status(_settings(), own_version(), days=days))
    if as_json:
        typer.echo(json.dumps(asdict(report) | {"no_work": why_no_work(report)}, indent=2))
    else:
        _print(lines(report, time.time()))
    raise typer.Exit(texts.EXIT_NOT_RUNNING if report.pid is None else texts.EXIT_OK)


def _wallet_settings() -> wallets.WalletFileSettings:
    try:
        return load(wallets.WalletFileSettings)
    except SettingsError as error:
        _fail(texts.EXIT_SETTINGS, *error.problems)


WalletPath = Annotated[
    Path | None, typer.Option(help="Key store file. Default: IEXEC_WORKER_WALLET_PATH.", show_default=False)
]


def _path(given: Path | None, settings: wallets.WalletFileSettings) -> Path:
    path = given or settings.wallet_path
    if path is None:
        _fail(texts.EXIT_SETTINGS, "name the key store file: set IEXEC_WORKER_WALLET_PATH, or give --path")
    return path


@wallet_app.command("create")
def wallet_create(path: WalletPath = None) -> None:
    """Create a wallet in a key store file that only you can read, and print its address.

    The password comes from IEXEC_WORKER_WALLET_PASSWORD or IEXEC_WORKER_WALLET_PASSWORD_FILE; without them you are
    prompted. Back up file and password: a lost wallet cannot be restored. An existing file is not overwritten.
    """
    settings = _wallet_settings()
    target = _path(path, settings)
    if settings.wallet_password is not None:
        password = settings.wallet_password.get_secret_value()
    elif sys.stdin.isatty():
        password = typer.prompt("Password of the new wallet", hide_input=True, confirmation_prompt=True)
    else:
        _fail(texts.EXIT_SETTINGS, "set IEXEC_WORKER_WALLET_PASSWORD or IEXEC_WORKER_WALLET_PASSWORD_FILE")
    address = _call(lambda: wallets.create(target, password))
    typer.echo(address)
    typer.echo(f"Written to {target}. Send it coins for gas, and RLC for its stake.", err=True)


@wallet_app.command("show")
def wallet_show(path: WalletPath = None) -> None:
    """Print the address of the wallet. With a password in the environment, also prove that it opens the file."""
    settings = _wallet_settings()
    secret = settings.wallet_password
    password = secret.get_secret_value() if secret is not None else None
    typer.echo(_call(lambda: wallets.show(_path(path, settings), password)))


Amount = Annotated[str, typer.Argument(help="Amount in RLC, such as 12 or 12.5.")]


def _move(amount: str, *, deposit: bool) -> None:
    try:
        nrlc = parse_rlc(amount)
    except ValueError as wrong:
        _fail(texts.EXIT_SETTINGS, str(wrong))
    say: Callable[[str], None] = lambda text: typer.echo(text, err=True)  # noqa: E731
    moved = _run(stake.move(_settings(), nrlc, deposit=deposit, say=say))
    typer.echo(f"{'Deposited' if deposit else 'Withdrew'} {rlc(nrlc)} by transaction {moved.transaction}.")
    typer.echo(f"The stake is now {rlc(moved.stake)} free and {rlc(moved.locked)} locked.")


@app.command("stake")
def stake_command(amount: Amount) -> None:
    """Deposit RLC of the worker's wallet in the hub. Each contribution to a task with a price locks a part of it."""
    _move(amount, deposit=True)


@app.command()
def withdraw(amount: Amount) -> None:
    """Withdraw free stake from the hub to the worker's wallet; contributions keep stake locked until they are paid."""
    _move(amount, deposit=False)


def _said(text: str) -> None:
    typer.echo(text, err=True)


@app.command()
def drain(
    limit_s: Annotated[
        float | None,
        typer.Option(
            "--timeout", min=0, callback=_finite, help="Seconds to wait for its end; default: no limit."
        ),
    ] = None,
) -> None:
    """Let the worker finish its tasks, accept no new ones, and stop; wait for its end.

    The scheduler and status show that it drains. Nothing is lost, so use it to leave a pool, and to upgrade
    when there is no hurry. Exit code 3: no worker runs here.
    """
    settings = _settings()
    _call(lambda: leaving.drain(settings, limit_s=limit_s, say=_said))
    typer.echo("The worker has finished its tasks and stopped.")


@app.command()
def stop(
    return_within: Annotated[
        str,
        typer.Option(
            help="Time within which the worker is back, in seconds or as ISO 8601. 0: it leaves for good, and its "
            "uncontributed tasks go to other workers at once. PT1M: a restart. PT15M: an upgrade; until then apps keep "
            "running and the scheduler keeps their tasks."
        ),
    ] = "0",
    limit_s: Annotated[
        float, typer.Option("--timeout", min=0, callback=_finite, help="Seconds to wait for its end.")
    ] = 60.0,
) -> None:
    """Stop the worker now, and announce to the scheduler whether and when it will be back."""
    try:
        seconds = parse_duration(return_within)
    except ValueError as wrong:
        _fail(texts.EXIT_SETTINGS, f"--return-within: {wrong}")
    settings = _settings()
    _call(
        lambda: leaving.stop(settings, return_within_s=min(seconds, _LONGEST_S), limit_s=limit_s, say=_said)
    )
    typer.echo("The worker has stopped.")


@app.command()
def clean(
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Also give up the replicates in the journal: unrevealed contributions lose their stake.",
        ),
    ] = False,
) -> None:
    """Remove the containers, networks, folders and images of the stopped worker of this wallet, and no others.

    Keeps replicates in the journal with their files, so that the next start continues them; --force removes them.
    """
    settings = _settings()
    done = _run(_clean(settings, force=force))
    typer.echo(
        f"Removed the containers of {len(done.containers)} tasks, the folders of {len(done.folders)}, "
        f"{done.replicates} replicates and {len(done.images)} images."
    )


async def _clean(settings: WorkerSettings, *, force: bool) -> leftovers.Cleaned:
    address = stored_address(settings.wallet_path)
    if address is None:
        finding, address = await wallet_finding(settings)
        if address is None:
            raise CommandRefused(f"{finding.message}. {finding.next_step}")
    return await leftovers.clean(settings, address, force=force)


@app.command()
def version() -> None:
    """Print the versions of the worker, of the protocol that it speaks to the scheduler, and of what it runs on."""
    typer.echo(f"{NAME} {own_version()}")
    typer.echo(f"protocol {PROTOCOL_VERSION}")
    typer.echo(f"python {platform.python_version()}")
    typer.echo(f"system {platform.system()} {platform.release()} {platform.machine()}")


@app.command("update-check")
def update_check() -> None:
    """Compare this version with the one that the pool requires. Exit code 4: install another version."""
    settings = _settings()
    findings = _run(_scheduler(settings))
    wrong = [each for each in findings if each.severity is Severity.PROBLEM]
    _print(texts.finding_lines(wrong or [each for each in findings if each.subject == "version"]))
    if any(each.code is Code.WRONG_VERSION for each in wrong):
        raise typer.Exit(texts.EXIT_UPDATE)
    raise typer.Exit(texts.EXIT_FAILED if wrong else texts.EXIT_OK)


async def _scheduler(settings: WorkerSettings) -> list[Finding]:
    async with AsyncExitStack() as stack:
        return await PoolChecks(settings, stack).scheduler(own_version())


def main() -> None:
    """Run the command line."""
    # Assume a wide terminal where the width is unknown, so that a log line is one line.
    os.environ.setdefault("COLUMNS", "120")
    app()


if __name__ == "__main__":
    main()
