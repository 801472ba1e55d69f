"""What every store does: the simulation's ledger in memory, and MongoDB.

The simulation proves properties of the scheduler over the ledger. They hold for the service only if both stores agree.
"""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from workerpool_core.domain import decisions as d
from workerpool_core.domain.model import (
    Action,
    Command,
    Modifier,
    PoolDeal,
    Receipt,
    Replicate,
    ReplicateChange,
    Task,
    TaskChange,
    Worker,
)
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.snapshot import Snapshot
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause, TaskStatus

NOW = 1_700_000_000.5
POLICY = Policy()
WALLET = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
OTHER = "0x365E7BABAa85eC61Dffe5b520763062e6C29dA27"
MakeTask = Callable[..., Task]
MakeReplicate = Callable[..., Replicate]


async def loaded(store: Any, now: float = NOW) -> Snapshot:
    """Return what a start loads."""
    snapshot: Snapshot = await store.snapshot(POLICY, now)
    return snapshot


async def only_task(store: Any) -> Task:
    (task,) = (await loaded(store)).tasks
    return task


def step(
    task: Task, expected: ReplicateStatus, *statuses: ReplicateStatus, **fields: object
) -> d.ReplicateChanged:
    """Return the change of the replicate of `WALLET` from a status through others."""
    changes = tuple(ReplicateChange(status, NOW, Modifier.WORKER) for status in statuses)
    return d.ReplicateChanged(task.task_id, WALLET, expected, changes, fields)


# --- each kind of write -------------------------------------------------------------------------


async def test_an_empty_store_starts_from_nothing(any_store: Any) -> None:
    assert await loaded(any_store) == Snapshot()


async def test_a_created_task_is_loaded(any_store: Any, make_task: MakeTask) -> None:
    task = make_task()
    await any_store.write(d.TaskCreated(task))
    assert await only_task(any_store) == task


async def test_a_task_is_created_once(any_store: Any, make_task: MakeTask) -> None:
    task = make_task()
    initializing = TaskChange(TaskStatus.INITIALIZING, NOW)
    await any_store.write(
        d.TaskCreated(task), d.TaskChanged(task.task_id, TaskStatus.RECEIVED, (initializing,))
    )
    await any_store.write(d.TaskCreated(make_task()))
    assert (await only_task(any_store)).status is TaskStatus.INITIALIZING


async def test_a_changed_task_has_the_whole_history_and_the_new_fields(
    any_store: Any, make_task: MakeTask
) -> None:
    task = make_task()
    await any_store.write(d.TaskCreated(task))
    change = TaskChange(TaskStatus.INITIALIZED, NOW + 1, Receipt(5, "0x01"))
    moved = replace(task.terms, block=task.terms.block + 3)
    fields: dict[str, object] = {"initialization_block": 5, "terms": moved, "sms_url": "http://sms"}
    await any_store.write(d.TaskChanged(task.task_id, TaskStatus.RECEIVED, (change,), fields))
    found = await only_task(any_store)
    assert found.history == [*task.history, change]
    assert (found.initialization_block, found.terms, found.sms_url) == (5, moved, "http://sms")


async def test_a_replicate_belongs_to_its_task(
    any_store: Any, make_task: MakeTask, make_replicate: MakeReplicate
) -> None:
    task = make_task()
    replicate = make_replicate(task)
    await any_store.write(d.TaskCreated(task), d.ReplicateCreated(replicate))
    assert (await only_task(any_store)).replicates == {WALLET: replicate}


async def test_a_changed_replicate_has_the_whole_history_and_the_new_fields(
    any_store: Any, make_task: MakeTask, make_replicate: MakeReplicate
) -> None:
    task = make_task()
    await any_store.write(d.TaskCreated(task), d.ReplicateCreated(make_replicate(task)))
    failed = ReplicateChange(
        ReplicateStatus.START_FAILED, NOW, Modifier.WORKER, ReplicateStatusCause.STAKE_TOO_LOW, Receipt(6)
    )
    await any_store.write(step(task, ReplicateStatus.CREATED, ReplicateStatus.STARTING))
    await any_store.write(
        d.ReplicateChanged(task.task_id, WALLET, ReplicateStatus.STARTING, (failed,), {"exit_code": 3})
    )
    found = (await only_task(any_store)).replicates[WALLET]
    assert [change.status for change in found.history] == ["CREATED", "STARTING", "START_FAILED"]
    assert (found.history[-1], found.exit_code) == (failed, 3)


async def test_several_changes_of_one_batch_apply_in_order(
    any_store: Any, make_task: MakeTask, make_replicate: MakeReplicate
) -> None:
    task = make_task()
    await any_store.write(
        d.TaskCreated(task),
        d.ReplicateCreated(make_replicate(task)),
        step(task, ReplicateStatus.CREATED, ReplicateStatus.STARTING, ReplicateStatus.STARTED),
        step(task, ReplicateStatus.STARTED, ReplicateStatus.APP_DOWNLOADING, result_link="first"),
        step(task, ReplicateStatus.APP_DOWNLOADING, result_link="second"),
    )
    found = (await only_task(any_store)).replicates[WALLET]
    assert (len(found.history), found.result_link) == (4, "second")


async def test_the_first_logs_of_a_replicate_are_stored(any_store: Any, make_task: MakeTask) -> None:
    task = make_task()
    await any_store.write(d.TaskCreated(task), d.LogsStored(task.task_id, WALLET, "out", "err"))
    await any_store.write(
        d.LogsStored(task.task_id, WALLET, "later", ""), d.LogsStored(task.task_id, OTHER, "other", "")
    )
    logs = {each.wallet: (each.stdout, each.stderr) for each in await any_store.logs(task.task_id)}
    assert logs == {WALLET: ("out", "err"), OTHER: ("other", "")}


async def test_the_last_state_of_a_worker_is_stored(any_store: Any, worker: Worker) -> None:
    await any_store.write(d.WorkerSaved(worker))
    drained = replace(worker, drained_until=float("inf"), consecutive_failures=2)
    await any_store.write(d.WorkerSaved(drained))
    assert (await loaded(any_store)).workers == (drained,)


async def test_a_command_is_pending_until_it_is_removed(any_store: Any) -> None:
    first = Command(WALLET, 1, "0x01", Action.ABORT, 3, ReplicateStatusCause.CONSENSUS_REACHED)  # type: ignore[arg-type]
    second = replace(first, sequence=2, action=Action.REVEAL, cause=None)
    await any_store.write(d.CommandQueued(first), d.CommandQueued(second))
    assert set((await loaded(any_store)).commands) == {first, second}
    await any_store.write(d.CommandRemoved(WALLET, 1))
    await any_store.write(d.CommandRemoved(WALLET, 1))
    assert (await loaded(any_store)).commands == (second,)


async def test_the_cursor_is_the_head_of_the_next_start(any_store: Any) -> None:
    await any_store.write(d.CursorMoved(12, "0xaa"))
    await any_store.write(d.CursorMoved(11, "0xbb"))
    assert (await loaded(any_store)).head == 11


# --- conflicts ----------------------------------------------------------------------------------


async def test_a_change_of_a_task_in_another_status_is_a_conflict(
    any_store: Any, make_task: MakeTask
) -> None:
    task = make_task()
    await any_store.write(d.TaskCreated(task))
    failed = TaskChange(TaskStatus.FAILED, NOW)
    with pytest.raises(any_store.conflict):
        await any_store.write(d.TaskChanged(task.task_id, TaskStatus.RUNNING, (failed,)))


async def test_a_change_of_an_unknown_task_is_a_conflict(any_store: Any, make_task: MakeTask) -> None:
    with pytest.raises(any_store.conflict):
        await any_store.write(d.TaskChanged(make_task().task_id, TaskStatus.RUNNING, ()))


async def test_a_change_of_a_replicate_in_another_status_is_a_conflict(
    any_store: Any, make_task: MakeTask, make_replicate: MakeReplicate
) -> None:
    task = make_task()
    await any_store.write(d.TaskCreated(task), d.ReplicateCreated(make_replicate(task)))
    with pytest.raises(any_store.conflict):
        await any_store.write(step(task, ReplicateStatus.COMPUTING, ReplicateStatus.COMPUTED))


async def test_a_second_replicate_of_a_worker_is_a_conflict(
    any_store: Any, make_task: MakeTask, make_replicate: MakeReplicate
) -> None:
    task = make_task()
    await any_store.write(d.TaskCreated(task), d.ReplicateCreated(make_replicate(task)))
    with pytest.raises(any_store.conflict):
        await any_store.write(d.ReplicateCreated(make_replicate(task)))


async def test_a_second_command_with_one_sequence_is_a_conflict(any_store: Any) -> None:
    command = Command(WALLET, 1, "0x01", Action.REVEAL)  # type: ignore[arg-type]
    await any_store.write(d.CommandQueued(command))
    with pytest.raises(any_store.conflict):
        await any_store.write(d.CommandQueued(command))


# --- snapshots and starts -----------------------------------------------------------------------


async def test_a_snapshot_shares_nothing_with_the_store(any_store: Any, make_task: MakeTask) -> None:
    await any_store.write(d.TaskCreated(make_task()))
    (await only_task(any_store)).history.clear()
    assert len((await only_task(any_store)).history) == 1


async def test_deal_dry_bag_a_deal_is_loaded_with_its_first_index_without_a_task(
    any_store: Any, make_task: MakeTask
) -> None:
    task = make_task(status=TaskStatus.FAILED)
    terms = replace(task.terms, bot_first=task.index, bot_size=1_000_000)
    deal = PoolDeal(terms)
    await any_store.write(d.DealSaved(deal), d.TaskCreated(replace(task, terms=terms)))
    after_retention = NOW + POLICY.ended_retention_s
    assert (await loaded(any_store, after_retention)) == Snapshot(deals=((deal, task.index + 1),))
    moved = PoolDeal(replace(terms, block=99), on_chain=False)
    await any_store.write(d.DealSaved(moved))
    await any_store.restart()
    assert (await loaded(any_store, after_retention)).deals == ((moved, task.index + 1),)
    await any_store.write(d.DealRemoved(terms.deal_id, 7))
    assert (await loaded(any_store, terms.contribution_deadline)).deals == ()


async def test_deal_dry_bag_a_deal_without_tasks_starts_at_its_first_index(
    any_store: Any, make_task: MakeTask
) -> None:
    deal = PoolDeal(replace(make_task().terms, bot_first=5))
    await any_store.crash_after(d.DealSaved(deal))
    assert (await loaded(any_store)).deals == ((deal, 5),)


@pytest.mark.parametrize("head", [0, 20, 100])
async def test_ended_tasks_are_loaded_while_a_reorganisation_can_open_them(
    any_store: Any, make_task: MakeTask, head: int
) -> None:
    tasks = [make_task(number) for number in (1, 36, 37, 100)]
    for task in tasks:
        task.history.append(TaskChange(TaskStatus.COMPLETED, NOW - POLICY.ended_retention_s))
        task.final_block = task.terms.block
    await any_store.write(*map(d.TaskCreated, tasks))
    if head:
        await any_store.write(d.CursorMoved(head, "0x"))
    oldest = max(head - POLICY.reorganisation_blocks, 0) if head else 10**9
    expected = {task.task_id for task in tasks if task.final_block > oldest}
    assert {task.task_id for task in (await loaded(any_store)).tasks} == expected


async def test_everything_survives_a_restart(
    any_store: Any, make_task: MakeTask, make_replicate: MakeReplicate, worker: Worker
) -> None:
    task = make_task()
    await any_store.write(
        d.TaskCreated(task),
        d.ReplicateCreated(make_replicate(task)),
        d.WorkerSaved(worker),
        d.CursorMoved(3, "0x"),
    )
    before = await loaded(any_store)
    await any_store.restart()
    await any_store.restart()
    assert await loaded(any_store) == before


async def test_a_durable_batch_survives_a_crash_before_it_is_applied(
    any_store: Any, make_task: MakeTask, make_replicate: MakeReplicate
) -> None:
    task = make_task()
    await any_store.write(
        d.TaskCreated(task), d.ReplicateCreated(make_replicate(task)), d.CursorMoved(1, "0x")
    )
    await any_store.crash_after(
        step(task, ReplicateStatus.CREATED, ReplicateStatus.STARTING), d.CursorMoved(2, "0x")
    )
    await any_store.write(step(task, ReplicateStatus.STARTING, ReplicateStatus.STARTED))
    found = await loaded(any_store)
    assert found.head == 2
    history = found.tasks[0].replicates[WALLET].history
    assert [change.status for change in history] == ["CREATED", "STARTING", "STARTED"]


# --- both against each other --------------------------------------------------------------------


class Writer:
    """Draws writes that mostly fit what was written before."""

    def __init__(self, seed: int, make_task: MakeTask, make_replicate: MakeReplicate, worker: Worker) -> None:
        self._random = Random(seed)
        self._make_task = make_task
        self._make_replicate = make_replicate
        self._worker = worker
        self._tasks = [make_task(number) for number in (1, 2, 3)]
        self._statuses: dict[object, Any] = {}

    def draw(self) -> d.Write:
        """Return the next write."""
        random, task = self._random, self._random.choice(self._tasks)
        match random.randrange(7):
            case 0:
                self._statuses.setdefault(task.task_id, TaskStatus.RECEIVED)
                return d.TaskCreated(self._make_task(task.terms.block))
            case 1:
                expected = self._expected(task.task_id, TaskStatus.RUNNING)
                status = random.choice(list(TaskStatus))
                self._statuses[task.task_id] = status
                return d.TaskChanged(task.task_id, expected, (TaskChange(status, NOW),), {"winner_count": 1})
            case 2:
                self._statuses.setdefault((task.task_id, WALLET), ReplicateStatus.CREATED)
                return d.ReplicateCreated(self._make_replicate(task))
            case 3:
                expected = self._expected((task.task_id, WALLET), ReplicateStatus.STARTED)
                reached = random.choice(list(ReplicateStatus))
                self._statuses[task.task_id, WALLET] = reached
                change = ReplicateChange(reached, NOW, Modifier.WORKER)
                return d.ReplicateChanged(
                    task.task_id, WALLET, expected, (change,), {"result_link": reached.value}
                )
            case 4:
                return d.WorkerSaved(replace(self._worker, consecutive_failures=random.randrange(9)))
            case 5:
                return d.CommandRemoved(WALLET, random.randrange(3))
            case _:
                return d.CursorMoved(random.randrange(100), "0x")

    def _expected(self, key: object, other: Any) -> Any:
        return self._statuses.get(key, other) if self._random.random() < 0.97 else other


@pytest.mark.parametrize("seed", range(20))
async def test_both_stores_hold_the_same_after_the_same_writes(
    seed: int,
    mongo_store: Any,
    ledger_store: Any,
    make_task: MakeTask,
    make_replicate: MakeReplicate,
    worker: Worker,
) -> None:
    writer = Writer(seed, make_task, make_replicate, worker)
    for number in range(30):
        write = writer.draw()
        if await conflicts(ledger_store, write):
            assert await conflicts(mongo_store, write), f"only the ledger refuses write {number}: {write}"
            break
        if number % 7 == 6:
            await mongo_store.crash_after(write)
        else:
            assert not await conflicts(mongo_store, write), f"only MongoDB refuses write {number}: {write}"
    assert by_key(await loaded(mongo_store)) == by_key(await loaded(ledger_store))


async def conflicts(store: Any, write: d.Write) -> bool:
    """Write; return whether the store refused it."""
    try:
        await store.write(write)
    except store.conflict:
        return True
    return False


def by_key(snapshot: Snapshot) -> tuple[Any, ...]:
    """Return a snapshot without the order of its parts."""
    return (
        {task.task_id: task for task in snapshot.tasks},
        {worker.wallet: worker for worker in snapshot.workers},
        set(snapshot.commands),
        {deal: after for deal, after in snapshot.deals if deal.terms.deal_id not in snapshot.unsaved_deals},
        snapshot.head,
    )
