"""Timeouts and limits of the scheduler, with the protocol's defaults."""

from dataclasses import dataclass

from workerpool_poco.protocol.model import REORGANISATION_BLOCKS

_PROOF_BLOCKS = 18
_SHORTEST_PROOF_S = 10.0


def proof_timeout(block_time_s: float) -> float:
    """Return the seconds within which a reported transaction must be on chain: three tries of six blocks (§2.5)."""
    return max(_PROOF_BLOCKS * block_time_s, _SHORTEST_PROOF_S)


@dataclass(frozen=True, slots=True)
class Policy:
    """Timeouts (seconds) and limits (counts, bytes) of the scheduler.

    * `liveness_s`: silence after which a worker is lost (core spec §3.7).
    * `upload_timeout_s`: silence of an uploader after which another worker is asked (§1.5).
    * `retry_s`: delay before an unanswered transaction, read or check is requested again.
    * `quarantine_after`: consecutive failures after which a worker gets no work for `quarantine_s`. Each further
      failure doubles the duration, up to `quarantine_max_s`.
    * `assignment_resend_s`: silence after which an assignment is sent again.
    * `proof_timeout_s`: time in which a reported transaction must be on chain before the report is refused (see
      `proof_timeout`).
    * `read_timeout_s`: silence after which a read of the chain or a check of the result proxy is requested again.
    * `ended_retention_s`: time that an ended task stays in memory for late reports of its workers.
    * `slot_memory_bytes`: memory that a worker must have for each slot in use; 0 disables the limit.
    * `reorganisation_doubt_s`: time after a reorganisation in which each answer of the chain adapter is verified by a
      read. A refused transaction may lack a transaction that is not mined again yet; a successful one may be gone.
    * `reorganisation_blocks`: depth at which a finalization or a claim counts as final.
    * `required_worker_version`: the only accepted version of workers; empty accepts any.
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
