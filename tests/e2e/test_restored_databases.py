"""Databases that are restored from an older copy: core learns the rest from the chain, and no deal is lost."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.request import urlopen

import pytest
import pytest_asyncio
from patience import PATIENCE_S
from workerpool_devnet.demo.follow import Progress
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_poco.protocol.ids import TaskId

from e2e import history
from e2e.requester import Requester
from e2e.restoring import keep_copy, start_databases, stop_databases

pytestmark = [pytest.mark.e2e, pytest.mark.soak, pytest.mark.asyncio(loop_scope="module")]

BAG = 5


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net() -> AsyncIterator[Devnet]:
    """Run a pool with one worker, whose services the test stops and starts."""
    async with Devnet(DevnetOptions(workers=1)) as running:
        yield running


async def completed(requester: Requester, tasks: list[TaskId]) -> None:
    """Follow tasks to their end; check that each was computed once."""
    await requester.follow(tasks)
    for task in tasks:
        record = await requester.on_chain(task)
        assert (record.completed, record.counts()) == (
            True,
            "1 initialize, 1 contribute, 1 reveal, 1 finalize",
        )


def download(net: Devnet, task: TaskId) -> bytes:
    with urlopen(f"{net.services['result_proxy'].http}/results/{task}", timeout=PATIENCE_S) as answer:
        content: bytes = answer.read()
    return content


async def test_no_deal_is_lost_and_earlier_results_can_be_downloaded(
    net: Devnet, requester: Requester, tmp_path: Path
) -> None:
    before = await requester.buy("one", volume=2)
    await completed(requester, before)
    results = [await asyncio.to_thread(download, net, task) for task in before]
    during = await requester.buy("all", volume=BAG)
    await keep_copy(net, tmp_path / "copy")
    await completed(requester, during)
    since = await requester.buy("one", volume=2)
    await completed(requester, since)

    lost = await requester.buy("all", volume=BAG)
    started: list[Progress] = []
    following = asyncio.create_task(requester.follow(lost, started.append))
    while not started:
        await asyncio.sleep(0.05)
    data = await stop_databases(net)
    await asyncio.to_thread(shutil.rmtree, data)
    await asyncio.to_thread(shutil.copytree, tmp_path / "copy", data)
    bought_meanwhile = await requester.buy("one", volume=2)
    await start_databases(net)

    await following
    await completed(requester, [*lost, *bought_meanwhile])
    # The copy knew nothing of how these ended.
    progress = await requester.follow([*before, *during, *since])
    assert {history.of_task(progress.tasks[task])[-1].name for task in progress.tasks} == {"COMPLETED"}
    assert [await asyncio.to_thread(download, net, task) for task in before] == results
    await completed(requester, await requester.buy("one"))
