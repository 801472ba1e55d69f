"""Stops a pool's services with their database, and starts them on an older copy of its files."""

import asyncio
import shutil
from pathlib import Path

from patience import PATIENCE_S
from workerpool_devnet.devnet import Devnet

SERVICES = ("core", "chain_adapter", "result_proxy")
"""The services with a database. They stop in this order: core has the worker waited for."""
STOP_LIMIT_S = 30.0


async def stop_databases(net: Devnet) -> Path:
    """Stop the services that have a database, then the server; return the folder of its files."""
    for name in SERVICES:
        await asyncio.to_thread(net.services[name].process.stop, STOP_LIMIT_S)
    net.database.kill()
    return net.folder / "mongod/data"


async def start_databases(net: Devnet) -> None:
    """Start what `stop_databases` stopped, and wait until it is healthy."""
    net.database.revive()
    await asyncio.to_thread(net.database.wait_ready)
    for name in SERVICES:
        net.services[name].start()
    for name in SERVICES:
        await net.services[name].wait_healthy(timeout=PATIENCE_S)


async def keep_copy(net: Devnet, copy: Path) -> None:
    """Copy the files of the databases while everything is stopped."""
    data = await stop_databases(net)
    await asyncio.to_thread(shutil.copytree, data, copy)
    await start_databases(net)


async def throw_back(net: Devnet, copy: Path) -> None:
    """Replace the databases by a copy."""
    data = await stop_databases(net)
    await asyncio.to_thread(shutil.rmtree, data)
    await asyncio.to_thread(shutil.copytree, copy, data)
    await start_databases(net)
