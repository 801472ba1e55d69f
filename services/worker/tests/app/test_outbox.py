"""The outbox: order, cursors, acknowledgements, wake-ups."""

import asyncio

from patience import PATIENCE_S
from workerpool_poco.protocol.statuses import ReplicateStatus
from workerpool_worker.app.outbox import Outbox
from workerpool_worker.domain.updates import Update

from services.worker.tests.harness.builders import OTHER_TASK_ID, TASK_ID


def update(sequence: int, task_id: str = TASK_ID) -> Update:
    return Update(sequence, task_id, ReplicateStatus.STARTING)  # type: ignore[arg-type]


def test_sequences_continue_after_the_last_one() -> None:
    outbox = Outbox(7)
    assert [outbox.next_sequence(), outbox.next_sequence()] == [8, 9]


def test_a_cursor_reads_pending_updates_in_order_and_bounded() -> None:
    outbox = Outbox(0, [update(1), update(2)])
    outbox.add(update(3), update(4))
    assert [each.sequence for each in outbox.after(0, 3)] == [1, 2, 3]
    assert [each.sequence for each in outbox.after(3, 3)] == [4]
    assert len(outbox) == 4


def test_an_answered_update_is_removed_once() -> None:
    outbox = Outbox(0, [update(1)])
    assert outbox.remove(1) == update(1)
    assert outbox.remove(1) is None
    assert len(outbox) == 0


def test_updates_of_one_task_can_be_removed() -> None:
    outbox = Outbox(0, [update(1), update(2, OTHER_TASK_ID)])
    outbox.remove_task(TASK_ID)
    assert [each.sequence for each in outbox.after(0, 9)] == [2]


def test_acknowledgements_are_drained_once() -> None:
    outbox = Outbox(0)
    outbox.acknowledge(5)
    outbox.acknowledge(6)
    assert [outbox.drain_acks(), outbox.drain_acks()] == [[5, 6], []]


async def test_each_kind_of_change_wakes_the_waiter() -> None:
    outbox = Outbox(0)
    for change in (lambda: outbox.add(update(1)), lambda: outbox.acknowledge(1), outbox.wake):
        waiting = asyncio.create_task(outbox.wait_changed())
        await asyncio.sleep(0)
        assert not waiting.done()
        change()  # type: ignore[no-untyped-call]
        await asyncio.wait_for(waiting, PATIENCE_S)


async def test_an_update_that_may_wait_leaves_with_the_next_one() -> None:
    outbox = Outbox(0)
    outbox.add_soon(update(1))
    waiting = asyncio.create_task(outbox.wait_changed())
    await asyncio.sleep(0)
    assert not waiting.done()
    outbox.add(update(2))
    await asyncio.wait_for(waiting, PATIENCE_S)
    assert [each.sequence for each in outbox.after(0, 9)] == [1, 2]


async def test_an_update_that_may_wait_leaves_soon_without_another() -> None:
    outbox = Outbox(0)
    for number in (1, 2):
        outbox.add_soon(update(number))
        await asyncio.wait_for(outbox.wait_changed(), PATIENCE_S)
    assert len(outbox) == 2
