"""A worker that is ahead of restored databases loses no stake: core finds on the chain what it had forgotten.

The copy of the databases is older than the deal. The worker keeps what it contributed, whatever it did since.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from patience import PATIENCE_S
from workerpool_devnet.demo.follow import Progress
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_protocol.core.v1.statuses_pb2 import TaskStatus

from e2e import history
from e2e.requester import Requester
from e2e.restoring import STOP_LIMIT_S, keep_copy, throw_back
from e2e.shell_image import ensure_shell_image

pytestmark = [pytest.mark.e2e, pytest.mark.full, pytest.mark.asyncio(loop_scope="module")]

APP = (
    "sh -c 'sleep 3; echo done >/iexec_out/done.txt; "
    'echo "{\\"deterministic-output-path\\": \\"/iexec_out/done.txt\\"}" >/iexec_out/computed.json\''
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net() -> AsyncIterator[Devnet]:
    """Run a pool with one worker, whose services the test stops and starts."""
    async with Devnet(DevnetOptions(workers=1)) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def requester(net: Devnet) -> Requester:
    image = await asyncio.to_thread(ensure_shell_image)
    return Requester(net, await net.create_app("ahead", image), ())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def copy(net: Devnet, requester: Requester, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the databases before any deal."""
    folder = tmp_path_factory.mktemp("databases") / "copy"
    await keep_copy(net, folder)
    return folder


async def on_chain(requester: Requester, task: TaskId, done: Callable[[ChainTaskStatus, int], bool]) -> None:
    """Wait until the status of a task on chain, and the number of its reveals, are as wanted."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = (await requester.on_chain(task)).task
            if done(found.status, found.reveal_counter):
                return
            await asyncio.sleep(0.1)


async def stop(net: Devnet, service: str) -> None:
    await asyncio.to_thread(net.services[service].process.stop, STOP_LIMIT_S)


async def reached(requester: Requester, task: TaskId, status: str) -> None:
    """Wait until core reports a status, which may be over by then."""
    seen = asyncio.Event()

    def look(progress: Progress) -> None:
        if any(TaskStatus.Name(each.status) == status for each in progress.tasks[task].history):
            seen.set()

    following = asyncio.create_task(requester.follow([task], look))
    async with asyncio.timeout(PATIENCE_S):
        await seen.wait()
    following.cancel()
    await asyncio.wait([following])


async def contributed(net: Devnet, requester: Requester, task: TaskId) -> None:
    """Let the worker contribute while core is down."""
    await reached(requester, task, "TASK_STATUS_RUNNING")
    await stop(net, "core")
    await on_chain(requester, task, lambda status, _: status is ChainTaskStatus.REVEALING)


async def revealed(net: Devnet, requester: Requester, task: TaskId) -> None:
    """Let the worker reveal while the result proxy is down."""
    await stop(net, "result_proxy")
    await on_chain(requester, task, lambda _, reveals: reveals == 1)


async def uploaded(net: Devnet, requester: Requester, task: TaskId) -> None:
    """Let the worker upload while the chain adapter is down."""
    await reached(requester, task, "TASK_STATUS_RUNNING")
    await stop(net, "chain_adapter")
    await reached(requester, task, "TASK_STATUS_RESULT_UPLOADED")


@pytest.mark.parametrize("bring", [contributed, revealed, uploaded])
async def test_its_task_completes_with_what_it_did_before(
    net: Devnet,
    requester: Requester,
    copy: Path,
    bring: Callable[[Devnet, Requester, TaskId], Awaitable[None]],
) -> None:
    deal = await net.buy(requester.app, params=DealParams(args=APP))
    (task,) = deal.task_ids
    await bring(net, requester, task)
    await throw_back(net, copy)
    progress = await requester.follow([task])
    assert history.of_task(progress.tasks[task])[-1].name == "COMPLETED"
    record = await requester.on_chain(task)
    assert (record.completed, record.counts()) == (True, "1 initialize, 1 contribute, 1 reveal, 1 finalize")
