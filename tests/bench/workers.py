"""`make bench-workers`: cost of thousands of connected workers, and their return after a crash of the scheduler.

The scheduler is killed (SIGKILL) while some workers report statuses. Afterwards every replicate must exist
exactly once and finish.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import time
from typing import Any

import grpc
from workerpool_protocol.core.v1 import statuses_pb2, task_service_pb2, task_service_pb2_grpc

from bench.command import run_and_exit
from bench.pool import BenchPool, bench_pool
from bench.proc import allow_many_files, cpu_seconds, resident_bytes
from bench.replicates import CHAIN, COMPUTING
from bench.report import say, show, verdict, write
from bench.simulator_handle import SimulatorHandle, simulator

TARGET_KIB, TARGET_CPU_PERCENT, TARGET_BACK_S = 100.0, 5.0, 10.0
_SIMULATORS = 2
_CONNECT_LIMIT_S, _BACK_LIMIT_S, _ROUND_LIMIT_S = 180.0, 90.0, 120.0
_SETTLE_S = 5.0
"""Pause before a measurement, for the work that follows a start or thousands of logins."""
_SPARE_FILES = 500
_RECOVERING = statuses_pb2.REPLICATE_STATUS_RECOVERING
_BUSY, _IDLE = "busy", "idle"


async def run(wanted: argparse.Namespace) -> int:
    """Run the bench; return 0 when every target is met."""
    allow_many_files(wanted.workers + _SPARE_FILES)
    async with bench_pool(wanted.busy, wanted.workers) as pool, contextlib.AsyncExitStack() as stack:
        simulators = [
            await stack.enter_async_context(simulator(pool.address, yields=True)) for _ in range(_SIMULATORS)
        ]
        await asyncio.sleep(_SETTLE_S)
        empty, alone = resident_bytes(pool.core_pid), await _cpu_percent(pool, wanted.seconds / 3)
        say(f"without workers: {empty / 2**20:.0f} MiB, {alone:.1f} % of a core")
        connect_s = await _connect(simulators, wanted)
        say(
            f"{wanted.workers} workers connected in {connect_s:.1f} s, {wanted.busy} of them hold a replicate"
        )
        await asyncio.sleep(_SETTLE_S)
        idle = await _cpu_percent(pool, wanted.seconds)
        each = (resident_bytes(pool.core_pid) - empty) / wanted.workers
        say(f"connected: {each / 1024:.1f} KiB each, {idle:.1f} % of a core over {wanted.seconds} s")
        back_s, healthy_s, used_s = await _crash(pool, simulators, wanted)
        say(
            f"killed and started again: healthy after {healthy_s:.1f} s, all back after {back_s:.1f} s; "
            f"core used {used_s:.1f} s of processor for it"
        )
        finished = await _tasks_in_order(pool)
        problems: dict[str, int] = {}
        for one in simulators:
            problems |= (await one.order("problems", timeout_s=10))["problems"]
    figures = {
        "workers": wanted.workers,
        "connect_s": connect_s,
        "kib_each": each / 1024,
        "cpu_percent": idle,
        "cpu_percent_without_workers": alone,
        "healthy_s": healthy_s,
        "back_s": back_s,
        "back_processor_s": used_s,
        "replicates_held": wanted.busy,
        "replicates_finished": finished,
        "problems": problems,
    }
    return _report(figures, wanted)


async def _connect(simulators: list[SimulatorHandle], wanted: argparse.Namespace) -> float:
    """Connect the busy workers, wait for their tasks in COMPUTING, then connect the idle workers."""
    started = time.monotonic()
    await simulators[0].order(
        "connect", timeout_s=_CONNECT_LIMIT_S, group=_BUSY, first=0, workers=wanted.busy, slots=1, spread_s=1
    )
    await simulators[0].order(
        "round", timeout_s=_ROUND_LIMIT_S, group=_BUSY, count=wanted.busy, until=COMPUTING
    )
    idle = wanted.workers - wanted.busy
    shares = [idle // _SIMULATORS + (place < idle % _SIMULATORS) for place in range(_SIMULATORS)]
    await asyncio.gather(
        *(
            one.order(
                "connect",
                timeout_s=_CONNECT_LIMIT_S,
                group=_IDLE,
                first=wanted.busy + sum(shares[:place]),
                workers=shares[place],
                slots=1,
                spread_s=wanted.spread,
            )
            for place, one in enumerate(simulators)
        )
    )
    return time.monotonic() - started


async def _cpu_percent(pool: BenchPool, seconds: float) -> float:
    """Return the processor time of the scheduler over some seconds, in percent of one processor."""
    used, started = cpu_seconds(pool.core_pid), time.monotonic()
    await asyncio.sleep(seconds)
    return 100 * (cpu_seconds(pool.core_pid) - used) / (time.monotonic() - started)


async def _crash(
    pool: BenchPool, simulators: list[SimulatorHandle], wanted: argparse.Namespace
) -> tuple[float, float, float]:
    """Kill the scheduler while workers report COMPUTED, and restart it.

    Returns the seconds from the kill until the last worker has its Welcome, the seconds until the scheduler is
    healthy, and the processor time of the new scheduler until then.
    """
    core, busy = pool.net.services["core"], simulators[0]
    finishing = asyncio.create_task(
        busy.order("round", timeout_s=_BACK_LIMIT_S, group=_BUSY, count=wanted.busy, refill=False)
    )
    await busy.order("reached", timeout_s=_ROUND_LIMIT_S, count=wanted.busy // 4)
    killed = time.monotonic()
    core.kill()
    core.start()
    backs = [
        asyncio.create_task(one.order("back", timeout_s=_BACK_LIMIT_S, connections=2)) for one in simulators
    ]
    await core.wait_healthy(timeout=_BACK_LIMIT_S)
    healthy_s = time.monotonic() - killed
    last = max([answer["at"] for answer in await asyncio.gather(*backs)])
    used_s = cpu_seconds(pool.core_pid)
    await finishing
    return last - killed, healthy_s, used_s


async def _tasks_in_order(pool: BenchPool) -> int:
    """Count the tasks with exactly one replicate that has every status up to COMPUTED once.

    RECOVERING may occur between any two: a returning worker adds it to the history.
    """
    good = 0
    async with grpc.aio.insecure_channel(pool.net.services["core"].grpc) as channel:
        stub: Any = task_service_pb2_grpc.TaskServiceStub(channel)
        for task_id in pool.task_ids:
            answer = await stub.GetTask(task_service_pb2.GetTaskRequest(task_id=task_id), timeout=10)
            histories = [[change.status for change in found.history] for found in answer.task.replicates]
            steps = [[status for status in history if status != _RECOVERING] for history in histories]
            if steps == [[statuses_pb2.REPLICATE_STATUS_CREATED, *CHAIN]]:
                good += 1
            else:
                say(f"task {task_id} has wrong histories: {histories}")
    return good


def _report(figures: dict[str, Any], wanted: argparse.Namespace) -> int:
    lost = figures["replicates_held"] - figures["replicates_finished"]
    rows = [
        ("memory of core per worker, KiB", figures["kib_each"], TARGET_KIB),
        ("processor for heartbeats, % of a core", figures["cpu_percent"], TARGET_CPU_PERCENT),
        ("all workers back after kill -9 of core, s", figures["back_s"], TARGET_BACK_S),
        (f"replicates lost, of {wanted.busy}", lost, 0),
    ]
    show(
        f"{wanted.workers} connected workers",
        ["", "measured", "at most", ""],
        [[name, f"{value:,.1f}", f"{most:g}", verdict(value <= most)] for name, value, most in rows],
    )
    for text, count in figures["problems"].items():
        say(f"problem, {count} times: {text}")
    met = {name: value <= most for name, value, most in rows} | {"no problem": not figures["problems"]}
    say(f"written to {write('workers', {**figures, 'targets': met})}")
    return 0 if all(met.values()) else 1


def main() -> None:
    """Run the bench from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--workers", type=int, default=5_000, help="workers that connect")
    parser.add_argument("--busy", type=int, default=200, help="of these, how many hold a replicate")
    parser.add_argument(
        "--seconds", type=int, default=30, help="seconds over which the processor is measured"
    )
    parser.add_argument(
        "--spread", type=float, default=20.0, help="seconds over which the idle workers connect"
    )
    wanted = parser.parse_args()
    if not 1 <= wanted.busy <= wanted.workers:
        parser.error("--busy is 1 to the number of --workers")
    run_and_exit(run(wanted))


if __name__ == "__main__":
    main()
