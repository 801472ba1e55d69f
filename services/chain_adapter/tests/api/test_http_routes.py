"""The endpoints upstream documents."""

from typing import Any

import httpx
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb

AUTH = ("admin", "api password")


async def test_initialize_and_its_status_as_upstream_documents_them(adapter: Any, pool: Any) -> None:
    deal = pool.buy()
    task = deal.task_ids[0]
    base = f"http://127.0.0.1:{adapter.port - 10_000}"
    wish = {"chainDealId": deal.deal_id, "taskIndex": "0"}
    async with httpx.AsyncClient(base_url=base) as stranger:
        assert (await stranger.post("/v1/tasks/initialize", params=wish)).status_code == 401
        assert (await stranger.get("/actuator/health")).json()["status"] == "UP"
    async with httpx.AsyncClient(base_url=base, auth=AUTH) as client:
        assert (await client.get(f"/v1/tasks/initialize/{task}/status")).status_code == 404
        for _ in range(2):
            answer = await client.post("/v1/tasks/initialize", params=wish)
            assert (answer.status_code, answer.json()) == (200, task)
        await adapter.outcome(task, pb.COMMAND_KIND_INITIALIZE)
        assert (await client.get(f"/v1/tasks/initialize/{task}/status")).json() == "SUCCESS"
        refused = await client.post(f"/v1/tasks/finalize/{task}", json={"resultLink": "{}"})
        assert (refused.status_code, refused.json()["error"]) == (400, "TASK_NOT_REVEALING")
        for bad in (
            {"chainDealId": "0x12", "taskIndex": "0"},
            {"chainDealId": deal.deal_id},
            {"chainDealId": deal.deal_id, "taskIndex": "9" * 5_000},
        ):
            assert (await client.post("/v1/tasks/initialize", params=bad)).status_code == 400
        for bad_body in (
            b"[",
            b"[" * 5_000,
            b'{"resultLink": 1}',
            b"[]",
            b'"\\ud800"',
            b'{"resultLink": "\\ud800"}',
        ):
            answer = await client.post(f"/v1/tasks/finalize/{task}", content=bad_body)
            assert answer.status_code == 400, bad_body[:20]
        metrics = (await client.get("/metrics")).text
    assert 'iexec_poco_transaction_total{method="initialize",status="success"} 1.0' in metrics
