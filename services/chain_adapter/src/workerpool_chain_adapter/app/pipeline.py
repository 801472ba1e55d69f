"""The use cases and background loops of one wallet, connected."""

from dataclasses import dataclass

from workerpool_kit.clock import Clock

from workerpool_chain_adapter.app.active_commands import ActiveCommands
from workerpool_chain_adapter.app.commands import Commands
from workerpool_chain_adapter.app.funds import Funds
from workerpool_chain_adapter.app.in_flight import InFlight
from workerpool_chain_adapter.app.mined import Mined
from workerpool_chain_adapter.app.ports import CommandJournal, Heads, TransactionJournal, WalletChain
from workerpool_chain_adapter.app.reconciler import Reconciler
from workerpool_chain_adapter.app.recovery import resume
from workerpool_chain_adapter.app.sender import Sender
from workerpool_chain_adapter.app.tracker import Tracker
from workerpool_chain_adapter.app.wakeup import Wakeup
from workerpool_chain_adapter.domain.fees import GasPolicy


@dataclass(frozen=True)
class PipelineLimits:
    """What the operator allows: gas prices, whether gas is free, transactions in flight, commands per transaction."""

    policy: GasPolicy
    sidechain: bool
    max_in_flight: int
    max_batch: int


class Pipeline:
    """From a request to its effect: `commands` accepts, `sender` sends, `tracker` ends."""

    def __init__(
        self,
        *,
        journal: CommandJournal,
        transactions: TransactionJournal,
        chain: WalletChain,
        heads: Heads,
        clock: Clock,
        limits: PipelineLimits,
    ) -> None:
        self._journal = journal
        self._transactions = transactions
        self._clock = clock
        self._tracking = Wakeup()
        self.in_flight = InFlight()
        self.active = ActiveCommands(journal.save)
        self.funds = Funds(chain, limits.policy, clock, sidechain=limits.sidechain)
        self.mined = Mined(
            commands=journal,
            transactions=transactions,
            active=self.active,
            chain=chain,
            in_flight=self.in_flight,
            clock=clock,
        )
        reconciler = Reconciler(self.active, chain, clock)
        self.sender = Sender(
            transactions=transactions,
            active=self.active,
            chain=chain,
            heads=heads,
            in_flight=self.in_flight,
            mined=self.mined,
            reconciler=reconciler,
            policy=limits.policy,
            tracking=self._tracking,
            clock=clock,
            max_in_flight=limits.max_in_flight,
            max_batch=limits.max_batch,
        )
        self.tracker = Tracker(
            transactions=transactions,
            active=self.active,
            chain=chain,
            heads=heads,
            in_flight=self.in_flight,
            mined=self.mined,
            sender=self.sender,
            reconciler=reconciler,
            funds=self.funds,
            policy=limits.policy,
            wakeup=self._tracking,
            clock=clock,
        )
        self.commands = Commands(
            journal=journal,
            active=self.active,
            chain=chain,
            tracker=self.tracker,
            funds=self.funds,
            clock=clock,
        )

    async def resume(self) -> None:
        """Load what the journals hold; call it once, before the loops start. Raises ChainUnreachable."""
        await self.funds.refresh()
        await resume(
            commands=self._journal,
            transactions=self._transactions,
            active=self.active,
            in_flight=self.in_flight,
            mined=self.mined,
            sender=self.sender,
            tracking=self._tracking,
            clock=self._clock,
        )
