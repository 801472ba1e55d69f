"""`make bench-dispatch`: replicates per second and dispatch latency, beside dask.distributed.

A replicate counts when its COMPUTED is acknowledged, which means majority and journal on disk. The dispatch latency is
the time from the COMPUTED report that frees a slot to the arrival of the Assignment that fills it; it includes the
durable writes of both.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.command import run_and_exit
from bench.pool import bench_pool
from bench.proc import cpu_seconds
from bench.replicates import Rhythm
from bench.report import percentile, say, show, verdict, write
from bench.simulator_handle import SimulatorHandle, simulator

WORKERS, SLOTS = 8, 16
IN_FLIGHT = WORKERS * SLOTS
WARM_UP = 4 * IN_FLIGHT
TARGET_PER_SECOND, TARGET_P50_MS, TARGET_P99_MS = 1_200.0, 3.0, 15.0
_ROUND_LIMIT_S = 120.0
_MANY, _ONE = "many", "one"
_PROCESSES = ("core_ms", "database_ms", "workers_ms")
_DASK = "dask.distributed, memory only"


@dataclass
class Side:
    """Figures of one side by round: tasks per second, and milliseconds with one task in flight."""

    per_second: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    core_ms: list[float] = field(default_factory=list)
    database_ms: list[float] = field(default_factory=list)
    workers_ms: list[float] = field(default_factory=list)
    """Processor time per replicate."""

    def add_latencies(self, seconds: list[float]) -> None:
        """Add the latencies of one round."""
        self.p50_ms.append(1e3 * percentile(seconds, 50))
        self.p99_ms.append(1e3 * percentile(seconds, 99))

    def add_processor(self, core_ms: float, database_ms: float, workers_ms: float) -> None:
        """Add the processor time per replicate of one round."""
        self.core_ms.append(core_ms)
        self.database_ms.append(database_ms)
        self.workers_ms.append(workers_ms)

    def medians(self) -> dict[str, float]:
        """Return the median of each figure over the rounds."""
        return {name: statistics.median(values) for name, values in vars(self).items() if values}


async def run(wanted: argparse.Namespace) -> int:
    """Run all rounds; return 0 when every target is met."""
    # A round may exceed its count by the replicates in flight at its end.
    needed = wanted.rounds * (2 * wanted.count + 3 * (wanted.singles + IN_FLIGHT + 1)) + 2 * WARM_UP
    ours = {rhythm: Side() for rhythm in Rhythm if rhythm.value in wanted.rhythms}
    rival = Side()
    async with bench_pool(needed, WORKERS + 1) as pool, simulator(pool.address) as workers:
        await workers.order(
            "connect", timeout_s=60, group=_MANY, first=0, workers=WORKERS, slots=SLOTS, spread_s=0.1
        )
        await workers.order("full", timeout_s=60, group=_MANY, count=IN_FLIGHT)
        await workers.order(
            "connect", timeout_s=60, group=_ONE, first=WORKERS, workers=1, slots=1, spread_s=0
        )
        pids = (pool.core_pid, pool.database_pid, workers.pid)
        say("workers connected; warming up")
        await _many(workers, WARM_UP, Rhythm.GATHERED)
        for number in range(1, wanted.rounds + 1):
            for rhythm, side in ours.items():
                # Waiting for each answer is slow, so a shorter round is enough.
                count = wanted.count if rhythm is Rhythm.GATHERED else wanted.count // 2
                used = [cpu_seconds(pid) for pid in pids]
                side.per_second.append(await _many(workers, count, rhythm))
                used = [
                    1e3 * (cpu_seconds(pid) - before) / count for pid, before in zip(pids, used, strict=True)
                ]
                side.add_processor(*used)
                side.add_latencies(await _one(workers, wanted.singles, rhythm))
                say(f"round {number}, {rhythm.value}: {_last(side)}")
            if not wanted.without_dask:
                seconds, latencies = await _dask(wanted)
                rival.per_second.append(wanted.count / seconds)
                rival.add_latencies(latencies)
                say(f"round {number}, dask: {_last(rival)}")
        problems = (await workers.order("problems", timeout_s=10))["problems"]
    return _report(ours, rival, wanted, problems)


async def _many(workers: SimulatorHandle, count: int, rhythm: Rhythm) -> float:
    """Return replicates per second with all slots in use."""
    answer = await workers.order(
        "round", timeout_s=_ROUND_LIMIT_S, group=_MANY, count=count, rhythm=rhythm.value
    )
    return float(count / answer["seconds"])


async def _one(workers: SimulatorHandle, count: int, rhythm: Rhythm) -> list[float]:
    """Return the dispatch latencies, in seconds, of a worker with one slot."""
    answer = await workers.order(
        "round", timeout_s=_ROUND_LIMIT_S, group=_ONE, count=count, rhythm=rhythm.value
    )
    return list(answer["dispatches"])


async def _dask(wanted: argparse.Namespace) -> tuple[float, list[float]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench.dask_rival", "--count", str(wanted.count), "--singles", str(wanted.singles)),
        *("--processes", str(wanted.dask_processes), "--threads", str(wanted.dask_threads)),
        *("--in-flight", str(IN_FLIGHT)),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[1],
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _ROUND_LIMIT_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise SystemExit("the round of dask.distributed failed; its error is above")
    figures: dict[str, Any] = json.loads(output)
    return figures["seconds"], figures["latencies"]


def _last(side: Side) -> str:
    return f"{side.per_second[-1]:,.0f}/s, p50 {side.p50_ms[-1]:.2f} ms, p99 {side.p99_ms[-1]:.2f} ms"


def _report(
    ours: dict[Rhythm, Side], rival: Side, wanted: argparse.Namespace, problems: dict[str, int]
) -> int:
    sides = {f"workerpool, {rhythm.value} reports": side.medians() for rhythm, side in ours.items()}
    if rival.per_second:
        sides[_DASK] = rival.medians()
    main = next(iter(sides.values()))
    met = {
        f"at least {TARGET_PER_SECOND:,.0f} replicates/s": main["per_second"] >= TARGET_PER_SECOND,
        f"dispatch p50 at most {TARGET_P50_MS:g} ms": main["p50_ms"] <= TARGET_P50_MS,
        f"dispatch p99 at most {TARGET_P99_MS:g} ms": main["p99_ms"] <= TARGET_P99_MS,
        "no update refused, nothing dropped": not problems,
    }
    if (dask := sides.get(_DASK)) is not None:
        faster = main["per_second"] >= dask["per_second"] and main["p50_ms"] <= dask["p50_ms"]
        met["at least as fast as dask.distributed"] = faster
    show(
        f"No-op replicates up to COMPUTED, medians of {wanted.rounds} interleaved rounds "
        f"({WORKERS} workers x {SLOTS} in flight; latency with one in flight)",
        ["", "per second", "p50 ms", "p99 ms", "CPU ms each: core", "mongod", "workers"],
        [
            [
                name,
                f"{found['per_second']:,.0f}",
                f"{found['p50_ms']:.2f}",
                f"{found['p99_ms']:.2f}",
                *(f"{found[name]:.2f}" if name in found else "" for name in _PROCESSES),
            ]
            for name, found in sides.items()
        ],
    )
    show("Targets", ["", ""], [[name, verdict(holds)] for name, holds in met.items()])
    for text, count in problems.items():
        say(f"problem, {count} times: {text}")
    rounds = {rhythm.value: vars(side) for rhythm, side in ours.items()} | {"dask": vars(rival)}
    path = write("dispatch", {"medians": sides, "rounds": rounds, "targets": met, "problems": problems})
    say(f"written to {path}")
    return 0 if all(met.values()) else 1


def main() -> None:
    """Run the bench from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds")
    parser.add_argument("--count", type=int, default=2_000, help="replicates in a round")
    parser.add_argument("--singles", type=int, default=200, help="replicates in a round with one in flight")
    # With this number of processors dask is fastest with one process each; the threads hold the tasks in flight.
    parser.add_argument("--dask-processes", type=int, default=min(WORKERS, os.cpu_count() or 1))
    parser.add_argument("--dask-threads", type=int, default=WORKERS)
    names = [rhythm.value for rhythm in Rhythm]
    parser.add_argument("--rhythms", nargs="+", choices=names, default=names, help="how reports are grouped")
    parser.add_argument("--without-dask", action="store_true", help="measure the scheduler alone")
    run_and_exit(run(parser.parse_args()))


if __name__ == "__main__":
    main()
