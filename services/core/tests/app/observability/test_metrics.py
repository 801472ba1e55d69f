"""The documented metrics under their documented names, and durations."""

from collections.abc import Callable
from dataclasses import replace

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import generate_latest
from workerpool_core.app.observability.metrics import Observer, PoolCollector
from workerpool_core.app.observability.worker_series import WorkerTally
from workerpool_core.app.queries.pool_view import PoolSummary
from workerpool_core.domain import decisions as d
from workerpool_core.domain.events import Tick
from workerpool_core.domain.model import Modifier, Replicate, ReplicateChange, Task, TaskChange
from workerpool_poco.protocol.ids import Address
from workerpool_poco.protocol.model import Block
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause, TaskStatus

NOW = 1_700_000_000.5
SUMMARY = PoolSummary(
    pool=Address("0x12"),
    alive_workers=2,
    registered_cpus=8,
    computing_cpus=3,
    registered_gpus=1,
    computing_gpus=0,
    tasks_by_status={status: 0 for status in TaskStatus} | {TaskStatus.RUNNING: 4},
    latest_block=None,
    queue_oldest_s=12.5,
    cursor_block=9,
    deal_events=6,
    deals=5,
    latest_deal_block=7,
)


def test_prometheus_finds_the_documented_names() -> None:
    registry = CollectorRegistry()
    registry.register(PoolCollector(lambda: SUMMARY, "1.2"))
    lines = generate_latest(registry).decode().splitlines()
    for line in (
        'iexec_core_tasks_count{period="current",status="RUNNING"} 4.0',
        "iexec_core_workers 2.0",
        "iexec_core_cpu_registered 8.0",
        "iexec_core_cpu_computing 3.0",
        "iexec_core_gpu_registered 1.0",
        "iexec_core_gpu_computing 0.0",
        "iexec_core_deals_total 5.0",
        "iexec_core_deals_events_total 6.0",
        "iexec_core_deals_last_block_total 7.0",
        "iexec_chain_block_latest 0.0",
        "workerpool_core_queue_oldest_seconds 12.5",
        'workerpool_core_pool_info{workerpool="0x12"} 1.0',
        'iexec_version_info{iexecAppName="workerpool-core",iexecAppVersion="1.2"} 1.0',
    ):
        assert line in lines


def test_the_age_of_the_newest_block_is_known_once_there_is_one() -> None:
    registry = CollectorRegistry()
    summary = SUMMARY
    registry.register(PoolCollector(lambda: summary, "1.2"))
    name = "workerpool_core_head_timestamp_seconds"
    assert registry.get_sample_value(name) is None
    summary = replace(SUMMARY, latest_block=Block(8, b"8", b"7", 1_700_000_001))
    assert registry.get_sample_value(name) == 1_700_000_001


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_every_stage_of_a_replicate_is_measured(
    make_task: Callable[..., Task], make_replicate: Callable[..., Replicate]
) -> None:
    task = make_task()
    replicate = task.replicates["w"] = make_replicate(task, "w")
    created = replicate.history[0].date
    changes = tuple(
        ReplicateChange(status, created + later, Modifier.WORKER)
        for status, later in ((ReplicateStatus.STARTING, 1.0), (ReplicateStatus.STARTED, 3.5))
    )
    replicate.history += changes
    before = sample("workerpool_core_replicate_stage_seconds_sum", status="STARTED")
    observer = Observer({task.task_id: task}, task_ended=lambda _status: None, deal_taken=lambda: None)
    write = d.ReplicateChanged(task.task_id, "w", ReplicateStatus.CREATED, changes)
    observer.observe(Tick(), d.Outcome([write]), created + 4)
    assert sample("workerpool_core_replicate_stage_seconds_sum", status="STARTED") - before == 2.5


def test_a_stage_that_is_no_longer_in_memory_is_ignored(
    make_task: Callable[..., Task], make_replicate: Callable[..., Replicate]
) -> None:
    """What is measured happened a moment ago; an error would be lost in the event loop, and with it what follows."""
    task = make_task()
    task.replicates["w"] = make_replicate(task, "w")
    gone = ReplicateChange(ReplicateStatus.STARTING, NOW, Modifier.WORKER)
    write = d.ReplicateChanged(task.task_id, "w", ReplicateStatus.CREATED, (gone,))
    created: list[bool] = []
    observer = Observer(
        {task.task_id: task}, task_ended=lambda _status: None, deal_taken=lambda: created.append(True)
    )
    observer.observe(Tick(), d.Outcome([write, d.TaskCreated(task)]), NOW)
    assert created


def test_the_queue_wait_of_a_task_ends_with_its_first_replicate(
    make_task: Callable[..., Task], make_replicate: Callable[..., Replicate]
) -> None:
    task = make_task(status=TaskStatus.INITIALIZED)
    wallets = [f"0x{number:040x}" for number in range(4)]
    observer = Observer({task.task_id: task}, task_ended=lambda _status: None, deal_taken=lambda: None)
    count, total = "workerpool_core_queue_wait_seconds_count", "workerpool_core_queue_wait_seconds_sum"
    before = sample(count), sample(total)
    for waited, several in ((3, wallets[:3]), (90, wallets[3:])):
        created = [make_replicate(task, wallet) for wallet in several]
        task.replicates.update(zip(several, created, strict=True))
        observer.observe(Tick(), d.Outcome([d.ReplicateCreated(each) for each in created]), NOW + waited)
    assert (sample(count) - before[0], sample(total) - before[1]) == (1, 3)


def test_an_assignment_never_sent_is_dropped_with_its_task(
    make_task: Callable[..., Task], make_replicate: Callable[..., Replicate]
) -> None:
    task = make_task()
    replicate = task.replicates["w"] = make_replicate(task, "w")
    observer = Observer({task.task_id: task}, task_ended=lambda _status: None, deal_taken=lambda: None)
    observer.observe(Tick(), d.Outcome([d.ReplicateCreated(replicate)]), NOW)
    changes = (TaskChange(TaskStatus.FAILED, NOW),)
    observer.observe(Tick(), d.Outcome([d.TaskChanged(task.task_id, task.status, changes)]), NOW)
    before = sample("workerpool_core_dispatch_seconds_count")
    observer.assigned(task.task_id, "w", NOW + 5)
    assert sample("workerpool_core_dispatch_seconds_count") == before


def test_deals_and_ends_are_counted_once(make_task: Callable[..., Task]) -> None:
    task, deals, ended = make_task(), [0], list[TaskStatus]()

    def deal_taken() -> None:
        deals[0] += 1

    observer = Observer({task.task_id: task}, task_ended=ended.append, deal_taken=deal_taken)
    now = task.history[0].date
    changes = (TaskChange(TaskStatus.FINAL_DEADLINE_REACHED, now), TaskChange(TaskStatus.FAILED, now))
    observer.observe(Tick(), d.Outcome([d.TaskCreated(task)]), now)
    observer.observe(Tick(), d.Outcome([d.TaskChanged(task.task_id, TaskStatus.RECEIVED, changes)]), now + 10)
    assert (deals, ended) == ([1], [TaskStatus.FAILED])


def test_ended_replicates_are_tallied_by_worker(
    make_task: Callable[..., Task], make_replicate: Callable[..., Replicate]
) -> None:
    task, tally = make_task(), WorkerTally()
    observer = Observer(
        {task.task_id: task}, task_ended=lambda _status: None, deal_taken=lambda: None, tally=tally
    )
    for wallet, status, cause in (
        ("good", ReplicateStatus.COMPLETED, None),
        ("bad", ReplicateStatus.COMPUTE_FAILED, ReplicateStatusCause.APP_COMPUTE_FAILED),
    ):
        replicate = task.replicates[wallet] = make_replicate(task, wallet)
        change = ReplicateChange(status, NOW, Modifier.WORKER, cause)
        replicate.history.append(change)
        write = d.ReplicateChanged(task.task_id, wallet, ReplicateStatus.CREATED, (change,))
        observer.observe(Tick(), d.Outcome([write]), NOW)
    assert (tally.completed, tally.failed) == ({"good": 1}, {"bad": 1})


def test_the_series_of_ended_tasks_exist_before_the_first_one() -> None:
    """Without them the first completed task after a start would be in no rate."""
    for status in ("COMPLETED", "FAILED"):
        assert (
            REGISTRY.get_sample_value("workerpool_core_deal_to_final_seconds_count", {"status": status})
            is not None
        )
