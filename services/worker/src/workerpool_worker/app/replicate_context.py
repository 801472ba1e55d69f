"""What all replicates of a worker share: its identity, its tools, its journal and its outbox."""

import asyncio
from dataclasses import dataclass, field

from workerpool_kit.clock import Clock
from workerpool_poco.protocol.ids import Address

from workerpool_worker.adapters.files.workspace import Workspace
from workerpool_worker.adapters.sqlite_journal import Journal
from workerpool_worker.adapters.stage_durations import Durations
from workerpool_worker.app.live_output import LiveOutput
from workerpool_worker.app.outbox import Outbox
from workerpool_worker.app.ports import Chain, Downloader, Engine, ResultStore
from workerpool_worker.domain.host import SlotLimits


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's choices that the steps need; times in seconds."""

    name: str
    slots: int
    limits: SlotLimits
    pull_min_s: float
    pull_max_s: float
    download_limit_s: float
    ipfs_gateways: tuple[str, ...]
    show_app_output: bool = False


@dataclass(slots=True)
class Office:
    """The tools of the steps. ``result_proxy_url`` follows the scheduler's configuration."""

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
    durations: Durations
    result_proxy_url: str = ""
    slots: asyncio.Semaphore = field(init=False)
    live_output: LiveOutput = field(init=False)

    def __post_init__(self) -> None:
        self.slots = asyncio.Semaphore(self.policy.slots)
        self.live_output = LiveOutput(self.outbox.wake)
