"""The supervisor of the worker's replicates: it starts them and routes the scheduler's messages to them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from workerpool_kit.logs import get_logger
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause

from workerpool_worker.app.claims import claim, disown
from workerpool_worker.app.ports import REMEMBERED_COMMANDS, JournalSnapshot
from workerpool_worker.app.replicate import Replicate, Step
from workerpool_worker.app.replicate_context import ReplicateContext
from workerpool_worker.domain.assignment import Assignment
from workerpool_worker.domain.departure import may_be_handed_over
from workerpool_worker.domain.record import Command, ReplicateRecord
from workerpool_worker.domain.stages import Action, Stage
from workerpool_worker.domain.unknown_task import statuses_for_unknown_task
from workerpool_worker.domain.updates import ERROR_MESSAGE_CHARACTERS, Details, Update

log = get_logger()

_NOT_ABORTABLE = frozenset({ReplicateStatus.ABORTED, ReplicateStatus.COMPLETING, ReplicateStatus.COMPLETED})

_REMEMBERED_ENDS = 20_000
"""Ended tasks that are remembered. The scheduler repeats an assignment within minutes, so this is ample."""


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """The scheduler's answer to an update.

    `abort` asks the worker to end the replicate. `unknown` says that the scheduler knows no such replicate.
    """

    sequence: int
    refused: bool
    abort: bool
    unknown: bool = False
    reason: str = ""
    message: str = ""


class Supervisor:
    """Owns the worker's replicates. Call all methods from the event loop's thread."""

    def __init__(
        self,
        context: ReplicateContext,
        steps: Mapping[Stage, Step],
        *,
        parse: Callable[[bytes], Assignment],
        on_crash: Callable[[BaseException], None],
    ) -> None:
        """Create a supervisor without replicates.

        Args:
            context: dependencies of the replicates.
            steps: the step of each stage.
            parse: reads a journaled assignment.
            on_crash: receives an exception that ended a replicate's task.
        """
        self._context = context
        self._steps = steps
        self._parse = parse
        self._on_crash = on_crash
        self._replicates: dict[TaskId, Replicate] = {}
        self._tasks: dict[TaskId, asyncio.Task[None]] = {}
        self._commands: set[int] = set()
        self._ended: dict[TaskId, None] = {}
        self._queued: dict[TaskId, Assignment] = {}
        """Assignments of tasks whose discarded replicate is still being removed."""
        self.draining = False

    # --- state for the stream ------------------------------------------------

    def held(self) -> list[ReplicateRecord]:
        """Return the records of all replicates except discarded ones."""
        return [each.record for each in self._replicates.values() if not each.discarded]

    @property
    def free_slots(self) -> int:
        """Slots that no replicate occupies. A replicate occupies a slot until COMPUTED."""
        used = sum(replicate.holds_slot for replicate in self._replicates.values())
        return max(self._context.policy.slots - used, 0)

    @property
    def gpus_in_use(self) -> int:
        """GPUs of the tasks that are being computed."""
        computing = (
            each for each in self._replicates.values() if each.record.status is ReplicateStatus.COMPUTING
        )
        return sum(each.gpus for each in computing)

    @property
    def is_idle(self) -> bool:
        """Whether the worker holds no replicate, and the scheduler has answered every report."""
        return not self._replicates and not len(self._context.outbox)

    # --- start and stop ------------------------------------------------------

    def resume(self, snapshot: JournalSnapshot) -> None:
        """Continue every replicate of the journal."""
        self._commands |= snapshot.commands
        self._ended |= dict.fromkeys(snapshot.ended)
        for wire, record in snapshot.replicates:
            log.info(
                "replicate.resumed", task=record.task_id, stage=record.stage.value, status=record.status.value
            )
            self._start(self._parse(wire), record)

    async def stop(self) -> None:
        """Stop the replicates without ending them: apps keep running, and the next start resumes them."""
        records = [replicate.record for replicate in self._replicates.values()]
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            # Not `end_tasks`: a second cancellation would cut short what an interrupted step still has to end.
            await asyncio.wait(tasks)
        if records:
            log.info(
                "replicates.suspended",
                count=len(records),
                running=sum(record.status is ReplicateStatus.COMPUTING for record in records),
            )

    async def hand_over(self, limit_s: float) -> list[TaskId]:
        """End the replicates that other workers can compute, without a report, and return their tasks.

        Waits `limit_s` seconds at most for the removal of their containers and files. Call it once the scheduler knows
        that this worker leaves.
        """
        given = [
            each.record.task_id
            for each in self._replicates.values()
            if not each.discarded and may_be_handed_over(each.record)
        ]
        ending = [self._tasks[task_id] for task_id in given]
        for task_id in given:
            self._discard(task_id)
        if ending:
            await asyncio.wait(ending, timeout=limit_s)
        return given

    # --- messages of the scheduler -------------------------------------------

    def assign(self, assignment: Assignment) -> None:
        """Start a replicate. A repeated assignment has no effect.

        After the scheduler discarded a replicate of the same task, the assignment starts a new replicate in a clean
        folder.
        """
        task_id = assignment.task_id
        replicate = self._replicates.get(task_id)
        if replicate is not None and replicate.discarded:
            self._queued[task_id] = assignment
            return
        if replicate is not None and replicate.unclaimed:
            log.info("assignment.resumed", task=task_id)
            claim(replicate, assignment)
            return
        if replicate is not None or task_id in self._ended:
            log.info("assignment.repeated", task=task_id)
            if replicate is None:
                self._report_end_again(task_id)
            return
        log.info(
            "assignment.accepted", task=task_id, app=assignment.task.app_uri, deal=assignment.task.deal_id
        )
        record = ReplicateRecord(task_id)
        self._context.journal.save_assignment(assignment.wire, record)
        self._start(assignment, record)

    def refuse(self, task_id: TaskId, problem: str) -> None:
        """Report an unreadable assignment as failed. Without an answer the scheduler would repeat it."""
        if task_id in self._replicates or task_id in self._ended:
            return
        details = Details(
            cause=ReplicateStatusCause.TASK_DESCRIPTION_INVALID,
            error_message=problem[:ERROR_MESSAGE_CHARACTERS],
        )
        updates = [
            Update(self._context.outbox.next_sequence(), task_id, ReplicateStatus.STARTING),
            Update(self._context.outbox.next_sequence(), task_id, ReplicateStatus.START_FAILED, details),
            Update(self._context.outbox.next_sequence(), task_id, ReplicateStatus.ABORTED, details),
        ]
        self._remember_end(task_id)
        saved = self._context.journal.end(task_id, updates)
        saved.add_done_callback(lambda done: self._queue_updates(done, updates))

    def _report_end_again(self, task_id: TaskId) -> None:
        """Report the end of a replicate that the scheduler took note of and has forgotten since."""
        if self._context.outbox.has_task(task_id):
            return
        details = Details(
            cause=ReplicateStatusCause.UNKNOWN,
            error_message="this worker ended its replicate of the task before",
        )
        updates = [Update(self._context.outbox.next_sequence(), task_id, ReplicateStatus.ABORTED, details)]
        saved = self._context.journal.end(task_id, updates)
        saved.add_done_callback(lambda done: self._queue_updates(done, updates))

    def _queue_updates(self, saved: asyncio.Future[None], updates: Sequence[Update]) -> None:
        if not saved.cancelled() and saved.exception() is None:
            self._context.outbox.add(*updates)

    async def accept_command(self, command: Command) -> None:
        """Apply a command exactly once and acknowledge it once it is durable. A duplicate is only acknowledged."""
        if command.sequence in self._commands:
            # The first copy may not be durable yet. The journal writes in order, so waiting for this write suffices.
            await self._context.journal.save_command(command.sequence, command.task_id)
        else:
            self._remember_command(command.sequence)
            log.info(
                "command.accepted",
                task=command.task_id,
                action=command.action.value,
                sequence=command.sequence,
            )
            await self._apply_command(command)
        self._context.outbox.acknowledge(command.sequence)

    async def _apply_command(self, command: Command) -> None:
        replicate = self._replicates.get(command.task_id)
        if replicate is not None and not replicate.discarded:
            if command.action is Action.CONTINUE:
                await self._context.journal.save_command(command.sequence, command.task_id)
            else:
                await replicate.accept_command(command)
            return
        updates = [
            Update(self._context.outbox.next_sequence(), command.task_id, status, details)
            for status, details in statuses_for_unknown_task(command, ended=command.task_id in self._ended)
        ]
        if updates:
            self._queued.pop(command.task_id, None)
        await self._context.journal.save_command(command.sequence, command.task_id, None, updates)
        self._context.outbox.add(*updates)

    def apply_results(self, results: Sequence[UpdateResult]) -> None:
        """Remove answered updates, and end the replicates that the scheduler aborts or does not know."""
        unknown = set[TaskId]()
        for result in results:
            update = self._context.outbox.remove(result.sequence)
            if update is None:
                continue
            if result.refused:
                log.warning(
                    "update.refused",
                    task=update.task_id,
                    status=update.status.value,
                    reason=result.reason,
                    message=result.message,
                )
            if result.unknown:
                if self._discard(update.task_id):
                    unknown.add(update.task_id)
            elif result.abort and update.status not in _NOT_ABORTABLE:
                self._abort(update.task_id, update.details.cause)
        self._context.journal.delete_updates([result.sequence for result in results], unknown)

    def drop(self, task_ids: Sequence[TaskId]) -> None:
        """End replicates that the scheduler does not want, without a report."""
        for task_id in task_ids:
            if task_id in self._replicates:
                log.warning("replicate.dropped_by_scheduler", task=task_id)
                if self._discard(task_id):
                    self._context.journal.delete_task(task_id)

    def _discard(self, task_id: TaskId) -> bool:
        """End the replicate of an unknown task and delete its pending updates and the memory of its end.

        They would be wrong for a later replicate of the same task, which may follow after a chain reorganization or
        after the scheduler found the task again. Return False for a replicate that continues (`disown`); its
        pending updates are refused one by one.
        """
        self._ended.pop(task_id, None)
        replicate = self._replicates.get(task_id)
        if replicate is not None and not disown(replicate):
            return False
        self._context.outbox.remove_task(task_id)
        return True

    # --- bounded memory ------------------------------------------------------

    def _remember_command(self, sequence: int) -> None:
        self._commands.add(sequence)
        if len(self._commands) > 2 * REMEMBERED_COMMANDS:
            self._commands = {each for each in self._commands if each > sequence - REMEMBERED_COMMANDS}

    def _remember_end(self, task_id: TaskId) -> None:
        self._ended[task_id] = None
        if len(self._ended) > _REMEMBERED_ENDS:
            oldest = next(iter(self._ended))
            del self._ended[oldest]
            self._context.journal.delete_end(oldest)

    # --- replicates ----------------------------------------------------------

    def _abort(self, task_id: TaskId, cause: ReplicateStatusCause | None) -> None:
        replicate = self._replicates.get(task_id)
        if replicate is None or any(item.action is Action.ABORT for item in replicate.record.pending):
            return
        # Sequence 0 marks a command of the worker itself. The scheduler's sequences start at 1.
        replicate.accept_command(Command(0, task_id, Action.ABORT, cause=cause))

    def _start(self, assignment: Assignment, record: ReplicateRecord) -> None:
        replicate = Replicate(self._context, self._steps, assignment, record)
        self._replicates[record.task_id] = replicate
        task = asyncio.create_task(replicate.run(), name=f"replicate-{record.task_id[:10]}")
        self._tasks[record.task_id] = task
        task.add_done_callback(lambda done: self._on_end(replicate, done))

    def _on_end(self, replicate: Replicate, task: asyncio.Task[None]) -> None:
        task_id = replicate.record.task_id
        self._replicates.pop(task_id, None)
        self._tasks.pop(task_id, None)
        queued = self._queued.pop(task_id, None)
        if task.cancelled():
            return
        if (crash := task.exception()) is not None:
            self._on_crash(crash)
        elif not replicate.discarded:
            self._remember_end(task_id)
        elif queued is not None:
            self.assign(queued)
