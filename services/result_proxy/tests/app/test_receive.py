"""The stream of an upload: its order, its size and its pace."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
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
    async with world.workspace.incoming(declared) as archive:
        stream = world.stream(*parts, stalls=stalls)
        await receive(stream, declared, archive, world.limits.stream)
        content: bytes = archive.path.read_bytes()
        return content


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
