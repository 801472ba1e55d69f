"""The transactions of one wallet: submit calls, wait for their ends, survive crashes and reorganisations."""

import asyncio
from collections.abc import Sequence

from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.model import Block

from workerpool_transactions.app.context import Context, Notify
from workerpool_transactions.app.endings import Endings
from workerpool_transactions.app.fees import Fees
from workerpool_transactions.app.intake import Intake
from workerpool_transactions.app.mined import Mined
from workerpool_transactions.app.sender import Sender
from workerpool_transactions.app.status import Status, status_of
from workerpool_transactions.app.watcher import Watcher
from workerpool_transactions.domain.entry import Call, Entry
from workerpool_transactions.domain.fees import FeePolicy
from workerpool_transactions.domain.profile import ChainProfile
from workerpool_transactions.domain.queue import Queue
from workerpool_transactions.ports import Journal, Node, Signer, Timer

log = get_logger()

RESUME_MINED_S = 600.0
"""After a restart, the entries that were mined in this time are watched again, and always the newest."""


class Pipeline:
    """The transactions of one wallet: one actor. Exactly one process may run it for a wallet.

    Call `resume` once, then keep `run` running; every other method works while `run` runs.
    """

    def __init__(
        self,
        *,
        node: Node,
        journal: Journal,
        signer: Signer,
        clock: Clock,
        timer: Timer,
        policy: FeePolicy,
        profile: ChainProfile,
        settle: Notify,
        restore: Notify,
        block_time_s: float,
        max_in_flight: int = 64,
    ) -> None:
        """Create it without a request to the node.

        Args:
            node: the chain as the wallet's sender sees it.
            journal: stores the entries.
            signer: the wallet's key.
            clock: Unix time, for the journal and for ages.
            timer: monotonic time and waits.
            policy: the operator's fee limits.
            profile: what is special about the chain.
            settle: called with entries that ended (never fillers), before the journal stores that they ended. It is
                repeated after a crash, and when a reorganisation moves an entry to another block.
            restore: called with entries that a reorganisation put in flight again, after the journal stores that;
                also with every live entry after a restart.
            block_time_s: the chain's usual time between blocks, in seconds.
            max_in_flight: how many transactions are sent before the lowest is mined.
        """
        self._context = context = Context(
            node=node,
            journal=journal,
            signer=signer,
            clock=clock,
            timer=timer,
            policy=policy,
            profile=profile,
            settle=settle,
            restore=restore,
            block_time_s=block_time_s,
            queue=Queue(max_in_flight),
            fees=Fees(node, timer),
        )
        self._endings = Endings(context)
        self._mined = Mined(context)
        self._intake = Intake(context)
        self._sender = Sender(context)
        self._watcher = Watcher(context, self._mined, self._endings)

    async def resume(self) -> None:
        """Load the live entries and those mined last. A live entry may or may not have been sent."""
        context = self._context
        context.watch.put(
            await context.journal.last_mined(context.clock.now() - RESUME_MINED_S), context.timer.time()
        )
        await context.adopt()
        live = [item.entry for item in context.queue.in_order()]
        log.info("wallet.resumed", wallet=context.wallet, in_flight=len(live), watched=len(context.watch))
        if working := [each for each in live if not each.is_filler]:
            await context.restore(working)

    async def run(self) -> None:
        """Send and follow transactions without end. Only a cancellation ends it; it may then run again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._intake.run(), name="transactions-intake")
            group.create_task(self._sender.run(), name="transactions-sender")
            group.create_task(self._watcher.run(), name="transactions-watcher")

    def head_changed(self, head: Block, finalized: int | None = None) -> None:
        """Take a new head, and the number of the newest finalized block; None while the node reports none."""
        context = self._context
        context.queue.block = max(context.queue.block, head.number)
        context.watch.follow(head, finalized, context.timer.time())
        if context.watch.next_look() is not None:
            context.look_now.set()
        self._watcher.pushed()

    def expect(self) -> None:
        """Read ahead what a submission needs that follows in a moment. Submissions need no such call."""
        self._intake.expect()

    async def submit(self, calls: Sequence[Call]) -> list[Entry]:
        """Give nonces to calls, sign and journal them, and return their entries; the pipeline sends them.

        Waits while the node does not answer. Calls submitted together share one journal write.
        """
        return await self._intake.submit(calls) if calls else []

    async def wait(self, nonce: int) -> Entry:
        """Return the entry of a nonce once it has ended. Raises KeyError when the journal has no such nonce."""
        return await self._endings.wait(nonce)

    def live(self, label: str) -> Entry | None:
        """Return the entry in flight that carries a label."""
        return next(
            (item.entry for item in self._context.queue.in_order() if label in item.entry.call.labels), None
        )

    @property
    def awaits_finality(self) -> bool:
        """Whether a mined transaction is not final yet."""
        return len(self._context.watch) > 0

    @property
    def room(self) -> int:
        """How many more transactions may be in flight; further ones are journaled and wait."""
        return self._context.queue.room

    async def wait_room(self) -> None:
        """Return once there is room."""
        context = self._context
        while context.queue.room == 0:
            context.ended.clear()
            await context.timer.wait(context.ended, None)

    async def recheck(self) -> None:
        """Compare the recently mined entries with the chain now, and put in flight again those that are gone.

        Raises ChainUnreachable.
        """
        await self._mined.recheck()

    def status(self) -> Status:
        """Return what operators see of the wallet, and publish it as metrics."""
        return status_of(self._context)
