"""The grouping of waiting commands into transactions."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from workerpool_poco.protocol.contracts import calls
from workerpool_poco.protocol.ids import from_hex

from workerpool_chain_adapter.domain import stored_order
from workerpool_chain_adapter.domain.command import Command, CommandKey, CommandKind

MAX_BATCH = 100
"""Most commands in one array call: 100 initializations need about 23 million gas."""

_BLOCK_SHARE_PERCENT = 90
"""Largest share of a block's gas for one transaction; one that needs a whole block waits for an empty one."""


class Group(Enum):
    """Commands that may share a transaction, most urgent first.

    Finalizing has a deadline and pays workers, so it comes first. An order can be bought until it is cancelled. A claim
    can wait longest.
    """

    FINALIZE = "finalize"
    REOPEN = "reopen"
    CANCEL_ORDER = "cancel order"
    INITIALIZE = "initialize"
    CLAIM = "claim"
    INITIALIZE_AND_CLAIM = "initialize and claim"

    @property
    def is_array(self) -> bool:
        """Whether one transaction may serve several commands."""
        return self not in (Group.FINALIZE, Group.REOPEN, Group.CANCEL_ORDER)


GAS_BOUNDS = {
    Group.FINALIZE: 600_000,
    Group.REOPEN: 200_000,
    Group.CANCEL_ORDER: 200_000,
    Group.INITIALIZE: 300_000,
    Group.CLAIM: 300_000,
    Group.INITIALIZE_AND_CLAIM: 500_000,
}
"""Most gas per command, without the parts that depend on its task.

Measured: finalize 355,000 with two workers, reopen 68,000, cancel order 70,000 after a sale, initialize
230,000 in a batch, claim 147,000, initializeAndClaimArray 293,000 for one task.
"""
_GAS_PER_CONTRIBUTOR = 60_000
"""Finalize, reopen and claim unlock or reset each contribution."""
_GAS_PER_BYTE = 1_000
"""Finalize stores the result link and the callback data: 22,100 per word and 16 per byte of calldata."""


@dataclass(frozen=True)
class Plan:
    """A transaction to build, whose commands are all of one group."""

    group: Group
    commands: tuple[Command, ...]

    @property
    def data(self) -> bytes:
        """The calldata for the hub contract."""
        return _calldata(self.group, self.commands)

    @property
    def labels(self) -> tuple[str, ...]:
        """The keys of the commands, as labels of a journal entry."""
        return tuple(str(command.key) for command in self.commands)

    def gas_bound(self, contributors: int) -> int:
        """Return enough gas without an estimate; `contributors` is the number for all tasks together."""
        stored = len(self.data) if self.group is Group.FINALIZE else 0
        return (
            GAS_BOUNDS[self.group] * len(self.commands)
            + _GAS_PER_CONTRIBUTOR * contributors
            + _GAS_PER_BYTE * stored
        )

    def split(self) -> list["Plan"]:
        """Return one plan per command, to find the command that the contract refuses."""
        return [Plan(self.group, (command,)) for command in self.commands]


def plan(
    waiting: Iterable[Command], room: int, max_gas: int, uninitialized: Collection[CommandKey] = ()
) -> list[Plan]:
    """Return at most `room` transactions, the most urgent group first, each group in order of arrival.

    Initializations that wait together share one `initializeArray`, claims one `claimArray`, and claims of tasks that
    were never initialized one `initializeAndClaimArray`.

    Args:
        waiting: the commands without a transaction.
        room: transactions that may be added to those in flight.
        max_gas: most gas of one transaction.
        uninitialized: claims whose task is not initialized.
    """
    by_group: dict[Group, list[Command]] = {group: [] for group in Group}
    for command in waiting:
        by_group[_group(command, uninitialized)].append(command)
    plans: list[Plan] = []
    for group, commands in by_group.items():
        size = largest_batch(group, max_gas)
        plans += [Plan(group, tuple(chunk)) for chunk in _chunks(commands, size)]
    return plans[: max(room, 0)]


def largest_batch(group: Group, max_gas: int) -> int:
    """Return how many commands of a group fit into one transaction."""
    if not group.is_array:
        return 1
    fitting = max_gas * _BLOCK_SHARE_PERCENT // 100 // GAS_BOUNDS[group]
    return max(1, min(fitting, MAX_BATCH))


def _group(command: Command, uninitialized: Collection[CommandKey]) -> Group:
    match command.key.kind:
        case CommandKind.FINALIZE:
            return Group.FINALIZE
        case CommandKind.REOPEN:
            return Group.REOPEN
        case CommandKind.CANCEL_ORDER:
            return Group.CANCEL_ORDER
        case CommandKind.INITIALIZE:
            return Group.INITIALIZE
        case CommandKind.CLAIM:
            return Group.INITIALIZE_AND_CLAIM if command.key in uninitialized else Group.CLAIM


def _chunks(commands: Sequence[Command], size: int) -> Iterator[Sequence[Command]]:
    for start in range(0, len(commands), size):
        yield commands[start : start + size]


def _calldata(group: Group, commands: tuple[Command, ...]) -> bytes:
    first = commands[0]
    task_id = first.key.task_id
    tasks = [(command.deal_id, command.task_index) for command in commands]
    match group:
        case Group.INITIALIZE if len(commands) == 1:
            return calls.initialize(first.deal_id, first.task_index).data
        case Group.INITIALIZE:
            return calls.initialize_array(tasks).data
        case Group.FINALIZE:
            return calls.finalize(task_id, first.result_link.encode(), from_hex(first.callback_data)).data
        case Group.REOPEN:
            return calls.reopen(task_id).data
        case Group.CANCEL_ORDER:
            return calls.cancel_workerpool_order(stored_order.from_text(first.order)).data
        case Group.CLAIM if len(commands) == 1:
            return calls.claim(task_id).data
        case Group.CLAIM:
            return calls.claim_array([command.key.task_id for command in commands]).data
        case Group.INITIALIZE_AND_CLAIM:
            return calls.initialize_and_claim_array(tasks).data
