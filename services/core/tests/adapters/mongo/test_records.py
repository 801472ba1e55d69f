"""Records conform to the schema, and decoding returns what was encoded."""

import dataclasses
from typing import Any

import pytest
from workerpool_core.adapters.mongo import documents, records
from workerpool_core.domain.model import (
    Action,
    Command,
    Modifier,
    Receipt,
    Replicate,
    ReplicateChange,
    Task,
    TaskChange,
    Worker,
    WorkerModel,
)
from workerpool_core.simulation.deals import deal_terms
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause, TaskStatus

NOW = 1_700_000_000.5
WALLET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
TERMS = deal_terms(
    DealId(f"0x{1:064x}"),
    start=NOW,
    execution_s=300,
    block=1,
    app_address=ZERO_ADDRESS,
    app_uri="app:1",
    command_line="do it",
    input_files=("http://host/a", "http://host/b"),
    requester=WALLET,
    beneficiary=WALLET,
    worker_stake=5,
    secrets=(("1", "name"),),
)
TASK = Task(
    TaskId(f"0x{1001:064x}"),
    3,
    TERMS,
    [TaskChange(TaskStatus.RECEIVED, NOW), TaskChange(TaskStatus.INITIALIZED, NOW, Receipt(5, "0x01"))],
    initialization_block=5,
)
REPLICATE = Replicate(
    TASK.task_id,
    WALLET,
    2,
    [
        ReplicateChange(ReplicateStatus.CREATED, NOW, Modifier.POOL_MANAGER),
        ReplicateChange(
            ReplicateStatus.START_FAILED, NOW, Modifier.WORKER, ReplicateStatusCause.STAKE_TOO_LOW, Receipt(6)
        ),
    ],
    result_link="link",
)
WORKER = Worker(WALLET, WorkerModel("one", "1.0", "linux", "x86", 4, 2**33, gpus=1), NOW, NOW, lost=True)
COMMAND = Command(WALLET, 7, TASK.task_id, Action.ABORT, 3, ReplicateStatusCause.CONSENSUS_REACHED)

VALUES: list[tuple[Any, Any, str, Any]] = [
    (documents.TaskDocument, records.TASKS, TASK.task_id, TASK),
    (documents.ReplicateDocument, records.REPLICATES, f"{TASK.task_id}:{WALLET}", REPLICATE),
    (documents.WorkerDocument, records.WORKERS, WALLET, WORKER),
    (documents.CommandDocument, records.COMMANDS, f"{WALLET}:7", COMMAND),
    (
        documents.CommandDocument,
        records.COMMANDS,
        f"{WALLET}:7",
        dataclasses.replace(COMMAND, cause=None),
    ),
]


@pytest.mark.parametrize(("document", "converter", "key", "value"), VALUES)
def test_a_record_is_what_mongoengine_would_store(
    document: Any, converter: Any, key: str, value: object
) -> None:
    record = {"_id": key, **converter.encode(value)}
    stored = document._from_son(record)
    stored.validate()
    assert dict(stored.to_mongo()) == record


@pytest.mark.parametrize(("document", "converter", "key", "value"), VALUES)
def test_decoding_returns_the_encoded_value(document: Any, converter: Any, key: str, value: object) -> None:
    assert converter.decode({"_id": key, **converter.encode(value)}) == value


@pytest.mark.parametrize(
    ("document", "not_stored"),
    [
        (documents.TaskDocument, {"replicates"}),
        (documents.ReplicateDocument, set()),
        (documents.WorkerDocument, set()),
        (documents.CommandDocument, set()),
        (documents.TermsDocument, set()),
        (documents.TaskChangeDocument, set()),
        (documents.ReplicateChangeDocument, set()),
        (documents.ReceiptDocument, set()),
        (documents.WorkerModelDocument, set()),
    ],
)
def test_the_schema_has_every_attribute_of_its_domain_type(document: Any, not_stored: set[str]) -> None:
    assert records._attributes(document.domain_type) - set(document._fields) == not_stored


def test_missing_fields_get_the_default_of_the_domain_type() -> None:
    record = records.TASKS.encode(TASK)
    for name in ("final_block", "claim_due", "initialization_block"):
        del record[name]
    decoded = records.TASKS.decode({"_id": TASK.task_id, **record})
    assert (decoded.final_block, decoded.claim_due, decoded.initialization_block) == (0, False, 0)


def test_shared_parts_are_not_decoded_again() -> None:
    record = {"_id": TASK.task_id, **records.TASKS.encode(TASK)}
    assert records.TASKS.decode(record, terms=TERMS).terms is TERMS


def test_changed_attributes_are_encoded_like_those_of_whole_values() -> None:
    fields = records.TASKS.encode_fields({"terms": TERMS, "uploader": WALLET})
    assert fields == {"terms": records.TERMS.encode(TERMS), "uploader": WALLET}
