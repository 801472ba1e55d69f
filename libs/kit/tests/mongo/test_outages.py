"""Outages of a replica set: recognised in every form, and retried."""

import mongoengine
import pymongo.errors
import pytest
from workerpool_kit.errors import DatabaseUnavailable
from workerpool_kit.mongo.database import Database
from workerpool_kit.mongo.outages import outages_as_autoreconnect, retry_outages


@pytest.mark.parametrize(
    "refusal",
    [
        pymongo.errors.OperationFailure("interrupted due to a change of the replica set's state", 11602),
        pymongo.errors.WriteConcernError("primary stepped down while waiting for replication", 189),
        pymongo.errors.WTimeoutError("no majority in time", 64),
        pymongo.errors.BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64}]}),
        pymongo.errors.BulkWriteError({"writeErrors": [{"code": 189}], "writeConcernErrors": []}),
    ],
    ids=["interrupted", "write-concern", "timeout", "bulk-concern", "bulk-error"],
)
async def test_every_error_of_a_server_that_steps_down_is_an_outage(
    database: Database, refusal: Exception
) -> None:
    def by_pymongo() -> None:
        raise refusal

    def by_mongoengine() -> None:
        try:
            by_pymongo()
        except pymongo.errors.OperationFailure as error:
            raise mongoengine.OperationError(f"Could not save document ({error})")  # noqa: B904

    for way in (by_pymongo, by_mongoengine):
        with pytest.raises(DatabaseUnavailable):
            await database.run_once(way)
        with pytest.raises(pymongo.errors.AutoReconnect):
            await database.run(way)


def test_other_errors_pass_unchanged() -> None:
    with pytest.raises(pymongo.errors.OperationFailure, match="unknown operator"), outages_as_autoreconnect():
        raise pymongo.errors.OperationFailure("unknown operator", 2)


async def test_call_is_repeated_until_the_outage_ends() -> None:
    outages = iter([pymongo.errors.AutoReconnect("an election")] * 2)

    async def call() -> str:
        for outage in outages:
            raise outage
        return "done"

    assert await retry_outages(call) == "done"
