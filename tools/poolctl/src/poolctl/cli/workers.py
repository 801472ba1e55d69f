"""Commands about workers: the list, one worker, and instructions to it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import click

from poolctl.cli.session import (
    first,
    limit_option,
    now,
    print_answer,
    run,
    say,
    settings_of,
    usage,
    with_output,
)
from poolctl.errors import CommandFailed
from poolctl.rendering.output import Output

_with_name = click.argument("name", metavar="WORKER")
_with_time = click.option(
    "--for", "time", help="Seconds, or ISO 8601 such as PT2H. Default: until you end it."
)
_DRAINED_POLL_S = 1.0


def register(app: click.Group) -> None:
    """Add the commands to the command line."""
    app.add_command(workers)
    app.add_command(worker)


@click.command
@click.option("--alive", is_flag=True, help="Only workers heard from within the last minute.")
@limit_option(50, "Most workers to list, by wallet.")
@with_output
@click.pass_context
def workers(context: click.Context, alive: bool, limit: int, output: Output | None) -> None:
    """List the workers: what each does, and why it gets no work.

    \b
    Examples:
      poolctl workers --alive
      poolctl workers --limit 10000 -o json | jq '.[] | select(.quarantined_until) | .wallet_address'
    """
    from poolctl.adapters.core import Core
    from poolctl.adapters.services import Services

    async def read() -> Sequence[dict[str, Any]]:
        async with Services(settings_of(context)) as services:
            return await Core(services).workers(alive_only=alive, limit=limit + 1)

    def view(document: Any) -> Any:
        from poolctl.rendering.pool_views import workers_view

        return workers_view(document, now())

    print_answer(context, first(run(read()), limit, "worker"), view, output)


@click.group
def worker() -> None:
    """Show or manage one worker."""


@worker.command("show")
@_with_name
@with_output
@click.pass_context
def show_worker(context: click.Context, name: str, output: Output | None) -> None:
    """Show one worker: host, slots, tasks.

    Name the worker by its wallet, the head of it, or its public name.

    \b
    Example:
      poolctl worker show worker-1
    """
    _act(context, name, _worker, output)


@worker.command
@_with_name
@_with_time
@click.option("--wait", is_flag=True, help="Return when the worker holds no task any more.")
@with_output
@click.pass_context
def drain(context: click.Context, name: str, time: str | None, wait: bool, output: Output | None) -> None:
    """Stop assigning tasks to a worker, for maintenance of its host; its current tasks finish.

    Name the worker by its wallet, the head of it, or its public name.

    \b
    Examples:
      poolctl worker drain worker-1 --for PT2H
      poolctl worker drain 0x3f1c --wait
    """
    seconds = _seconds(time)

    async def act(core: Any, wallet: str) -> dict[str, Any]:
        drained: dict[str, Any] = await core.drain(wallet, for_s=seconds)
        # In one event loop: gRPC complains about a second one in a process.
        return await _until_idle(core, wallet) if wait else drained

    _act(context, name, act, output)


@worker.command
@_with_name
@with_output
@click.pass_context
def undrain(context: click.Context, name: str, output: Output | None) -> None:
    """Assign tasks to a drained worker again.

    Name the worker by its wallet, the head of it, or its public name.

    \b
    Example:
      poolctl worker undrain worker-1
    """
    _act(context, name, lambda core, wallet: core.undrain(wallet), output)


@worker.command
@_with_name
@_with_time
@with_output
@click.pass_context
def quarantine(context: click.Context, name: str, time: str | None, output: Output | None) -> None:
    """Stop assigning tasks to a worker that you distrust; its current tasks finish. `release` ends it.

    Name the worker by its wallet, the head of it, or its public name.

    \b
    Examples:
      poolctl worker quarantine worker-1
      poolctl worker quarantine 0x3f1c --for PT12H
    """
    seconds = _seconds(time)
    _act(context, name, lambda core, wallet: core.quarantine(wallet, for_s=seconds), output)


@worker.command
@_with_name
@with_output
@click.pass_context
def release(context: click.Context, name: str, output: Output | None) -> None:
    """End a worker's quarantine, which repeated failures or you caused.

    Name the worker by its wallet, the head of it, or its public name.

    \b
    Example:
      poolctl worker release worker-1
    """
    _act(context, name, lambda core, wallet: core.release(wallet), output)


def _act(
    context: click.Context,
    name: str,
    act: Callable[[Any, str], Awaitable[dict[str, Any]]],
    output: Any,
) -> None:
    from poolctl.adapters.core import Core
    from poolctl.adapters.services import Services

    async def work() -> dict[str, Any]:
        async with Services(settings_of(context)) as services:
            core = Core(services)
            return await act(core, await core.wallet_of(name))

    def view(document: Any) -> Any:
        from poolctl.rendering.pool_views import worker_view

        return worker_view(document, now())

    print_answer(context, run(work()), view, output)


async def _worker(core: Any, wallet: str) -> dict[str, Any]:
    answer: dict[str, Any] = await core.worker(wallet)
    if answer["worker"] is None:
        raise CommandFailed(f"core returns nothing about the worker {wallet}", "read core's log")
    found: dict[str, Any] = answer["worker"]
    return found


async def _until_idle(core: Any, wallet: str) -> dict[str, Any]:
    """Wait until a worker holds no task; show how many are left."""
    import asyncio

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from poolctl.adapters.progress import stderr_console

    worker = await _worker(core, wallet)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stderr_console(), transient=True) as progress:
        bar = progress.add_task("tasks ended", total=len(worker["task_ids"]))
        while worker["task_ids"]:
            await asyncio.sleep(_DRAINED_POLL_S)
            worker = await _worker(core, wallet)
            total = max(int(progress.tasks[0].total or 0), len(worker["task_ids"]))
            progress.update(bar, total=total, completed=total - len(worker["task_ids"]))
    say(f"the worker {wallet} holds no task")
    return worker


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    from workerpool_kit.settings.types import parse_duration

    try:
        seconds = parse_duration(text)
    except ValueError as wrong:
        usage(f"--for: {wrong}")
    if seconds <= 0:
        usage("--for: give a time above 0", "omit --for to set no end")
    return seconds
