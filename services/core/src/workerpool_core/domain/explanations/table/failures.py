"""Why tasks failed."""

from collections.abc import Mapping

from workerpool_poco.protocol.causes import Side

from workerpool_core.domain.explanations.reason_codes import ReasonCode
from workerpool_core.domain.explanations.table.meaning import FAILURE, Meaning, Subject

_R = ReasonCode
_BY_CAUSE = "See the message, and [blame.md](blame.md) for the cause."


def _failures(side: Side | None, meaning: str, next_step: str, *evidence: str) -> Meaning:
    return Meaning(Subject.FAILURE, side, meaning, next_step, (*FAILURE, *evidence))


FAILURES: Mapping[ReasonCode, Meaning] = {
    _R.APP_FAILED: _failures(Side.APP, "The app failed, or its image or output is wrong.", _BY_CAUSE),
    _R.ORDER_INVALID: _failures(
        Side.REQUESTER, "The order's params, input files or dataset are wrong.", _BY_CAUSE
    ),
    _R.ENCRYPTION_WITHOUT_ENCLAVE: _failures(
        Side.REQUESTER,
        "The order requests an encrypted result for a task without an enclave.",
        "Buy without iexec_result_encryption, or with the tag of an enclave.",
    ),
    _R.WORKERS_FAILED: _failures(Side.WORKER, "The workers or their hosts failed.", _BY_CAUSE),
    _R.POOL_FAILED: _failures(Side.POOL, "The pool or one of its services failed.", _BY_CAUSE),
    _R.CHAIN_FAILED: _failures(Side.CHAIN, "The chain or its node failed.", _BY_CAUSE),
    _R.NO_SMS: _failures(
        Side.POOL,
        "No secret management service (SMS) serves the enclave that the tag requires.",
        "Buy from a pool that serves this enclave, or buy without its tag.",
        "tag",
    ),
    _R.RESULTS_DIFFER: _failures(
        Side.APP,
        "The workers contributed different results, but the trust requires agreement.",
        "Let the app write the same result at each run.",
        "trust",
        "contributions",
        "results",
    ),
    _R.TOO_FEW_CONTRIBUTIONS: _failures(
        Side.POOL,
        "Too few workers contributed for the trust.",
        "Buy again with a lower trust, or from a larger pool.",
        "trust",
        "contributions",
    ),
    _R.CONTRIBUTION_DEADLINE_PASSED: _failures(
        Side.POOL,
        "The contribution deadline passed without a consensus.",
        "Buy again, or buy a larger category, whose deadlines are later.",
        "contribution_deadline",
        "statuses",
    ),
    _R.FINAL_DEADLINE_PASSED: _failures(
        Side.POOL,
        "The final deadline passed without a result on chain.",
        "The price is refunded. The operator checks what the message names.",
        "final_deadline",
        "statuses",
        "trust",
        "contributions",
        "results",
        "contribution_deadline",
    ),
    _R.INITIALIZE_FAILED: _failures(
        Side.POOL,
        "The task could not be initialized on chain.",
        "The operator reads the transaction's error: `poolctl tx`.",
    ),
    _R.REOPEN_FAILED: _failures(
        Side.POOL,
        "No contributor revealed, and the task could not be reopened on chain.",
        "The operator reads the transaction's error: `poolctl tx`.",
    ),
    _R.FINALIZE_FAILED: _failures(
        Side.POOL,
        "The task could not be finalized on chain.",
        "The operator reads the transaction's error: `poolctl tx`.",
    ),
    _R.UPLOAD_TIMED_OUT: _failures(
        Side.WORKER,
        "No worker uploaded the result in time.",
        "The operator checks the result proxy and the workers' connection to it.",
    ),
}
"""The rows."""
