"""One replicate: it runs its stages in order, journals each change, and ends by completion, abort or discard."""

import asyncio
import math
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

from workerpool_kit.logs import get_logger
from workerpool_kit.retry import Backoff, retry
from workerpool_kit.runtime.tasks import start_task
from workerpool_kit.runtime.threads import in_daemon_thread
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause
from workerpool_poco.protocol.tags import requires_gpu

from workerpool_worker.app.cleanup import ContainerRemoval, remove_files
from workerpool_worker.app.prepared_container import PreparedContainer
from workerpool_worker.app.replicate_context import ReplicateContext
from workerpool_worker.app.stage_retries import TRANSIENT, retryable
from workerpool_worker.app.unclaimed import Unclaimed
from workerpool_worker.domain.assignment import Assignment
from workerpool_worker.domain.failures.error_report import ErrorReport
from workerpool_worker.domain.record import Command, ReplicateRecord
from workerpool_worker.domain.stages import (
    ERROR_RESULT_STATUSES,
    MAY_WAIT,
    NEXT,
    STATUSES,
    USES_SLOT,
    WAITING,
    Action,
    Stage,
    after_command,
)
from workerpool_worker.domain.updates import ERROR_MESSAGE_CHARACTERS, Details, Update
from workerpool_worker.errors import (
    EngineRefused,
    HostDeviceUnavailable,
    HostStorageUnavailable,
    JournalUnusable,
    StepFailed,
    TaskFault,
    WorkCancelled,
    WorkTimedOut,
)

T = TypeVar("T")

Step = Callable[["Replicate"], Awaitable[None]]
"""Runs one stage and moves the replicate to the next. Raises `StepFailed`, or a transient error to be retried."""

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
        self._slot_freed = False
        self.prepared = PreparedContainer(context.engine, assignment.task_id)
        """The app's container while the task's files are fetched."""
        self._removal = ContainerRemoval(
            context.engine, self.prepared, context.removals, assignment.task_id, self.log
        )
        self.may_have_container = record.status is ReplicateStatus.COMPUTING
        """Whether an earlier attempt, possibly before a restart, may have created a container."""
        self.might_contribute_at = -math.inf
        """When a chain read last allowed a contribution, on the event loop's clock."""
        self.discarded = False
        """Whether the scheduler discarded the replicate, so that it ends without a report."""
        self.unclaimed = Unclaimed(context.chain, assignment.task_id, self.discard)

    # --- for steps -----------------------------------------------------------

    def report(
        self, status: ReplicateStatus, details: Details | None = None, **changes: Any
    ) -> asyncio.Future[None]:
        """Enter a status with changes of the record, and queue the update once it is durable.

        The returned future resolves when the change is durable.
        """
        update = self._update(status, details)
        self.record = self.record.evolve(status=status, since=time.time(), **changes)
        self.log.info("replicate.status_changed", status=status.value, cause=details and details.cause)
        return self._save_report(update)

    def repeat_report(self, status: ReplicateStatus) -> None:
        """Queue the update of an earlier status again."""
        self._save_report(self._update(status, None))

    def _save_report(self, update: Update) -> asyncio.Future[None]:
        saved = self.context.journal.save(self.record, [update], at_once=update.status not in MAY_WAIT)
        saved.add_done_callback(lambda done: self._queue_update(done, update))
        return saved

    def _queue_update(self, saved: asyncio.Future[None], update: Update) -> None:
        if not saved.cancelled() and saved.exception() is None:
            queue = self.context.outbox.add_soon if update.status in MAY_WAIT else self.context.outbox.add
            queue(update)

    async def save(self, **changes: Any) -> None:
        """Journal changes of the record and return once they are durable."""
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
        task = asyncio.create_task(in_daemon_thread(lambda: work(*args, **kwargs), name="replicate-files"))
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        # After an interruption no caller awaits the task: mark its exception as retrieved.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    async def run_cancellable(self, work: Callable[..., T], *args: Any, limit_s: float, **kwargs: Any) -> T:
        """Run a blocking function that calls its argument `check` often, so that it ends soon after a cancellation.

        Raises `WorkTimedOut` after `limit_s` seconds.
        """
        cancelled = threading.Event()
        end = time.monotonic() + limit_s

        def check() -> None:
            if cancelled.is_set():
                raise WorkCancelled
            if time.monotonic() > end:
                raise WorkTimedOut(f"the work took longer than {limit_s:.0f} s")

        try:
            return await self.run_blocking(work, *args, check=check, **kwargs)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def run_in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine beside the stages. The end of the replicate waits for it."""
        task = start_task(work, name="replicate-background")
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def remove_container_after(self, saved: asyncio.Future[None]) -> None:
        """Remove the container soon after a change is durable. No later stage creates a container."""
        self.run_in_background(self._removal.after(saved))

    @property
    def deadline(self) -> float:
        """Deadline of the current stage in Unix seconds."""
        if self.record.stage in _FINAL_DEADLINE_STAGES:
            return self.task.final_deadline
        return self.task.contribution_deadline

    @property
    def gpus(self) -> int:
        """Number of GPUs that the app gets."""
        return self.context.policy.gpus_per_task if requires_gpu(self.task.tag) else 0

    # --- for the supervisor --------------------------------------------------

    @property
    def holds_slot(self) -> bool:
        """Whether the replicate occupies a computing slot. It frees the slot at its end once its app is killed."""
        return self.record.stage in USES_SLOT and not self._slot_freed

    def accept_command(self, command: Command) -> asyncio.Future[None]:
        """Journal a command and apply it as soon as the running step allows. The future resolves when it is durable."""
        self.record = self.record.evolve(
            last_command=max(command.sequence, self.record.last_command),
            pending=(*self.record.pending, command),
        )
        self._wakeup.set()
        if command.sequence:
            self.unclaimed.end()
        return self.context.journal.save_command(command.sequence, command.task_id, self.record)

    def discard(self) -> None:
        """End the replicate without a report, because the scheduler no longer knows it."""
        self.discarded = True
        self._wakeup.set()

    async def run(self) -> None:
        """Run the stages until the replicate has ended and its containers and files are removed."""
        try:
            await self._run()
        finally:
            self.unclaimed.end()
            await self.prepared.remove()

    async def _run(self) -> None:
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
                await self._run_steps()

    def _apply_commands(self) -> bool:
        """Apply the oldest command that has an effect and drop those before it. Return True if the stage changed."""
        for position, command in enumerate(self.record.pending):
            stage = after_command(self.record.stage, command.action)
            rest = self.record.pending[position + 1 :]
            if stage is not None and (self.record.stage in WAITING or command.action in _INTERRUPTING):
                block = command.block_number or self.record.consensus_block
                self.record = self.record.evolve(stage=stage, pending=rest, consensus_block=block)
                self.context.journal.save(self.record, at_once=False)
                return True
        if self.record.stage in WAITING and self.record.pending:
            self.log.info(
                "replicate.commands_ignored", count=len(self.record.pending), stage=self.record.stage.value
            )
            self.record = self.record.evolve(pending=())
            self.context.journal.save(self.record, at_once=False)
        return False

    async def _wait_for_command(self) -> None:
        limit = self.task.final_deadline + _AFTER_FINAL_DEADLINE_S - self.context.clock.now()
        try:
            async with asyncio.timeout(max(limit, 0)):
                await self._wakeup.wait()
        except TimeoutError:
            self.log.warning("replicate.expired")
            self.discarded = True

    async def _run_steps(self) -> None:
        """Run the current step and those after it. An interrupting command or a discard cancels them."""
        steps = asyncio.create_task(self._steps_until_command(), name=f"steps-from-{self.record.stage}")
        interrupt = asyncio.create_task(self._wait_for_interrupt())
        try:
            await asyncio.wait({steps, interrupt}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (steps, interrupt):
                task.cancel()
            await asyncio.gather(steps, interrupt, return_exceptions=True)
        if not steps.cancelled():
            steps.result()

    async def _steps_until_command(self) -> None:
        """Run steps until a command decides on the next one.

        No iteration of the event loop lies between two steps, so that the end of one and the start of the next are
        one change of the journal and one report.
        """
        while True:
            await self._step_with_retries()
            stage = self.record.stage
            if stage in WAITING or stage is Stage.COMPLETE or self.record.pending or self.discarded:
                return

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
        began = time.monotonic()
        try:
            await retry(
                lambda: self._steps[stage](self),
                what=f"run the step {stage.value}",
                on=retryable(stage, self._runtime_lost),
                backoff=_BACKOFF,
                timeout_s=self.deadline - self.context.clock.now(),
                task=self.record.task_id,
            )
            if self.record.stage is NEXT.get(stage):
                self.context.measures.stage_succeeded(stage, time.monotonic() - began)
        except TaskFault as fault:
            await self._report_fault(stage, fault)
        except StepFailed as failure:
            self._fail(stage, failure.cause, failure.message)
        except (HostStorageUnavailable, HostDeviceUnavailable, EngineRefused, OSError) as failure:
            self._fail(stage, ReplicateStatusCause.HOST_FAILED, str(failure))
        except JournalUnusable:
            raise
        except tuple(TRANSIENT) as trouble:
            cause = next(cause for kind, cause in TRANSIENT.items() if isinstance(trouble, kind))
            self._fail(stage, cause, str(trouble))
        except Exception as defect:
            self.log.exception("replicate.step_crashed", stage=stage.value)
            self._fail(stage, ReplicateStatusCause.UNKNOWN, f"{type(defect).__name__}: {defect}")

    def _runtime_lost(self, reason: str) -> None:
        self.context.runtime.lost(reason, gpus=self.gpus)

    async def _report_fault(self, stage: Stage, fault: TaskFault) -> None:
        """Make a failure of the requester's side the result, report it, and wait for the scheduler's decision."""
        status = ERROR_RESULT_STATUSES.get(stage)
        if status is None:
            return self._fail(stage, fault.cause, fault.message)
        message = fault.message[:ERROR_MESSAGE_CHARACTERS]
        report = ErrorReport(status, fault.cause, message, fault.exit_code, self._limits())
        try:
            result = await self.run_blocking(
                self.folder.make_error_result, report, callback=self.task.has_callback
            )
            stdout, stderr = await self.run_blocking(self.folder.read_output_tails)
        except OSError as problem:
            text = f"the error result of {fault.cause.value} cannot be written: {problem}"
            return self._fail(stage, ReplicateStatusCause.HOST_FAILED, text)
        self.context.measures.stage_failed(stage, fault.cause)
        self.log.warning(
            "replicate.error_result_made", stage=stage.value, cause=fault.cause.value, error=message
        )
        details = Details(
            cause=fault.cause, exit_code=fault.exit_code, stdout=stdout, stderr=stderr, error_message=message
        )
        self.remove_container_after(self.report(status, details, result=result, stage=Stage.AWAIT_DECISION))

    def _limits(self) -> tuple[str, ...]:
        """Return the limits of the app for the error report."""
        return (f"{self.task.max_execution_s:g} s of run time", *self.context.policy.limits.sentences())

    def _fail(self, stage: Stage, cause: ReplicateStatusCause, message: str) -> None:
        self.context.measures.stage_failed(stage, cause)
        self.log.warning("replicate.step_failed", stage=stage.value, cause=cause.value, error=message)
        details = Details(cause=cause, error_message=message[:ERROR_MESSAGE_CHARACTERS])
        saved = self.report(STATUSES[stage].failed, details, stage=Stage.FAILED)
        if self.prepared.has_begun:
            self.remove_container_after(saved)

    async def _end(self, status: ReplicateStatus | None, details: Details | None = None) -> None:
        """Remove containers and files, report the final status, and delete the replicate from the journal."""
        await self._removal.at_end()
        self._slot_freed = True
        await asyncio.gather(*self._background, return_exceptions=True)
        await remove_files(self.context.workspace, self.context.engine, self.record.task_id, self.log)
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
