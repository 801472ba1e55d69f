"""A bag of a million tasks (case deal-dry-bag)."""

import asyncio
import os
import re
from pathlib import Path

import grpc
import http_calls
import pytest
from patience import PATIENCE_S
from workerpool_protocol.core.v1 import task_service_pb2 as pb

from services.core.tests.process.core_process import CoreProcess, Pool, Start


def _resident_mib(core: CoreProcess) -> float:
    status = Path(f"/proc/{core.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _processor_s(core: CoreProcess) -> float:
    """Return the seconds for which a core has computed, which other processes do not lengthen."""
    times = Path(f"/proc/{core.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")


async def test_deal_dry_bag_a_million_tasks_cost_core_neither_memory_nor_its_answers(
    start: Start, pool: Pool
) -> None:
    core = await start(IEXEC_CORE_MANAGEMENT_ACTUATORS="*")
    await core.up()
    pool.buy()
    before = _resident_mib(core)
    pool.buy(1_000_000)
    queued, began_s = 0.0, _processor_s(core)
    async with asyncio.timeout(PATIENCE_S):
        while queued < 900_000:
            metrics = (await http_calls.get(f"{core.http}/actuator/prometheus")).text
            queued = float(re.findall(r"^workerpool_core_tasks_queued (\S+)", metrics, re.MULTILINE)[0])
    assert _resident_mib(core) - before < 32
    # Building every task took more than half a minute, in which core answered nothing.
    assert _processor_s(core) - began_s < 10
    with pytest.raises(grpc.aio.AioRpcError, match="queued"):
        await core.tasks.GetTask(pb.GetTaskRequest(task_id="0x" + "00" * 32), timeout=PATIENCE_S)
