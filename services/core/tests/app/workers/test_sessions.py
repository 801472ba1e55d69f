"""One stream per wallet, with a bound on what waits for it."""

from workerpool_core.app.workers.messages import Draining, Message, ShutDown
from workerpool_core.app.workers.sessions import Sessions

WALLET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"


def drain(number: int) -> Message:
    return Draining(float(number))


async def test_messages_come_out_in_order_and_together() -> None:
    session = Sessions().open(WALLET)
    for number in range(3):
        session.send(drain(number))
    assert await session.next_messages() == [drain(0), drain(1), drain(2)]


async def test_past_the_bound_the_session_ends_and_says_why() -> None:
    session = Sessions(max_queued=2).open(WALLET)
    for number in range(4):
        session.send(drain(number))
    (farewell,) = await session.next_messages()
    assert isinstance(farewell, ShutDown)
    assert farewell.reason == "OUTBOX_FULL"
    assert session.overflowed
    assert session.ended
    assert await session.next_messages() == []


async def test_what_waits_is_sent_before_the_farewell() -> None:
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
