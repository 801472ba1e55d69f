"""Events that the scheduler handles: immutable values, each handled at a time that is passed beside it."""

from workerpool_core.domain.events.chain import (
    BlockSeen,
    BlocksReverted,
    ChainHealthChanged,
    DealSeen,
    ReconcileDue,
    TaskLog,
    TaskLogKind,
    TaskRead,
    Tick,
    WeightsRead,
)
from workerpool_core.domain.events.services import (
    EnclaveChallengeAnswered,
    ResultChecked,
    TransactionAnswered,
    TransactionKind,
)
from workerpool_core.domain.events.workers import (
    CommandAcknowledged,
    Details,
    HeartbeatsReceived,
    HeldReplicate,
    StatusReported,
    Update,
    WorkerConnected,
    WorkerDisconnected,
    WorkerDrained,
    WorkerReleased,
    WorkerUndrained,
)

__all__ = [
    "BlockSeen",
    "BlocksReverted",
    "ChainHealthChanged",
    "CommandAcknowledged",
    "DealSeen",
    "Details",
    "EnclaveChallengeAnswered",
    "Event",
    "HeartbeatsReceived",
    "HeldReplicate",
    "ReconcileDue",
    "ResultChecked",
    "StatusReported",
    "TaskLog",
    "TaskLogKind",
    "TaskRead",
    "Tick",
    "TransactionAnswered",
    "TransactionKind",
    "Update",
    "WeightsRead",
    "WorkerConnected",
    "WorkerDisconnected",
    "WorkerDrained",
    "WorkerReleased",
    "WorkerUndrained",
]

Event = (
    BlockSeen
    | BlocksReverted
    | TaskRead
    | WorkerConnected
    | WorkerDisconnected
    | HeartbeatsReceived
    | WeightsRead
    | StatusReported
    | CommandAcknowledged
    | TransactionAnswered
    | ResultChecked
    | EnclaveChallengeAnswered
    | ChainHealthChanged
    | WorkerDrained
    | WorkerUndrained
    | WorkerReleased
    | Tick
    | ReconcileDue
)
