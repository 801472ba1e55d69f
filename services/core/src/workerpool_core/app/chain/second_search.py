"""Bookkeeping of the second search of each block, because a lagging node may have omitted its logs."""

from collections import deque
from collections.abc import Callable, Sequence

from workerpool_poco.protocol.contracts.events import HubEvent

from workerpool_core.app.ports import Cursor

AGE_S = 10.0
"""Least age in seconds of a followed block at its second search: longer than nodes of one provider lag."""
_STEP_S = 10.0
"""Seconds of blocks that one second search covers."""


class SecondSearch:
    """The followed blocks that were searched once, and their events.

    `searched` is the last block that was searched twice; its hash is empty when unknown.
    """

    def __init__(self, searched: Cursor, position: Cursor, monotonic: Callable[[], float]) -> None:
        """Start after a block that was searched twice, with a position; `monotonic` returns seconds."""
        self._monotonic = monotonic
        self.searched = searched
        self._steps: deque[tuple[float, Cursor]] = deque([(monotonic(), position)])
        self._found: dict[tuple[bytes, int], HubEvent] = {}

    def followed(self, position: Cursor, events: Sequence[HubEvent]) -> None:
        """Record a new position, and the events up to it."""
        now = self._monotonic()
        began, _ = self._steps[-1]
        if now < began + _STEP_S and len(self._steps) > 1:
            self._steps[-1] = (began, position)
        else:
            self._steps.append((now, position))
        for event in events:
            self._found[_key(event)] = event

    def due_in(self) -> float | None:
        """Return the seconds until a second search is due; None when every followed block was searched twice."""
        waiting = (at for at, position in self._steps if position.number > self.searched.number)
        return next((max(at + AGE_S + _STEP_S - self._monotonic(), 0.0) for at in waiting), None)

    def due(self) -> Cursor:
        """Return the last block that is due for a second search; `searched` when none is."""
        began = self._monotonic() - AGE_S - _STEP_S
        aged = [position for at, position in self._steps if at <= began]
        return max([*aged, self.searched], key=lambda position: position.number)

    def searched_to(self, last: Cursor) -> None:
        """Record that the blocks up to `last` need no further search."""
        self.searched = last
        while len(self._steps) > 1 and self._steps[0][1].number <= last.number:
            self._steps.popleft()
        self._found = {
            key: event for key, event in self._found.items() if event.position.block_number > last.number
        }

    def missed(self, events: Sequence[HubEvent]) -> list[HubEvent]:
        """Return the events that the first search did not find."""
        return [event for event in events if _key(event) not in self._found]

    def gone(self, events: Sequence[HubEvent], last: int) -> list[HubEvent]:
        """Return the events up to a block that the first search found and the second did not."""
        again = set(map(_key, events))
        return [
            event
            for key, event in self._found.items()
            if event.position.block_number <= last and key not in again
        ]

    def reverted(self, ancestor: Cursor) -> None:
        """Drop the blocks and events above an ancestor."""
        self.searched = min(self.searched, ancestor, key=lambda position: position.number)
        self._steps = deque([(self._monotonic(), ancestor)])
        self._found = {
            key: event for key, event in self._found.items() if event.position.block_number <= ancestor.number
        }


def _key(event: HubEvent) -> tuple[bytes, int]:
    return event.position.block_hash, event.position.log_index
