"""What the parts of one wallet's pipeline share."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger

from workerpool_transactions.app.fees import Fees
from workerpool_transactions.domain.counting import Counting
from workerpool_transactions.domain.entry import Call, Entry
from workerpool_transactions.domain.fees import FeePolicy
from workerpool_transactions.domain.profile import ChainProfile
from workerpool_transactions.domain.queue import Queue
from workerpool_transactions.domain.watch import Watch
from workerpool_transactions.ports import Journal, Node, Signer, Timer

log = get_logger()

Notify = Callable[[Sequence[Entry]], Awaitable[None]]


@dataclass(eq=False, slots=True)
class Context:
    """The ports, the limits and the state of one wallet."""

    node: Node
    journal: Journal
    signer: Signer
    clock: Clock
    timer: Timer
    policy: FeePolicy
    profile: ChainProfile
    settle: Notify
    restore: Notify
    block_time_s: float
    queue: Queue
    fees: Fees
    counting: Counting = field(default_factory=Counting)
    watch: Watch = field(default_factory=Watch)
    next_nonce: int | None = None
    """The nonce of the next entry; None when journal and node must be read."""
    send_now: asyncio.Event = field(default_factory=asyncio.Event)
    look_now: asyncio.Event = field(default_factory=asyncio.Event)
    looked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set after the first look at the chain."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever entries ended, for those that wait for room."""
    writes: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while an entry that is in flight gets another form in the journal."""
    replacements: int = 0
    fillers: int = 0

    @property
    def wallet(self) -> str:
        """The wallet's address."""
        return self.signer.address

    def say_parked(self, before: str) -> None:
        """Log that the wallet was parked or unparked, once; `before` is the reason before the last event."""
        reason = self.queue.brake.parked_reason
        if reason and not before:
            log.warning("wallet.parked", wallet=self.wallet, reason=reason)
        elif before and not reason:
            log.info("wallet.unparked", wallet=self.wallet)

    async def adopt(self) -> None:
        """Put the journal's live entries in flight; those that are already stay as they are."""
        self.queue.put(await self.journal.live(), self.timer.time())
        self.send_now.set()
        self.look_now.set()

    async def transfer(self) -> Call:
        """Return an empty transfer of the wallet to itself. Raises ChainUnreachable."""
        call = Call(self.wallet, b"", self.profile.transfer_gas)
        estimate = (await self.node.estimate([call]))[0].gas
        # A rollup charges its share of the base chain's fee as gas, which varies.
        gas = self.profile.transfer_gas if estimate is None else estimate + estimate // 2
        return Call(self.wallet, b"", max(gas, 21_000))
