"""Options of a devnet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.protocol.consensus import MIN_WEIGHT, consensus_reached

from workerpool_devnet.chain.anvil import CHAIN_ID
from workerpool_devnet.errors import OptionsError
from workerpool_devnet.market.deployment import Flavour

_LAST_PORT_BASE = 65_535 - GRPC_PORT_OFFSET - 6
"""Highest first port for the seven services; each worker takes one more port."""

NATIVE_CHAIN_ID = 134
"""Id of Bellecour, iExec's sidechain."""

Progress = Callable[[str], None]
"""Receives one line for each finished step."""


@dataclass(frozen=True, kw_only=True)
class DevnetOptions:
    """Options of `Devnet`; the defaults suit a test."""

    workers: int = 3
    """Number of worker processes, each with its own wallet and stake."""
    cpus_per_worker: int = 2
    """Tasks that one worker computes concurrently."""
    block_time: float = 0
    """Seconds between blocks, 0.1 to 20; 0 mines every transaction at once (plus an empty block per second)."""
    flavour: Flavour = Flavour.TOKEN
    """Token: deposits are RLC tokens, gas has a price. Native: deposits are the chain's coin, gas is free."""
    chain_id: int | None = None
    """EIP-155 id of the chain; None: 65535 for the token flavour, 134 for the native one."""
    chain_port: int | None = None
    """Port where anvil listens; None: a free one."""
    node_url: str | None = None
    """JSON-RPC address that every service and worker uses, such as a proxy before anvil; None: anvil itself."""
    long_chain: bool = False
    """Keep the mining speed independent of the number of deals, for runs of many minutes."""
    trust: int = 1
    """Highest trust of future deals. A trust that the workers cannot reach is refused."""
    ports: Literal["free", "documented"] | int = "free"
    """Free ports, the documented ports that are free, or consecutive HTTP ports from this number."""
    restart: bool = False
    """Restart a service that ends or is killed."""
    folder: Path | None = None
    """Run folder to create, or one that holds only `logs`; its logs are kept. None: a temporary folder."""
    service_logs: Path | None = None
    """Folder of the logs of the services, which outlives the devnet; None: `logs` in the run folder."""
    services: Collection[str] | None = None
    """Names of the services to start; None: all. `Service.restart` starts the others."""
    sdk: bool = False
    """Serve requesters with an iExec SDK as well: start SMS, market and order publisher, and name the pool in ENS.
    Without it these services start only when `services` names them."""
    environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Additional environment variables by service name ("core", "worker-1"; "worker" means every worker)."""
    start_timeout: float = 120.0
    """Seconds until the services must be ready."""
    progress: Progress = lambda line: None
    """Receiver of progress lines."""

    def __post_init__(self) -> None:
        """Raise `OptionsError` for options that cannot work."""
        if self.workers < 0:
            raise OptionsError(f"the number of workers must be 0 or more, not {self.workers}")
        if self.block_time != 0 and not 0.1 <= self.block_time <= 20:
            raise OptionsError(
                f"the block time must be 0 (instant) or 0.1 to 20 seconds, not {self.block_time:g}"
            )
        if self.chain_id is not None and not 0 < self.chain_id < 2**53:
            raise OptionsError(f"the chain id must be 1 to 2^53 - 1, not {self.chain_id}")
        if self.chain_port is not None and not 1 <= self.chain_port <= 65_535:
            raise OptionsError(f"the port of the chain must be 1 to 65535, not {self.chain_port}")
        if self.node_url is not None and not _is_node_url(self.node_url):
            raise OptionsError(
                f"the node's address must be a URL such as http://127.0.0.1:8545, not {self.node_url}"
            )
        if isinstance(self.ports, int) and not 1 <= self.ports <= _LAST_PORT_BASE - self.workers:
            raise OptionsError(
                f"the first HTTP port must be 1 to {_LAST_PORT_BASE - self.workers}, not {self.ports}: "
                f"each service's gRPC port is {GRPC_PORT_OFFSET} above its HTTP port"
            )
        if self.cpus_per_worker < 1:
            raise OptionsError(f"a worker needs 1 CPU or more, not {self.cpus_per_worker}")
        needed = workers_needed(self.trust)
        if 0 < self.workers < needed:
            raise OptionsError(
                f"trust {self.trust} needs {needed} workers without history to agree, not {self.workers}"
            )

    @property
    def effective_chain_id(self) -> int:
        """The id of the chain: the chosen one, or that of the flavour."""
        if self.chain_id is not None:
            return self.chain_id
        return NATIVE_CHAIN_ID if self.flavour is Flavour.NATIVE else CHAIN_ID


def _is_node_url(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in ("http", "https", "ws", "wss") and bool(parts.hostname)


def workers_needed(trust: int) -> int:
    """Return how many workers without history must agree to reach consensus at this trust."""
    count = 1
    while not consensus_reached(MIN_WEIGHT**count, [MIN_WEIGHT**count], trust):
        count += 1
    return count
