"""Commands that show logs and collect what support needs: logs and debug."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from poolctl.cli.session import call, now, run, say, session_of, usage
from poolctl.cli.setup import variables_of
from poolctl.cli.version import own_version

if TYPE_CHECKING:
    from poolctl.settings import PoolctlSettings

_LINES = click.IntRange(min=0, max=100_000)


def register(app: click.Group) -> None:
    """Add the commands to the command line."""
    app.add_command(logs)
    app.add_command(debug)


@click.command
@click.argument("name", metavar="SERVICE|TASK")
@click.option("--follow", "-f", is_flag=True, help="Follow new lines until Ctrl-C.")
@click.option("--tail", "-n", type=_LINES, default=100, help="Number of last lines to print first.")
@click.pass_context
def logs(context: click.Context, name: str, follow: bool, tail: int) -> None:
    """Print the log of a service, such as core or order-publisher-std; or, for the id of a task, what its apps wrote.

    The lines of a service come from the folder that POOLCTL_SERVICE_LOGS names, else from docker compose in the pool's
    folder. Those of a task come from core, which shows them to its operator; with -f until the task has ended.

    \b
    Examples:
      poolctl --pool-dir /opt/core logs order-publisher-std
      poolctl logs core -f -n 20 | jq 'select(.level == "error")'
      poolctl logs 0x3f1c9a -f
    """
    from poolctl.adapters.support.service_logs import logs_of

    session = session_of(context)
    settings = call(session.settings)
    if name.startswith("0x"):
        run(_task_logs(settings, name, follow=follow, tail=tail))
        return
    source = call(lambda: logs_of(session.folder, settings.service_logs))

    async def show() -> None:
        if not follow:
            for line in await source.last(name, tail):
                print_line(line)
            return
        async for line in source.follow(name, tail):
            print_line(line)

    run(show())


async def _task_logs(settings: "PoolctlSettings", name: str, *, follow: bool, tail: int) -> None:
    from poolctl.adapters.core import Core
    from poolctl.adapters.services import Services
    from poolctl.domain.texts import short

    async with Services(settings) as services:
        core = Core(services)
        task, shown = await core.task_id_of(name), ""
        async for piece in core.task_logs(task, worker="", follow=follow, tail=tail):
            heading = f"--- {short(piece['wallet_address'])} {piece['stream'].lower()}"
            if heading != shown:
                print_line(heading)
                shown = heading
            if piece["gap_before"]:
                print_line("… output is missing here: it was not kept")
            print_line(piece["text"].removesuffix("\n"))


def print_line(line: str) -> None:
    """Print a line of a foreign log without terminal control sequences."""
    from workerpool_kit.text.printable import printable_block

    click.echo(printable_block(line))


@click.command
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Archive to write. Default: poolctl-debug-TIME.tar.gz in this folder.",
)
@click.option("--tail", "-n", type=_LINES, default=1_000, help="Last lines of each log.")
@click.pass_context
def debug(context: click.Context, out: Path | None, tail: int) -> None:
    """Write an archive for support: versions, settings, health, metrics, logs, and live tasks with their reasons.

    Passwords, keys and tokens are replaced by ***: those of the settings wherever they occur, and what looks like one.
    Review the archive before you send it. What could not be read is listed in missing.json.

    \b
    Examples:
      poolctl --pool-dir /opt/core debug
      poolctl debug --out /tmp/pool.tar.gz && tar -tzf /tmp/pool.tar.gz
    """
    from rich.progress import BarColumn, Progress, TextColumn

    from poolctl.adapters.checks.host_facts import secrets_in
    from poolctl.adapters.progress import stderr_console
    from poolctl.adapters.support.bundle import Bundle, fill
    from poolctl.domain.redaction import Redaction

    session = session_of(context)
    settings = call(session.settings)
    variables = call(lambda: variables_of(session))
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now()))
    path = out or Path(f"poolctl-debug-{stamp}.tar.gz")
    if path.exists():
        usage(f"{path} exists", "name another file with --out")
    bundle = Bundle(Redaction(secrets_in(variables, session.folder)))
    with Progress(
        TextColumn("{task.description}"), BarColumn(), console=stderr_console(), transient=True
    ) as progress:
        bar = progress.add_task("collecting", total=4)

        def step(name: str) -> None:
            progress.update(bar, description=f"collecting {name}", advance=1)

        run(
            fill(
                bundle,
                settings,
                variables,
                session.folder,
                now=now(),
                version=own_version(),
                log_lines=tail,
                say=step,
            )
        )
    call(lambda: bundle.write(path, f"poolctl-debug-{stamp}", now()))
    click.echo(str(path))
    if bundle.missing:
        say(f"not everything could be read: {', '.join(sorted(bundle.missing))}; missing.json says why")
