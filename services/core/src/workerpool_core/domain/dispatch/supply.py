"""Indexes of tasks that want workers and of workers that have a free slot.

A task waits in a shelf for its kind of work (enclave framework, GPU) and rank (RUNNING before INITIALIZED).
Inside a shelf requesters take turns, and each requester's tasks stand by contribution deadline. Workers
stand by what they can do. So neither side ever walks past what could not match anyway.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from workerpool_poco.protocol.statuses import TaskStatus
from workerpool_poco.protocol.tags import TeeFramework, requires_gpu, tee_framework

from workerpool_core.domain.model import Task, WorkerModel


@dataclass(frozen=True, slots=True)
class Need:
    """The special hardware that a task's tag asks for; the enclave nibble is masked out of the tag."""

    framework: TeeFramework | None
    gpu: bool


@dataclass(frozen=True, slots=True)
class Ability:
    """The special hardware that a worker has."""

    sgx: bool
    tdx: bool
    gpu: bool

    def can(self, need: Need) -> bool:
        """Tell whether work of this kind can run there."""
        if need.gpu and not self.gpu:
            return False
        if need.framework is None:
            return True
        return self.tdx if need.framework is TeeFramework.TDX else self.sgx

    @property
    def rarity(self) -> int:
        """How special the worker is; plain work goes to plain workers first."""
        return self.sgx + self.tdx + self.gpu


@lru_cache(maxsize=4096)
def need_of(tag: str) -> Need:
    """Read a tag."""
    return Need(tee_framework(tag), requires_gpu(tag))


def needs_enclave(tag: str) -> bool:
    """Tell whether a tag asks for a known enclave framework; any other nibble is a standard task."""
    return need_of(tag).framework is not None


@lru_cache(maxsize=4096)
def ability_of(model: WorkerModel) -> Ability:
    """Read a worker's model."""
    return Ability(model.sgx, model.tdx, model.gpus > 0)


_Entry = tuple[float, int, str]
_Shelf = dict[str, list[_Entry]]
_RANKS = (TaskStatus.RUNNING, TaskStatus.INITIALIZED)


@dataclass(slots=True)
class WaitingTasks:
    """Tasks that want at least one more worker."""

    _shelves: dict[tuple[TaskStatus, Need], _Shelf] = field(default_factory=dict)
    _where: dict[str, tuple[tuple[TaskStatus, Need], str, _Entry]] = field(default_factory=dict)
    _count: int = 0
    version: int = 0
    """Rises with every task that joins; what did not suit a worker at a version does not suit it later."""

    def __contains__(self, task_id: str) -> bool:
        return task_id in self._where

    def __len__(self) -> int:
        return len(self._where)

    def add(self, task: Task) -> bool:
        """Shelve a task, again if its rank changed; return whether it was not waiting before."""
        shelf_key = (task.status, need_of(task.terms.tag))
        known = self._where.get(task.task_id)
        if known is not None:
            if known[0] == shelf_key:
                return False
            self.remove(task.task_id)
        self._count += 1
        entry = (task.terms.contribution_deadline, self._count, task.task_id)
        requester = task.terms.requester
        insort(self._shelves.setdefault(shelf_key, {}).setdefault(requester, []), entry)
        self._where[task.task_id] = (shelf_key, requester, entry)
        self.version += known is None
        return known is None

    def remove(self, task_id: str) -> None:
        """Take a task off its shelf, if it stands there."""
        found = self._where.pop(task_id, None)
        if found is None:
            return
        shelf_key, requester, entry = found
        row = self._shelves[shelf_key][requester]
        del row[bisect_left(row, entry)]
        if not row:
            del self._shelves[shelf_key][requester]

    def served(self, task: Task) -> None:
        """Let the task's requester go to the end of the line in every shelf where he waits."""
        requester = task.terms.requester
        for shelf in self._shelves.values():
            if requester in shelf:
                shelf[requester] = shelf.pop(requester)

    def best_for(self, ability: Ability, suits: Callable[[str], bool]) -> str | None:
        """Return the task to give next to a worker: of its kind, first in order, and suitable."""
        for rank in _RANKS:
            for need in self._needs(rank, ability):
                for row in self._shelves[rank, need].values():
                    for _, _, task_id in row:
                        if suits(task_id):
                            return task_id
        return None

    def _needs(self, rank: TaskStatus, ability: Ability) -> Iterator[Need]:
        """Special work first: others can do the plain work."""
        found = [need for shelf_rank, need in self._shelves if shelf_rank is rank and ability.can(need)]
        return iter(sorted(found, key=lambda need: (need.framework is None) + (not need.gpu)))


def in_turn(tasks: Iterable[Task]) -> list[Task]:
    """Order tasks that became ready together: RUNNING first, requesters in turn, earliest deadline first."""
    rows: dict[tuple[int, str], int] = {}
    ranked = []
    for task in sorted(tasks, key=lambda t: t.terms.contribution_deadline):
        line = (_RANKS.index(task.status), task.terms.requester)
        rows[line] = rows.get(line, 0) + 1
        ranked.append((line[0], rows[line], task))
    ranked.sort(key=lambda item: item[:2])
    return [task for _, _, task in ranked]


@dataclass(slots=True)
class FreeWorkers:
    """Wallets of workers that can take work now, by ability, the one served last at the end."""

    _lines: dict[Ability, dict[str, None]] = field(default_factory=dict)
    _where: dict[str, Ability] = field(default_factory=dict)

    def __contains__(self, wallet: str) -> bool:
        return wallet in self._where

    def add(self, wallet: str, ability: Ability) -> None:
        """Line up a worker at the end."""
        self.remove(wallet)
        self._where[wallet] = ability
        self._lines.setdefault(ability, {})[wallet] = None
        if len(self._lines) > 1:
            self._lines = dict(sorted(self._lines.items(), key=lambda item: item[0].rarity))

    def remove(self, wallet: str) -> None:
        """Take a worker out of its line."""
        ability = self._where.pop(wallet, None)
        if ability is not None:
            del self._lines[ability][wallet]

    def first_for(self, need: Need, suits: Callable[[str], bool]) -> str | None:
        """Return the suitable worker that waits longest among the least special ones."""
        for ability, line in self._lines.items():
            if line and ability.can(need):
                for wallet in line:
                    if suits(wallet):
                        return wallet
        return None
