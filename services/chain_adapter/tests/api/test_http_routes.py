"""The HTTP endpoints that the iExec blockchain adapter documents."""

import asyncio
import contextlib
import io
import json
from typing import Any

import aiohttp
from patience import PATIENCE_S
from workerpool_chain_adapter.api import http_routes
from workerpool_devnet.processes.ports import free_port
from workerpool_protocol.chain_adapter.v1 import transaction_service_pb2 as pb

AUTH = {"Authorization": aiohttp.encode_basic_auth("admin", "api password")}


async def call(base: str, method: str, path: str, **options: Any) -> tuple[int, str]:
    """Return the status and the body of one request."""
    async with aiohttp.ClientSession(base) as http, http.request(method, path, **options) as answer:
        return answer.status, await answer.text()


async def test_initialize_and_its_status_answer_as_documented(adapter: Any, pool: Any) -> None:
    """Scenario 31: a call without credentials ends with 401, and health is open."""
    deal = pool.buy()
    task = deal.task_ids[0]
    base = f"http://127.0.0.1:{adapter.port - 10_000}"
    initialize, status = "/v1/tasks/initialize", f"/v1/tasks/initialize/{task}/status"
    finalize = f"/v1/tasks/finalize/{task}"
    valid = {"chainDealId": deal.deal_id, "taskIndex": "0"}

    assert (await call(base, "POST", initialize, params=valid))[0] == 401
    _, health = await call(base, "GET", "/actuator/health")
    assert json.loads(health)["status"] == "UP"
    assert (await call(base, "GET", status, headers=AUTH))[0] == 404
    for _ in range(2):
        code, body = await call(base, "POST", initialize, params=valid, headers=AUTH)
        assert (code, json.loads(body)) == (200, task)
    await adapter.outcome(task, pb.COMMAND_KIND_INITIALIZE)
    assert json.loads((await call(base, "GET", status, headers=AUTH))[1]) == "SUCCESS"
    code, body = await call(base, "POST", finalize, json={"resultLink": "{}"}, headers=AUTH)
    assert (code, json.loads(body)["code"]) == (400, "TASK_NOT_REVEALING")
    for invalid in (
        {"chainDealId": "0x12", "taskIndex": "0"},
        {"chainDealId": deal.deal_id},
        {"chainDealId": deal.deal_id, "taskIndex": "9" * 5_000},
    ):
        assert (await call(base, "POST", initialize, params=invalid, headers=AUTH))[0] == 400
    for content in (
        b"[",
        b"[" * 5_000,
        b"[" * 99_000,  # case computed-deep: the same body must not end the adapter
        b'{"a":' * 99_000,
        io.BytesIO(b" " * 2_000_000),
        b'{"resultLink": 1}',
        b"[]",
        b'"\\ud800"',
        b'{"resultLink": "\\ud800"}',
    ):
        assert (await call(base, "POST", finalize, data=content, headers=AUTH))[0] == 400, str(content)[:20]
    _, metrics = await call(base, "GET", "/metrics")
    assert 'iexec_poco_transaction_total{method="initialize",status="success"} 1.0' in metrics


async def test_the_chain_is_described_without_a_password_while_the_database_is_away(
    launch: Any, environment: dict[str, str]
) -> None:
    adapter = await launch(MONGO_URI=f"mongodb://127.0.0.1:{free_port()}")
    base = f"http://127.0.0.1:{adapter.port - 10_000}"
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                code, body = await call(base, "GET", "/config/chain")
                break
            await asyncio.sleep(0.05)
    assert (code, json.loads(body)) == (
        200,
        {
            "chainId": int(environment["IEXEC_CHAIN_ID"]),
            "sidechain": False,
            "chainNodeUrl": environment["IEXEC_BLOCKCHAIN_NODE_ADDRESS"],
            "iexecHubContractAddress": environment["IEXEC_HUB_ADDRESS"],
            "blockTime": "PT1S",
        },
    )


def test_only_the_documented_endpoints_exist() -> None:
    unused: Any = None
    paths = {each.path for each in http_routes.routes(unused, unused)}
    assert paths == {
        "/v1/tasks/initialize",
        "/v1/tasks/finalize/{task}",
        "/v1/tasks/initialize/{task}/status",
        "/v1/tasks/finalize/{task}/status",
    }
