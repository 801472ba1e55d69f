"""The documented HTTP routes: tasks, replicates, logs and the platform metric (core spec §9)."""

import asyncio
import re
from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from workerpool_kit.http.answers import error_answer
from workerpool_poco.protocol.ids import Address, TaskId, address

from workerpool_core.api.http_documents import logs_model, platform_metric, replicate_model, task_model
from workerpool_core.app.observability.worker_series import exposition
from workerpool_core.app.ports import ComputeLogs
from workerpool_core.app.running import Core
from workerpool_core.errors import BadChallenge, BadRequest

_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")


def routes(core: Core, *, open_actuator: Callable[[str], bool]) -> list[Route]:
    """Return core's routes, which take precedence over the routes of every service.

    `open_actuator` returns whether an endpoint under /actuator is exposed.
    """
    handlers = _Handlers(core)
    closed = [
        Route(f"/actuator/{endpoint}", _not_exposed)
        for endpoint in ("health", "info", "prometheus", "prometheus/workers")
        if not open_actuator(endpoint.partition("/")[0])
    ]
    return [
        *closed,
        Route("/actuator/prometheus/workers", handlers.worker_series),
        Route("/metrics", handlers.platform_metric),
        Route("/tasks/logs/challenge", handlers.log_challenge),
        Route("/tasks/{task_id}", handlers.task),
        Route("/tasks/{task_id}/logs", handlers.task_logs),
        Route("/tasks/{task_id}/replicates/{wallet}", handlers.replicate),
        Route("/tasks/{task_id}/replicates/{wallet}/logs", handlers.replicate_logs),
        Route("/{chain_id}/workerpools/{workerpool}", handlers.workerpool),
    ]


async def _not_exposed(_request: Request) -> Response:
    return error_answer(
        "NOT_FOUND", "this endpoint is closed; add it to IEXEC_CORE_MANAGEMENT_ACTUATORS", 404
    )


class _Handlers:
    """Request handlers over the running core."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def task(self, request: Request) -> Response:
        running = self._core.running
        task = await running.queries.task(_task_id(request))
        explainer = running.explain()
        model = task_model(task, _base(request), explainer.waiting(task.task_id), explainer.task(task))
        return JSONResponse(model)

    async def replicate(self, request: Request) -> Response:
        queries, task_id = self._core.running.queries, _task_id(request)
        found = await queries.replicate(task_id, _wallet(request))
        task = await queries.task(task_id)
        return JSONResponse(replicate_model(task, found, _base(request)))

    async def log_challenge(self, request: Request) -> Response:
        requester = _address(request.query_params.get("address", ""))
        if requester is None:
            raise BadRequest("the query lacks ?address=<the requester's address>")
        return JSONResponse(self._core.running.log_access.challenge(requester).to_json())

    async def task_logs(self, request: Request) -> Response:
        logs = await self._logs(request, "")
        content = [logs_model(each) for each in logs]
        return JSONResponse({"chainTaskId": _task_id(request), "computeLogsList": content})

    async def replicate_logs(self, request: Request) -> Response:
        logs = await self._logs(request, _wallet(request))
        if not logs:
            return error_answer(
                "NOT_FOUND", "no logs of this replicate are stored; retry after its app has ended", 404
            )
        return JSONResponse(logs_model(logs[0]))

    async def _logs(self, request: Request, wallet: str) -> list[ComputeLogs]:
        """Return the logs for the header `Authorization: <hash>_<signature>_<address>`, as iExec tools send it."""
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

    async def workerpool(self, request: Request) -> Response:
        """Answer like iExec's compass, for the pool of this core."""
        chain_id, workerpool = (str(request.path_params[name]) for name in ("chain_id", "workerpool"))
        return JSONResponse(
            {"apiUrl": self._core.running.compass.api_url(chain_id, workerpool, _base(request))}
        )

    async def worker_series(self, _request: Request) -> Response:
        # Render in a thread, so that the series of a large pool do not delay assignments.
        text = await asyncio.to_thread(exposition, self._core.running.view.worker_samples())
        return Response(text, media_type=CONTENT_TYPE_LATEST)

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
    """Return the address in a text; None for any other text, also with blanks, which `address` would skip."""
    return address(text) if _ADDRESS.fullmatch(text) else None


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")
