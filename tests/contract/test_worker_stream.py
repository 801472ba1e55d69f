"""What a worker must not say on its stream: each is answered with a status and a reason, and changes nothing."""

import asyncio
import contextlib
from collections import deque
from typing import Any

import grpc
import pytest
import pytest_asyncio
from grpc import StatusCode
from workerpool_devnet.devnet import Devnet
from workerpool_kit.grpc_client import error_reason
from workerpool_protocol.core.v1 import pool_service_pb2, task_pb2
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.core.v1.statuses_pb2 import ReplicateStatus as R
from workerpool_protocol.core.v1.statuses_pb2 import TaskStatus as T

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

VERSION = "contract-1"
MODEL = {"name": "x", "version": VERSION, "slots": 1, "memory_bytes": 1}
UNKNOWN = "0x" + "ab" * 32
INVALID = StatusCode.INVALID_ARGUMENT
TO_COMPUTING = (
    R.REPLICATE_STATUS_STARTING,
    R.REPLICATE_STATUS_STARTED,
    R.REPLICATE_STATUS_APP_DOWNLOADING,
    R.REPLICATE_STATUS_APP_DOWNLOADED,
    R.REPLICATE_STATUS_DATA_DOWNLOADING,
    R.REPLICATE_STATUS_DATA_DOWNLOADED,
    R.REPLICATE_STATUS_COMPUTING,
)
TO_CONTRIBUTING = (*TO_COMPUTING, R.REPLICATE_STATUS_COMPUTED, R.REPLICATE_STATUS_CONTRIBUTING)


def core_environment(net: Devnet) -> dict[str, str]:
    """A pool for three wallets, written in both cases, and for one version."""
    first, second, third = (wallet.address[2:] for wallet in net.worker_wallets)
    return {
        "IEXEC_CORE_REQUIRED_WORKER_VERSION": VERSION,
        "IEXEC_WORKERS_WHITELIST": f"0x{first.lower()},0x{second.upper()},0x{third}",
    }


class Bench:
    """The worker that holds tasks, another one that holds none, and the tasks that no test has used yet."""

    def __init__(self, pool: Any, tasks: list[str]) -> None:
        self.pool = pool
        self.ours, self.other, _ = pool.net.worker_wallets
        self._fresh = deque(tasks)

    def task(self) -> str:
        """Take a task that our worker holds and has not said anything about."""
        return self._fresh.popleft()

    async def replicate(self, task: str) -> task_pb2.Replicate:
        """Read our worker's replicate back."""
        (found,) = (await self.pool.task(task)).replicates
        assert found.wallet_address == self.ours.address
        return found

    async def history(self, task: str) -> list[int]:
        """Read the statuses of our worker's replicate back."""
        return [change.status for change in (await self.replicate(task)).history]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(pool) -> Bench:
    """Tasks that stay CREATED in one worker's hands."""
    first = await pool.connect(pool.net.worker_wallets[0])
    tasks = await pool.buy(volume=24)
    await first.until(lambda: len(first.assignments()) == len(tasks))
    await first.close()
    return Bench(pool, tasks)


@pytest_asyncio.fixture(loop_scope="module")
async def ours(bench):
    """A stream of the worker that holds the tasks."""
    stream = await bench.pool.connect(bench.ours)
    yield stream
    await stream.close()


@pytest_asyncio.fixture(loop_scope="module")
async def others(bench):
    """A stream of the worker that holds nothing."""
    stream = await bench.pool.connect(bench.other)
    yield stream
    await stream.close()


def update(task: str, status: int = R.REPLICATE_STATUS_STARTING, sequence: int = 1, **details: Any) -> Any:
    return {"sequence": sequence, "task_id": task, "status": status, "details": details}


def report(*updates: Any) -> dict[str, Any]:
    return {"status_report": {"updates": updates}}


# --- what ends the stream -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        {"heartbeat": {}},
        report(update(UNKNOWN)),
        {"command_ack": {"sequence": 1}},
        {"log_chunk": {"task_id": UNKNOWN, "stream": 1, "text": "hello"}},
    ],
    ids=lambda message: next(iter(message)),
)
async def test_the_first_message_is_hello(bench, message: dict[str, Any]) -> None:
    stream = await bench.pool.open(await bench.pool.login(bench.other))
    await stream.send(**message)
    assert await stream.ended() == (INVALID, "HELLO_EXPECTED")
    assert stream.received == []


async def test_a_stream_without_hello_is_refused(bench) -> None:
    stream = await bench.pool.open(await bench.pool.login(bench.other))
    await stream.call.done_writing()
    assert await stream.ended() == (INVALID, "HELLO_EXPECTED")


async def test_a_second_hello_ends_the_stream(others, hello) -> None:
    await others.send(hello=hello())
    assert await others.ended() == (INVALID, "HELLO_EXPECTED")


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"protocol_version": 0}, (INVALID, "INVALID_ARGUMENT")),
        ({"protocol_version": 2}, (StatusCode.FAILED_PRECONDITION, "BAD_PROTOCOL_VERSION")),
        ({"model": None}, (INVALID, "INVALID_ARGUMENT")),
        ({"model": MODEL | {"name": "x" * 129}}, (INVALID, "INVALID_ARGUMENT")),
        ({"model": MODEL | {"slots": 0}}, (INVALID, "INVALID_ARGUMENT")),
        ({"model": MODEL | {"slots": 4097}}, (INVALID, "INVALID_ARGUMENT")),
        ({"model": MODEL | {"memory_bytes": 2**64 - 1}}, (INVALID, "NUMBER_TOO_LARGE")),
        ({"held": [{"task_id": "0x12", "status": 2}]}, (INVALID, "INVALID_ARGUMENT")),
        ({"held": [{"task_id": UNKNOWN, "status": 77}]}, (INVALID, "INVALID_ARGUMENT")),
        ({"held": [{"task_id": UNKNOWN, "status": 2}] * 4097}, (INVALID, "INVALID_ARGUMENT")),
    ],
    ids=["no version", "another version", "no model", "long name", "no slots", "many slots", "much memory",
         "bad id", "unknown status", "many replicates"],
)  # fmt: skip
async def test_a_wrong_hello_is_refused(bench, hello, changes: dict[str, Any], answer: Any) -> None:
    stream = await bench.pool.open(await bench.pool.login(bench.other))
    await stream.send(hello=hello(**changes))
    assert await stream.ended() == answer
    assert stream.received == []


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({}, "INVALID_ARGUMENT"),
        (report(), "INVALID_ARGUMENT"),
        (report(*[update(UNKNOWN)] * 1025), "INVALID_ARGUMENT"),
        (report(update("")), "INVALID_ARGUMENT"),
        (report(update("0x12")), "INVALID_ARGUMENT"),
        (report(update(UNKNOWN.upper())), "INVALID_ARGUMENT"),
        (report(update(UNKNOWN, sequence=0)), "INVALID_ARGUMENT"),
        (report(update(UNKNOWN, sequence=2**63)), "NUMBER_TOO_LARGE"),
        (report(update(UNKNOWN, 0)), "INVALID_ARGUMENT"),
        (report(update(UNKNOWN, 34)), "INVALID_ARGUMENT"),
        (report(update(UNKNOWN, cause=9999)), "INVALID_ARGUMENT"),
        (report(update(UNKNOWN, 16, chain_receipt={"block_number": 2**64 - 1})), "NUMBER_TOO_LARGE"),
        (report(update(UNKNOWN, 16, chain_receipt={"transaction_hash": "0x12"})), "INVALID_ARGUMENT"),
        (report(update(UNKNOWN, 23, result_link="x" * 4097)), "INVALID_ARGUMENT"),
        (report(update(UNKNOWN, 23, callback_data="0xabc")), "INVALID_ARGUMENT"),
        (report(update(UNKNOWN, 13, stdout="x" * 200_001)), "INVALID_ARGUMENT"),
        ({"heartbeat": {"free_slots": 4097}}, "INVALID_ARGUMENT"),
        ({"command_ack": {"sequence": 0}}, "INVALID_ARGUMENT"),
        ({"log_chunk": {"task_id": UNKNOWN, "stream": 3, "text": ""}}, "INVALID_ARGUMENT"),
        ({"log_chunk": {"task_id": UNKNOWN, "stream": 1, "text": "x" * 65_537}}, "INVALID_ARGUMENT"),
    ],
    ids=["empty", "no updates", "1025 updates", "no id", "short id", "upper-case id", "sequence 0", "sequence 2^63",
         "no status", "unknown status", "unknown cause", "block 2^64-1", "short transaction hash", "long link",
         "odd callback", "200,001 characters", "slots", "ack of 0", "unknown log stream", "long log chunk"],
)  # fmt: skip
async def test_a_malformed_message_ends_the_stream_with_its_reason(
    others, message: dict[str, Any], reason: str
) -> None:
    await others.send(**message)
    assert await others.ended() == (INVALID, reason)


async def raw(bench: Bench, hello: Any, data: bytes) -> tuple[StatusCode, str | None]:
    """Say Hello, then send bytes as they are; return how the stream ends."""
    # Without the limit that our own client keeps.
    options = [("grpc.max_send_message_length", -1)]
    async with grpc.aio.insecure_channel(bench.pool.net.services["core"].grpc, options) as channel:
        call = await open_by_hand(bench, channel)
        await call.write(pb.ConnectRequest(hello=hello()).SerializeToString())
        welcome = pb.ConnectResponse.FromString(await call.read())
        assert welcome.WhichOneof("message") == "welcome"
        await call.write(data)
        received = await read_all(call)
        assert received == []
        return await ending(call)


async def open_by_hand(bench: Bench, channel: grpc.aio.Channel) -> Any:
    """Open a stream of bytes that is read only when the test reads it."""
    token = await bench.pool.login(bench.other)
    connect = channel.stream_stream("/workerpool.core.v1.WorkerService/Connect")
    return connect(metadata=(("authorization", f"Bearer {token}"),), timeout=60)  # type: ignore[arg-type]


async def read_all(call: Any) -> list[pb.ConnectResponse]:
    received = []
    with contextlib.suppress(grpc.aio.AioRpcError):
        while (data := await call.read()) is not grpc.aio.EOF:
            received.append(pb.ConnectResponse.FromString(data))
    return received


async def ending(call: Any) -> tuple[StatusCode, str | None]:
    """Return how a stream ended."""
    code, text = await call.code(), await call.details()
    error = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), await call.trailing_metadata(), text)
    return code, error_reason(error)


@pytest.mark.parametrize(
    "data",
    [b"\xff\xff\xff\xff", b"\x1a\x05hello", b"\x22\x06\x1a\x04\xff\xfe\xfd\xfc"],
    ids=["no message", "another message", "not UTF-8"],
)
async def test_bytes_that_are_no_message_end_the_stream(bench, hello, data: bytes) -> None:
    assert await raw(bench, hello, data) == (INVALID, "MALFORMED_MESSAGE")


async def test_a_message_above_the_limit_ends_the_stream(bench, hello) -> None:
    large = pb.ConnectRequest(log_chunk={"task_id": UNKNOWN, "stream": 1, "text": "x" * 5_000_000})
    # gRPC itself answers before the message reaches the service, so there is no reason of ours.
    assert await raw(bench, hello, large.SerializeToString()) == (StatusCode.RESOURCE_EXHAUSTED, None)


# --- who may open a stream --------------------------------------------------------------------------


async def test_another_version_is_told_which_one_and_sent_away(bench, hello) -> None:
    stream = await bench.pool.open(await bench.pool.login(bench.other))
    model = {"name": "old", "version": "0.0.1", "slots": 1, "memory_bytes": 1}
    await stream.send(hello=hello(model=model))
    assert await stream.ended() == (StatusCode.OK, None)
    (shutdown,) = stream.all("shutdown")
    assert shutdown.reason == "BAD_VERSION"
    assert VERSION in shutdown.message
    assert not shutdown.HasField("retry_after")


async def test_the_whitelist_admits_in_any_case_and_nobody_else(bench, hello) -> None:
    for wallet in bench.pool.net.worker_wallets:
        assert await bench.pool.login(wallet)
    stranger = bench.pool.net.accounts["spare"]
    refused = (StatusCode.PERMISSION_DENIED, "NOT_WHITELISTED")
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await bench.pool.login(stranger)
    assert (error.value.code(), error_reason(error.value)) == refused
    # A token from a time when the wallet was on the list.
    stream = await bench.pool.open(bench.pool.token(stranger.address))
    await stream.send(hello=hello())
    assert await stream.ended() == refused
    listed = await bench.pool.operators.ListWorkers(pool_service_pb2.ListWorkersRequest())
    assert stranger.address not in {worker.wallet_address for worker in listed.workers}


async def test_a_second_stream_replaces_the_first(bench) -> None:
    first = await bench.pool.connect(bench.other)
    second = await bench.pool.connect(bench.other)
    assert await first.ended() == (StatusCode.OK, None)
    (shutdown,) = first.all("shutdown")
    assert shutdown.reason == "REPLACED"
    assert (await second.answer(UNKNOWN, R.REPLICATE_STATUS_STARTING)).reason == "UNKNOWN_REPLICATE"
    await second.close()


# --- replicates of others -----------------------------------------------------------------------------


async def refused_update(stream: Any, task: str, status: int, reason: str, **details: Any) -> None:
    result = await stream.answer(task, status, **details)
    assert (result.outcome, result.reason) == (pb.UPDATE_OUTCOME_REFUSED, reason)


@pytest.mark.parametrize("status", [s for s in R.values() if s], ids=lambda s: R.Name(s)[17:])
async def test_no_status_of_anothers_replicate_is_taken(bench, status: int) -> None:
    if not hasattr(bench, "foreign"):
        bench.foreign = bench.task(), await bench.pool.connect(bench.other)
    task, stream = bench.foreign
    before = await bench.pool.task(task)
    await refused_update(stream, task, status, "UNKNOWN_REPLICATE")
    assert await bench.pool.task(task) == before


async def test_statuses_of_unknown_tasks_are_refused_and_the_stream_goes_on(others) -> None:
    for _ in range(3):
        await refused_update(others, UNKNOWN, R.REPLICATE_STATUS_STARTING, "UNKNOWN_REPLICATE")


async def test_logs_of_anothers_replicate_end_the_stream(bench, others) -> None:
    task = bench.task()
    await others.send(log_chunk={"task_id": task, "stream": 1, "text": "mine!"})
    assert await others.ended() == (StatusCode.PERMISSION_DENIED, "FOREIGN_REPLICATE")
    assert not (await bench.replicate(task)).logs_present


async def test_claiming_to_hold_anothers_replicate_gives_nothing(bench) -> None:
    task = bench.task()
    before = await bench.pool.task(task)
    held = [
        {"task_id": task, "status": R.REPLICATE_STATUS_COMPUTED, "result_available": True},
        {"task_id": UNKNOWN, "status": R.REPLICATE_STATUS_CONTRIBUTED, "last_command_sequence": 2**64 - 1},
    ]
    stream = await bench.pool.connect(bench.other, held=held)
    assert set((await stream.first("welcome")).dropped_task_ids) == {task, UNKNOWN}
    await refused_update(stream, task, R.REPLICATE_STATUS_CONTRIBUTING, "UNKNOWN_REPLICATE")
    assert stream.assignments() == stream.all("command") == []
    assert await bench.pool.task(task) == before
    await stream.close()


async def test_an_authorization_names_the_one_worker_it_is_for(bench, ours) -> None:
    (assignment,) = (await ours.first("decisions")).assignments
    assert assignment.authorization.worker_wallet == bench.ours.address


# --- statuses of one's own replicate ------------------------------------------------------------------


@pytest.mark.parametrize(
    "status",
    [
        s
        for s in R.values()
        if s not in (0, R.REPLICATE_STATUS_CREATED, R.REPLICATE_STATUS_STARTING, R.REPLICATE_STATUS_ABORTED)
    ],
    ids=lambda s: R.Name(s)[17:],
)
async def test_what_may_not_follow_created_is_refused(bench, ours, status: int) -> None:
    if not hasattr(bench, "created"):
        bench.created = bench.task()
    await refused_update(ours, bench.created, status, "BAD_WORKFLOW_TRANSITION")
    assert await bench.history(bench.created) == [R.REPLICATE_STATUS_CREATED]


@pytest.mark.parametrize(
    "status",
    [
        R.REPLICATE_STATUS_WORKER_LOST,
        R.REPLICATE_STATUS_RECOVERING,
        R.REPLICATE_STATUS_FAILED,
        R.REPLICATE_STATUS_RESULT_UPLOAD_REQUESTED,
    ],
    ids=lambda s: R.Name(s)[17:],
)
async def test_the_schedulers_own_statuses_are_refused_where_the_tables_have_them(
    bench, ours, status: int
) -> None:
    task = bench.task()
    for step in TO_COMPUTING:
        assert (await ours.answer(task, step)).outcome == pb.UPDATE_OUTCOME_ACCEPTED
    before = await bench.history(task)
    await refused_update(ours, task, status, "BAD_WORKFLOW_TRANSITION")
    assert await bench.history(task) == before


async def test_created_is_known_already_and_changes_nothing(bench, ours) -> None:
    task = bench.task()
    assert (await ours.answer(task, R.REPLICATE_STATUS_CREATED)).outcome == pb.UPDATE_OUTCOME_ALREADY_KNOWN
    assert await bench.history(task) == [R.REPLICATE_STATUS_CREATED]


async def test_a_replayed_sequence_is_answered_again_and_changes_nothing(bench, ours) -> None:
    task, untouched = bench.task(), bench.task()
    first = await ours.answer(task, R.REPLICATE_STATUS_STARTING, sequence=7)
    assert first.outcome == pb.UPDATE_OUTCOME_ACCEPTED
    for replayed, status in (
        (task, R.REPLICATE_STATUS_STARTING),
        (task, R.REPLICATE_STATUS_STARTED),
        (untouched, R.REPLICATE_STATUS_STARTING),
    ):
        again = await ours.answer(replayed, status, sequence=7)
        assert again.outcome == pb.UPDATE_OUTCOME_ALREADY_KNOWN
    await refused_update(ours, task, R.REPLICATE_STATUS_COMPUTED, "BAD_WORKFLOW_TRANSITION", sequence=9)
    await refused_update(ours, task, R.REPLICATE_STATUS_COMPUTED, "BAD_WORKFLOW_TRANSITION", sequence=9)
    assert await bench.history(task) == [R.REPLICATE_STATUS_CREATED, R.REPLICATE_STATUS_STARTING]
    assert await bench.history(untouched) == [R.REPLICATE_STATUS_CREATED]


async def test_a_status_that_is_known_is_not_entered_twice(bench, ours) -> None:
    task = bench.task()
    for step in TO_COMPUTING:
        await ours.answer(task, step)
    before = await bench.pool.task(task)
    for step in TO_COMPUTING:
        assert (await ours.answer(task, step)).outcome == pb.UPDATE_OUTCOME_ALREADY_KNOWN
    assert await bench.pool.task(task) == before


async def test_long_logs_are_cut_to_their_last_100000_characters(bench, ours) -> None:
    task = bench.task()
    for step in TO_COMPUTING:
        await ours.answer(task, step)
    stdout, stderr = "a" * 50_000 + "é" * 99_999 + "z", "b" * 100_001
    done = await ours.answer(task, R.REPLICATE_STATUS_COMPUTED, stdout=stdout, stderr=stderr, exit_code=3)
    assert done.outcome == pb.UPDATE_OUTCOME_ACCEPTED
    replicate = await bench.replicate(task)
    assert (replicate.logs_present, replicate.exit_code) == (True, 3)
    (kept,) = await bench.pool.logs(task)
    assert kept.stdout == stdout[-100_000:]
    assert kept.stderr == stderr[-100_000:]


# --- what only the chain can prove ---------------------------------------------------------------------

FAR_FUTURE = 2**63 - 1


async def test_a_contribution_that_is_not_on_chain_is_refused_and_pins_nothing(bench, ours) -> None:
    """The update waits for its proof, at most until the task ends; all others are answered meanwhile."""
    # Ends 14 s after the purchase, at its contribution deadline, which bounds this test.
    (short,) = await bench.pool.buy(category="DEV-2S")
    await ours.until(lambda: any(a.task.task_id == short for a in ours.assignments()))
    for step in TO_CONTRIBUTING:
        assert (await ours.answer(short, step)).outcome == pb.UPDATE_OUTCOME_ACCEPTED
    receipt = {"block_number": FAR_FUTURE, "transaction_hash": "0x" + "12" * 32}
    waiting = await ours.report(short, R.REPLICATE_STATUS_CONTRIBUTED, chain_receipt=receipt)
    await ours.send(heartbeat={"head_block": 2**64 - 1})
    # What is said of the same replicate waits behind it, but not without bound.
    behind = [await ours.report(short, R.REPLICATE_STATUS_REVEALING) for _ in range(100)]
    crowded = await ours.until(lambda: ours.result(behind[-1]))
    assert (crowded.outcome, crowded.reason) == (pb.UPDATE_OUTCOME_REFUSED, "GENERIC_CANT_UPDATE")
    assert ours.result(behind[0]) is None

    # Another replicate goes on, and blocks are taken in as ever.
    other = bench.task()
    for step in TO_COMPUTING:
        async with asyncio.timeout(5):
            assert (await ours.answer(other, step)).outcome == pb.UPDATE_OUTCOME_ACCEPTED
    assert ours.result(waiting) is None
    before = await status(bench)
    async with asyncio.timeout(10):
        while (now := await status(bench)).cursor_block <= before.cursor_block:
            await asyncio.sleep(0.05)
    assert now.cursor_block <= now.latest_block < FAR_FUTURE

    refused = await ours.until(lambda: ours.result(waiting))
    assert (refused.outcome, refused.reason) == (pb.UPDATE_OUTCOME_REFUSED, "GENERIC_CANT_UPDATE")
    assert R.REPLICATE_STATUS_CONTRIBUTED not in await bench.history(short)
    assert (await bench.pool.task(short)).status == T.TASK_STATUS_FAILED

    # The order to abort is our worker's alone: another's acknowledgement does not take it away.
    command = await ours.until(lambda: next((c for c in ours.all("command") if c.task_id == short), None))
    assert command.action == pb.ACTION_ABORT
    other_stream = await bench.pool.connect(bench.other)
    for sequence in (command.sequence, command.sequence + 1, 2**64 - 1):
        await other_stream.send(command_ack={"sequence": sequence})
    await other_stream.answer(UNKNOWN, R.REPLICATE_STATUS_STARTING)
    await other_stream.close()
    again = await bench.pool.connect(bench.ours)
    resent = await again.until(lambda: next((c for c in again.all("command") if c.task_id == short), None))
    assert (resent.sequence, resent.action) == (command.sequence, pb.ACTION_ABORT)
    await again.send(command_ack={"sequence": resent.sequence})
    await again.answer(UNKNOWN, R.REPLICATE_STATUS_STARTING)
    await again.close()
    last = await bench.pool.connect(bench.ours)
    await last.answer(UNKNOWN, R.REPLICATE_STATUS_STARTING)
    assert [c for c in last.all("command") if c.task_id == short] == []
    await last.close()


async def status(bench: Bench) -> pool_service_pb2.GetPoolStatusResponse:
    return await bench.pool.operators.GetPoolStatus(pool_service_pb2.GetPoolStatusRequest())


# --- too much ------------------------------------------------------------------------------------------


async def test_a_flood_of_heartbeats_keeps_nobody_waiting(bench, ours, others) -> None:
    async def flood() -> None:
        for _ in range(5_000):
            await others.send(heartbeat={"free_slots": 1, "head_block": FAR_FUTURE})

    flooding = asyncio.create_task(flood())
    slowest = 0.0
    loop = asyncio.get_running_loop()
    while not flooding.done():
        started = loop.time()
        await refused_update(ours, UNKNOWN, R.REPLICATE_STATUS_STARTING, "UNKNOWN_REPLICATE")
        slowest = max(slowest, loop.time() - started)
    await flooding
    assert slowest < 3
    await refused_update(others, UNKNOWN, R.REPLICATE_STATUS_STARTING, "UNKNOWN_REPLICATE")


async def test_a_reader_that_does_not_read_loses_its_stream(bench, hello) -> None:
    """Answers pile up to the bound of the stream's own queue, then the stream is cut; others notice nothing."""
    async with grpc.aio.insecure_channel(bench.pool.net.services["core"].grpc) as channel:
        call = await open_by_hand(bench, channel)
        await call.write(pb.ConnectRequest(hello=hello()).SerializeToString())
        await until_connected(bench, True)
        talking = asyncio.create_task(talk_on(call))
        await until_connected(bench, False)
        other = await bench.pool.connect(bench.ours)
        await refused_update(other, UNKNOWN, R.REPLICATE_STATUS_STARTING, "UNKNOWN_REPLICATE")
        await other.close()
        # Whoever reads on finds what was sent until then, and why it ended.
        received = await asyncio.wait_for(read_all(call), 10)
        sent = await asyncio.wait_for(talking, 10)
        # The second is gRPC's own: what its client says when a write meets the end of the stream.
        assert await ending(call) in (
            (StatusCode.RESOURCE_EXHAUSTED, "SLOW_READER"),
            (StatusCode.INTERNAL, None),
        )
        assert sum(len(message.decisions.results) for message in received) < sent
    again = await bench.pool.connect(bench.other)
    await refused_update(again, UNKNOWN, R.REPLICATE_STATUS_STARTING, "UNKNOWN_REPLICATE")
    await again.close()


async def talk_on(call: Any) -> int:
    """Report until the stream ends; return how many updates were sent."""
    sent = 0
    with contextlib.suppress(asyncio.InvalidStateError, grpc.aio.AioRpcError):
        while sent < 4_000_000:
            updates = [update(UNKNOWN, sequence=sent + n) for n in range(1, 1025)]
            await call.write(pb.ConnectRequest(**report(*updates)).SerializeToString())
            sent += len(updates)
            await asyncio.sleep(0)
    return sent


async def connected(bench: Bench) -> bool:
    """Tell whether the scheduler has an open stream of the other worker."""
    listed = await bench.pool.operators.ListWorkers(pool_service_pb2.ListWorkersRequest())
    return any(w.connected for w in listed.workers if w.wallet_address == bench.other.address)


async def until_connected(bench: Bench, wanted: bool) -> None:
    async with asyncio.timeout(20):
        while await connected(bench) is not wanted:
            await asyncio.sleep(0.02)
