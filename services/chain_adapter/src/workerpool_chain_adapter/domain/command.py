"""A command: one wanted effect on one task, and the states it lives through."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from workerpool_poco.protocol.ids import HexId


class CommandKind(StrEnum):
    """Kinds of command, named after the contract function (IexecPoco2) they call."""

    INITIALIZE = "INITIALIZE"
    FINALIZE = "FINALIZE"
    REOPEN = "REOPEN"
    CLAIM = "CLAIM"


class CommandState(StrEnum):
    """States of a command, in the documented spelling."""

    RECEIVED = "RECEIVED"
    """In the journal, in no transaction."""
    PROCESSING = "PROCESSING"
    """In a transaction of the journal, which is sent or about to be."""
    SUCCESS = "SUCCESS"
    """Its effect is on chain, whoever caused it."""
    FAILURE = "FAILURE"
    """It cannot take effect; asking again starts it anew."""


FINAL_STATES = frozenset({CommandState.SUCCESS, CommandState.FAILURE})

TRANSITIONS = frozenset(
    {
        (CommandState.RECEIVED, CommandState.PROCESSING),
        # Somebody else caused the effect, or it became impossible, before anything was sent.
        (CommandState.RECEIVED, CommandState.SUCCESS),
        (CommandState.RECEIVED, CommandState.FAILURE),
        # The transaction is lost for good (its nonce went to another one) or did not change anything.
        (CommandState.PROCESSING, CommandState.RECEIVED),
        (CommandState.PROCESSING, CommandState.SUCCESS),
        (CommandState.PROCESSING, CommandState.FAILURE),
        # Asked for again.
        (CommandState.FAILURE, CommandState.RECEIVED),
        (CommandState.SUCCESS, CommandState.RECEIVED),
        # A reorganisation took its transaction back, which is in flight again.
        (CommandState.SUCCESS, CommandState.PROCESSING),
    }
)
"""Every allowed change of state. SUCCESS is left only when the chain says the effect is gone: a task
may be reopened more than once, and a reorganisation may take a transaction back."""


class IllegalTransition(Exception):
    """A command was moved in a way the table does not allow: a defect."""


class CommandKey(NamedTuple):
    """What a command is found by: one task and one kind."""

    task_id: HexId
    kind: CommandKind

    def __str__(self) -> str:
        return f"{self.kind}:{self.task_id}"


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the journal. Times are Unix seconds; ids and data are lower-case 0x hexadecimal."""

    key: CommandKey
    created_at: float
    updated_at: float
    state: CommandState = CommandState.RECEIVED
    deal_id: HexId = ""
    task_index: int = 0
    result_link: str = ""
    callback_data: str = ""
    transaction_hash: HexId = ""
    block_number: int = 0
    gas_used: int = 0
    error_reason: str = ""
    error_message: str = ""
    attempts: int = 0

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens unless it is asked for again."""
        return self.state in FINAL_STATES

    def processing(self, transaction_hash: HexId, now: float) -> "Command":
        """Return the command as part of a transaction that is sent (again, with a higher fee)."""
        if self.is_final:
            raise IllegalTransition(f"{self.key} is {self.state} and is in no new transaction")
        again = self.state is CommandState.PROCESSING
        changed = self if again else self._moved(CommandState.PROCESSING, now)
        return replace(changed, transaction_hash=transaction_hash, attempts=self.attempts + 1, updated_at=now)

    def succeeded(
        self, now: float, *, transaction_hash: HexId = "", block_number: int = 0, gas_used: int = 0
    ) -> "Command":
        """Return the command with its effect on chain; no block when another party caused it."""
        return replace(
            self._moved(CommandState.SUCCESS, now),
            transaction_hash=transaction_hash or self.transaction_hash,
            block_number=block_number,
            gas_used=gas_used,
        )

    def failed(self, now: float, reason: str, message: str) -> "Command":
        """Return the command as one that cannot take effect."""
        return replace(self._moved(CommandState.FAILURE, now), error_reason=reason, error_message=message)

    def requeued(self, now: float) -> "Command":
        """Return the command as one to be sent in a new transaction."""
        return self._moved(CommandState.RECEIVED, now)

    def taken_back(self, now: float) -> "Command":
        """Return the command as one whose transaction was mined and is not any more: it waits in it again."""
        if self.state is not CommandState.SUCCESS:
            raise IllegalTransition(f"{self.key} is {self.state}: there is nothing to take back")
        return replace(self._moved(CommandState.PROCESSING, now), block_number=0, gas_used=0)

    def restarted(self, asked: "Command") -> "Command":
        """Return the command as asked for again, with the arguments of the new request."""
        if not self.is_final:
            raise IllegalTransition(f"{self.key} is {self.state} and cannot start anew")
        return replace(asked, created_at=self.created_at)

    def _moved(self, to: CommandState, now: float) -> "Command":
        if (self.state, to) not in TRANSITIONS:
            raise IllegalTransition(f"{self.key} cannot go from {self.state} to {to}")
        return replace(self, state=to, updated_at=now)
