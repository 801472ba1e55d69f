"""Dependencies that all replicates of a worker share."""

import asyncio
from dataclasses import dataclass, field

from workerpool_kit.clock import Clock
from workerpool_poco.protocol.ids import Address

from workerpool_worker.app.live_output import LiveOutput
from workerpool_worker.app.outbox import Outbox
from workerpool_worker.app.ports import (
    Chain,
    Downloader,
    Engine,
    Journal,
    ResultStore,
    StageTimings,
    Workspace,
)
from workerpool_worker.domain.host import SlotLimits


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings that the steps need. Times are in seconds."""

    name: str
    slots: int
    limits: SlotLimits
    pull_min_s: float
    pull_max_s: float
    download_limit_s: float
    ipfs_gateways: tuple[str, ...]
    log_app_output: bool = False


@dataclass(slots=True)
class ReplicateContext:
    """Ports, policy and shared state of the steps. `result_proxy_url` follows the scheduler's configuration."""

    wallet_address: Address
    policy: Policy
    clock: Clock
    chain: Chain
    engine: Engine
    store: ResultStore
    downloader: Downloader
    workspace: Workspace
    journal: Journal
    outbox: Outbox
    timings: StageTimings
    result_proxy_url: str = ""
    slots: asyncio.Semaphore = field(init=False)
    live_output: LiveOutput = field(init=False)

    def __post_init__(self) -> None:
        self.slots = asyncio.Semaphore(self.policy.slots)
        self.live_output = LiveOutput(self.outbox.wake)
