"""One session per wallet, with a bounded queue."""

from workerpool_core.app.workers.messages import Draining, Message, ShutDown
from workerpool_core.app.workers.sessions import Sessions

WALLET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"


def drain(number: int) -> Message:
    return Draining(float(number))


async def test_queued_messages_are_returned_together_in_order() -> None:
    session = Sessions().open(WALLET)
    for number in range(3):
        session.send(drain(number))
    assert await session.next_messages() == [drain(0), drain(1), drain(2)]


async def test_a_session_above_its_limit_ends_with_the_reason() -> None:
    session = Sessions(max_queued=2).open(WALLET)
    for number in range(4):
        session.send(drain(number))
    (farewell,) = await session.next_messages()
    assert isinstance(farewell, ShutDown)
    assert farewell.reason == "OUTBOX_FULL"
    assert session.overflowed
    assert session.ended
    assert await session.next_messages() == []


async def test_queued_messages_are_sent_before_the_farewell() -> None:
    session = Sessions().open(WALLET)
    session.send(drain(1))
    session.end(ShutDown("REPLACED", ""))
    session.send(drain(2))
    assert await session.next_messages() == [drain(1), ShutDown("REPLACED", "")]
    assert await session.next_messages() == []


async def test_closing_a_replaced_session_leaves_its_successor_open() -> None:
    sessions = Sessions()
    first = sessions.open(WALLET)
    second = sessions.open(WALLET)
    sessions.close(first)
    assert sessions.of(WALLET) is second
    assert sessions.of(WALLET, first.id) is None
    sessions.close(second)
    assert sessions.of(WALLET) is None
