"""The lean chain client beside web3.py: calls per second, CPU time per call, CPU time of the import.

Every client reads the same task from the same contracts on a local anvil. Rounds alternate between the clients, so
that a busy machine slows all of them; the figures are medians. See docs/adr/0002-web3.md.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from workerpool_devnet.chain.anvil import Chain
from workerpool_devnet.market import accounts, artifacts, deployment
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.protocol.ids import TaskId

from bench.report import say, show, write

Read = Callable[[], Awaitable[object]]

ROUNDS = 7
CALLS = 300
CONCURRENT = 16
TASK = TaskId("0x" + "00" * 31 + "01")
"""An unknown task: the hub answers with an empty task of the same size."""
_IMPORTS = {
    "lean client": "import workerpool_poco.chain.hub",
    "lean client and web3.py": "import workerpool_poco.chain.hub, web3",
}
_CPU = "import time; before = time.process_time(); {}; print(time.process_time() - before)"


async def measure(read: Read, concurrent: int) -> tuple[float, float]:
    """Return calls per second and CPU milliseconds per call of `CALLS` calls, `concurrent` at a time."""

    async def some() -> None:
        for _ in range(CALLS // concurrent):
            await read()

    started, cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(concurrent):
            group.create_task(some())
    calls = CALLS // concurrent * concurrent
    return calls / (time.perf_counter() - started), 1000 * (time.process_time() - cpu) / calls


async def compare(url: str, hub_address: str) -> dict[str, list[float]]:
    """Return calls/s and CPU ms per call of each client, one call at a time and `CONCURRENT` at a time."""
    from web3 import AsyncHTTPProvider, AsyncWeb3

    interface = artifacts.poco("IexecInterfaceToken").abi
    own_session = AsyncWeb3(AsyncHTTPProvider(url))
    async with HubClient(url, hub_address) as hub:
        by_web3 = own_session.eth.contract(
            address=own_session.to_checksum_address(hub_address), abi=interface
        )
        over_ours = hub.rpc.web3.eth.contract(
            address=own_session.to_checksum_address(hub_address), abi=interface
        )
        clients: dict[str, Read] = {
            "lean client": lambda: hub.view_task(TASK),
            "AsyncWeb3": lambda: by_web3.functions.viewTask(TASK).call(),
            "AsyncWeb3 over the lean client's connections": lambda: over_ours.functions.viewTask(TASK).call(),
        }
        figures: dict[str, list[list[float]]] = {name: [] for name in clients}
        for number in range(ROUNDS + 1):
            say(f"round {number} of {ROUNDS}" + (" (not counted)" if number == 0 else ""))
            for name, read in clients.items():
                measured = [*await measure(read, 1), *await measure(read, CONCURRENT)]
                if number:
                    figures[name].append(measured)
    await own_session.provider.disconnect()
    return {
        name: [statistics.median(column) for column in zip(*rounds, strict=True)]
        for name, rounds in figures.items()
    }


def import_seconds() -> dict[str, float]:
    """Return the median CPU seconds of each import, each in new processes."""
    taken: dict[str, list[float]] = {name: [] for name in _IMPORTS}
    for _ in range(ROUNDS):
        for name, statement in _IMPORTS.items():
            command = [sys.executable, "-c", _CPU.format(statement)]
            taken[name].append(float(subprocess.check_output(command)))
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def main() -> None:
    """Run the comparison: `cd tests && python -m bench.chain_clients`."""
    imports = import_seconds()
    with tempfile.TemporaryDirectory() as folder, Chain(log=Path(folder) / "chain.log") as chain:
        contracts = deployment.deploy(chain.rpc, accounts.deployer(chain.rpc))
        clients = asyncio.run(compare(chain.url, contracts.hub))
    show("CPU seconds of the import", ("", "s"), [(name, f"{s:.2f}") for name, s in imports.items()])
    show(
        f"viewTask on anvil, medians of {ROUNDS} rounds of {CALLS} calls",
        ("client", "calls/s", "CPU ms", f"calls/s, {CONCURRENT} at a time", "CPU ms"),
        [(name, f"{a:.0f}", f"{b:.2f}", f"{c:.0f}", f"{d:.2f}") for name, (a, b, c, d) in clients.items()],
    )
    say(f"figures: {write('chain_clients', {'imports': imports, 'clients': clients})}")


if __name__ == "__main__":
    main()
