"""How a simulated worker reports a no-op replicate: the whole chain of statuses, in one of three rhythms."""

from __future__ import annotations

from enum import Enum

from workerpool_protocol.core.v1 import statuses_pb2

CHAIN: tuple[statuses_pb2.ReplicateStatus.ValueType, ...] = (
    statuses_pb2.REPLICATE_STATUS_STARTING,
    statuses_pb2.REPLICATE_STATUS_STARTED,
    statuses_pb2.REPLICATE_STATUS_APP_DOWNLOADING,
    statuses_pb2.REPLICATE_STATUS_APP_DOWNLOADED,
    statuses_pb2.REPLICATE_STATUS_DATA_DOWNLOADING,
    statuses_pb2.REPLICATE_STATUS_DATA_DOWNLOADED,
    statuses_pb2.REPLICATE_STATUS_COMPUTING,
    statuses_pb2.REPLICATE_STATUS_COMPUTED,
)
"""Every status that a worker reports up to COMPUTED, which frees the slot."""
COMPUTED = CHAIN[-1]
COMPUTING = CHAIN[-2]


class Rhythm(Enum):
    """How the statuses of a replicate travel."""

    GATHERED = "gathered"
    """Pipelined; what is ready at one turn of the event loop travels in one StatusReport."""
    SINGLE = "single"
    """Pipelined; a StatusReport for each status."""
    STEPWISE = "stepwise"
    """Each status waits until the one before it is acknowledged, that is, durable."""
