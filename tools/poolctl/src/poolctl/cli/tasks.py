"""Commands about tasks: the list, one task with its timeline, and why something waits or failed."""

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from poolctl.cli.session import Form, first, now, print_answer, run, settings_of, usage
from poolctl.domain.explanations import Explanation, explain_task, explain_unregistered, explain_worker

task_app = typer.Typer(help="Show one task.", no_args_is_help=True, rich_markup_mode=None)

TaskName = Annotated[
    str, typer.Argument(metavar="TASK", help="Task id, or its first characters: 0x and 4 digits or more.")
]
_ID, _ADDRESS = re.compile(r"0x[0-9a-f]{64}", re.IGNORECASE), re.compile(r"(0x[0-9a-fA-F]{40})?")
_MOST = 100_000
_SHORT_OF_A_WALLET = 42


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("tasks")(tasks)
    app.add_typer(task_app, name="task")
    app.command()(why)


def _check_statuses(values: list[str] | None) -> list[str]:
    from poolctl.adapters.core import STATUSES

    wanted = [each.upper() for each in values or ()]
    if unknown := [each for each in wanted if each not in STATUSES]:
        raise typer.BadParameter(f"{unknown[0]} is no status; choose from {', '.join(STATUSES)}")
    return wanted


def _complete_status(incomplete: str) -> list[str]:
    from poolctl.adapters.core import STATUSES

    return [each for each in STATUSES if each.startswith(incomplete.upper())]


def tasks(
    context: typer.Context,
    status: Annotated[
        list[str] | None,
        typer.Option(
            "--status",
            help="Only tasks in this status, such as RUNNING or FAILED; may be repeated.",
            callback=_check_statuses,
            autocompletion=_complete_status,
        ),
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Only tasks that have not ended.")] = False,
    deal: Annotated[str, typer.Option(help="Only tasks of this deal.")] = "",
    requester: Annotated[str, typer.Option(help="Only tasks of this requester.")] = "",
    worker: Annotated[str, typer.Option(help="Only tasks that this worker took part in (its wallet).")] = "",
    limit: Annotated[
        int, typer.Option(min=1, max=_MOST, help="Most tasks to list, of the newest deals.")
    ] = 50,
    output: Form = None,
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
                statuses=LIVE if live else (status or ()),
                deal=deal.lower(),
                requester=requester,
                worker=worker,
                limit=limit + 1,
            )

    def view(document: Any) -> Any:
        from poolctl.rendering.task_views import tasks_view

        return tasks_view(document, now())

    print_answer(context, first(run(read()), limit, "task"), view, output)


@task_app.command("show")
def show_task(context: typer.Context, name: TaskName, output: Form = None) -> None:
    """Show a task with the timeline of every replicate: statuses, causes, sides, transactions.

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


def why(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="TASK|WORKER",
            help="Task id or the head of one; or a worker's wallet, the head of it, or its name.",
        ),
    ],
    output: Form = None,
) -> None:
    """Explain in one step why a task waits or failed, or why a worker gets no work: cause, side, next step.

    A text of 0x and fewer than 42 characters that is the head of no task id is taken for that of a wallet.

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
