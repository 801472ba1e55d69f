"""A pool and one worker that run as their guide says, without a reverse proxy."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from relays import Relay
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.processes.ports import free_port, is_free

from stack.pool_of_compose import (
    DEPENDENCIES,
    READY_LIMIT_S,
    Stack,
    bridge_address,
    prepare,
    take_down,
)
from stack.running import OURS, up

PORTS = (7001, 17001, 13010, 23010, 13200, 23200, 8888, 18888, 13300, 23300, 13400, 23400, 4001, 9090)


@asynccontextmanager
async def pool_over_http(images: Mapping[str, str], net: Devnet) -> AsyncIterator[Stack]:
    """Start the pool and one worker; take both down, with everything that they stored."""
    taken = [port for port in PORTS if not is_free(port)]
    if taken:
        pytest.fail(f"the ports {taken} of compose.yaml are in use on this machine")
    folder = Path(tempfile.mkdtemp(prefix="stack-", dir="/tmp"))
    host = bridge_address()
    port = free_port()
    node = Relay((host, port), ("127.0.0.1", net.chain.port))
    pool, worker = prepare(folder, net, f"http://{host}:{port}", host, images)
    try:
        async with node.running():
            await asyncio.to_thread(up, pool)
            ready_s = await asyncio.to_thread(pool.wait_healthy, [*OURS, *DEPENDENCIES], READY_LIMIT_S)
            await asyncio.to_thread(up, worker)
            yield Stack(net, pool, worker, f"http://{host}:7001", f"http://{host}:13200", ready_s)
    finally:
        await take_down(worker, pool)
        shutil.rmtree(folder, ignore_errors=True)
