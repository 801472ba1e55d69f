"""The worker's own HTTP route."""

import asyncio
import json

from patience import PATIENCE_S
from starlette.requests import Request
from workerpool_worker.api.http_routes import routes


async def test_metrics_are_the_document_of_the_durations() -> None:
    (route,) = routes(lambda: {"appComputeDurations": {"minDuration": None}})
    assert route.path == "/metrics"
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/metrics", "headers": [], "query_string": b""}
    await asyncio.wait_for(route.app(Request(scope).scope, receive, send), PATIENCE_S)  # type: ignore[arg-type]
    assert json.loads(sent[1]["body"]) == {"appComputeDurations": {"minDuration": None}}  # type: ignore[arg-type]
