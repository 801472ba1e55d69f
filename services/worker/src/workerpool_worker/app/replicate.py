"""The life of one replicate: stage after stage, each journaled, until it ends or is aborted."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import structlog
from workerpool_poco.chain.transactions import ReceiptTimeout
from workerpool_poco.errors import ChainUnreachable, RpcError
from workerpool_poco.protocol.statuses import ReplicateStatus, ReplicateStatusCause

from workerpool_worker.app.replicate_context import Office
from workerpool_worker.domain.assignment import Assignment
from workerpool_worker.domain.record import Command, Record, SentTransaction
from workerpool_worker.domain.stages import NEXT, STATUSES, WAITING, Action, Stage, after_command
from workerpool_worker.domain.updates import ERROR_MESSAGE_CHARACTERS, Details, Update
from workerpool_worker.errors import DockerUnavailable, HostFull, JournalUnusable, StepFailed, TaskVanished

T = TypeVar("T")

Step = Callable[["Replicate"], Awaitable[None]]
"""Does the work of one stage and moves the replicate on; raises StepFailed, or something transient to be retried."""

_TRANSIENT: dict[type[Exception], ReplicateStatusCause] = {
    ChainUnreachable: ReplicateStatusCause.CHAIN_UNREACHABLE,
    RpcError: ReplicateStatusCause.CHAIN_UNREACHABLE,
    ReceiptTimeout: ReplicateStatusCause.CHAIN_RECEIPT_NOT_VALID,
    TaskVanished: ReplicateStatusCause.TASK_NOT_ACTIVE,
    DockerUnavailable: ReplicateStatusCause.APP_COMPUTE_FAILED,
}
_INTERRUPTING = frozenset({Action.COMPLETE, Action.CONTRIBUTE, Action.REVEAL})
"""Commands that do not wait for the end of a running step from which they lead on."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 15.0
_CLEANING_TRIES = 4
_AFTER_FINAL_DEADLINE_S = 3600.0
"""How long after its final deadline a replicate that the scheduler forgot is kept."""


class Replicate:
    """One worker's work on one task. Its supervisor runs :meth:`live` as a task of its own."""

    def __init__(
        self, office: Office, steps: Mapping[Stage, Step], assignment: Assignment, record: Record
    ) -> None:
        self.office = office
        self.assignment = assignment
        self.task = assignment.task
        self.record = record
        self.folder = office.workspace.of(assignment.task_id)
        self.log = structlog.get_logger().bind(task=assignment.task_id)
        self._steps = steps
        self._news = asyncio.Event()
        self._background: set[asyncio.Task[Any]] = set()
        self._over = False
        self.may_have_container = record.status is ReplicateStatus.COMPUTING
        """Whether an earlier try, perhaps before a restart, may have left a container to attach to."""
        self.forgotten = False
        """True once the scheduler does not want the replicate any more."""

    # --- what a step may do --------------------------------------------------

    def report(
        self, status: ReplicateStatus, details: Details | None = None, **changes: Any
    ) -> asyncio.Future[None]:
        """Enter a status: keep it with changes of the record, and tell the scheduler once that is safe.

        The answer resolves then; few have to wait for it.
        """
        update = self._update(status, details)
        self.record = self.record.but(status=status, **changes)
        self.log.info("replicate.status", status=status.value, cause=details and details.cause)
        saved = self.office.journal.save(self.record, [update])
        saved.add_done_callback(lambda done: self._safe(done, update))
        return saved

    def _safe(self, saved: asyncio.Future[None], update: Update) -> None:
        if not saved.cancelled() and saved.exception() is None:
            self.office.outbox.add(update)

    async def keep_contribution(self, transaction: SentTransaction) -> None:
        """Keep a contribution, or a version that replaces it, before it is sent."""
        await self.save(contribute_tx=transaction)

    async def keep_reveal(self, transaction: SentTransaction) -> None:
        """Keep a reveal, or a version that replaces it, before it is sent."""
        await self.save(reveal_tx=transaction)

    async def save(self, **changes: Any) -> None:
        """Keep changes of the record; returns when they are safe. Nothing is kept once the replicate has ended.

        Its transactions may be delivered, and replaced, for some time after that.
        """
        if self._over:
            return
        self.record = self.record.but(**changes)
        await self.office.journal.save(self.record)

    def done(self, details: Details | None = None, **changes: Any) -> asyncio.Future[None]:
        """Report that the step of the present stage is done, and go on to the next stage."""
        stage = self.record.stage
        return self.report(STATUSES[stage].done, details, stage=NEXT[stage], **changes)

    async def in_thread(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run something that blocks. It cannot be interrupted, so the end of the replicate waits for it.

        Else it would write into a folder that is being removed, or that belongs to new work on the same task.
        """
        task = asyncio.create_task(asyncio.to_thread(work, *args, **kwargs))
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        # When the step was interrupted nobody hears of a failure.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside the stages; the end of the replicate waits for it."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    @property
    def deadline(self) -> float:
        """Until when the present stage makes sense, Unix seconds."""
        if self.record.stage in (
            Stage.REVEAL,
            Stage.UPLOAD,
            Stage.AWAIT_UPLOAD,
            Stage.AWAIT_END,
            Stage.COMPLETE,
        ):
            return self.task.final_deadline
        return self.task.contribution_deadline

    # --- what the supervisor does --------------------------------------------

    def take(self, command: Command) -> asyncio.Future[None]:
        """Take a command: it is kept, and has its effect as soon as the running step allows it."""
        self.record = self.record.but(
            last_command=max(command.sequence, self.record.last_command),
            pending=(*self.record.pending, command),
        )
        self._news.set()
        return self.office.journal.take_command(command.sequence, command.task_id, self.record)

    def forget(self) -> None:
        """End without a word: the scheduler does not want the replicate any more."""
        self.forgotten = True
        self._news.set()

    async def live(self) -> None:
        """Walk the stages until the replicate has ended and everything of it is removed."""
        while True:
            if self.forgotten:
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
            self._news.clear()
            if self.record.stage in WAITING:
                await self._wait_for_news()
            else:
                await self._work()

    def _apply_commands(self) -> bool:
        """Let the oldest command act; commands that mean nothing here are dropped. True when the stage changed."""
        for position, command in enumerate(self.record.pending):
            stage = after_command(self.record.stage, command.action)
            rest = self.record.pending[position + 1 :]
            if stage is not None and (self.record.stage in WAITING or command.action in _INTERRUPTING):
                block = command.block_number or self.record.consensus_block
                self.record = self.record.but(stage=stage, pending=rest, consensus_block=block)
                self.office.journal.save(self.record)
                return True
        if self.record.stage in WAITING and self.record.pending:
            self.log.info(
                "replicate.commands_ignored", count=len(self.record.pending), stage=self.record.stage.value
            )
            self.record = self.record.but(pending=())
            self.office.journal.save(self.record)
        return False

    async def _wait_for_news(self) -> None:
        limit = self.task.final_deadline + _AFTER_FINAL_DEADLINE_S - self.office.clock.now()
        try:
            async with asyncio.timeout(max(limit, 0)):
                await self._news.wait()
        except TimeoutError:
            self.log.warning("replicate.forgotten_by_scheduler")
            self.forgotten = True

    async def _work(self) -> None:
        """Run the step of the present stage; an interrupting command or loss of interest meanwhile cancels it."""
        step = asyncio.create_task(self._step_with_retries(), name=f"step-{self.record.stage}")
        news = asyncio.create_task(self._cancelling_news())
        try:
            await asyncio.wait({step, news}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (step, news):
                task.cancel()
            await asyncio.gather(step, news, return_exceptions=True)
        if not step.cancelled():
            step.result()

    async def _cancelling_news(self) -> None:
        while True:
            if self.forgotten or any(self._interrupts(item) for item in self.record.pending):
                return
            self._news.clear()
            await self._news.wait()

    def _interrupts(self, command: Command) -> bool:
        if command.action is Action.ABORT:
            return True
        return (
            command.action in _INTERRUPTING and after_command(self.record.stage, command.action) is not None
        )

    async def _step_with_retries(self) -> None:
        stage = self.record.stage
        begun = STATUSES[stage].begun
        if self.record.status is not begun:
            self.report(begun)
        pause = _FIRST_PAUSE_S
        while True:
            try:
                return await self._steps[stage](self)
            except StepFailed as failure:
                return self._fail(stage, failure.cause, failure.message)
            except HostFull as full:
                return self._fail(stage, ReplicateStatusCause.UNKNOWN, full.message)
            except JournalUnusable:
                raise
            except tuple(_TRANSIENT) as trouble:
                cause = next(cause for kind, cause in _TRANSIENT.items() if isinstance(trouble, kind))
                if self.office.clock.now() + pause > self.deadline:
                    return self._fail(stage, cause, str(trouble))
                self.log.warning(
                    "replicate.step_retried", stage=stage.value, error=str(trouble), pause_s=pause
                )
            except Exception as defect:
                self.log.exception("replicate.step_crashed", stage=stage.value)
                return self._fail(stage, ReplicateStatusCause.UNKNOWN, f"{type(defect).__name__}: {defect}")
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    def _fail(self, stage: Stage, cause: ReplicateStatusCause, message: str) -> None:
        self.log.warning("replicate.step_failed", stage=stage.value, cause=cause.value, error=message)
        details = Details(cause=cause, error_message=message[:ERROR_MESSAGE_CHARACTERS])
        self.report(STATUSES[stage].failed, details, stage=Stage.FAILED)

    async def _end(self, status: ReplicateStatus | None, details: Details | None = None) -> None:
        """Remove containers and files, then say the last word and leave the journal."""
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._remove_containers()
        await self._remove_files()
        self._over = True
        if status is None or self.forgotten:  # perhaps only since the cleaning began
            await self.office.journal.forget(self.record.task_id)
            self.office.outbox.forget(self.record.task_id)
            self.log.info("replicate.forgotten")
            return
        update = self._update(status, details)
        await self.office.journal.end(self.record.task_id, [update])
        if not self.forgotten:
            self.office.outbox.add(update)
        self.log.info("replicate.ended", status=status.value, cause=details and details.cause)

    async def _remove_containers(self) -> None:
        """Remove them, however often it takes and whatever the engine says: an app that still runs has not ended."""
        pause = _FIRST_PAUSE_S
        while True:
            try:
                return await self.office.engine.remove(self.record.task_id)
            except Exception as trouble:
                self.log.warning("replicate.cleaning_retried", error=str(trouble), pause_s=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _remove_files(self) -> None:
        """Remove the folder, or rename it if that is impossible: the scheduler waits for the replicate's last word.

        A worker without root's rights cannot remove folders that an app made as root.
        """
        workspace, task_id = self.office.workspace, self.record.task_id
        for attempt in range(_CLEANING_TRIES):
            try:
                return await asyncio.to_thread(workspace.remove, task_id)
            except OSError as problem:
                trouble = problem
            await asyncio.sleep(_FIRST_PAUSE_S * 2**attempt)
        with suppress(OSError):
            await asyncio.to_thread(workspace.set_aside, task_id)
        self.log.error("replicate.files_left", folder=str(self.folder.path), error=str(trouble))

    def _update(self, status: ReplicateStatus, details: Details | None) -> Update:
        return Update(self.office.outbox.next_sequence(), self.record.task_id, status, details or Details())


async def settle(task: asyncio.Task[None]) -> None:
    """Cancel a replicate's task and wait until it is gone."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
