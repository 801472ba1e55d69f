"""Effects follow the durable writes of their outcome and of everything before it, in order."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import bson
import pytest
from patience import PATIENCE_S
from workerpool_core.adapters.mongo.changes import Change, merge_all
from workerpool_core.adapters.mongo.store import Store
from workerpool_core.app.engine import group_commit
from workerpool_core.app.engine.group_commit import GroupCommit
from workerpool_core.domain import decisions as d
from workerpool_core.domain.model import Modifier, ReplicateChange
from workerpool_kit.process import Lifetime
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus


class SlowStore:
    """A store whose disk the test holds: `append` waits for `release`."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, list[Change]]] = []
        self.applied: list[Change] = []
        self.trimmed = 0
        self.failure: Exception | None = None
        self._released = asyncio.Semaphore(0)
        self.writing = asyncio.Event()

    def release(self, batches: int = 1) -> None:
        for _ in range(batches):
            self._released.release()

    async def append(self, number: int, changes: list[Change]) -> list[Change]:
        self.writing.set()
        await self._released.acquire()
        if self.failure is not None:
            raise self.failure
        merged = merge_all(changes)
        self.entries.append((number, merged))
        return merged

    async def apply(self, changes: list[Change]) -> None:
        self.applied += changes

    async def trim(self, number: int) -> None:
        self.trimmed = number

    def encode(self, writes: Sequence[d.Write]) -> list[Change]:
        return Store.encode(writes)


class Harness:
    """Group commit over a slow store, and the effects that happened, each with the batches durable by then."""

    def __init__(self) -> None:
        self.store = SlowStore()
        self.lifetime = Lifetime()
        self.done: list[tuple[str, int]] = []
        self.commit = GroupCommit(self.store, 0, self._perform)
        self.on_effect: dict[str, Any] = {}

    def _perform(self, effect: d.Effect) -> None:
        assert isinstance(effect, d.NotifyWatchers)
        self.done.append((effect.task_id, len(self.store.entries)))
        if (then := self.on_effect.pop(effect.task_id, None)) is not None:
            then()

    def put(self, name: str, *, block: int | None = None) -> None:
        """Put an outcome with one effect, and with one write if `block` is given."""
        writes: list[d.Write] = [] if block is None else [d.CursorMoved(block, name)]
        self.commit.put(d.Outcome(writes, [d.NotifyWatchers(TaskId(name))]))

    def blocks(self) -> list[list[int]]:
        return [[change.document["number"] for change in changes] for _, changes in self.store.entries]


@pytest.fixture
async def harness() -> AsyncIterator[Harness]:
    harness = Harness()
    harness.commit.start(harness.lifetime)
    yield harness
    await harness.lifetime.cancel_spawned()


async def test_an_effect_waits_for_its_write(harness: Harness) -> None:
    harness.put("a", block=1)
    await harness.store.writing.wait()
    assert harness.done == []
    harness.store.release()
    await harness.commit.drained()
    assert harness.done == [("a", 1)]


async def test_outcomes_put_during_a_write_become_one_merged_batch(harness: Harness) -> None:
    harness.put("a", block=1)
    await harness.store.writing.wait()
    for number in (2, 3, 4):
        harness.put(str(number), block=number)
    harness.store.release(2)
    await harness.commit.drained()
    assert harness.blocks() == [[1], [4]]
    assert harness.done == [("a", 1), ("2", 2), ("3", 2), ("4", 2)]
    assert [number for number, _ in harness.store.entries] == [1, 2]


async def test_an_outcome_without_writes_waits_for_earlier_ones(harness: Harness) -> None:
    harness.put("first", block=1)
    harness.put("second")
    await harness.store.writing.wait()
    assert harness.done == []
    harness.store.release()
    await harness.commit.drained()
    assert harness.done == [("first", 1), ("second", 1)]


async def test_an_outcome_without_writes_is_performed_at_once_when_idle(harness: Harness) -> None:
    harness.put("now")
    assert harness.done == [("now", 0)]
    assert harness.store.entries == []


async def test_an_outcome_without_effects_shares_the_entry_of_the_next_one(harness: Harness) -> None:
    harness.store.release(2)
    for number in (1, 2):
        harness.commit.put(d.Outcome([d.CursorMoved(number, "foreign")], []))
        await asyncio.sleep(0)
    assert harness.store.entries == []
    harness.put("own", block=3)
    await harness.commit.drained()
    assert harness.blocks() == [[3]]


async def test_an_outcome_without_effects_is_written_soon(harness: Harness) -> None:
    harness.store.release(2)
    for wait in (asyncio.sleep(0), harness.commit.drained(), harness.commit.durable()):
        harness.commit.put(d.Outcome([d.CursorMoved(1, "foreign")], []))
        await wait
        async with asyncio.timeout(PATIENCE_S):
            while not harness.store.entries:
                await asyncio.sleep(0.001)
        harness.store.entries.clear()
        harness.store.release()


async def test_an_outcome_without_effects_put_during_a_write_is_written_too(harness: Harness) -> None:
    harness.put("own", block=1)
    await harness.store.writing.wait()
    harness.commit.put(d.Outcome([d.CursorMoved(2, "foreign")], []))
    harness.store.release(2)
    async with asyncio.timeout(PATIENCE_S):
        while len(harness.store.entries) < 2:
            await asyncio.sleep(0.001)


async def test_an_outcome_put_by_an_effect_follows_its_batch(harness: Harness) -> None:
    harness.on_effect["a"] = lambda: harness.put("caused by a")
    harness.put("a", block=1)
    harness.put("b", block=2)
    harness.store.release()
    await harness.commit.drained()
    assert [name for name, _ in harness.done] == ["a", "b", "caused by a"]


async def test_a_failed_write_stops_the_process_before_any_effect(harness: Harness) -> None:
    harness.store.failure = RuntimeError("disk full")
    harness.put("a", block=1)
    harness.store.release()
    await harness.lifetime.stopped()
    assert harness.lifetime.failure is harness.store.failure
    assert harness.done == []


async def test_a_store_that_does_not_answer_is_noticed(harness: Harness) -> None:
    assert harness.commit.stalled_s() == 0
    harness.put("a", block=1)
    await harness.store.writing.wait()
    async with asyncio.timeout(PATIENCE_S):
        while harness.commit.stalled_s() < 0.02:
            await asyncio.sleep(0.01)
    harness.store.release()
    await harness.commit.visible()
    await harness.commit.drained()
    await harness.commit.visible()
    assert harness.commit.stalled_s() == 0


async def test_of_repeated_requests_during_an_outage_only_the_newest_is_carried_out(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "_STALLED_S", 0.0)
    performed: list[d.Effect] = []
    monkeypatch.setattr(harness.commit, "_perform", performed.append)
    task = TaskId("a")
    harness.put("first", block=1)
    await harness.store.writing.wait()
    await asyncio.sleep(0.001)
    for second in range(1_000):
        watch = d.NotifyWatchers(TaskId(str(second)))
        effects: list[d.Effect] = [d.ReadTask(task, (), float(second)), d.CheckResult(task)]
        harness.commit.put(d.Outcome([], [*effects, watch] if second in (0, 999) else effects))
    harness.commit.put(d.Outcome([], [d.ReadTask(task, ("0xWorker",), 5.0)]))
    harness.store.release(2)
    await harness.commit.drained()
    assert performed == [
        d.NotifyWatchers(TaskId("first")),
        d.ReadTask(task, (), 999.0),
        d.CheckResult(task),
        d.NotifyWatchers(TaskId("0")),
        d.NotifyWatchers(TaskId("999")),
        d.ReadTask(task, ("0xWorker",), 5.0),
    ]
    harness.commit.put(d.Outcome([], [d.CheckResult(task)]))
    await harness.commit.drained()
    assert performed[-1] == d.CheckResult(task)


async def test_later_changes_of_a_written_object_are_not_stored(harness: Harness, make_task: Any) -> None:
    task = make_task()
    harness.commit.put(d.Outcome([d.TaskCreated(task)], []))
    task.result_link = "changed later"
    harness.store.release()
    await harness.commit.drained()
    ((_, (change,)),) = harness.store.entries
    assert change.document["result_link"] == ""


async def test_visible_waits_for_the_collections(harness: Harness) -> None:
    harness.put("a", block=1)
    harness.store.release()
    await harness.commit.drained()
    await harness.commit.visible()
    assert [change.document["number"] for change in harness.store.applied] == [1]


async def test_durable_waits_for_every_outcome_so_far_and_for_no_later_one(harness: Harness) -> None:
    await harness.commit.durable()
    harness.put("a", block=1)
    await harness.store.writing.wait()
    harness.put("b", block=2)
    waiting = asyncio.create_task(harness.commit.durable())
    await asyncio.sleep(0)
    harness.put("c", block=3)
    # "b" and "c" share the second batch.
    for batches in (1, 2):
        assert not waiting.done()
        harness.store.release()
        async with asyncio.timeout(PATIENCE_S):
            while len(harness.store.entries) < batches:
                await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_S):
        await waiting


async def test_durable_waits_for_the_last_part_of_a_split_outcome(harness: Harness, make_task: Any) -> None:
    harness.commit.put(d.Outcome([d.TaskCreated(make_task(number)) for number in range(9_000)], []))
    waiting = asyncio.create_task(harness.commit.durable())
    harness.store.release(10)
    async with asyncio.timeout(PATIENCE_S):
        await waiting
    assert sum(len(changes) for _, changes in harness.store.entries) == 9_000


async def test_an_outcome_too_large_for_one_entry_is_split_before_its_effects(
    harness: Harness, make_task: Any
) -> None:
    writes: list[d.Write] = [d.TaskCreated(make_task(number)) for number in range(9_000)]
    harness.commit.put(d.Outcome([*writes, d.CursorMoved(7, "0x")], [d.NotifyWatchers(TaskId("bag"))]))
    harness.store.release(10)
    await harness.commit.drained()
    sizes = [len(changes) for _, changes in harness.store.entries]
    assert sum(sizes) == 9_001
    assert len(sizes) > 2
    assert harness.done == [("bag", len(sizes))]
    assert harness.store.entries[-1][1][-1].collection == "cursor"


async def test_long_texts_do_not_make_an_entry_too_large(harness: Harness) -> None:
    text = "x" * 100_000
    logs: list[d.Write] = [d.LogsStored(TaskId(f"0x{number}"), "w", text, text) for number in range(40)]
    harness.commit.put(d.Outcome(logs, []))
    harness.store.release(40)
    await harness.commit.drained()
    for _, changes in harness.store.entries:
        assert sum(4 * len(c.document["stdout"] + c.document["stderr"]) for c in changes) < 16_000_000


async def test_long_callback_data_does_not_make_an_entry_too_large(harness: Harness) -> None:
    fields: dict[str, object] = {"callback_data": "0x" + "ab" * 32_768, "result_link": "x" * 4_096}
    for number in range(400):
        step = ReplicateChange(ReplicateStatus.RESULT_UPLOADED, 1.0, Modifier.WORKER)
        write = d.ReplicateChanged(
            TaskId(f"0x{number:064x}"), "0xWorker", ReplicateStatus.RESULT_UPLOADING, (step,), fields
        )
        harness.commit.put(d.Outcome([write], []))
    harness.store.release(400)
    await harness.commit.drained()
    assert all(
        len(bson.encode({"changes": [change.to_bson() for change in changes]})) < 8_000_000
        for _, changes in harness.store.entries
    )
    assert sum(len(changes) for _, changes in harness.store.entries) == 400


async def test_applied_entries_are_trimmed(harness: Harness) -> None:
    for number in range(1, 131):
        harness.put(str(number), block=number)
        harness.store.release()
        await harness.commit.drained()
        await harness.commit.visible()
    assert harness.store.trimmed >= 64
