"""The documented HTTP routes: tasks, replicates, logs and the platform metric (core spec §9)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from workerpool_poco.protocol.ids import Address, TaskId, address

from workerpool_core.api.task_messages import LAST_DATE
from workerpool_core.app.ports import ComputeLogs
from workerpool_core.app.queries.pool_view import PoolSummary
from workerpool_core.app.running import Core
from workerpool_core.domain.model import Receipt, Replicate, Task
from workerpool_core.errors import BadChallenge, BadRequest

_TEE_SESSION = "TEE_SESSION_GENERATION_"
_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")


def routes(core: Core, *, open_actuator: Callable[[str], bool]) -> list[Route]:
    """Return core's routes, which take precedence over the routes of every service.

    `open_actuator` tells whether an endpoint under /actuator is exposed.
    """
    handlers = _Handlers(core)
    closed = [
        Route(f"/actuator/{endpoint}", _not_exposed)
        for endpoint in ("health", "info", "prometheus")
        if not open_actuator(endpoint)
    ]
    return [
        *closed,
        Route("/metrics", handlers.platform_metric),
        Route("/tasks/logs/challenge", handlers.log_challenge),
        Route("/tasks/{task_id}", handlers.task),
        Route("/tasks/{task_id}/logs", handlers.task_logs),
        Route("/tasks/{task_id}/replicates/{wallet}", handlers.replicate),
        Route("/tasks/{task_id}/replicates/{wallet}/logs", handlers.replicate_logs),
    ]


async def _not_exposed(_request: Request) -> Response:
    return JSONResponse(
        {
            "error": "NOT_FOUND",
            "message": "this endpoint is closed; add it to IEXEC_CORE_MANAGEMENT_ACTUATORS",
        },
        404,
    )


class _Handlers:
    """Request handlers over the running core."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def task(self, request: Request) -> Response:
        task = await self._core.running.queries.task(_task_id(request))
        return JSONResponse(task_model(task, _base(request)))

    async def replicate(self, request: Request) -> Response:
        found = await self._core.running.queries.replicate(_task_id(request), _wallet(request))
        return JSONResponse(replicate_model(found, _base(request)))

    async def log_challenge(self, request: Request) -> Response:
        requester = _address(request.query_params.get("address", ""))
        if requester is None:
            raise BadRequest("the query lacks ?address=<the requester's address>")
        return JSONResponse(self._core.running.log_access.challenge(requester).to_json())

    async def task_logs(self, request: Request) -> Response:
        logs = await self._logs(request, "")
        content = [_logs_model(each) for each in logs]
        return JSONResponse({"chainTaskId": _task_id(request), "computeLogsList": content})

    async def replicate_logs(self, request: Request) -> Response:
        logs = await self._logs(request, _wallet(request))
        if not logs:
            return JSONResponse(
                {"error": "NOT_FOUND", "message": "no logs of this replicate are stored"}, 404
            )
        return JSONResponse(_logs_model(logs[0]))

    async def _logs(self, request: Request, wallet: str) -> list[ComputeLogs]:
        """Return the logs that `Authorization: <hash>_<signature>_<address>` opens, the form that iExec tools send."""
        parts = request.headers.get("authorization", "").strip().split("_")
        if len(parts) != 3:
            raise BadChallenge("the Authorization header must be <hash>_<signature>_<address>")
        claimed_hash, signature, signer = parts
        requester = _address(signer)
        if requester is None:
            raise BadChallenge("the Authorization header must end with the requester's address")
        return await self._core.running.log_access.logs(
            _task_id(request), requester, signature, wallet, claimed_hash=claimed_hash
        )

    async def platform_metric(self, _request: Request) -> Response:
        return JSONResponse(platform_metric(self._core.running.view.summary()))


def _task_id(request: Request) -> TaskId:
    return TaskId(str(request.path_params["task_id"]).lower())


def _wallet(request: Request) -> str:
    wallet = _address(str(request.path_params["wallet"]))
    if wallet is None:
        raise BadRequest("the path lacks the worker's address")
    return wallet


def _address(text: str) -> Address | None:
    """Return the address that a text spells, None for any other text. `address` itself would skip spaces."""
    return address(text) if _ADDRESS.fullmatch(text) else None


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


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
            "blockTimestamp": _date(block.timestamp) if block is not None else None,
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


def task_model(task: Task, base: str) -> dict[str, Any]:
    """Return the documented TaskModel."""
    return {
        "chainTaskId": task.task_id,
        "replicates": [replicate_model(replicate, base) for replicate in task.replicates.values()],
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
        "contributionDeadline": _date(task.terms.contribution_deadline),
        "revealDeadline": _date(task.reveal_deadline) if task.reveal_deadline else None,
        "finalDeadline": _date(task.terms.final_deadline),
        "resultLink": task.result_link or None,
        "chainCallbackData": task.callback_data or None,
        "dateStatusList": [
            {"date": _date(change.date), "status": change.status.value} | _receipt(change.receipt)
            for change in task.history
        ],
    }


def replicate_model(replicate: Replicate, base: str) -> dict[str, Any]:
    """Return the documented ReplicateModel, without empty fields."""
    url = f"{base}/tasks/{replicate.task_id}/replicates/{replicate.wallet}"
    model: dict[str, Any] = {
        "self": url,
        "chainTaskId": replicate.task_id,
        "walletAddress": replicate.wallet,
        "currentStatus": replicate.status.value,
        "statusUpdateList": [
            {"status": change.status.value, "date": _date(change.date)}
            | ({"cause": change.cause.value} if change.cause is not None else {})
            for change in replicate.history
        ],
        "resultLink": replicate.result_link,
        "chainCallbackData": replicate.callback_data,
        "contributionHash": replicate.contribution_hash,
        "appLogs": f"{url}/logs" if replicate.logs_present else "",
        "appExitCode": replicate.exit_code,
        "teeSessionGenerationError": _tee_session_error(replicate),
    }
    return {key: value for key, value in model.items() if value not in (None, "")}


def _tee_session_error(replicate: Replicate) -> str:
    """Return why the SMS refused an enclave session: the cause without its prefix, empty when it did not."""
    causes = [change.cause.value for change in replicate.history if change.cause is not None]
    errors = [cause for cause in causes if cause.startswith(_TEE_SESSION)]
    return errors[-1].removeprefix(_TEE_SESSION) if errors else ""


def _logs_model(logs: ComputeLogs) -> dict[str, str]:
    return {"walletAddress": logs.wallet, "stdout": logs.stdout, "stderr": logs.stderr}


def _receipt(receipt: Receipt | None) -> dict[str, Any]:
    if receipt is None:
        return {}
    return {"chainReceipt": {"blockNumber": receipt.block, "txHash": receipt.transaction}}


def _date(seconds: float) -> str:
    date = datetime.fromtimestamp(min(seconds, LAST_DATE), UTC)
    return date.isoformat(timespec="milliseconds").replace("+00:00", "Z")
