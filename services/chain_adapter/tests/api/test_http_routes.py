"""The HTTP endpoints that the iExec blockchain adapter documents."""

from typing import Any

import aiohttp
from workerpool_chain_adapter.api import http_routes
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb

AUTH = {"Authorization": aiohttp.encode_basic_auth("admin", "api password")}


async def test_initialize_and_its_status_answer_as_documented(adapter: Any, pool: Any) -> None:
    deal = pool.buy()
    task = deal.task_ids[0]
    base = f"http://127.0.0.1:{adapter.port - 10_000}"
    valid = {"chainDealId": deal.deal_id, "taskIndex": "0"}
    async with aiohttp.ClientSession(base) as unauthenticated:
        assert (await unauthenticated.post("/v1/tasks/initialize", params=valid)).status == 401
        assert (await (await unauthenticated.get("/actuator/health")).json())["status"] == "UP"
    async with aiohttp.ClientSession(base, headers=AUTH) as client:
        assert (await client.get(f"/v1/tasks/initialize/{task}/status")).status == 404
        for _ in range(2):
            answer = await client.post("/v1/tasks/initialize", params=valid)
            assert (answer.status, await answer.json()) == (200, task)
        await adapter.outcome(task, pb.COMMAND_KIND_INITIALIZE)
        assert await (await client.get(f"/v1/tasks/initialize/{task}/status")).json() == "SUCCESS"
        refused = await client.post(f"/v1/tasks/finalize/{task}", json={"resultLink": "{}"})
        assert (refused.status, (await refused.json())["error"]) == (400, "TASK_NOT_REVEALING")
        for invalid in (
            {"chainDealId": "0x12", "taskIndex": "0"},
            {"chainDealId": deal.deal_id},
            {"chainDealId": deal.deal_id, "taskIndex": "9" * 5_000},
        ):
            assert (await client.post("/v1/tasks/initialize", params=invalid)).status == 400
        for body in (
            b"[",
            b"[" * 5_000,
            b'{"resultLink": 1}',
            b"[]",
            b'"\\ud800"',
            b'{"resultLink": "\\ud800"}',
        ):
            answer = await client.post(f"/v1/tasks/finalize/{task}", data=body)
            assert answer.status == 400, body[:20]
        metrics = await (await client.get("/metrics")).text()
    assert 'iexec_poco_transaction_total{method="initialize",status="success"} 1.0' in metrics


def test_only_the_documented_endpoints_exist() -> None:
    unused: Any = None
    paths = {each.path for each in http_routes.routes(unused, unused)}
    assert paths == {
        "/v1/tasks/initialize",
        "/v1/tasks/finalize/{task}",
        "/v1/tasks/initialize/{task}/status",
        "/v1/tasks/finalize/{task}/status",
    }
