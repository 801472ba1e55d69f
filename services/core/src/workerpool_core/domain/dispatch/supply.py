"""Indexes of tasks that need workers and of workers that have a free slot.

Tasks wait in queues by required hardware and by status (RUNNING before INITIALIZED). Inside a queue requesters take
turns, and the tasks of one requester are ordered by contribution deadline. Workers are queued by capability. So a
search never visits a task or worker that cannot match.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.domain.dispatch.hardware import Capability, Requirement, requirement_of
from workerpool_core.domain.model import Task

_Entry = tuple[float, int, TaskId]
_QueueKey = tuple[TaskStatus, Requirement]
_Queue = dict[str, list[_Entry]]
_RANKS = (TaskStatus.RUNNING, TaskStatus.INITIALIZED)


@dataclass(slots=True)
class WaitingTasks:
    """Tasks that need at least one more worker."""

    _queues: dict[_QueueKey, _Queue] = field(default_factory=dict)
    _positions: dict[TaskId, tuple[_QueueKey, str, _Entry]] = field(default_factory=dict)
    _count: int = 0
    version: int = 0
    """Incremented with every new task; a worker that found nothing at a version finds nothing until it rises."""

    def __contains__(self, task_id: TaskId) -> bool:
        return task_id in self._positions

    def __len__(self) -> int:
        return len(self._positions)

    def add(self, task: Task) -> bool:
        """Queue a task, or requeue it if its status changed; return whether it was not waiting before."""
        key = (task.status, requirement_of(task.terms.tag))
        known = self._positions.get(task.task_id)
        if known is not None:
            if known[0] == key:
                return False
            self.remove(task.task_id)
        self._count += 1
        entry = (task.terms.contribution_deadline, self._count, task.task_id)
        requester = task.terms.requester
        insort(self._queues.setdefault(key, {}).setdefault(requester, []), entry)
        self._positions[task.task_id] = (key, requester, entry)
        self.version += known is None
        return known is None

    def remove(self, task_id: TaskId) -> None:
        """Remove a task, if it is waiting."""
        found = self._positions.pop(task_id, None)
        if found is None:
            return
        key, requester, entry = found
        entries = self._queues[key][requester]
        del entries[bisect_left(entries, entry)]
        if not entries:
            del self._queues[key][requester]

    def rotate(self, requester: str) -> None:
        """Move a requester that was just served to the end of every queue."""
        for queue in self._queues.values():
            if requester in queue:
                queue[requester] = queue.pop(requester)

    def next_for(self, capability: Capability, suits: Callable[[TaskId], bool]) -> TaskId | None:
        """Return the first suitable task for a worker, by status, hardware, requester and deadline."""
        for rank in _RANKS:
            for requirement in self._requirements(rank, capability):
                for entries in self._queues[rank, requirement].values():
                    for _, _, task_id in entries:
                        if suits(task_id):
                            return task_id
        return None

    def _requirements(self, rank: TaskStatus, capability: Capability) -> Iterator[Requirement]:
        """Return the requirements that a worker meets, special hardware first: others can run standard tasks."""
        found = [r for status, r in self._queues if status is rank and capability.meets(r)]
        return iter(sorted(found, key=lambda r: (r.framework is None) + (not r.gpu)))


def in_supply_order(tasks: Iterable[Task]) -> list[Task]:
    """Order tasks that became ready together: RUNNING first, requesters in turns, earliest deadline first."""
    counts: dict[tuple[int, str], int] = {}
    ranked = []
    for task in sorted(tasks, key=lambda t: t.terms.contribution_deadline):
        line = (_RANKS.index(task.status), task.terms.requester)
        counts[line] = counts.get(line, 0) + 1
        ranked.append((line[0], counts[line], task))
    ranked.sort(key=lambda item: item[:2])
    return [task for _, _, task in ranked]


@dataclass(slots=True)
class FreeWorkers:
    """Wallets of workers with a free slot, by capability; the worker that was served last is at the end."""

    _queues: dict[Capability, dict[str, None]] = field(default_factory=dict)
    _capabilities: dict[str, Capability] = field(default_factory=dict)

    def __contains__(self, wallet: str) -> bool:
        return wallet in self._capabilities

    def add(self, wallet: str, capability: Capability) -> None:
        """Queue a worker at the end."""
        self.remove(wallet)
        self._capabilities[wallet] = capability
        self._queues.setdefault(capability, {})[wallet] = None
        if len(self._queues) > 1:
            self._queues = dict(sorted(self._queues.items(), key=lambda item: item[0].scarcity))

    def remove(self, wallet: str) -> None:
        """Remove a worker, if it is queued."""
        capability = self._capabilities.pop(wallet, None)
        if capability is not None:
            del self._queues[capability][wallet]

    def first_for(self, requirement: Requirement, suits: Callable[[str], bool]) -> str | None:
        """Return the suitable worker that has waited longest among those with the least special hardware."""
        for capability, queue in self._queues.items():
            if queue and capability.meets(requirement):
                for wallet in queue:
                    if suits(wallet):
                        return wallet
        return None
