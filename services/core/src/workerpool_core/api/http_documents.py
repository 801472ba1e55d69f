"""The documents of core's HTTP routes, in the form that iExec tools read (core spec §9).

Failed and waiting entries of both histories have additional keys, which the iExec CLI prints unchanged.
"""

from typing import Any

from workerpool_core.api.reason_messages import reason_document
from workerpool_core.api.times import iso_date
from workerpool_core.app.ports import ComputeLogs
from workerpool_core.app.queries.pool_view import PoolSummary
from workerpool_core.domain.explanations.explanation import Explanation
from workerpool_core.domain.explanations.replicates import explain_replicate
from workerpool_core.domain.explanations.tasks import explain_task
from workerpool_core.domain.model import Receipt, Replicate, ReplicateChange, Task

_TEE_SESSION = "TEE_SESSION_GENERATION_"


def platform_metric(now: PoolSummary) -> dict[str, Any]:
    """Return the documented PlatformMetric with its current and its older names."""
    block = now.latest_block
    cpus, gpus = now.registered_cpus, now.registered_gpus
    return {
        "aliveWorkers": now.alive_workers,
        "aliveComputingCpu": now.computing_cpus,
        "aliveRegisteredCpu": cpus,
        "aliveComputingGpu": now.computing_gpus,
        "aliveRegisteredGpu": gpus,
        "currentTaskStatusesCount": {status.value: count for status, count in now.tasks_by_status.items()},
        "latestBlockMetric": {
            "blockNumber": block.number if block is not None else 0,
            "blockHash": "0x" + block.hash.hex() if block is not None else "",
            "blockTimestamp": iso_date(block.timestamp) if block is not None else None,
        },
        "dealEventsCount": now.deal_events,
        "dealsCount": now.deals,
        "replayDealsCount": 0,
        "latestBlockNumberWithDeal": now.latest_deal_block,
        "aliveTotalCpu": cpus,
        "aliveAvailableCpu": max(cpus - now.computing_cpus, 0),
        "aliveTotalGpu": gpus,
        "aliveAvailableGpu": max(gpus - now.computing_gpus, 0),
    }


def task_model(
    task: Task, base: str, waiting: Explanation | None = None, reason: Explanation | None = None
) -> dict[str, Any]:
    """Return the documented TaskModel.

    `waiting` is why the task makes no progress now, `reason` why it waits or failed.
    """
    model = {
        "chainTaskId": task.task_id,
        "replicates": [replicate_model(task, replicate, base) for replicate in task.replicates.values()],
        "maxExecutionTime": task.terms.max_execution_s * 1000,
        "tag": task.terms.tag,
        "dappType": "DOCKER",
        "dappName": task.terms.app_uri,
        "commandLine": task.terms.command_line,
        "initializationBlockNumber": task.initialization_block,
        "currentStatus": task.status.value,
        "trust": task.terms.trust,
        "uploadingWorkerWalletAddress": task.uploader or None,
        "consensus": task.consensus or None,
        "contributionDeadline": iso_date(task.terms.contribution_deadline),
        "revealDeadline": iso_date(task.reveal_deadline) if task.reveal_deadline else None,
        "finalDeadline": iso_date(task.terms.final_deadline),
        "resultLink": task.result_link or None,
        "chainCallbackData": task.callback_data or None,
        "dateStatusList": [
            {"date": iso_date(change.date), "status": change.status.value}
            | _receipt(change.receipt)
            | _explained(explained)
            for change, explained in zip(task.history, explain_task(task, waiting), strict=True)
        ],
    } | _error_of(task)
    if waiting is not None:
        model["waitingReason"] = waiting.sentences
    if (document := reason_document(reason)) is not None:
        model["reason"] = document
    return model


def _explained(explained: Explanation | None) -> dict[str, Any]:
    """Return the keys of a history entry besides its status, without empty ones."""
    if explained is None:
        return {}
    keys = {
        "cause": explained.cause.value if explained.cause is not None else None,
        "exitCode": explained.exit_code,
        "message": explained.message,
        "fault": explained.side.value if explained.side is not None else None,
        "next": explained.next_step,
    }
    return {key: value for key, value in keys.items() if value not in (None, "")}


def _error_of(task: Task) -> dict[str, Any]:
    """Return the failure that a task's result stands for, which the documented model lacks; empty without one."""
    if task.error_cause is None:
        return {}
    return {"errorCause": task.error_cause.value, "errorMessage": task.error_message}


def replicate_model(task: Task, replicate: Replicate, base: str) -> dict[str, Any]:
    """Return the documented ReplicateModel, without empty fields."""
    url = f"{base}/tasks/{replicate.task_id}/replicates/{replicate.wallet}"
    model: dict[str, Any] = {
        "self": url,
        "chainTaskId": replicate.task_id,
        "walletAddress": replicate.wallet,
        "currentStatus": replicate.status.value,
        "statusUpdateList": [
            {"status": change.status.value, "date": iso_date(change.date)}
            | _cause(change)
            | _explained(explained)
            for change, explained in zip(replicate.history, explain_replicate(task, replicate), strict=True)
        ],
        "resultLink": replicate.result_link,
        "chainCallbackData": replicate.callback_data,
        "contributionHash": replicate.contribution_hash,
        "appLogs": f"{url}/logs" if replicate.logs_present else "",
        "appExitCode": replicate.exit_code,
        "teeSessionGenerationError": _tee_session_error(replicate),
    }
    return {key: value for key, value in model.items() if value not in (None, "")}


def _cause(change: ReplicateChange) -> dict[str, str]:
    return {"cause": change.cause.value} if change.cause is not None else {}


def _tee_session_error(replicate: Replicate) -> str:
    """Return why the SMS refused an enclave session, as the cause without its prefix; empty when it did not."""
    causes = [change.cause.value for change in replicate.history if change.cause is not None]
    errors = [cause for cause in causes if cause.startswith(_TEE_SESSION)]
    return errors[-1].removeprefix(_TEE_SESSION) if errors else ""


def logs_model(logs: ComputeLogs) -> dict[str, str]:
    """Return the documented ComputeLogs."""
    return {"walletAddress": logs.wallet, "stdout": logs.stdout, "stderr": logs.stderr}


def _receipt(receipt: Receipt | None) -> dict[str, Any]:
    """Return a known transaction; the block of a deal alone is not a receipt."""
    if receipt is None or not receipt.transaction:
        return {}
    return {"chainReceipt": {"blockNumber": receipt.block, "txHash": receipt.transaction}}
