"""Which errors one run of a stage retries, and the cause that it reports when retries end."""

import time
from collections.abc import Callable

from workerpool_poco.protocol.statuses import ReplicateStatusCause

from workerpool_worker.domain.outages import EngineOutage
from workerpool_worker.domain.stages import Stage
from workerpool_worker.errors import (
    ChainUnavailable,
    DockerUnavailable,
    InitializationOrphaned,
    RuntimeUnavailable,
    TransactionUnconfirmed,
    WalletOutOfGas,
)

TRANSIENT: dict[type[Exception], ReplicateStatusCause] = {
    ChainUnavailable: ReplicateStatusCause.CHAIN_UNREACHABLE,
    TransactionUnconfirmed: ReplicateStatusCause.CHAIN_RECEIPT_NOT_VALID,
    WalletOutOfGas: ReplicateStatusCause.OUT_OF_GAS,
    InitializationOrphaned: ReplicateStatusCause.TASK_NOT_ACTIVE,
    DockerUnavailable: ReplicateStatusCause.HOST_FAILED,
}
"""Errors that are retried until the deadline of the stage, and the cause reported after it."""


def retryable(stage: Stage, on_runtime_lost: Callable[[str], None]) -> Callable[[Exception], bool]:
    """Return the predicate of the errors that one run of a stage retries.

    `on_runtime_lost` receives the reason at once, since the next app would not start either.
    """
    outage = EngineOutage(stage, time.monotonic())

    def accepts(error: Exception) -> bool:
        if isinstance(error, RuntimeUnavailable):
            on_runtime_lost(error.message)
            return outage.allows_retry(time.monotonic(), engine_failed=True, never_ran=True)
        if not isinstance(error, tuple(TRANSIENT)):
            return False
        return outage.allows_retry(time.monotonic(), engine_failed=isinstance(error, DockerUnavailable))

    return accepts
