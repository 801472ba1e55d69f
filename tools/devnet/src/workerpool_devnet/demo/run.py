"""`make demo`: start a pool, buy tasks, follow them, open their results."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import Callable

from rich.console import Console
from rich.live import Live
from workerpool_poco.chain.hub import HubClient

from workerpool_devnet.demo.containers import ContainerClock
from workerpool_devnet.demo.documents import DOCUMENTS, DocumentServer
from workerpool_devnet.demo.follow import Progress, follow, read_chain
from workerpool_devnet.demo.image import ensure_image
from workerpool_devnet.demo.purchases import HIGH_TRUST, BoughtTask, buy
from workerpool_devnet.demo.report import Outcome, live_table, results_table, times_table
from workerpool_devnet.demo.results import open_result
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.packages import repository_root

WORKERS = 3
TASK_TIMEOUT_SECONDS = 240.0


async def run_demo(*, block_time: float = 0, keep: bool = False) -> int:
    """Run the demo; return the exit code: 0 when every task is COMPLETED with the digest on chain.

    With `keep` the pool runs until the process is interrupted.
    """
    console = Console(stderr=False, width=None if sys.stdout.isatty() else 200)
    started = time.monotonic()

    def say(line: str) -> None:
        console.print(f"[dim]{time.monotonic() - started:6.1f} s[/dim]  {line}", highlight=False)

    image = await asyncio.to_thread(ensure_image)
    say(f"app image {image} is built")
    options = DevnetOptions(
        workers=WORKERS,
        trust=HIGH_TRUST,
        block_time=block_time,
        ports="documented",
        restart=True,
        progress=say,
    )
    async with Devnet(options) as net:
        try:
            outcomes = await compute(net, image, console, say)
            console.print(times_table(outcomes), results_table(outcomes))
            for line in _summary(outcomes, block_time):
                say(line)
            if keep:
                _explain_keep(net, outcomes, console)
                await net.wait()
        finally:
            say("stopping the pool")
    return 0 if all(outcome.succeeded for outcome in outcomes) else 1


async def compute(net: Devnet, image: str, console: Console, say: Callable[[str], None]) -> list[Outcome]:
    """Buy the deals of the demo on a running devnet, follow the tasks, open their results below `.cache/demo`."""
    with DocumentServer() as documents, ContainerClock.running() as clock:
        bought = await asyncio.to_thread(buy, net, image, documents.urls)
        say(f"two deals matched: {len(bought)} tasks over {', '.join(DOCUMENTS)}")
        progress = Progress()
        with Live(console=console, refresh_per_second=8, transient=True) as live:
            progress.on_change = lambda: live.update(live_table(bought, progress))
            core = net.services["core"].grpc
            await follow(core, [item.task_id for item in bought], progress, timeout=TASK_TIMEOUT_SECONDS)
        return await _outcomes(net, bought, progress, clock)


async def _outcomes(
    net: Devnet, bought: list[BoughtTask], progress: Progress, clock: ContainerClock
) -> list[Outcome]:
    folder = repository_root() / ".cache" / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    outcomes = []
    async with HubClient(net.chain.url, net.contracts.hub) as hub:
        for item in bought:
            record = await read_chain(hub, item.task_id, item.deal_block)
            result = None
            if record.completed:
                proxy = net.services["result_proxy"].grpc
                result = await open_result(proxy, item.task_id, record.task, folder / item.task_id[:12])
            task, ran = progress.tasks[item.task_id], clock.longest(item.task_id)
            outcomes.append(Outcome(item, task, record, ran, result))
    return outcomes


def _summary(outcomes: list[Outcome], block_time: float) -> list[str]:
    """Return the summary: durations, and the paths of the results."""
    simple = [outcome for outcome in outcomes if outcome.bought.trust == 1 and outcome.record.completed]
    lines = [
        f"{sum(o.succeeded for o in outcomes)} of {len(outcomes)} tasks COMPLETED on chain with the result's digest"
    ]
    if simple:
        seconds = max(outcome.overhead_seconds for outcome in simple)
        lines.append(
            f"trust-1 tasks, match to COMPLETED without the run time of the app: at most {seconds:.2f} s"
        )
    if simple and block_time:
        blocks = max(outcome.overhead_blocks(block_time) for outcome in simple)
        lines.append(
            f"the same in blocks of {block_time:g} s: at most {blocks} (4 transactions in sequence are the floor)"
        )
    lines += [f"{o.bought.label}: {o.result.folder}/analysis.txt" for o in outcomes if o.result is not None]
    return lines


def _explain_keep(net: Devnet, outcomes: list[Outcome], console: Console) -> None:
    """Print commands that inspect the running pool."""
    console.print("\nThe pool is running; Ctrl-C stops it. Inspect it, for example, with")
    console.print(
        "(`make go-tools` builds grpcurl as .cache/bin/grpcurl; it needs Go 1.26):\n", highlight=False
    )
    core, proxy = net.services["core"].grpc, net.services["result_proxy"].grpc
    task = f'\'{{"task_id": "{outcomes[-1].bought.task_id}"}}\''
    for line in (
        *(f"grpcurl -plaintext {service.grpc} list    # {name}" for name, service in net.services.items()),
        f"grpcurl -plaintext {core} describe workerpool.core.v1.TaskService",
        f"grpcurl -plaintext {core} grpc.health.v1.Health/Check",
        f"grpcurl -plaintext {core} workerpool.core.v1.PoolService/ListWorkers",
        f"grpcurl -plaintext -d {task} {core} workerpool.core.v1.TaskService/GetTask",
        f"grpcurl -plaintext -d {task} {proxy} workerpool.result_proxy.v1.ResultService/GetResult",
        f"curl -s {net.services['core'].http}/actuator/health",
        f"curl -s {net.services['registry'].http}/config/chain",
        f"tail -f {net.logs}/*.log",
    ):
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
