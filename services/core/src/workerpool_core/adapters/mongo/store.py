"""What the application asks of the database."""

import asyncio
from collections.abc import Iterable, Sequence

from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern
from workerpool_kit.errors import DatabaseAway
from workerpool_kit.mongo import Database, repeated
from workerpool_poco.protocol.statuses import FINAL_TASK_STATUSES, TaskStatus

from workerpool_core.adapters.mongo import codec
from workerpool_core.adapters.mongo.changes import Bson, Change, merge_all
from workerpool_core.adapters.mongo.journal import Journal
from workerpool_core.app.ports import ComputeLogs, Cursor, TaskPosition, TaskQuery
from workerpool_core.domain.decisions import Write
from workerpool_core.domain.model import DealTerms, Replicate, Task
from workerpool_core.domain.policy import Policy
from workerpool_core.domain.snapshot import Snapshot

_PING_LIMIT_S = 3.0
_ENDED = [status.value for status in FINAL_TASK_STATUSES]


class Store:
    """Core's database. Nothing here holds up the event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # The collections hold nothing that the journal has not made durable, and what was just applied must be seen:
        # so they are read as they stand on the primary, without waiting for a majority.
        self._db = database.db.with_options(read_concern=ReadConcern("local"))
        self._at_once = database.asynchronous()
        self._journal = Journal(self._db, self._at_once)

    # --- writing ----------------------------------------------------------------------------

    async def append(self, number: int, changes: list[Change]) -> list[Change]:
        """Make a batch durable as journal entry `number`; return it merged and marked with that number."""
        merged = merge_all(changes)
        for change in merged:
            change.first = change.last = number
        content = [change.to_bson() for change in merged]
        await repeated(lambda: self._journal.append(number, content))
        return merged

    async def apply(self, changes: list[Change]) -> None:
        """Bring the collections up to date with durable changes. Raises StoreDiverged."""
        await self._database.insist(self._journal.apply, changes)

    async def trim(self, number: int) -> None:
        """Remove journal entries before `number`, which are applied."""
        await self._database.insist(self._journal.trim, number)

    @staticmethod
    def encode(writes: Sequence[Write]) -> list[Change]:
        """Return the changes that the scheduler's writes ask for; call it before the scheduler runs again."""
        return [codec.encode(write) for write in writes]

    # --- starting ---------------------------------------------------------------------------

    async def recover(self) -> int:
        """Finish what a death interrupted; return the number of the newest journal entry."""
        return await self._database.run(self._journal.replay)

    async def snapshot(self, policy: Policy, now: float) -> Snapshot:
        """Load what a start at `now` (Unix seconds) takes up, however long the history behind it is.

        Those are the tasks that `must_load` names, with their replicates, every worker, and every command
        that is not acknowledged.
        """
        return await self._database.run(self._load, policy, now)

    def _load(self, policy: Policy, now: float) -> Snapshot:
        cursor = self._cursor()
        head = cursor.number if cursor else 0
        terms: dict[str, DealTerms] = {}
        tasks: dict[str, Task] = {}
        for document in self._db["task"].find(remembered(policy, now, head)):
            shared = terms.get(document["deal_id"]) or codec.terms_of(document["terms"])
            terms[shared.deal_id] = shared
            tasks[document["_id"]] = codec.task_of(document, shared)
        for ids in _chunks(list(tasks), 1000):
            for document in self._db["replicate"].find({"task_id": {"$in": ids}}):
                replicate = codec.replicate_of(document)
                tasks[replicate.task_id].replicates[replicate.wallet] = replicate
        workers = [codec.worker_of(document) for document in self._db["worker"].find()]
        commands = [codec.command_of(document) for document in self._db["command"].find()]
        over = {"status": {"$in": _ENDED}, "terms.contribution_deadline": {"$gt": now}}
        ended = {found["_id"] for found in self._db["task"].find(over, {"_id": 1})} - tasks.keys()
        return Snapshot(tuple(tasks.values()), tuple(workers), tuple(commands), frozenset(ended), head)

    async def cursor(self) -> Cursor | None:
        """Return the last block whose effects are all stored; None before the first."""
        return await self._database.run(self._cursor)

    def _cursor(self) -> Cursor | None:
        found = self._db["cursor"].find_one({"_id": codec.CURSOR_ID})
        return Cursor(found["number"], found["hash"]) if found else None

    async def latest_deal_block(self) -> int:
        """Return the newest block with a deal that became tasks; 0 before the first."""
        newest = [("terms.block", -1)]
        found = await self._database.run(self._db["task"].find_one, {}, {"terms.block": 1}, sort=newest)
        return int(found["terms"]["block"]) if found else 0

    # --- reading ----------------------------------------------------------------------------

    async def ping(self) -> None:
        """Return when a primary answers. Raises DatabaseAway; within a few seconds even if the server hangs."""
        try:
            # Not in the thread pool: calls that hang there would keep the question from being asked.
            async with asyncio.timeout(_PING_LIMIT_S):
                await self._at_once.command("ping")
        except (PyMongoError, TimeoutError) as error:
            raise DatabaseAway(f"no primary of the database answers ({type(error).__name__})") from error

    async def task(self, task_id: str) -> Task | None:
        """Read one task with its replicates."""
        return await self._database.ask(self._task, task_id)

    def _task(self, task_id: str) -> Task | None:
        document = self._db["task"].find_one({"_id": task_id})
        if document is None:
            return None
        task = codec.task_of(document)
        for found in self._db["replicate"].find({"task_id": task_id}):
            replicate = codec.replicate_of(found)
            task.replicates[replicate.wallet] = replicate
        return task

    async def replicate(self, task_id: str, wallet: str) -> Replicate | None:
        """Read one worker's work on one task."""
        key = {"_id": codec.pair_id(task_id, wallet)}
        found = await self._database.ask(self._db["replicate"].find_one, key)
        return codec.replicate_of(found) if found else None

    async def tasks(self, query: TaskQuery, after: TaskPosition | None, limit: int) -> list[Task]:
        """Return up to `limit` tasks without replicates, newest deal first, after a position."""
        return await self._database.ask(self._tasks, query, after, limit)

    def _tasks(self, query: TaskQuery, after: TaskPosition | None, limit: int) -> list[Task]:
        conditions: Bson = {}
        if query.statuses:
            conditions["status"] = {"$in": list(query.statuses)}
        if query.deal_id:
            conditions["deal_id"] = query.deal_id
        if query.requester:
            conditions["terms.requester"] = query.requester
        if query.wallet:
            taken = self._db["replicate"].find({"wallet": query.wallet}, {"task_id": 1}).sort("_id", -1)
            conditions["_id"] = {"$in": [found["task_id"] for found in taken.limit(_MOST_TASKS_OF_A_WORKER)]}
        if after is not None:
            conditions["$or"] = [
                {"terms.block": {"$lt": after.block}},
                {"terms.block": after.block, "deal_id": {"$gt": after.deal_id}},
                {"terms.block": after.block, "deal_id": after.deal_id, "index": {"$gt": after.index}},
            ]
        order = [("terms.block", -1), ("deal_id", 1), ("index", 1)]
        return [codec.task_of(found) for found in self._db["task"].find(conditions).sort(order).limit(limit)]

    async def status_counts(self) -> dict[str, int]:
        """Count the tasks in each status."""
        pipeline = [{"$group": {"_id": "$status", "count": {"$sum": 1}}}]

        def count() -> dict[str, int]:
            return {found["_id"]: found["count"] for found in self._db["task"].aggregate(pipeline)}

        return await self._database.run(count)

    # --- compute logs -----------------------------------------------------------------------

    async def logs(self, task_id: str, wallet: str = "") -> list[ComputeLogs]:
        """Return the compute logs of a task, of one worker only if `wallet` is given."""
        condition = {"task_id": task_id} | ({"wallet": wallet} if wallet else {})

        def read() -> list[ComputeLogs]:
            found = self._db["taskLogs"].find(condition).sort("wallet", 1)
            return [ComputeLogs(item["wallet"], item["stdout"], item["stderr"]) for item in found]

        return await self._database.ask(read)

    async def purge_logs(self, final_deadline_before: float) -> int:
        """Delete the logs of tasks whose final deadline lies before a date; return how many. Raises DatabaseAway."""
        return await self._database.ask(self._purge_logs, final_deadline_before)

    def _purge_logs(self, date: float) -> int:
        logs = self._db.get_collection("taskLogs", write_concern=WriteConcern(w="majority", j=True))
        purged = 0
        # Not `distinct`, whose answer is one document: it holds the ids of some 200,000 tasks and no more.
        each = logs.aggregate([{"$sort": {"task_id": 1}}, {"$group": {"_id": "$task_id"}}])
        for ids in _chunks([found["_id"] for found in each], 1000):
            old = self._db["task"].find(
                {"_id": {"$in": ids}, "terms.final_deadline": {"$lt": date}}, {"_id": 1}
            )
            purged += logs.delete_many({"task_id": {"$in": [found["_id"] for found in old]}}).deleted_count
        return purged


_MOST_TASKS_OF_A_WORKER = 10_000


def remembered(policy: Policy, now: float, head: int) -> Bson:
    """Return the query for the tasks of which `must_load` is true; each part of it has its index."""
    ways: list[Bson] = [
        {"status": {"$nin": _ENDED}},
        {"claim_due": True},
        {"status": TaskStatus.COMPLETED.value, "final_block": 0},
        {"ended_at": {"$gt": now - policy.ended_retention_s}},
    ]
    if head > 0:
        within_reach = {"$gt": max(head - policy.reorganisation_blocks, 0)}
        ways.append({"status": {"$in": _ENDED}, "final_block": within_reach})
    return {"$or": ways}


def _chunks(items: list[str], size: int) -> Iterable[list[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
