"""The wiring of the use cases and background loops of one wallet."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from workerpool_kit.clock import Clock
from workerpool_poco.protocol.ids import Address
from workerpool_transactions.app.pipeline import Pipeline
from workerpool_transactions.domain.fees import FeePolicy
from workerpool_transactions.domain.profile import ChainProfile
from workerpool_transactions.ports import Journal, Node, Signer, Timer

from workerpool_chain_adapter.app.active_commands import ActiveCommands
from workerpool_chain_adapter.app.assessor import Assessor
from workerpool_chain_adapter.app.commands import Commands
from workerpool_chain_adapter.app.followed_journal import FollowedJournal
from workerpool_chain_adapter.app.outcomes import Outcomes
from workerpool_chain_adapter.app.ports import ChainReads, CommandJournal
from workerpool_chain_adapter.app.reconciler import Reconciler
from workerpool_chain_adapter.app.recovery import resume
from workerpool_chain_adapter.app.submitter import Submitter
from workerpool_chain_adapter.app.wallet import WalletView


@dataclass(frozen=True)
class Limits:
    """The limits of the operator and the chain.

    `callback_gas` is the gas that the hub grants a callback contract, `block_time_s` the seconds between two blocks.
    """

    policy: FeePolicy
    profile: ChainProfile
    max_in_flight: int
    block_time_s: float
    callback_gas: int


class Assembly:
    """The parts from a request to its effect: `commands` accepts, `submitter` plans, `pipeline` sends and follows."""

    def __init__(
        self,
        *,
        hub: Address,
        journal: CommandJournal,
        entries: Journal,
        chain: ChainReads,
        node: Node,
        signer: Signer,
        clock: Clock,
        timer: Timer,
        limits: Limits,
        submitted: Callable[[], None] = lambda: None,
    ) -> None:
        """Create the parts; `submitted` is called after each submission of transactions."""
        self._journal = journal
        self._entries = entries
        self._clock = clock
        self.active = ActiveCommands(journal.save)
        self.assessor = Assessor(chain)
        self.reconciler = Reconciler(self.active, self.assessor, clock)
        self.outcomes = Outcomes(
            journal=journal,
            active=self.active,
            assessor=self.assessor,
            reconciler=self.reconciler,
            clock=clock,
        )
        self.pipeline = Pipeline(
            node=node,
            journal=FollowedJournal(entries, self.outcomes, self.active),
            signer=signer,
            clock=clock,
            timer=timer,
            policy=limits.policy,
            profile=limits.profile,
            settle=self.outcomes.settle,
            restore=self.outcomes.restore,
            block_time_s=limits.block_time_s,
            max_in_flight=limits.max_in_flight,
        )
        self.commands = Commands(
            journal=journal,
            active=self.active,
            assessor=self.assessor,
            pipeline=self.pipeline,
            clock=clock,
        )
        self.wallet = WalletView(signer.address, node, self.pipeline, limits.policy)
        self.submitter = Submitter(
            hub=hub,
            active=self.active,
            assessor=self.assessor,
            reconciler=self.reconciler,
            chain=chain,
            node=node,
            pipeline=self.pipeline,
            clock=clock,
            callback_gas=limits.callback_gas,
            gas_ceiling=limits.profile.gas_ceiling,
            accepting=self.commands.accepting,
            submitted=submitted,
        )

    async def resume(self) -> None:
        """Load the journals. Call it once, before `run`."""
        await resume(commands=self._journal, entries=self._entries, active=self.active, clock=self._clock)
        await self.pipeline.resume()

    async def run(self) -> None:
        """Submit and send until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.pipeline.run(), name="pipeline")
            group.create_task(self.submitter.run(), name="submitter")
