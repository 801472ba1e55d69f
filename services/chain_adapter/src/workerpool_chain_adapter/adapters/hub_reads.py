"""The `ChainReads` port over the hub's JSON-RPC client: deals, tasks, deadlines and orders, all at one block."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from workerpool_kit.clock import Clock
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.errors import CallReverted, ChainUnreachable, EmptyAnswer, RpcError
from workerpool_poco.protocol.contracts import abi, views
from workerpool_poco.protocol.deadlines import chain_time, contribution_deadline, final_deadline
from workerpool_poco.protocol.ids import Address, DealId, bytes32
from workerpool_poco.protocol.model import Block, ChainTask, Deal

from workerpool_chain_adapter.domain import stored_order
from workerpool_chain_adapter.domain.assessment import ChainSnapshot, OrderSnapshot, Snapshot
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind

LOOKS, LOOK_AGAIN_S = 8, 0.25
"""Repeated reads, and the seconds between them, while the newest block is older than one read before.

A lagging back-end of the node catches up within that time. If the block is still older, the chain became shorter.
"""

GAS_LIMIT_S = 10.0
"""How long the gas limit of a block that was read serves: blocks change it by a thousandth at most."""
_MAX_CACHED_DEALS = 10_000


class HubReads:
    """The reader of one hub for one wallet."""

    def __init__(
        self,
        hub: HubClient,
        wallet: Address,
        clock: Clock,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._hub = hub
        self._wallet = wallet
        self._clock = clock
        self._sleep = sleep
        self._deals: dict[DealId, Deal] = {}
        self._newest = 0
        self._gas_limit, self._gas_limit_at = 0, 0.0
        self._deadline_ratio = 0

    async def prepare(self) -> None:
        """Read the hub's constants. Call it once, before any other method."""
        self._deadline_ratio = await self._hub.contribution_deadline_ratio()

    async def snapshots(self, commands: Sequence[Command]) -> list[Snapshot]:
        """Read the state that the contract checks for these commands, in a few round trips; see `ChainReads`."""
        try:
            return await self._snapshots(commands)
        except RpcError as error:
            # The back-end lacks the block. In an older state, possible commands would seem impossible.
            raise ChainUnreachable(f"the node cannot read its newest block: {error}") from error

    async def block_gas_limit(self) -> int:
        """Return the gas limit of the newest block that was read lately, else of the newest; see `ChainReads`."""
        if not self._gas_limit or not 0 <= self._clock.now() - self._gas_limit_at < GAS_LIMIT_S:
            try:
                await self._newest_block()
            except RpcError as error:
                raise ChainUnreachable(f"the node cannot read its newest block: {error}") from error
        return self._gas_limit

    async def _snapshots(self, commands: Sequence[Command]) -> list[Snapshot]:
        head = await self._head()
        found: dict[CommandKey, Snapshot] = {}
        cancellations = [each for each in commands if each.key.kind is CommandKind.CANCEL_ORDER]
        if cancellations:
            found |= await self._orders(cancellations, head)
        others = [each for each in commands if each.key.kind is not CommandKind.CANCEL_ORDER]
        read = await self._tasks(others, head)
        found |= {each.key: snapshot for each, snapshot in zip(others, read, strict=True)}
        return [found[each.key] for each in commands]

    async def _orders(self, commands: Sequence[Command], head: Block) -> dict[CommandKey, Snapshot]:
        """Return the orders to cancel."""
        consumed = await self._hub.call_many(
            abi.HUB["viewConsumed"], [(bytes32(each.key.task_id),) for each in commands], block=head.number
        )
        orders = [stored_order.from_text(each.order) for each in commands]
        owners = {pool: await self._owner(pool) for pool in {order.workerpool for order in orders}}
        return {
            each.key: OrderSnapshot(
                order.volume, int(sold), owners[order.workerpool], head.number, self._wallet
            )
            for each, order, (sold,) in zip(commands, orders, consumed, strict=True)
        }

    async def _owner(self, pool: Address) -> Address | None:
        try:
            return await self._hub.workerpool_owner(pool)
        except (CallReverted, EmptyAnswer):
            return None

    async def _tasks(self, commands: Sequence[Command], head: Block) -> list[ChainSnapshot]:
        """Return the tasks of commands, with their deals."""
        named = {each.deal_id for each in commands if each.deal_id}
        tasks, _ = await asyncio.gather(
            self._hub.view_tasks([each.key.task_id for each in commands], block=head.number),
            # Cached for below.
            self._read_deals(named, head.number),
        )
        wanted = [_deal_id(command, task) for command, task in zip(commands, tasks, strict=True)]
        deals = await self._read_deals(wanted, head.number)
        now = chain_time(head.timestamp, self._clock.now())
        snapshots = []
        for task, deal_id in zip(tasks, wanted, strict=True):
            deal = deals[deal_id]
            contribution = final = 0
            if deal.exists:
                seconds = (await self._hub.view_category(deal.category)).work_clock_time_ref
                contribution = contribution_deadline(deal.start_time, seconds, self._deadline_ratio)
                final = final_deadline(deal.start_time, seconds)
            snapshots.append(
                ChainSnapshot(deal, task, contribution, final, head.number, head.timestamp, now, self._wallet)
            )
        return snapshots

    async def _head(self) -> Block:
        """Return the newest block; it is older than one read before only if the chain became shorter."""
        head = await self._newest_block()
        for _ in range(LOOKS):
            if head.number >= self._newest:
                break
            await self._sleep(LOOK_AGAIN_S)
            head = await self._newest_block()
        self._newest = head.number
        return head

    async def _newest_block(self) -> Block:
        head = await self._hub.block()
        if head is None:
            raise ChainUnreachable(f"{self._hub.rpc.node_url} returned no newest block")
        self._gas_limit, self._gas_limit_at = head.gas_limit, self._clock.now()
        return head

    async def _read_deals(self, deal_ids: Iterable[DealId], block: int) -> dict[DealId, Deal]:
        """Return deals, cached because a deal never changes."""
        wanted = set(deal_ids)
        missing = [each for each in wanted if each not in self._deals]
        answers = await self._hub.call_many(
            abi.HUB["viewDeal"], [(bytes32(each),) for each in missing], block=block
        )
        read = {each: views.deal(each, answer[0]) for each, answer in zip(missing, answers, strict=True)}
        deals = {each: read[each] if each in read else self._deals[each] for each in wanted}
        if len(self._deals) > _MAX_CACHED_DEALS:
            self._deals.clear()
        self._deals.update({each: deal for each, deal in read.items() if deal.exists})
        return deals


def _deal_id(command: Command, task: ChainTask) -> DealId:
    return command.deal_id or task.deal_id
