"""The task service for requesters and operators."""

import json
from collections.abc import AsyncIterator
from typing import Any

from workerpool_poco.protocol.ids import TaskId, address
from workerpool_protocol.core.v1 import task_pb2
from workerpool_protocol.core.v1 import task_service_pb2 as pb
from workerpool_protocol.core.v1 import worker_service_pb2 as worker_pb2
from workerpool_protocol.core.v1.task_service_pb2_grpc import TaskServiceServicer

from workerpool_core.api.operators import policy_of, require_operator
from workerpool_core.api.pages import fit_page
from workerpool_core.api.protocol_enums import TASK_STATUS, TASK_STATUS_OF
from workerpool_core.api.reason_messages import reason_message
from workerpool_core.api.task_messages import replicate_message, task_message
from workerpool_core.app.ports import TaskQuery
from workerpool_core.app.queries.task_queries import page_token_after
from workerpool_core.app.running import Core
from workerpool_core.domain.model import Task

NAME = "workerpool.core.v1.TaskService"
_METHODS = (
    "GetTask",
    "ListTasks",
    "WatchTask",
    "ExplainTask",
    "GetReplicate",
    "CreateLogChallenge",
    "GetTaskLogs",
)
_OPERATOR_METHODS = ("WatchTaskLogs",)
_DEFAULT_PAGE = 50


def policy(*, operator_configured: bool) -> dict[str, frozenset[str]]:
    """Return the roles that may call each method; `GetTaskLogs` also checks the requester's signature."""
    return policy_of(NAME, _METHODS, _OPERATOR_METHODS, operator_configured=operator_configured)


class TaskServicer(TaskServiceServicer):
    """The service that task_service.proto documents."""

    def __init__(self, core: Core, *, operator_configured: bool) -> None:
        self._core = core
        self._open = operator_configured

    async def GetTask(self, request: pb.GetTaskRequest, context: Any) -> pb.GetTaskResponse:
        """Return one task with its replicates."""
        task = await self._core.running.queries.task(TaskId(request.task_id))
        return pb.GetTaskResponse(task=self._explained(task))

    def _explained(self, task: Task) -> task_pb2.Task:
        explainer = self._core.running.explain()
        return task_message(task, waiting=explainer.waiting(task.task_id), reason=explainer.task(task))

    async def ListTasks(self, request: pb.ListTasksRequest, context: Any) -> pb.ListTasksResponse:
        """Return one page of tasks, newest deal first."""
        query = TaskQuery(
            statuses=tuple(TASK_STATUS_OF[status].value for status in request.statuses if status),
            deal_id=request.deal_id,
            requester=address(request.requester) if request.requester else "",
            wallet=address(request.wallet_address) if request.wallet_address else "",
            id_head=request.task_id_head,
        )
        core = self._core.running
        page, token = await core.queries.tasks(query, request.page_token, request.page_size or _DEFAULT_PAGE)
        await core.queries.with_outcomes(page)
        explainer, known = core.explain(), core.engine.tasks
        tasks = fit_page(
            # The tasks of the page have no replicates; explain those in memory, which have.
            task_message(task, with_replicates=False, reason=explainer.task(known.get(task.task_id, task)))
            for task in page
        )
        if len(tasks) < len(page):
            token = page_token_after(page[len(tasks) - 1])
        return pb.ListTasksResponse(tasks=tasks, next_page_token=token)

    async def WatchTask(
        self, request: pb.WatchTaskRequest, context: Any
    ) -> AsyncIterator[pb.WatchTaskResponse]:
        """Send a task immediately and after each change, until it ends."""
        async for task in self._core.running.queries.follow(TaskId(request.task_id)):
            yield pb.WatchTaskResponse(task=self._explained(task))

    async def ExplainTask(self, request: pb.ExplainTaskRequest, context: Any) -> pb.ExplainTaskResponse:
        """Return why a task waits or failed."""
        core = self._core.running
        task = await core.queries.task(TaskId(request.task_id))
        reason = core.explain().task(task)
        return pb.ExplainTaskResponse(status=TASK_STATUS[task.status], reason=reason_message(reason))

    async def GetReplicate(self, request: pb.GetReplicateRequest, context: Any) -> pb.GetReplicateResponse:
        """Return the replicate of one worker for one task."""
        queries, task_id = self._core.running.queries, TaskId(request.task_id)
        found = await queries.replicate(task_id, request.wallet_address)
        task = await queries.task(task_id)
        return pb.GetReplicateResponse(replicate=replicate_message(task, found))

    async def CreateLogChallenge(
        self, request: pb.CreateLogChallengeRequest, context: Any
    ) -> pb.CreateLogChallengeResponse:
        """Return the challenge that a requester signs to read logs."""
        challenge = self._core.running.log_access.challenge(request.address)
        return pb.CreateLogChallengeResponse(typed_data_json=json.dumps(challenge.to_json()))

    async def GetTaskLogs(self, request: pb.GetTaskLogsRequest, context: Any) -> pb.GetTaskLogsResponse:
        """Return the compute logs of a task to its requester."""
        found = await self._core.running.log_access.logs(
            TaskId(request.task_id), request.address, request.signature, request.wallet_address
        )
        logs = fit_page(
            task_pb2.ComputeLogs(wallet_address=kept.wallet, stdout=kept.stdout, stderr=kept.stderr)
            for kept in found
        )
        left_out = [kept.wallet for kept in found[len(logs) :]]
        return pb.GetTaskLogsResponse(compute_logs=logs, left_out=left_out)

    async def WatchTaskLogs(
        self, request: pb.WatchTaskLogsRequest, context: Any
    ) -> AsyncIterator[pb.WatchTaskLogsResponse]:
        """Send the logs of a task to an operator, and follow them when `follow` is set."""
        require_operator(configured=self._open)
        pieces = self._core.running.log_tail.pieces(
            TaskId(request.task_id),
            request.wallet_address,
            follow=request.follow,
            tail_lines=request.tail_lines,
        )
        async for piece in pieces:
            yield pb.WatchTaskLogsResponse(
                wallet_address=piece.wallet,
                stream=worker_pb2.LOG_STREAM_STDERR if piece.is_stderr else worker_pb2.LOG_STREAM_STDOUT,
                text=piece.text,
                gap_before=piece.gap_before,
            )
