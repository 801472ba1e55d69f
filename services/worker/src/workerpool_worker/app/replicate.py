"""One replicate: it runs its stages in order, journals each change, and ends by completion, abort or discard."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

from workerpool_kit.logs import get_logger
from workerpool_kit.retry import Backoff, retry
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause

from workerpool_worker.app.cleanup import remove_containers, remove_files
from workerpool_worker.app.replicate_context import ReplicateContext
from workerpool_worker.domain.assignment import Assignment
from workerpool_worker.domain.record import Command, ReplicateRecord, SentTransaction
from workerpool_worker.domain.stages import NEXT, STATUSES, WAITING, Action, Stage, after_command
from workerpool_worker.domain.updates import ERROR_MESSAGE_CHARACTERS, Details, Update
from workerpool_worker.errors import (
    ChainUnavailable,
    DockerUnavailable,
    HostStorageUnavailable,
    InitializationOrphaned,
    JournalUnusable,
    StepFailed,
    TransactionUnconfirmed,
)

T = TypeVar("T")

Step = Callable[["Replicate"], Awaitable[None]]
"""Runs one stage and moves the replicate to the next. Raises `StepFailed`, or a transient error to be retried."""

_TRANSIENT: dict[type[Exception], ReplicateStatusCause] = {
    ChainUnavailable: ReplicateStatusCause.CHAIN_UNREACHABLE,
    TransactionUnconfirmed: ReplicateStatusCause.CHAIN_RECEIPT_NOT_VALID,
    InitializationOrphaned: ReplicateStatusCause.TASK_NOT_ACTIVE,
    DockerUnavailable: ReplicateStatusCause.APP_COMPUTE_FAILED,
}
"""Errors that are retried until the deadline of the stage, and the cause reported after it."""
_INTERRUPTING = frozenset({Action.COMPLETE, Action.CONTRIBUTE, Action.REVEAL})
"""Commands that cancel a running step if they lead to another stage. ABORT always does."""
_FINAL_DEADLINE_STAGES = frozenset(
    {Stage.REVEAL, Stage.UPLOAD, Stage.AWAIT_UPLOAD, Stage.AWAIT_END, Stage.COMPLETE}
)
_BACKOFF = Backoff(first_s=0.2, longest_s=15.0)
_AFTER_FINAL_DEADLINE_S = 3600.0
"""A waiting replicate without a command is discarded this long after its final deadline."""


class Replicate:
    """The worker's execution of one task. The supervisor runs `run` in an asyncio task."""

    def __init__(
        self,
        context: ReplicateContext,
        steps: Mapping[Stage, Step],
        assignment: Assignment,
        record: ReplicateRecord,
    ) -> None:
        self.context = context
        self.assignment = assignment
        self.task = assignment.task
        self.record = record
        self.folder = context.workspace.of(assignment.task_id)
        self.log = get_logger().bind(task=assignment.task_id)
        self._steps = steps
        self._wakeup = asyncio.Event()
        self._background: set[asyncio.Task[Any]] = set()
        self._over = False
        self.may_have_container = record.status is ReplicateStatus.COMPUTING
        """Whether an earlier attempt, possibly before a restart, may have created a container."""
        self.discarded = False
        """Whether the scheduler no longer knows the replicate. A discarded replicate ends without a report."""

    # --- for steps -----------------------------------------------------------

    def report(
        self, status: ReplicateStatus, details: Details | None = None, **changes: Any
    ) -> asyncio.Future[None]:
        """Enter a status with changes of the record, and queue the update once it is durable.

        The returned future resolves when the change is durable.
        """
        update = self._update(status, details)
        self.record = self.record.evolve(status=status, **changes)
        self.log.info("replicate.status_changed", status=status.value, cause=details and details.cause)
        saved = self.context.journal.save(self.record, [update])
        saved.add_done_callback(lambda done: self._queue_update(done, update))
        return saved

    def _queue_update(self, saved: asyncio.Future[None], update: Update) -> None:
        if not saved.cancelled() and saved.exception() is None:
            self.context.outbox.add(update)

    async def save_contribution_tx(self, transaction: SentTransaction) -> None:
        """Journal a contribution, or a replacement of it, before it is sent."""
        await self.save(contribute_tx=transaction)

    async def save_reveal_tx(self, transaction: SentTransaction) -> None:
        """Journal a reveal, or a replacement of it, before it is sent."""
        await self.save(reveal_tx=transaction)

    async def save(self, **changes: Any) -> None:
        """Journal changes of the record and return once they are durable.

        Does nothing after the replicate has ended, because its transactions may be delivered and replaced later.
        """
        if self._over:
            return
        self.record = self.record.evolve(**changes)
        await self.context.journal.save(self.record)

    def complete_step(self, details: Details | None = None, **changes: Any) -> asyncio.Future[None]:
        """Report the success of the current stage and enter the next stage."""
        stage = self.record.stage
        return self.report(STATUSES[stage].succeeded, details, stage=NEXT[stage], **changes)

    async def run_blocking(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run a blocking function in a thread.

        A thread cannot be interrupted, so the end of the replicate waits for it. Otherwise it would write into a
        folder that is being removed or that belongs to a new replicate of the same task.
        """
        task = asyncio.create_task(asyncio.to_thread(work, *args, **kwargs))
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        # After an interruption no caller awaits the task: mark its exception as retrieved.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    def run_in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine beside the stages. The end of the replicate waits for it."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    @property
    def deadline(self) -> float:
        """Deadline of the current stage in Unix seconds."""
        if self.record.stage in _FINAL_DEADLINE_STAGES:
            return self.task.final_deadline
        return self.task.contribution_deadline

    # --- for the supervisor --------------------------------------------------

    def accept_command(self, command: Command) -> asyncio.Future[None]:
        """Journal a command and apply it as soon as the running step allows. The future resolves when it is durable."""
        self.record = self.record.evolve(
            last_command=max(command.sequence, self.record.last_command),
            pending=(*self.record.pending, command),
        )
        self._wakeup.set()
        return self.context.journal.save_command(command.sequence, command.task_id, self.record)

    def discard(self) -> None:
        """End the replicate without a report, because the scheduler no longer knows it."""
        self.discarded = True
        self._wakeup.set()

    async def run(self) -> None:
        """Run the stages until the replicate has ended and its containers and files are removed."""
        while True:
            if self.discarded:
                return await self._end(None)
            abort = next((item for item in self.record.pending if item.action is Action.ABORT), None)
            if abort is not None and self.record.stage is not Stage.COMPLETE:
                details = Details(cause=abort.cause or ReplicateStatusCause.UNKNOWN)
                return await self._end(ReplicateStatus.ABORTED, details)
            if self.record.stage is Stage.COMPLETE:
                self.report(ReplicateStatus.COMPLETING)
                return await self._end(ReplicateStatus.COMPLETED)
            if self._apply_commands():
                continue
            self._wakeup.clear()
            if self.record.stage in WAITING:
                await self._wait_for_command()
            else:
                await self._run_step()

    def _apply_commands(self) -> bool:
        """Apply the oldest command that has an effect and drop those before it. Return True if the stage changed."""
        for position, command in enumerate(self.record.pending):
            stage = after_command(self.record.stage, command.action)
            rest = self.record.pending[position + 1 :]
            if stage is not None and (self.record.stage in WAITING or command.action in _INTERRUPTING):
                block = command.block_number or self.record.consensus_block
                self.record = self.record.evolve(stage=stage, pending=rest, consensus_block=block)
                self.context.journal.save(self.record)
                return True
        if self.record.stage in WAITING and self.record.pending:
            self.log.info(
                "replicate.commands_ignored", count=len(self.record.pending), stage=self.record.stage.value
            )
            self.record = self.record.evolve(pending=())
            self.context.journal.save(self.record)
        return False

    async def _wait_for_command(self) -> None:
        limit = self.task.final_deadline + _AFTER_FINAL_DEADLINE_S - self.context.clock.now()
        try:
            async with asyncio.timeout(max(limit, 0)):
                await self._wakeup.wait()
        except TimeoutError:
            self.log.warning("replicate.expired")
            self.discarded = True

    async def _run_step(self) -> None:
        """Run the step of the current stage. An interrupting command or a discard cancels it."""
        step = asyncio.create_task(self._step_with_retries(), name=f"step-{self.record.stage}")
        interrupt = asyncio.create_task(self._wait_for_interrupt())
        try:
            await asyncio.wait({step, interrupt}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (step, interrupt):
                task.cancel()
            await asyncio.gather(step, interrupt, return_exceptions=True)
        if not step.cancelled():
            step.result()

    async def _wait_for_interrupt(self) -> None:
        while True:
            if self.discarded or any(self._interrupts(item) for item in self.record.pending):
                return
            self._wakeup.clear()
            await self._wakeup.wait()

    def _interrupts(self, command: Command) -> bool:
        if command.action is Action.ABORT:
            return True
        return (
            command.action in _INTERRUPTING and after_command(self.record.stage, command.action) is not None
        )

    async def _step_with_retries(self) -> None:
        stage = self.record.stage
        started = STATUSES[stage].started
        if self.record.status is not started:
            self.report(started)
        try:
            await retry(
                lambda: self._steps[stage](self),
                what=f"run the step {stage.value}",
                on=tuple(_TRANSIENT),
                backoff=_BACKOFF,
                timeout_s=self.deadline - self.context.clock.now(),
                task=self.record.task_id,
            )
        except StepFailed as failure:
            self._fail(stage, failure.cause, failure.message)
        except HostStorageUnavailable as failure:
            self._fail(stage, ReplicateStatusCause.UNKNOWN, failure.message)
        except JournalUnusable:
            raise
        except tuple(_TRANSIENT) as trouble:
            cause = next(cause for kind, cause in _TRANSIENT.items() if isinstance(trouble, kind))
            self._fail(stage, cause, str(trouble))
        except Exception as defect:
            self.log.exception("replicate.step_crashed", stage=stage.value)
            self._fail(stage, ReplicateStatusCause.UNKNOWN, f"{type(defect).__name__}: {defect}")

    def _fail(self, stage: Stage, cause: ReplicateStatusCause, message: str) -> None:
        self.log.warning("replicate.step_failed", stage=stage.value, cause=cause.value, error=message)
        details = Details(cause=cause, error_message=message[:ERROR_MESSAGE_CHARACTERS])
        self.report(STATUSES[stage].failed, details, stage=Stage.FAILED)

    async def _end(self, status: ReplicateStatus | None, details: Details | None = None) -> None:
        """Remove containers and files, report the final status, and delete the replicate from the journal."""
        await asyncio.gather(*self._background, return_exceptions=True)
        await remove_containers(self.context.engine, self.record.task_id)
        await remove_files(self.context.workspace, self.record.task_id, self.log)
        self._over = True
        # The scheduler may have discarded the replicate during the cleanup.
        if status is None or self.discarded:
            await self.context.journal.delete_task(self.record.task_id)
            self.context.outbox.remove_task(self.record.task_id)
            self.log.info("replicate.discarded")
            return
        update = self._update(status, details)
        await self.context.journal.end(self.record.task_id, [update])
        if not self.discarded:
            self.context.outbox.add(update)
        self.log.info("replicate.ended", status=status.value, cause=details and details.cause)

    def _update(self, status: ReplicateStatus, details: Details | None) -> Update:
        return Update(self.context.outbox.next_sequence(), self.record.task_id, status, details or Details())
