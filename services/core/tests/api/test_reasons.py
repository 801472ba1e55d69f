"""Reasons over the API: of tasks, of workers, of the pool, and the refusals behind them."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from workerpool_core.domain import decisions as d
from workerpool_core.domain import events as e
from workerpool_core.domain.model import Modifier, Receipt, Replicate, ReplicateChange, Task, TaskChange
from workerpool_kit.dependencies.report import Dependency, DependencyProblem, DependencyReport
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import TaskId, task_id_of
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause, TaskStatus
from workerpool_protocol.core.v1 import pool_service_pb2 as pool
from workerpool_protocol.core.v1 import reason_pb2 as pb
from workerpool_protocol.core.v1 import statuses_pb2 as statuses
from workerpool_protocol.core.v1 import task_service_pb2 as tasks
from workerpool_protocol.core.v1 import worker_service_pb2 as worker

OPERATOR = {"basic": ("ops", "secret")}
WORKER = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
MakeTask = Callable[..., Task]
MakeReplicate = Callable[..., Replicate]


async def ready(api: Any, make_task: MakeTask, number: int = 1) -> TaskId:
    """Let the chain show a deal and its initialized task."""
    terms = replace(make_task(number).terms, contribution_deadline=2e9, final_deadline=3e9)
    task_id = task_id_of(terms.deal_id, terms.bot_first)
    api.engine.submit(e.BlockSeen(20, "0x20", 1e9, deals=(e.DealSeen(terms),)))
    log = e.TaskLog(e.TaskLogKind.INITIALIZE, task_id, Receipt(21, "0x1"))
    api.engine.submit(e.BlockSeen(21, "0x21", 1e9, logs=(log,)))
    await api.commit.drained()
    return task_id


async def explained(api: Any, task_id: TaskId) -> pb.Reason:
    reason: pb.Reason = (await api.tasks.ExplainTask(tasks.ExplainTaskRequest(task_id=task_id))).reason
    return reason


async def of_worker(api: Any, wallet: str) -> pool.ExplainWorkerResponse:
    request = pool.ExplainWorkerRequest(wallet_address=wallet)
    found: pool.ExplainWorkerResponse = await api.pool().ExplainWorker(request)
    return found


# --- tasks --------------------------------------------------------------------------------------


async def test_every_answer_about_a_task_has_the_same_reason(api: Any, make_task: MakeTask) -> None:
    task_id = await ready(api, make_task)
    reason = await explained(api, task_id)
    assert reason.code == pb.REASON_CODE_NO_WORKER_CONNECTED
    assert (reason.fault, reason.sentence) == (statuses.FAULT_POOL, "No worker is connected.")
    assert reason.next_step == "The task starts when one connects."
    assert [(each.key, each.value) for each in reason.evidence] == [("connected", "0")]
    got = (await api.tasks.GetTask(tasks.GetTaskRequest(task_id=task_id))).task
    (listed,) = (await api.tasks.ListTasks(tasks.ListTasksRequest())).tasks
    watched = await anext(aiter(api.tasks.WatchTask(tasks.WatchTaskRequest(task_id=task_id))))
    assert got.reason == listed.reason == watched.task.reason == reason


async def test_a_failed_task_of_a_list_is_explained_by_its_replicates(
    api: Any, make_task: MakeTask, make_replicate: MakeReplicate
) -> None:
    task = make_task(1)
    task.history += [TaskChange(s, 9.0) for s in (TaskStatus.CONTRIBUTION_TIMEOUT, TaskStatus.FAILED)]
    replicate = make_replicate(task)
    cause = ReplicateStatusCause.APP_COMPUTE_FAILED
    failure = ReplicateChange(
        ReplicateStatus.COMPUTED, 5.0, Modifier.WORKER, cause, message="It exits with 3."
    )
    replicate.history.append(failure)
    replicate.exit_code = 3
    api.commit.put(d.Outcome([d.TaskCreated(task), d.ReplicateCreated(replicate)], []))
    await api.commit.drained()
    (listed,) = (await api.tasks.ListTasks(tasks.ListTasksRequest())).tasks
    assert not listed.replicates
    assert listed.reason.code == pb.REASON_CODE_APP_FAILED
    assert listed.reason.cause == statuses.REPLICATE_STATUS_CAUSE_APP_COMPUTE_FAILED
    told = {each.key: each.value for each in listed.reason.evidence}
    assert told.items() >= {"exit_code": "3", "workers": WORKER, "attempts": "1"}.items()
    assert listed.reason == await explained(api, task.task_id)


async def test_a_completed_task_has_none(api: Any, make_task: MakeTask) -> None:
    task = make_task(status=TaskStatus.COMPLETED)
    api.commit.put(d.Outcome([d.TaskCreated(task)], []))
    await api.commit.drained()
    found = await api.tasks.ExplainTask(tasks.ExplainTaskRequest(task_id=task.task_id))
    assert (found.status, found.HasField("reason")) == (statuses.TASK_STATUS_COMPLETED, False)


async def test_a_service_that_is_down_explains_the_tasks_that_need_it(api: Any, make_task: MakeTask) -> None:
    terms = replace(make_task().terms, contribution_deadline=2e9, final_deadline=3e9)
    api.engine.submit(e.BlockSeen(20, "0x20", 1e9, deals=(e.DealSeen(terms),)))
    await api.commit.drained()
    dependency = Dependency("adapter", "IEXEC_CORE_CHAIN_ADAPTER_URL", "http://adapter:13010", "start it")
    report = DependencyReport(api.health, dependency)
    report.fails(DependencyProblem("the chain adapter refuses the credentials", kind="credentials"))
    reason = await explained(api, task_id_of(terms.deal_id, terms.bot_first))
    assert reason.code == pb.REASON_CODE_ADAPTER_REFUSES
    assert "refuses the credentials" in reason.sentence
    (first, *_) = (await api.pool().GetPoolStatus(pool.GetPoolStatusRequest())).problems
    assert first == reason


# --- workers ------------------------------------------------------------------------------------


async def test_an_idle_worker_tells_why_in_every_answer(api: Any, wallet: Wallet) -> None:
    await (await api.connect(wallet)).receive()
    found = await of_worker(api, wallet.address)
    assert (found.registered, found.reason.code) == (True, pb.REASON_CODE_NO_TASK_WAITS)
    got = await api.pool().GetWorker(pool.GetWorkerRequest(wallet_address=wallet.address))
    (listed,) = (await api.pool().ListWorkers(pool.ListWorkersRequest())).workers
    assert got.worker.reason == listed.reason == found.reason
    assert got.idle_reason == f"{found.reason.sentence} {found.reason.next_step}"


async def test_workers_are_listed_by_reason(api: Any) -> None:
    wallets = [Wallet.create() for _ in range(3)]
    for each in wallets:
        await (await api.connect(each)).receive()
    drained = wallets[1].address
    await api.pool(**OPERATOR).DrainWorker(pool.DrainWorkerRequest(wallet_address=drained))
    for codes, found in (
        ([pb.REASON_CODE_WORKER_DRAINED], {drained}),
        ([pb.REASON_CODE_WORKER_PARKED], set()),
        (
            [pb.REASON_CODE_WORKER_PARKED, pb.REASON_CODE_NO_TASK_WAITS],
            {w.address for w in wallets} - {drained},
        ),
    ):
        page = await api.pool().ListWorkers(pool.ListWorkersRequest(reasons=codes))
        assert {each.wallet_address for each in page.workers} == found


async def test_a_worker_that_was_never_heard_of_is_not_found(api: Any) -> None:
    call = api.pool().ExplainWorker(pool.ExplainWorkerRequest(wallet_address=WORKER))
    assert await api.refused(call) == (grpc.StatusCode.NOT_FOUND, "UNKNOWN_WORKER")


async def test_a_refused_login_is_remembered_and_explains_worker_and_task(
    api: Any, wallet: Wallet, make_task: MakeTask
) -> None:
    task_id = await ready(api, make_task)
    wrong = await api.signed_login(wallet, Wallet.create())
    for _ in range(2):
        assert (await api.refused(api.workers.Login(wrong)))[1] == "BAD_SIGNATURE"
    (refusal,) = (await api.pool(**OPERATOR).ListRefusals(pool.ListRefusalsRequest())).refusals
    assert (refusal.wallet_address, refusal.reason, refusal.count) == (wallet.address, "BAD_SIGNATURE", 2)
    assert refusal.peer.startswith("ipv4:127.0.0.1")
    found = await of_worker(api, wallet.address)
    assert (found.registered, found.reason.code) == (False, pb.REASON_CODE_WORKER_REFUSED)
    reason = await explained(api, task_id)
    assert reason.code == pb.REASON_CODE_WORKERS_REFUSED
    assert "127.0.0.1" not in str(reason) + str(found)
    await (await api.connect(wallet)).receive()
    assert not (await api.pool(**OPERATOR).ListRefusals(pool.ListRefusalsRequest())).refusals


@pytest.mark.parametrize(
    ("options", "hello", "reason"),
    [
        ({"whitelist": (WORKER,)}, {}, "NOT_WHITELISTED"),
        ({"required_version": "9"}, {}, "BAD_VERSION"),
        ({}, {"protocol": 99}, "BAD_PROTOCOL_VERSION"),
    ],
)
async def test_each_refusal_on_the_way_to_a_session_is_remembered(
    open_api: Any, wallet: Wallet, options: dict[str, Any], hello: dict[str, Any], reason: str
) -> None:
    api = await open_api(**options)
    if reason == "NOT_WHITELISTED":
        request = worker.CreateChallengeRequest(wallet_address=wallet.address)
        await api.refused(api.workers.CreateChallenge(request))
    else:
        stream = await api.connect(wallet, **hello)
        # The stream ends with a Shutdown, or with the status of the error.
        with contextlib.suppress(grpc.aio.AioRpcError):
            await stream.ended()
    (refusal,) = (await api.pool(**OPERATOR).ListRefusals(pool.ListRefusalsRequest())).refusals
    assert (refusal.wallet_address, refusal.reason) == (wallet.address, reason)
    assert refusal.message


async def test_refusals_of_one_wallet_are_listed(api: Any, wallet: Wallet) -> None:
    for each in (wallet, Wallet.create()):
        await api.refused(api.workers.Login(await api.signed_login(each, Wallet.create())))
    request = pool.ListRefusalsRequest(wallet_address=wallet.address.lower())
    found = (await api.pool(**OPERATOR).ListRefusals(request)).refusals
    assert [each.wallet_address for each in found] == [wallet.address]


# --- quarantine by an operator ------------------------------------------------------------------


async def test_an_operator_quarantines_and_releases_a_worker(open_api: Any, wallet: Wallet) -> None:
    api = await open_api()
    await (await api.connect(wallet)).receive()
    request = pool.QuarantineWorkerRequest(wallet_address=wallet.address, duration=Duration(seconds=600))
    ordered = (await api.pool(**OPERATOR).QuarantineWorker(request)).worker
    assert ordered.quarantined_until.seconds == int(api.clock.now() + 600)
    assert ordered.reason.code == pb.REASON_CODE_WORKER_QUARANTINED
    restarted = await open_api()
    assert restarted.engine.workers[wallet.address].worker.quarantine_end > restarted.clock.now()
    release = pool.ReleaseWorkerRequest(wallet_address=wallet.address)
    released = (await restarted.pool(**OPERATOR).ReleaseWorker(release)).worker
    assert not released.HasField("quarantined_until")


async def test_a_quarantine_without_end_lasts_until_released(api: Any, wallet: Wallet) -> None:
    await (await api.connect(wallet)).receive()
    request = pool.QuarantineWorkerRequest(wallet_address=wallet.address)
    await api.pool(**OPERATOR).QuarantineWorker(request)
    api.clock.advance(1e9)
    assert api.engine.workers[wallet.address].worker.quarantine_end == float("inf")


async def test_the_new_methods_for_operators_require_credentials(open_api: Any, wallet: Wallet) -> None:
    api = await open_api()

    def calls(stub: Any, task_stub: Any) -> list[Any]:
        return [
            stub.QuarantineWorker(pool.QuarantineWorkerRequest(wallet_address=wallet.address)),
            stub.ListRefusals(pool.ListRefusalsRequest()),
            task_stub.WatchTaskLogs(tasks.WatchTaskLogsRequest(task_id="0x" + "00" * 32)).read(),
        ]

    for call in calls(api.pool(), api.tasks):
        assert (await api.refused(call))[0] is grpc.StatusCode.UNAUTHENTICATED
    without = await open_api(operator=False)
    for call in calls(without.pool(), without.tasks):
        assert await without.refused(call) == (grpc.StatusCode.PERMISSION_DENIED, "OPERATOR_DISABLED")


# --- the pool -----------------------------------------------------------------------------------


async def test_the_status_of_the_pool_counts_workers_and_slots_and_names_problems(api: Any) -> None:
    status = await api.pool().GetPoolStatus(pool.GetPoolStatusRequest())
    assert [each.code for each in status.problems] == [pb.REASON_CODE_NO_WORKER_CONNECTED]
    wallets = [Wallet.create() for _ in range(2)]
    for each in wallets:
        await (await api.connect(each, slots=2)).receive()
    await api.pool(**OPERATOR).DrainWorker(pool.DrainWorkerRequest(wallet_address=wallets[0].address))
    api.clock.advance(1)
    status = await api.pool().GetPoolStatus(pool.GetPoolStatusRequest())
    assert (status.connected_workers, status.drained_workers, status.total_slots) == (2, 1, 4)
    assert (status.used_slots, status.waiting_tasks, list(status.problems)) == (0, 0, [])
    assert (status.version, status.owner) == ("0.1.0", api.core.running.configuration.scheduler)


# --- logs ---------------------------------------------------------------------------------------


async def test_an_operator_reads_the_logs_of_any_task(
    api: Any, make_task: MakeTask, make_replicate: MakeReplicate
) -> None:
    task = make_task(status=TaskStatus.COMPLETED)
    stored = d.LogsStored(task.task_id, WORKER, "one\ntwo\n", "oh\n")
    api.commit.put(d.Outcome([d.TaskCreated(task), d.ReplicateCreated(make_replicate(task)), stored], []))
    await api.commit.drained()
    stub = api.tasks_as(**OPERATOR)
    request = tasks.WatchTaskLogsRequest(task_id=task.task_id, follow=True, tail_lines=1)
    pieces = [piece async for piece in stub.WatchTaskLogs(request)]
    assert [(piece.wallet_address, piece.stream, piece.text) for piece in pieces] == [
        (WORKER, worker.LOG_STREAM_STDOUT, "two\n"),
        (WORKER, worker.LOG_STREAM_STDERR, "oh\n"),
    ]


async def test_the_logs_of_an_unknown_task_are_not_found(api: Any) -> None:
    call = api.tasks_as(**OPERATOR).WatchTaskLogs(tasks.WatchTaskLogsRequest(task_id="0x" + "00" * 32))
    assert await api.refused(call.read()) == (grpc.StatusCode.NOT_FOUND, "UNKNOWN_TASK")
