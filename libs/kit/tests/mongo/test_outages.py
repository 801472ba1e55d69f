"""Outages of a replica set: recognised in every form, and retried."""

from types import SimpleNamespace

import mongoengine
import pymongo.errors
import pytest
from workerpool_kit import retry
from workerpool_kit.clock import FakeClock
from workerpool_kit.errors import DatabaseUnavailable
from workerpool_kit.mongo.database import Database
from workerpool_kit.mongo.outages import outages_as_autoreconnect, retry_outages


@pytest.mark.parametrize(
    "refusal",
    [
        pymongo.errors.OperationFailure("interrupted due to a change of the replica set's state", 11602),
        pymongo.errors.WriteConcernError("primary stepped down while waiting for replication", 189),
        pymongo.errors.WTimeoutError("no majority in time", 64),
        pymongo.errors.OperationFailure("Authentication failed.", 18),
        pymongo.errors.OperationFailure("not authorized on core to execute command", 13),
        pymongo.errors.BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64}]}),
        pymongo.errors.BulkWriteError({"writeErrors": [{"code": 189}], "writeConcernErrors": []}),
    ],
    ids=[
        "interrupted",
        "write-concern",
        "timeout",
        "wrong-password",
        "no-right",
        "bulk-concern",
        "bulk-error",
    ],
)
async def test_every_error_that_the_server_or_its_operator_can_end_is_an_outage(
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


async def test_refused_credentials_are_told(database: Database) -> None:
    def fails() -> None:
        raise pymongo.errors.OperationFailure("Authentication failed.", 18)

    with pytest.raises(DatabaseUnavailable, match="refuses the credentials"):
        await database.run_once(fails)


async def test_a_call_is_repeated_until_the_outage_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    monkeypatch.setattr(retry, "time", SimpleNamespace(monotonic=clock.now))
    outages = iter([pymongo.errors.AutoReconnect("an election"), DatabaseUnavailable("no primary")] * 2)

    async def call() -> str:
        for outage in outages:
            clock.advance(3_600)
            raise outage
        return "done"

    assert await retry_outages(call) == "done"
