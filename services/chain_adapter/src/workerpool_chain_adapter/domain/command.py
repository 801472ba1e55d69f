"""A command: one wanted effect on one task or order, and its states."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from workerpool_poco.protocol.ids import DealId, Hex, TaskId

_NO_DEAL = DealId("")


class CommandKind(StrEnum):
    """Kinds of command, named after the contract function they call: IexecPoco2, and `manageWorkerpoolOrder`."""

    INITIALIZE = "INITIALIZE"
    FINALIZE = "FINALIZE"
    REOPEN = "REOPEN"
    CLAIM = "CLAIM"
    CANCEL_ORDER = "CANCEL_ORDER"


class CommandState(StrEnum):
    """States of a command, in the documented spelling."""

    RECEIVED = "RECEIVED"
    """Journaled, without a transaction."""
    PROCESSING = "PROCESSING"
    """In a journaled transaction that is sent or will be sent."""
    SUCCESS = "SUCCESS"
    """Its effect is on chain, caused by this wallet or by another party."""
    FAILURE = "FAILURE"
    """It cannot take effect; a new request restarts it."""


FINAL_STATES = frozenset({CommandState.SUCCESS, CommandState.FAILURE})

TRANSITIONS = frozenset(
    {
        (CommandState.RECEIVED, CommandState.PROCESSING),
        # Another party caused the effect, or the command became impossible, before anything was sent.
        (CommandState.RECEIVED, CommandState.SUCCESS),
        (CommandState.RECEIVED, CommandState.FAILURE),
        # The transaction is lost (another one used its nonce) or had no effect.
        (CommandState.PROCESSING, CommandState.RECEIVED),
        (CommandState.PROCESSING, CommandState.SUCCESS),
        (CommandState.PROCESSING, CommandState.FAILURE),
        # Requested again.
        (CommandState.FAILURE, CommandState.RECEIVED),
        (CommandState.SUCCESS, CommandState.RECEIVED),
        # A reorg removed its transaction, which is in flight again.
        (CommandState.SUCCESS, CommandState.PROCESSING),
    }
)
"""Every allowed transition.

A command leaves SUCCESS only when the chain shows that its effect is gone: a task may be reopened more than once, and a
reorg may remove a transaction.
"""


class IllegalTransition(Exception):
    """A transition that the table does not allow: a defect."""


class CommandKey(NamedTuple):
    """The identity of a command: one task and one kind. For an order, `task_id` is the hash of the order."""

    task_id: TaskId
    kind: CommandKind

    def __str__(self) -> str:
        return f"{self.kind}:{self.task_id}"

    @classmethod
    def parse(cls, text: str) -> "CommandKey":
        """Return the key that `str` wrote as `text`."""
        kind, _, task_id = text.partition(":")
        return cls(TaskId(task_id), CommandKind(kind))


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the journal; times are Unix seconds, ids and data lower-case 0x hexadecimal.

    `order` is the order to cancel in the form of `stored_order`; empty for other kinds.
    """

    key: CommandKey
    created_at: float
    updated_at: float
    state: CommandState = CommandState.RECEIVED
    deal_id: DealId = _NO_DEAL
    task_index: int = 0
    result_link: str = ""
    callback_data: str = ""
    order: str = ""
    transaction_hash: Hex = ""
    block_number: int = 0
    gas_used: int = 0
    error_reason: str = ""
    error_message: str = ""
    attempts: int = 0
    reverts: int = 0
    """Transactions that cost gas or were refused by every node, and had no effect."""

    @property
    def is_final(self) -> bool:
        """Whether the command only changes when it is requested again."""
        return self.state in FINAL_STATES

    def processing(self, transaction_hash: Hex, now: float) -> "Command":
        """Return the command in a transaction, or in its replacement."""
        if self.is_final:
            raise IllegalTransition(f"{self.key} is {self.state} and cannot join a transaction")
        again = self.state is CommandState.PROCESSING
        changed = self if again else self._moved(CommandState.PROCESSING, now)
        new = transaction_hash != self.transaction_hash
        return replace(
            changed, transaction_hash=transaction_hash, attempts=self.attempts + new, updated_at=now
        )

    def succeeded(
        self, now: float, *, transaction_hash: Hex = "", block_number: int = 0, gas_used: int = 0
    ) -> "Command":
        """Return the command with its effect on chain; `block_number` is 0 when another party caused it."""
        return replace(
            self._moved(CommandState.SUCCESS, now),
            transaction_hash=transaction_hash or self.transaction_hash,
            block_number=block_number,
            gas_used=gas_used,
        )

    def failed(self, now: float, reason: str, message: str) -> "Command":
        """Return the command as one that cannot take effect."""
        return replace(self._moved(CommandState.FAILURE, now), error_reason=reason, error_message=message)

    def requeued(self, now: float, *, reverted: bool = False) -> "Command":
        """Return the command as one that waits for a new transaction; `reverted` counts the last one as a revert."""
        return replace(self._moved(CommandState.RECEIVED, now), reverts=self.reverts + reverted)

    def reorged(self, now: float) -> "Command":
        """Return the command as one whose mined transaction a reorg removed: the transaction is in flight again."""
        if self.state is not CommandState.SUCCESS:
            raise IllegalTransition(f"{self.key} is {self.state}: it has no effect that a reorg could remove")
        return replace(self._moved(CommandState.PROCESSING, now), block_number=0, gas_used=0)

    def restarted(self, requested: "Command") -> "Command":
        """Return the command as requested again, with the arguments of the new request."""
        if not self.is_final:
            raise IllegalTransition(f"{self.key} is {self.state} and cannot restart")
        return replace(requested, created_at=self.created_at)

    def _moved(self, to: CommandState, now: float) -> "Command":
        if (self.state, to) not in TRANSITIONS:
            raise IllegalTransition(f"{self.key} cannot go from {self.state} to {to}")
        return replace(self, state=to, updated_at=now)
