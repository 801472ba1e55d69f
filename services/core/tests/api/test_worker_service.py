"""The stream of a worker. A message that is not allowed ends it with status and reason, and changes nothing."""

from dataclasses import replace
from typing import Any

import grpc
import pytest
from workerpool_core.api import worker_service
from workerpool_core.app.ports import ComputeLogs
from workerpool_core.app.workers.configuration_push import ConfigurationPush
from workerpool_core.domain.events import BlockSeen, DealSeen, TaskLog, TaskLogKind
from workerpool_core.domain.model import Receipt
from workerpool_kit.mongo.database import Database
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization, recover_signer
from workerpool_poco.protocol.ids import from_hex
from workerpool_protocol.core.v1 import statuses_pb2 as statuses
from workerpool_protocol.core.v1 import worker_service_pb2 as pb


def ready_task(api: Any, make_task: Any) -> str:
    """Submit a deal of one task, then its initialization."""
    api.engine.submit(BlockSeen(1, "0x01", 0.0, (DealSeen(make_task().terms),)))
    (task_id,) = api.engine.tasks
    initialized = TaskLog(TaskLogKind.INITIALIZE, task_id, Receipt(2, "0x" + "22" * 32))
    api.engine.submit(BlockSeen(2, "0x02", 0.0, (), (initialized,)))
    return str(task_id)


async def test_a_signed_challenge_opens_a_stream(api: Any, wallet: Wallet) -> None:
    stream = await api.connect(wallet)
    welcome = (await stream.receive()).welcome
    assert welcome.session_id
    assert welcome.heartbeat_period.seconds == 10
    assert welcome.configuration.result_proxy_url == "http://proxy:13200"
    assert api.engine.workers[wallet.address].session.id == welcome.session_id


async def test_the_configuration_needs_no_login(api: Any) -> None:
    configuration = (await api.workers.GetConfig(pb.GetConfigRequest())).configuration
    assert configuration.workerpool == "0x365E7BABAa85eC61Dffe5b520763062e6C29dA27"


async def test_a_token_of_a_wallet_off_the_whitelist_is_refused(open_api: Any, wallet: Wallet) -> None:
    token = await (await open_api()).login(wallet)
    api = await open_api(whitelist=(Wallet.create().address,))
    stream = await api.open(token)
    await stream.send(hello=api.hello())
    assert await api.refused(stream.call.read()) == (grpc.StatusCode.PERMISSION_DENIED, "NOT_WHITELISTED")


async def test_a_token_survives_a_restart_of_core(open_api: Any, wallet: Wallet) -> None:
    token = await (await open_api()).login(wallet)
    restarted = await open_api()
    stream = await restarted.open(token)
    await stream.send(hello=restarted.hello())
    assert (await stream.receive()).welcome.session_id


async def test_s46_an_expired_token_is_refused(api: Any, wallet: Wallet) -> None:
    token = await api.login(wallet)
    api.clock.advance(3600)
    stream = await api.open(token)
    assert await api.refused(stream.call.read()) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")


async def test_a_stream_requires_a_token(api: Any) -> None:
    call = api.workers.Connect()
    assert await call.code() is grpc.StatusCode.UNAUTHENTICATED


# --- the start of a stream -----------------------------------------------------------------------


async def test_the_first_message_is_hello(api: Any, wallet: Wallet) -> None:
    stream = await api.open(await api.login(wallet))
    await stream.send(heartbeat=pb.Heartbeat())
    assert await api.refused(stream.call.read()) == (grpc.StatusCode.INVALID_ARGUMENT, "HELLO_EXPECTED")
    assert wallet.address not in api.engine.workers


async def test_a_stream_without_hello_in_time_is_ended(
    api: Any, wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_service, "HELLO_TIMEOUT_S", 0.05)
    stream = await api.open(await api.login(wallet))
    assert await api.refused(stream.call.read()) == (grpc.StatusCode.INVALID_ARGUMENT, "HELLO_EXPECTED")


async def test_another_protocol_version_is_refused(api: Any, wallet: Wallet) -> None:
    stream = await api.open(await api.login(wallet))
    await stream.send(hello=api.hello(protocol=2))
    assert await api.refused(stream.call.read()) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "BAD_PROTOCOL_VERSION",
    )


async def test_a_worker_of_the_wrong_version_learns_which_one_to_install(
    open_api: Any, wallet: Wallet
) -> None:
    api = await open_api(required_version="2.0")
    stream = await api.connect(wallet, version="1.0")
    shutdown = (await stream.receive()).shutdown
    assert shutdown.reason == "BAD_VERSION"
    assert "2.0" in shutdown.message
    assert not shutdown.HasField("retry_after")
    assert await stream.ended() == (grpc.StatusCode.OK, "")
    assert wallet.address not in api.engine.workers


async def test_the_configuration_tells_the_clock_of_the_scheduler(api: Any) -> None:
    answer = await api.workers.GetConfig(pb.GetConfigRequest())
    assert answer.server_time.ToNanoseconds() / 1e9 == api.clock.now()


async def test_a_leaving_worker_gets_a_confirmation(api: Any, wallet: Wallet) -> None:
    stream = await api.connect(wallet)
    await stream.receive()
    await stream.send(leave=pb.Leave())
    assert (await stream.receive()).shutdown.reason == "LEFT"
    assert await stream.ended() == (grpc.StatusCode.OK, "")
    assert api.engine.workers[wallet.address].worker.lost


async def test_a_worker_with_a_gpu_has_one_slot(api: Any, wallet: Wallet) -> None:
    stream = await api.connect(wallet, slots=8, gpus=1)
    await stream.receive()
    assert api.engine.workers[wallet.address].worker.model.slots == 1


async def test_a_second_stream_of_a_wallet_replaces_the_first(api: Any, wallet: Wallet) -> None:
    first = await api.connect(wallet)
    await first.receive()
    second = await api.connect(wallet)
    session = (await second.receive()).welcome.session_id
    shutdown = (await first.receive()).shutdown
    assert (shutdown.reason, shutdown.HasField("retry_after")) == ("REPLACED", False)
    await first.ended()
    await api.commit.drained()
    assert api.engine.workers[wallet.address].session.id == session
    assert len(api.sessions) == 1


async def test_hello_twice_ends_the_stream(api: Any, wallet: Wallet) -> None:
    stream = await api.connect(wallet)
    await stream.receive()
    await stream.send(hello=api.hello())
    assert await api.refused(stream.call.read()) == (grpc.StatusCode.INVALID_ARGUMENT, "HELLO_EXPECTED")


# --- messages not allowed -----------------------------------------------------------------------

TASK = "0x" + "ab" * 32
STARTING = statuses.REPLICATE_STATUS_STARTING


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"status_report": pb.StatusReport()}, "INVALID_ARGUMENT"),
        (
            {"status_report": {"updates": [{"sequence": 1, "task_id": "0x12", "status": 2}]}},
            "INVALID_ARGUMENT",
        ),
        ({"status_report": {"updates": [{"sequence": 0, "task_id": TASK, "status": 2}]}}, "INVALID_ARGUMENT"),
        (
            {"status_report": {"updates": [{"sequence": 1, "task_id": TASK, "status": 99}]}},
            "INVALID_ARGUMENT",
        ),
        (
            {"status_report": {"updates": [{"sequence": 2**63, "task_id": TASK, "status": 2}]}},
            "NUMBER_TOO_LARGE",
        ),
        (
            {
                "status_report": {
                    "updates": [
                        {
                            "sequence": 1,
                            "task_id": TASK,
                            "status": 16,
                            "details": {"chain_receipt": {"block_number": 2**64 - 1}},
                        }
                    ]
                }
            },
            "NUMBER_TOO_LARGE",
        ),
        ({"command_ack": {"sequence": 0}}, "INVALID_ARGUMENT"),
        ({}, "INVALID_ARGUMENT"),
    ],
)
async def test_a_malformed_message_ends_the_stream_with_its_reason(
    api: Any, wallet: Wallet, message: dict[str, Any], reason: str
) -> None:
    stream = await api.connect(wallet)
    await stream.receive()
    await stream.send(**message)
    assert await api.refused(stream.call.read()) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    assert api.engine.tasks == {}


async def test_an_update_of_an_unknown_replicate_is_refused_without_ending_the_stream(
    api: Any, wallet: Wallet
) -> None:
    stream = await api.connect(wallet)
    await stream.receive()
    for sequence in (1, 2):
        await stream.send(
            status_report={
                "updates": [
                    {"sequence": sequence, "task_id": TASK, "status": statuses.REPLICATE_STATUS_STARTING}
                ]
            }
        )
        (result,) = (await stream.receive()).decisions.results
        assert (result.sequence, result.outcome) == (sequence, pb.UPDATE_OUTCOME_REFUSED)
        assert result.reason


async def test_an_acknowledgement_of_nothing_changes_nothing(api: Any, wallet: Wallet) -> None:
    stream = await api.connect(wallet)
    await stream.receive()
    await stream.send(command_ack={"sequence": 2**64 - 1})
    await stream.send(heartbeat={"free_slots": 1, "head_block": 2**64 - 1})
    await stream.send(
        status_report={
            "updates": [{"sequence": 1, "task_id": TASK, "status": statuses.REPLICATE_STATUS_STARTING}]
        }
    )
    assert (await stream.receive()).WhichOneof("message") == "decisions"


async def test_output_of_another_workers_replicate_ends_the_stream(
    api: Any, wallet: Wallet, make_task: Any
) -> None:
    task = make_task()
    api.engine.submit(BlockSeen(1, "0x", 0.0, (DealSeen(task.terms),)))
    await api.commit.drained()
    (task_id,) = api.engine.tasks
    stream = await api.connect(wallet)
    await stream.receive()
    await stream.send(log_chunk={"task_id": task_id, "stream": 1, "text": "mine!"})
    assert await api.refused(stream.call.read()) == (grpc.StatusCode.PERMISSION_DENIED, "FOREIGN_REPLICATE")
    assert api.engine.tasks[task_id].replicates == {}


async def test_live_output_is_shown_until_the_app_is_reported_as_ended(
    api: Any, wallet: Wallet, make_task: Any
) -> None:
    stream = await api.connect(wallet)
    await stream.receive()
    task_id = ready_task(api, make_task)
    await stream.receive()
    await stream.send(log_chunk={"task_id": task_id, "stream": 1, "text": "step 1, "})
    await stream.send(log_chunk={"task_id": task_id, "stream": 2, "text": "warning"})
    await stream.send(log_chunk={"task_id": task_id, "stream": 1, "text": "step 2"})
    names = (
        "STARTING STARTED APP_DOWNLOADING APP_DOWNLOADED DATA_DOWNLOADING DATA_DOWNLOADED COMPUTING COMPUTED"
    )
    way = [getattr(statuses, f"REPLICATE_STATUS_{name}") for name in names.split()]
    updates: list[dict[str, Any]] = [
        {"sequence": number, "task_id": task_id, "status": status} for number, status in enumerate(way, 1)
    ]
    await stream.send(status_report={"updates": updates[:-1]})
    await stream.receive()
    assert await api.core.running.queries.logs(task_id) == [
        ComputeLogs(wallet.address, "step 1, step 2", "warning")
    ]
    updates[-1]["details"] = {"stdout": "all of it", "stderr": ""}
    await stream.send(status_report={"updates": updates[-1:]})
    await stream.receive()
    await stream.send(log_chunk={"task_id": task_id, "stream": 1, "text": "too late"})
    await stream.send(status_report={"updates": updates[-1:]})
    await stream.receive()
    assert await api.core.running.queries.logs(task_id) == [ComputeLogs(wallet.address, "all of it", "")]


async def test_a_cut_stream_disconnects_its_worker(api: Any, wallet: Wallet) -> None:
    stream = await api.connect(wallet)
    await stream.receive()
    await stream.call.done_writing()
    assert await stream.ended() == (grpc.StatusCode.OK, "")
    assert api.engine.workers[wallet.address].session is None
    assert not api.engine.workers[wallet.address].worker.lost


# --- work ---------------------------------------------------------------------------------------


async def test_work_is_pushed_with_an_authorization_of_the_pool_owner(
    api: Any, wallet: Wallet, make_task: Any
) -> None:
    stream = await api.connect(wallet)
    await stream.receive()
    terms = make_task(bot_size=2, command_line="compute", trust=1).terms
    api.engine.submit(BlockSeen(1, "0x01", 0.0, (DealSeen(terms),)))
    logs = tuple(
        TaskLog(TaskLogKind.INITIALIZE, task_id, Receipt(2, "0x" + "22" * 32))
        for task_id in list(api.engine.tasks)
    )
    api.engine.submit(BlockSeen(2, "0x02", 0.0, (), logs))
    assigned = (await stream.receive()).decisions.assignments
    assert sorted(item.task.task_index for item in assigned) == [0, 1]
    for item in assigned:
        signed = item.authorization
        authorization = WorkerpoolAuthorization(
            worker=wallet.address,
            task_id=signed.task_id,
            enclave_challenge=signed.enclave_challenge,
            deal_id=signed.deal_id,
            task_index=signed.task_index,
            signature=from_hex(signed.signature),
        )
        assert recover_signer(authorization) == Wallet.from_key("0x" + "11" * 32).address
        assert (item.task.command_line, item.initialization_block) == ("compute", 2)
        assert item.task.max_execution_time.seconds == 300


def journaled(database: Database, task_id: str, wallet: Wallet) -> list[str]:
    """Return the statuses of a replicate in the journal."""
    changes = [
        change for entry in database.db["journal"].find(sort=[("_id", 1)]) for change in entry["changes"]
    ]
    ours = [change for change in changes if change["i"] == f"{task_id}:{wallet.address}"]
    return [step["status"] for change in ours for step in (change.get("d", {}).get("history") or change["h"])]


async def test_a_report_is_durable_before_it_is_answered(
    api: Any, wallet: Wallet, make_task: Any, database: Database
) -> None:
    stream = await api.connect(wallet)
    await stream.receive()
    task_id = ready_task(api, make_task)
    assert (await stream.receive()).decisions.assignments[0].task.task_id == task_id
    for sequence, status in enumerate((STARTING, statuses.REPLICATE_STATUS_STARTED), start=1):
        await stream.send(
            status_report={"updates": [{"sequence": sequence, "task_id": task_id, "status": status}]}
        )
        (result,) = (await stream.receive()).decisions.results
        assert (result.sequence, result.outcome) == (sequence, pb.UPDATE_OUTCOME_ACCEPTED)
        name = statuses.ReplicateStatus.Name(status).removeprefix("REPLICATE_STATUS_")
        assert journaled(database, task_id, wallet)[-1] == name
    assert result.next_action == pb.ACTION_DOWNLOAD_APP


# --- live configuration --------------------------------------------------------------------------


async def test_a_new_address_of_the_result_proxy_reaches_connected_workers(api: Any, wallet: Wallet) -> None:
    used: list[str] = []
    push = ConfigurationPush(api.core.running, (), used.append)
    stream = await api.connect(wallet)
    await stream.receive()
    changed = replace(api.core.running.configuration, result_proxy_url="http://new:13200", hash="0x2")
    push.apply(changed, ())
    received = (await stream.receive()).configuration_change.configuration
    assert (received.result_proxy_url, received.configuration_hash) == ("http://new:13200", "0x2")
    assert used == ["http://new:13200"]
    answer = await api.workers.GetConfig(pb.GetConfigRequest())
    assert answer.configuration.result_proxy_url == "http://new:13200"
    push.apply(changed, ())
    assert used == ["http://new:13200"], "nothing changed"


async def test_a_worker_off_the_new_whitelist_finishes_what_it_holds_and_logs_in_no_more(
    api: Any, make_task: Any, wallet: Wallet
) -> None:
    push = ConfigurationPush(api.core.running, (wallet.address,), lambda _url: None)
    stream = await api.connect(wallet)
    await stream.receive()
    task_id = ready_task(api, make_task)
    assert (await stream.receive()).decisions.assignments[0].task.task_id == task_id
    push.apply(api.core.running.configuration, (Wallet.create().address,))
    assert (await stream.receive()).HasField("drain")
    await stream.send(
        status_report=pb.StatusReport(
            updates=[pb.StatusUpdate(sequence=1, task_id=task_id, status=statuses.REPLICATE_STATUS_STARTING)]
        )
    )
    assert (await stream.receive()).decisions.results[0].outcome == pb.UPDATE_OUTCOME_ACCEPTED
    token = await api.login(wallet)
    api.engine.workers[wallet.address].held.clear()
    reopened = await api.open(token)
    await reopened.send(hello=api.hello())
    assert await api.refused(reopened.call.read()) == (grpc.StatusCode.PERMISSION_DENIED, "NOT_WHITELISTED")
    request = pb.CreateChallengeRequest(wallet_address=wallet.address)
    assert await api.refused(api.workers.CreateChallenge(request)) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "NOT_WHITELISTED",
    )
