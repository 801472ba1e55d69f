"""Seconds from a match to COMPLETED, beyond the run time of the app, on a sequencer chain with blocks of 0.25 s.

A pool of three workers, one task at a time, the app of the demo. `make bench-latency`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path

from sequencer.pool import OPTIONS, ShapedPool, shaped_pool
from workerpool_devnet.demo.containers import ContainerClock
from workerpool_devnet.demo.documents import DocumentServer
from workerpool_devnet.demo.follow import Progress, follow
from workerpool_devnet.demo.image import ensure_image
from workerpool_devnet.demo.report import stages
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_protocol.core.v1 import task_pb2
from workerpool_protocol.core.v1.statuses_pb2 import TASK_STATUS_COMPLETED

from bench.command import run_and_exit
from bench.report import percentile, say, show, verdict, write

_TARGET_S = 3.0
_TASK_LIMIT_S = 120.0
_LONGEST_PAUSE_S = 4.0
"""Before a purchase, so that the match falls anywhere between two looks of an idle pool."""
_SEED = 11
_STAGES = ("init", "consensus", "reveal", "upload", "finalize")


async def bench(shape: str, tasks: int) -> int:
    """Complete tasks one after the other and print the seconds of each stage; return the exit code."""
    image = await asyncio.to_thread(ensure_image)
    with tempfile.TemporaryDirectory() as folder:
        async with shaped_pool(shape, proxy_log=Path(folder) / "proxy.log", workers=3, progress=say) as pool:
            measured = await _measure(pool, image, tasks)
            calls = pool.node.calls()["methods"]
    beyond = [total - ran for _, ran, total in measured]
    rows = [
        [
            f"{number}",
            *(f"{spent.get(stage, 0):.2f}" for stage in _STAGES),
            f"{ran:.2f}",
            f"{total - ran:.2f}",
        ]
        for number, (spent, ran, total) in enumerate(measured, start=1)
    ]
    show(
        f"seconds of each task, {shape} shape (beyond: match to COMPLETED without the run time of the app)",
        ["task", *_STAGES, "app ran", "beyond"],
        rows,
    )
    median = statistics.median(beyond)
    met = shape != "sequencer" or median <= _TARGET_S
    rows = [[f"median of {tasks}", f"{median:.2f}", f"{_TARGET_S:g}", verdict(met)]]
    show("match to COMPLETED beyond the app's run, seconds", ["", "measured", "target", ""], rows)
    figures = {
        "shape": shape,
        "beyond_s": beyond,
        "median_s": median,
        "worst_s": percentile(beyond, 100),
        "calls": calls,
    }
    say(f"figures: {write('latency', figures)}")
    return 0 if met else 1


async def _measure(pool: ShapedPool, image: str, tasks: int) -> list[tuple[dict[str, float], float, float]]:
    """Return for each task the seconds of its stages, the run time of the app, and match to COMPLETED."""
    measured, chance = [], random.Random(_SEED)
    with DocumentServer() as documents, ContainerClock.running() as clock:
        app = await pool.net.create_app("latency", image)
        params = DealParams(args="one", input_files=documents.urls)
        # The first task loads what the others find loaded.
        for number in range(tasks + 1):
            await asyncio.sleep(chance.uniform(0, _LONGEST_PAUSE_S))
            deal = await pool.net.buy(app, params=params, workerpool_price=1000)
            matched_at = time.time()
            progress = Progress()
            (task_id,) = deal.task_ids
            await follow(pool.net.services["core"].grpc, [task_id], progress, timeout=_TASK_LIMIT_S)
            task = progress.tasks[task_id]
            assert task.status == TASK_STATUS_COMPLETED, task
            total = _ended_at(task) - matched_at
            say(f"task {number} of {tasks}: {total:.2f} s")
            if number:
                measured.append((stages(task), clock.longest(task_id), total))
    return measured


def _ended_at(task: task_pb2.Task) -> float:
    return float(task.history[-1].date.ToMicroseconds()) / 1e6


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.latency", description=__doc__)
    parser.add_argument("--tasks", type=int, default=10, help="tasks whose median counts")
    parser.add_argument("--shape", choices=[*OPTIONS], default="sequencer", help="shape of the chain")
    arguments = parser.parse_args()
    run_and_exit(bench(arguments.shape, arguments.tasks))


if __name__ == "__main__":
    main()
