"""Pieces of logs: what is stored first, then what running apps write, without repetition and with gaps marked."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_core.app.ports import ComputeLogs
from workerpool_core.app.queries import live_logs
from workerpool_core.app.queries.live_logs import LiveLogs
from workerpool_core.app.queries.log_tail import LogPiece, LogTail
from workerpool_core.app.queries.watchers import Watchers
from workerpool_core.domain.model import Modifier, Replicate, ReplicateChange, Task, TaskChange
from workerpool_core.errors import UnknownTask
from workerpool_core.simulation.deals import deal_terms
from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, TaskStatus

TASK = TaskId("0x" + "ab" * 32)
ALICE, BOB = "0x" + "11" * 20, "0x" + "22" * 20


class Stored:
    """The queries that the tail makes, over logs that a test stores."""

    def __init__(self) -> None:
        self.kept: dict[str, ComputeLogs] = {}
        self.live: LiveLogs
        self.reads = 0

    async def task(self, task_id: TaskId) -> None:
        if task_id != TASK:
            raise UnknownTask("there is none")

    async def logs(self, task_id: TaskId, wallet: str = "") -> list[ComputeLogs]:
        self.reads += 1
        found = [logs for logs in self.kept.values() if wallet in ("", logs.wallet)]
        return found + [logs for logs in self.live.of(task_id, wallet) if logs.wallet not in self.kept]


class Pool:
    """A task whose apps a test lets write and end."""

    def __init__(self, *wallets: str) -> None:
        terms = deal_terms(DealId("0x" + "01" * 32), start=0.0, execution_s=300)
        self.task = Task(TASK, 0, terms, [TaskChange(TaskStatus.RUNNING, 0.0)])
        for wallet in wallets:
            change = ReplicateChange(ReplicateStatus.COMPUTING, 0.0, Modifier.WORKER)
            self.task.replicates[wallet] = Replicate(TASK, wallet, 2, [change])
        self.changed = Watchers()
        self.live = LiveLogs({TASK: self.task}, changed=self.changed.moved)
        self.stored = Stored()
        self.stored.live = self.live
        queries: Any = self.stored
        self.tail = LogTail(queries, self.live, {TASK: self.task}, self.changed)

    def ends(self, wallet: str, stdout: str, stderr: str = "") -> None:
        """Let an app end and report its complete logs."""
        change = ReplicateChange(ReplicateStatus.COMPUTED, 1.0, Modifier.WORKER)
        self.task.replicates[wallet].history.append(change)
        self.live._take(TASK, wallet)
        self.stored.kept[wallet] = ComputeLogs(wallet, stdout, stderr)
        self.changed.moved(TASK)

    def ended(self) -> None:
        self.task.history.append(TaskChange(TaskStatus.COMPLETED, 2.0))
        self.changed.moved(TASK)


async def read(pieces: AsyncIterator[LogPiece]) -> list[LogPiece]:
    async with asyncio.timeout(PATIENCE_S):
        return [piece async for piece in pieces]


class Following:
    """A caller that follows and collects what it gets."""

    def __init__(self, pool: Pool, **options: Any) -> None:
        self.pieces: list[LogPiece] = []
        self.done = asyncio.create_task(self._run(pool.tail.pieces(TASK, follow=True, **options)))

    async def _run(self, pieces: AsyncIterator[LogPiece]) -> None:
        async for piece in pieces:
            self.pieces.append(piece)

    async def got(self, count: int) -> None:
        """Wait until so many pieces have come."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.pieces) < count:
                await asyncio.sleep(0)

    async def ended(self) -> list[LogPiece]:
        async with asyncio.timeout(PATIENCE_S):
            await self.done
        return self.pieces


async def test_without_following_what_is_stored_and_live_is_read_once() -> None:
    pool = Pool(ALICE, BOB)
    pool.ends(ALICE, "done\n", "warned\n")
    pool.live.add(TASK, BOB, stdout="running\n")
    assert await read(pool.tail.pieces(TASK)) == [
        LogPiece(BOB, False, "running\n"),
        LogPiece(ALICE, False, "done\n"),
        LogPiece(ALICE, True, "warned\n"),
    ]
    assert await read(pool.tail.pieces(TASK, BOB)) == [LogPiece(BOB, False, "running\n")]


async def test_only_the_last_lines_come_first_if_asked() -> None:
    pool = Pool(ALICE)
    pool.ends(ALICE, "".join(f"{number}\n" for number in range(100)), "one\ntwo")
    assert await read(pool.tail.pieces(TASK, tail_lines=2)) == [
        LogPiece(ALICE, False, "98\n99\n"),
        LogPiece(ALICE, True, "one\ntwo"),
    ]


async def test_following_sends_each_output_once_and_ends_with_the_task() -> None:
    pool = Pool(ALICE)
    pool.live.add(TASK, ALICE, stdout="tick\n")
    following = Following(pool)
    await following.got(1)
    pool.live.add(TASK, ALICE, stdout="tick\n")
    await following.got(2)
    pool.live.add(TASK, ALICE, stderr="oh\n")
    await following.got(3)
    pool.ends(ALICE, "tick\ntick\ntick\nbye\n", "oh\n")
    await following.got(4)
    pool.ended()
    assert await following.ended() == [
        LogPiece(ALICE, False, "tick\n"),
        LogPiece(ALICE, False, "tick\n"),
        LogPiece(ALICE, True, "oh\n"),
        LogPiece(ALICE, False, "tick\nbye\n"),
    ]
    assert pool.stored.reads == 3, "the store is read at first, when an app ended, and when the task did"


async def test_output_that_was_lost_on_its_way_is_found_in_the_complete_logs() -> None:
    pool = Pool(ALICE)
    pool.live.add(TASK, ALICE, stdout="three\n")
    following = Following(pool)
    await following.got(1)
    pool.ends(ALICE, "one\ntwo\nthree\nfour\n")
    pool.ended()
    assert await following.ended() == [LogPiece(ALICE, False, "three\n"), LogPiece(ALICE, False, "four\n")]


async def test_complete_logs_that_do_not_hold_what_was_sent_follow_a_gap() -> None:
    pool = Pool(ALICE)
    pool.live.add(TASK, ALICE, stdout="before the restart of the worker\n")
    following = Following(pool)
    await following.got(1)
    pool.ends(ALICE, "after\n")
    pool.ended()
    assert (await following.ended())[-1] == LogPiece(ALICE, False, "after\n", gap_before=True)


async def test_output_faster_than_the_kept_tail_leaves_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_logs, "MAX_LOG_CHARACTERS", 4)
    pool = Pool(ALICE)
    pool.live.add(TASK, ALICE, stdout="ab")
    following = Following(pool)
    await following.got(1)
    pool.live.add(TASK, ALICE, stdout="cdefgh")
    await following.got(2)
    pool.ended()
    assert (await following.ended())[1] == LogPiece(ALICE, False, "efgh", gap_before=True)


async def test_the_logs_of_an_unknown_task_are_refused() -> None:
    with pytest.raises(UnknownTask):
        await read(Pool().tail.pieces(TaskId("0x" + "00" * 32)))
