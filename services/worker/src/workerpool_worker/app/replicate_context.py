"""Dependencies that all replicates of a worker share."""

import asyncio
from dataclasses import dataclass, field

from workerpool_kit.clock import Clock
from workerpool_poco.protocol.ids import Address, TaskId

from workerpool_worker.app.live_output import LiveOutput
from workerpool_worker.app.outbox import Outbox
from workerpool_worker.app.ports import (
    Chain,
    Downloader,
    Engine,
    Journal,
    Measures,
    ResultStore,
    RuntimeGuard,
    StageTimings,
    Workspace,
)
from workerpool_worker.domain.fetching.gateways import GatewayHealth
from workerpool_worker.domain.fetching.limits import DownloadLimits
from workerpool_worker.domain.host import SlotLimits

_REMOVALS_PER_SLOT = 2


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings that the steps need. Times are in seconds."""

    name: str
    slots: int
    limits: SlotLimits
    pull_min_s: float
    pull_max_s: float
    downloads: DownloadLimits
    ipfs_gateways: tuple[str, ...]
    post_compute_limit_s: float = 600.0
    log_app_output: bool = False
    gpus_per_task: int = 0
    """GPUs of a task that asks for one; 0 on a host without GPU."""


@dataclass(slots=True)
class ReplicateContext:
    """Ports, policy and shared state of the steps. `result_proxy_url` follows the scheduler's configuration.

    `clock` is the chain's: no deadline of the protocol is judged by the host's own clock.
    """

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
    measures: Measures
    runtime: RuntimeGuard
    result_proxy_url: str = ""
    gateways: GatewayHealth = field(default_factory=GatewayHealth)
    slots: asyncio.Semaphore = field(init=False)
    removals: asyncio.Semaphore = field(init=False)
    """Held while a container is removed in the background, which needs no slot."""
    live_output: LiveOutput = field(init=False)
    waiting_uploads: dict[TaskId, str] = field(init=False, default_factory=dict)
    """Why the result of a task is not uploaded yet, as a sentence, while the worker retries."""

    def __post_init__(self) -> None:
        self.slots = asyncio.Semaphore(self.policy.slots)
        self.removals = asyncio.Semaphore(_REMOVALS_PER_SLOT * self.policy.slots)
        self.live_output = LiveOutput(self.outbox.wake)
