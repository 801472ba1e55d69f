"""The use cases that request, read and follow commands."""

import asyncio
from collections.abc import AsyncIterator

from workerpool_kit.batcher import Batcher
from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger
from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.ids import DealId, TaskId, task_id_of
from workerpool_poco.protocol.orders import WorkerpoolOrder
from workerpool_transactions.app.pipeline import Pipeline

from workerpool_chain_adapter.app.active_commands import ActiveCommands
from workerpool_chain_adapter.app.assessor import Assessor
from workerpool_chain_adapter.app.ports import CommandJournal
from workerpool_chain_adapter.domain import stored_order
from workerpool_chain_adapter.domain.assessment import Impossible, InEffect
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind, CommandState
from workerpool_chain_adapter.errors import (
    BadArgument,
    ChainAdapterError,
    ChainUnavailable,
    CommandNotFound,
    Refused,
    TargetNotFound,
)

log = get_logger()

_MAX_ASSESSED_AT_ONCE = 100
_NO_DEAL = DealId("")


class Commands:
    """The use cases behind the API; one instance serves one wallet exclusively."""

    def __init__(
        self,
        *,
        journal: CommandJournal,
        active: ActiveCommands,
        assessor: Assessor,
        pipeline: Pipeline,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._active = active
        self._pipeline = pipeline
        self._clock = clock
        self._assess = Batcher(assessor.assess, max_items=_MAX_ASSESSED_AT_ONCE)
        self._add = Batcher(journal.add)
        self._admissions: dict[CommandKey, asyncio.Task[Command]] = {}

    async def initialize(self, deal_id: DealId, index: int) -> Command:
        """Request a task's initialization; see `_request`."""
        key = CommandKey(task_id_of(deal_id, index), CommandKind.INITIALIZE)
        now = self._clock.now()
        return await self._request(Command(key, now, now, deal_id=deal_id, task_index=index))

    async def finalize(self, task: TaskId, result_link: str, callback_data: str) -> Command:
        """Request a task's finalization; see `_request`."""
        now = self._clock.now()
        data = "" if callback_data == "0x" else callback_data.lower()
        key = CommandKey(task, CommandKind.FINALIZE)
        return await self._request(Command(key, now, now, result_link=result_link, callback_data=data))

    async def reopen(self, task: TaskId) -> Command:
        """Request the reopening of a task; see `_request`."""
        now = self._clock.now()
        return await self._request(Command(CommandKey(task, CommandKind.REOPEN), now, now))

    async def claim(self, task: TaskId, deal_id: DealId = _NO_DEAL, index: int = 0) -> Command:
        """Request the refund of a task's requester; see `_request`.

        With deal and index, a task that was never initialized is initialized and claimed in one transaction. Raises
        BadArgument when they belong to another task.
        """
        if deal_id and task_id_of(deal_id, index) != task:
            raise BadArgument(
                f"deal_id, task_index: task {index} of deal {deal_id} is not {task}; send those of the task, or none"
            )
        now = self._clock.now()
        key = CommandKey(task, CommandKind.CLAIM)
        return await self._request(Command(key, now, now, deal_id=deal_id, task_index=index))

    async def cancel_order(self, order_hash: str, order: WorkerpoolOrder) -> Command:
        """Request the cancellation of an order on chain; see `_request`. `order_hash` is its EIP-712 hash (0x text)."""
        now = self._clock.now()
        key = CommandKey(TaskId(order_hash), CommandKind.CANCEL_ORDER)
        return await self._request(Command(key, now, now, order=stored_order.to_text(order)))

    def accepting(self, kind: CommandKind) -> bool:
        """Return whether requests of this kind are being accepted now."""
        return any(key.kind is kind for key in self._admissions)

    async def get(self, key: CommandKey) -> Command:
        """Return a command. Raises CommandNotFound."""
        command = await self._current(key)
        if command is None:
            raise CommandNotFound(
                f"the journal has no {key.kind} command for task {key.task_id}; check the id, or request the command"
            )
        return command

    async def watch(self, key: CommandKey) -> AsyncIterator[Command]:
        """Yield a command now and at each change, until it is final. Raises CommandNotFound."""
        with self._active.follow(key) as following:
            command = await self.get(key)
            yield command
            if command.is_final:
                return
            async for change in following.changes():
                # A change during `get` is queued too, and equals the last yielded command.
                if change != command:
                    command = change
                    yield command
                if command.is_final:
                    return

    async def page(
        self, size: int, before: tuple[float, str] | None, state: CommandState | None, task: TaskId | None
    ) -> list[Command]:
        """Return commands, newest first; see `CommandJournal.page`."""
        return await self._journal.page(size, before, state, task)

    async def _request(self, requested: Command) -> Command:
        """Journal a requested command, and return it.

        A repeated request returns the same command; a request after a failure restarts the command. Raises
        TargetNotFound, Refused or ChainUnavailable, and then journals nothing. A command is also accepted while the
        wallet cannot pay: it waits until it can, or until the command becomes impossible.
        """
        if (live := self._active.get(requested.key)) is not None and not live.is_final:
            return live
        admission = self._admissions.get(requested.key)
        if admission is None:
            admission = asyncio.create_task(self._admit(requested), name=f"admit {requested.key}")
            self._admissions[requested.key] = admission
            admission.add_done_callback(lambda done: self._admitted(requested.key, done))
        # Shield, so that a disconnected caller does not leave a journaled command outside `ActiveCommands`.
        return await asyncio.shield(admission)

    def _admitted(self, key: CommandKey, admission: asyncio.Task[Command]) -> None:
        self._admissions.pop(key, None)
        if not admission.cancelled():
            # Mark the exception as retrieved, because a disconnected caller does not await it.
            admission.exception()

    async def _admit(self, requested: Command) -> Command:
        self._pipeline.expect()
        try:
            verdict = await self._assess(requested)
        except PocoError as error:
            raise _unavailable(error) from error
        if isinstance(verdict, Impossible):
            return await self._already_done_or_raise(requested.key, verdict)
        if isinstance(verdict, InEffect):
            requested = requested.succeeded(self._clock.now())
        existing = await self._add(requested)
        if existing is not None:
            known = await self._current(requested.key) or existing
            if known.state is CommandState.SUCCESS:
                if requested.is_final:
                    return known
                await self._find_reorged()
                known = self._active.get(requested.key) or known
            if not known.is_final:
                if known.state is CommandState.RECEIVED and self._active.get(requested.key) is None:
                    # The database's answer to an earlier request was lost, so the command is journaled but not active.
                    self._active.show(known)
                return known
            requested = known.restarted(requested)
            await self._active.record(requested)
        elif not requested.is_final:
            self._active.show(requested)
        log.info(
            "command.accepted", task=requested.key.task_id, kind=requested.key.kind, state=requested.state
        )
        return requested

    async def _current(self, key: CommandKey) -> Command | None:
        """Return the current state of a command; an active one is dropped only after its final state is journaled."""
        return self._active.get(key) or await self._journal.get(key)

    async def _find_reorged(self) -> None:
        """Search for reorged transactions now, because the same transaction must cause the effect, not a new one."""
        try:
            await self._pipeline.recheck()
        except PocoError as error:
            raise _unavailable(error) from error

    async def _already_done_or_raise(self, key: CommandKey, verdict: Impossible) -> Command:
        """Return the command if it succeeded before the task progressed. Raises TargetNotFound or Refused otherwise."""
        existing = await self._current(key)
        if existing is not None and existing.state is CommandState.SUCCESS:
            return existing
        cause: type[ChainAdapterError] = TargetNotFound if verdict.missing else Refused
        raise cause(verdict.message, reason=verdict.reason, details={"task": key.task_id})


def _unavailable(error: PocoError) -> ChainUnavailable:
    return ChainUnavailable(f"cannot read the chain: {error}; retry later")
