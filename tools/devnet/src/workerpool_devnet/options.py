"""Options of a devnet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from workerpool_kit.targets import GRPC_PORT_OFFSET
from workerpool_poco.protocol.consensus import MIN_WEIGHT, consensus_reached

from workerpool_devnet.errors import OptionsError

_LAST_PORT_BASE = 65_535 - GRPC_PORT_OFFSET - 3
"""Highest first port for the four services; each worker takes one more port."""

Progress = Callable[[str], None]
"""Receives one line for each finished step."""


@dataclass(frozen=True, kw_only=True)
class DevnetOptions:
    """Options of `Devnet`; the defaults suit a test."""

    workers: int = 3
    """Number of worker processes, each with its own wallet and stake."""
    cpus_per_worker: int = 2
    """Tasks that one worker computes concurrently."""
    block_time: int = 0
    """Seconds between blocks, up to 20; 0 mines every transaction at once (plus an empty one per second)."""
    trust: int = 1
    """Highest trust of the deals to come. A trust that the workers cannot reach is refused."""
    ports: Literal["free", "documented"] | int = "free"
    """Free ports, the documented ports that are free, or consecutive HTTP ports from this number."""
    restart: bool = False
    """Restart a service that ends or is killed."""
    folder: Path | None = None
    """Run folder to create, or one that holds only `logs`; its logs are kept. None: a temporary folder."""
    services: Collection[str] | None = None
    """Names of the services to start; None: all. `Service.restart` starts the others."""
    environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Additional environment variables by service name ("core", "worker-1"; "worker" means every worker)."""
    start_timeout: float = 60.0
    """Seconds until the services must be ready."""
    progress: Progress = lambda line: None
    """Receiver of progress lines."""

    def __post_init__(self) -> None:
        """Raise `OptionsError` for options that cannot work."""
        if self.workers < 0:
            raise OptionsError(f"the number of workers must be 0 or more, not {self.workers}")
        if not 0 <= self.block_time <= 20:
            raise OptionsError(f"the block time must be 0 (instant) to 20 seconds, not {self.block_time}")
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


def workers_needed(trust: int) -> int:
    """Return how many workers without history must agree to reach consensus at this trust."""
    count = 1
    while not consensus_reached(MIN_WEIGHT**count, [MIN_WEIGHT**count], trust):
        count += 1
    return count
