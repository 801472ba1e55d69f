"""Request, read and follow commands."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from workerpool_kit.batcher import Batcher
from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger
from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.ids import DealId, TaskId, task_id_of

from workerpool_chain_adapter.app.active_commands import ActiveCommands
from workerpool_chain_adapter.app.funds import Funds
from workerpool_chain_adapter.app.ports import CommandJournal, WalletChain
from workerpool_chain_adapter.app.tracker import Tracker
from workerpool_chain_adapter.domain.assessment import Impossible, InEffect, Verdict, assess
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind, CommandState
from workerpool_chain_adapter.errors import (
    ChainAdapterError,
    ChainUnavailable,
    CommandNotFound,
    OutOfGas,
    Refused,
    TargetNotFound,
)

log = get_logger()

_MAX_ASSESSED_AT_ONCE = 100


class Commands:
    """The use cases behind the API. One instance serves one wallet, exclusively."""

    def __init__(
        self,
        *,
        journal: CommandJournal,
        active: ActiveCommands,
        chain: WalletChain,
        tracker: Tracker,
        funds: Funds,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._active = active
        self._chain = chain
        self._tracker = tracker
        self._funds = funds
        self._clock = clock
        self._assess = Batcher(self._assess_many, most=_MAX_ASSESSED_AT_ONCE)
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
        """Request that a task is reopened; see `_request`."""
        now = self._clock.now()
        return await self._request(Command(CommandKey(task, CommandKind.REOPEN), now, now))

    async def claim(self, task: TaskId) -> Command:
        """Request the refund of a task's requester; see `_request`."""
        now = self._clock.now()
        return await self._request(Command(CommandKey(task, CommandKind.CLAIM), now, now))

    async def get(self, key: CommandKey) -> Command:
        """Return a command. Raises CommandNotFound."""
        command = await self._current(key)
        if command is None:
            raise CommandNotFound(f"the journal has no {key.kind} command for task {key.task_id}")
        return command

    async def watch(self, key: CommandKey) -> AsyncIterator[Command]:
        """Yield a command now and at each change, until it is final. Raises CommandNotFound."""
        with self._active.follow(key) as following:
            command = await self.get(key)
            yield command
            if command.is_final:
                return
            async for change in following.changes():
                # A change during `get` is queued too, and equals what was just yielded.
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
        """Return the command for this request, journaled before this returns.

        The same request twice returns the same command; a request after a failure restarts the command. Raises
        TargetNotFound, Refused, OutOfGas or ChainUnavailable when there is nothing to journal.
        """
        if (live := self._active.get(requested.key)) is not None and not live.is_final:
            return live
        admission = self._admissions.get(requested.key)
        if admission is None:
            admission = asyncio.create_task(self._admit(requested), name=f"admit {requested.key}")
            self._admissions[requested.key] = admission
            admission.add_done_callback(lambda _: self._admissions.pop(requested.key, None))
        # A caller that disconnects must not leave a journaled command outside `ActiveCommands`.
        return await asyncio.shield(admission)

    async def _admit(self, requested: Command) -> Command:
        try:
            verdict = await self._assess(requested)
        except PocoError as error:
            raise _unavailable(error) from error
        if isinstance(verdict, Impossible):
            return await self._already_done_or_raise(requested.key, verdict)
        if isinstance(verdict, InEffect):
            requested = requested.succeeded(self._clock.now())
        elif not self._funds.can_pay():
            raise OutOfGas(f"the wallet {self._chain.address} cannot pay for gas; send it native coins")
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
                    # The database's answer to an earlier request was lost: the command is journaled, but not active.
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
        """Return a command as it is now; an active one is dropped only when its final form is journaled."""
        return self._active.get(key) or await self._journal.get(key)

    async def _find_reorged(self) -> None:
        """Look for reorged transactions now: the effect must come from the same transaction, not from a new one."""
        try:
            await self._tracker.look(recheck_mined=True)
        except PocoError as error:
            raise _unavailable(error) from error

    async def _already_done_or_raise(self, key: CommandKey, verdict: Impossible) -> Command:
        """Return the command if it succeeded before the task moved on; raise otherwise."""
        existing = await self._current(key)
        if existing is not None and existing.state is CommandState.SUCCESS:
            return existing
        cause: type[ChainAdapterError] = TargetNotFound if verdict.missing else Refused
        raise cause(verdict.message, reason=verdict.reason, details={"task": key.task_id})

    async def _assess_many(self, commands: Sequence[Command]) -> list[Verdict]:
        snapshots = await self._chain.snapshots(commands)
        return [assess(command, at) for command, at in zip(commands, snapshots, strict=True)]


def _unavailable(error: PocoError) -> ChainUnavailable:
    return ChainUnavailable(f"cannot read the chain: {error}; try again later")
