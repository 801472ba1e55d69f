"""The HTTP side in the documented forms, as the tools that exist read them."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from workerpool_core.api.http_side import routes
from workerpool_core.domain import decisions as d
from workerpool_core.domain.model import Replicate, Task
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.typed_data import LogChallenge, sign_challenge

WORKER = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"


@pytest.fixture
async def http(api: Any) -> AsyncIterator[httpx.AsyncClient]:
    side = HttpServer(
        0,
        health=Health(),
        version="1",
        routes=routes(api.core, open_actuator=lambda name: name != "prometheus"),
    )
    app: Starlette = side.app
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://core:13000") as client:
        yield client


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


async def test_a_task_has_the_documented_fields(http: httpx.AsyncClient, task: Task) -> None:
    answer = await http.get(f"/tasks/{task.task_id.upper().replace('X', 'x')}")
    assert answer.headers["content-type"].startswith("application/json")
    model = answer.json()
    assert (model["chainTaskId"], model["currentStatus"], model["dappType"]) == (
        task.task_id,
        "RECEIVED",
        "DOCKER",
    )
    assert model["maxExecutionTime"] == 300_000
    assert model["dateStatusList"] == [{"date": "2023-11-14T22:13:20.500Z", "status": "RECEIVED"}]
    (replicate,) = model["replicates"]
    assert (replicate["walletAddress"], replicate["appExitCode"]) == (WORKER, 0)
    assert replicate["appLogs"] == f"http://core:13000/tasks/{task.task_id}/replicates/{WORKER}/logs"
    assert "resultLink" not in replicate
    same = await http.get(f"/tasks/{task.task_id}/replicates/{WORKER.lower()}")
    assert same.json() == replicate


async def test_unknown_things_are_404(http: httpx.AsyncClient, task: Task) -> None:
    assert (await http.get("/tasks/0x00")).status_code == 404
    assert (await http.get(f"/tasks/{task.task_id}/replicates/{'0x' + '11' * 20}")).status_code == 404
    assert (await http.get("/actuator/prometheus")).status_code == 404


async def test_the_platform_metric_has_its_newer_and_older_names(http: httpx.AsyncClient) -> None:
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


async def authorization(http: httpx.AsyncClient, wallet: Wallet, address: str = "") -> dict[str, str]:
    asked = address or wallet.address
    data = (
        await http.get("/tasks/logs/challenge", params={"chainId": 65535, "address": asked.lower()})
    ).json()
    challenge = LogChallenge(data["message"]["challenge"], data["domain"]["chainId"])
    signature = to_hex(sign_challenge(wallet, challenge))
    return {"Authorization": f"{to_hex(challenge.hash)}_{signature}_{asked}"}


async def test_s48_the_requester_reads_logs_with_the_documented_header(
    http: httpx.AsyncClient, task: Task, wallet: Wallet
) -> None:
    answer = await http.get(f"/tasks/{task.task_id}/logs", headers=await authorization(http, wallet))
    one = {"walletAddress": WORKER, "stdout": "out", "stderr": "err"}
    assert answer.json() == {"chainTaskId": task.task_id, "computeLogsList": [one]}
    alone = await http.get(
        f"/tasks/{task.task_id}/replicates/{WORKER}/logs", headers=await authorization(http, wallet)
    )
    assert alone.json() == one


async def test_s48_everybody_else_is_refused(http: httpx.AsyncClient, task: Task, wallet: Wallet) -> None:
    path, stranger = f"/tasks/{task.task_id}/logs", Wallet.create()
    assert (await http.get(path)).status_code == 401
    assert (await http.get(path, headers={"Authorization": "a_b_c"})).status_code == 401
    assert (await http.get(path, headers=await authorization(http, stranger))).status_code == 403
    forged = await authorization(http, stranger, address=wallet.address)
    assert (await http.get(path, headers=forged)).status_code == 401
    unknown = f"/tasks/0x{'00' * 32}/logs"
    assert (await http.get(unknown, headers=await authorization(http, wallet))).status_code == 404


@pytest.mark.parametrize("given", ["", "0x12", "worker", f"{WORKER} ", WORKER[2:], "0x" + "11 " * 20])
async def test_a_challenge_wants_an_address_to_the_letter(http: httpx.AsyncClient, given: str) -> None:
    answer = await http.get("/tasks/logs/challenge", params={"address": given})
    assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_ARGUMENT")


async def test_an_address_with_gaps_opens_no_logs(
    http: httpx.AsyncClient, task: Task, wallet: Wallet
) -> None:
    headers = await authorization(http, wallet)
    proof, _, address = headers["Authorization"].rpartition("_")
    spaced = {"Authorization": f"{proof}_{address[:4]} {address[4:]}"}
    assert (await http.get(f"/tasks/{task.task_id}/logs", headers=spaced)).status_code == 401


async def test_a_deadline_past_all_calendars_is_the_last_of_days(
    http: httpx.AsyncClient, api: Any, make_task: Callable[..., Task]
) -> None:
    task = make_task(2, final_deadline=1e30)
    api.commit.put(d.Outcome([d.TaskCreated(task)], []))
    await api.commit.drained()
    answer = await http.get(f"/tasks/{task.task_id}")
    assert answer.json()["finalDeadline"].startswith("9999-12-31T23:59:59")
