"""Periods and limits of the scheduler, in seconds and counts, with the protocol's defaults."""

from dataclasses import dataclass

from workerpool_poco.protocol.model import REORGANISATION_BLOCKS

_PROOF_BLOCKS = 18
_SHORTEST_PROOF_S = 10.0


def proof_timeout(block_time_s: float) -> float:
    """Return the seconds in which a reported transaction must show on chain: three tries of six blocks (§2.5)."""
    return max(_PROOF_BLOCKS * block_time_s, _SHORTEST_PROOF_S)


@dataclass(frozen=True, slots=True)
class Policy:
    """How long the scheduler waits for whom.

    `liveness_s`: silence after which a worker is lost (core spec §3.7). `upload_timeout_s`: silence of an
    uploader before another one is asked (§1.5). `retry_s`: pause before an unanswered transaction, read or
    check is asked again. `quarantine_after`: failures in a row before a worker gets no work for
    `quarantine_s`, doubled each time up to `quarantine_max_s`. `assignment_resend_s`: silence after which an
    assignment is sent again. `proof_timeout_s`: how long a reported transaction may take to show on chain
    before the report is refused (see `proof_timeout`). `read_timeout_s`: silence after which a
    chain read or a check of the result proxy is asked again. `ended_retention_s`: how long an ended task
    stays in memory for the last words of its workers. `slot_memory_bytes`: memory a worker must have for each
    slot in use; 0 does not look at memory. `reorganisation_doubt_s`: how long after a reorganisation no answer
    of the adapter is taken at its word: what a refused transaction needs may only be on its way back, and what
    succeeded may be gone. `reorganisation_blocks`: so many blocks above it, a finalization or a claim counts as there
    to stay. `required_worker_version`: empty allows any.
    """

    liveness_s: float = 60.0
    upload_timeout_s: float = 120.0
    retry_s: float = 2.0
    quarantine_after: int = 3
    quarantine_s: float = 60.0
    quarantine_max_s: float = 3600.0
    assignment_resend_s: float = 30.0
    proof_timeout_s: float = 90.0
    read_timeout_s: float = 15.0
    ended_retention_s: float = 600.0
    slot_memory_bytes: int = 0
    reorganisation_doubt_s: float = 120.0
    reorganisation_blocks: int = REORGANISATION_BLOCKS
    required_worker_version: str = ""
