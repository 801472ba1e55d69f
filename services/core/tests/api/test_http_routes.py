"""The documented HTTP routes, in the form that iExec tools read."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import http_calls
import pytest
from workerpool_core.api.http_routes import routes
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.model import Receipt, Replicate, Task
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.encoding.typed_data import LogChallenge, sign_challenge
from workerpool_poco.protocol.ids import task_id_of, to_hex

from services.core.tests.api.conftest import CHAIN_ID, POOL

WORKER = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"


class Side:
    """The HTTP port of a core."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    async def get(
        self, path: str, params: Mapping[str, object] | None = None, **options: Any
    ) -> http_calls.HttpAnswer:
        query = f"?{urlencode(params)}" if params else ""
        return await http_calls.get(f"{self.url}{path}{query}", **options)


@pytest.fixture
async def http(api: Any) -> AsyncIterator[Side]:
    server = HttpServer(
        0,
        health=Health(),
        version="1",
        routes=routes(api.core, open_actuator=lambda name: name != "prometheus"),
        host="127.0.0.1",
    )
    await server.start()
    yield Side(server.port)
    await server.stop()


@pytest.fixture
async def task(
    api: Any, make_task: Callable[..., Task], make_replicate: Callable[..., Replicate], wallet: Wallet
) -> Task:
    task = make_task(requester=wallet.address)
    replicate = make_replicate(task)
    replicate.logs_present, replicate.exit_code = True, 0
    logs = d.LogsStored(task.task_id, WORKER, "out", "err")
    api.commit.put(d.Outcome([d.TaskCreated(task), d.ReplicateCreated(replicate), logs], []))
    await api.commit.drained()
    return task


async def test_a_task_has_the_documented_fields(http: Side, task: Task) -> None:
    answer = await http.get(f"/tasks/{task.task_id.upper().replace('X', 'x')}")
    assert answer.headers["content-type"].startswith("application/json")
    model = answer.json()
    assert (model["chainTaskId"], model["currentStatus"], model["dappType"]) == (
        task.task_id,
        "RECEIVED",
        "DOCKER",
    )
    assert model["maxExecutionTime"] == 300_000
    (received,) = model["dateStatusList"]
    assert (received["date"], received["status"]) == ("2023-11-14T22:13:20.500Z", "RECEIVED")
    (replicate,) = model["replicates"]
    assert (replicate["walletAddress"], replicate["appExitCode"]) == (WORKER, 0)
    assert replicate["appLogs"] == f"{http.url}/tasks/{task.task_id}/replicates/{WORKER}/logs"
    assert "resultLink" not in replicate
    same = await http.get(f"/tasks/{task.task_id}/replicates/{WORKER.lower()}")
    assert same.json() == replicate


async def test_a_task_tells_why_it_waits(http: Side, api: Any, make_task: Any) -> None:
    terms = replace(make_task(9, trust=1).terms, contribution_deadline=2e9, final_deadline=3e9)
    task_id = task_id_of(terms.deal_id, terms.bot_first)
    log = e.TaskLog(e.TaskLogKind.INITIALIZE, task_id, Receipt(20, "0x1"))
    api.engine.submit(e.BlockSeen(20, "0x20", 1e9, deals=(e.DealSeen(terms),), logs=(log,)))
    await api.commit.drained()
    model = (await http.get(f"/tasks/{task_id}")).json()
    assert model["waitingReason"] == "No worker is connected. The task starts when one connects."


async def test_unknown_resources_are_not_found(http: Side, task: Task) -> None:
    assert (await http.get("/tasks/0x00")).status == 404
    assert (await http.get(f"/tasks/{task.task_id}/replicates/{'0x' + '11' * 20}")).status == 404
    assert (await http.get("/actuator/prometheus")).status == 404
    assert (await http.get("/actuator/prometheus/workers")).status == 404


async def test_the_series_of_workers_are_served_where_prometheus_is_open(api: Any, wallet: Wallet) -> None:
    await (await api.connect(wallet)).receive()
    server = HttpServer(
        0,
        health=Health(),
        version="1",
        routes=routes(api.core, open_actuator=lambda name: True),
        host="127.0.0.1",
    )
    await server.start()
    answer = await http_calls.get(f"http://127.0.0.1:{server.port}/actuator/prometheus/workers")
    await server.stop()
    assert answer.headers["content-type"].startswith("text/plain")
    assert f'workerpool_core_worker_slots{{wallet="{wallet.address}"}} 2\n' in answer.text


async def test_the_platform_metric_has_its_newer_and_older_names(http: Side) -> None:
    metric = (await http.get("/metrics")).json()
    assert set(metric) == {
        "aliveWorkers",
        "aliveComputingCpu",
        "aliveRegisteredCpu",
        "aliveComputingGpu",
        "aliveRegisteredGpu",
        "currentTaskStatusesCount",
        "latestBlockMetric",
        "dealEventsCount",
        "dealsCount",
        "replayDealsCount",
        "latestBlockNumberWithDeal",
        "aliveTotalCpu",
        "aliveAvailableCpu",
        "aliveTotalGpu",
        "aliveAvailableGpu",
    }
    assert metric["currentTaskStatusesCount"]["COMPLETED"] == 0


async def authorization(http: Side, wallet: Wallet, address: str = "") -> dict[str, str]:
    asked = address or wallet.address
    data = (
        await http.get("/tasks/logs/challenge", params={"chainId": 65535, "address": asked.lower()})
    ).json()
    challenge = LogChallenge(data["message"]["challenge"], data["domain"]["chainId"])
    signature = to_hex(sign_challenge(wallet, challenge))
    return {"Authorization": f"{to_hex(challenge.hash)}_{signature}_{asked}"}


async def test_the_log_challenge_is_the_typed_data_that_iexec_tools_sign(http: Side, wallet: Wallet) -> None:
    asked = {"chainId": CHAIN_ID, "address": wallet.address}
    answer = await http.get("/tasks/logs/challenge", params=asked)
    assert answer.headers["content-type"].startswith("application/json")
    document = answer.json()
    text = document["message"]["challenge"]
    assert document == {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
            ],
            "Challenge": [{"name": "challenge", "type": "string"}],
        },
        "primaryType": "Challenge",
        "domain": {"name": "iExec Core", "version": "1", "chainId": CHAIN_ID},
        "message": {"challenge": text},
    }
    assert text
    # Each request has a challenge of its own: tools read the logs of many tasks at once.
    assert (await http.get("/tasks/logs/challenge", params=asked)).json() != document


async def test_a_log_of_no_worker_is_an_empty_list_and_the_task_says_why(
    http: Side, api: Any, make_task: Callable[..., Task], wallet: Wallet
) -> None:
    task = make_task(7, requester=wallet.address)
    api.commit.put(d.Outcome([d.TaskCreated(task)], []))
    await api.commit.drained()
    answer = await http.get(f"/tasks/{task.task_id}/logs", headers=await authorization(http, wallet))
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json() == {"chainTaskId": task.task_id, "computeLogsList": []}
    (received,) = (await http.get(f"/tasks/{task.task_id}")).json()["dateStatusList"]
    assert received["message"] == "the task waits for its initialization on chain"


async def test_every_refusal_is_json_with_a_sentence(http: Side, task: Task, wallet: Wallet) -> None:
    unknown = "0x" + "00" * 32
    cases = {
        f"/tasks/{unknown}": ({}, 404, "no deal of this pool contains task"),
        f"/tasks/{unknown}/logs": (await authorization(http, wallet), 404, "no deal of this pool"),
        f"/tasks/{task.task_id}/logs": ({}, 401, "<hash>_<signature>_<address>"),
        f"/tasks/{task.task_id}/replicates/0x{'11' * 20}": ({}, 404, "has no replicate of task"),
        "/tasks/logs/challenge": ({}, 400, "?address="),
    }
    for path, (headers, status, words) in cases.items():
        answer = await http.get(path, headers=headers)
        assert answer.headers["content-type"].startswith("application/json")
        assert answer.status == status, path
        refused = answer.json()
        assert set(refused) == {"error", "code"}, path
        # The command line prints `error` only.
        assert refused["error"].startswith(f"{refused['code']}: "), path
        assert words in refused["error"], path
    stranger = await http.get(
        f"/tasks/{task.task_id}/logs", headers=await authorization(http, Wallet.create())
    )
    assert (stranger.status, "only the requester" in stranger.text) == (403, True)


async def test_s48_the_requester_reads_logs_with_the_documented_header(
    http: Side, task: Task, wallet: Wallet
) -> None:
    answer = await http.get(f"/tasks/{task.task_id}/logs", headers=await authorization(http, wallet))
    one = {"walletAddress": WORKER, "stdout": "out", "stderr": "err"}
    assert answer.json() == {"chainTaskId": task.task_id, "computeLogsList": [one]}
    alone = await http.get(
        f"/tasks/{task.task_id}/replicates/{WORKER}/logs", headers=await authorization(http, wallet)
    )
    assert alone.json() == one


async def test_a_tool_reads_the_logs_of_many_tasks_at_once(http: Side, task: Task, wallet: Wallet) -> None:
    """The SDK requests a challenge for each task, signs it, and then asks."""
    signed = [await authorization(http, wallet) for _ in range(5)]
    path = f"/tasks/{task.task_id}/logs"
    answers = [await http.get(path, headers=headers) for headers in signed]
    assert [answer.status for answer in answers] == [200] * 5
    replayed = await http.get(path, headers=signed[0])
    assert (replayed.status, replayed.json()["code"]) == (401, "BAD_CHALLENGE")


async def test_s48_other_callers_are_refused(http: Side, task: Task, wallet: Wallet) -> None:
    path, other_wallet = f"/tasks/{task.task_id}/logs", Wallet.create()
    assert (await http.get(path)).status == 401
    assert (await http.get(path, headers={"Authorization": "a_b_c"})).status == 401
    assert (await http.get(path, headers=await authorization(http, other_wallet))).status == 403
    forged = await authorization(http, other_wallet, address=wallet.address)
    assert (await http.get(path, headers=forged)).status == 401
    unknown = f"/tasks/0x{'00' * 32}/logs"
    assert (await http.get(unknown, headers=await authorization(http, wallet))).status == 404


@pytest.mark.parametrize("given", ["", "0x12", "worker", f"{WORKER} ", WORKER[2:], "0x" + "11 " * 20])
async def test_a_challenge_requires_an_exact_address(http: Side, given: str) -> None:
    answer = await http.get("/tasks/logs/challenge", params={"address": given})
    assert (answer.status, answer.json()["code"]) == (400, "INVALID_ARGUMENT")


async def test_an_address_with_spaces_opens_no_logs(http: Side, task: Task, wallet: Wallet) -> None:
    headers = await authorization(http, wallet)
    proof, _, address = headers["Authorization"].rpartition("_")
    spaced = {"Authorization": f"{proof}_{address[:4]} {address[4:]}"}
    assert (await http.get(f"/tasks/{task.task_id}/logs", headers=spaced)).status == 401


async def test_a_deadline_after_the_year_9999_is_the_end_of_that_year(
    http: Side, api: Any, make_task: Callable[..., Task]
) -> None:
    task = make_task(2, final_deadline=1e30)
    api.commit.put(d.Outcome([d.TaskCreated(task)], []))
    await api.commit.drained()
    answer = await http.get(f"/tasks/{task.task_id}")
    assert answer.json()["finalDeadline"].startswith("9999-12-31T23:59:59")


async def test_the_compass_tells_where_this_api_is(http: Side, api: Any) -> None:
    for pool in (POOL, POOL.lower(), "0x" + POOL[2:].upper()):
        answer = await http.get(f"/{CHAIN_ID}/workerpools/{pool}")
        assert answer.headers["content-type"].startswith("application/json")
        assert (answer.status, answer.json()) == (200, {"apiUrl": http.url})


async def test_the_compass_knows_no_other_pool(http: Side) -> None:
    for path in (f"/{CHAIN_ID}/workerpools/{WORKER}", f"/1/workerpools/{POOL}", f"/{CHAIN_ID}/workerpools/x"):
        answer = await http.get(path)
        assert answer.status == 404
        assert "UNKNOWN_WORKERPOOL" in answer.json()["error"]
