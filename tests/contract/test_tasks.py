"""Reads of requesters: tasks, replicates and logs, through gRPC and the documented HTTP endpoints."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import grpc
import http_calls
import pytest
import pytest_asyncio
from contract.assigned_tasks import TO_COMPUTING, UNKNOWN
from contract.pool import Pool
from contract.worker_stream import WorkerStream
from grpc import StatusCode
from patience import PATIENCE_S
from workerpool_kit.grpc.client import error_reason
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.encoding.typed_data import LogChallenge, sign_challenge
from workerpool_poco.protocol.ids import to_hex
from workerpool_protocol.core.v1 import pool_service_pb2
from workerpool_protocol.core.v1 import task_service_pb2 as pb
from workerpool_protocol.core.v1.statuses_pb2 import ReplicateStatus as R
from workerpool_protocol.core.v1.statuses_pb2 import TaskStatus as T

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

NOT_FOUND, INVALID, UNAUTHENTICATED, DENIED = (
    StatusCode.NOT_FOUND,
    StatusCode.INVALID_ARGUMENT,
    StatusCode.UNAUTHENTICATED,
    StatusCode.PERMISSION_DENIED,
)


async def answer(call: Any) -> tuple[StatusCode, str | None]:
    """Return the status and the reason of a call."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code(), error_reason(error)
    return StatusCode.OK, None


class Scene:
    """Tasks of two requesters: one computed, the others assigned, one watched until its end."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self.worker = pool.net.worker_wallets[0]
        self.requester, self.spare = pool.net.accounts["requester"], pool.net.accounts["spare"]
        self.ours: list[str] = []
        self.theirs: list[str] = []
        self.computed = ""
        self.watched: asyncio.Task[list[Any]]

    @property
    def base(self) -> str:
        """URL of the HTTP port of core."""
        return str(self.pool.net.services["core"].http)

    async def get(self, path: str, **options: Any) -> http_calls.HttpAnswer:
        """Send a GET request to the HTTP port of core."""
        return await http_calls.get(self.base + path, **options)

    async def header(self, reader: Wallet, **changes: str) -> dict[str, str]:
        """Return the authorization header of requester tools."""
        data = (await self.get(f"/tasks/logs/challenge?chainId=1&address={reader.address}")).json()
        challenge = LogChallenge(data["message"]["challenge"], data["domain"]["chainId"])
        parts = {
            "hash": to_hex(challenge.hash),
            "signature": to_hex(sign_challenge(reader, challenge)),
            "address": reader.address,
        } | changes
        return {"Authorization": f"{parts['hash']}_{parts['signature']}_{parts['address']}"}

    async def watch(self, task: str) -> list[Any]:
        """Follow a task until the scheduler ends the stream."""
        return [
            m.task async for m in self.pool.tasks.WatchTask(pb.WatchTaskRequest(task_id=task), timeout=60)
        ]


async def keep_alive(stream: WorkerStream) -> None:
    """Send heartbeats as a worker does: a slow module outlasts the 60 s after which a silent worker is lost."""
    while True:
        await stream.send(heartbeat={"free_slots": 53})
        await asyncio.sleep(10)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(pool: Pool) -> AsyncIterator[Scene]:
    found = Scene(pool)
    stream = await pool.connect(found.worker)
    found.ours = await pool.buy(volume=7)
    found.theirs = await pool.buy(volume=3, requester=found.spare)
    (short,) = await pool.buy(category="DEV-2S")
    await stream.until(lambda: len(stream.assignments()) == 11)
    found.watched = asyncio.create_task(found.watch(short))
    found.computed = found.ours[0]
    for task in (found.computed, short):
        for step in TO_COMPUTING:
            await stream.answer(task, step)
    await stream.answer(
        found.computed, R.REPLICATE_STATUS_COMPUTED, stdout="said\n", stderr="wrong\n", exit_code=4
    )
    heartbeats = asyncio.create_task(keep_alive(stream))
    yield found
    heartbeats.cancel()


# --- logs -------------------------------------------------------------------------------------------


async def logs(pool: Pool, task: str, address: str, signature: str) -> tuple[StatusCode, str | None]:
    request = pb.GetTaskLogsRequest(task_id=task, address=address, signature=signature)
    return await answer(pool.tasks.GetTaskLogs(request))


async def test_the_requester_reads_logs_with_a_signature(scene: Scene) -> None:
    (kept,) = await scene.pool.logs(scene.computed)
    assert (kept.wallet_address, kept.stdout, kept.stderr) == (scene.worker.address, "said\n", "wrong\n")
    assert await scene.pool.logs(scene.computed, worker=scene.worker.address.lower()) == [kept]
    assert await scene.pool.logs(scene.computed, worker=scene.spare.address) == []
    assert await scene.pool.logs(scene.ours[1]) == []


async def test_other_wallets_cannot_read_the_logs(scene: Scene) -> None:
    pool, owner = scene.pool, scene.pool.net.accounts["poolOwner"]
    for other in (scene.spare, owner, scene.worker, Wallet.create()):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await pool.logs(scene.computed, other)
        assert (refused.value.code(), error_reason(refused.value)) == (DENIED, "NOT_THE_REQUESTER")
    # The requester of one task cannot read the logs of another requester.
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await pool.logs(scene.theirs[0])
    assert error_reason(refused.value) == "NOT_THE_REQUESTER"


async def test_log_signatures_of_other_keys_are_refused(scene: Scene) -> None:
    pool, requester, thief = scene.pool, scene.requester, Wallet.create()
    challenge = await pool.log_challenge(requester)
    another_chain = LogChallenge(challenge.challenge, 1)
    thiefs_own = await pool.log_challenge(thief)
    signatures = {
        "of a thief": sign_challenge(thief, challenge),
        "of another chain": sign_challenge(requester, another_chain),
        "of another's challenge": sign_challenge(requester, thiefs_own),
        "of nothing": bytes(65),
    }
    for which, signature in signatures.items():
        refused = await logs(pool, scene.computed, requester.address, to_hex(signature))
        assert refused == (UNAUTHENTICATED, "BAD_SIGNATURE"), which
    # The challenge is still valid for its wallet.
    assert await logs(
        pool, scene.computed, requester.address, to_hex(sign_challenge(requester, challenge))
    ) == (StatusCode.OK, None)


async def test_a_log_challenge_is_accepted_once(scene: Scene) -> None:
    signature = to_hex(sign_challenge(scene.requester, await scene.pool.log_challenge(scene.requester)))
    first = await logs(scene.pool, scene.computed, scene.requester.address, signature)
    assert first == (StatusCode.OK, None)
    again = await logs(scene.pool, scene.computed, scene.requester.address, signature)
    assert again == (UNAUTHENTICATED, "BAD_CHALLENGE")


async def test_logs_of_unknown_tasks_and_malformed_requests_are_refused(scene: Scene) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await scene.pool.logs(UNKNOWN)
    assert (refused.value.code(), error_reason(refused.value)) == (NOT_FOUND, "UNKNOWN_TASK")
    address, signature = scene.requester.address, "0x" + "11" * 65
    for request in (("0x12", address, signature), (UNKNOWN, "me", signature), (UNKNOWN, address, "0x")):
        assert await logs(scene.pool, *request) == (INVALID, "INVALID_ARGUMENT")


# --- tasks ------------------------------------------------------------------------------------------


async def test_a_task_is_returned_with_its_replicate(scene: Scene) -> None:
    task = await scene.pool.task(scene.computed)
    assert task.status == T.TASK_STATUS_RUNNING
    assert task.requester == scene.requester.address
    (replicate,) = task.replicates
    assert (replicate.status, replicate.exit_code) == (R.REPLICATE_STATUS_COMPUTED, 4)
    request = pb.GetReplicateRequest(task_id=scene.computed, wallet_address=scene.worker.address.lower())
    assert (await scene.pool.tasks.GetReplicate(request)).replicate == replicate
    stranger = pb.GetReplicateRequest(task_id=scene.computed, wallet_address=scene.spare.address)
    assert await answer(scene.pool.tasks.GetReplicate(stranger)) == (NOT_FOUND, "UNKNOWN_REPLICATE")
    upper = pb.GetTaskRequest(task_id=scene.computed.upper())
    assert await answer(scene.pool.tasks.GetTask(upper)) == (INVALID, "INVALID_ARGUMENT")


async def listed(scene: Scene, **conditions: Any) -> set[str]:
    page = await scene.pool.tasks.ListTasks(pb.ListTasksRequest(page_size=500, **conditions))
    assert page.next_page_token == ""
    assert all(not task.replicates for task in page.tasks)
    return {task.task_id for task in page.tasks}


async def test_pages_hold_every_task_once_newest_deal_first(scene: Scene) -> None:
    seen, token, sizes = [], "", []
    while True:
        page = await scene.pool.tasks.ListTasks(pb.ListTasksRequest(page_size=4, page_token=token))
        seen += page.tasks
        sizes.append(len(page.tasks))
        token = page.next_page_token
        if not token:
            break
    assert sizes == [4, 4, 3]
    assert len({task.task_id for task in seen}) == 11
    blocks = [task.deal_block for task in seen]
    assert blocks == sorted(blocks, reverse=True)
    assert [task.task_id for task in seen[-7:]] == scene.ours


async def test_filters_select_tasks(scene: Scene) -> None:
    deal = (await scene.pool.task(scene.ours[0])).deal_id
    assert await listed(scene, deal_id=deal) == set(scene.ours)
    assert await listed(scene, deal_id=UNKNOWN) == set()
    assert await listed(scene, requester=scene.spare.address.lower()) == set(scene.theirs)
    assert await listed(scene, wallet_address=scene.worker.address.lower()) >= set(scene.ours + scene.theirs)
    assert await listed(scene, wallet_address=scene.spare.address) == set()
    assert await listed(scene, deal_id=deal, requester=scene.spare.address) == set()
    assert await listed(scene, deal_id=deal, statuses=[T.TASK_STATUS_RUNNING]) == {scene.computed}
    assert await listed(scene, deal_id=deal, statuses=[T.TASK_STATUS_INITIALIZED]) == set(scene.ours[1:])
    assert await listed(scene, deal_id=deal, statuses=[T.TASK_STATUS_COMPLETED]) == set()
    both = [T.TASK_STATUS_INITIALIZED, T.TASK_STATUS_RUNNING]
    assert await listed(scene, deal_id=deal, statuses=both) == set(scene.ours)


def encoded(*position: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


@pytest.mark.parametrize(
    "token",
    [
        "rubbish",
        "é",
        "!!!!",
        encoded(1),
        encoded("a", "b", "c"),
        encoded(None, None, None),
        encoded(float("inf"), UNKNOWN, 0),
        encoded(float("nan"), UNKNOWN, 0),
        encoded(2**200, UNKNOWN, 0),
        encoded(1, UNKNOWN, 2**64),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        base64.urlsafe_b64encode(b"[" * 180).decode(),
        encoded(1.5, UNKNOWN, 0),
        encoded(True, UNKNOWN, 0),
        encoded(1, {"$gt": ""}, 0),
    ],
    ids=["rubbish", "é", "no base64", "short", "words", "nulls", "infinite", "no number", "2^200", "2^64",
         "not UTF-8", "deep", "fraction", "truth", "operator"],
)  # fmt: skip
async def test_invalid_page_tokens_are_refused(scene: Scene, token: str) -> None:
    refused = await answer(scene.pool.tasks.ListTasks(pb.ListTasksRequest(page_token=token)))
    assert refused == (INVALID, "BAD_PAGE_TOKEN")


@pytest.mark.parametrize(
    "conditions",
    [
        {"page_size": 501},
        {"page_token": "x" * 257},
        {"statuses": [22]},
        {"statuses": [5] * 22},
        {"deal_id": "0x12"},
        {"requester": "0x12"},
        {"wallet_address": "worker"},
    ],
    ids=lambda conditions: next(iter(conditions)),
)
async def test_malformed_reads_are_refused(scene: Scene, conditions: dict[str, Any]) -> None:
    refused = await answer(scene.pool.tasks.ListTasks(pb.ListTasksRequest(**conditions)))
    assert refused == (INVALID, "INVALID_ARGUMENT")


# --- HTTP -------------------------------------------------------------------------------------------


async def test_http_task_has_the_documented_fields(scene: Scene) -> None:
    found = await scene.get(f"/tasks/{scene.computed}")
    assert found.headers["content-type"] == "application/json"
    task = found.json()
    assert (task["chainTaskId"], task["currentStatus"]) == (scene.computed, "RUNNING")
    assert [change["status"] for change in task["dateStatusList"]] == [
        "RECEIVED",
        "INITIALIZING",
        "INITIALIZED",
        "RUNNING",
    ]
    assert set(task) == {
        "chainTaskId", "replicates", "maxExecutionTime", "tag", "dappType", "dappName", "commandLine",
        "initializationBlockNumber", "currentStatus", "trust", "uploadingWorkerWalletAddress", "consensus",
        "contributionDeadline", "revealDeadline", "finalDeadline", "resultLink", "chainCallbackData",
        "dateStatusList", "reason",
    }  # fmt: skip
    (replicate,) = task["replicates"]
    assert (replicate["walletAddress"], replicate["currentStatus"]) == (scene.worker.address, "COMPUTED")
    assert replicate["appExitCode"] == 4
    assert (await scene.get(replicate["self"].removeprefix(scene.base))).json() == replicate
    unknown = await scene.get(f"/tasks/{UNKNOWN}")
    assert (unknown.status, unknown.json()["code"]) == (404, "UNKNOWN_TASK")


async def test_http_logs_are_for_the_requester_only(scene: Scene) -> None:
    path = f"/tasks/{scene.computed}/logs"
    kept = {"walletAddress": scene.worker.address, "stdout": "said\n", "stderr": "wrong\n"}
    answer = await scene.get(path, headers=await scene.header(scene.requester))
    assert (answer.status, answer.json()) == (
        200,
        {"chainTaskId": scene.computed, "computeLogsList": [kept]},
    )
    replicate = f"/tasks/{scene.computed}/replicates/{scene.worker.address}/logs"
    answer = await scene.get(replicate, headers=await scene.header(scene.requester))
    assert (answer.status, answer.json()) == (200, kept)

    thief = Wallet.create()
    refused = {
        "nothing": ({}, 401, "BAD_CHALLENGE"),
        "no parts": ({"Authorization": "Bearer x"}, 401, "BAD_CHALLENGE"),
        "no address": ({"Authorization": "0x12_0x12_me"}, 401, "BAD_CHALLENGE"),
        "another hash": (await scene.header(scene.requester, hash=UNKNOWN), 401, "BAD_CHALLENGE"),
        "no signature": (await scene.header(scene.requester, signature="0x"), 401, "BAD_SIGNATURE"),
        "no hexadecimal": (await scene.header(scene.requester, signature="zz"), 401, "BAD_SIGNATURE"),
        "a thief's key": (
            await scene.header(
                scene.requester,
                signature=to_hex(sign_challenge(thief, await scene.pool.log_challenge(scene.requester))),
            ),
            401,
            "BAD_SIGNATURE",
        ),
        "another person": (await scene.header(scene.spare), 403, "NOT_THE_REQUESTER"),
    }
    for what, (headers, status, reason) in refused.items():
        answer = await scene.get(path, headers=headers)
        assert (answer.status, answer.json()["code"]) == (status, reason), what
    missing = await scene.get(f"/tasks/{UNKNOWN}/logs", headers=await scene.header(scene.requester))
    assert (missing.status, missing.json()["code"]) == (404, "UNKNOWN_TASK")


async def test_http_log_challenge_is_the_documented_typed_data(scene: Scene) -> None:
    answer = await scene.get(f"/tasks/logs/challenge?address={scene.requester.address}")
    data = answer.json()
    assert data["primaryType"] == "Challenge"
    assert data["types"]["Challenge"] == [{"name": "challenge", "type": "string"}]
    assert data["domain"] == {"name": "iExec Core", "version": "1", "chainId": scene.pool.net.chain.chain_id}
    lower = await scene.header(scene.requester, address=scene.requester.address.lower())
    assert (await scene.get(f"/tasks/{scene.computed}/logs", headers=lower)).status == 200


async def test_http_metrics_health_and_version_have_the_documented_fields(scene: Scene) -> None:
    async with asyncio.timeout(PATIENCE_S):
        # The summary may be one second old, from before the worker connected.
        while (metrics := (await scene.get("/metrics")).json())["aliveWorkers"] == 0:
            await asyncio.sleep(0.1)
    assert (metrics["aliveWorkers"], metrics["aliveRegisteredCpu"]) == (1, 64)
    assert sum(metrics["currentTaskStatusesCount"].values()) == 11
    assert metrics["latestBlockMetric"]["blockNumber"] > 0
    assert metrics["dealsCount"] == 3
    assert {"dealEventsCount", "replayDealsCount", "latestBlockNumberWithDeal", "aliveComputingGpu",
            "aliveAvailableCpu", "aliveTotalCpu", "aliveAvailableGpu", "aliveTotalGpu"} <= set(metrics)  # fmt: skip
    health = await scene.get("/actuator/health")
    assert (health.status, health.json()["status"]) == (200, "UP")
    assert (version := await scene.get("/version")).headers["content-type"].startswith("text/plain")
    assert version.text == (await scene.get("/actuator/info")).json()["build"]["version"]


# --- operators and watching ---------------------------------------------------------------------------------------


async def test_operator_methods_are_refused_without_operator_credentials(scene: Scene) -> None:
    wallet = scene.worker.address
    operators = scene.pool.operators
    for call in (
        operators.DrainWorker(pool_service_pb2.DrainWorkerRequest(wallet_address=wallet)),
        operators.UndrainWorker(pool_service_pb2.UndrainWorkerRequest(wallet_address=wallet)),
        operators.ReleaseWorker(pool_service_pb2.ReleaseWorkerRequest(wallet_address=wallet)),
    ):
        assert await answer(call) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")
    (worker,) = (await operators.ListWorkers(pool_service_pb2.ListWorkersRequest())).workers
    assert not worker.HasField("drained_until")


async def test_a_task_is_followed_to_its_end(scene: Scene) -> None:
    """The watched task fails at its contribution deadline, 14 s after its purchase."""
    states = await asyncio.wait_for(scene.watched, PATIENCE_S)
    lengths = [len(s.history) + sum(len(r.history) for r in s.replicates) for s in states]
    assert lengths == sorted(lengths)
    assert len(states) > 2
    assert states[-1].status == T.TASK_STATUS_FAILED
    assert T.TASK_STATUS_CONTRIBUTION_TIMEOUT in {change.status for change in states[-1].history}
    # The stream of an ended task holds one message.
    (last,) = await asyncio.wait_for(scene.watch(states[-1].task_id), PATIENCE_S)
    assert last.history == states[-1].history
