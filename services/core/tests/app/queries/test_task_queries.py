"""Queries fail within their timeout while the database is down."""

import asyncio
from typing import Any

import pytest
from workerpool_core.adapters.mongo.store import Store
from workerpool_core.app.ports import TaskQuery
from workerpool_core.app.queries.live_logs import LiveLogs
from workerpool_core.app.queries.task_queries import TaskQueries
from workerpool_core.app.queries.watchers import Watchers
from workerpool_kit.errors import DatabaseUnavailable
from workerpool_poco.protocol.ids import TaskId

TASK = TaskId("0x" + "ab" * 32)
WALLET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"


class StuckCommit:
    """A group commit whose collections do not catch up."""

    async def visible(self, *, hurried: bool = True) -> None:
        await asyncio.Event().wait()


@pytest.fixture
def queries(store: Store) -> TaskQueries:
    commit: Any = StuckCommit()
    return TaskQueries(store, commit, Watchers(), LiveLogs({}), timeout_s=0.01)


async def test_every_query_fails_during_an_outage(queries: TaskQueries) -> None:
    for question in (
        queries.task(TASK),
        queries.replicate(TASK, WALLET),
        queries.tasks(TaskQuery(), "", 10),
        queries.logs(TASK),
    ):
        with pytest.raises(DatabaseUnavailable):
            await question
