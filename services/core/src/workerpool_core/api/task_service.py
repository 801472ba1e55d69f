"""The task service for requesters and operators."""

import json
from collections.abc import AsyncIterator
from typing import Any

from workerpool_kit.access.authenticators import ANYONE
from workerpool_poco.protocol.ids import TaskId, address
from workerpool_protocol.core.v1 import task_pb2
from workerpool_protocol.core.v1 import task_service_pb2 as pb
from workerpool_protocol.core.v1.task_service_pb2_grpc import TaskServiceServicer

from workerpool_core.api.pages import fit_page
from workerpool_core.api.protocol_enums import TASK_STATUS_OF
from workerpool_core.api.task_messages import replicate_message, task_message
from workerpool_core.app.ports import TaskQuery
from workerpool_core.app.queries.task_queries import page_token_after
from workerpool_core.app.running import Core

NAME = "workerpool.core.v1.TaskService"
_METHODS = ("GetTask", "ListTasks", "WatchTask", "GetReplicate", "CreateLogChallenge", "GetTaskLogs")
POLICY = {f"/{NAME}/{method}": frozenset({ANYONE}) for method in _METHODS}
"""Every method is open to every caller. `GetTaskLogs` checks the requester's signature in its request."""

_DEFAULT_PAGE = 50


class TaskServicer(TaskServiceServicer):
    """The service that task_service.proto documents."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def GetTask(self, request: pb.GetTaskRequest, context: Any) -> pb.GetTaskResponse:
        """Return one task with its replicates."""
        return pb.GetTaskResponse(
            task=task_message(await self._core.running.queries.task(TaskId(request.task_id)))
        )

    async def ListTasks(self, request: pb.ListTasksRequest, context: Any) -> pb.ListTasksResponse:
        """Return one page of tasks, newest deal first."""
        query = TaskQuery(
            statuses=tuple(TASK_STATUS_OF[status].value for status in request.statuses if status),
            deal_id=request.deal_id,
            requester=address(request.requester) if request.requester else "",
            wallet=address(request.wallet_address) if request.wallet_address else "",
        )
        queries = self._core.running.queries
        page, token = await queries.tasks(query, request.page_token, request.page_size or _DEFAULT_PAGE)
        tasks = fit_page(task_message(task, with_replicates=False) for task in page)
        if len(tasks) < len(page):
            token = page_token_after(page[len(tasks) - 1])
        return pb.ListTasksResponse(tasks=tasks, next_page_token=token)

    async def WatchTask(
        self, request: pb.WatchTaskRequest, context: Any
    ) -> AsyncIterator[pb.WatchTaskResponse]:
        """Send a task immediately and after each change, until it ends."""
        async for task in self._core.running.queries.follow(TaskId(request.task_id)):
            yield pb.WatchTaskResponse(task=task_message(task))

    async def GetReplicate(self, request: pb.GetReplicateRequest, context: Any) -> pb.GetReplicateResponse:
        """Return the replicate of one worker for one task."""
        found = await self._core.running.queries.replicate(TaskId(request.task_id), request.wallet_address)
        return pb.GetReplicateResponse(replicate=replicate_message(found))

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
