"""A result proxy without free disk refuses results: the worker keeps them, says why, and uploads them later."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import http_calls
import pytest
import pytest_asyncio
from patience import PATIENCE_S
from small_volumes import SmallVolume
from workerpool_devnet.devnet import Devnet
from workerpool_devnet.options import DevnetOptions
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_protocol.core.v1.statuses_pb2 import TaskStatus

from e2e.requester import Requester

pytestmark = [pytest.mark.e2e, pytest.mark.full, pytest.mark.asyncio(loop_scope="module")]

_VOLUME_BYTES, _FLOOR_BYTES = 64 << 20, 8 << 20
_REFUSALS = 3
"""Refused uploads after which space comes back: the worker has then paused more than once."""


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallVolume]:
    """The volume of the proxy's temporary files."""
    with SmallVolume.mounted(tmp_path_factory.mktemp("proxy") / "volume", _VOLUME_BYTES) as mounted:
        yield mounted


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def net(volume: SmallVolume) -> AsyncIterator[Devnet]:
    """A pool of one worker whose result proxy keeps some bytes of the volume free."""
    environment = {
        "result_proxy": {
            "IEXEC_RESULT_PROXY_TEMP_DIR": str(volume.path / "uploads"),
            "IEXEC_RESULT_PROXY_MIN_FREE": str(_FLOOR_BYTES),
        }
    }
    async with Devnet(DevnetOptions(workers=1, environment=environment)) as running:
        yield running


async def _waiting_uploads(net: Devnet) -> list[str]:
    health = (await http_calls.get(f"{net.services['worker-1'].http}/actuator/health")).json()
    return list(health["components"]["uploads"].get("details", {}).get("waiting", []))


async def test_a_result_waits_at_the_worker_until_the_proxy_has_space(
    net: Devnet, requester: Requester, volume: SmallVolume
) -> None:
    proxy_log = net.services["result_proxy"].process.log
    volume.fill(leave=_FLOOR_BYTES // 2)
    (task,) = await requester.buy()
    async with asyncio.timeout(PATIENCE_S):
        while proxy_log.read_text().count("upload.space_exhausted") < _REFUSALS:
            await asyncio.sleep(0.1)
        while not (told := await _waiting_uploads(net)):
            await asyncio.sleep(0.1)
    assert any(task in each and "STORAGE_FULL" in each and "free space" in each for each in told), told

    volume.free()
    progress = await requester.follow([task])

    record = await requester.on_chain(task)
    assert record.task.status is ChainTaskStatus.COMPLETED, record
    replicates = progress.tasks[task].replicates
    statuses = {TaskStatus.Name(change.status) for change in progress.tasks[task].history}
    assert "TASK_STATUS_RESULT_UPLOAD_TIMEOUT" not in statuses
    assert len(replicates) == 1
    async with asyncio.timeout(PATIENCE_S):
        while await _waiting_uploads(net):
            await asyncio.sleep(0.1)
