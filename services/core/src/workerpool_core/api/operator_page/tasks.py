"""Tasks: a list with filters, and one task with its timeline and its logs."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from starlette.responses import Response
from workerpool_poco.protocol.ids import TaskId, address
from workerpool_poco.protocol.statuses import FINAL_TASK_STATUSES, TaskStatus

from workerpool_core.api.operator_page import paging
from workerpool_core.api.operator_page.formatting import Moment, Output, moment, short, tail
from workerpool_core.api.operator_page.frame import Frame, Visit
from workerpool_core.api.operator_page.reasons import ShownReason, sentence, shown
from workerpool_core.api.operator_page.rendering import text
from workerpool_core.api.operator_page.timeline import timeline_of
from workerpool_core.app.ports import ComputeLogs, TaskQuery
from workerpool_core.app.queries.pool_wallet import TaskTransactions
from workerpool_core.app.running import Core, RunningCore
from workerpool_core.domain.explanations.tasks import explain_task
from workerpool_core.domain.model import Task
from workerpool_core.errors import BadRequest, UnknownReplicate

OPEN = "open"
"""The filter of the tasks that have not ended."""
_OPEN_STATUSES = tuple(status.value for status in TaskStatus if status not in FINAL_TASK_STATUSES)
_DEAL = re.compile("0x[0-9a-f]{64}")
_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")
_LOG_LINES, _LOG_CHARACTERS = 200, 20_000
_STREAMS = ("stdout", "stderr")


class TaskRow(NamedTuple):
    """One task of a list; `look` is the style `good`, `bad` or `busy` of its status."""

    task_id: str
    shown_id: str
    status: str
    look: str
    deal_id: str
    place: int
    app: str
    bought: Moment | None
    changed: Moment | None
    reason: ShownReason | None


class ShownLog(NamedTuple):
    """The end of one output stream of an app."""

    wallet: str
    stream: str
    output: Output


class Tasks:
    """The pages of tasks."""

    def __init__(self, frame: Frame, core: Core) -> None:
        self._frame = frame
        self._core = core

    async def list(self, visit: Visit) -> Response:
        """Show one page of tasks, newest deal first. Raises BadRequest or BadPageToken."""
        running = self._core.running
        filters = {name: visit.query(name) for name in ("status", "deal", "requester", "worker")}
        found, token = await running.queries.tasks(_query(filters), visit.query("page"), paging.PAGE)
        return self._frame.page(
            visit,
            "tasks.html",
            rows=await rows_of(running, found, running.clock.now()),
            filters=filters,
            statuses=[status.value for status in TaskStatus],
            queued=running.engine.queued_tasks,
            next_page=paging.next_link(filters, token),
            first_page=paging.link(filters) if visit.query("page") else "",
        )

    async def show(self, visit: Visit) -> Response:
        """Show one task: the data of `GET /tasks/{id}`, and to operators also transactions and logs."""
        running, task_id = self._core.running, TaskId(visit.path_part("task_id").lower())
        task = await running.queries.task(task_id)
        explainer, now = running.explain(), running.clock.now()
        transactions, logs = TaskTransactions([]), list[ComputeLogs]()
        names: Mapping[str, str] = {}
        if visit.session is not None:
            transactions, logs = await asyncio.gather(
                running.pool_wallet.of_task(task_id), running.queries.logs(task_id)
            )
            workers = running.engine.workers
            names = {w: workers[w].worker.model.name for w in task.replicates if w in workers}
        explained = explain_task(task, explainer.waiting(task_id))
        return self._frame.page(
            visit,
            "task.html",
            task=task,
            row=_row(task, shown(explainer.task(task), now), now),
            facts=_facts(task, now),
            names=names,
            timeline=timeline_of(
                task,
                explained,
                transactions.commands,
                names,
                now,
                for_operator=visit.session is not None,
            ),
            transactions_problem=sentence(transactions.problem),
            logs=[log for logs_of in logs for log in _shown_logs(logs_of)],
        )

    async def logs(self, visit: Visit) -> Response:
        """Return the stored output stream of one worker as plain text. Raises UnknownReplicate."""
        wallet, stream = visit.path_part("wallet"), visit.path_part("stream")
        if stream not in _STREAMS or not _ADDRESS.fullmatch(wallet):
            raise BadRequest("the path lacks a worker's wallet and stdout or stderr")
        found = await self._core.running.queries.logs(
            TaskId(visit.path_part("task_id").lower()), address(wallet)
        )
        if not found:
            raise UnknownReplicate(
                "no logs of this worker are stored for this task; retry after its app has ended"
            )
        return text(str(getattr(found[0], stream)))


async def rows_of(running: RunningCore, tasks: Sequence[Task], now: float) -> list[TaskRow]:
    """Return tasks that were read without replicates as rows, with the reasons why they wait or failed."""
    await running.queries.with_outcomes(tasks)
    explainer, known = running.explain(), running.engine.tasks
    # Tasks in memory have their replicates.
    return [_row(task, shown(explainer.task(known.get(task.task_id, task)), now), now) for task in tasks]


def _row(task: Task, reason: ShownReason | None, now: float) -> TaskRow:
    look = {TaskStatus.COMPLETED: "good", TaskStatus.FAILED: "bad"}.get(task.status, "busy")
    return TaskRow(
        task.task_id,
        short(task.task_id),
        task.status.value,
        look,
        task.terms.deal_id,
        task.index,
        task.terms.app_uri,
        moment(task.history[0].date, now),
        moment(task.history[-1].date, now),
        reason,
    )


def _facts(task: Task, now: float) -> list[tuple[str, str | Moment]]:
    terms = task.terms
    facts: dict[str, str | Moment | None] = {
        "App": terms.app_uri,
        "Arguments": terms.command_line or "none",
        "Trust": str(terms.trust),
        "Tag": terms.tag,
        "Longest run": f"{terms.max_execution_s} s",
        "Contribution deadline": moment(terms.contribution_deadline, now),
        "Reveal deadline": moment(task.reveal_deadline, now),
        "Final deadline": moment(terms.final_deadline, now),
        "Initialized in block": str(task.initialization_block) if task.initialization_block else None,
        "Consensus": task.consensus or None,
        "Result uploaded by": task.uploader or None,
        "Result": task.result_link or None,
        "Callback data": task.callback_data or None,
    }
    return [(name, value) for name, value in facts.items() if value is not None]


def _shown_logs(logs: ComputeLogs) -> list[ShownLog]:
    return [
        ShownLog(logs.wallet, stream, tail(getattr(logs, stream), _LOG_LINES, _LOG_CHARACTERS))
        for stream in _STREAMS
    ]


def _query(filters: Mapping[str, str]) -> TaskQuery:
    """Return the query of a filter form. Raises BadRequest."""
    status, deal = filters["status"], filters["deal"].lower()
    if status == OPEN:
        statuses: tuple[str, ...] = _OPEN_STATUSES
    else:
        statuses = (status,) if status else ()
        if status and status not in TaskStatus.__members__:
            raise BadRequest("choose one of the statuses that the form offers")
    if deal and not _DEAL.fullmatch(deal):
        raise BadRequest("the deal's id must be 0x and 64 hexadecimal digits; correct it")
    for name in ("requester", "worker"):
        if filters[name] and not _ADDRESS.fullmatch(filters[name]):
            raise BadRequest(f"the {name}'s address must be 0x and 40 hexadecimal digits; correct it")
    requester, worker = (address(filters[name]) if filters[name] else "" for name in ("requester", "worker"))
    return TaskQuery(statuses, deal, requester, worker)
