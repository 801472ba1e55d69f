"""The documents of the HTTP routes, field by field (core spec §9)."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from workerpool_core.api.http_documents import replicate_model, task_model
from workerpool_core.app.observability.metrics import PoolCollector
from workerpool_core.app.queries.pool_view import PoolSummary
from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.model import Modifier, Receipt, Replicate, ReplicateChange, Task, TaskChange
from workerpool_poco.protocol.causes import Side
from workerpool_poco.protocol.statuses import ReplicateStatus as R
from workerpool_poco.protocol.statuses import ReplicateStatusCause as C
from workerpool_poco.protocol.statuses import TaskStatus

BASE = "http://core:13000"
WORKER = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
MakeTask = Callable[..., Task]
MakeReplicate = Callable[..., Replicate]


def failed(replicate: Replicate, status: R, cause: C) -> Replicate:
    replicate.history.append(ReplicateChange(status, 1_700_000_001.0, Modifier.WORKER, cause))
    return replicate


def test_a_fresh_task_has_every_documented_field_and_no_other(make_task: MakeTask) -> None:
    task = make_task()
    assert task_model(task, BASE) == {
        "chainTaskId": task.task_id,
        "replicates": [],
        "maxExecutionTime": 300_000,
        "tag": "0x" + "00" * 32,
        "dappType": "DOCKER",
        "dappName": "app:1",
        "commandLine": "do it",
        "initializationBlockNumber": 0,
        "currentStatus": "RECEIVED",
        "trust": 1,
        "uploadingWorkerWalletAddress": None,
        "consensus": None,
        "contributionDeadline": "2023-11-14T22:48:20.500Z",
        "revealDeadline": None,
        "finalDeadline": "2023-11-14T23:03:20.500Z",
        "resultLink": None,
        "chainCallbackData": None,
        "dateStatusList": [
            {
                "date": "2023-11-14T22:13:20.500Z",
                "status": "RECEIVED",
                "message": "the task waits for its initialization on chain",
                "fault": "pool",
                "next": "No action is needed.",
            }
        ],
    }


def test_a_change_by_a_transaction_has_its_receipt(make_task: MakeTask) -> None:
    task = make_task()
    task.history.append(TaskChange(TaskStatus.INITIALIZING, 1_700_000_001.0, Receipt(12, "0xtx")))
    changed = task_model(task, BASE)["dateStatusList"][-1]
    assert (changed["date"], changed["status"]) == ("2023-11-14T22:13:21.000Z", "INITIALIZING")
    assert changed["chainReceipt"] == {"blockNumber": 12, "txHash": "0xtx"}


def test_a_change_without_a_known_transaction_has_no_receipt(make_task: MakeTask) -> None:
    task = make_task()
    task.history[0] = TaskChange(TaskStatus.RECEIVED, 1_700_000_000.5, Receipt(12))
    assert "chainReceipt" not in task_model(task, BASE)["dateStatusList"][0]


def test_a_waiting_task_says_why_in_its_last_entry_and_in_a_field(make_task: MakeTask) -> None:
    waiting = Explanation("No worker is connected.", Side.POOL, "The task starts when one connects.")
    model = task_model(make_task(status=TaskStatus.INITIALIZED), BASE, waiting)
    assert model["waitingReason"] == "No worker is connected. The task starts when one connects."
    assert model["dateStatusList"][-1] == {
        "date": "2023-11-14T22:13:20.500Z",
        "status": "INITIALIZED",
        "message": "No worker is connected.",
        "fault": "pool",
        "next": "The task starts when one connects.",
    }


def test_a_failed_task_says_why_and_how_the_price_is_refunded(make_task: MakeTask) -> None:
    task = make_task()
    task.history += [
        TaskChange(TaskStatus.INITIALIZE_FAILED, 1_700_000_001.0),
        TaskChange(TaskStatus.FAILED, 1_700_000_001.0),
    ]
    task.claim_due, task.error_cause, task.error_message = True, C.UNKNOWN_SMS, "no SMS serves TDX"
    received, why, end = task_model(task, BASE)["dateStatusList"]
    assert set(received) == {"date", "status"}
    assert (why["message"], why["cause"], why["fault"]) == ("no SMS serves TDX", "UNKNOWN_SMS", "pool")
    assert "the pool claims the task by itself after 2023-11-14T23:03:20Z" in end["next"]


def test_a_replicate_has_its_documented_fields(make_task: MakeTask, make_replicate: MakeReplicate) -> None:
    task = make_task()
    replicate = make_replicate(task)
    replicate.result_link, replicate.callback_data = "{}", "0x01"
    replicate.contribution_hash, replicate.exit_code, replicate.logs_present = "0xaa", 3, True
    failed(replicate, R.COMPUTE_FAILED, C.APP_COMPUTE_FAILED)
    url = f"{BASE}/tasks/{replicate.task_id}/replicates/{WORKER}"
    assert replicate_model(task, replicate, BASE) == {
        "self": url,
        "chainTaskId": replicate.task_id,
        "walletAddress": WORKER,
        "currentStatus": "COMPUTE_FAILED",
        "statusUpdateList": [
            {"status": "CREATED", "date": "2023-11-14T22:13:20.500Z"},
            {
                "status": "COMPUTE_FAILED",
                "date": "2023-11-14T22:13:21.000Z",
                "cause": "APP_COMPUTE_FAILED",
                "exitCode": 3,
                "message": "the worker could not run the app: app compute failed",
                "fault": "app",
                "next": f"Read what the app wrote: iexec task debug {task.task_id} --logs. "
                "Correct the app and buy again.",
            },
        ],
        "resultLink": "{}",
        "chainCallbackData": "0x01",
        "contributionHash": "0xaa",
        "appLogs": f"{url}/logs",
        "appExitCode": 3,
    }


@pytest.mark.parametrize(
    ("cause", "error"),
    [
        (C.TEE_SESSION_GENERATION_INVALID_AUTHORIZATION, "INVALID_AUTHORIZATION"),
        (C.TEE_SESSION_GENERATION_NO_SESSION_REQUEST, "NO_SESSION_REQUEST"),
    ],
)
def test_a_refused_enclave_session_has_the_cause_of_the_sms(
    make_task: MakeTask, make_replicate: MakeReplicate, cause: C, error: str
) -> None:
    task = make_task()
    replicate = failed(make_replicate(task), R.COMPUTE_FAILED, cause)
    assert replicate_model(task, replicate, BASE)["teeSessionGenerationError"] == error
    replicate.history[-1] = replicate.history[-1]._replace(cause=C.TEE_PREPARATION_FAILED)
    assert "teeSessionGenerationError" not in replicate_model(task, replicate, BASE)


def test_the_counter_of_replayed_deals_exists_for_dashboards() -> None:
    summary = PoolSummary("0x", 0, 0, 0, 0, 0, {}, None, 0, 0, 0, 0)
    registry = CollectorRegistry()
    registry.register(PoolCollector(lambda: replace(summary, deals=1), "1"))
    assert "iexec_core_deals_replay_total 0.0" in generate_latest(registry).decode().splitlines()
