"""The submission of waiting commands as transactions: check, plan, estimate, submit."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeAlias

from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger
from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.ids import Address
from workerpool_transactions.app.pipeline import Pipeline
from workerpool_transactions.domain.answers import GasEstimate
from workerpool_transactions.domain.entry import Call, Entry
from workerpool_transactions.ports import Node

from workerpool_chain_adapter import metrics
from workerpool_chain_adapter.app.active_commands import ActiveCommands
from workerpool_chain_adapter.app.assessor import Assessor
from workerpool_chain_adapter.app.estimates import EstimateRequest, Estimates
from workerpool_chain_adapter.app.outcomes import keys_of
from workerpool_chain_adapter.app.ports import ChainReads
from workerpool_chain_adapter.app.reconciler import Reconciler
from workerpool_chain_adapter.domain.assessment import Sendable
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind
from workerpool_chain_adapter.domain.gas import gas_limit, refutes
from workerpool_chain_adapter.domain.planning import Plan, largest_batch, plan

log = get_logger()

_Probed: TypeAlias = tuple[Plan, GasEstimate]

RETRY_S = 1.0
"""Seconds until the next attempt while the node does not answer or the wallet cannot pay."""
GATHER_S = 5.0
"""Longest wait in seconds of a batch that is not full, and only while more requests are being accepted."""
_GATHER_STEP_S = 0.02
REFUSALS = 8
"""Consecutive rounds in which the node must predict a revert, twice each, before the command fails.

Half of the answers of a node with a lagging back-end may be stale; 16 in a row have a probability of one in 60,000.
"""


class Submitter:
    """The submitter of waiting commands while the wallet's pipeline has room."""

    def __init__(
        self,
        *,
        hub: Address,
        active: ActiveCommands,
        assessor: Assessor,
        reconciler: Reconciler,
        chain: ChainReads,
        node: Node,
        pipeline: Pipeline,
        clock: Clock,
        callback_gas: int,
        gas_ceiling: int,
        accepting: Callable[[CommandKind], bool],
        submitted: Callable[[], None],
    ) -> None:
        """Create a stopped submitter.

        Args:
            hub: the contract of every call.
            active: the commands in progress.
            assessor: the state in which each command was possible.
            reconciler: ends commands that are in effect or impossible.
            chain: reads of the chain.
            node: estimates gas.
            pipeline: sends the wallet's transactions.
            clock: the time.
            callback_gas: gas that the hub grants a callback contract.
            gas_ceiling: most gas of one transaction on this chain.
            accepting: returns whether requests of a kind are being accepted, which may soon fill a batch.
            submitted: called after each submission of transactions.
        """
        self._hub = hub
        self._active = active
        self._assessor = assessor
        self._reconciler = reconciler
        self._chain = chain
        self._estimates = Estimates(node, clock)
        self._pipeline = pipeline
        self._clock = clock
        self._callback_gas = callback_gas
        self._gas_ceiling = gas_ceiling
        self._accepting = accepting
        self._submitted = submitted
        self._gathers = False
        self._refusals: dict[CommandKey, int] = {}

    async def run(self) -> None:
        """Submit until cancelled; wait while the node does not answer or the wallet cannot pay."""
        while True:
            await self._active.sending.wait(self._pause_s())
            # A request is still being accepted when it wakes this loop.
            await asyncio.sleep(0)
            try:
                await self._pipeline.wait_room()
                await self.round()
            except PocoError as error:
                log.warning("submitter.chain_lost", error=str(error))

    async def round(self) -> None:
        """Put waiting commands into transactions while there is room. Raises ChainUnreachable."""
        self._gathers = False
        await self._reconciler.reconcile(
            [each for each in self._active.waiting() if self._assessor.seen(each.key) is None]
        )
        # A command accepted meanwhile is assessed; one requeued meanwhile is not.
        waiting = [each for each in self._active.waiting() if self._assessor.seen(each.key) is not None]
        if not waiting or self._pipeline.status().parked_reason:
            return
        most = min(await self._chain.block_gas_limit(), self._gas_ceiling)
        self._refusals = {
            each.key: self._refusals[each.key] for each in waiting if each.key in self._refusals
        }
        plans = self._plan(waiting, most)
        ready = [each for each in plans if not self._may_grow(each, most)]
        self._gathers = len(ready) < len(plans)
        calls = await self._calls(ready, most)
        if calls:
            entries = await self._pipeline.submit(calls)
            self._submitted()
            await self._record(entries)
            self._active.sending.request()

    def _pause_s(self) -> float | None:
        if not self._active.waiting():
            return None
        return _GATHER_STEP_S if self._gathers else RETRY_S

    def _plan(self, waiting: Sequence[Command], most: int) -> list[Plan]:
        uninitialized = {each.key for each in waiting if not self._seen(each).is_initialized}
        # A command that the node refused would revert its batch.
        suspects = [each for each in waiting if each.key in self._refusals]
        others = [each for each in waiting if each.key not in self._refusals]
        room = self._pipeline.room
        plans = plan(others, room, most, uninitialized)
        return plans + plan(suspects, room - len(plans), 0, uninitialized)

    def _may_grow(self, one: Plan, most: int) -> bool:
        """Return whether a batch should wait for commands that are being accepted."""
        if len(one.commands) >= largest_batch(one.group, most):
            return False
        oldest = min(command.updated_at for command in one.commands)
        kind = one.commands[0].key.kind
        return self._accepting(kind) and 0 <= self._clock.now() - oldest < GATHER_S

    async def _calls(self, plans: Sequence[Plan], most: int) -> list[Call]:
        """Return the calls of the plans that the contract accepts, with their gas.

        A command that the node refuses in `REFUSALS` rounds fails. Each round repeats the estimate for this command
        alone, at a block not older than one at which the command was possible.
        """
        accepted, refused = await self._probe(plans)
        if refused:
            # A command that is already in effect reverts its batch, so try each possible one alone.
            alone = [one for each, _ in refused for one in each.split()]
            await self._reconciler.reconcile([each.commands[0] for each in alone])
            possible = [each for each in alone if self._assessor.seen(each.commands[0].key) is not None]
            more, refused = await self._probe(possible, is_exact=True)
            accepted += more
        for each, estimate in refused:
            await self._refused(each.commands[0], estimate.problem)
        for each, _ in accepted:
            for command in each.commands:
                self._refusals.pop(command.key, None)
        return [
            self._call(
                each,
                gas_limit(each, estimate, self._all_seen(each), callback_gas=self._callback_gas, most=most),
            )
            for each, estimate in accepted[: self._pipeline.room]
        ]

    async def _refused(self, command: Command, problem: str) -> None:
        rounds = self._refusals.get(command.key, 0) + 1
        if rounds < REFUSALS:
            self._refusals[command.key] = rounds
            return
        del self._refusals[command.key]
        await self._reconciler.refuse([command], problem)

    async def _probe(
        self, plans: Sequence[Plan], *, is_exact: bool = False
    ) -> tuple[list[_Probed], list[_Probed]]:
        """Estimate plans; return those that may be sent, and those that the node refuses."""
        provable = [each for each in plans if all(seen.is_proven for seen in self._all_seen(each))]
        # The node's newest block is older than a passed deadline, so its estimate would be a revert.
        accepted = [(each, GasEstimate(None, 0)) for each in plans if each not in provable]
        refused: list[_Probed] = []
        if provable:
            estimates = await self._estimates.estimate(
                [self._estimate_request(each, is_exact) for each in provable]
            )
            for probed in zip(provable, estimates, strict=True):
                refuted = refutes(probed[1], self._all_seen(probed[0]))
                (refused if refuted else accepted).append(probed)
        return accepted, refused

    async def _record(self, entries: Sequence[Entry]) -> None:
        commands = [each for entry in entries for each in self._active.processing(keys_of(entry))]
        now = self._clock.now()
        for command in commands:
            metrics.SEND_SECONDS.observe(max(now - command.created_at, 0))
        await self._active.record(*commands)

    def _estimate_request(self, one: Plan, is_exact: bool) -> EstimateRequest:
        in_doubt = any(each.reverts or each.key in self._refusals for each in one.commands)
        return EstimateRequest(one, self._call(one, 0), self._all_seen(one), is_exact or in_doubt)

    def _call(self, one: Plan, gas: int) -> Call:
        return Call(self._hub, one.data, gas, one.labels)

    def _all_seen(self, one: Plan) -> list[Sendable]:
        return [self._seen(command) for command in one.commands]

    def _seen(self, command: Command) -> Sendable:
        seen = self._assessor.seen(command.key)
        assert seen is not None, f"{command.key} was planned before it was assessed"
        return seen
