"""Group waiting commands into transactions."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from workerpool_poco.protocol import abi
from workerpool_poco.protocol.ids import from_hex

from workerpool_chain_adapter.domain.command import Command, CommandKind

MAX_BATCH = 100
"""Most commands in one array call: 100 initializations need about 23 million gas."""

URGENCY = (CommandKind.FINALIZE, CommandKind.REOPEN, CommandKind.INITIALIZE, CommandKind.CLAIM)
"""Finalizing pays workers and has a deadline, so it goes first; claiming can wait longest."""

_ARRAY_KINDS = frozenset({CommandKind.INITIALIZE, CommandKind.CLAIM})
_GAS_PER_INITIALIZATION = 300_000
"""About 230,000 in a batch, plus the margin that estimates get."""
_BLOCK_SHARE_PERCENT = 90
"""A transaction that needs a whole block waits for an empty one."""


@dataclass(frozen=True)
class Plan:
    """A transaction to build; its commands are all of one kind."""

    kind: CommandKind
    commands: tuple[Command, ...]

    @property
    def data(self) -> bytes:
        """The calldata for the hub contract."""
        return _calldata(self.kind, self.commands)

    def split(self) -> list["Plan"]:
        """Return one plan per command, to find the command that the contract refuses."""
        return [Plan(self.kind, (command,)) for command in self.commands]


def plan(waiting: Iterable[Command], room: int, max_batch: int = MAX_BATCH) -> list[Plan]:
    """Return at most `room` transactions, the most urgent kind first, each kind in order of arrival.

    Initializations that wait together share one `initializeArray`, claims one `claimArray`.
    """
    by_kind: dict[CommandKind, list[Command]] = {kind: [] for kind in URGENCY}
    for command in waiting:
        by_kind[command.key.kind].append(command)
    plans: list[Plan] = []
    for kind, commands in by_kind.items():
        size = max_batch if kind in _ARRAY_KINDS else 1
        plans += [Plan(kind, tuple(chunk)) for chunk in _chunks(commands, size)]
    return plans[: max(room, 0)]


def largest_batch(block_gas_limit: int) -> int:
    """Return how many initializations fit into one transaction on a chain with this block gas limit."""
    fitting = block_gas_limit * _BLOCK_SHARE_PERCENT // 100 // _GAS_PER_INITIALIZATION
    return max(1, min(fitting, MAX_BATCH))


def _chunks(commands: Sequence[Command], size: int) -> Iterator[Sequence[Command]]:
    for start in range(0, len(commands), size):
        yield commands[start : start + size]


def _calldata(kind: CommandKind, commands: tuple[Command, ...]) -> bytes:
    first = commands[0]
    task_ids = [from_hex(command.key.task_id) for command in commands]
    match kind:
        case CommandKind.INITIALIZE if len(commands) == 1:
            return abi.HUB.encode("initialize", from_hex(first.deal_id), first.task_index)
        case CommandKind.INITIALIZE:
            deals = [from_hex(command.deal_id) for command in commands]
            return abi.HUB.encode("initializeArray", deals, [command.task_index for command in commands])
        case CommandKind.FINALIZE:
            results, callback = first.result_link.encode(), from_hex(first.callback_data)
            return abi.HUB.encode("finalize", task_ids[0], results, callback)
        case CommandKind.REOPEN:
            return abi.HUB.encode("reopen", task_ids[0])
        case CommandKind.CLAIM if len(commands) == 1:
            return abi.HUB.encode("claim", task_ids[0])
        case CommandKind.CLAIM:
            return abi.HUB.encode("claimArray", task_ids)
