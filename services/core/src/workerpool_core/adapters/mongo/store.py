"""Core's store: the journal on the write side, queries of the collections on the read side."""

from collections.abc import Sequence

from pymongo.read_concern import ReadConcern
from workerpool_kit.mongo.database import Database
from workerpool_kit.mongo.outages import retry_outages
from workerpool_poco.protocol.ids import DealId, TaskId
from workerpool_poco.protocol.statuses import TaskStatus

from workerpool_core.adapters.mongo import deal_queries, queries, removals, writes
from workerpool_core.adapters.mongo.changes import Change, merge_all
from workerpool_core.adapters.mongo.journal import Journal
from workerpool_core.adapters.mongo.snapshots import load_cursor, load_snapshot
from workerpool_core.app.ports import ComputeLogs, Cursor, DealPosition, StoredDeal, TaskPosition, TaskQuery
from workerpool_core.domain.decisions import CursorMoved, Write
from workerpool_core.domain.model import Replicate, Task
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.snapshot import Snapshot


class Store:
    """The ports `DurableStore`, `TaskRepository`, `DealRepository`, `LogRepository` and `EndedTasks` over MongoDB.

    Synchronous calls run in the database's thread pool, so nothing blocks the event loop. Writes, and the reads of a
    start, wait during an outage.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._event_loop_client = database.event_loop_database()
        local = database.db.with_options(read_concern=ReadConcern("local"))
        self._journal = Journal(local, self._event_loop_client)

    # --- writing ----------------------------------------------------------------------------

    @staticmethod
    def encode(decided: Sequence[Write]) -> list[Change]:
        """Return the changes of writes. Call it before the scheduler changes their objects again."""
        return [writes.encode(write) for write in decided]

    async def append(self, number: int, changes: list[Change]) -> list[Change]:
        """Make a batch durable as journal entry `number`; return it merged and marked with that number."""
        merged = merge_all(changes)
        for change in merged:
            change.first = change.last = number
        content = [change.to_bson() for change in merged]
        await retry_outages(lambda: self._journal.append(number, content))
        return merged

    async def apply(self, changes: list[Change]) -> None:
        """Apply durable changes to the collections. Raises StoreDiverged."""
        await self._database.run_with_retry(self._journal.apply, changes)

    async def trim(self, number: int) -> None:
        """Remove the journal entries before `number`, all of which are applied."""
        await self._database.run_with_retry(self._journal.trim, number)

    # --- starting ---------------------------------------------------------------------------

    async def recover(self) -> int:
        """Apply the journal after a crash; return the number that the next entry follows."""
        return await self._database.run_with_retry(self._journal.recover)

    async def snapshot(self, policy: Policy, now: float) -> Snapshot:
        """Load the state for a start at `now` (Unix seconds); its size does not depend on the history."""
        return await self._database.run_with_retry(load_snapshot, policy, now)

    async def cursor(self) -> Cursor | None:
        """Return the last block whose effects are all stored; None before the first."""
        return await self._database.run_with_retry(load_cursor)

    async def reset_cursor(self, first_block: int) -> Cursor | None:
        """Make the next start follow the chain from `first_block`; return the previous cursor.

        Call it only while no core uses the database. The new cursor is a separate journal entry, so that a replay keeps
        it.
        """
        newest = await self.recover()
        previous = await self.cursor()
        moved = CursorMoved(first_block - 1, "")
        await self.apply(await self.append(newest + 1, self.encode([moved])))
        return previous

    async def latest_deal_block(self) -> int:
        """Return the newest block with a deal that became tasks; 0 before the first."""
        return await self._database.run_with_retry(queries.latest_deal_block)

    async def status_counts(self) -> dict[TaskStatus, int]:
        """Count the tasks in each status, with those that were removed."""
        return await self._database.run_with_retry(queries.status_counts)

    # --- reading ----------------------------------------------------------------------------

    async def task(self, task_id: TaskId) -> Task | None:
        """Read one task with its replicates. Raises DatabaseUnavailable."""
        return await self._database.run_once(queries.task, task_id)

    async def replicate(self, task_id: TaskId, wallet: str) -> Replicate | None:
        """Read the replicate of one worker for one task. Raises DatabaseUnavailable."""
        return await self._database.run_once(queries.replicate, task_id, wallet)

    async def tasks(self, query: TaskQuery, after: TaskPosition | None, limit: int) -> list[Task]:
        """Read up to `limit` tasks without replicates after a position, newest deal first.

        Raises DatabaseUnavailable.
        """
        return await self._database.run_once(queries.tasks, query, after, limit)

    async def with_replicates(self, tasks: Sequence[Task]) -> None:
        """Add the stored replicates to tasks that were read without them. Raises DatabaseUnavailable."""
        await self._database.run_once(queries.add_replicates, tasks)

    async def deals(self, requester: str, after: DealPosition | None, limit: int) -> list[StoredDeal]:
        """Read up to `limit` deals after a position, newest first; only those of `requester` unless it is empty.


        Raises DatabaseUnavailable.
        """
        return await self._database.run_once(deal_queries.deals, requester, after, limit)

    async def deal(self, deal_id: DealId) -> StoredDeal | None:
        """Read one deal. Raises DatabaseUnavailable."""
        return await self._database.run_once(deal_queries.deal, deal_id)

    # --- compute logs -----------------------------------------------------------------------

    async def logs(self, task_id: TaskId, wallet: str = "") -> list[ComputeLogs]:
        """Read the compute logs of a task; only those of `wallet` unless it is empty. Raises DatabaseUnavailable."""
        return await self._database.run_once(queries.logs, task_id, wallet)

    async def purge_logs(self, final_deadline_before: float) -> int:
        """Delete the logs of tasks whose final deadline is before a date, and return their number.


        Raises DatabaseUnavailable.
        """
        return await self._database.run_once(queries.purge_logs, final_deadline_before)

    # --- retention --------------------------------------------------------------------------

    async def remove_ended_tasks(self, policy: Policy, before: float) -> int:
        """Remove some tasks that ended long ago; see `EndedTasks`. Raises DatabaseUnavailable."""
        database = self._database
        return await database.run_once(
            removals.remove_ended_tasks, database.client, database.db, policy, before
        )
