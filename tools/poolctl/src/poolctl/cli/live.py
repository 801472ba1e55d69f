"""The command top: the pool live, refreshed until Ctrl-C."""

import time
from typing import TYPE_CHECKING, Any

import click

from poolctl.cli.session import call, run, session_of, with_output
from poolctl.errors import Unreachable
from poolctl.rendering.output import Output

if TYPE_CHECKING:
    from collections.abc import Callable

    from poolctl.settings import PoolctlSettings

_FASTEST_S, _TASKS = 0.2, 200


def register(app: click.Group) -> None:
    """Add the command to the command line."""
    app.add_command(top)


@click.command
@click.option(
    "--interval",
    "-i",
    type=click.FloatRange(min=_FASTEST_S),
    default=2.0,
    help="Seconds between two refreshes.",
)
@click.option(
    "--count", "-c", type=click.IntRange(min=0), default=0, help="Number of refreshes; 0: until Ctrl-C."
)
@with_output
@click.pass_context
def top(context: click.Context, interval: float, count: int, output: Output | None) -> None:
    """Show the pool live: its problems, the busiest workers, and the tasks that have not ended. Ctrl-C ends it.

    A core that does not answer is shown as such, and queried again. With json, each refresh is one line; with yaml, one
    document.

    \b
    Examples:
      poolctl top
      poolctl top -c 1 -o json | jq .pool.tasks_by_status
    """
    session = session_of(context)
    settings, form = call(session.settings), output or session.output
    run(_watch(settings, form, interval, count))


async def _watch(settings: "PoolctlSettings", form: Output, interval: float, count: int) -> None:
    from poolctl.adapters.services import Services

    async with Services(settings) as services:
        if form is Output.TABLE:
            await _draw(services, interval, count)
        else:
            await _print(services, form, interval, count)


async def _print(services: Any, form: Output, interval: float, count: int) -> None:
    from poolctl.rendering.output import line_of

    async def show() -> None:
        click.echo(line_of(await read_pool(services), form), nl=False)

    await _repeat(show, interval, count)


async def _draw(services: Any, interval: float, count: int) -> None:
    from rich.console import Group
    from rich.live import Live

    from poolctl.rendering.live_view import live_view, outage_view
    from poolctl.rendering.output import console

    out = console()
    with Live(console=out, auto_refresh=False, screen=out.is_terminal and not count) as live:

        async def show() -> None:
            try:
                shown = live_view(
                    await read_pool(services), time.time(), out.height if out.is_terminal else None
                )
            except Unreachable as away:
                if count:
                    raise
                shown = outage_view(away.message, away.next_step)
            live.update(Group(*shown), refresh=True)

        await _repeat(show, interval, count)


async def _repeat(show: "Callable[[], Any]", interval: float, count: int) -> None:
    import asyncio

    done = 0
    while True:
        began = time.monotonic()
        await show()
        done += 1
        if done == count:
            return
        await asyncio.sleep(max(interval - (time.monotonic() - began), _FASTEST_S))


async def read_pool(services: Any) -> dict[str, Any]:
    """Return the pool, its workers and its live tasks at one moment. Raises CommandFailed."""
    import asyncio

    from poolctl.adapters.core import LIVE, Core

    core = Core(services)
    pool, workers, tasks = await asyncio.gather(
        core.status(), core.workers(alive_only=True), core.tasks(statuses=LIVE, limit=_TASKS)
    )
    return {"pool": pool, "workers": workers, "tasks": tasks}
