"""The chain is reorganised (anvil): the scheduler and the chain agree again afterwards."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import grpc
import pytest
import pytest_asyncio
from workerpool_devnet.demo.follow import ChainRecord, Progress
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions, workers_needed
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import TaskStatus as T
from workerpool_protocol.core.v1.task_pb2 import Task
from workerpool_protocol.core.v1.task_service_pb2 import GetTaskRequest
from workerpool_protocol.core.v1.task_service_pb2_grpc import TaskServiceStub

from e2e import history
from e2e.requester import Requester

pytestmark = [pytest.mark.e2e, pytest.mark.full, pytest.mark.asyncio(loop_scope="module")]

PATIENCE_SECONDS = 60
Found = TypeVar("Found")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net() -> AsyncIterator[Devnet]:
    """Run a pool with three workers, all of which a task of trust 5 needs."""
    async with Devnet(DevnetOptions(workers=3, trust=5)) as running:
        yield running


def take_back(net: Devnet, block: int, mined_again: str = "") -> None:
    """Replace the chain from a block on by empty blocks; the second of them may hold one transaction."""
    net.chain.reorganise(block, *([(mined_again, 1)] if mined_again else []))


def in_block(net: Devnet, block: int) -> str:
    """Return the only transaction of a block, in raw form."""
    (transaction,) = net.chain.rpc.call("eth_getBlockByNumber", hex(block), False)["transactions"]
    return str(net.chain.rpc.call("eth_getRawTransactionByHash", transaction))


def first_contribution(task: Task) -> int:
    """Return the block of the first contribution that the scheduler knows; 0 without one."""
    return _first(task, R.CONTRIBUTED)


def _first(task: Task, wanted: R) -> int:
    blocks = [
        change.chain_receipt.block_number
        for replicate in task.replicates
        for change, status in zip(replicate.history, history.of_replicate(replicate), strict=True)
        if status is wanted
    ]
    return min(filter(None, blocks), default=0)


def consensus(task: Task) -> int:
    """Return the block of the consensus; 0 without one."""
    return int(task.consensus_block)


def first_reveal(task: Task) -> int:
    """Return the block of the first reveal; 0 without one."""
    return _first(task, R.REVEALED)


def everything(task: Task) -> int:
    """Return the block of the initialization once there is a contribution; 0 before."""
    return int(task.initialization_block) if first_contribution(task) else 0


@pytest.mark.parametrize(
    ("trust", "vanishing"),
    [(5, first_contribution), (1, consensus), (5, consensus), (3, first_reveal), (3, everything)],
    ids=[
        "the first of three contributions",
        "the only contribution",
        "the consensus of three",
        "the first reveal",
        "all but the deal",
    ],
)
async def test_a_task_completes_after_its_contributions_are_reverted(
    net: Devnet, requester: Requester, trust: int, vanishing: Callable[[Task], int]
) -> None:
    (task,) = await requester.buy(trust=trust)
    reverted: list[int] = []

    def reorganise_once(progress: Progress) -> None:
        block = vanishing(progress.tasks[task])
        if block and not reverted:
            take_back(net, block)
            reverted.append(block)

    progress = await requester.follow([task], reorganise_once)

    assert reverted, "there was no block to revert"

    async def completed() -> ChainRecord | None:
        # The task may have been finalized before the reorganisation began, and is then finalized again.
        record = await requester.on_chain(task)
        return record if record.completed else None

    record = await becomes(completed)
    assert history.of_task(progress.tasks[task])[-1] is T.COMPLETED
    contributions = workers_needed(trust)
    assert record.counts() == (
        f"1 initialize, {contributions} contribute, {contributions} reveal, 1 finalize"
    )


async def test_a_task_completes_after_its_deal_moves_to_another_block(
    net: Devnet, requester: Requester
) -> None:
    (task,) = await requester.buy(trust=3)
    old: list[int] = []

    def reorganise_once(progress: Progress) -> None:
        if first_contribution(progress.tasks[task]) and not old:
            old.append(int(progress.tasks[task].deal_block))
            take_back(net, old[0], mined_again=in_block(net, old[0]))

    progress = await requester.follow([task], reorganise_once)

    assert old, "there was no block to revert"
    known, record = progress.tasks[task], await requester.on_chain(task)
    assert record.completed
    assert record.counts() == "1 initialize, 2 contribute, 2 reveal, 1 finalize"
    assert history.of_task(known)[-1] is T.COMPLETED
    assert known.deal_block == old[0] + 1
    assert known.contribution_deadline.seconds == record.task.contribution_deadline
    assert known.final_deadline.seconds == record.task.final_deadline


async def test_a_reverted_deal_ends_its_task_and_frees_its_workers(net: Devnet, requester: Requester) -> None:
    (task,) = await requester.buy("all", trust=5, category="DEV-6S")
    reverted: list[int] = []

    def reorganise_once(progress: Progress) -> None:
        if progress.tasks[task].replicates and not reverted:
            reverted.append(int(progress.tasks[task].deal_block))
            take_back(net, reverted[0])

    progress = await requester.follow([task], reorganise_once)

    assert reverted, "there was no block to revert"
    assert history.of_task(progress.tasks[task])[-2:] == [T.CONTRIBUTION_TIMEOUT, T.FAILED]
    assert (await requester.on_chain(task)).task.status is ChainTaskStatus.UNSET
    (next_task,) = await requester.buy("one", trust=5)
    await requester.follow([next_task])
    assert (await requester.on_chain(next_task)).completed


async def at_once(net: Devnet, task: TaskId) -> None:
    """Continue at once."""


async def its_workers_clean_up(net: Devnet, task: TaskId) -> None:
    """Wait until no worker holds a replicate of the task."""
    await becomes(lambda: all_cleaned_up(net, task))


async def core_is_restarted(net: Devnet, task: TaskId) -> None:
    """Restart core, so that it knows only the content of its database."""
    core = net.services["core"]
    core.stop_for_good()
    await core.restart(timeout=PATIENCE_SECONDS)


@pytest.mark.parametrize("before", [at_once, its_workers_clean_up, core_is_restarted])
async def test_a_reverted_finalization_is_sent_again(
    net: Devnet, requester: Requester, before: Callable[[Devnet, str], Awaitable[None]]
) -> None:
    (task,) = await requester.buy("one", trust=3)
    await requester.follow([task])
    old = (await requester.on_chain(task)).final_block
    await before(net, task)
    assert old

    take_back(net, old)

    async def finalized_again() -> ChainRecord | None:
        record = await requester.on_chain(task)
        return record if record.completed and record.final_block > old else None

    record = await becomes(finalized_again)
    assert record.counts() == "1 initialize, 2 contribute, 2 reveal, 1 finalize"
    assert history.of_task(await known_to(net, task))[-1] is T.COMPLETED


async def known_to(net: Devnet, task: TaskId) -> Task:
    """Return the task from the scheduler."""
    async with grpc.aio.insecure_channel(net.services["core"].grpc) as channel:
        return (await TaskServiceStub(channel).GetTask(GetTaskRequest(task_id=task))).task


async def all_cleaned_up(net: Devnet, task: TaskId) -> bool:
    """Return whether every worker of a task has cleaned up."""
    replicates = (await known_to(net, task)).replicates
    return all(history.of_replicate(replicate)[-1] is R.COMPLETED for replicate in replicates)


async def becomes(found: Callable[[], Awaitable[Found | None]]) -> Found:
    """Wait until an asynchronous function returns something true, and return it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (what := await found()):
            await asyncio.sleep(0.1)
    return what
