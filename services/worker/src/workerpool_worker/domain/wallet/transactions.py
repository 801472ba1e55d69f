"""The worker's transactions: what they do, and the labels under which the journal of the wallet finds them."""

from enum import StrEnum

from workerpool_poco.protocol.ids import TaskId


class TransactionKind(StrEnum):
    """What a transaction of a replicate does."""

    CONTRIBUTE = "CONTRIBUTE"
    REVEAL = "REVEAL"


def label(kind: TransactionKind, task_id: TaskId) -> str:
    """Return the label of a replicate's transaction, such as `REVEAL:0x…`. A wallet needs each one once."""
    return f"{kind.value}:{task_id}"
