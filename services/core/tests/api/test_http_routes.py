"""The documented HTTP routes, in the form that iExec tools read."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import http_calls
import pytest
from workerpool_core.api.http_routes import routes
from workerpool_core.domain import decisions as d
from workerpool_core.domain.model import Replicate, Task
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.typed_data import LogChallenge, sign_challenge

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
    assert model["dateStatusList"] == [{"date": "2023-11-14T22:13:20.500Z", "status": "RECEIVED"}]
    (replicate,) = model["replicates"]
    assert (replicate["walletAddress"], replicate["appExitCode"]) == (WORKER, 0)
    assert replicate["appLogs"] == f"{http.url}/tasks/{task.task_id}/replicates/{WORKER}/logs"
    assert "resultLink" not in replicate
    same = await http.get(f"/tasks/{task.task_id}/replicates/{WORKER.lower()}")
    assert same.json() == replicate


async def test_unknown_resources_are_not_found(http: Side, task: Task) -> None:
    assert (await http.get("/tasks/0x00")).status == 404
    assert (await http.get(f"/tasks/{task.task_id}/replicates/{'0x' + '11' * 20}")).status == 404
    assert (await http.get("/actuator/prometheus")).status == 404


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
    assert (answer.status, answer.json()["error"]) == (400, "INVALID_ARGUMENT")


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
