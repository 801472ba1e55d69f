"""Tasks per second of one worker, beside the same containers by the Docker API alone. `make bench-worker`.

The pool completes a bag of short tasks: each is fetched, run, contributed, revealed, uploaded and finalized on a chain
that mines at once. The rival creates, starts, awaits, reads and removes as many containers with the options that the
engine tells of the worker's own containers, as many at a time, and nothing else. The rounds of both take turns. Then
single tasks and single containers take turns. The processor time of each process of the pool depends least on other
load of the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError
from workerpool_devnet.demo.documents import DOCUMENTS, DocumentServer
from workerpool_devnet.demo.follow import Progress, follow
from workerpool_devnet.demo.image import ensure_image
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.packages import repository_root
from workerpool_devnet.processes.worker_containers import WORKER_LABEL
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.ids import Address
from workerpool_protocol.core.v1.statuses_pb2 import TASK_STATUS_COMPLETED

from bench.command import run_and_exit
from bench.proc import cpu_seconds
from bench.report import say, show, verdict, write

_TARGET = 0.9
_MOST_BEYOND_S = 0.1
"""Seconds that one task may take longer than its container alone."""
_SLOTS = 2
_TASK_LIMIT_S = 10.0
_LABEL = "workerpool.bench"
_ENGINE_PROCESSES = frozenset({"dockerd", "containerd"})


@dataclass
class Rates:
    """Tasks per second by round."""

    pool: list[float] = field(default_factory=list)
    engine: list[float] = field(default_factory=list)

    processor: dict[str, float] = field(default_factory=dict)
    """Seconds of processor time by process, in the rounds of the pool."""

    @property
    def share(self) -> float:
        """What the pool reaches of the engine's own rate."""
        return statistics.median(self.pool) / statistics.median(self.engine)


@dataclass
class Singles:
    """Seconds of single tasks, from match to COMPLETED, and of single containers."""

    pool: list[float] = field(default_factory=list)
    engine: list[float] = field(default_factory=list)

    @property
    def beyond(self) -> float:
        """Seconds that a task takes longer than its container alone, by the medians."""
        return statistics.median(self.pool) - statistics.median(self.engine)


class Options:
    """The options of a worker's containers, copied from the first one that is seen."""

    def __init__(self, client: Any) -> None:
        self._api = client
        self._found: dict[str, Any] | None = None

    @contextlib.contextmanager
    def looked_for(self, worker: Address) -> Iterator[None]:
        """Look for a container of a worker while the block runs, unless one was seen."""
        over = threading.Event()
        thread = threading.Thread(target=self._look, args=(worker, over))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def give_files(self, folder: Path) -> None:
        """Write the input files under the names that the worker gave them."""
        assert self._found is not None, "no container of the worker was seen"
        environment = dict(line.split("=", 1) for line in self._found["Config"]["Env"])
        for number, document in enumerate(DOCUMENTS, start=1):
            content = (repository_root() / document).read_bytes()
            (folder / environment[f"IEXEC_INPUT_FILE_NAME_{number}"]).write_bytes(content)

    def of_round(self, given: Path, taken: Path) -> dict[str, Any]:
        """Return the options for containers that read from the folder `given` and write to `taken`."""
        assert self._found is not None, "no container of the worker was seen"
        config, host = self._found["Config"], dict(self._found["HostConfig"])
        host["Binds"] = [f"{given}:/iexec_in:ro", f"{taken}:/iexec_out:rw"]
        return {
            **{key: config[key] for key in ("Image", "Cmd", "Env")},
            "Labels": {_LABEL: "1"},
            "HostConfig": host,
        }

    def _look(self, worker: Address, over: threading.Event) -> None:
        filters = {"label": f"{WORKER_LABEL}={worker}"}
        while self._found is None and not over.wait(0.02):
            for container in self._api.containers(filters=filters):
                with contextlib.suppress(APIError):  # it ends at any moment
                    details = self._api.inspect_container(container["Id"])
                    if any(":/iexec_out" in bind for bind in details["HostConfig"]["Binds"] or ()):
                        self._found = details


async def bench(tasks: int, rounds: int, singles: int) -> int:
    """Run the rounds and print both rates; return the exit code."""
    image = await asyncio.to_thread(ensure_image)
    api = docker.APIClient(num_pools=2 * _SLOTS)
    options, rates, one = Options(api), Rates(), Singles()
    with tempfile.TemporaryDirectory() as folder, DocumentServer() as documents, contextlib.closing(api):
        given = Path(folder) / "in"
        given.mkdir()
        async with Devnet(DevnetOptions(workers=1, cpus_per_worker=_SLOTS, progress=say)) as net:
            app = await net.create_app("bench", image)
            params = DealParams(args="all", input_files=documents.urls)
            worker = net.account("worker-1").address
            with options.looked_for(worker):
                await _pool_round(net, app, params, 2 * _SLOTS)  # loads what the others find loaded
            options.give_files(given)
            for number in range(1, rounds + 1):
                before = _processor_times(net)
                rates.pool.append(await _pool_round(net, app, params, tasks))
                for name, seconds in _processor_times(net).items():
                    rates.processor[name] = rates.processor.get(name, 0.0) + seconds - before[name]
                rates.engine.append(
                    await asyncio.to_thread(_engine_round, api, options, given, folder, tasks)
                )
                say(
                    f"round {number} of {rounds}: pool {rates.pool[-1]:.2f}, engine {rates.engine[-1]:.2f} tasks/s"
                )
            for _ in range(singles):
                one.pool.append(await _single_task(net, app, params))
                one.engine.append(1 / await asyncio.to_thread(_engine_round, api, options, given, folder, 1))
    met = rates.share >= _TARGET and one.beyond <= _MOST_BEYOND_S
    rows = [
        ["one worker", *(f"{rate:.2f}" for rate in rates.pool), f"{statistics.median(rates.pool):.2f}"],
        [
            "Docker API alone",
            *(f"{rate:.2f}" for rate in rates.engine),
            f"{statistics.median(rates.engine):.2f}",
        ],
    ]
    show(
        f"tasks per second, {tasks} a round, {_SLOTS} at a time",
        ["", *(f"round {n}" for n in range(1, rounds + 1)), "median"],
        rows,
    )
    milliseconds = {name: seconds / rounds / tasks * 1e3 for name, seconds in rates.processor.items()}
    show(
        "processor time of each task, milliseconds",
        [*milliseconds],
        [[f"{each:.0f}" for each in milliseconds.values()]],
    )
    show(
        "worker beside the engine",
        ["", "measured", "target", ""],
        [
            ["share", f"{rates.share:.2f}", f"≥ {_TARGET:g}", verdict(rates.share >= _TARGET)],
            [
                f"one task ({statistics.median(one.pool):.2f} s) beyond its container, seconds",
                f"{one.beyond:.2f}",
                f"≤ {_MOST_BEYOND_S:g}",
                verdict(one.beyond <= _MOST_BEYOND_S),
            ],
        ],
    )
    figures = {
        "pool": rates.pool,
        "engine": rates.engine,
        "share": rates.share,
        "tasks": tasks,
        "single_task_s": one.pool,
        "single_container_s": one.engine,
        "processor_ms": milliseconds,
    }
    say(f"figures: {write('worker', figures)}")
    return 0 if met else 1


async def _pool_round(net: Devnet, app: Address, params: DealParams, tasks: int) -> float:
    """Complete a bag and return its tasks per second."""
    began = time.monotonic()
    deal = await net.buy(app, params=params, volume=tasks)
    progress = Progress()
    await follow(net.services["core"].grpc, deal.task_ids, progress, timeout=_TASK_LIMIT_S * tasks)
    seconds = time.monotonic() - began
    failed = [
        task for task in progress.tasks.values() if task.status != TASK_STATUS_COMPLETED or task.error_cause
    ]
    assert not failed, failed[0]
    return tasks / seconds


async def _single_task(net: Devnet, app: Address, params: DealParams) -> float:
    """Complete one task and return the seconds from its match to COMPLETED."""
    deal = await net.buy(app, params=params)
    matched_at = time.time()
    progress = Progress()
    await follow(net.services["core"].grpc, deal.task_ids, progress, timeout=_TASK_LIMIT_S)
    (task,) = progress.tasks.values()
    assert task.status == TASK_STATUS_COMPLETED, task
    assert not task.error_cause, task
    return float(task.history[-1].date.ToMicroseconds()) / 1e6 - matched_at


def _processor_times(net: Devnet) -> dict[str, float]:
    """Return the seconds of processor time of each process of the pool, and of the engine where it is on this host."""
    processes = {name: service.process.pid for name, service in net.services.items()}
    for name, process in (("database", net.database.process), ("chain", net.chain.process)):
        if process is not None:
            processes[name] = process.pid
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (name := (folder / "comm").read_text().strip()) in _ENGINE_PROCESSES:
                # Tests may run engines of their own; the host's is the oldest.
                processes[name] = min(int(folder.name), processes.get(name, sys.maxsize))
    return {name: cpu_seconds(pid) for name, pid in processes.items()}


def _engine_round(api: Any, options: Options, given: Path, folder: str, tasks: int) -> float:
    """Run as many containers and return how many per second."""

    def one(number: int) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as taken:
            name = f"bench-{uuid.uuid4().hex}"
            made = api.create_container_from_config(options.of_round(given, Path(taken)), name)["Id"]
            try:
                api.start(made)
                code = api.wait(made)["StatusCode"]
                output = api.logs(made)
            finally:
                api.remove_container(made, force=True, v=True)
            assert code == 0, output

    began = time.monotonic()
    with ThreadPoolExecutor(_SLOTS) as threads:
        list(threads.map(one, range(tasks)))
    return tasks / (time.monotonic() - began)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.containers", description=__doc__)
    parser.add_argument("--tasks", type=int, default=60, help="tasks of a round")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each side")
    parser.add_argument("--singles", type=int, default=9, help="single tasks and containers")
    arguments = parser.parse_args()
    run_and_exit(bench(arguments.tasks, arguments.rounds, arguments.singles))


if __name__ == "__main__":
    main()
