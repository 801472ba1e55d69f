"""The slots of all connected workers, which determine how many tasks of a bag are created ahead of time."""

from workerpool_core.domain.dispatch.dispatcher import slots_of
from workerpool_core.domain.event_context import EventContext
from workerpool_core.domain.live import LiveWorker
from workerpool_core.domain.tasks import bags


def update(context: EventContext, live: LiveWorker) -> None:
    """Count the slots of a worker whose stream was opened or closed."""
    state = context.state
    slots = slots_of(live.worker, state.policy.slot_memory_bytes) if live.session is not None else 0
    grown = slots - live.counted_slots
    state.slots += grown
    live.counted_slots = slots
    if grown > 0:
        bags.capacity_changed(context)
