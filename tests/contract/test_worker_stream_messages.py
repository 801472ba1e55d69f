"""Messages that end a worker stream with a status and a reason: malformed, out of order, or too many."""

import asyncio
import contextlib
from typing import Any

import grpc
import pytest
from contract.assigned_tasks import (
    FAR_FUTURE,
    UNKNOWN,
    VERSION,
    AssignedTasks,
    core_environment,
    refused_update,
    report,
    update,
)
from contract.worker_stream import WorkerStream, hello
from grpc import StatusCode
from patience import PATIENCE_S
from workerpool_kit.grpc.client import error_reason
from workerpool_protocol.core.v1 import pool_service_pb2
from workerpool_protocol.core.v1 import worker_service_pb2 as pb
from workerpool_protocol.core.v1.statuses_pb2 import ReplicateStatus as R

__all__ = ["core_environment"]
pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

MODEL = {"name": "x", "version": VERSION, "slots": 1, "memory_bytes": 1}
INVALID = StatusCode.INVALID_ARGUMENT


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
async def test_the_first_message_must_be_hello(assigned: AssignedTasks, message: dict[str, Any]) -> None:
    stream = await assigned.pool.open(await assigned.pool.login(assigned.other))
    await stream.send(**message)
    assert await stream.ended() == (INVALID, "HELLO_EXPECTED")
    assert stream.received == []


async def test_a_stream_without_hello_is_refused(assigned: AssignedTasks) -> None:
    stream = await assigned.pool.open(await assigned.pool.login(assigned.other))
    await stream.call.done_writing()
    assert await stream.ended() == (INVALID, "HELLO_EXPECTED")


async def test_a_second_hello_ends_the_stream(others: WorkerStream) -> None:
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
async def test_an_invalid_hello_is_refused(
    assigned: AssignedTasks, changes: dict[str, Any], answer: Any
) -> None:
    stream = await assigned.pool.open(await assigned.pool.login(assigned.other))
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
    others: WorkerStream, message: dict[str, Any], reason: str
) -> None:
    await others.send(**message)
    assert await others.ended() == (INVALID, reason)


async def raw(assigned: AssignedTasks, data: bytes) -> tuple[StatusCode, str | None]:
    """Send Hello, then raw bytes; return the status and reason of the stream."""
    # Without the message limit of our client.
    options = [("grpc.max_send_message_length", -1)]
    async with grpc.aio.insecure_channel(assigned.pool.net.services["core"].grpc, options) as channel:
        call = await open_by_hand(assigned, channel)
        await send_hello(call)
        welcome = pb.ConnectResponse.FromString(await call.read())
        assert welcome.WhichOneof("message") == "welcome"
        await call.write(data)
        received = await read_all(call)
        assert received == []
        return await ending(call)


async def open_by_hand(assigned: AssignedTasks, channel: grpc.aio.Channel) -> Any:
    """Open a stream of raw bytes; only the test reads from it."""
    token = await assigned.pool.login(assigned.other)
    stubless: Any = channel  # the type stubs of gRPC require serializers
    connect = stubless.stream_stream("/workerpool.core.v1.WorkerService/Connect")
    return connect(metadata=(("authorization", f"Bearer {token}"),), timeout=60)


async def send_hello(call: Any) -> None:
    message: dict[str, Any] = {"hello": hello()}
    await call.write(pb.ConnectRequest(**message).SerializeToString())


async def read_all(call: Any) -> list[pb.ConnectResponse]:
    """Return the messages up to the end of the stream, without heads."""
    received = []
    with contextlib.suppress(grpc.aio.AioRpcError):
        while (data := await call.read()) is not grpc.aio.EOF:  # type: ignore[attr-defined]
            message = pb.ConnectResponse.FromString(data)
            # Heads come whenever the chain has a new block.
            if message.WhichOneof("message") != "head":
                received.append(message)
    return received


async def ending(call: Any) -> tuple[StatusCode, str | None]:
    """Return the status and reason of an ended stream."""
    code, text = await call.code(), await call.details()
    error = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), await call.trailing_metadata(), text, None)
    return code, error_reason(error)


@pytest.mark.parametrize(
    "data",
    [b"\xff\xff\xff\xff", b"\x1a\x05hello", b"\x22\x06\x1a\x04\xff\xfe\xfd\xfc"],
    ids=["no message", "another message", "not UTF-8"],
)
async def test_undecodable_bytes_end_the_stream(assigned: AssignedTasks, data: bytes) -> None:
    assert await raw(assigned, data) == (INVALID, "MALFORMED_MESSAGE")


async def test_a_message_above_the_limit_ends_the_stream(assigned: AssignedTasks) -> None:
    large = pb.ConnectRequest(
        log_chunk=pb.LogChunk(task_id=UNKNOWN, stream=pb.LOG_STREAM_STDOUT, text="x" * 5_000_000)
    )
    # gRPC answers before the message reaches the service, so there is no ErrorInfo.
    assert await raw(assigned, large.SerializeToString()) == (StatusCode.RESOURCE_EXHAUSTED, None)


# --- too many messages ------------------------------------------------------------------------------------------


async def test_a_flood_of_heartbeats_does_not_delay_other_streams(
    assigned: AssignedTasks, ours: WorkerStream, others: WorkerStream
) -> None:
    async def flood() -> None:
        for _ in range(5_000):
            await others.send(heartbeat={"free_slots": 1, "head_block": FAR_FUTURE})

    flooding = asyncio.create_task(flood())
    answers = 0
    while not flooding.done():
        await refused_update(ours, UNKNOWN, R.REPLICATE_STATUS_STARTING, "UNKNOWN_REPLICATE")
        answers += 1
    await flooding
    assert answers > 10, "answers wait for the end of the flood"
    await refused_update(others, UNKNOWN, R.REPLICATE_STATUS_STARTING, "UNKNOWN_REPLICATE")


async def test_a_slow_reader_loses_its_stream(assigned: AssignedTasks) -> None:
    """Answers fill the bounded queue of the stream, then the scheduler ends this stream and no other."""
    async with grpc.aio.insecure_channel(assigned.pool.net.services["core"].grpc) as channel:
        call = await open_by_hand(assigned, channel)
        await send_hello(call)
        await until_connected(assigned, True)
        reporting = asyncio.create_task(keep_reporting(call))
        await until_connected(assigned, False)
        other = await assigned.pool.connect(assigned.ours)
        await refused_update(other, UNKNOWN, R.REPLICATE_STATUS_STARTING, "UNKNOWN_REPLICATE")
        await other.close()
        # A late reader receives the earlier answers and the status.
        received = await asyncio.wait_for(read_all(call), PATIENCE_S)
        sent = await asyncio.wait_for(reporting, PATIENCE_S)
        # The gRPC client reports INTERNAL itself when a write meets the end of the stream.
        assert await ending(call) in (
            (StatusCode.RESOURCE_EXHAUSTED, "SLOW_READER"),
            (StatusCode.INTERNAL, None),
        )
        assert sum(len(message.decisions.results) for message in received) < sent
    again = await assigned.pool.connect(assigned.other)
    await refused_update(again, UNKNOWN, R.REPLICATE_STATUS_STARTING, "UNKNOWN_REPLICATE")
    await again.close()


async def keep_reporting(call: Any) -> int:
    """Report until the stream ends; return how many updates were sent."""
    sent = 0
    with contextlib.suppress(asyncio.InvalidStateError, grpc.aio.AioRpcError):
        while sent < 4_000_000:
            updates = [update(UNKNOWN, sequence=sent + n) for n in range(1, 1025)]
            await call.write(pb.ConnectRequest(**report(*updates)).SerializeToString())
            sent += len(updates)
            await asyncio.sleep(0)
    return sent


async def connected(assigned: AssignedTasks) -> bool:
    """Return whether the scheduler has an open stream of the other worker."""
    listed = await assigned.pool.operators.ListWorkers(pool_service_pb2.ListWorkersRequest())
    return any(w.connected for w in listed.workers if w.wallet_address == assigned.other.address)


async def until_connected(assigned: AssignedTasks, wanted: bool) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await connected(assigned) is not wanted:
            await asyncio.sleep(0.02)
