"""The pool's supply: the free slots that core streams, and the number of tasks that fit into them."""

from dataclasses import dataclass

from workerpool_poco.protocol.tags import TeeFramework, requires_gpu, tee_framework


@dataclass(frozen=True, slots=True)
class WorkerGroup:
    """Workers with the same hardware and the same number of free slots."""

    free_slots: int
    workers: int
    gpu: bool = False
    sgx: bool = False
    tdx: bool = False


@dataclass(frozen=True, slots=True)
class Supply:
    """The supply that includes every deal up to the block `cursor`.

    `pending_slots` are the slots that bought tasks without a worker will take. While `accepts_work` is false, core
    assigns no tasks.
    """

    cursor: int
    groups: tuple[WorkerGroup, ...] = ()
    pending_slots: int = 0
    accepts_work: bool = True
    live_workers: int = 0
    total_slots: int = 0
    drained_workers: int = 0
    quarantined_workers: int = 0


@dataclass(frozen=True, slots=True)
class Requirement:
    """The special hardware that the tasks need; `framework` is None for standard tasks."""

    framework: TeeFramework | None = None
    gpu: bool = False

    @classmethod
    def of(cls, tag: str, *, gpu_pool: bool = False) -> "Requirement":
        """Return the requirement of a tag; a GPU pool sells slots with a GPU only."""
        return cls(tee_framework(tag), gpu_pool or requires_gpu(tag))

    def is_met_by(self, group: WorkerGroup) -> bool:
        """Return whether these workers can run the tasks."""
        if self.gpu and not group.gpu:
            return False
        if self.framework is None:
            return True
        return group.tdx if self.framework is TeeFramework.TDX else group.sgx


def capacity(supply: Supply, requirement: Requirement, workers_per_task: int, taken_slots: int = 0) -> int:
    """Return how many tasks the pool can serve besides those that take `taken_slots` and the pending slots.

    Each task needs `workers_per_task` different workers, so `n` tasks fit when the remaining free slots satisfy
    `Σ min(free, n) ≥ n · workers_per_task`. In the worst case, the other tasks take the scarcest slots.
    """
    if not supply.accepts_work:
        return 0
    groups = sorted(
        (group for group in supply.groups if requirement.is_met_by(group)), key=lambda group: group.free_slots
    )
    others = supply.pending_slots + taken_slots
    low, high = 0, max(sum(g.workers * g.free_slots for g in groups) - others, 0) // workers_per_task
    while low < high:
        middle = (low + high + 1) // 2
        if _usable(groups, middle, others) >= middle * workers_per_task:
            low = middle
        else:
            high = middle - 1
    return low


def _usable(groups: list[WorkerGroup], tasks: int, others: int) -> int:
    """Return the slots on different workers for `tasks` tasks that remain after `others` take the scarcest slots."""
    usable = 0
    for group in groups:
        each = min(group.free_slots, tasks)
        emptied = min(others // group.free_slots, group.workers)
        usable += (group.workers - emptied) * each
        others -= emptied * group.free_slots
        if emptied < group.workers and others:
            # One more worker loses the remaining `others`. Slots beyond one per task were not usable anyway.
            usable -= max(others - (group.free_slots - each), 0)
            others = 0
    return usable
