"""`make bench-pages`: time of the pages of tasks, deals and workers with a long history in the store, and of poolctl.

The store holds 100,000 tasks of thousands of deals and requesters, with a replicate each, and 5,000 workers. Each page
is read several times over gRPC from a real scheduler on a real database, also pages far down each list. Then each
command of poolctl runs several times.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.services.service import Service
from workerpool_protocol.core.v1 import deal_service_pb2 as deals_pb
from workerpool_protocol.core.v1 import pool_service_pb2 as pool_pb
from workerpool_protocol.core.v1 import reason_pb2
from workerpool_protocol.core.v1 import statuses_pb2 as statuses
from workerpool_protocol.core.v1 import task_service_pb2 as tasks_pb
from workerpool_protocol.core.v1.deal_service_pb2_grpc import DealServiceStub
from workerpool_protocol.core.v1.pool_service_pb2_grpc import PoolServiceStub
from workerpool_protocol.core.v1.task_service_pb2_grpc import TaskServiceStub

from bench.command import run_and_exit
from bench.commands import Run, measure_commands
from bench.history import History, store_history
from bench.report import percentile, say, show, verdict, write

TARGET_MS = 300.0
_START_S = 120.0
_CALL_S = 60.0
Call = Callable[[], Awaitable[Any]]


async def run(wanted: argparse.Namespace) -> int:
    """Run the bench; return 0 when every page and command meets the target."""
    async with _core_with_history(wanted) as (core, history):
        async with grpc.aio.insecure_channel(core.grpc) as channel:
            figures = {
                name: await _measured(call, wanted.times)
                for name, call in (await _calls(channel, history)).items()
            }
        commands = await measure_commands(core.http, history, wanted.times)
    rows = [
        [name, f"{percentile(times, 50):,.0f}", f"{max(times):,.0f}", verdict(max(times) <= TARGET_MS)]
        for name, times in figures.items()
    ]
    show(
        f"pages with {wanted.tasks:,} tasks and {wanted.workers:,} workers in the store, ms; at most {TARGET_MS:g}",
        ["page", "p50", "slowest", ""],
        rows,
    )
    show(
        f"commands of poolctl on that store, ms; p50 at most {TARGET_MS:g}",
        ["command", "p50", "slowest", "processor", ""],
        [
            [
                name,
                f"{_median(runs):,.0f}",
                f"{max(run.ms for run in runs):,.0f}",
                f"{percentile([run.processor_ms for run in runs], 50):,.0f}",
                verdict(_median(runs) <= TARGET_MS),
            ]
            for name, runs in commands.items()
        ],
    )
    met = {name: max(times) <= TARGET_MS for name, times in figures.items()}
    met |= {f"poolctl {name}": _median(runs) <= TARGET_MS for name, runs in commands.items()}
    content = {
        "tasks": wanted.tasks,
        "workers": wanted.workers,
        "ms": figures,
        "command_ms": commands,
        "targets": met,
    }
    say(f"written to {write('pages', content)}")
    return 0 if all(met.values()) else 1


def _median(runs: list[Run]) -> float:
    return percentile([run.ms for run in runs], 50)


@contextlib.asynccontextmanager
async def _core_with_history(wanted: argparse.Namespace) -> AsyncIterator[tuple[Service, History]]:
    """Run a scheduler without adapter and workers on a database with a history; yield it."""
    async with Devnet(DevnetOptions(workers=0, services=("registry",), progress=say)) as net:
        history = await store_history(
            net.database.uri, net.databases["core"], tasks=wanted.tasks, workers=wanted.workers
        )
        say(f"{wanted.tasks:,} tasks and {wanted.workers:,} workers stored")
        core = net.services["core"]
        started = time.monotonic()
        core.start()
        await _answers(core.grpc)
        say(f"core answers {time.monotonic() - started:.1f} s after its start")
        yield core, history


async def _answers(target: str) -> None:
    async with grpc.aio.insecure_channel(target) as channel, asyncio.timeout(_START_S):
        stub: Any = PoolServiceStub(channel)
        while True:
            try:
                await stub.GetPoolStatus(pool_pb.GetPoolStatusRequest(), timeout=_CALL_S)
                return
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
            await asyncio.sleep(0.1)


async def _measured(call: Call, times: int) -> list[float]:
    """Return the milliseconds of each of some calls; a first one is not counted."""
    await call()
    found: list[float] = []
    for _ in range(times):
        started = time.monotonic()
        await call()
        found.append(1_000 * (time.monotonic() - started))
    return found


async def _calls(channel: grpc.aio.Channel, history: History) -> dict[str, Call]:
    """Return each page by name, as a call."""
    tasks: Any = TaskServiceStub(channel)
    deals: Any = DealServiceStub(channel)
    pool: Any = PoolServiceStub(channel)

    def listed(**fields: Any) -> Call:
        return lambda: tasks.ListTasks(tasks_pb.ListTasksRequest(page_size=50, **fields), timeout=_CALL_S)

    def dealt(**fields: Any) -> Call:
        return lambda: deals.ListDeals(deals_pb.ListDealsRequest(page_size=50, **fields), timeout=_CALL_S)

    def staffed(**fields: Any) -> Call:
        return lambda: pool.ListWorkers(pool_pb.ListWorkersRequest(page_size=100, **fields), timeout=_CALL_S)

    rare, common = statuses.TASK_STATUS_FAILED, statuses.TASK_STATUS_COMPLETED
    return {
        "tasks, first page": listed(),
        "tasks, a page near the end": listed(page_token=history.late_task_token),
        "tasks, within the largest bag": listed(page_token=history.bag_token),
        "tasks by a rare status": listed(statuses=[rare]),
        "tasks by a rare status, near the end": listed(statuses=[rare], page_token=history.late_task_token),
        "tasks by two statuses": listed(statuses=[rare, common]),
        "tasks of the largest requester": listed(requester=history.requester),
        "tasks of the largest requester by a rare status": listed(
            requester=history.requester, statuses=[rare]
        ),
        "tasks of a requester without any": listed(requester="0x" + "00" * 19 + "01"),
        "tasks of the largest deal": listed(deal_id=history.bag, page_token=history.bag_token),
        "tasks of the largest deal by a rare status": listed(deal_id=history.bag, statuses=[rare]),
        "tasks of one worker": listed(wallet_address=history.wallet),
        "deals, first page": dealt(),
        "deals, a page near the end": dealt(page_token=history.late_deal_token),
        "deals of the largest requester": dealt(requester=history.requester),
        "the largest deal with its reasons": lambda: deals.GetDeal(
            deals_pb.GetDealRequest(deal_id=history.bag), timeout=_CALL_S
        ),
        "workers, first page": staffed(),
        "workers, a page near the end": staffed(page_token=history.late_worker_token),
        "workers by reason": staffed(reasons=[reason_pb2.REASON_CODE_WORKER_PARKED]),
        "status of the pool": lambda: pool.GetPoolStatus(pool_pb.GetPoolStatusRequest(), timeout=_CALL_S),
        "why a task waits": lambda: tasks.ExplainTask(
            tasks_pb.ExplainTaskRequest(task_id=history.waiting_task), timeout=_CALL_S
        ),
        "why a worker is idle": lambda: pool.ExplainWorker(
            pool_pb.ExplainWorkerRequest(wallet_address=history.wallet), timeout=_CALL_S
        ),
    }


def main() -> None:
    """Run the bench from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--tasks", type=int, default=100_000, help="tasks in the store")
    parser.add_argument("--workers", type=int, default=5_000, help="registered workers in the store")
    parser.add_argument("--times", type=int, default=15, help="how often each page is read")
    wanted = parser.parse_args()
    if wanted.tasks < 1_000 or wanted.workers < 100:
        parser.error("--tasks is 1,000 or more, --workers 100 or more")
    run_and_exit(run(wanted))


if __name__ == "__main__":
    main()
