"""Reads that wait together become one, as old as the oldest of them."""

import asyncio

from workerpool_core.app.chain_reads import TaskReads
from workerpool_core.domain.decisions import ReadTask
from workerpool_core.domain.events import TaskRead
from workerpool_devnet.pytest_plugin import PocoChain
from workerpool_poco.hub import HubClient

TASK = "0x" + "ab" * 32


async def test_merged_reads_are_as_old_as_the_oldest(poco_chain: PocoChain) -> None:
    answers: list[TaskRead] = []
    wallets = [poco_chain.account(f"reader {number}").address for number in range(2)]
    async with HubClient(poco_chain.url, poco_chain.hub) as hub:
        reads = TaskReads(hub, answers.append)
        reads.request(ReadTask(TASK, (wallets[0],), asked_at=20.0))
        reads.request(ReadTask(TASK, (wallets[1],), asked_at=10.0))
        running = asyncio.create_task(reads.run())
        async with asyncio.timeout(30):
            while not answers:
                await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.wait([running])

    (answer,) = answers
    assert (answer.task, answer.asked_at, set(answer.contributions)) == (None, 10.0, set(wallets))
