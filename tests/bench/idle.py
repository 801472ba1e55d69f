"""Calls of each process to its node: of a pool that has no work while others make blocks, and per task.

A pool of three workers on each shape of chain, with a counting proxy before each process. `make bench-idle`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

from sequencer.pool import OPTIONS
from sequencer.process import ProxyProcess
from workerpool_devnet.demo.documents import DocumentServer
from workerpool_devnet.demo.follow import Progress, follow
from workerpool_devnet.demo.image import ensure_image
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.processes.ports import free_port
from workerpool_poco.protocol.deal_params import DealParams

from bench.command import run_and_exit
from bench.report import say, show, verdict, write

_TARGET = 1.2
"""Calls per second of one idle process."""
_WORKERS = 3
_SETTLE_S = 20.0
_BLOCK_TIME_S = {"sequencer": 0.25}
"""Seconds between the blocks of others, 1 where the shape is not listed."""
_TASK_LIMIT_S = 180.0
_VARIABLES = {
    "core": "IEXEC_BLOCKCHAIN_NODE_ADDRESS",
    "chain_adapter": "IEXEC_BLOCKCHAIN_NODE_ADDRESS",
    "result_proxy": "IEXEC_BLOCKCHAIN_NODE_ADDRESS",
    **{
        f"worker-{number}": "IEXEC_WORKER_OVERRIDE_BLOCKCHAIN_NODE_ADDRESS"
        for number in range(1, _WORKERS + 1)
    },
}
"""Process → its variable for the node."""

Calls = dict[str, Counter[str]]


class CountedPool:
    """A pool whose calls to the node are counted for each process."""

    def __init__(self, net: Devnet, counters: dict[str, ProxyProcess]) -> None:
        self.net = net
        self._counters = counters

    def calls(self) -> Calls:
        """Return the calls so far by process and method."""
        return {name: Counter(proxy.calls()["methods"]) for name, proxy in self._counters.items()}


@contextlib.asynccontextmanager
async def counted_pool(shape: str, folder: Path) -> AsyncIterator[CountedPool]:
    """Run a pool on a shape of chain, each process with a counting proxy before the shaped node."""
    port = free_port()
    with contextlib.ExitStack() as stack:
        node = stack.enter_context(ProxyProcess(port, shape=shape, log=folder / f"{shape}.log"))
        counters = {
            name: stack.enter_context(
                ProxyProcess(node.port, shape="mempool", log=folder / f"{shape}-{name}.log")
            )
            for name in _VARIABLES
        }
        environment = {name: {variable: counters[name].url} for name, variable in _VARIABLES.items()}
        options = DevnetOptions(
            workers=_WORKERS,
            chain_port=port,
            node_url=node.url,
            environment=environment,
            progress=say,
            **OPTIONS[shape],
        )
        async with Devnet(options) as net:
            yield CountedPool(net, counters)


def difference(before: Calls, after: Calls) -> Calls:
    """Return the calls between two counts."""
    return {name: after[name] - before[name] for name in after}


async def _idle(pool: CountedPool, seconds: float, block_time_s: float) -> Calls:
    """Return the calls of some seconds without work, while others make blocks."""

    async def others() -> None:
        while True:
            await asyncio.to_thread(pool.net.chain.mine)
            await asyncio.sleep(block_time_s)

    mining = asyncio.create_task(others())
    try:
        await asyncio.sleep(_SETTLE_S)
        before = await asyncio.to_thread(pool.calls)
        await asyncio.sleep(seconds)
        return difference(before, await asyncio.to_thread(pool.calls))
    finally:
        mining.cancel()
        await asyncio.wait({mining})


async def _tasks(pool: CountedPool, tasks: int) -> Calls:
    """Return the calls while tasks are completed one after the other."""
    image = await asyncio.to_thread(ensure_image)
    with DocumentServer() as documents:
        app = await pool.net.create_app("idle", image)
        params = DealParams(args="one", input_files=documents.urls)
        before = await asyncio.to_thread(pool.calls)
        for number in range(1, tasks + 1):
            deal = await pool.net.buy(app, params=params, workerpool_price=1000)
            await follow(pool.net.services["core"].grpc, deal.task_ids, Progress(), timeout=_TASK_LIMIT_S)
            say(f"task {number} of {tasks} completed")
        return difference(before, await asyncio.to_thread(pool.calls))


def _rows(calls: Calls, divisor: float) -> list[list[str]]:
    """Return each process with its calls and its methods, the most used first."""
    return [
        [
            name,
            f"{counted.total() / divisor:.2f}",
            ", ".join(f"{method} {count / divisor:.2f}" for method, count in counted.most_common()),
        ]
        for name, counted in calls.items()
    ]


async def bench(shapes: list[str], seconds: float, tasks: int) -> int:
    """Measure each shape and print tables; return the exit code."""
    met = True
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        for shape in shapes:
            async with counted_pool(shape, Path(folder)) as pool:
                idle = await _idle(pool, seconds, _BLOCK_TIME_S.get(shape, 1.0))
                per_task = await _tasks(pool, tasks) if tasks else {}
            worst = max(counted.total() for counted in idle.values()) / seconds
            met = met and worst <= _TARGET
            show(
                f"calls per second, idle, {shape} shape",
                ["process", "all", "by method"],
                _rows(idle, seconds),
            )
            if per_task:
                show(
                    f"calls per task, {shape} shape", ["process", "all", "by method"], _rows(per_task, tasks)
                )
            row = ["busiest process, calls/s", f"{worst:.2f}", f"{_TARGET:g}", verdict(worst <= _TARGET)]
            show(f"{shape} shape", ["", "measured", "target", ""], [row])
            figures[shape] = {"idle_per_s": _plain(idle, seconds), "per_task": _plain(per_task, tasks or 1)}
    say(f"figures: {write('idle', figures)}")
    return 0 if met else 1


def _plain(calls: Calls, divisor: float) -> dict[str, dict[str, float]]:
    return {
        name: {method: count / divisor for method, count in counted.items()}
        for name, counted in calls.items()
    }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.idle", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="seconds of the idle pool that count")
    parser.add_argument("--tasks", type=int, default=3, help="tasks whose calls are counted; 0 counts none")
    parser.add_argument("--shape", choices=[*OPTIONS], action="append", help="a shape; all by default")
    arguments = parser.parse_args()
    run_and_exit(bench(arguments.shape or [*OPTIONS], arguments.seconds, arguments.tasks))


if __name__ == "__main__":
    main()
