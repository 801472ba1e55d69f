"""The pool service for operators: the state of workers, and instructions to them."""

import math
from collections.abc import Callable
from typing import Any

from workerpool_kit.access.authenticators import ANYONE
from workerpool_poco.errors import InvalidId
from workerpool_poco.protocol.ids import address
from workerpool_protocol.core.v1 import pool_service_pb2 as pb
from workerpool_protocol.core.v1.pool_service_pb2_grpc import PoolServiceServicer

from workerpool_core.api.pages import fit_page
from workerpool_core.api.task_messages import timestamp
from workerpool_core.app.queries.pool_view import WorkerView
from workerpool_core.app.running import Core, RunningCore
from workerpool_core.domain.events import Event, WorkerDrained, WorkerReleased, WorkerUndrained
from workerpool_core.errors import BadPageToken, OperatorDisabled

NAME = "workerpool.core.v1.PoolService"
OPERATOR_ROLE = "operator"
_READS = ("GetPoolStatus", "ListWorkers")
_OPERATOR_METHODS = ("DrainWorker", "UndrainWorker", "ReleaseWorker")
_DEFAULT_PAGE = 100


def policy(*, operator_configured: bool) -> dict[str, frozenset[str]]:
    """Return the roles that may call each method.

    Without operator credentials every caller is admitted, and then refused with the reason OPERATOR_DISABLED.
    """
    operator = frozenset({OPERATOR_ROLE if operator_configured else ANYONE})
    reads = {f"/{NAME}/{method}": frozenset({ANYONE}) for method in _READS}
    return reads | {f"/{NAME}/{method}": operator for method in _OPERATOR_METHODS}


class PoolServicer(PoolServiceServicer):
    """The service that pool_service.proto documents."""

    def __init__(self, core: Core, *, operator_configured: bool) -> None:
        self._core = core
        self._open = operator_configured

    async def GetPoolStatus(self, request: pb.GetPoolStatusRequest, context: Any) -> pb.GetPoolStatusResponse:
        """Return a summary of the pool."""
        now = self._core.running.view.summary()
        response = pb.GetPoolStatusResponse(
            workerpool=now.pool,
            alive_workers=now.alive_workers,
            registered_cpus=now.registered_cpus,
            computing_cpus=now.computing_cpus,
            registered_gpus=now.registered_gpus,
            computing_gpus=now.computing_gpus,
            tasks_by_status={status.value: count for status, count in now.tasks_by_status.items()},
            cursor_block=now.cursor_block,
            deals=now.deals,
        )
        if now.latest_block is not None:
            response.latest_block = now.latest_block.number
            response.latest_block_time.CopyFrom(timestamp(now.latest_block.timestamp))
        return response

    async def ListWorkers(self, request: pb.ListWorkersRequest, context: Any) -> pb.ListWorkersResponse:
        """Return one page of workers, ordered by wallet."""
        core = self._core.running
        size = request.page_size or _DEFAULT_PAGE
        found = core.view.workers(_position(request.page_token), size + 1, alive_only=request.alive_only)
        workers = fit_page(_worker(core, view) for view in found[:size])
        token = workers[-1].wallet_address if len(found) > len(workers) else ""
        return pb.ListWorkersResponse(workers=workers, next_page_token=token)

    async def DrainWorker(self, request: pb.DrainWorkerRequest, context: Any) -> pb.DrainWorkerResponse:
        """Assign no further work to a worker."""
        core = self._core.running
        seconds = request.duration.ToTimedelta().total_seconds() if request.HasField("duration") else math.inf
        until = core.clock.now() + seconds
        return pb.DrainWorkerResponse(
            worker=await self._apply(request.wallet_address, lambda wallet: WorkerDrained(wallet, until))
        )

    async def UndrainWorker(self, request: pb.UndrainWorkerRequest, context: Any) -> pb.UndrainWorkerResponse:
        """Assign work to a drained worker again."""
        return pb.UndrainWorkerResponse(worker=await self._apply(request.wallet_address, WorkerUndrained))

    async def ReleaseWorker(self, request: pb.ReleaseWorkerRequest, context: Any) -> pb.ReleaseWorkerResponse:
        """End the quarantine of a worker."""
        return pb.ReleaseWorkerResponse(worker=await self._apply(request.wallet_address, WorkerReleased))

    async def _apply(self, wallet: str, instruction: Callable[[str], Event]) -> pb.Worker:
        """Submit an instruction about a registered worker; return the worker once the instruction is durable."""
        if not self._open:
            raise OperatorDisabled(
                "the operator's methods are disabled; set IEXEC_CORE_OPERATOR_USERNAME and IEXEC_CORE_OPERATOR_PASSWORD"
            )
        core = self._core.running
        wallet = address(wallet)
        core.view.worker(wallet)
        core.engine.submit(instruction(wallet))
        await core.drained()
        return _worker(core, core.view.worker(wallet))


def _position(page_token: str) -> str:
    """Return the wallet after which a page starts; the token is its address. Raises BadPageToken."""
    try:
        return address(page_token) if page_token else ""
    except InvalidId as error:
        raise BadPageToken("this page token is not from this service; start again without one") from error


def _worker(core: RunningCore, view: WorkerView) -> pb.Worker:
    worker, now = view.worker, core.clock.now()
    message = pb.Worker(
        wallet_address=worker.wallet,
        name=worker.model.name,
        version=worker.model.version,
        os=worker.model.os,
        cpu=worker.model.cpu,
        slots=worker.model.slots,
        used_slots=view.computing,
        memory_bytes=worker.model.memory_bytes,
        gpus=worker.model.gpus,
        connected=view.connected,
        last_seen_at=timestamp(worker.last_seen),
        registered_at=timestamp(worker.registered_at),
        consecutive_failures=worker.consecutive_failures,
        task_ids=view.task_ids,
    )
    if worker.drained_until > now:
        message.drained_until.CopyFrom(timestamp(worker.drained_until))
    if worker.quarantined_until > now:
        message.quarantined_until.CopyFrom(timestamp(worker.quarantined_until))
    return message
