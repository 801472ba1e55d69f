"""What a requester reads of tasks that wait or fail: the iExec CLI prints both histories as they come."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import http_calls
import pytest
import pytest_asyncio
from contract.assigned_tasks import TO_COMPUTING, UNKNOWN
from contract.pool import Pool
from contract.worker_stream import WorkerStream
from patience import PATIENCE_S
from workerpool_devnet.market.deployment import CATEGORIES
from workerpool_devnet.market.trading import Purchase
from workerpool_poco.chain.hub import HubClient
from workerpool_poco.protocol.ids import TaskId, bytes32
from workerpool_poco.protocol.statuses import ChainTaskStatus
from workerpool_protocol.core.v1 import statuses_pb2 as statuses
from workerpool_protocol.core.v1.statuses_pb2 import ReplicateStatus as R

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

TDX = bytes32("0x" + "9".zfill(64))


def base(pool: Pool) -> str:
    return str(pool.net.services["core"].http)


async def seen(pool: Pool, task: str, is_there: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the HTTP document of a task as soon as a condition holds."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer = await http_calls.get(f"{base(pool)}/tasks/{task}")
            if answer.status == 200 and is_there(found := dict(answer.json())):
                return found
            await asyncio.sleep(0.05)


async def buy(pool: Pool, *, tag: bytes = bytes(32), trust: int = 1) -> str:
    """Buy one task of an app that never runs."""
    net = pool.net
    purchase = Purchase(
        requester=net.accounts["requester"],
        app=await pool.app(),
        app_owner=net.accounts["requester"],
        workerpool=net.workerpool,
        pool_owner=net.accounts["poolOwner"],
        category=list(CATEGORIES).index("DEV-60S"),
        trust=trust,
        tag=tag,
        app_price=1,
    )
    (deal,) = await asyncio.to_thread(net.market.buy, purchase)
    (task,) = deal.task_ids
    return task


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worker(pool: Pool) -> WorkerStream:
    return await pool.connect(pool.net.worker_wallets[0])


# --- enclave tasks --------------------------------------------------------------------------------


async def test_a_task_that_no_sms_serves_ends_within_seconds_and_costs_no_transaction(pool: Pool) -> None:
    task = await buy(pool, tag=TDX)
    found = await seen(pool, task, lambda document: document["currentStatus"] == "FAILED")
    assert [change["status"] for change in found["dateStatusList"]] == [
        "RECEIVED",
        "INITIALIZE_FAILED",
        "FAILED",
    ]
    for entry in found["dateStatusList"][1:]:
        assert "no SMS serves TDX in the default stack" in entry["message"]
        assert (entry["cause"], entry["fault"]) == ("UNKNOWN_SMS", "pool")
        assert f"iexec task claim {task}" in entry["next"]
        assert "the pool claims the task by itself after 20" in entry["next"]
    known = await pool.task(task)
    assert known.contribution_deadline.seconds > time.time(), "it failed at its deadline only"
    assert known.error_cause == statuses.REPLICATE_STATUS_CAUSE_UNKNOWN_SMS
    assert known.history[-1].fault == statuses.FAULT_POOL
    assert "no SMS serves TDX" in known.history[-1].message

    async with HubClient(pool.net.chain.url, pool.net.contracts.hub) as hub:
        (on_chain,) = await hub.view_tasks([TaskId(task)])
    assert on_chain.status is ChainTaskStatus.UNSET
    adapter = pool.net.services["chain_adapter"].http
    command = await http_calls.get(
        f"{adapter}/v1/tasks/initialize/{task}/status", credentials=pool.adapter_credentials()
    )
    assert command.status == 404


# --- waiting tasks --------------------------------------------------------------------------------


async def test_a_task_with_an_unreachable_trust_says_so_immediately(pool: Pool, worker: WorkerStream) -> None:
    task = await buy(pool, trust=9)
    found = await seen(pool, task, lambda document: "waitingReason" in document)
    last = found["dateStatusList"][-1]
    assert last["message"].startswith(
        "No set of the pool's workers can satisfy the task: trust 9 needs up to"
    )
    assert (last["fault"], last["next"]) == ("pool", "It waits for more workers.")
    assert found["waitingReason"] == f"{last['message']} {last['next']}"


# --- failing replicates ---------------------------------------------------------------------------


async def test_a_failing_app_is_reported_with_its_exit_code_and_next_step(
    pool: Pool, worker: WorkerStream
) -> None:
    task = await buy(pool)
    await worker.until(lambda: any(one.authorization.task_id == task for one in worker.assignments()))
    before = await seen(pool, task, lambda document: bool(document["replicates"]))
    created = before["replicates"][0]["statusUpdateList"][-1]
    assert (created["status"], created["fault"]) == ("CREATED", "worker")
    for step in TO_COMPUTING:
        await worker.answer(task, step)
    await worker.answer(
        task,
        R.REPLICATE_STATUS_COMPUTED,
        exit_code=3,
        cause=statuses.REPLICATE_STATUS_CAUSE_APP_COMPUTE_FAILED,
        error_message="The app ended with exit code 3.",
    )
    found = await seen(pool, task, lambda document: "appExitCode" in document["replicates"][0])
    computed = next(
        entry for entry in found["replicates"][0]["statusUpdateList"] if entry["status"] == "COMPUTED"
    )
    assert {key: computed[key] for key in ("cause", "exitCode", "message", "fault")} == {
        "cause": "APP_COMPUTE_FAILED",
        "exitCode": 3,
        "message": "The app ended with exit code 3.",
        "fault": "app",
    }
    assert f"iexec task debug {task} --logs" in computed["next"]
    path = f"/tasks/{task}/replicates/{found['replicates'][0]['walletAddress']}"
    assert (await http_calls.get(base(pool) + path)).json()["statusUpdateList"][-1]["fault"] == "app"


# --- the compass ----------------------------------------------------------------------------------


async def test_the_compass_names_core_for_this_pool_only(pool: Pool) -> None:
    chain, address = pool.net.chain.chain_id, str(pool.net.workerpool)
    for spelled in (address, address.lower()):
        answer = await http_calls.get(f"{base(pool)}/{chain}/workerpools/{spelled}")
        assert (answer.status, answer.json()) == (200, {"apiUrl": base(pool)})
    for path in (f"/{chain}/workerpools/0x{'11' * 20}", f"/1/workerpools/{address}"):
        answer = await http_calls.get(base(pool) + path)
        assert answer.status == 404
        assert address in str(answer.json())


async def test_an_unknown_task_is_answered_with_a_sentence(pool: Pool) -> None:
    answer = await http_calls.get(f"{base(pool)}/tasks/{UNKNOWN}")
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/json"
