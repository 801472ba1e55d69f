"""The outcomes of commands, derived from those of their transactions."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from workerpool_kit.clock import Clock
from workerpool_kit.logs import get_logger
from workerpool_transactions.domain.entry import Entry, EntryState

from workerpool_chain_adapter import metrics
from workerpool_chain_adapter.app.active_commands import ActiveCommands
from workerpool_chain_adapter.app.assessor import Assessor
from workerpool_chain_adapter.app.ports import CommandJournal
from workerpool_chain_adapter.app.reconciler import Reconciler
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandState

log = get_logger()

_WITHOUT_EFFECT = frozenset({EntryState.REVERTED, EntryState.REFUSED})


class Outcomes:
    """The updates of commands after changes of the wallet's entries; every step may be repeated after a crash."""

    def __init__(
        self,
        *,
        journal: CommandJournal,
        active: ActiveCommands,
        assessor: Assessor,
        reconciler: Reconciler,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._active = active
        self._assessor = assessor
        self._reconciler = reconciler
        self._clock = clock

    async def settle(self, entries: Sequence[Entry]) -> None:
        """End the commands of mined entries; requeue those of other ended entries.

        Called before the journal stores the end of the entries, and again after a crash in between.
        """
        await self._move(entries)
        changed: list[Command] = []
        for entry in entries:
            commands = [each for each in self._active.processing(keys_of(entry)) if _serves(entry, each)]
            kind = keys_of(entry)[0].kind.lower()
            status = "success" if entry.state is EntryState.MINED else "failure"
            metrics.TRANSACTIONS.labels(kind, status).inc()
            if entry.state is not EntryState.MINED:
                log.info("transaction.failed", nonce=entry.nonce, state=entry.state, commands=len(commands))
            changed += [self._settled(command, entry) for command in commands]
        # Assess requeued commands again: their effect may be on chain, or have become impossible.
        self._assessor.forget(each.key for each in changed if not each.is_final)
        await self._reconciler.record(changed)

    async def _move(self, entries: Sequence[Entry]) -> None:
        """Store the new block of succeeded commands whose entries a reorganisation moved."""
        mined = {key: entry for entry in entries if entry.state is EntryState.MINED for key in keys_of(entry)}
        ended = [key for key in mined if self._active.get(key) is None]
        moved = [
            _in_block(command, mined[command.key])
            for command in await self._journal.named(ended)
            if command.state is CommandState.SUCCESS and _serves(mined[command.key], command)
        ]
        await self._active.record(*moved)

    async def restore(self, entries: Sequence[Entry]) -> None:
        """Move commands back to PROCESSING whose entries are in flight again after a reorganisation."""
        serving = {key: entry for entry in entries for key in keys_of(entry)}
        now = self._clock.now()
        journaled = await self._journal.named(list(serving))
        # The active state is newer; no await separates this read from the record.
        current = [self._active.get(command.key) or command for command in journaled]
        restored = [_restored(command, serving[command.key], now) for command in current]
        await self._active.record(*(each for each in restored if each is not None))

    def journaled(self, entries: Iterable[Entry]) -> list[Command]:
        """Show commands with the latest version of their journaled entries; return those that changed."""
        now = self._clock.now()
        changed = []
        for entry in entries:
            if entry.is_live:
                for key in keys_of(entry):
                    command = self._active.get(key)
                    if command is not None and _joins(command, entry):
                        changed.append(command.processing(entry.latest.hash, now))
        self._active.show(*changed)
        return changed

    def _settled(self, command: Command, entry: Entry) -> Command:
        now = self._clock.now()
        if entry.state is EntryState.MINED:
            return _in_block(command.succeeded(now), entry)
        return command.requeued(now, reverted=entry.state in _WITHOUT_EFFECT)


def keys_of(entry: Entry) -> list[CommandKey]:
    """Return the commands of an entry; none for a filler."""
    return [CommandKey.parse(label) for label in entry.call.labels]


def _serves(entry: Entry, command: Command) -> bool:
    return any(version.hash == command.transaction_hash for version in entry.versions)


def _in_block(command: Command, entry: Entry) -> Command:
    """Return a succeeded command with the receipt of its entry."""
    receipt = entry.receipt
    assert receipt is not None, f"entry {entry.nonce} is {entry.state} without a receipt"
    return replace(
        command,
        transaction_hash=receipt.hash,
        block_number=receipt.block_number,
        gas_used=receipt.gas_used,
    )


def _joins(command: Command, entry: Entry) -> bool:
    """Return whether a command waits for this new entry, or the entry has a newer version than the command."""
    if command.state is CommandState.RECEIVED:
        return True
    newer = command.transaction_hash != entry.latest.hash
    return command.state is CommandState.PROCESSING and newer and _serves(entry, command)


def _restored(command: Command, entry: Entry, now: float) -> Command | None:
    if command.state is CommandState.RECEIVED:
        return command.processing(entry.latest.hash, now)
    if command.state is CommandState.SUCCESS and _serves(entry, command):
        return replace(command.reorged(now), transaction_hash=entry.latest.hash)
    return None
