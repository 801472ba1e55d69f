"""Why tasks wait."""

from collections.abc import Mapping

from workerpool_poco.protocol.causes import Side

from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.explanations.table.meaning import COUNTS, FAILURE, ITSELF, Meaning, Subject

_R = ReasonCode
_TRANSACTION = "The chain adapter sends it; `poolctl tx` shows its state."


def _tasks(side: Side | None, meaning: str, next_step: str, *evidence: str) -> Meaning:
    return Meaning(Subject.TASK, side, meaning, next_step, evidence)


TASKS: Mapping[ReasonCode, Meaning] = {
    _R.NO_WORKER_CONNECTED: _tasks(
        Side.POOL, "No worker is connected.", "The task starts when one connects.", *COUNTS
    ),
    _R.WORKERS_REFUSED: _tasks(
        Side.WORKER,
        "No worker is connected, and core refused the login of some.",
        "Correct at the worker what the refusal names; the task starts when one connects.",
        *COUNTS,
        "refused_wallets",
        "last_refused_wallet",
        "last_refusal",
        "last_refused_at",
    ),
    _R.NO_WORKER_WITH_GPU: _tasks(
        Side.POOL, "No worker has the GPU that the tag requires.", "One must connect.", "tag", *COUNTS
    ),
    _R.NO_WORKER_WITH_ENCLAVE: _tasks(
        Side.POOL,
        "No worker has the enclave that the tag requires.",
        "One must connect.",
        "tag",
        "framework",
        *COUNTS,
    ),
    _R.NO_WORKER_WITH_MEMORY: _tasks(
        Side.POOL,
        "No worker has the memory of one slot, or the app ran out of memory in slots as large as all others.",
        "One with more memory must connect.",
        "needed_bytes",
        *COUNTS,
    ),
    _R.TRUST_TOO_HIGH: _tasks(
        Side.POOL,
        "All workers of the pool together cannot reach the trust.",
        "It waits for more workers.",
        "trust",
        "workers_needed",
        "workers_fitting",
    ),
    _R.ALL_WORKERS_TRIED: _tasks(
        Side.POOL, "Every connected worker has tried the task already.", "Another one must connect.", *COUNTS
    ),
    _R.ALL_WORKERS_UNLISTED: _tasks(
        Side.POOL,
        "No connected worker that could take the task is on the pool's whitelist.",
        "The pool's operator must add one.",
        *COUNTS,
    ),
    _R.ALL_WORKERS_DRAINED: _tasks(
        Side.POOL,
        "All workers that could take the task are drained by the operator.",
        "It starts when the operator ends the drain.",
        *COUNTS,
    ),
    _R.ALL_WORKERS_QUARANTINED: _tasks(
        Side.POOL,
        "All workers that could take the task are in quarantine.",
        "It starts at the end of the quarantine, or when the operator releases a worker.",
        *COUNTS,
        "wallet",
        "failures",
    ),
    _R.ALL_WORKERS_PARKED: _tasks(
        Side.WORKER,
        "The workers that could take the task report that they take no work now.",
        "It starts when one takes work again or another connects.",
        *COUNTS,
        "wallet",
    ),
    _R.ALL_WORKERS_WITHOUT_GAS: _tasks(
        Side.WORKER,
        "No worker that could take the task has gas for a contribution.",
        "Its operator must fund its wallet.",
        *COUNTS,
        "wallet",
    ),
    _R.ALL_WORKERS_WITHOUT_STAKE: _tasks(
        Side.WORKER,
        "No worker that could take the task has the stake that the deal demands.",
        "Its operator must deposit it.",
        "worker_stake",
        *COUNTS,
        "wallet",
    ),
    _R.ALL_WORKERS_NEW: _tasks(
        Side.POOL,
        "The workers that could take the task are new and compute as many paid tasks as new wallets may.",
        "It starts when one of them completes a task; WORKERPOOL_CORE_NEWCOMER_ASSIGNMENTS is the limit.",
        "limit",
        *COUNTS,
    ),
    _R.ALL_WORKERS_SILENT: _tasks(
        Side.WORKER,
        "The workers that could take the task do not answer.",
        "It starts when one answers or another connects.",
        *COUNTS,
        "wallet",
    ),
    _R.NO_FREE_SLOT: _tasks(
        Side.POOL,
        "All slots of the workers that can take the task are in use.",
        "It starts when one is free.",
        *COUNTS,
        "waiting_tasks",
    ),
    _R.WAITING_FOR_WORKER: _tasks(
        Side.POOL,
        "The task has just become ready; core matches it with a worker at once.",
        ITSELF,
        *COUNTS,
    ),
    _R.PAUSED_AFTER_FAILURE: _tasks(
        Side.POOL,
        "The task waits a moment after a failure of a service or of the chain.",
        "It is given to another worker then.",
        *FAILURE,
    ),
    _R.COMPUTING: _tasks(None, "Workers compute the task.", ITSELF, "workers", "statuses", "max_execution_s"),
    _R.WAITING_FOR_CONSENSUS: _tasks(
        Side.POOL,
        "Workers contributed, and others must agree with them.",
        "No action is needed: the pool adds workers as needed.",
        "trust",
        "contributions",
        "workers",
        "statuses",
    ),
    _R.WAITING_FOR_REVEAL: _tasks(
        Side.WORKER,
        "The workers agreed, and winners must reveal their results.",
        "No action is needed: without a reveal the task is reopened after the reveal deadline.",
        "winners",
        "revealed",
        "workers",
        "statuses",
    ),
    _R.WAITING_FOR_UPLOAD: _tasks(
        Side.WORKER,
        "A worker uploads the result.",
        "No action is needed: core requests it from another worker when this one fails or is silent.",
        "uploader",
    ),
    _R.UPLOAD_FAILING: _tasks(
        Side.WORKER,
        "Uploads of the result failed.",
        "Core requests it from another worker that revealed. If all fail, check the result proxy and the workers' "
        "connection to it.",
        "cause",
        "uploader",
        "failed_uploads",
        "workers",
        "last_error",
    ),
    _R.WAITING_FOR_INITIALIZE: _tasks(
        Side.CHAIN, "The initialize transaction is not mined yet.", _TRANSACTION
    ),
    _R.WAITING_FOR_FINALIZE: _tasks(Side.CHAIN, "The finalize transaction is not mined yet.", _TRANSACTION),
    _R.WAITING_FOR_REOPEN: _tasks(
        Side.WORKER,
        "No worker revealed in time, and the reopen transaction is not mined yet.",
        _TRANSACTION,
    ),
    _R.WAITING_FOR_SMS: _tasks(
        Side.POOL,
        "The platform registry and its secret management service (SMS) have not answered yet.",
        "Core retries every few seconds.",
        "tag",
    ),
    _R.SMS_DOWN: _tasks(
        Side.POOL,
        "The platform registry or its secret management service (SMS) does not answer.",
        "Core retries every few seconds.",
        "tag",
    ),
}
"""The rows."""
