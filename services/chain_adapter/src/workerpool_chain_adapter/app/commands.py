"""Asking for commands, reading them, following them."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from workerpool_kit.batcher import Batcher
from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger
from workerpool_poco.errors import PocoError
from workerpool_poco.protocol.ids import bytes32, task_id, to_hex

from workerpool_chain_adapter.adapters.hub_chain import OwnerChain
from workerpool_chain_adapter.adapters.mongo_journal import Journal
from workerpool_chain_adapter.app.active_commands import Board
from workerpool_chain_adapter.app.funds import Funds
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


class Commands:
    """The use cases behind the API. One instance serves one wallet and is the only one that does."""

    def __init__(
        self,
        *,
        journal: Journal,
        board: Board,
        chain: OwnerChain,
        tracker: Tracker,
        funds: Funds,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._board = board
        self._chain = chain
        self._tracker = tracker
        self._funds = funds
        self._clock = clock
        self._assess = Batcher(self._assess_many, most=100)
        self._add = Batcher(journal.add)
        self._admissions: dict[CommandKey, asyncio.Task[Command]] = {}

    async def initialize(self, deal_id: str, index: int) -> Command:
        """Ask for a task's initialization; see `_ask`."""
        key = CommandKey(to_hex(task_id(bytes32(deal_id), index)), CommandKind.INITIALIZE)
        now = self._clock.now()
        return await self._ask(Command(key, now, now, deal_id=deal_id, task_index=index))

    async def finalize(self, task: str, result_link: str, callback_data: str) -> Command:
        """Ask for a task's finalization; see `_ask`."""
        now = self._clock.now()
        data = "" if callback_data == "0x" else callback_data.lower()
        key = CommandKey(task, CommandKind.FINALIZE)
        return await self._ask(Command(key, now, now, result_link=result_link, callback_data=data))

    async def reopen(self, task: str) -> Command:
        """Ask for a task to be reopened; see `_ask`."""
        now = self._clock.now()
        return await self._ask(Command(CommandKey(task, CommandKind.REOPEN), now, now))

    async def claim(self, task: str) -> Command:
        """Ask for a task's requester to be refunded; see `_ask`."""
        now = self._clock.now()
        return await self._ask(Command(CommandKey(task, CommandKind.CLAIM), now, now))

    async def get(self, key: CommandKey) -> Command:
        """Return a command; raises CommandNotFound."""
        command = await self._present(key)
        if command is None:
            raise CommandNotFound(f"the journal holds no {key.kind} command for the task {key.task_id}")
        return command

    async def watch(self, key: CommandKey) -> AsyncIterator[Command]:
        """Yield a command now and at each change, until it is final; raises CommandNotFound."""
        with self._board.follow(key) as following:
            command = await self.get(key)
            yield command
            if command.is_final:
                return
            async for change in following.changes():
                # What changed while the present form was looked up is queued as well.
                if change != command:
                    command = change
                    yield command
                if command.is_final:
                    return

    async def page(
        self, size: int, before: tuple[float, str] | None, state: CommandState | None, task: str
    ) -> list[Command]:
        """Return commands, newest first; see `Journal.page`."""
        return await self._journal.page(size, before, state, task)

    async def _ask(self, asked: Command) -> Command:
        """Return the command that stands for the wish, journaled before this returns.

        The same wish twice gives the same command; a failed one starts anew. Raises TargetNotFound, Refused,
        OutOfGas or ChainUnavailable when there is nothing to journal.
        """
        if (live := self._board.get(asked.key)) is not None and not live.is_final:
            return live
        admission = self._admissions.get(asked.key)
        if admission is None:
            admission = asyncio.create_task(self._admit(asked), name=f"admit {asked.key}")
            self._admissions[asked.key] = admission
            admission.add_done_callback(lambda _: self._admissions.pop(asked.key, None))
        # A caller that goes away must not leave a journaled command that nobody works on.
        return await asyncio.shield(admission)

    async def _admit(self, asked: Command) -> Command:
        try:
            verdict = await self._assess(asked)
        except PocoError as error:
            raise ChainUnavailable(f"the chain cannot be read now: {error}") from error
        if isinstance(verdict, Impossible):
            return await self._already_done_or_raise(asked.key, verdict)
        if isinstance(verdict, InEffect):
            asked = asked.succeeded(self._clock.now())
        elif not self._funds.can_pay():
            raise OutOfGas(f"the wallet {self._chain.address} cannot pay for gas; send it some coins")
        existing = await self._add(asked)
        if existing is not None:
            known = await self._present(asked.key) or existing
            if known.state is CommandState.SUCCESS:
                if asked.is_final:
                    return known
                await self._find_taken_back()
                known = self._board.get(asked.key) or known
            if not known.is_final:
                if known.state is CommandState.RECEIVED and self._board.get(asked.key) is None:
                    # The database's answer to the first asking was lost, so nobody works on it yet.
                    self._board.show(known)
                return known
            asked = known.restarted(asked)
            await self._board.record(asked)
        elif not asked.is_final:
            self._board.show(asked)
        log.info("command.accepted", task=asked.key.task_id, kind=asked.key.kind, state=asked.state)
        return asked

    async def _present(self, key: CommandKey) -> Command | None:
        """Return a command as it is now. It leaves the board only when its last form is in the journal."""
        return self._board.get(key) or await self._journal.get(key)

    async def _find_taken_back(self) -> None:
        """Notice at once what a reorganisation took back: the same transaction brings it again, not another one."""
        try:
            await self._tracker.look(in_doubt=True)
        except PocoError as error:
            raise ChainUnavailable(f"the chain cannot be read now: {error}") from error

    async def _already_done_or_raise(self, key: CommandKey, verdict: Impossible) -> Command:
        """Return the command when it did succeed before and the task has moved on since; raise otherwise."""
        existing = await self._present(key)
        if existing is not None and existing.state is CommandState.SUCCESS:
            return existing
        cause: type[ChainAdapterError] = TargetNotFound if verdict.missing else Refused
        raise cause(verdict.message, reason=verdict.reason, details={"task": key.task_id})

    async def _assess_many(self, commands: Sequence[Command]) -> list[Verdict]:
        situations = await self._chain.situations(commands)
        return [assess(command, at) for command, at in zip(commands, situations, strict=True)]
