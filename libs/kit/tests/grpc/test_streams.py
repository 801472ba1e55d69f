"""The bounded queue of one stream."""

import asyncio

import pytest
from workerpool_kit.grpc.streams import BoundedOutbox, SlowReader


async def test_messages_arrive_in_order_before_the_end() -> None:
    outbox: BoundedOutbox[int] = BoundedOutbox(10)
    reading = asyncio.create_task(_all(outbox))
    await asyncio.sleep(0)
    assert [outbox.send(number) for number in range(3)] == [True] * 3
    outbox.close()
    assert await reading == [0, 1, 2]
    assert not outbox.send(4)


async def test_stream_closes_at_its_limit() -> None:
    outbox: BoundedOutbox[int] = BoundedOutbox(2)
    assert [outbox.send(number) for number in range(4)] == [True, True, False, False]
    assert (outbox.closed, len(outbox)) == (True, 0)
    with pytest.raises(SlowReader, match="2 messages wait"):
        await anext(outbox)


async def test_outbox_can_be_closed_with_an_error() -> None:
    outbox: BoundedOutbox[int] = BoundedOutbox(2)
    outbox.send(1)
    outbox.close(ConnectionError("gone"))
    assert await anext(outbox) == 1
    with pytest.raises(ConnectionError, match="gone"):
        await anext(outbox)


async def _all(outbox: BoundedOutbox[int]) -> list[int]:
    return [number async for number in outbox]
