"""Events that the scheduler handles: immutable values without their time, which the caller passes separately."""

from workerpool_core.domain.events.chain import (
    BlockSeen,
    BlocksReverted,
    ChainHealthChanged,
    ChainProblem,
    DealSeen,
    ReconcileDue,
    TaskLog,
    TaskLogKind,
    TaskRead,
    TasksRead,
    Tick,
    WeightsRead,
)
from workerpool_core.domain.events.services import (
    EnclaveChallengeAnswered,
    ResultChecked,
    SmsFound,
    SmsRefused,
    SmsUnreachable,
    TransactionAnswered,
    TransactionKind,
)
from workerpool_core.domain.events.workers import (
    AssignmentsSent,
    CommandAcknowledged,
    Details,
    HeartbeatsReceived,
    HeldReplicate,
    StatusReported,
    Update,
    WhitelistChanged,
    WorkerConnected,
    WorkerDisconnected,
    WorkerDrained,
    WorkerLeft,
    WorkerParked,
    WorkerQuarantined,
    WorkerReleased,
    WorkerUndrained,
)

__all__ = [
    "AssignmentsSent",
    "BlockSeen",
    "BlocksReverted",
    "ChainHealthChanged",
    "ChainProblem",
    "CommandAcknowledged",
    "DealSeen",
    "Details",
    "EnclaveChallengeAnswered",
    "Event",
    "HeartbeatsReceived",
    "HeldReplicate",
    "ReconcileDue",
    "ResultChecked",
    "SmsFound",
    "SmsRefused",
    "SmsUnreachable",
    "StatusReported",
    "TaskLog",
    "TaskLogKind",
    "TaskRead",
    "TasksRead",
    "Tick",
    "TransactionAnswered",
    "TransactionKind",
    "Update",
    "WeightsRead",
    "WhitelistChanged",
    "WorkerConnected",
    "WorkerDisconnected",
    "WorkerDrained",
    "WorkerLeft",
    "WorkerParked",
    "WorkerQuarantined",
    "WorkerReleased",
    "WorkerUndrained",
]

Event = (
    BlockSeen
    | BlocksReverted
    | TasksRead
    | WorkerConnected
    | WorkerDisconnected
    | WorkerParked
    | WorkerLeft
    | HeartbeatsReceived
    | AssignmentsSent
    | WeightsRead
    | StatusReported
    | CommandAcknowledged
    | TransactionAnswered
    | ResultChecked
    | SmsFound
    | EnclaveChallengeAnswered
    | SmsRefused
    | SmsUnreachable
    | ChainHealthChanged
    | WhitelistChanged
    | WorkerDrained
    | WorkerUndrained
    | WorkerQuarantined
    | WorkerReleased
    | Tick
    | ReconcileDue
)
