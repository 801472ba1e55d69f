"""The slots of all connected workers."""

from collections.abc import Callable

from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.workers import capacity


def test_slots_count_while_the_stream_is_open(
    context: EventContext, add_worker: Callable[..., LiveWorker]
) -> None:
    first, second = add_worker("0xA"), add_worker("0xB")
    for live in (first, second, first):
        capacity.update(context, live)
    assert context.state.slots == 4
    first.session = None
    capacity.update(context, first)
    assert context.state.slots == 2
