"""The stream of an upload: its order, its size and its pace."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_poco.protocol.ids import TaskId
from workerpool_result_proxy import errors
from workerpool_result_proxy.app.receive import StreamLimits, first_message, receive
from workerpool_result_proxy.domain.results import Declaration

World = Any
CONTENT = b"an archive"
DECLARED = Declaration(TaskId("0x" + "01" * 32), len(CONTENT), hashlib.sha256(CONTENT).digest(), bytes(32))


async def received(
    world: World, *parts: Declaration | bytes, stalls: bool = False, declared: Declaration = DECLARED
) -> bytes:
    """Receive a stream without its header; return the file's content."""
    archive = world.workspace.create(declared)
    try:
        stream = world.stream(*parts, stalls=stalls)
        await receive(stream, declared.size, archive.append, world.limits.stream)
        await archive.finish()
        return b"".join([piece async for piece in archive.content()])
    finally:
        await world.workspace.remove(archive)


async def test_the_bytes_are_written_in_order(world: World) -> None:
    assert await received(world, CONTENT[:3], CONTENT[3:]) == CONTENT


@pytest.mark.parametrize("parts", [(CONTENT[:-1],), (CONTENT, b"x"), (CONTENT + b"x",)])
async def test_more_or_fewer_bytes_are_refused(world: World, parts: tuple[bytes, ...]) -> None:
    with pytest.raises(errors.SizeMismatch):
        await received(world, *parts)


async def test_damaged_bytes_are_refused(world: World) -> None:
    with pytest.raises(errors.ChecksumMismatch):
        await received(world, CONTENT[::-1])


async def test_a_second_header_is_refused(world: World) -> None:
    with pytest.raises(errors.HeaderExpected):
        await received(world, CONTENT[:3], DECLARED)


async def test_an_idle_stream_is_ended(world: World) -> None:
    with pytest.raises(errors.UploadStalled, match="no message arrived"):
        await received(world, CONTENT[:3], stalls=True)


async def test_a_stream_slower_than_the_lowest_rate_is_ended(world: World) -> None:
    world.limits = replace(world.limits, stream=StreamLimits(idle_s=30, slowest=1 << 30, grace_s=0.05))
    with pytest.raises(errors.UploadStalled, match="took too long"):
        await received(world, CONTENT[:3], stalls=True)


def test_the_time_limit_grows_with_the_size() -> None:
    assert StreamLimits(slowest=1_000, grace_s=60).total_s(5_000) == 65


async def _of(*parts: Declaration | bytes) -> AsyncIterator[Declaration | bytes]:
    for part in parts:
        yield part


async def test_the_first_message_is_the_header() -> None:
    assert await first_message(_of(DECLARED, CONTENT), StreamLimits()) is DECLARED


@pytest.mark.parametrize("parts", [(), (CONTENT,)])
async def test_another_first_message_is_refused(parts: tuple[bytes, ...]) -> None:
    with pytest.raises(errors.HeaderExpected):
        await first_message(_of(*parts), StreamLimits())


async def test_one_message_is_read_while_the_last_is_taken() -> None:
    taken: list[bytes] = []
    second_read = asyncio.Event()

    async def messages() -> AsyncIterator[Declaration | bytes]:
        yield b"first"
        second_read.set()
        yield b"second"

    async def take(chunk: bytes) -> None:
        if not taken:
            await second_read.wait()
        taken.append(chunk)

    async with asyncio.timeout(PATIENCE_S):
        await receive(messages(), 11, take, StreamLimits())
    assert taken == [b"first", b"second"]


async def test_what_is_being_taken_is_whole_when_the_stream_breaks() -> None:
    begun, go_on, taken = asyncio.Event(), asyncio.Event(), []

    async def messages() -> AsyncIterator[Declaration | bytes]:
        yield b"first"
        await begun.wait()
        raise errors.UploadStalled("broken")

    async def take(chunk: bytes) -> None:
        begun.set()
        await go_on.wait()
        taken.append(chunk)

    receiving = asyncio.ensure_future(receive(messages(), 5, take, StreamLimits()))
    await begun.wait()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(errors.UploadStalled):
        await receiving
    assert taken == [b"first"]
