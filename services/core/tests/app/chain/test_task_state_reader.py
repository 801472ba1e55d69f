"""Waiting reads of a task are merged, and count as asked when the oldest was."""

import asyncio
from typing import Any

from workerpool_core.app.chain.task_state_reader import TaskStateReader
from workerpool_core.domain.decisions import ReadTask
from workerpool_core.domain.events import TaskRead
from workerpool_devnet.chain.transactions import Outbox
from workerpool_devnet.market.trading import Purchase
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ChainTaskStatus

TASK = TaskId("0x" + "ab" * 32)


async def answered(hub: HubClient, *requests: ReadTask) -> TaskRead:
    """Queue requests, and return their only answer."""
    answers: list[TaskRead] = []
    reads = TaskStateReader(hub, answers.append)
    for request in requests:
        reads.request(request)
    running = asyncio.create_task(reads.run())
    async with asyncio.timeout(30):
        while not answers:
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running])
    (answer,) = answers
    return answer


async def test_merged_reads_are_as_old_as_the_oldest(poco_chain: PocoChain) -> None:
    wallets = [poco_chain.account(f"reader {number}").address for number in range(2)]
    async with HubClient(poco_chain.url, poco_chain.hub) as hub:
        answer = await answered(
            hub,
            ReadTask(TASK, (wallets[0],), asked_at=20.0),
            ReadTask(TASK, (wallets[1],), asked_at=10.0),
        )
    assert (answer.task, answer.asked_at, set(answer.contributions)) == (None, 10.0, set(wallets))


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
        answer = await answered(hub, ReadTask(task, (), asked_at=1.0))
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
