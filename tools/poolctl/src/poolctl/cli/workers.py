"""Commands about workers: the list, one worker, and instructions to it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

import typer

from poolctl.cli.session import Form, first, now, print_answer, run, say, settings_of, usage
from poolctl.errors import CommandFailed

worker_app = typer.Typer(help="Show or manage one worker.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[
    str, typer.Argument(metavar="WORKER", help="Wallet of the worker, the head of it, or its public name.")
]
Time = Annotated[
    str | None,
    typer.Option(
        "--for", help="Seconds, or ISO 8601 such as PT2H. Default: until you end it.", show_default=False
    ),
]
_DRAINED_POLL_S = 1.0
_MOST = 100_000


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("workers")(workers)
    app.add_typer(worker_app, name="worker")


def workers(
    context: typer.Context,
    alive: Annotated[
        bool, typer.Option("--alive", help="Only workers heard from within the last minute.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="Most workers to list, by wallet.")] = 50,
    output: Form = None,
) -> None:
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


@worker_app.command("show")
def show_worker(context: typer.Context, name: Name, output: Form = None) -> None:
    """Show one worker: host, slots, tasks.

    \b
    Example:
      poolctl worker show worker-1
    """
    _act(context, name, _worker, output)


@worker_app.command()
def drain(
    context: typer.Context,
    name: Name,
    time: Time = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Return when the worker holds no task any more.")
    ] = False,
    output: Form = None,
) -> None:
    """Stop assigning tasks to a worker, for maintenance of its host; its current tasks finish.

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


@worker_app.command()
def undrain(context: typer.Context, name: Name, output: Form = None) -> None:
    """Assign tasks to a drained worker again.

    \b
    Example:
      poolctl worker undrain worker-1
    """
    _act(context, name, lambda core, wallet: core.undrain(wallet), output)


@worker_app.command()
def quarantine(context: typer.Context, name: Name, time: Time = None, output: Form = None) -> None:
    """Stop assigning tasks to a worker that you distrust; its current tasks finish. `release` ends it.

    \b
    Examples:
      poolctl worker quarantine worker-1
      poolctl worker quarantine 0x3f1c --for PT12H
    """
    seconds = _seconds(time)
    _act(context, name, lambda core, wallet: core.quarantine(wallet, for_s=seconds), output)


@worker_app.command()
def release(context: typer.Context, name: Name, output: Form = None) -> None:
    """End a worker's quarantine, which repeated failures or you caused.

    \b
    Example:
      poolctl worker release worker-1
    """
    _act(context, name, lambda core, wallet: core.release(wallet), output)


def _act(
    context: typer.Context,
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
