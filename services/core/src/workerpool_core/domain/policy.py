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
    * `max_absence_s`: longest time for which a worker that announces its return keeps its replicates; the announcement
      is not trusted beyond it.
    * `upload_timeout_s`: silence of an uploader after which another worker uploads (§1.5).
    * `retry_s`: delay before an unanswered transaction, read or check is requested again.
    * `quarantine_after`: consecutive failures after which a worker gets no work for `quarantine_s`. Each further
      failure doubles the duration, up to `quarantine_max_s`.
    * `assignment_timeout_s`: time from sending an assignment to the report of STARTING. After it the task goes to
      another worker, and the silent one gets no new work until it reports.
    * `tasks_ahead`: tasks of a deal that are created before a worker is free for them; a larger pool creates
      `tasks_ahead_per_slot` for each slot.
    * `newcomer_assignments`: tasks of paid deals that a wallet without a completed contribution may compute at once;
      each completed contribution raises its limit by one. 0 disables the limit.
    * `proof_timeout_s`: time in which a reported transaction must be on chain before the report is refused (see
      `proof_timeout`).
    * `read_timeout_s`: silence after which a read of the chain or a check of the result proxy is requested again.
    * `ended_retention_s`: time that an ended task stays in memory for late reports of its workers.
    * `slot_memory_bytes`: memory that a worker must have for each slot in use; 0 disables the limit.
    * `reorganisation_doubt_s`: time after a reorganisation in which a read verifies each answer of the chain adapter. A
      refused transaction may depend on one that is not mined again yet; a successful one may have been removed.
    * `reorganisation_blocks`: depth at which a finalization or a claim counts as final.
    * `required_worker_version`: the only accepted version of workers; empty accepts any.
    * `error_results`: whether the failure of an app is contributed as its result; otherwise the requester is refunded.
    * `progress_timeout_s`: silence of a worker, beyond the limit of its step, after which it loses the replicate and
      the failure counts.
    * `download_s`: least time allowed for a download.
    * `clock_tolerance_s`: tolerated difference between the clocks of a worker and the chain.
    * `failure_pause_s`: time that a task waits for another worker after a failure of the chain or of the pool.
    """

    liveness_s: float = 60.0
    max_absence_s: float = 300.0
    upload_timeout_s: float = 120.0
    retry_s: float = 2.0
    quarantine_after: int = 3
    quarantine_s: float = 60.0
    quarantine_max_s: float = 3600.0
    assignment_timeout_s: float = 10.0
    tasks_ahead: int = 64
    tasks_ahead_per_slot: float = 2.0
    newcomer_assignments: int = 2
    proof_timeout_s: float = 90.0
    read_timeout_s: float = 15.0
    ended_retention_s: float = 600.0
    slot_memory_bytes: int = 0
    reorganisation_doubt_s: float = 120.0
    reorganisation_blocks: int = REORGANISATION_BLOCKS
    required_worker_version: str = ""
    error_results: bool = True
    progress_timeout_s: float = 60.0
    download_s: float = 1800.0
    clock_tolerance_s: float = 30.0
    failure_pause_s: float = 10.0
