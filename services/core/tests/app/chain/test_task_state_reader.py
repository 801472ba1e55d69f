"""Waiting reads of a task are merged, and count as asked when the oldest was."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from patience import PATIENCE_S
from workerpool_core.app.chain.task_state_reader import TaskStateReader
from workerpool_core.domain.decisions import ReadTask
from workerpool_core.domain.events import TaskRead, TasksRead
from workerpool_devnet.chain.transactions import Outbox
from workerpool_devnet.market.trading import Purchase
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.ids import Address, TaskId
from workerpool_poco.protocol.model import ChainTask
from workerpool_poco.protocol.statuses import ChainTaskStatus

TASK = TaskId("0x" + "ab" * 32)


async def answered(hub: HubClient, *requests: ReadTask) -> TaskRead:
    """Queue requests, and return their only answer."""
    answers: list[TasksRead] = []
    reads = TaskStateReader(hub, answers.append)
    for request in requests:
        reads.request(request)
    running = asyncio.create_task(reads.run())
    async with asyncio.timeout(PATIENCE_S):
        while not answers:
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running])
    ((answer,),) = (found.reads for found in answers)
    return answer


async def test_merged_reads_are_as_old_as_the_oldest(poco_chain: PocoChain) -> None:
    wallets = [poco_chain.account(f"reader {number}").address for number in range(2)]
    async with HubClient(poco_chain.url, poco_chain.hub) as hub:
        answer = await answered(
            hub,
            ReadTask(TASK, (wallets[0],), requested_at=20.0),
            ReadTask(TASK, (wallets[1],), requested_at=10.0),
        )
    assert (answer.task, answer.requested_at, set(answer.contributions)) == (None, 10.0, set(wallets))


async def test_many_reads_are_answered_together_in_several_turns(poco_chain: PocoChain) -> None:
    tasks = [TaskId(f"0x{number:064x}") for number in range(120)]
    turn = 0
    events: list[tuple[int, TasksRead]] = []

    async def count_turns() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    async with HubClient(poco_chain.url, poco_chain.hub) as hub:
        reads = TaskStateReader(hub, lambda event: events.append((turn, event)))
        for task in tasks:
            reads.request(ReadTask(task))
        running = [asyncio.create_task(reads.run()), asyncio.create_task(count_turns())]
        async with asyncio.timeout(PATIENCE_S):
            while sum(len(event.reads) for _, event in events) < len(tasks):
                await asyncio.sleep(0.01)
        for each in running:
            each.cancel()
        await asyncio.wait(running)
    assert [read.task_id for _, event in events for read in event.reads] == tasks
    assert 1 < len(events) <= 4
    assert len({at for at, _ in events}) == len(events)


async def test_the_answer_of_a_lagging_node_is_not_newer_than_its_block(
    fresh_poco_chain: PocoChain, provider: Any
) -> None:
    """One node of a provider returns the newest block, a lagging one answers the calls."""
    task = await asyncio.to_thread(initialized_task, fresh_poco_chain)
    behind = 3
    async with HubClient(fresh_poco_chain.url, fresh_poco_chain.hub) as direct:
        head = await direct.block_number()
    left = [5]

    def lagging(method: str, params: list[Any]) -> Any:
        if method != "eth_call" or not left[0]:
            return None
        left[0] -= 1
        if params[1] == "latest":
            params[1] = hex(head - behind)
        elif int(params[1], 16) > head - behind:
            return {"error": {"code": -32000, "message": "header not found"}}
        return None

    async with HubClient(provider.url, fresh_poco_chain.hub) as hub:
        provider.spoil = lagging
        answer = await answered(hub, ReadTask(task, (), requested_at=1.0))
    assert answer.block >= head
    assert answer.task is not None
    assert answer.task.status is ChainTaskStatus.ACTIVE


def initialized_task(chain: PocoChain) -> TaskId:
    """Buy a task and initialize it, in the chain's newest blocks."""
    owner, requester = chain.account("poolOwner"), chain.account("requester")
    pool = chain.market.create_workerpool(owner, "reads")
    app = chain.market.create_app(requester, "reads", "image:1")
    (deal,) = chain.market.buy(
        Purchase(requester=requester, app=app, app_owner=requester, workerpool=pool, pool_owner=owner)
    )
    outbox = Outbox(chain.chain.rpc)
    outbox.call(owner, "initialize", chain.hub, calls.initialize(deal.deal_id, 0).data, gas=1_000_000)
    outbox.flush()
    return deal.task_ids[0]


class ContributedHub(HubClient):
    """A hub on which a wallet has contributed to every task."""

    contributor: Address

    async def view_tasks(self, task_ids: Sequence[TaskId], *, block: int | None = None) -> list[ChainTask]:
        tasks = await super().view_tasks(task_ids, block=block)
        return [replace(task, contributors=(self.contributor,)) for task in tasks]


async def test_contributors_that_core_does_not_know_are_read_too(poco_chain: PocoChain) -> None:
    """A database that was thrown back has no replicate of them."""
    known, forgotten = (poco_chain.account(f"contributor {number}").address for number in range(2))
    async with ContributedHub(poco_chain.url, poco_chain.hub) as hub:
        hub.contributor = forgotten
        answer = await answered(hub, ReadTask(TASK, (known,)))
    assert set(answer.contributions) == {known, forgotten}
