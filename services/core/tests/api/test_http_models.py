"""The documents of the HTTP routes, field by field (core spec §9)."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from workerpool_core.api.http_routes import replicate_model, task_model
from workerpool_core.app.observability.metrics import PoolCollector
from workerpool_core.app.queries.pool_view import PoolSummary
from workerpool_core.domain.model import Modifier, Receipt, Replicate, ReplicateChange, Task, TaskChange
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
        "dateStatusList": [{"date": "2023-11-14T22:13:20.500Z", "status": "RECEIVED"}],
    }


def test_a_change_by_a_transaction_has_its_receipt(make_task: MakeTask) -> None:
    task = make_task()
    task.history.append(TaskChange(TaskStatus.INITIALIZING, 1_700_000_001.0, Receipt(12, "0xtx")))
    assert task_model(task, BASE)["dateStatusList"][-1] == {
        "date": "2023-11-14T22:13:21.000Z",
        "status": "INITIALIZING",
        "chainReceipt": {"blockNumber": 12, "txHash": "0xtx"},
    }


def test_a_replicate_has_its_documented_fields(make_task: MakeTask, make_replicate: MakeReplicate) -> None:
    replicate = make_replicate(make_task())
    replicate.result_link, replicate.callback_data = "{}", "0x01"
    replicate.contribution_hash, replicate.exit_code, replicate.logs_present = "0xaa", 3, True
    failed(replicate, R.COMPUTE_FAILED, C.APP_COMPUTE_FAILED)
    url = f"{BASE}/tasks/{replicate.task_id}/replicates/{WORKER}"
    assert replicate_model(replicate, BASE) == {
        "self": url,
        "chainTaskId": replicate.task_id,
        "walletAddress": WORKER,
        "currentStatus": "COMPUTE_FAILED",
        "statusUpdateList": [
            {"status": "CREATED", "date": "2023-11-14T22:13:20.500Z"},
            {"status": "COMPUTE_FAILED", "date": "2023-11-14T22:13:21.000Z", "cause": "APP_COMPUTE_FAILED"},
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
    replicate = failed(make_replicate(make_task()), R.COMPUTE_FAILED, cause)
    assert replicate_model(replicate, BASE)["teeSessionGenerationError"] == error
    replicate.history[-1] = replicate.history[-1]._replace(cause=C.TEE_PREPARATION_FAILED)
    assert "teeSessionGenerationError" not in replicate_model(replicate, BASE)


def test_the_counter_of_replayed_deals_exists_for_dashboards() -> None:
    summary = PoolSummary("0x", 0, 0, 0, 0, 0, {}, None, 0, 0, 0, 0)
    registry = CollectorRegistry()
    registry.register(PoolCollector(lambda: replace(summary, deals=1), "1"))
    assert "iexec_core_deals_replay_total 0.0" in generate_latest(registry).decode().splitlines()
