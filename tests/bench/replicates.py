"""Status reports of a no-op replicate, grouped in one of three rhythms."""

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
"""Every status that a worker reports until COMPUTED, which frees its slot."""
COMPUTED = CHAIN[-1]
COMPUTING = CHAIN[-2]


class Rhythm(Enum):
    """How the statuses of a replicate are grouped into reports."""

    GATHERED = "gathered"
    """Pipelined; one StatusReport for all statuses of one iteration of the event loop."""
    SINGLE = "single"
    """Pipelined; one StatusReport for each status."""
    STEPWISE = "stepwise"
    """Each status waits for the acknowledgement of the previous one, that is, until it is durable."""
