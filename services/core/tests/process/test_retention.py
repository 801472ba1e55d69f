"""A core with a retention of tasks removes those that ended long ago, and still counts them."""

import asyncio
from typing import Any

import http_calls
import pymongo
from patience import PATIENCE_S
from workerpool_devnet.processes.mongod import Database as Mongod

from services.core.tests.process.core_process import Start, stopped

TASK, DEAL = "0x" + "ab" * 32, "0x" + "cd" * 32
LONG_AGO = 1_000_000_000.0


async def test_tasks_that_ended_long_ago_are_removed(
    start: Start, mongod: Mongod, database_name: str
) -> None:
    first = await start()
    await first.up()
    await stopped(first)
    with pymongo.MongoClient[dict[str, Any]](mongod.uri) as client:
        database = client[database_name]
        terms = {"deal_id": DEAL, "block": 1, "contribution_deadline": LONG_AGO, "final_deadline": LONG_AGO}
        ended = {"status": "FAILED", "ended_at": LONG_AGO, "final_block": 0, "terms": terms}
        database["task"].insert_one({"_id": TASK, "deal_id": DEAL, "index": 0, **ended})
        database["replicate"].insert_one({"_id": f"{TASK}:0x1", "task_id": TASK, "wallet": "0x1"})

        core = await start(WORKERPOOL_CORE_TASK_RETENTION="P30D")
        await core.up()
        async with asyncio.timeout(PATIENCE_S):
            while database["task"].count_documents({}) or database["replicate"].count_documents({}):
                await asyncio.sleep(0.05)
        assert "This pool removes tasks 30 days" in (await http_calls.get(f"{core.http}/tasks/{TASK}")).text
        assert "tasks.removed" in await stopped(core)

    again = await start(WORKERPOOL_CORE_TASK_RETENTION="P30D")
    await again.up()
    metrics = (await http_calls.get(f"{again.http}/metrics")).json()
    assert metrics["currentTaskStatusesCount"]["FAILED"] == 1
    assert metrics["latestBlockNumberWithDeal"] == 1
    await stopped(again)
