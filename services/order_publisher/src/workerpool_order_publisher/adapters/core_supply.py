"""Client of core: follow the stream of the supply, and reopen it after it ends."""

import asyncio
from typing import Any

import grpc
from workerpool_kit.dependencies.grpc_service import problem_of
from workerpool_kit.dependencies.report import CREDENTIALS, DependencyProblem, DependencyReport
from workerpool_kit.grpc.client import open_service
from workerpool_kit.logs import get_logger
from workerpool_kit.retry import Backoff
from workerpool_protocol.core.v1 import pool_service_pb2 as pb
from workerpool_protocol.core.v1.pool_service_pb2_grpc import PoolServiceStub

from workerpool_order_publisher.app.core_feed import CoreFeed
from workerpool_order_publisher.domain.supply import Supply, WorkerGroup

log = get_logger()

_BACKOFF = Backoff(first_s=0.2, longest_s=5.0)
_REFUSED = frozenset({grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED})


class CoreSupply:
    """Writes the supply that core streams into a feed."""

    def __init__(
        self,
        url: str,
        credentials: tuple[str, str],
        worker_stake: int,
        feed: CoreFeed,
        report: DependencyReport,
        *,
        target: str | None = None,
    ) -> None:
        """Open the channel, which connects in the background.

        Raises ValueError for a URL without a gRPC target, CleartextRefused (a ValueError) for one beyond this host
        without TLS.

        Args:
            url: documented HTTP address of core, from whose port the gRPC port follows.
            credentials: user name and password of core's operator.
            worker_stake: nRLC that each sold task locks of its worker.
            feed: receives the supply.
            report: health of core.
            target: gRPC target set by the operator, which replaces the one derived from the URL.
        """
        self._channel = open_service(url, target=target, basic=credentials)
        self._request = pb.WatchSupplyRequest(worker_stake=worker_stake)
        self._feed = feed
        self._report = report
        self._stream: Any = None
        self._reopens = False

    def change_stake(self, worker_stake: int) -> None:
        """Request the supply for another stake from now on, because another price admits other workers."""
        if worker_stake == self._request.worker_stake:
            return
        self._request = pb.WatchSupplyRequest(worker_stake=worker_stake)
        self._feed.outdated()
        if self._stream is not None:
            self._reopens = True
            self._stream.cancel()

    async def follow(self) -> None:
        """Follow the stream until cancelled."""
        stub: Any = PoolServiceStub(self._channel)
        pauses = _BACKOFF.steps()
        while True:
            self._reopens, self._stream = False, stub.WatchSupply(self._request)
            try:
                async for response in self._stream:
                    self._feed.received(supply_of(response.supply))
                    self._report.works()
                    pauses.reset()
                problem = DependencyProblem("core ended the supply stream")
            except grpc.aio.AioRpcError as error:
                problem = _problem(error)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if not self._reopens or (task is not None and task.cancelling()):
                    raise
                continue
            self._feed.lost()
            self._report.fails(problem)
            await pauses.sleep()

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close(None)


def supply_of(message: pb.Supply) -> Supply:
    """Return the supply in a message."""
    return Supply(
        cursor=message.cursor_block,
        groups=tuple(
            WorkerGroup(group.free_slots, group.workers, gpu=group.gpu, sgx=group.sgx, tdx=group.tdx)
            for group in message.groups
            if group.free_slots
        ),
        pending_slots=message.pending_slots,
        accepts_work=message.accepts_work,
        live_workers=message.live_workers,
        total_slots=message.total_slots,
        drained_workers=message.drained_workers,
        quarantined_workers=message.quarantined_workers,
    )


def _problem(error: grpc.aio.AioRpcError) -> DependencyProblem:
    if error.code() in _REFUSED:
        return DependencyProblem(
            f"core refuses the credentials: {error.details()}",
            kind=CREDENTIALS,
            variable="IEXEC_CORE_OPERATOR_PASSWORD",
            next_step="set IEXEC_CORE_OPERATOR_USERNAME and IEXEC_CORE_OPERATOR_PASSWORD alike here and on core",
        )
    return problem_of(error, "core")
