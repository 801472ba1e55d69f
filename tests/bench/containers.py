"""Tasks per second of one worker, beside the same containers by the Docker API alone. `make bench-worker`.

The pool completes a bag of short tasks: each is fetched, run, contributed, revealed, uploaded and finalized on a chain
that mines at once. The rival creates, starts, awaits, reads and removes as many containers with the options that the
engine tells of the worker's own containers, as many at a time, and nothing else. The rounds of both take turns. Then
single tasks, `docker run` of the app with these options, and single containers by the API take turns.

Both run in two forms. In the first, the pool's services, its database and the chain share all processors with the
worker and the engine. In the second, the worker and the engine with its containers are a host of one processor, and
everything else has the others; the rival runs on that host alone. The engine is one of the bench's own.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import statistics
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

from bench import docker_run
from bench.command import run_and_exit
from bench.proc import cpu_seconds
from bench.processors import Busy, halves, pin
from bench.report import say, show, verdict, write
from services.worker.tests.harness import private_engine as engines

_TARGET = 0.9
_MAX_BEYOND_S = 0.1
"""Seconds that one task may take longer than `docker run` of its app."""
_SLOTS = 2
_TASK_LIMIT_S = 10.0
_LABEL = "workerpool.bench"
_ENGINE_PROCESSES = frozenset({"dockerd", "containerd"})
_SHARED, _ALONE = "all share all processors", "worker and engine alone on one processor"


@dataclass
class Form:
    """The figures of one form."""

    name: str
    processors: frozenset[int]
    """The processors of the worker and of the engine."""
    pool: list[float] = field(default_factory=list)
    """Tasks per second by round."""
    engine: list[float] = field(default_factory=list)
    busy_pool: list[float] = field(default_factory=list)
    """Share of time in which these processors worked, by round."""
    busy_engine: list[float] = field(default_factory=list)
    processor: dict[str, float] = field(default_factory=dict)
    """Seconds of processor time by process, in the rounds of the pool."""
    single_task: list[float] = field(default_factory=list)
    """Seconds from match to COMPLETED."""
    single_run: list[float] = field(default_factory=list)
    """Seconds of `docker run` of the app."""
    single_container: list[float] = field(default_factory=list)

    @property
    def share(self) -> float:
        """What the pool reaches of the engine's own rate."""
        return statistics.median(self.pool) / statistics.median(self.engine)

    @property
    def beyond(self) -> float:
        """Seconds that a task takes longer than `docker run` of its app, by the medians."""
        return statistics.median(self.single_task) - statistics.median(self.single_run)

    @property
    def meets(self) -> bool:
        """Whether both targets are met."""
        return self.share >= _TARGET and self.beyond <= _MAX_BEYOND_S

    def figures(self, tasks: int) -> dict[str, Any]:
        """Return what the file of figures keeps."""
        return {
            "pool": self.pool,
            "engine": self.engine,
            "share": self.share,
            "busy_pool": self.busy_pool,
            "busy_engine": self.busy_engine,
            "single_task_s": self.single_task,
            "docker_run_s": self.single_run,
            "single_container_s": self.single_container,
            "processor_ms": self.milliseconds(tasks),
        }

    def milliseconds(self, tasks: int) -> dict[str, float]:
        """Return the processor time of each process per task."""
        return {name: seconds / len(self.pool) / tasks * 1e3 for name, seconds in self.processor.items()}


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
        environment = dict(line.split("=", 1) for line in self.found["Config"]["Env"])
        for number, document in enumerate(DOCUMENTS, start=1):
            content = (repository_root() / document).read_bytes()
            (folder / environment[f"IEXEC_INPUT_FILE_NAME_{number}"]).write_bytes(content)

    @property
    def found(self) -> dict[str, Any]:
        """The engine's description of that container."""
        assert self._found is not None, "no container of the worker was seen"
        return self._found

    def of_round(self, given: Path, taken: Path) -> dict[str, Any]:
        """Return the options for containers that read from the folder `given` and write to `taken`."""
        config, host = self.found["Config"], dict(self.found["HostConfig"])
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
    """Run the rounds of each form and print the rates; return the exit code."""
    if reason := engines.why_not():
        raise SystemExit(reason)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-worker-")))
        engine = stack.enter_context(engines.private_engine(folder / "engine", engines.namespace(folder, {})))
        # Everything that the bench starts uses this engine.
        os.environ["DOCKER_HOST"] = engine.url
        image = await asyncio.to_thread(ensure_image)
        api = stack.enter_context(contextlib.closing(docker.APIClient(engine.url, num_pools=2 * _SLOTS)))
        documents = stack.enter_context(DocumentServer())
        rival = Rival(api, Options(api), folder)
        # The blocks of the rounds must not slow down the single tasks.
        options = DevnetOptions(workers=1, cpus_per_worker=_SLOTS, long_chain=True, progress=say)
        async with Devnet(options) as net:
            subject = Subject(net, await net.create_app("bench", image), documents.urls)
            with rival.options.looked_for(net.account("worker-1").address):
                await subject.round(2 * _SLOTS)  # loads what the others find loaded
            rival.prepare()
            forms = [Form(_SHARED, frozenset(os.sched_getaffinity(0)))]
            await _measure(forms[0], subject, rival, tasks, rounds, singles)
            if (divided := halves()) is not None:
                forms.append(Form(_ALONE, divided[0]))
                await asyncio.to_thread(_divide, net, engine.pid, *divided)
                rival.processors = divided[0]
                await _measure(forms[1], subject, rival, tasks, rounds, singles)
    return _report(forms, tasks)


def _divide(net: Devnet, engine: int, host: frozenset[int], others: frozenset[int]) -> None:
    """Give one processor to the worker and the engine, and the others to everything else."""
    worker = net.services["worker-1"].process.pid
    pin([os.getpid()], others)  # all its processes; some are pinned again
    pin([worker, engine], host)


async def _measure(form: Form, subject: Subject, rival: Rival, tasks: int, rounds: int, singles: int) -> None:
    say(f"{form.name}:")
    for number in range(1, rounds + 1):
        before, busy = _processor_times(subject.net), Busy()
        form.pool.append(await subject.round(tasks))
        form.busy_pool.append(busy.share(form.processors))
        for name, seconds in _processor_times(subject.net).items():
            form.processor[name] = form.processor.get(name, 0.0) + seconds - before[name]
        busy = Busy()
        form.engine.append(await asyncio.to_thread(rival.round, tasks))
        form.busy_engine.append(busy.share(form.processors))
        say(f"round {number} of {rounds}: pool {form.pool[-1]:.2f}, engine {form.engine[-1]:.2f} tasks/s")
    for _ in range(singles):
        form.single_task.append(await subject.single())
        form.single_run.append(await asyncio.to_thread(rival.run_command))
        form.single_container.append(1 / await asyncio.to_thread(rival.round, 1))


def _report(forms: list[Form], tasks: int) -> int:
    """Print all figures; return the exit code, which follows the last form."""
    for form in forms:
        rounds = range(1, len(form.pool) + 1)
        show(
            f"tasks per second, {tasks} a round, {_SLOTS} at a time; {form.name}",
            ["", *(f"round {n}" for n in rounds), "median", "busy"],
            [
                [
                    name,
                    *(f"{rate:.2f}" for rate in rates),
                    f"{statistics.median(rates):.2f}",
                    f"{statistics.median(busy):.0%}",
                ]
                for name, rates, busy in (
                    ("one worker", form.pool, form.busy_pool),
                    ("Docker API alone", form.engine, form.busy_engine),
                )
            ],
        )
        milliseconds = form.milliseconds(tasks)
        show(
            f"processor time of each task, milliseconds; {form.name}",
            [*milliseconds],
            [[f"{each:.0f}" for each in milliseconds.values()]],
        )
    last = forms[-1]
    rows = []
    for form in forms:
        counts = form is last
        task, run, container = map(
            statistics.median, (form.single_task, form.single_run, form.single_container)
        )
        rows += [
            [
                f"{form.name}: share",
                f"{form.share:.2f}",
                f"≥ {_TARGET:g}" if counts else "",
                verdict(form.share >= _TARGET) if counts else "",
            ],
            [
                f"{form.name}: one task ({task:.2f} s) beyond docker run ({run:.2f} s), seconds",
                f"{form.beyond:.2f}",
                f"≤ {_MAX_BEYOND_S:g}" if counts else "",
                verdict(form.beyond <= _MAX_BEYOND_S) if counts else "",
            ],
            [
                f"{form.name}: one task beyond its container by the API ({container:.2f} s), seconds",
                f"{task - container:.2f}",
                "",
                "",
            ],
        ]
    show("worker beside the engine", ["", "measured", "target", ""], rows)
    figures = {"tasks": tasks, **{form.name: form.figures(tasks) for form in forms}}
    say(f"figures: {write('worker', figures)}")
    return 0 if last.meets else 1


@dataclass
class Subject:
    """A pool of one worker, and what it computes."""

    net: Devnet
    app: Address
    input_files: tuple[str, ...]

    async def round(self, tasks: int) -> float:
        """Complete a bag and return its tasks per second."""
        began = time.monotonic()
        deal = await self.net.buy(self.app, params=self._params, volume=tasks)
        progress = Progress()
        await follow(self._core, deal.task_ids, progress, timeout=_TASK_LIMIT_S * tasks)
        seconds = time.monotonic() - began
        failed = [
            task
            for task in progress.tasks.values()
            if task.status != TASK_STATUS_COMPLETED or task.error_cause
        ]
        assert not failed, failed[0]
        return tasks / seconds

    async def single(self) -> float:
        """Complete one task and return the seconds from its match to COMPLETED."""
        deal = await self.net.buy(self.app, params=self._params)
        matched_at = time.time()
        progress = Progress()
        await follow(self._core, deal.task_ids, progress, timeout=_TASK_LIMIT_S)
        (task,) = progress.tasks.values()
        assert task.status == TASK_STATUS_COMPLETED, task
        assert not task.error_cause, task
        return float(task.history[-1].date.ToMicroseconds()) / 1e6 - matched_at

    @property
    def _params(self) -> DealParams:
        return DealParams(args="all", input_files=self.input_files)

    @property
    def _core(self) -> str:
        return self.net.services["core"].grpc


class Rival:
    """The same containers by the Docker API alone."""

    def __init__(self, api: Any, options: Options, folder: Path) -> None:
        self.options = options
        self.processors = frozenset(os.sched_getaffinity(0))
        """Processors of the threads that call the engine."""
        self._api, self._folder = api, folder
        self._given = folder / "in"

    def prepare(self) -> None:
        """Write the input files, once a container of the worker was seen."""
        self._given.mkdir()
        self.options.give_files(self._given)

    def round(self, tasks: int) -> float:
        """Run as many containers and return how many per second."""
        began = time.monotonic()
        with ThreadPoolExecutor(_SLOTS, initializer=self._settle) as threads:
            list(threads.map(self._run, range(tasks)))
        return tasks / (time.monotonic() - began)

    def run_command(self) -> float:
        """Return the seconds of one `docker run`. It blocks."""
        with (
            tempfile.TemporaryDirectory(dir=self._folder) as taken,
            ThreadPoolExecutor(1, initializer=self._settle) as thread,
        ):
            return thread.submit(docker_run.seconds_of, self.options.found, self._given, Path(taken)).result()

    def _settle(self) -> None:
        os.sched_setaffinity(0, self.processors)

    def _run(self, _: int) -> None:
        api = self._api
        with tempfile.TemporaryDirectory(dir=self._folder) as taken:
            name = f"bench-{uuid.uuid4().hex}"
            options = self.options.of_round(self._given, Path(taken))
            made = api.create_container_from_config(options, name)["Id"]
            try:
                api.start(made)
                code = api.wait(made)["StatusCode"]
                output = api.logs(made)
            finally:
                api.remove_container(made, force=True, v=True)
            assert code == 0, output


def _processor_times(net: Devnet) -> dict[str, float]:
    """Return the seconds of processor time of each process of the pool, and of the engine."""
    processes = {name: service.process.pid for name, service in net.services.items()}
    for name, process in (("database", net.database.process), ("chain", net.chain.process)):
        if process is not None:
            processes[name] = process.pid
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (name := (folder / "comm").read_text().strip()) in _ENGINE_PROCESSES:
                # The host's engine, or that of another program, is older.
                processes[name] = max(int(folder.name), processes.get(name, 0))
    return {name: cpu_seconds(pid) for name, pid in processes.items()}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.containers", description=__doc__)
    parser.add_argument("--tasks", type=int, default=60, help="tasks of a round")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each side")
    parser.add_argument("--singles", type=int, default=9, help="single tasks, and as many of each rival")
    arguments = parser.parse_args()
    run_and_exit(bench(arguments.tasks, arguments.rounds, arguments.singles))


if __name__ == "__main__":
    main()
