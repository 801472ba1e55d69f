"""One session per wallet, with a bounded queue."""

from workerpool_core.app.workers.messages import Draining, Message, NewHead, ShutDown, Welcomed
from workerpool_core.app.workers.sessions import Session, Sessions
from workerpool_poco.protocol.model import Block

WALLET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"


WELCOME = Welcomed("session", ())


async def welcomed(sessions: Sessions | None = None) -> Session:
    """Open a session and take its Welcome."""
    session = (Sessions() if sessions is None else sessions).open(WALLET)
    session.send(WELCOME)
    assert await session.next_messages() == [WELCOME]
    return session


def drain(number: int) -> Message:
    return Draining(float(number))


async def test_queued_messages_are_returned_together_in_order() -> None:
    session = await welcomed()
    for number in range(3):
        session.send(drain(number))
    assert await session.next_messages() == [drain(0), drain(1), drain(2)]


async def test_a_session_above_its_limit_ends_with_the_reason() -> None:
    session = await welcomed(Sessions(max_queued=2))
    for number in range(4):
        session.send(drain(number))
    (farewell,) = await session.next_messages()
    assert isinstance(farewell, ShutDown)
    assert farewell.reason == "OUTBOX_FULL"
    assert session.overflowed
    assert session.ended
    assert await session.next_messages() == []


async def test_queued_messages_are_sent_before_the_farewell() -> None:
    session = await welcomed()
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


async def test_the_welcome_is_the_first_message() -> None:
    """A command decided before the scheduler knew the session is part of the Welcome."""
    session = Sessions().open(WALLET)
    session.send(drain(1))
    session.send(WELCOME)
    session.send(drain(2))
    assert await session.next_messages() == [WELCOME, drain(2)]


async def test_a_session_may_end_before_its_welcome() -> None:
    session = Sessions().open(WALLET)
    session.send(drain(1))
    session.end(ShutDown("BAD_VERSION", ""))
    assert await session.next_messages() == [ShutDown("BAD_VERSION", "")]


def head(number: int) -> Block:
    return Block(number, number.to_bytes(32), (number - 1).to_bytes(32), 1_000 + number)


async def test_the_newest_head_follows_the_welcome_once() -> None:
    sessions = Sessions()
    session = sessions.open(WALLET)
    session.head_changed()
    sessions.head = head(7)
    session.send(WELCOME)
    session.head_changed()
    assert await session.next_messages() == [WELCOME, NewHead(head(7))]
    session.send(drain(1))
    assert await session.next_messages() == [drain(1)]


async def test_of_many_changes_the_newest_head_is_sent() -> None:
    sessions = Sessions()
    session = await welcomed(sessions)
    for number in (1, 2, 3):
        sessions.head = head(number)
        session.head_changed()
    assert await session.next_messages() == [NewHead(head(3))]
    session.head_changed()
    session.send(drain(1))
    assert await session.next_messages() == [drain(1)]


async def test_an_ended_session_sends_no_head() -> None:
    sessions = Sessions()
    session = await welcomed(sessions)
    sessions.head = head(1)
    session.head_changed()
    session.end(ShutDown("STOPPING", "the scheduler stops"))
    assert [type(message) for message in await session.next_messages()] == [ShutDown]
    session.head_changed()
    assert await session.next_messages() == []
