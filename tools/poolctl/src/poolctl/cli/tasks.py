"""Commands about tasks: the list, one task with its timeline, and why something waits or failed."""

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from poolctl.cli.session import (
    first,
    limit_option,
    now,
    print_answer,
    run,
    settings_of,
    text_option,
    usage,
    with_output,
)
from poolctl.domain.explanations import Explanation, explain_task, explain_unregistered, explain_worker
from poolctl.rendering.output import Output

_ID, _ADDRESS = re.compile(r"0x[0-9a-f]{64}", re.IGNORECASE), re.compile(r"(0x[0-9a-fA-F]{40})?")
_SHORT_OF_A_WALLET = 42


def register(app: click.Group) -> None:
    """Add the commands to the command line."""
    app.add_command(tasks)
    app.add_command(task)
    app.add_command(why)


def _check_statuses(_context: click.Context, _parameter: click.Parameter, values: Sequence[str]) -> list[str]:
    from poolctl.adapters.core import STATUSES

    wanted = [each.upper() for each in values]
    if unknown := [each for each in wanted if each not in STATUSES]:
        raise click.BadParameter(f"{unknown[0]} is not a status; choose from {', '.join(STATUSES)}")
    return wanted


def _complete_status(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    from poolctl.adapters.core import STATUSES

    return [each for each in STATUSES if each.startswith(incomplete.upper())]


@click.command
@click.option(
    "--status",
    multiple=True,
    help="Only tasks in this status, such as RUNNING or FAILED; may be repeated.",
    callback=_check_statuses,
    shell_complete=_complete_status,
)
@click.option("--live", is_flag=True, help="Only tasks that have not ended.")
@text_option("--deal", help="Only tasks of this deal.")
@text_option("--requester", help="Only tasks of this requester.")
@text_option("--worker", help="Only tasks that this worker took part in (its wallet).")
@limit_option(50, "Most tasks to list, of the newest deals.")
@with_output
@click.pass_context
def tasks(
    context: click.Context,
    status: Sequence[str],
    live: bool,
    deal: str,
    requester: str,
    worker: str,
    limit: int,
    output: Output | None,
) -> None:
    """List tasks, those of the newest deal first, and why each waits or failed.

    \b
    Examples:
      poolctl tasks --live
      poolctl tasks --status FAILED --limit 500 -o json
      poolctl tasks --deal 0x52ab…
    """
    from poolctl.adapters.core import LIVE, Core
    from poolctl.adapters.services import Services

    if deal and not _ID.fullmatch(deal):
        usage("--deal: expected 0x and 64 hexadecimal digits", "`poolctl deals` lists them")
    if not _ADDRESS.fullmatch(requester) or not _ADDRESS.fullmatch(worker):
        usage("--requester, --worker: expected an address of 0x and 40 hexadecimal digits")

    async def read() -> Sequence[dict[str, Any]]:
        async with Services(settings_of(context)) as services:
            return await Core(services).tasks(
                statuses=LIVE if live else status,
                deal=deal.lower(),
                requester=requester,
                worker=worker,
                limit=limit + 1,
            )

    def view(document: Any) -> Any:
        from poolctl.rendering.task_views import tasks_view

        return tasks_view(document, now())

    print_answer(context, first(run(read()), limit, "task"), view, output)


@click.group
def task() -> None:
    """Show one task."""


@task.command("show")
@click.argument("name", metavar="TASK")
@with_output
@click.pass_context
def show_task(context: click.Context, name: str, output: Output | None) -> None:
    """Show a task with the timeline of every replicate: statuses, causes, sides, transactions.

    Name the task by its id or the first characters of it: 0x and 4 digits or more.

    \b
    Examples:
      poolctl task show 0x3f1c9a
      poolctl task show 0x3f1c9a -o yaml
    """
    from poolctl.adapters.core import Core
    from poolctl.adapters.services import Services

    async def read() -> dict[str, Any]:
        async with Services(settings_of(context)) as services:
            core = Core(services)
            return await core.task(await core.task_id_of(name))

    def view(document: Any) -> Any:
        from poolctl.rendering.task_views import task_view

        return task_view(document, now())

    print_answer(context, run(read()), view, output)


@click.command
@click.argument("name", metavar="TASK|WORKER")
@with_output
@click.pass_context
def why(context: click.Context, name: str, output: Output | None) -> None:
    """Explain in one step why a task waits or failed, or why a worker gets no work: cause, side, next step.

    Name the task by its id or the head of it, the worker by its wallet, the head of it, or its name. A text of 0x and
    fewer than 42 characters that is the head of no task id is taken for that of a wallet.

    \b
    Examples:
      poolctl why 0x3f1c9a
      poolctl why worker-1
    """
    from poolctl.adapters.services import Services

    async def read() -> Explanation:
        async with Services(settings_of(context)) as services:
            return await explain(services, name)

    found = run(read())

    def view(_: Any) -> Any:
        from poolctl.rendering.task_views import explanation_view

        return explanation_view(found)

    print_answer(context, asdict(found), view, output)


async def explain(services: Any, name: str) -> Explanation:
    """Return why a task or worker of this name is where it is. Raises CommandFailed."""
    from poolctl.adapters.core import Core
    from poolctl.errors import NotFound

    core = Core(services)
    if _ID.fullmatch(name):
        return explain_task(await core.task(name.lower()))
    if name.startswith("0x") and len(name) < _SHORT_OF_A_WALLET:
        try:
            return explain_task(await core.task(await core.task_id_of(name)))
        except NotFound:
            pass
    wallet = await core.wallet_of(name)
    try:
        answer = await core.worker(wallet)
    except NotFound:
        # A worker whose every login was refused has never registered.
        return explain_unregistered(wallet, (await core.unregistered(wallet))["reason"] or {})
    return explain_worker(answer["worker"] or {}, answer["idle_reason"])
