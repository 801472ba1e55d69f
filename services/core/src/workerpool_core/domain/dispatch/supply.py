"""Tasks that need workers, in the order in which they are assigned.


Tasks wait in lines by required hardware and by whether their workers lock a stake, so a search never visits a task
that the worker cannot run. In a line requesters share the slots fairly, then the deals of a requester. RUNNING tasks
of a requester come first, because a contribution waits for each of them. Equal deals are ordered by contribution
deadline. Every change costs a binary search.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush, merge
from typing import Any, NamedTuple, TypeVar

from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.domain.dispatch.fair_shares import FairShares
from workerpool_core.domain.dispatch.hardware import Capability, Requirement, requirement_of
from workerpool_core.domain.model import DealTerms, Task

K = TypeVar("K", bound=tuple[Any, ...])
_LineKey = tuple[Requirement, bool]
_Entry = tuple[float, int, TaskId]
_DealKey = tuple[float, float, int, str]


def cost_of(terms: DealTerms) -> float:
    """Return the seconds for which one assignment of a deal may use a slot."""
    return float(max(terms.max_execution_s, 1))


@dataclass(slots=True)
class _WaitingDeal:
    """INITIALIZED tasks of one deal; `key` is its place among the deals of its requester."""

    terms: DealTerms
    key: _DealKey
    entries: list[_Entry] = field(default_factory=list)


@dataclass(slots=True)
class _WaitingRequester:
    """Tasks of one requester in one line; `key` is its place among the requesters."""

    key: tuple[float, int, str]
    running: list[_Entry] = field(default_factory=list)
    deals: dict[str, _WaitingDeal] = field(default_factory=dict)
    order: list[_DealKey] = field(default_factory=list)

    def tasks(self, suits_deal: Callable[[DealTerms], bool]) -> Iterator[TaskId]:
        """Yield the tasks of suitable deals in order."""
        for _, _, task_id in self.running:
            yield task_id
        for key in self.order:
            deal = self.deals[key[3]]
            if suits_deal(deal.terms):
                for _, _, task_id in deal.entries:
                    yield task_id


@dataclass(slots=True)
class _Line:
    requesters: dict[str, _WaitingRequester] = field(default_factory=dict)
    order: list[tuple[float, int, str]] = field(default_factory=list)


class _Position(NamedTuple):
    line: _LineKey
    terms: DealTerms
    status: TaskStatus
    entry: _Entry


@dataclass(slots=True)
class WaitingTasks:
    """Tasks that need at least one more worker."""

    _lines: dict[_LineKey, _Line] = field(default_factory=dict)
    _served: dict[tuple[Capability, bool], list[list[_Line]]] = field(default_factory=dict)
    """The lines that workers can serve, by hardware and whether they have stake; kept until there is a new line."""
    _positions: dict[TaskId, _Position] = field(default_factory=dict)
    _requesters: FairShares = field(default_factory=FairShares)
    _deals: FairShares = field(default_factory=FairShares)
    _count: int = 0
    paid: int = 0
    """Waiting tasks whose workers lock a stake."""
    version: int = 0
    """Incremented with every new task; a worker that found nothing at a version finds nothing until it rises."""

    def __contains__(self, task_id: TaskId) -> bool:
        return task_id in self._positions

    def __len__(self) -> int:
        return len(self._positions)

    def __iter__(self) -> Iterator[TaskId]:
        return iter(self._positions)

    def add(self, task: Task) -> bool:
        """Queue a task, or requeue it if its status changed; return whether it was not waiting before."""
        known = self._positions.get(task.task_id)
        if known is not None:
            if known.status is task.status and known.terms is task.terms:
                return False
            self.remove(task.task_id)
        terms = task.terms
        line_key = (requirement_of(terms.tag), terms.worker_stake > 0)
        self._count += 1
        entry = (terms.contribution_deadline, self._count, task.task_id)
        self._positions[task.task_id] = _Position(line_key, terms, task.status, entry)
        line = self._lines.get(line_key)
        if line is None:
            line = self._lines[line_key] = _Line()
            self._served.clear()
        requester = self._requester(line, terms.requester)
        insort(self._entries(requester, task.status, terms), entry)
        self.paid += line_key[1]
        self.version += known is None
        return known is None

    def _requester(self, line: _Line, name: str) -> _WaitingRequester:
        found = line.requesters.get(name)
        if found is None:
            key = (self._requesters.start(name), self._count, name)
            found = line.requesters[name] = _WaitingRequester(key)
            insort(line.order, key)
        return found

    def _entries(self, requester: _WaitingRequester, status: TaskStatus, terms: DealTerms) -> list[_Entry]:
        if status is TaskStatus.RUNNING:
            return requester.running
        deal = requester.deals.get(terms.deal_id)
        if deal is None:
            start = self._deals.start(terms.deal_id)
            key = (start, terms.contribution_deadline, self._count, terms.deal_id)
            deal = requester.deals[terms.deal_id] = _WaitingDeal(terms, key)
            insort(requester.order, key)
        return deal.entries

    def remove(self, task_id: TaskId) -> None:
        """Remove a task, if it is waiting."""
        position = self._positions.pop(task_id, None)
        if position is None:
            return
        terms, line = position.terms, self._lines[position.line]
        requester = line.requesters[terms.requester]
        self.paid -= position.line[1]
        if position.status is TaskStatus.RUNNING:
            _delete(requester.running, position.entry)
        else:
            deal = requester.deals[terms.deal_id]
            _delete(deal.entries, position.entry)
            if not deal.entries:
                _delete(requester.order, deal.key)
                del requester.deals[terms.deal_id]
        if not requester.running and not requester.deals:
            _delete(line.order, requester.key)
            del line.requesters[terms.requester]

    def charge(self, terms: DealTerms) -> None:
        """Charge one assignment to a deal and its requester, which moves both behind those that got less."""
        cost = cost_of(terms)
        start = self._requesters.charge(terms.requester, cost)
        start_of_deal = self._deals.charge(terms.deal_id, cost)
        for line in self._lines.values():
            requester = line.requesters.get(terms.requester)
            if requester is None:
                continue
            _, count, name = requester.key
            requester.key = _moved(line.order, requester.key, (start, count, name))
            deal = requester.deals.get(terms.deal_id)
            if deal is not None:
                _, deadline, count, deal_id = deal.key
                deal.key = _moved(requester.order, deal.key, (start_of_deal, deadline, count, deal_id))

    def next_for(
        self,
        capability: Capability,
        suits: Callable[[TaskId], bool],
        *,
        with_stake: bool = True,
        suits_deal: Callable[[DealTerms], bool] = lambda _terms: True,
    ) -> TaskId | None:
        """Return the first suitable task for a worker: special hardware first, then by fair share and deadline.

        `with_stake` is False for a worker that can take free tasks only.
        """
        for lines in self._lines_for(capability, with_stake):
            found = [line for line in lines if line.order]
            # Almost always there is one line, which needs no merging.
            for _, _, name in found[0].order if len(found) == 1 else merge(*(line.order for line in found)):
                for line in found:
                    requester = line.requesters.get(name)
                    for task_id in requester.tasks(suits_deal) if requester is not None else ():
                        if suits(task_id):
                            return task_id
        return None

    def _lines_for(self, capability: Capability, with_stake: bool) -> list[list[_Line]]:
        """Return the lines that a worker can serve, by requirement.

        Special hardware comes first, because others can run standard tasks.
        """
        key = (capability, with_stake)
        found = self._served.get(key)
        if found is None:
            met = {requirement: None for requirement, _ in self._lines if capability.meets(requirement)}
            stakes = (False, True) if with_stake else (False,)
            found = self._served[key] = [
                [line for stake in stakes if (line := self._lines.get((requirement, stake))) is not None]
                for requirement in sorted(met, key=_rarity)
            ]
        return found

    def in_supply_order(self, tasks: Iterable[Task]) -> list[Task]:
        """Order tasks that became ready together as if they were assigned one after the other."""
        by_requester: dict[str, deque[Task]] = {}
        for task in sorted(tasks, key=self._rank):
            by_requester.setdefault(task.terms.requester, deque()).append(task)
        heap = [
            (self._requesters.start(name), place, found)
            for place, (name, found) in enumerate(by_requester.items())
        ]
        heapify(heap)
        ordered = []
        while heap:
            start, place, found = heappop(heap)
            task = found.popleft()
            ordered.append(task)
            if found:
                heappush(heap, (start + cost_of(task.terms), place, found))
        return ordered

    def _rank(self, task: Task) -> tuple[bool, float, float, int]:
        """Return a key that orders the tasks of one requester."""
        start = self._deals.start(task.terms.deal_id)
        return task.status is not TaskStatus.RUNNING, start, task.terms.contribution_deadline, task.index


def _rarity(requirement: Requirement) -> int:
    return (requirement.framework is None) + (not requirement.gpu)


def _moved(ordered: list[K], old: K, new: K) -> K:
    """Replace an item of an ordered list; return the new one."""
    if len(ordered) == 1:
        ordered[0] = new
    else:
        _delete(ordered, old)
        insort(ordered, new)
    return new


def _delete(ordered: list[Any], item: Any) -> None:
    del ordered[bisect_left(ordered, item)]
