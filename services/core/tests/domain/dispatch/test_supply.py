"""Queues of waiting tasks and free workers."""

from collections.abc import Callable

from workerpool_core.domain.dispatch.free_workers import FreeWorkers
from workerpool_core.domain.dispatch.hardware import Capability, requirement_of
from workerpool_core.domain.dispatch.supply import WaitingTasks
from workerpool_core.domain.model import Task, TaskChange
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import TaskStatus

PLAIN = Capability(sgx=False, tdx=False, gpu=False)
SGX = Capability(sgx=True, tdx=False, gpu=False)
SCONE = f"0x{3:064x}"
MakeTask = Callable[..., Task]


def drained(waiting: WaitingTasks, capability: Capability) -> list[TaskId]:
    """Return the order in which a worker with unlimited slots gets the tasks."""
    order = []
    while (found := waiting.next_for(capability, lambda _: True)) is not None:
        order.append(found)
        waiting.remove(found)
    return order


def test_running_tasks_come_first_and_then_the_earliest_deadline(add_task: MakeTask) -> None:
    late = add_task(1, TaskStatus.INITIALIZED, contribution_deadline=900.0)
    early = add_task(2, TaskStatus.INITIALIZED, contribution_deadline=800.0)
    running = add_task(3, TaskStatus.RUNNING, contribution_deadline=950.0)
    waiting = WaitingTasks()
    for task in (late, early, running):
        assert waiting.add(task)
    assert drained(waiting, PLAIN) == [running.task_id, early.task_id, late.task_id]
    assert len(waiting) == 0


def test_a_capable_worker_gets_special_tasks_first(add_task: MakeTask) -> None:
    standard, enclave = add_task(1), add_task(2, tag=SCONE)
    waiting = WaitingTasks()
    for task in (standard, enclave):
        waiting.add(task)
    assert drained(waiting, SGX) == [enclave.task_id, standard.task_id]
    waiting.add(enclave)
    assert waiting.next_for(PLAIN, lambda _: True) is None


def test_a_served_requester_moves_to_the_end(add_task: MakeTask) -> None:
    tasks = [add_task(number, requester=requester) for number, requester in enumerate("aab", 1)]
    waiting = WaitingTasks()
    for task in tasks:
        waiting.add(task)
    waiting.charge(tasks[0].terms)
    assert waiting.next_for(PLAIN, lambda _: True) == tasks[2].task_id


def test_only_new_tasks_raise_the_version(add_task: MakeTask) -> None:
    task = add_task(1, TaskStatus.INITIALIZED)
    waiting = WaitingTasks()
    assert waiting.add(task)
    assert not waiting.add(task)
    task.history.append(TaskChange(TaskStatus.RUNNING, 0.0))
    assert not waiting.add(task), "a requeued task was waiting before"
    assert waiting.version == 1
    waiting.remove(task.task_id)
    waiting.remove(task.task_id)
    assert task.task_id not in waiting


def test_tasks_that_become_ready_together_alternate_between_requesters(add_task: MakeTask) -> None:
    first, second = (
        add_task(number, requester="a", contribution_deadline=float(number)) for number in (1, 2)
    )
    other = add_task(3, requester="b", contribution_deadline=3.0)
    assert WaitingTasks().in_supply_order([second, other, first]) == [first, other, second]


def test_the_least_special_worker_that_waited_longest_is_first() -> None:
    free = FreeWorkers()
    free.add("sgx", SGX)
    free.add("first", PLAIN)
    free.add("second", PLAIN)
    standard = requirement_of(f"0x{0:064x}")
    assert free.first_for(standard, lambda _: True) == "first"
    free.add("first", PLAIN)
    assert free.first_for(standard, lambda _: True) == "second"
    assert free.first_for(requirement_of(SCONE), lambda _: True) == "sgx"
    free.remove("sgx")
    assert free.first_for(requirement_of(SCONE), lambda _: True) is None
