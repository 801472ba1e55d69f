"""The task service: tasks, replicates, logs."""

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import grpc
import pytest
from patience import PATIENCE_S
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.model import Receipt, Replicate, Task, TaskChange
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.encoding.typed_data import LogChallenge, sign_challenge
from workerpool_poco.protocol.ids import task_id_of, to_hex
from workerpool_poco.protocol.statuses import TaskStatus
from workerpool_protocol.core.v1 import statuses_pb2 as statuses
from workerpool_protocol.core.v1 import task_service_pb2 as pb

NOW = 1_700_000_000.5
WORKER = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
MakeTask = Callable[..., Task]
MakeReplicate = Callable[..., Replicate]


async def write(api: Any, *writes: d.Write) -> None:
    api.commit.put(d.Outcome(list(writes), []))
    await api.commit.drained()


async def test_a_task_is_read_with_its_replicates(
    api: Any, make_task: MakeTask, make_replicate: MakeReplicate
) -> None:
    task = make_task(trust=3, requester=WORKER)
    await write(api, d.TaskCreated(task), d.ReplicateCreated(make_replicate(task)))
    found = (await api.tasks.GetTask(pb.GetTaskRequest(task_id=task.task_id))).task
    assert (found.task_id, found.trust, found.status) == (task.task_id, 3, statuses.TASK_STATUS_RECEIVED)
    assert found.final_deadline.seconds == int(NOW + 3000)
    assert not found.HasField("reveal_deadline")
    (replicate,) = found.replicates
    assert (replicate.wallet_address, replicate.worker_weight) == (WORKER, 2)
    assert not replicate.HasField("exit_code")
    same = await api.tasks.GetReplicate(
        pb.GetReplicateRequest(task_id=task.task_id, wallet_address=WORKER.lower())
    )
    assert same.replicate == replicate


async def test_a_task_tells_why_it_waits(api: Any, make_task: MakeTask) -> None:
    terms = replace(make_task(trust=1).terms, contribution_deadline=2e9, final_deadline=3e9)
    seen = e.BlockSeen(20, "0x20", 1e9, deals=(e.DealSeen(terms),))
    api.engine.submit(seen)
    task_id = task_id_of(terms.deal_id, terms.bot_first)
    log = e.TaskLog(e.TaskLogKind.INITIALIZE, task_id, Receipt(21, "0x1"))
    api.engine.submit(e.BlockSeen(21, "0x21", 1e9, logs=(log,)))
    await api.commit.drained()
    found = (await api.tasks.GetTask(pb.GetTaskRequest(task_id=task_id))).task
    assert found.waiting_reason == "No worker is connected. The task starts when one connects."


async def test_deal_dry_bag_a_queued_task_is_not_found_but_explained(api: Any, make_task: MakeTask) -> None:
    terms = replace(make_task().terms, bot_size=1_000_000, contribution_deadline=2e9, final_deadline=3e9)
    api.engine.submit(e.BlockSeen(20, "0x20", 1e9, deals=(e.DealSeen(terms),)))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await api.tasks.GetTask(pb.GetTaskRequest(task_id=task_id_of(terms.deal_id, 999_999)))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert "queued" in (refused.value.details() or "")


async def test_unknown_tasks_and_replicates_are_not_found(api: Any) -> None:
    nothing = "0x" + "00" * 32
    assert await api.refused(api.tasks.GetTask(pb.GetTaskRequest(task_id=nothing))) == (
        grpc.StatusCode.NOT_FOUND,
        "UNKNOWN_TASK",
    )
    request = pb.GetReplicateRequest(task_id=nothing, wallet_address=WORKER)
    assert await api.refused(api.tasks.GetReplicate(request)) == (
        grpc.StatusCode.NOT_FOUND,
        "UNKNOWN_REPLICATE",
    )


async def test_pages_of_tasks_cover_the_list_without_gap(api: Any, make_task: MakeTask) -> None:
    await write(api, *(d.TaskCreated(make_task(number)) for number in range(1, 8)))
    seen: list[int] = []
    token = ""
    while True:
        page = await api.tasks.ListTasks(pb.ListTasksRequest(page_size=3, page_token=token))
        seen += [task.deal_block for task in page.tasks]
        token = page.next_page_token
        if not token:
            break
    assert seen == [7, 6, 5, 4, 3, 2, 1]


async def test_a_page_is_limited_by_the_size_of_a_message(api: Any, make_task: MakeTask) -> None:
    long = "x" * 900_000
    await write(api, *(d.TaskCreated(make_task(number, command_line=long)) for number in range(1, 7)))
    seen: list[int] = []
    token = ""
    while not seen or token:
        page = await api.tasks.ListTasks(pb.ListTasksRequest(page_token=token))
        seen += [task.deal_block for task in page.tasks]
        token = page.next_page_token
    assert seen == [6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize("token", ["nonsense", base64.urlsafe_b64encode(rb'[1, "\ud800", 0]').decode()])
async def test_an_invented_page_token_is_refused(api: Any, token: str) -> None:
    request = pb.ListTasksRequest(page_token=token)
    assert await api.refused(api.tasks.ListTasks(request)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "BAD_PAGE_TOKEN",
    )


async def test_a_watcher_sees_the_end_of_a_task(api: Any, make_task: MakeTask) -> None:
    task = make_task()
    await write(api, d.TaskCreated(task))
    call = api.tasks.WatchTask(pb.WatchTaskRequest(task_id=task.task_id))
    first = await asyncio.wait_for(call.read(), PATIENCE_S)
    assert first.task.status == statuses.TASK_STATUS_RECEIVED
    changes = (TaskChange(TaskStatus.FINAL_DEADLINE_REACHED, NOW), TaskChange(TaskStatus.FAILED, NOW))
    changed = d.TaskChanged(task.task_id, TaskStatus.RECEIVED, changes)
    api.commit.put(d.Outcome([changed], [d.NotifyWatchers(task.task_id)]))
    last = await asyncio.wait_for(call.read(), PATIENCE_S)
    assert last.task.status == statuses.TASK_STATUS_FAILED
    assert await asyncio.wait_for(call.read(), PATIENCE_S) is grpc.aio.EOF  # type: ignore[attr-defined]


# --- logs ---------------------------------------------------------------------------------------


async def kept_logs(api: Any, make_task: MakeTask, requester: Wallet) -> Task:
    task = make_task(requester=requester.address)
    await write(api, d.TaskCreated(task), d.LogsStored(task.task_id, WORKER, "out", "err"))
    return task


async def signed(api: Any, task: Task, signer: Wallet, address: str = "") -> pb.GetTaskLogsRequest:
    asked = pb.CreateLogChallengeRequest(address=address or signer.address)
    data = json.loads((await api.tasks.CreateLogChallenge(asked)).typed_data_json)
    assert data["domain"]["name"] == "iExec Core"
    challenge = LogChallenge(data["message"]["challenge"], data["domain"]["chainId"])
    return pb.GetTaskLogsRequest(
        task_id=task.task_id,
        address=address or signer.address,
        signature=to_hex(sign_challenge(signer, challenge)),
    )


async def test_the_requester_reads_logs_with_a_single_use_challenge(
    api: Any, make_task: MakeTask, wallet: Wallet
) -> None:
    task = await kept_logs(api, make_task, wallet)
    request = await signed(api, task, wallet)
    (logs,) = (await api.tasks.GetTaskLogs(request)).compute_logs
    assert (logs.wallet_address, logs.stdout, logs.stderr) == (WORKER, "out", "err")
    assert (await api.refused(api.tasks.GetTaskLogs(request)))[1] == "BAD_CHALLENGE"


async def test_only_one_of_many_concurrent_replays_is_answered(
    api: Any, make_task: MakeTask, wallet: Wallet
) -> None:
    request = await signed(api, await kept_logs(api, make_task, wallet), wallet)
    tasks = api.tasks

    async def ask() -> bool:
        try:
            return bool((await tasks.GetTaskLogs(request)).compute_logs)
        except grpc.aio.AioRpcError:
            return False

    assert sum(await asyncio.gather(*(ask() for _ in range(20)))) == 1


async def test_several_challenges_of_a_requester_are_open_at_once(
    api: Any, make_task: MakeTask, wallet: Wallet
) -> None:
    task = await kept_logs(api, make_task, wallet)
    first, second = await signed(api, task, wallet), await signed(api, task, wallet)
    for request in (second, first):
        assert (await api.tasks.GetTaskLogs(request)).compute_logs
    for request in (second, first):
        assert (await api.refused(api.tasks.GetTaskLogs(request)))[1] == "BAD_CHALLENGE"


async def test_logs_left_out_of_an_answer_are_named_and_readable_alone(
    api: Any, make_task: MakeTask, wallet: Wallet
) -> None:
    task = make_task(requester=wallet.address)
    workers = sorted(Wallet.create().address for _ in range(6))
    long = "\N{DNA DOUBLE HELIX}" * 100_000
    await write(
        api, d.TaskCreated(task), *(d.LogsStored(task.task_id, worker, long, long) for worker in workers)
    )
    answer = await api.tasks.GetTaskLogs(await signed(api, task, wallet))
    told = [logs.wallet_address for logs in answer.compute_logs]
    assert told
    assert told + list(answer.left_out) == workers
    alone = await signed(api, task, wallet)
    alone.wallet_address = answer.left_out[-1]
    (logs,) = (await api.tasks.GetTaskLogs(alone)).compute_logs
    assert logs.stdout == long


async def test_logs_are_refused_to_other_callers(api: Any, make_task: MakeTask, wallet: Wallet) -> None:
    task = await kept_logs(api, make_task, wallet)
    stranger = Wallet.create()
    request = await signed(api, task, stranger)
    assert await api.refused(api.tasks.GetTaskLogs(request)) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "NOT_THE_REQUESTER",
    )
    forged = await signed(api, task, stranger, address=wallet.address)
    assert await api.refused(api.tasks.GetTaskLogs(forged)) == (
        grpc.StatusCode.UNAUTHENTICATED,
        "BAD_SIGNATURE",
    )
