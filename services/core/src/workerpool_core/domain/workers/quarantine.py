"""Workers at rest, drained by an operator or in quarantine, are looked at again when their time is over."""

from workerpool_core.domain.event_context import Turn
from workerpool_core.domain.model import Worker
from workerpool_core.domain.timers import Alarm


def arm(turn: Turn, worker: Worker) -> None:
    """Set the alarm for the next of a worker's pauses that ends by itself; he may have two."""
    pauses = (worker.drained_until, worker.quarantined_until)
    ahead = [end for end in pauses if turn.now < end < float("inf")]
    if ahead:
        turn.state.timers.set(Alarm.PAUSE_ENDS, worker.wallet, min(ahead))


def ended(turn: Turn, wallet: str) -> None:
    """A worker's pause is over, maybe not his last."""
    turn.recount[wallet] = None
    arm(turn, turn.state.workers[wallet])
