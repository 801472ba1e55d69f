"""The objects that every part of the composition shares."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from workerpool_kit.clock import Clock, SystemClock
from workerpool_kit.health import Health
from workerpool_kit.process import Lifetime
from workerpool_poco.chain.wallet import Wallet

from workerpool_core.app.running import Core
from workerpool_core.settings import CoreSettings


@dataclass(frozen=True, slots=True)
class Parts:
    """Settings and the long-lived objects of one process; `stack` closes parts in reverse order of their start."""

    settings: CoreSettings
    lifetime: Lifetime
    stack: AsyncExitStack
    wallet: Wallet
    version: str
    core: Core = field(default_factory=Core)
    health: Health = field(default_factory=Health)
    clock: Clock = field(default_factory=SystemClock)
