"""What survives a kill, a second core and a change of the configuration."""

import asyncio
import signal
from pathlib import Path

from patience import PATIENCE_S
from workerpool_protocol.core.v1 import task_pb2 as task_pb
from workerpool_protocol.core.v1 import worker_service_pb2 as worker_pb
from workerpool_protocol.core.v1.worker_service_pb2_grpc import WorkerServiceStub

from services.core.tests.process.core_process import Pool, Start


def facts(task: task_pb.Task) -> list[tuple[int, int, int]]:
    """The stored part of a task's history; each core explains again why the last status waits."""
    return [
        (change.status, change.date.ToNanoseconds(), change.chain_receipt.block_number)
        for change in task.history
    ]


async def test_nothing_is_lost_by_a_kill(start: Start, pool: Pool) -> None:
    first = await start()
    await first.up()
    deal = await asyncio.to_thread(pool.buy)
    task_id = deal.task_ids[0]
    before = await first.task(task_id)
    first.process.kill()
    await first.process.wait()
    second = await start()
    await second.up()
    after = await second.task(task_id)
    assert facts(after)[: len(before.history)] == facts(before)
    second.process.send_signal(signal.SIGTERM)
    code, output = await second.exit()
    assert code == 0
    assert "Traceback" not in output


async def test_a_deal_made_while_core_was_down_is_found(start: Start, pool: Pool) -> None:
    first = await start()
    await first.up()
    first.process.kill()
    await first.process.wait()
    deal = await asyncio.to_thread(pool.buy)
    second = await start()
    task = await second.task(deal.task_ids[0])
    assert task.deal_block == deal.block_number


async def test_only_one_core_may_use_a_database(start: Start, pool: Pool) -> None:
    first = await start()
    await first.up()
    second = await start()
    await second.up()
    await asyncio.to_thread(pool.buy)
    ended, _ = await asyncio.wait(
        {asyncio.create_task(core.process.wait()) for core in (first, second)},
        timeout=PATIENCE_S,
        return_when=asyncio.FIRST_COMPLETED,
    )
    assert {task.result() for task in ended} == {1}


async def test_a_hangup_changes_the_configuration_without_a_restart(start: Start, tmp_path: Path) -> None:
    live = tmp_path / "live.env"
    live.write_text("IEXEC_RESULT_REPOSITORY_URL=http://old:13200\n")
    core = await start(WORKERPOOL_CORE_LIVE_FILE=str(live))
    await core.up()
    stub = WorkerServiceStub(core.channel)

    async def proxy() -> str:
        found = await stub.GetConfig(worker_pb.GetConfigRequest(), timeout=PATIENCE_S)
        return str(found.configuration.result_proxy_url)

    assert await proxy() == "http://old:13200"
    live.write_text("IEXEC_RESULT_REPOSITORY_URL=http://new:13200\n")
    core.process.send_signal(signal.SIGHUP)
    async with asyncio.timeout(PATIENCE_S):
        while await proxy() != "http://new:13200":
            await asyncio.sleep(0.05)
    live.write_text("IEXEC_RESULT_REPOSITORY_URL=nowhere\n")
    core.process.send_signal(signal.SIGHUP)
    async with asyncio.timeout(PATIENCE_S):
        while "configuration.reload_refused" not in core.log.read_text():
            await asyncio.sleep(0.05)
    assert await proxy() == "http://new:13200"
