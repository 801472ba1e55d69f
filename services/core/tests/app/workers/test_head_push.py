"""Heads reach workers with work at each change, and the others every few seconds."""

import asyncio
from collections.abc import AsyncIterator

from patience import PATIENCE_S
from workerpool_core.app.workers.head_push import push_heads
from workerpool_core.app.workers.messages import Message, NewHead, Welcomed
from workerpool_core.app.workers.sessions import Session, Sessions
from workerpool_kit.clock import FakeClock
from workerpool_poco.protocol.model import Block

WELCOME = Welcomed("session", ())


def head(number: int) -> Block:
    return Block(number, number.to_bytes(32), (number - 1).to_bytes(32), 1_000 + number)


class Heads:
    """Heads that a test appends."""

    def __init__(self) -> None:
        self.latest: Block | None = None
        self._queue: asyncio.Queue[Block] = asyncio.Queue()

    def put(self, number: int) -> None:
        self._queue.put_nowait(head(number))

    async def wait_change(self, timeout: float) -> bool:
        raise NotImplementedError

    async def __aiter__(self) -> AsyncIterator[Block]:
        while True:
            self.latest = await self._queue.get()
            yield self.latest


async def welcomed(sessions: Sessions, wallet: str) -> Session:
    session = sessions.open(wallet)
    session.send(WELCOME)
    assert await session.next_messages() == [WELCOME]
    return session


async def test_workers_with_work_get_each_head_and_the_others_one_in_five_seconds() -> None:
    sessions, heads, clock = Sessions(), Heads(), FakeClock()
    working, idle = await welcomed(sessions, "0xA"), await welcomed(sessions, "0xB")
    pushing = asyncio.create_task(
        push_heads(heads, sessions, clock, holds_work=lambda wallet: wallet == "0xA")
    )
    got: list[Message] = []
    async with asyncio.timeout(PATIENCE_S):
        heads.put(1)
        got += await working.next_messages()
        assert await idle.next_messages() == [NewHead(head(1))]
        heads.put(2)
        got += await working.next_messages()
        clock.advance(5)
        heads.put(3)
        assert await idle.next_messages() == [NewHead(head(3))]
    assert got == [NewHead(head(1)), NewHead(head(2))]
    pushing.cancel()
    await asyncio.wait({pushing})
