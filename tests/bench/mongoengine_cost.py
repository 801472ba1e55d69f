"""The cost of mongoengine documents on core's hot path: `cd tests && python -m bench.mongoengine_cost`.

Encodes and inserts replicates with a history of ten entries, and loads tasks as a start does, each in several ways.
Prints a table of documents per second and CPU time per document (docs/adr/0003-mongoengine.md).
"""

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import mongoengine
import pymongo
from workerpool_core.adapters.mongo import documents as docs
from workerpool_core.adapters.mongo import records
from workerpool_core.domain.model import Modifier, Receipt, Replicate, ReplicateChange, Task, TaskChange
from workerpool_core.simulation.deals import deal_terms
from workerpool_devnet.processes.mongod import Database
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, TaskStatus

WALLET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
BATCH = 500
NOW = 1_700_000_000.5


def replicate(number: int) -> Replicate:
    """Return a replicate with ten history entries, two of them with a receipt."""
    statuses = list(ReplicateStatus)[:10]
    history = [
        ReplicateChange(
            status, NOW, Modifier.WORKER, None, Receipt(5, "0x" + "11" * 32) if place > 7 else None
        )
        for place, status in enumerate(statuses)
    ]
    return Replicate(TaskId(f"0x{number:064x}"), WALLET, 2, history, result_link="link")


def task(number: int) -> Task:
    """Return a task of one deal of its own."""
    terms = deal_terms(
        DealId(f"0x{number:064x}"),
        start=NOW,
        execution_s=300,
        block=number,
        app_address=ZERO_ADDRESS,
        app_uri="app:1",
        command_line="do it",
        requester=WALLET,
        beneficiary=WALLET,
        worker_stake=5,
    )
    return Task(TaskId(f"0x{number:064x}"), 0, terms, [TaskChange(TaskStatus.RECEIVED, NOW)])


def replicate_document(value: Replicate) -> Any:
    """Return the mongoengine document of a replicate, built field by field."""
    return docs.ReplicateDocument(
        replicate_id=f"{value.task_id}:{value.wallet}",
        task_id=value.task_id,
        wallet=value.wallet,
        weight=value.weight,
        status=value.status,
        history=[
            docs.ReplicateChangeDocument(
                status=change.status,
                date=change.date,
                modifier=change.modifier,
                cause=change.cause,
                receipt=change.receipt
                and docs.ReceiptDocument(block=change.receipt.block, transaction=change.receipt.transaction),
            )
            for change in value.history
        ],
        contribution_hash=value.contribution_hash,
        result_link=value.result_link,
        callback_data=value.callback_data,
        exit_code=value.exit_code,
        logs_present=value.logs_present,
        journal=1,
    )


def record_of(value: Replicate) -> dict[str, Any]:
    """Return the record of a replicate, as the hot path makes it."""
    return {"_id": f"{value.task_id}:{value.wallet}", **records.REPLICATES.encode(value), "journal": 1}


def batches(values: list[Any]) -> list[list[Any]]:
    """Return the values in batches of one bulk write."""
    return [values[start : start + BATCH] for start in range(0, len(values), BATCH)]


def ways(collection: Any, values: list[Replicate]) -> dict[str, Callable[[], object]]:
    """Return the ways to do the work; each handles all values."""

    def bulk(convert: Callable[[Replicate], dict[str, Any]]) -> None:
        for batch in batches(values):
            collection.bulk_write([pymongo.InsertOne(convert(value)) for value in batch], ordered=False)

    def query_set() -> None:
        for batch in batches(values):
            docs.ReplicateDocument.objects.insert(
                [replicate_document(value) for value in batch], load_bulk=False
            )

    def save() -> None:
        for value in values:
            replicate_document(value).save(force_insert=True)

    return {
        "encode: records": lambda: [record_of(value) for value in values],
        "encode: mongoengine document, to_mongo": lambda: [replicate_document(v).to_mongo() for v in values],
        "encode: the same with validate": lambda: [replicate_document(v).validate() for v in values],
        "insert: records, bulk_write": lambda: bulk(record_of),
        "insert: document.to_mongo, bulk_write": lambda: bulk(
            lambda v: dict(replicate_document(v).to_mongo())
        ),
        "insert: QuerySet.insert, batches of 500": query_set,
        "insert: document.save, one by one": save,
        "load tasks: as_pymongo, records": lambda: [
            records.TASKS.decode(found) for found in docs.TaskDocument.objects.as_pymongo()
        ],
        "load tasks: mongoengine documents": lambda: list(docs.TaskDocument.objects),
    }


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with Database() as mongod:
        mongoengine.connect("bench", host=mongod.uri, uuidRepresentation="standard")
        tasks = map(task, range(options.documents))
        docs.TaskDocument._get_collection().insert_many(
            [{"_id": each.task_id, **records.TASKS.encode(each)} for each in tasks]
        )
        measured: dict[str, list[tuple[float, float]]] = {}
        values = [replicate(number) for number in range(options.documents)]
        for _ in range(options.rounds):
            collection = docs.ReplicateDocument._get_collection()
            for name, way in ways(collection, values).items():
                collection.delete_many({})
                wall, cpu = time.perf_counter(), time.process_time()
                way()
                measured.setdefault(name, []).append((time.perf_counter() - wall, time.process_time() - cpu))
        mongoengine.disconnect()
    print("| way | documents/s | CPU µs per document |\n|---|---|---|")
    for name, rounds in measured.items():
        wall, cpu = (median(values) for values in zip(*rounds, strict=True))
        print(f"| {name} | {options.documents / wall:,.0f} | {cpu / options.documents * 1e6:,.1f} |")


if __name__ == "__main__":
    main()
