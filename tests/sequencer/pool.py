"""A devnet on each shape of chain, with the proxy before its anvil."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workerpool_devnet.devnet import Devnet
from workerpool_devnet.market.deployment import Flavour
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.processes.ports import free_port

from sequencer.process import ProxyProcess

_ARBITRUM_SEPOLIA = 421_614
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "mempool": {},
    "sequencer": {"chain_id": _ARBITRUM_SEPOLIA, "block_time": 0.25},
    "free": {"flavour": Flavour.NATIVE, "block_time": 1},
}
"""Shape → options of its devnet. A block of Bellecour takes 5 s; here it takes 1 s."""


@dataclass(frozen=True)
class ShapedPool:
    """A pool on a chain of some shape; `node` is the proxy that every service and worker uses."""

    shape: str
    net: Devnet
    node: ProxyProcess


@contextlib.asynccontextmanager
async def shaped_pool(
    shape: str, *, proxy_log: Path, seed: int = 0, **options: Any
) -> AsyncIterator[ShapedPool]:
    """Run a pool on a shape of chain, with these options of `DevnetOptions`; enter it in the main thread."""
    port = free_port()
    with ProxyProcess(port, shape=shape, log=proxy_log, seed=seed) as node:
        chosen = DevnetOptions(chain_port=port, node_url=node.url, **OPTIONS[shape], **options)
        async with Devnet(chosen) as net:
            yield ShapedPool(shape, net, node)
