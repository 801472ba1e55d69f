"""Runs one task of its own per replicate, and gives each what the scheduler says about it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause

from workerpool_worker.adapters.sqlite_journal import KEPT_COMMANDS, Kept
from workerpool_worker.app.replicate import Replicate, Step, settle
from workerpool_worker.app.replicate_context import Office
from workerpool_worker.domain.assignment import Assignment
from workerpool_worker.domain.record import Command, Record
from workerpool_worker.domain.stages import USES_SLOT, Action, Stage
from workerpool_worker.domain.unknown_task import answer_for_unheld
from workerpool_worker.domain.updates import ERROR_MESSAGE_CHARACTERS, Details, Update

log = structlog.get_logger()

_NOT_TO_BE_ABORTED = frozenset(
    {ReplicateStatus.ABORTED, ReplicateStatus.COMPLETING, ReplicateStatus.COMPLETED}
)

_KEPT_ENDS = 20_000
"""Ended tasks that are remembered; an assignment is repeated within minutes, if at all."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The scheduler's answer to an update.

    ``abort`` when the replicate must be ended, ``unknown`` when the scheduler knows of no such replicate (any more).
    """

    sequence: int
    refused: bool
    abort: bool
    unknown: bool = False
    reason: str = ""
    message: str = ""


class Supervisor:
    """Holds the worker's replicates. All methods are for the event loop's thread."""

    def __init__(
        self,
        office: Office,
        steps: Mapping[Stage, Step],
        *,
        parse: Callable[[bytes], Assignment],
        on_crash: Callable[[BaseException], None],
    ) -> None:
        """Prepare. ``parse`` reads a kept assignment; ``on_crash`` hears of a defect in a replicate's life."""
        self._office = office
        self._steps = steps
        self._parse = parse
        self._on_crash = on_crash
        self._replicates: dict[str, Replicate] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._commands: set[int] = set()
        self._ended: dict[TaskId, None] = {}
        self._successors: dict[str, Assignment] = {}
        """New work on tasks whose earlier replicate, unknown to the scheduler by now, is still being removed."""
        self.draining = False

    # --- state for the stream ------------------------------------------------

    def held(self) -> list[Record]:
        """Return the records of all replicates that are held; those that are only being removed are not."""
        return [each.record for each in self._replicates.values() if not each.forgotten]

    @property
    def free_slots(self) -> int:
        """Slots in which no replicate is before its COMPUTED."""
        used = sum(replicate.record.stage in USES_SLOT for replicate in self._replicates.values())
        return max(self._office.policy.slots - used, 0)

    # --- start and stop ------------------------------------------------------

    def resume(self, kept: Kept) -> None:
        """Go on with everything the journal held."""
        self._commands |= kept.commands
        self._ended |= dict.fromkeys(kept.ended)
        for wire, record in kept.replicates:
            log.info(
                "replicate.resumed", task=record.task_id, stage=record.stage.value, status=record.status.value
            )
            self._begin(self._parse(wire), record)

    async def stop(self) -> None:
        """Leave everything as it is: apps run on, and the next start of the worker takes them up again."""
        left = [replicate.record for replicate in self._replicates.values()]
        await asyncio.gather(*(settle(task) for task in list(self._tasks.values())), return_exceptions=True)
        if left:
            log.info(
                "replicates.left_for_next_start",
                count=len(left),
                running=sum(record.status is ReplicateStatus.COMPUTING for record in left),
            )

    # --- what the scheduler says ---------------------------------------------

    def assign(self, assignment: Assignment) -> None:
        """Take a replicate; a repetition changes nothing.

        After the scheduler forgot a replicate of the same task it is new work, which begins with a clean folder.
        """
        task_id = assignment.task_id
        replicate = self._replicates.get(task_id)
        if replicate is not None and replicate.forgotten:
            self._successors[task_id] = assignment
            return
        if replicate is not None or task_id in self._ended:
            log.info("assignment.repeated", task=task_id)
            return
        log.info("assignment.taken", task=task_id, app=assignment.task.app_uri, deal=assignment.task.deal_id)
        record = Record(task_id)
        self._office.journal.take_assignment(assignment.wire, record)
        self._begin(assignment, record)

    def refuse(self, task_id: TaskId, problem: str) -> None:
        """Answer an assignment that cannot be read: unanswered, it would come again and again until its deadline."""
        if task_id in self._replicates or task_id in self._ended:
            return
        details = Details(
            cause=ReplicateStatusCause.TASK_DESCRIPTION_INVALID,
            error_message=problem[:ERROR_MESSAGE_CHARACTERS],
        )
        updates = [
            Update(self._office.outbox.next_sequence(), task_id, ReplicateStatus.STARTING),
            Update(self._office.outbox.next_sequence(), task_id, ReplicateStatus.START_FAILED, details),
            Update(self._office.outbox.next_sequence(), task_id, ReplicateStatus.ABORTED, details),
        ]
        self._remember_end(task_id)
        saved = self._office.journal.end(task_id, updates)
        saved.add_done_callback(lambda done: self._send(done, updates))

    def _send(self, saved: asyncio.Future[None], updates: Sequence[Update]) -> None:
        if not saved.cancelled() and saved.exception() is None:
            self._office.outbox.add(*updates)

    async def command(self, command: Command) -> None:
        """Take a command exactly once, and acknowledge it once it is safe; a repetition is only acknowledged."""
        if command.sequence in self._commands:
            # Perhaps the first copy is still on its way to the disk, and the journal writes in order.
            await self._office.journal.take_command(command.sequence, command.task_id)
        else:
            self._remember_command(command.sequence)
            log.info(
                "command.taken", task=command.task_id, action=command.action.value, sequence=command.sequence
            )
            await self._take(command)
        self._office.outbox.acknowledge(command.sequence)

    async def _take(self, command: Command) -> None:
        replicate = self._replicates.get(command.task_id)
        if replicate is not None and not replicate.forgotten:
            if command.action is Action.CONTINUE:
                await self._office.journal.take_command(command.sequence, command.task_id)
            else:
                await replicate.take(command)
            return
        # Nothing of the task is here (any more): say so, or the scheduler would wait for it.
        updates = [
            Update(self._office.outbox.next_sequence(), command.task_id, status, details)
            for status, details in answer_for_unheld(command, ended=command.task_id in self._ended)
        ]
        if updates:
            self._successors.pop(command.task_id, None)
        await self._office.journal.take_command(command.sequence, command.task_id, None, updates)
        self._office.outbox.add(*updates)

    def answers(self, answers: Sequence[Answer]) -> None:
        """Drop the updates that were answered, and the replicates that the scheduler does not want to go on."""
        unknown = set[TaskId]()
        for answer in answers:
            update = self._office.outbox.answered(answer.sequence)
            if update is None:
                continue
            if answer.refused:
                log.warning(
                    "update.refused",
                    task=update.task_id,
                    status=update.status.value,
                    reason=answer.reason,
                    message=answer.message,
                )
            if answer.unknown:
                unknown.add(update.task_id)
                self._forget(update.task_id)
            elif answer.abort and update.status not in _NOT_TO_BE_ABORTED:
                self._abort(update.task_id, update.details.cause)
        self._office.journal.forget_updates([answer.sequence for answer in answers], unknown)

    def drop(self, task_ids: Sequence[TaskId]) -> None:
        """End replicates that the scheduler does not want, without a word about them."""
        for task_id in task_ids:
            if task_id in self._replicates:
                log.warning("replicate.dropped_by_scheduler", task=task_id)
                self._forget(task_id)
                self._office.journal.forget(task_id)

    def _forget(self, task_id: TaskId) -> None:
        """End what is here of a task of which the scheduler knows nothing, and what is still to be said about it.

        That, and the memory of an end, would only harm the next replicate of the task: after a reorganisation, or once
        the scheduler has found the task again, there may be one.
        """
        self._ended.pop(task_id, None)
        replicate = self._replicates.get(task_id)
        if replicate is not None:
            replicate.forget()
        self._office.outbox.forget(task_id)

    # --- memory of what is over, bounded -------------------------------------

    def _remember_command(self, sequence: int) -> None:
        self._commands.add(sequence)
        if len(self._commands) > 2 * KEPT_COMMANDS:
            self._commands = {each for each in self._commands if each > sequence - KEPT_COMMANDS}

    def _remember_end(self, task_id: TaskId) -> None:
        self._ended[task_id] = None
        if len(self._ended) > _KEPT_ENDS:
            oldest = next(iter(self._ended))
            del self._ended[oldest]
            self._office.journal.forget_end(oldest)

    # --- replicates ----------------------------------------------------------

    def _abort(self, task_id: TaskId, cause: ReplicateStatusCause | None) -> None:
        replicate = self._replicates.get(task_id)
        if replicate is None or any(item.action is Action.ABORT for item in replicate.record.pending):
            return
        # Not a command of the scheduler's own numbering: 0 is never sent.
        replicate.take(Command(0, task_id, Action.ABORT, cause=cause))

    def _begin(self, assignment: Assignment, record: Record) -> None:
        replicate = Replicate(self._office, self._steps, assignment, record)
        self._replicates[record.task_id] = replicate
        task = asyncio.create_task(replicate.live(), name=f"replicate-{record.task_id[:10]}")
        self._tasks[record.task_id] = task
        task.add_done_callback(lambda done: self._over(replicate, done))

    def _over(self, replicate: Replicate, task: asyncio.Task[None]) -> None:
        task_id = replicate.record.task_id
        self._replicates.pop(task_id, None)
        self._tasks.pop(task_id, None)
        successor = self._successors.pop(task_id, None)
        if task.cancelled():
            return
        if (crash := task.exception()) is not None:
            self._on_crash(crash)
        elif not replicate.forgotten:
            self._remember_end(task_id)
        elif successor is not None:
            self.assign(successor)
