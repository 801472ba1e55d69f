"""The pool service for operators: the state of workers, and instructions to them."""

import math
from collections.abc import AsyncIterator, Callable
from typing import Any

from workerpool_kit.grpc.times import seconds_of
from workerpool_poco.errors import InvalidId
from workerpool_poco.protocol.ids import address
from workerpool_protocol.core.v1 import pool_service_pb2 as pb
from workerpool_protocol.core.v1.pool_service_pb2_grpc import PoolServiceServicer

from workerpool_core.api.operators import policy_of, require_operator
from workerpool_core.api.pages import fit_page
from workerpool_core.api.protocol_enums import REASON_CODE_OF
from workerpool_core.api.reason_messages import reason_message
from workerpool_core.api.supply_messages import supply_message
from workerpool_core.api.times import timestamp
from workerpool_core.app.queries.pool_view import WorkerView
from workerpool_core.app.running import Core, RunningCore
from workerpool_core.domain.events import (
    Event,
    WorkerDrained,
    WorkerQuarantined,
    WorkerReleased,
    WorkerUndrained,
)
from workerpool_core.domain.explanations.conditions import RefusedLogin
from workerpool_core.errors import BadPageToken

NAME = "workerpool.core.v1.PoolService"
_READS = ("GetPoolStatus", "ListWorkers", "GetWorker", "ExplainWorker")
_OPERATOR_METHODS = (
    "ListRefusals",
    "WatchSupply",
    "DrainWorker",
    "UndrainWorker",
    "QuarantineWorker",
    "ReleaseWorker",
)
_DEFAULT_PAGE = 100


def policy(*, operator_configured: bool) -> dict[str, frozenset[str]]:
    """Return the roles that may call each method."""
    return policy_of(NAME, _READS, _OPERATOR_METHODS, operator_configured=operator_configured)


class PoolServicer(PoolServiceServicer):
    """The service that pool_service.proto documents."""

    def __init__(self, core: Core, *, operator_configured: bool) -> None:
        self._core = core
        self._open = operator_configured

    async def GetPoolStatus(self, request: pb.GetPoolStatusRequest, context: Any) -> pb.GetPoolStatusResponse:
        """Return a summary of the pool."""
        core = self._core.running
        now = core.view.summary()
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
            queued_tasks=now.queued_tasks,
            waiting_tasks=now.waiting_tasks,
            connected_workers=now.connected_workers,
            drained_workers=now.drained_workers,
            quarantined_workers=now.quarantined_workers,
            parked_workers=now.parked_workers,
            total_slots=now.total_slots,
            used_slots=now.used_slots,
            problems=filter(None, map(reason_message, now.problems)),
            version=core.configuration.scheduler_version,
            owner=core.configuration.scheduler,
        )
        if now.latest_block is not None:
            response.latest_block = now.latest_block.number
            response.latest_block_time.CopyFrom(timestamp(now.latest_block.timestamp))
        return response

    async def ListWorkers(self, request: pb.ListWorkersRequest, context: Any) -> pb.ListWorkersResponse:
        """Return one page of workers, ordered by wallet."""
        core = self._core.running
        size = request.page_size or _DEFAULT_PAGE
        codes = frozenset(REASON_CODE_OF[code] for code in request.reasons if code)
        found = core.view.workers(
            _position(request.page_token),
            size + 1,
            alive_only=request.alive_only,
            codes=codes,
            text=request.text,
        )
        workers = fit_page(_worker(core, view) for view in found[:size])
        token = workers[-1].wallet_address if len(found) > len(workers) else ""
        return pb.ListWorkersResponse(workers=workers, next_page_token=token)

    async def GetWorker(self, request: pb.GetWorkerRequest, context: Any) -> pb.GetWorkerResponse:
        """Return one worker, and why it gets no work."""
        core = self._core.running
        view = core.view.worker(request.wallet_address)
        idle_reason = view.reason.sentences if view.reason is not None else ""
        return pb.GetWorkerResponse(worker=_worker(core, view), idle_reason=idle_reason)

    async def ExplainWorker(self, request: pb.ExplainWorkerRequest, context: Any) -> pb.ExplainWorkerResponse:
        """Return why a worker gets no work, also one with refused logins only."""
        reason, registered = self._core.running.view.explain_worker(request.wallet_address)
        return pb.ExplainWorkerResponse(reason=reason_message(reason), registered=registered)

    async def ListRefusals(self, request: pb.ListRefusalsRequest, context: Any) -> pb.ListRefusalsResponse:
        """Return the recent refusals of workers' logins and connections."""
        self._require_operator()
        wallet = address(request.wallet_address) if request.wallet_address else ""
        found = self._core.running.refusals.newest(wallet)
        return pb.ListRefusalsResponse(refusals=map(_refusal, found))

    async def WatchSupply(
        self, request: pb.WatchSupplyRequest, context: Any
    ) -> AsyncIterator[pb.WatchSupplyResponse]:
        """Send the supply immediately and after each change."""
        self._require_operator()
        async for found in self._core.running.supply.follow(request.worker_stake):
            yield pb.WatchSupplyResponse(supply=supply_message(found))

    async def DrainWorker(self, request: pb.DrainWorkerRequest, context: Any) -> pb.DrainWorkerResponse:
        """Assign no further work to a worker."""
        until = self._until(request)
        return pb.DrainWorkerResponse(
            worker=await self._apply(request.wallet_address, lambda wallet: WorkerDrained(wallet, until))
        )

    async def UndrainWorker(self, request: pb.UndrainWorkerRequest, context: Any) -> pb.UndrainWorkerResponse:
        """Assign work to a drained worker again."""
        return pb.UndrainWorkerResponse(worker=await self._apply(request.wallet_address, WorkerUndrained))

    async def QuarantineWorker(
        self, request: pb.QuarantineWorkerRequest, context: Any
    ) -> pb.QuarantineWorkerResponse:
        """Put a worker in quarantine: assign no further work to it."""
        until = self._until(request)
        return pb.QuarantineWorkerResponse(
            worker=await self._apply(request.wallet_address, lambda wallet: WorkerQuarantined(wallet, until))
        )

    async def ReleaseWorker(self, request: pb.ReleaseWorkerRequest, context: Any) -> pb.ReleaseWorkerResponse:
        """End the quarantine of a worker."""
        return pb.ReleaseWorkerResponse(worker=await self._apply(request.wallet_address, WorkerReleased))

    async def _apply(self, wallet: str, instruction: Callable[[str], Event]) -> pb.Worker:
        """Submit an instruction about a registered worker; return the worker once the instruction is durable.

        Raises DatabaseUnavailable in an outage, after which the instruction still becomes durable.
        """
        self._require_operator()
        core = self._core.running
        wallet = address(wallet)
        core.view.worker(wallet)
        core.engine.submit(instruction(wallet))
        await core.queries.wait_durable()
        return _worker(core, core.view.worker(wallet))

    def _until(self, request: pb.DrainWorkerRequest | pb.QuarantineWorkerRequest) -> float:
        """Return the end of the duration in an instruction; infinity without one."""
        seconds = seconds_of("duration", request.duration) if request.HasField("duration") else math.inf
        return self._core.running.clock.now() + seconds

    def _require_operator(self) -> None:
        require_operator(configured=self._open)


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
        parked_reason=view.parked_reason,
        reason=reason_message(view.reason),
        successes=worker.successes,
        sgx=worker.model.sgx,
        tdx=worker.model.tdx,
    )
    if worker.drained_until > now:
        message.drained_until.CopyFrom(timestamp(worker.drained_until))
    if worker.quarantine_end > now:
        message.quarantined_until.CopyFrom(timestamp(worker.quarantine_end))
    return message


def _refusal(refusal: RefusedLogin) -> pb.Refusal:
    return pb.Refusal(
        wallet_address=refusal.wallet,
        reason=refusal.reason,
        message=refusal.message,
        peer=refusal.peer,
        count=refusal.count,
        first_at=timestamp(refusal.first_at),
        last_at=timestamp(refusal.last_at),
    )
