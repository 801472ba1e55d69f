"""The capacity for tasks of given terms: exact for one worker per task, and never too high for several."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workerpool_order_publisher.domain.supply import Requirement, Supply, WorkerGroup, capacity
from workerpool_poco.protocol.tags import TeeFramework

STANDARD = Requirement()
GROUPS = st.lists(
    st.builds(WorkerGroup, free_slots=st.integers(1, 4), workers=st.integers(1, 3)), max_size=3, unique=True
)


def fits(free: list[int], tasks: int, per_task: int) -> bool:
    """Return whether tasks can be placed on different workers each, by trying every placement."""
    if tasks == 0:
        return True
    for chosen in combinations(range(len(free)), per_task):
        if all(free[worker] > 0 for worker in chosen):
            rest = [slots - (worker in chosen) for worker, slots in enumerate(free)]
            if fits(rest, tasks - 1, per_task):
                return True
    return False


def slots(groups: list[WorkerGroup]) -> list[int]:
    return [group.free_slots for group in groups for _ in range(group.workers)]


@given(GROUPS, st.integers(0, 20), st.integers(0, 20))
def test_with_one_worker_per_task_every_slot_counts(
    groups: list[WorkerGroup], pending: int, taken: int
) -> None:
    supply = Supply(1, tuple(groups), pending)
    assert capacity(supply, STANDARD, 1, taken) == max(sum(slots(groups)) - pending - taken, 0)


@given(
    st.lists(st.builds(WorkerGroup, free_slots=st.integers(1, 3), workers=st.just(1)), max_size=4),
    st.integers(2, 3),
    st.data(),
)
def test_the_tasks_fit_whichever_slots_others_take(
    groups: list[WorkerGroup], per_task: int, data: st.DataObject
) -> None:
    free = slots(groups)
    pending = data.draw(st.integers(0, sum(free)))
    found = capacity(Supply(1, tuple(groups), pending), STANDARD, per_task)
    for _ in range(pending):
        taken = data.draw(st.sampled_from([worker for worker, left in enumerate(free) if left]))
        free[taken] -= 1
    assert fits(free, found, per_task)


@given(
    st.lists(st.builds(WorkerGroup, free_slots=st.integers(1, 3), workers=st.just(1)), max_size=4),
    st.integers(2, 3),
)
def test_without_other_tasks_the_capacity_is_exact(groups: list[WorkerGroup], per_task: int) -> None:
    found = capacity(Supply(1, tuple(groups)), STANDARD, per_task)
    assert not fits(slots(groups), found + 1, per_task)


def test_nothing_can_be_served_while_core_assigns_nothing() -> None:
    assert capacity(Supply(1, (WorkerGroup(4, 4),), accepts_work=False), STANDARD, 1) == 0


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        (STANDARD, 15),
        (Requirement(gpu=True), 1),
        (Requirement(TeeFramework.SCONE), 2),
        (Requirement(TeeFramework.GRAMINE), 2),
        (Requirement(TeeFramework.TDX), 4),
        (Requirement(TeeFramework.TDX, gpu=True), 0),
    ],
)
def test_only_workers_with_the_hardware_count(requirement: Requirement, expected: int) -> None:
    groups = (
        WorkerGroup(8, 1),
        WorkerGroup(1, 1, gpu=True),
        WorkerGroup(2, 1, sgx=True),
        WorkerGroup(4, 1, tdx=True),
    )
    assert capacity(Supply(1, groups), requirement, 1) == expected


def test_a_gpu_pool_needs_gpus_for_standard_tags_too() -> None:
    assert Requirement.of("0x" + "00" * 32, gpu_pool=True) == Requirement(gpu=True)
    assert Requirement.of(f"0x{0x109:064x}") == Requirement(TeeFramework.TDX, gpu=True)
