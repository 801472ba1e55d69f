"""Group waiting commands into transactions."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from workerpool_poco.protocol.contracts import calls
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
    task_id = first.key.task_id
    match kind:
        case CommandKind.INITIALIZE if len(commands) == 1:
            return calls.initialize(first.deal_id, first.task_index).data
        case CommandKind.INITIALIZE:
            tasks = [(command.deal_id, command.task_index) for command in commands]
            return calls.initialize_array(tasks).data
        case CommandKind.FINALIZE:
            return calls.finalize(task_id, first.result_link.encode(), from_hex(first.callback_data)).data
        case CommandKind.REOPEN:
            return calls.reopen(task_id).data
        case CommandKind.CLAIM if len(commands) == 1:
            return calls.claim(task_id).data
        case CommandKind.CLAIM:
            return calls.claim_array([command.key.task_id for command in commands]).data
